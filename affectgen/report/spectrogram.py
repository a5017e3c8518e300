"""The spectrogram that a picture shows: bands as even as a keyboard's, and no more columns than one can see.

Bands are a twenty-fourth of an octave wide. Low ones come from long spectra and high ones from short (a constant-Q
transform in short: Brown, JASA 1991), each about as fine in frequency as its bands; so basses stand apart and onsets
stay sharp. Sound is worked through in blocks: however long, there are at most COLUMNS columns, each the mean power of
its span of time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames, Samples
from affectgen.errors import AudioError

Sound = Samples | Frames | Iterable[Samples] | Iterable[Frames]
Floats32 = NDArray[np.float32]

LOWEST, HIGHEST = 30.0, 16_000.0  # Hz
OCTAVE = 24  # bands of an octave
COLUMNS = 2048  # at most; from half as many on for all but short sounds
FINEST = 0.005  # seconds: the shortest column
LONGEST = 0.186  # seconds of the spectra for the lowest bands; those above have a half, a quarter, an eighth
LENGTHS = 4
FADE = 3.0  # lengths of spectra give way to each other over a third of an octave
CELLS = 64  # spans of sound that are worked through together
SILENT = -120.0  # dB
RANGE = 70.0  # dB: the most that the colours span


@dataclass(frozen=True)
class Spectrogram:
    """Level of each band over time.

    levels: float32 [bands, T], dB, 0 for a sine of full scale (within 2 dB); hertz: float64 [bands], centres; low,
    high: float32 [T], the least and greatest sample; step: seconds of a column; seconds: length of the sound.
    """

    levels: Floats32
    hertz: NDArray[np.float64]
    low: Floats32
    high: Floats32
    step: float
    seconds: float

    @property
    def peak(self) -> float:
        """The greatest magnitude of a sample."""
        return max(-float(self.low.min()), float(self.high.max()))


def band_hertz(rate: float) -> NDArray[np.float64]:
    """Centres of the bands from LOWEST to HIGHEST or half the rate, Hz; there is always one."""
    count = int(OCTAVE * np.log2(max(min(HIGHEST, rate / 2) / LOWEST, 1.0))) + 1
    return np.asarray(LOWEST * 2 ** (np.arange(count) / OCTAVE), dtype=np.float64)


def spectrogram(sound: Sound, rate: int) -> Spectrogram:
    """The spectrogram of samples [N], frames [N, C] (channels are averaged) or blocks of either, at `rate` a second.

    Memory does not grow with the length. AudioError where there is no sample, or one that is no number, or no rate.
    """
    if rate < 1:
        raise AudioError(f"Sound came with {rate} samples a second.", "Give 1 or more.")
    columns = _Columns(rate)
    for block in [sound] if isinstance(sound, np.ndarray) else sound:
        for first in range(0, len(block), 1 << 16):  # so that the copies stay small
            columns.add(np.asarray(block[first : first + (1 << 16)], dtype=np.float32))
    return columns.done()


def colour_range(levels: Floats32) -> tuple[float, float]:
    """The dB at the ends of the colours: percentiles of what sounds, at most RANGE and at least RANGE / 4 apart."""
    heard = levels[levels > SILENT + 1]
    if not len(heard):
        return SILENT, SILENT + RANGE
    low, high = np.percentile(heard, (10, 99.9)).tolist()
    return float(np.clip(low, high - RANGE, high - RANGE / 4)), float(high)


class _Columns:
    """Columns that grow with the sound: when there are COLUMNS, two and two become one of twice the span.

    A cell is a span of sound with spectra of its own, a column the mean of `group` cells. Cells grow with the columns
    until they are so long that longer ones would save no work; then the group does.
    """

    def __init__(self, rate: int) -> None:
        self.rate, self.hertz = rate, band_hertz(rate)
        longest = 2 ** max(round(np.log2(LONGEST * rate)), LENGTHS)
        self.sizes = tuple(longest >> k for k in range(LENGTHS))
        self.half = longest // 2
        self.span, self.group = max(1, round(FINEST * rate)), 1
        self.position = self.given = 0  # samples that are in columns, and that came
        self.buffer = np.zeros(self.half, dtype=np.float32)  # from `half` samples before the position on
        self.power = np.zeros((COLUMNS, len(self.hertz)), dtype=np.float32)
        self.cells = np.zeros(COLUMNS, dtype=np.int64)
        self.low, self.high = np.zeros((2, COLUMNS), dtype=np.float32)

    def add(self, samples: Samples | Frames) -> None:
        mono = samples.mean(axis=1) if samples.ndim == 2 else samples
        if not np.isfinite(mono).all():
            raise AudioError("The sound holds samples that are no numbers.", "Make it anew.")
        self.given += len(mono)
        self.buffer = np.concatenate((self.buffer, mono))
        while len(self.buffer) >= 2 * self.half + CELLS * self.span:
            self._work(CELLS)

    def done(self) -> Spectrogram:
        """The columns of all that came."""
        if not self.given:
            raise AudioError("There is no sound to draw.", "Give at least one sample.")
        self.buffer = np.concatenate((self.buffer, np.zeros(self.half + CELLS * self.span, dtype=np.float32)))
        while self.position < self.given:
            self._work(min(CELLS, -(-(self.given - self.position) // self.span)))
        count = -(-self.position // (self.span * self.group))
        power = self.power[:count] / self.cells[:count, None]
        levels = 10 * np.log10(np.maximum(power, 10 ** (SILENT / 10))).T
        step = self.span * self.group / self.rate
        return Spectrogram(levels, self.hertz, self.low[:count], self.high[:count], step, self.given / self.rate)

    def _work(self, count: int) -> None:
        """Put so many cells from the buffer's start into columns."""
        taken = count * self.span
        cells = self.buffer[self.half : self.half + taken].reshape(count, self.span)
        column = (self.position // self.span + np.arange(count)) // self.group
        for size in self.sizes:
            bands, power = self._bands(count, size)
            np.add.at(self.power[:, bands], column, power)
        np.add.at(self.cells, column, 1)
        np.minimum.at(self.low, column, cells.min(axis=1))
        np.maximum.at(self.high, column, cells.max(axis=1))
        self.buffer = self.buffer[taken:]
        self.position += taken
        if self.position >= COLUMNS * self.span * self.group:
            self._merge()

    def _bands(self, count: int, size: int) -> tuple[slice, Floats32]:
        """The bands that spectra of `size` samples tell of, and their power, mean of each of `count` cells."""
        from scipy.fft import rfft

        bins, bands, filters, window = _filters(self.rate, size, self.sizes)
        each = max(1, -(-self.span // (size // 2)))  # frames of a cell, half over each other
        centres = ((np.arange(count * each) + 0.5) * self.span / each).astype(np.int64)
        starts = centres + self.half - size // 2
        frames = np.lib.stride_tricks.sliding_window_view(self.buffer, size)[starts]
        spectra = rfft(frames * window, axis=1)[:, bins]
        power = (spectra.real**2 + spectra.imag**2).reshape(count, each, -1).mean(axis=1)
        return bands, power @ filters

    def _merge(self) -> None:
        """Two and two columns become one."""
        half = COLUMNS // 2
        for sums in (self.power, self.cells):
            sums[:half] = sums[0::2] + sums[1::2]
            sums[half:] = 0
        self.low[:half] = np.minimum(self.low[0::2], self.low[1::2])
        self.high[:half] = np.maximum(self.high[0::2], self.high[1::2])
        self.low[half:] = self.high[half:] = 0
        if self.span < self.half:
            self.span *= 2
        else:
            self.group *= 2


@lru_cache(maxsize=2 * LENGTHS)
def _filters(rate: int, size: int, sizes: tuple[int, ...]) -> tuple[slice, slice, Floats32, Floats32]:
    """Bins and bands that spectra of `size` samples serve, how bins sum up to bands [bins, bands], window [size].

    Triangles in Hz as wide as a band or a bin, whichever is wider, times the share that this size has in each band: one
    where a bin is about as wide as the band. Not to be changed.
    """
    hertz, bins = band_hertz(rate), np.fft.rfftfreq(size, 1 / rate)
    ratio = 2 ** (1 / OCTAVE) - 1
    place = np.clip(np.log2(hertz * ratio * sizes[0] / rate), 0, len(sizes) - 1)  # 0: bands for the longest
    rise = np.clip((place - sizes.index(size)) * FADE + 2, 0, 1) if size != sizes[0] else np.ones(len(hertz))
    fall = np.clip((place - sizes.index(size)) * FADE - 1, 0, 1) if size != sizes[-1] else np.zeros(len(hertz))
    share = rise - fall
    width = np.maximum(hertz * ratio, rate / size)
    filters = np.maximum(1 - np.abs(bins[:, None] - hertz) / width, 0) * share  # [bins, bands]
    used, served = np.flatnonzero(filters.any(axis=1)), np.flatnonzero(share)
    window = np.hanning(size + 1)[:-1]
    if not len(used):
        return slice(0, 1), slice(0, 0), np.zeros((1, 0), dtype=np.float32), window.astype(np.float32)
    rows, columns = slice(used[0], used[-1] + 1), slice(served[0], served[-1] + 1)
    scaled = (window * (2 / window.sum())).astype(np.float32)
    return rows, columns, filters[rows, columns].astype(np.float32), scaled
