"""Where the pieces of a changed voice are taken from, and where they go.

In the voice: a piece about each pitch mark, at the distances of the new pitch, from the mark that is nearest to the
moment wanted. Elsewhere: copying from where it stands until that is SLACK ahead or behind, then a jump to where the
sound goes on most alike (WSOLA, Verhelst & Roelands 1993), though not over an onset, which it would double or lose.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.glottal import Voice
from affectgen.audio.grains import Grains
from affectgen.audio.timemap import HOP, Change, corners
from affectgen.audio.voice import runs

Floats = NDArray[np.float64]

STEP = 0.005  # seconds between pieces where there is no voice
SLACK = 0.006  # seconds that copying may run ahead or behind
MOST_SLACK = 0.03  # and where a jump would double or lose an onset
AIM = 0.7  # of SLACK: how far on the other side a jump goes
SEARCH = 0.003  # seconds about its aim in which the best place is looked for
OWN = 0.5  # of a period that the next mark may be away from where it should be taken from
PATIENCE = 0.85  # what is left, a period later, of an error that was larger
NARROWING, WIDENING = 0.5, 0.2  # how far the fading of a period follows its new length, 0 to 1
SPARSE, RINGING, OUT_OF_STEP = 0.3, 0.12, 0.1  # of `_level`, fitted to real voices
ONSET = 10.0  # dB by which the level rises
ONSET_FRAME = 0.0025  # seconds
ONSET_FLOOR = -45.0  # dB of the loudest frame: softer ones are none


@dataclass(frozen=True, slots=True)
class _Piece:
    """at, source: as in Grains; left, right: the periods before and after, infinite where there is no voice;
    likeness: to the piece before."""

    at: float
    source: float
    left: float = np.inf
    right: float = np.inf
    likeness: float = 1.0


class Placer:
    """Goes through the result from its start to its end and says, piece by piece, what is to be copied there.

    All places are in samples.
    """

    def __init__(self, voice: Voice, change: Change) -> None:
        self.samples, self.rate = voice.samples, voice.rate
        self.step, self.slack = STEP * voice.rate, SLACK * voice.rate
        self.edges, self.times = ((part * voice.rate).tolist() for part in corners(change))
        self.slopes: list[float] = change.time.tolist()
        self.places: list[float] = voice.places.tolist()
        self.pitch, self.still = _at_marks(voice, change)
        self.left, self.right = _periods(voice)
        self.runs = runs(voice.voiced)
        self.starts = [self.places[first] for first, _ in self.runs]
        self.onsets: list[float] = onsets(voice.samples, voice.rate).tolist()
        self.missed = 0.0  # how far the last mark was from where it should have been taken from
        self.copying = True  # whether the last piece of a voice stands where nothing changes
        self.pieces: list[_Piece] = []

    def grains(self, length: int) -> Grains:
        """The pieces for a result of `length` samples."""
        self.length = length
        if self.starts and self.starts[0] <= 0:
            self._voice(0, self.runs[0][0], 0.0, 1.0)
        else:
            self.pieces.append(_Piece(0.0, 0.0))
        while self.pieces[-1].at < length + self.step:
            entry = self._noise()
            if entry is not None:
                self._voice(*entry)
        return _faded(self.pieces)

    def origin(self, at: float) -> float:
        """The place in the recording of a place in the result."""
        cell = max(bisect_right(self.times, at) - 1, 0)
        return self.edges[cell] + (at - self.times[cell]) / self.slopes[cell]

    def _voice(self, run: int, mark: int, at: float, likeness: float) -> None:
        """Pieces of a voiced stretch from the one of `mark` at `at` to where the moment wanted lies behind it."""
        first, stop = self.runs[run]
        end = self.places[stop - 1] + 0.5 * self.right[stop - 1]
        self.missed = abs(self.places[mark] - self.origin(at))
        while True:
            self.pieces.append(_Piece(at, self.places[mark], self.left[mark], self.right[mark], likeness))
            likeness = 1.0
            if at >= self.length:
                return
            self.copying = self.still[mark]
            if self.copying and mark + 1 == stop:
                return
            if self.copying and self.still[mark + 1]:
                moved = self.places[mark + 1] - round(self.places[mark] - at)
                self.missed = abs(self.places[mark + 1] - self.origin(moved))
                if self.missed <= max(self.slack, self.right[mark]):
                    at, mark = moved, mark + 1
                    continue
            at += self.right[mark] / self.pitch[mark]
            wanted = self.origin(at)
            if wanted > end:
                return
            mark = self._nearest(wanted, mark, first, stop)

    def _nearest(self, wanted: float, mark: int, first: int, stop: int) -> int:
        """The mark after `mark` if it is near enough to the place wanted, else the nearest, not before `mark`."""
        limit = max(OWN * self.right[mark], PATIENCE * self.missed)
        if mark + 1 < stop and abs(self.places[mark + 1] - wanted) <= limit:
            found = mark + 1
        else:
            found = bisect_left(self.places, wanted, max(first, mark), stop)
            if found == stop or (found > mark and wanted - self.places[found - 1] < self.places[found] - wanted):
                found -= 1
        self.missed = abs(self.places[found] - wanted)
        return found

    def _noise(self) -> tuple[int, int, float, float] | None:
        """Pieces up to the next voiced stretch: (its number, mark, place of the mark's piece, likeness), or None at the
        end of the result."""
        at, source = self.pieces[-1].at, self.pieces[-1].source
        run = bisect_right(self.starts, source)
        low = self.places[self.runs[run - 1][1] - 1] if run else 0.0
        voice = self.starts[run] if run < len(self.starts) else np.inf
        shift, likeness = round(source - at), 1.0
        if run and not self.copying:  # behind the voice: back to the moment wanted
            shift, likeness = self._rejoined(at + self.step, shift)
        while at < self.length + self.step:
            ahead = at + self.step + shift - self.origin(at + self.step)
            if self._is_due(ahead, at, shift):
                if ahead < 0 and self.origin(at + self.step) + 0.5 * self.slack >= voice:
                    at += self.step
                    first, stop = self.runs[run]
                    return run, self._nearest(self.origin(at), first, first, stop), at, 0.0
                jump = self._jump(at + self.step, shift, ahead, low, voice)
                if jump is not None:
                    shift, likeness = jump
            if likeness == 1 and at + self.step + shift >= voice - self.step / 2:
                first, stop = self.runs[run]
                return run, first, max(voice - shift, at + 1), 1.0
            at += self.step
            self.pieces.append(_Piece(at, at + shift, likeness=likeness))
            likeness = 1.0
        return None

    def _rejoined(self, at: float, shift: int) -> tuple[int, float]:
        """(shift, likeness) of a piece at `at` that is taken from the moment wanted, not from where copying leads."""
        wanted, half = round(self.origin(at) - at), int(self.step)
        if wanted == shift:
            return shift, 1.0
        pieces = [round(at) + one for one in (shift, wanted)]
        if min(pieces) < half or max(pieces) > len(self.samples) - half:
            return wanted, 0.0
        one, other = (self.samples[middle - half : middle + half] for middle in pieces)
        likeness = float(one @ other) / max(float(one @ one) * float(other @ other), 1e-20) ** 0.5
        return wanted, min(max(likeness, 0.0), 0.999)

    def _is_due(self, ahead: float, at: float, shift: int) -> bool:
        """Whether copying should jump: it runs too far ahead or behind, or past the end of the recording."""
        runs_out = at + shift + 2 * self.step > len(self.samples) and self.length - at > 2 * self.step
        return abs(ahead) > self.slack or (runs_out and ahead > 0.2 * self.step)

    def _jump(self, at: float, shift: int, ahead: float, low: float, high: float) -> tuple[int, float] | None:
        """(new shift, likeness) for a piece at `at` within `low` to `high` of the recording; None where there is no
        good place."""
        going = at + shift
        aim = going - ahead - np.copysign(AIM * self.slack, ahead)
        half = int(self.step)
        first = round(max(aim - SEARCH * self.rate, low + half, half))
        last = round(min(aim + SEARCH * self.rate, high - half, len(self.samples) - half))
        if last < first:
            return None
        passed = [min(going, first) - half, max(going, last) + half]
        over = bisect_left(self.onsets, passed[0]) < bisect_right(self.onsets, passed[1])
        if over and abs(ahead) < MOST_SLACK * self.rate:
            return None
        middle = min(max(round(going), half), len(self.samples) - half)
        own = self.samples[middle - half : middle + half]
        other = self.samples[first - half : last + half]
        total = np.r_[0.0, np.cumsum(other**2)]
        energy = (total[len(own) :] - total[: -len(own)]) * float(own @ own)
        likeness = np.correlate(other, own, "valid") / np.sqrt(np.maximum(energy, 1e-20))
        best = int(likeness.argmax())
        return first + best - round(at), float(np.clip(likeness[best], 0.0, 0.999))


def held(values: Floats, voiced: NDArray[np.bool_]) -> Floats:
    """Values of frames [T], with those of the nearest voiced frame where there is no voice."""
    known = np.flatnonzero(voiced)
    if len(known) < 2:
        return np.full(len(values), values[known[0]]) if len(known) else values
    frames = np.arange(len(values))
    right = np.clip(np.searchsorted(known, frames), 1, len(known) - 1)
    before, after = known[right - 1], known[right]
    return np.asarray(values[np.where(frames - before <= after - frames, before, after)])


def onsets(samples: Floats, rate: int) -> Floats:
    """Places in samples at which the level rises within 5 ms as at the burst of a stop, [K]."""
    size = max(int(ONSET_FRAME * rate), 1)
    count = len(samples) // size
    if count < 6:
        return np.zeros(0)
    bright = np.diff(samples, prepend=samples[:1])[: count * size].reshape(count, size)
    level = 10 * np.log10((bright**2).mean(axis=1) + 1e-14)
    before = np.lib.stride_tricks.sliding_window_view(level, 3)[: count - 4].max(axis=1)  # of frames i-4 to i-2
    rises = np.maximum(level[3:-1], level[4:]) - before > ONSET  # over frame i - 1 or i
    loud = level[4:] > level.max() + ONSET_FLOOR
    return np.asarray((np.flatnonzero(rises & loud) + 3.0) * size)


def _at_marks(voice: Voice, change: Change) -> tuple[list[float], list[bool]]:
    """(factors on the pitch, whether neither pitch nor time changes) at each mark."""
    at = voice.places / (voice.rate * HOP)
    frames = np.arange(len(change.time))
    pitch = held(change.pitch, voice.hertz > 0)
    factor = np.exp(np.interp(at, frames, np.log(pitch)))
    still = np.interp(at, frames, np.abs(pitch - 1) + np.abs(change.time - 1)) == 0
    return np.where(still, 1.0, factor).tolist(), still.tolist()


def _periods(voice: Voice) -> tuple[list[float], list[float]]:
    """Samples from each mark to the ones before and after in the same voiced stretch; at its ends the other one; of a
    lone mark that of the pitch there."""
    gaps = np.diff(voice.places)
    inner = voice.voiced[1:] & voice.voiced[:-1]
    left = np.r_[np.nan, np.where(inner, gaps, np.nan)]
    right = np.r_[np.where(inner, gaps, np.nan), np.nan]
    left, right = np.where(np.isnan(left), right, left), np.where(np.isnan(right), left, right)
    near = np.clip(np.rint(voice.places / (voice.rate * HOP)).astype(np.int64), 0, len(voice.hertz) - 1)
    own = voice.rate / np.where(voice.hertz[near] > 0, voice.hertz[near], 1 / STEP)
    return np.where(np.isnan(left), own, left).tolist(), np.where(np.isnan(right), own, right).tolist()


def _faded(pieces: list[_Piece]) -> Grains:
    """The pieces, faded over the distance to their neighbours; in the voice between that and the period."""
    at, source, left, right, likeness = np.array(
        [(piece.at, piece.source, piece.left, piece.right, piece.likeness) for piece in pieces]
    ).T
    gaps = np.maximum(np.diff(at), 1e-3)
    voice = np.isfinite(left[1:]) & np.isfinite(left[:-1])
    after, before = np.where(voice, right[:-1], gaps), np.where(voice, left[1:], gaps)
    after, before = (np.where(np.abs(one / gaps - 1) < 1e-6, gaps, one) for one in (after, before))
    fall, rise = np.r_[_width(gaps, after), 1.0], np.r_[1.0, _width(gaps, before)]
    gain = np.sqrt(_level(np.r_[1.0, gaps / before]) * _level(np.r_[gaps / after, 1.0]))
    return Grains(at, source, rise, fall, gain, np.r_[likeness[1:], 1.0])


def _level(wider: Floats) -> Floats:
    """Factors on pieces that are so many times as far apart as their period: the fewer there are, and the less the one
    rings in step with the next, the louder, so that a change of pitch leaves the level alone."""
    return np.asarray(wider**SPARSE * (1 + RINGING * (1 - np.exp(-((np.log(wider) / OUT_OF_STEP) ** 2)))))


def _width(gaps: Floats, periods: Floats) -> Floats:
    """Samples over which pieces of a voice are faded whose distances and periods these are. Nearer than a period they
    share more than the distance (a narrow window would blur the formants), farther they reach beyond the period."""
    share = np.where(gaps < periods, NARROWING, WIDENING)
    return np.asarray(gaps**share * periods ** (1 - share))
