"""Pitch marks: one moment in each period of a voice, always at the same point of it.

From the strongest point of a voiced stretch outwards, each mark lies where the sound of the period about the last one
comes again: at the peak of the normalised cross-correlation, found between samples (Medan, Yair & Chazan 1991).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio import f0, spectrum
from affectgen.audio.files import Samples, resampled
from affectgen.audio.timemap import HOP, frame_count
from affectgen.audio.voice import runs

Floats = NDArray[np.float64]

NEAREST, FARTHEST = 0.8, 1.25  # of a period: where the next mark is looked for
SAME = 0.3  # least correlation of two neighbouring periods: below, the pitch's own period is taken
BEYOND = 0.8  # least correlation at which marks go on beyond the stretch that the pitch says is voiced
FARTHEST_BEYOND = 0.02  # seconds that they go on at most
FAR = 0.1  # of correlation: what a period a fifth longer or shorter than the pitch says costs
CHUNK, MARGIN = 12000, 100  # frames whose pitch is tracked at once: 2 minutes; and beyond them: a second
APART = 0.005  # seconds between two marks where there is no voice


@dataclass(frozen=True)
class Voice:
    """What is known of a recording of a voice.

    samples: float64 [N], one channel; rate: samples a second; hertz: float64 [T], its pitch, a frame each HOP, 0 where
    unvoiced; places: float64 [M], the pitch marks in samples, rising; voiced: bool [M], whether a mark begins a period
    of the voice: the others stand every few milliseconds where there is none.
    """

    samples: Floats
    rate: int
    hertz: Floats
    places: Floats
    voiced: NDArray[np.bool_]

    @property
    def marks(self) -> NDArray[np.int64]:
        """The nearest sample to each pitch mark, int64 [M]."""
        return np.rint(self.places).astype(np.int64)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


def analyse(samples: Floats, rate: int) -> Voice:
    """Pitch and pitch marks of one channel of any rate from 8,000 to 96,000 a second, [N], any length."""
    samples = np.asarray(samples, dtype=np.float64)
    hertz = contour(samples, rate)
    places, voiced = _marks(samples, rate, hertz)
    return Voice(samples, rate, hertz, places, voiced)


def contour(samples: Floats, rate: int) -> Floats:
    """The pitch of one channel, Hz, a frame each HOP, 0 where unvoiced, [frame_count]: that of `f0.track`, interpolated
    within voiced stretches."""
    count = frame_count(len(samples), rate)
    if len(samples) * spectrum.RATE < 2 * rate:  # too short to be resampled
        return np.zeros(count)
    low = resampled(np.asarray(samples, dtype=np.float32), rate, spectrum.RATE)
    found = np.concatenate([_tracked(low, first) for first in range(0, len(low) // spectrum.HOP + 1, CHUNK)])
    at = np.arange(count) * HOP * spectrum.RATE / spectrum.HOP  # in frames of what was found
    left = np.minimum(at.astype(np.int64), len(found) - 1)
    right = np.minimum(left + 1, len(found) - 1)
    share = np.clip(at - left, 0.0, 1.0)
    logs = np.log(np.maximum(found, 1.0))
    both = (found[left] > 0) & (found[right] > 0) & (np.abs(logs[left] - logs[right]) < 0.3)
    near = found[np.where(share < 0.5, left, right)]
    return np.where(both, np.exp(logs[left] * (1 - share) + logs[right] * share), near)


def _tracked(low: Samples, first: int) -> Floats:
    """The pitch of CHUNK frames from `first` on, with MARGIN more to either side for the path: it bounds the memory."""
    start = max(first - MARGIN, 0)
    stop = (first + CHUNK + MARGIN) * spectrum.HOP
    return f0.track(low[start * spectrum.HOP : stop]).hertz[first - start : first - start + CHUNK]


def _marks(samples: Floats, rate: int, hertz: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """(places, voiced) of all marks of a recording."""
    hop, end = HOP * rate, len(samples)
    sign = _polarity(samples, rate, hertz)
    walker = _Walker(samples, rate, hertz, sign)
    parts: list[Floats] = []
    flags: list[NDArray[np.bool_]] = []
    reached = 0.0
    for start, stop in runs(hertz > 0):
        marks = walker.marks(max((start - 0.5) * hop, reached), min((stop - 0.5) * hop, end - 1.0), start, stop)
        marks = marks[(marks > reached + 0.25 * hop if parts else marks >= 0) & (marks <= end - 1)]
        if not len(marks):
            continue
        parts += [_even(reached, marks[0], rate, not parts), marks]
        flags += [np.zeros(len(parts[-2]), dtype=bool), np.ones(len(marks), dtype=bool)]
        reached = float(marks[-1])
    parts.append(_even(reached, float(end), rate, not parts))
    flags.append(np.zeros(len(parts[-1]), dtype=bool))
    places = np.concatenate(parts)
    return (places, np.concatenate(flags)) if len(places) else (np.zeros(1), np.zeros(1, dtype=bool))


def _even(start: float, stop: float, rate: int, first: bool) -> Floats:
    """Whole places between two marks, at even distances of about APART; `start` itself where it is the first."""
    if stop <= start:
        return np.zeros(0)
    count = max(int(np.rint((stop - start) / rate / APART)), 1)
    return np.asarray(np.rint(np.linspace(start, stop, count + 1)[0 if first else 1 : -1]), dtype=np.float64)


def _polarity(samples: Floats, rate: int, hertz: Floats) -> float:
    """1 where the voice's highest points stick out more than its lowest, else -1: which of them a mark sits on."""
    hop = int(HOP * rate)
    frames = np.flatnonzero(hertz > 0)
    frames = frames[(frames + 1) * hop <= len(samples)]
    if not len(frames):
        return 1.0
    pieces = samples[: len(samples) // hop * hop].reshape(-1, hop)[np.minimum(frames, len(samples) // hop - 1)]
    return 1.0 if float((pieces.max(axis=1) + pieces.min(axis=1)).sum()) >= 0 else -1.0


class _Walker:
    """Sets marks from period to period."""

    def __init__(self, samples: Floats, rate: int, hertz: Floats, sign: float) -> None:
        self.samples, self.rate, self.hertz, self.sign = samples, rate, hertz, sign
        self.total = np.r_[0.0, np.cumsum(samples**2)]

    def marks(self, low: float, high: float, start: int, stop: int) -> Floats:
        """The marks of a voiced stretch from `low` to `high` samples, frames `start` to before `stop`."""
        period = self.rate / self.hertz[start:stop]
        middle = float(np.clip(self._loudest(start, stop), low, high))
        half = period[min(max(int(middle / self.rate / HOP + 0.5) - start, 0), len(period) - 1)] / 2
        first, last = max(int(middle - half), 0), min(int(middle + half) + 1, len(self.samples))
        if last - first < 3:
            return np.zeros(0)
        anchor = first + int((self.sign * self.samples[first:last]).argmax())
        after = self._walk(float(anchor), high, 1, start, stop)
        before = self._walk(float(anchor), low, -1, start, stop)
        return np.array([*before[::-1], float(anchor), *after])

    def _loudest(self, start: int, stop: int) -> float:
        """The loudest moment of some frames, in samples."""
        edges = np.clip(np.rint((np.arange(start, stop + 1) - 0.5) * HOP * self.rate), 0, len(self.samples))
        energy = np.diff(self.total[edges.astype(np.int64)])
        return float((start + int(energy.argmax())) * HOP * self.rate)

    def _walk(self, place: float, bound: float, way: int, start: int, stop: int) -> list[float]:
        """Marks from `place` to `bound`, to the right (way 1) or the left (-1)."""
        found: list[float] = []
        limit = bound + way * FARTHEST_BEYOND * self.rate
        while True:
            frame = min(max(int(place / self.rate / HOP + 0.5), start), stop - 1)
            lag, likeness = self._next(place, self.rate / float(self.hertz[frame]), way)
            place += way * lag
            beyond = (place - bound) * way > 0
            if lag <= 0 or (place - limit) * way > 0 or (beyond and likeness < BEYOND):
                return found
            found.append(place)

    def _next(self, place: float, period: float, way: int) -> tuple[float, float]:
        """(distance to the next mark, correlation of its period with this one); distance 0 at the recording's end."""
        middle, half = round(place), int(period / 2)
        least, most = int(NEAREST * period), int(FARTHEST * period) + 1
        first, last = middle - half, middle + half + 1
        other_first, other_last = (first + least, last + most) if way > 0 else (first - most, last - least)
        if min(first, other_first) < 0 or max(last, other_last) > len(self.samples):
            inside = 0 <= place + way * period < len(self.samples)
            return (period, 1.0) if inside else (0.0, 0.0)
        own, other = self.samples[first:last], self.samples[other_first:other_last]
        products = np.correlate(other, own, "valid")
        ends = self.total[other_first + len(own) : other_last + 1]
        energy = (ends - self.total[other_first : other_first + len(ends)]) * float(own @ own)
        likeness = products / np.sqrt(np.maximum(energy, 1e-30))
        if way < 0:
            likeness = likeness[::-1]
        lags = np.arange(least, least + len(likeness))
        best = int((likeness - FAR * (5 * (lags / period - 1)) ** 2).argmax())
        if likeness[best] < SAME:
            return period, float(likeness[best])
        shift = 0.0
        if 0 < best < len(likeness) - 1:
            left, here, right = likeness[best - 1 : best + 2]
            bend = left - 2 * here + right
            shift = float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < -1e-12 else 0.0
        return float(lags[best]) + shift, float(likeness[best])
