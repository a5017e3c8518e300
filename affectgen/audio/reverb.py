"""An optional room around dry music: early reflections and a decaying tail, in stereo, added to the sound as it is.

The tail is noise (Moorer, "About this reverberation business", CMJ 1979) whose bands decay each in its own time, the
treble faster than the middle as air and walls have it. Each of the four ways from an input channel to an output channel
has a response of its own, so the tail is as wide as it can be. The bass is kept out of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames
from affectgen.audio.pcm import checked, regular
from affectgen.errors import AudioError, UsageError

WET_DB = -12.0
DECAYS = (0.1, 10.0)  # seconds that can be asked for
FALL = math.log(1000.0)  # 60 dB, as an exponent of amplitude
LENGTH = 1.2  # responses last so many decays
BANDS = (62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)  # Hz
SHARES = (1.05, 1.05, 1.0, 1.0, 1.0, 0.95, 0.85, 0.65, 0.45)  # of the decay, by band: less where air swallows sound
LEVELS = (0.0, 0.0, 0.0, 0.0, 0.0, -1.5, -4.0, -8.0, -14.0)  # dB at the start of the tail, by band
EARLY = 8  # early reflections on each way
EARLY_DB = -6.0  # their energy over the tail's
EARLY_CUT = 5000.0  # Hz above which walls swallow them
PINK = (100.0, 10_000.0)  # Hz: wet over dry is told for noise of equal energy an octave between these
FFT = 1 << 18  # frames transformed at a time, at least


@dataclass(frozen=True)
class Space:
    """decay: seconds in which the middle of the tail falls by 60 dB, 0.1 to 10; delay: seconds until the first
    reflection; early: seconds over which early ones come and the tail builds up; bass: Hz below which there is no
    reverberation; seed: of the noise.
    """

    decay: float
    delay: float = 0.01
    early: float = 0.05
    bass: float = 150.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not DECAYS[0] <= self.decay <= DECAYS[1]:
            raise UsageError(f"A decay of {self.decay:g} s was asked for.", "Use 0.1 to 10 seconds.")
        for name, most in (("delay", 0.2), ("early", 0.2), ("bass", 1000.0)):
            if not 0 < getattr(self, name) <= most:
                raise UsageError(f"The room's {name} was given as {getattr(self, name):g}.", f"Use up to {most:g}.")


SPACES = {
    "room": Space(0.5, delay=0.004, early=0.025),
    "chamber": Space(1.0, delay=0.01, early=0.045),
    "hall": Space(1.8, delay=0.018, early=0.07),
}


def space_named(name: str) -> Space:
    """One of "room", "chamber", "hall". UsageError for another word."""
    if name not in SPACES:
        raise UsageError(f"{name!r} is no room that is known.", f"Use one of {', '.join(SPACES)}.")
    return SPACES[name]


def reverberant(
    blocks: Iterable[Frames], rate: int, space: Space = SPACES["hall"], wet_db: float = WET_DB
) -> Iterator[Frames]:
    """The sound in the space, float32 [N, 2] in blocks; the dry sound is in it unchanged and at the same time.

    blocks: mono (then heard in the middle) or stereo, of any lengths, which the result does not depend on. rate:
    samples a second. wet_db: energy of what is added over the sound's, for pink noise; -60 to 12. The tail is appended,
    so the result is longer by `tail_frames`. Silence stays exact silence. UsageError for a level out of range;
    AudioError for more channels than two.
    """
    if not -60 <= wet_db <= 12:
        raise UsageError(f"A reverberation of {wet_db:g} dB was asked for.", "Use -60 to 12.")
    return _convolved(blocks, response(space, rate) * np.float32(10 ** (wet_db / 20)))


def tail_frames(space: Space, rate: int) -> int:
    """By how many frames the sound becomes longer."""
    return round(space.decay * LENGTH * rate) - 1


def _convolved(blocks: Iterable[Frames], ways: NDArray[np.float32]) -> Iterator[Frames]:
    """The sound and its convolution with ways [out, in, N], by overlap and add."""
    from scipy import fft

    longer = ways.shape[-1] - 1
    size = max(FFT, fft.next_fast_len(4 * longer, real=True))
    step = size - longer
    spectra = fft.rfft(ways, size)
    over: NDArray[np.float32] = np.zeros((2, longer), np.float32)  # what is still to sound
    count = 0
    for block in regular(checked(blocks), step):
        if block.shape[1] > 2:
            raise AudioError(f"{block.shape[1]} channels came; a room takes one or two.", "Mix them down first.")
        wet = np.zeros((2, step + longer), np.float32)
        if block.any():
            heard = fft.rfft(block.T, size)
            if len(heard) == 1:
                wet = fft.irfft(heard * spectra.sum(axis=1), size)
            else:
                wet = fft.irfft(heard[0] * spectra[:, 0] + heard[1] * spectra[:, 1], size)
        wet[:, :longer] += over
        count = len(block)
        over = wet[:, count : count + longer].copy()
        yield np.ascontiguousarray(wet[:, :count].T + block, dtype=np.float32)
    if count and longer:
        yield np.ascontiguousarray(over.T)


def response(space: Space, rate: int) -> NDArray[np.float32]:
    """What is added to a click: float32 [2 out, 2 in, N]; energy 1 at each output for pink noise at the inputs."""
    from scipy.signal import butter, sosfilt

    count = tail_frames(space, rate) + 1
    time = np.arange(count) / rate
    chance = np.random.default_rng(space.seed)
    tail = _tail(space, time, rate, chance)
    first = _early(space, count, rate, chance)
    first *= 10 ** (EARLY_DB / 20) * np.sqrt((tail**2).sum() / max(float((first**2).sum()), 1e-30))
    both = sosfilt(butter(2, space.bass, "highpass", fs=rate, output="sos"), tail + first, axis=-1)
    end = np.clip((time[-1] - time) / (0.1 * time[-1]), 0.0, 1.0)
    both *= np.sin(np.pi / 2 * end) ** 2  # 65 dB down: nobody hears it end
    return (both / np.sqrt(_pink_energy(both, rate))[:, None, None]).astype(np.float32)


def _tail(space: Space, time: NDArray[np.float64], rate: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """Noise, float64 [2, 2, N], band by band, each with its own decay; it builds up while early reflections come."""
    from scipy import fft

    size = fft.next_fast_len(2 * len(time), real=True)  # twice: the ends of circular filters stay out of it
    spectrum = fft.rfft(chance.standard_normal((2, 2, size)))
    octaves = np.log2(np.maximum(fft.rfftfreq(size, 1 / rate), 1.0))
    tail = np.zeros((2, 2, len(time)))
    since = np.maximum(time - space.delay, 0.0)
    for at, (share, level) in enumerate(zip(SHARES, LEVELS, strict=True)):
        heights = np.zeros(len(BANDS))
        heights[at] = 10 ** (level / 20)
        mask = np.interp(octaves, np.log2(BANDS), heights)  # neighbouring bands add up to all of the noise
        noise = fft.irfft(spectrum * mask, size)[..., : len(time)]
        tail += noise * np.exp(-FALL * since / (share * space.decay))
    return tail * (1 - np.exp(-3 * since / space.early))


def _early(space: Space, count: int, rate: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """Single reflections, float64 [2, 2, N], each time and sign drawn, later ones softer, dull as walls make them."""
    from scipy.signal import lfilter

    taps = np.zeros((2, 2, count))
    for way in taps.reshape(4, count):
        # one in each slice of the time, so that they neither crowd nor repeat in step
        times = space.delay + space.early * (np.arange(EARLY) + chance.uniform(0.1, 0.9, EARLY)) / EARLY
        sizes = chance.choice([-1.0, 1.0], EARLY) * space.delay / times
        np.add.at(way, np.minimum((times * rate).astype(np.int64), count - 1), sizes)
    keep = math.exp(-2 * math.pi * EARLY_CUT / rate)
    return lfilter([1 - keep], [1, -keep], taps, axis=-1)


def _pink_energy(ways: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Energy at each output [2] for unrelated pink noise of energy 1 at each input."""
    from scipy import fft

    power = (np.abs(fft.rfft(ways)) ** 2).sum(axis=1)
    hertz = fft.rfftfreq(ways.shape[-1], 1 / rate)
    weight = np.where((hertz >= PINK[0]) & (hertz <= PINK[1]), 1 / np.maximum(hertz, 1.0), 0.0)
    return (power * weight).sum(axis=-1) / weight.sum()
