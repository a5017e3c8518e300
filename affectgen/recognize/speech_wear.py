"""Worse copies of recordings of speech to learn from: noise, telephones, rooms and lossy files, drawn by a clip's name.

A clip's copies are the same whenever they are made: all that is drawn depends on the clip's name and the copy's number.
What is reported of worse recordings uses other kinds beside these (`affectgen.recognize.speech_degraded`).
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.degrade import levelled, noisy, through_codec
from affectgen.audio.files import Samples, resampled
from affectgen.audio.rooms import Room, in_room

RATE = 16000  # samples a second of what is worn
LINE = 8000  # samples a second on a telephone line
COMPANDING = 255.0
NOISE, TELEPHONE, PLACE = KINDS = (0, 1, 2)  # of wear: a copy's number, which counts from 1, says which
COLOURS = ("white", "pink", "speech")
FLUTTER = (2.0, 6.0)  # Hz: how fast noise in the manner of speech comes and goes
BLOCK = 1 << 14


@dataclass(frozen=True)
class Wear:
    """What happens to one recording at RATE, in this order. room: None for none; noise: dB of signal over noise, None
    for none; colour: of it, one of COLOURS; line: the band of a telephone line in Hz, None for none; order: of its
    filter; codec: "", "mp3" or "vorbis"; kbits: of MP3; level: of the peak, dB of full scale; seed: of the noise.
    """

    room: Room | None = None
    noise: float | None = None
    colour: str = "white"
    line: tuple[float, float] | None = None
    order: int = 4
    codec: str = ""
    kbits: int = 32
    level: float = -3.0
    seed: int = 0

    @classmethod
    def drawn(cls, name: str, copy: int) -> Wear:
        """Of the clip's copy number 1, 4, ... (noise of 8 to 30 dB), 2, 5, ... (a telephone) or 3, 6, ... (a small room
        or a lossy file).
        """
        kind = (copy - 1) % len(KINDS)
        chance = np.random.default_rng([zlib.crc32(name.encode()), copy])
        quiet = float(chance.uniform(18.0, 45.0)) if chance.random() < 0.5 else None
        decay, wet, dull = (float(chance.uniform(*ends)) for ends in ((0.15, 0.8), (-15, -2), (0.2, 0.8)))
        room = Room(decay, wet, dull, int(chance.integers(1 << 31)))
        codec = str(chance.choice(["mp3", "vorbis"]))
        both = chance.random()  # a place: the room, the file, or both
        return cls(
            room=room if kind == PLACE and both < 0.7 else None,
            noise=float(chance.uniform(8.0, 30.0)) if kind == NOISE else quiet,
            colour=str(chance.choice(COLOURS)),
            line=(float(chance.uniform(200, 400)), float(chance.uniform(3000, 3700))) if kind == TELEPHONE else None,
            order=int(chance.integers(2, 7)),
            codec=codec if kind == PLACE and both > 0.4 else "",
            kbits=int(chance.choice([16, 24, 32, 48])),
            level=float(chance.uniform(-24.0, 0.0)),
            seed=int(chance.integers(1 << 31)),
        )


def worn(samples: Samples, wear: Wear) -> Samples:
    """The recording at RATE after its wear, float32 [N]."""
    sound = samples if wear.room is None else in_room(samples, wear.room, RATE)
    if wear.noise is not None:
        like, pink = wear.colour == "speech", wear.colour == "pink"
        sound = speechlike(sound, wear.noise, wear.seed) if like else noisy(sound, wear.noise, pink, wear.seed)
    sound = levelled(sound, wear.level)
    if wear.line is not None:
        sound = by_line(sound, wear.line, wear.order)
    return through_codec(sound, RATE, wear.codec, wear.kbits) if wear.codec else sound


def speechlike(samples: Samples, over: float, seed: int) -> Samples:
    """With noise `over` dB below, which has the recording's own spectrum and comes and goes as speech does."""
    if not len(samples):
        return samples
    chance = np.random.default_rng(seed)
    spectrum = np.fft.rfft(samples.astype(np.float64))
    smooth = np.convolve(np.abs(spectrum), np.ones(51) / 51, mode="same")
    noise = np.fft.irfft(smooth * np.exp(2j * np.pi * chance.random(len(smooth))), len(samples))
    time = np.arange(len(samples)) / RATE
    for hertz, phase in zip(chance.uniform(*FLUTTER, 3), chance.random(3), strict=True):
        noise *= 1 + 0.6 * np.sin(2 * np.pi * (hertz * time + phase))
    return mixed(samples, noise, over)


def mixed(samples: Samples, other: NDArray[np.floating[Any]], over: float) -> Samples:
    """Samples with something else [N] whose mean power lies `over` dB below theirs, float32."""
    power, theirs = (float((part.astype(np.float64) ** 2).mean()) for part in (samples, other))
    return (samples + other * np.sqrt(power / max(theirs, 1e-20)) * 10 ** (-over / 20)).astype(np.float32)


def by_line(samples: Samples, band: tuple[float, float], order: int = 4) -> Samples:
    """What comes out of a telephone: LINE samples a second in the band (Hz), eight bits by the mu law (ITU-T G.711)."""
    from scipy.signal import butter, sosfilt

    narrow = resampled(samples, RATE, LINE)
    line = np.asarray(sosfilt(butter(order, band, "band", fs=LINE, output="sos"), narrow), dtype=np.float64)
    return same_length(resampled(companded(line), LINE, RATE), len(samples))


def companded(samples: NDArray[np.float64]) -> Samples:
    """In eight bits by the mu law and back, float32; beyond 1 is clipped."""
    squeezed = np.sign(samples) * np.log1p(COMPANDING * np.minimum(np.abs(samples), 1.0)) / np.log1p(COMPANDING)
    steps = np.round(squeezed * 127) / 127
    return np.asarray(np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(COMPANDING)) / COMPANDING, dtype=np.float32)


def through_file(samples: Samples, rate: int, form: str, subtype: str, rate_of: int) -> Samples:
    """Written at `rate_of` as a file of the form and subtype (libsndfile's names), read again, at `rate` as before."""
    import soundfile

    store = io.BytesIO()
    sound = np.clip(resampled(samples, rate, rate_of), -1.0, 1.0)
    with soundfile.SoundFile(store, "w", rate_of, 1, format=form, subtype=subtype) as file:
        for first in range(0, len(sound), BLOCK):
            file.write(sound[first : first + BLOCK])
    store.seek(0)
    heard = soundfile.read(store, dtype="float32", always_2d=True)[0][:, 0]
    return same_length(resampled(heard, rate_of, rate), len(samples))


def same_length(samples: Samples, length: int) -> Samples:
    """Cut or filled with silence to the length."""
    return np.pad(samples, (0, max(0, length - len(samples))))[:length].astype(np.float32)
