"""How loud sound is, measured while it streams: integrated loudness and true peak, both as in ITU-R BS.1770-4.

Loudness is K-weighted and gated (its Annex 1, also EBU R 128); the filters are pyloudnorm's, the gating is done here so
that any length can be measured in blocks, and agrees with pyloudnorm's on the whole. True peak is the largest value of
the sound at four times its rate (Annex 2).
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames
from affectgen.errors import AudioError

CHANNEL_WEIGHTS = (1.0, 1.0, 1.0, 1.41, 1.41)  # left, right, centre, left and right surround
GATE_SECONDS = 0.4  # of a gating block
HOPS = 4  # in a gating block: they overlap by 75 %
ABSOLUTE_GATE = -70.0  # LUFS
RELATIVE_GATE = -10.0  # LU below the mean of what passes the absolute gate
OFFSET = -0.691  # dB, which makes a 997 Hz sine read its own level
PIECE = 1 << 15  # frames filtered at a time

OVERSAMPLING = 4
TAPS = 10  # of the interpolator on either side, at the sound's own rate
BEFORE, AFTER = TAPS - 1, TAPS  # frames around the first and the last that interpolation looks at
ROW = 32  # frames interpolated by one row of a matrix product


class Meter:
    """Integrated loudness of blocks [N, channels] at `rate`. Memory grows by 80 bytes a second of sound, no more."""

    def __init__(self, rate: int, channels: int) -> None:
        """rate: samples a second; channels: 1 to 5, AudioError for more (the standard weights no others)."""
        from pyloudnorm.iirfilter import IIRfilter

        if not 1 <= channels <= len(CHANNEL_WEIGHTS):
            raise AudioError(f"Sound of {channels} channels came, and 1 to 5 can be measured.", "Mix it to stereo.")
        shelf = IIRfilter(4.0, 1 / math.sqrt(2), 1500.0, rate, "high_shelf")
        low_cut = IIRfilter(0.0, 0.5, 38.0, rate, "high_pass")
        self._sections = np.array([[*stage.b, *stage.a] for stage in (shelf, low_cut)])
        self._state = np.zeros((2, channels, 2))
        self._weights = np.array(CHANNEL_WEIGHTS[:channels])
        self._rate = rate
        self._frames = 0
        self._hops = array("d")  # weighted energy of each whole tenth of a second
        self._open = 0.0  # and of the one begun

    def add(self, block: Frames) -> None:
        """Measure a further block, float32 [N, channels]."""
        for start in range(0, len(block), PIECE):
            self._add(block[start : start + PIECE])

    def integrated(self, gain_db: float = 0.0) -> float | None:
        """LUFS of all so far, as if it were `gain_db` louder. None where there is less than 0.4 s of it, or nothing
        passes the gate of -70 LUFS.
        """
        if self._frames < GATE_SECONDS * self._rate:
            return None
        energy = np.concatenate([np.array(self._hops), [self._open, 0.0, 0.0, 0.0]])
        # as pyloudnorm counts them: a last block that lacks less than half a hop takes part
        count = round((self._frames / self._rate - GATE_SECONDS) / (GATE_SECONDS / HOPS)) + 1
        gated = np.sum([energy[hop : hop + count] for hop in range(HOPS)], axis=0)
        power = gated / (GATE_SECONDS * self._rate) * 10 ** (gain_db / 10)
        floor = 10 ** ((ABSOLUTE_GATE - OFFSET) / 10)
        loud = power[power >= floor]
        if not len(loud):
            return None
        kept = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE / 10)]
        return OFFSET + 10 * math.log10(float(kept.mean()))

    def mean(self) -> float:
        """LUFS of all so far without any gate; -inf for silence."""
        power = (sum(self._hops) + self._open) / max(self._frames, 1)
        return OFFSET + 10 * math.log10(power) if power > 0 else -math.inf

    def _add(self, block: Frames) -> None:
        """Filter at most PIECE frames and add their energy to the hops they belong to."""
        from scipy.signal import sosfilt

        self._state[np.abs(self._state) < 1e-20] = 0.0  # numbers below 1e-308 would make silence slow
        sound = np.ascontiguousarray(block.T, dtype=np.float64)
        sound, self._state = sosfilt(self._sections, sound, axis=-1, zi=self._state)
        np.square(sound, out=sound)
        energy = self._weights @ sound
        start, end = self._frames, self._frames + len(block)
        first = len(self._hops) + 1
        edges = [self._edge(k) - start for k in range(first, first + 2 + 10 * len(block) // self._rate)]
        edges = [edge for edge in edges if edge <= end - start]
        begun = 0
        for edge in edges:
            self._hops.append(self._open + float(energy[begun:edge].sum()))
            self._open, begun = 0.0, edge
        self._open += float(energy[begun:].sum())
        self._frames = end

    def _edge(self, hop: int) -> int:
        """The frame at which a tenth of a second begins."""
        return hop * self._rate // 10


def mean_loudness(sound: Frames, rate: int) -> float:
    """Ungated loudness of a short stretch of sound, float32 [N, channels], LUFS, as the short-term loudness of EBU Tech
    3341 is of three seconds; -inf for silence."""
    meter = Meter(rate, sound.shape[1])
    meter.add(sound)
    return meter.mean()


class PeakMeter:
    """True peak of blocks [N, channels], by four times oversampling; what follows the end counts as silence."""

    def __init__(self, channels: int) -> None:
        self._tail: Frames = np.zeros((BEFORE + AFTER, channels), dtype=np.float32)
        self._peak = 0.0

    def add(self, block: Frames) -> None:
        """Measure a further block, float32 [N, channels]."""
        for start in range(0, len(block), PIECE):
            padded = np.concatenate([self._tail, block[start : start + PIECE]])
            self._peak = _largest(padded, self._peak)
            self._tail = padded[-(BEFORE + AFTER) :]

    @property
    def peak(self) -> float:
        """The true peak so far, linear: 1 is full scale, 0 is silence."""
        end = np.zeros((AFTER, self._tail.shape[1]), dtype=np.float32)
        return _largest(np.concatenate([self._tail, end]), self._peak)

    def decibels(self) -> float | None:
        """The same in dBTP; None for silence."""
        peak = self.peak
        return 20 * math.log10(peak) if peak > 0 else None


def true_peak(sound: Frames) -> float | None:
    """True peak of a whole, float32 [N, C], in dBTP; None for silence."""
    meter = PeakMeter(sound.shape[1])
    meter.add(sound)
    return meter.decibels()


def frame_peaks(padded: Frames, above: float) -> NDArray[np.float32]:
    """For each frame the largest value of any channel from it to before the next, float32 [N].

    padded: [BEFORE + N + AFTER, C]. Where nothing can exceed `above` only the samples themselves are looked at, which
    is what makes this cheap: few places of a piece are near its peak.
    """
    count = len(padded) - BEFORE - AFTER
    rows = -(-count // ROW)
    level = np.zeros((rows + 1) * ROW, dtype=np.float32)
    for channel in padded.T:
        np.maximum(level[: len(padded)], np.abs(channel), out=level[: len(padded)])
    peaks = np.zeros((rows, ROW), dtype=np.float32)
    peaks.reshape(-1)[:count] = level[BEFORE : BEFORE + count]
    in_rows = level.reshape(rows + 1, ROW).max(axis=1)
    matrix, most = _interpolator()
    near = np.flatnonzero(np.maximum(in_rows[:-1], in_rows[1:]) * most > above)
    if len(near):
        places = ROW * near[:, None] + np.arange(ROW + BEFORE + AFTER)
        for channel in padded.T:
            whole = np.zeros(len(level), dtype=np.float32)
            whole[: len(padded)] = channel
            between = np.abs(whole[places] @ matrix).reshape(len(near), OVERSAMPLING - 1, ROW)
            peaks[near] = np.maximum(peaks[near], between.max(axis=1))
    return peaks.reshape(-1)[:count]


def _largest(padded: Frames, so_far: float) -> float:
    """The larger of `so_far` and the true peak of a padded piece."""
    if len(padded) <= BEFORE + AFTER:
        return so_far
    above = max(so_far, float(np.abs(padded[BEFORE:-AFTER]).max()))
    return max(above, float(frame_peaks(padded, above).max()))


@lru_cache(maxsize=1)
def _interpolator() -> tuple[NDArray[np.float32], float]:
    """Matrix [ROW + 19, 3 * ROW] from a row's samples and their neighbours to the three points after each, quarter by
    quarter, and the most by which such a point can exceed the samples.

    A sinc in a Kaiser window (beta 5, ten taps a side), the filter with which scipy.signal.resample_poly oversamples.
    """
    place = np.arange(-TAPS * OVERSAMPLING, TAPS * OVERSAMPLING + 1)
    taps = np.sinc(place / OVERSAMPLING) * np.kaiser(len(place), 5.0)
    taps *= OVERSAMPLING / taps.sum()
    frame, sample = np.arange(ROW), np.arange(ROW + BEFORE + AFTER)
    back = frame[None, :] + BEFORE - sample[:, None]  # frames from a sample to the frame it is felt at
    parts = []
    for quarter in range(1, OVERSAMPLING):
        at = OVERSAMPLING * back + quarter + TAPS * OVERSAMPLING
        inside = (at >= 0) & (at < len(taps))
        parts.append(np.where(inside, taps[np.clip(at, 0, len(taps) - 1)], 0.0))
    matrix = np.concatenate(parts, axis=1)
    return matrix.astype(np.float32), float(np.abs(matrix).sum(axis=0).max())
