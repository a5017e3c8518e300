"""The last step of every sound: levelled and encoded, so that what a player decodes stays below the ceiling as well.

Lossy formats do not give back the samples that they were given, and their peaks may lie higher. So the file is decoded
and measured; where it passes the ceiling, it is levelled and encoded anew below a ceiling that is lower by so much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affectgen.audio.files import Frames, frames_of
from affectgen.audio.formats import Encoding
from affectgen.audio.level import CEILING_RANGE, Level, Levelled, levelled
from affectgen.audio.loudness import PeakMeter
from affectgen.audio.spool import Spool
from affectgen.audio.write import write_sound

CLOSE = 0.05  # dB above the ceiling that a decoded peak may be
SPARE = 0.1  # dB by which the ceiling is lowered beyond what was measured
TRIES = 4


@dataclass(frozen=True)
class Finished:
    """A written file. frames: its length; facts: for a manifest, as `Levelled.to_json`, with the true peak of what is
    decoded from the file."""

    frames: int
    facts: dict[str, Any]


def finish(spool: Spool, level: Level, encoding: Encoding, path: Path) -> Finished:
    """Write a spooled sound to `path` at its level. Errors as of `levelled` and `write_sound`."""
    ceiling = level.ceiling
    for attempt in range(TRIES):
        found = levelled(spool, replace(level, ceiling=max(ceiling, CEILING_RANGE[0])))
        frames = write_sound(path, found.blocks(), encoding)
        peak = _peak(path, encoding) if encoding.format.lossy else found.true_peak
        if peak is None or peak <= level.ceiling + CLOSE or attempt == TRIES - 1:
            break
        ceiling -= peak - level.ceiling + SPARE
    return Finished(frames, _facts(found, level, peak))


def spooled(blocks: Iterable[Frames], spool: Spool) -> Spool:
    """Put blocks into a spool and give it back."""
    for block in blocks:
        spool.write(block)
    return spool


def _peak(path: Path, encoding: Encoding) -> float | None:
    """True peak of what the file decodes to, dBTP; None for silence."""
    meter = PeakMeter(2)
    for block in frames_of(path, encoding.rate):
        meter.add(block)
    return meter.decibels()


def _facts(found: Levelled, level: Level, peak: float | None) -> dict[str, Any]:
    """What a manifest says, with the ceiling that was asked for."""
    told = found.to_json() | {"ceiling": level.ceiling}
    return told | {"true_peak": None if peak is None else round(peak, 3)}
