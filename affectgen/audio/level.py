"""Bringing a piece to a wanted loudness without letting a peak pass a ceiling.

The gain is found by measuring: once as the sound is, and where peaks have to be limited a few times more with the
limiter in place, since limiting makes the whole quieter. Every pass streams from the spool.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from affectgen.audio.files import Frames
from affectgen.audio.limiter import Limiter
from affectgen.audio.loudness import GATE_SECONDS, Meter, PeakMeter
from affectgen.audio.spool import Spool
from affectgen.errors import UsageError

LOUDNESS_RANGE = (-70.0, -5.0)  # LUFS that can be asked for
CEILING_RANGE = (-20.0, 0.0)  # dBTP
MOST_LIMITING = 12.0  # dB; more would be heard as damage, so the whole stays quieter
NEAR = 0.05  # LU from the loudness asked at which the search ends
PASSES = 3  # measurements with the limiter in place
SHORT_PASSES = 9  # the same for less than SHORT_SECONDS, where they cost little and gating makes the loudness jump
SHORT_SECONDS = 60.0

SILENT = "silent"
SHORT = "too short to measure"
PEAKS = "peaks far above the rest keep it from the loudness asked"
TURNED_DOWN = "turned down for peaks far above full scale"


@dataclass(frozen=True)
class Level:
    """What is wanted. loudness: integrated, in LUFS (ITU-R BS.1770-4), -70 to -5, or None to leave it as it is;
    ceiling: the true peak that nothing passes, in dBTP, -20 to 0. UsageError outside these ranges.
    """

    loudness: float | None = -16.0
    ceiling: float = -1.0

    def __post_init__(self) -> None:
        if self.loudness is not None and not LOUDNESS_RANGE[0] <= self.loudness <= LOUDNESS_RANGE[1]:
            raise UsageError(f"A loudness of {self.loudness:g} LUFS was asked for.", "Give a number from -70 to -5.")
        if not CEILING_RANGE[0] <= self.ceiling <= CEILING_RANGE[1]:
            raise UsageError(f"A peak ceiling of {self.ceiling:g} dBTP was asked for.", "Give a number from -20 to 0.")


@dataclass(frozen=True)
class Levelled:
    """A spooled piece at its level, to be read while the spool is open, and what was measured.

    loudness_before, loudness: LUFS, None where it cannot be measured; gain_db; true_peak: dBTP afterwards, None for
    silence; limited_db: how far the limiter turned down at most, 0 where it did nothing; note: why the loudness is not
    the one asked, None where it is.
    """

    spool: Spool
    level: Level
    gain_db: float
    loudness_before: float | None
    loudness: float | None
    true_peak: float | None
    limited_db: float
    note: str | None

    def blocks(self) -> Iterator[Frames]:
        """The sound, float32 [N, C] a block, as often as wanted; the same samples every time."""
        if self.limited_db > 0:
            yield from Limiter(self.spool.rate, self.gain_db, self.level.ceiling).run(self.spool.blocks())
            return
        gain = np.float32(10 ** (self.gain_db / 20))
        for block in self.spool.blocks():
            yield block * gain

    def to_json(self) -> dict[str, Any]:
        """Plain values for a manifest, rounded to a thousandth of a decibel."""
        asked = {"loudness_asked": self.level.loudness, "ceiling": self.level.ceiling}
        numbers = {
            "loudness_before": self.loudness_before,
            "gain_db": self.gain_db,
            "loudness": self.loudness,
            "true_peak": self.true_peak,
            "limited_db": self.limited_db,
        }
        found = {name: None if value is None else round(value, 3) for name, value in numbers.items()}
        return {**asked, **found, "note": self.note}


def levelled(spool: Spool, level: Level) -> Levelled:
    """The spooled sound at `level`. Silence stays silent, and sound that is too short or too quiet to measure is not
    made louder; no true peak passes the ceiling, whatever comes.

    AudioError for more than five channels; AffectgenError where the spool cannot be read.
    """
    meter, peaks = _measured(spool.blocks(), spool)
    before, peak = meter.integrated(), peaks.decibels()
    note = None
    if level.loudness is not None and before is None:
        note = SHORT if 0 < spool.frames < GATE_SECONDS * spool.rate else SILENT
    if peak is None:
        return Levelled(spool, level, 0.0, None, None, None, 0.0, note)
    wanted = 0.0 if level.loudness is None else _gain(meter, level.loudness)
    gain = min(wanted, level.ceiling + MOST_LIMITING - peak)
    if peak + gain <= level.ceiling:
        return Levelled(spool, level, gain, before, meter.integrated(gain), peak + gain, 0.0, note)
    if level.loudness is None or before is None:
        trial = _tried(spool, level, gain)
        note = TURNED_DOWN if note is None and gain < wanted else note
    else:
        trial = _searched(spool, level, level.loudness, before, gain, peak)
        note = None if trial.missing(level.loudness) <= 2 * NEAR else PEAKS
    return Levelled(spool, level, trial.gain, before, trial.loudness, trial.peak, trial.reduction, note)


def _gain(meter: Meter, loudness: float) -> float:
    """The gain in dB that brings what was measured to `loudness`. More than a difference, as what passes the absolute
    gate depends on the gain.
    """
    gain = 0.0
    for _ in range(20):
        found = meter.integrated(gain)
        if found is None or abs(loudness - found) < 1e-6:
            break
        gain += loudness - found
    return gain


@dataclass(frozen=True)
class _Trial:
    """What the limiter makes of a gain (dB): loudness in LUFS, true peak in dBTP, largest reduction in dB."""

    gain: float
    loudness: float | None
    peak: float | None
    reduction: float

    def missing(self, loudness: float) -> float:
        """How far it is from that loudness, in LU; infinite where it cannot be measured."""
        return math.inf if self.loudness is None else abs(loudness - self.loudness)


def _tried(spool: Spool, level: Level, gain: float) -> _Trial:
    """Measure the sound with that gain and the limiter."""
    limiter = Limiter(spool.rate, gain, level.ceiling)
    meter, peaks = _measured(limiter.run(spool.blocks()), spool)
    return _Trial(gain, meter.integrated(), peaks.decibels(), limiter.reduction_db)


def _searched(spool: Spool, level: Level, aim: float, before: float, gain: float, peak: float) -> _Trial:
    """The trial nearest to `aim`, by Newton's steps, or halving where those leave what is known to hold it.

    before, peak: loudness and true peak of the sound as it is; gain: the one that would do without a limiter.
    """
    free = level.ceiling - peak  # the gain up to which there is nothing to limit
    most = free + MOST_LIMITING
    trials: list[_Trial] = []
    points: list[tuple[float, float]] = []
    low, high = free, math.inf  # gains known to be too low and too high
    for _ in range(SHORT_PASSES if spool.frames < SHORT_SECONDS * spool.rate else PASSES):
        trial = _tried(spool, level, gain)
        trials.append(trial)
        if trial.loudness is None:
            break
        missing = aim - trial.loudness
        if abs(missing) <= NEAR or (missing > 0 and gain >= most):
            break
        points.append((gain, trial.loudness))
        low, high = (max(low, gain), high) if missing > 0 else (low, min(high, gain))
        step = min(most, gain + missing / _slope(points, before, free))
        gain = step if low < step < high else (low + high) / 2
    return min(trials, key=lambda trial: trial.missing(aim))


def _slope(points: list[tuple[float, float]], before: float, free: float) -> float:
    """LU of loudness for a further dB of gain, from 0.1 to 1, at the last of the points (gain, loudness).

    The loudness lost is taken to grow as a power of the gain above `free`: the square, until two points tell better.
    """
    over = [gain - free for gain, _ in points]
    lost = [before + gain - loudness for gain, loudness in points]
    if over[-1] <= 0:
        return 1.0
    power = 2.0
    if len(points) > 1 and min(over[-2:]) > 0 and min(lost[-2:]) > 0 and over[-1] != over[-2]:
        power = min(4.0, max(1.0, math.log(lost[-1] / lost[-2]) / math.log(over[-1] / over[-2])))
    return min(1.0, max(0.1, 1 - power * lost[-1] / over[-1]))


def _measured(blocks: Iterable[Frames], spool: Spool) -> tuple[Meter, PeakMeter]:
    """Loudness and peak of all the blocks."""
    meter, peaks = Meter(spool.rate, spool.channels), PeakMeter(spool.channels)
    for block in blocks:
        meter.add(block)
        peaks.add(block)
    return meter, peaks
