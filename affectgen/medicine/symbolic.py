"""The engine that needs no downloads: clips composed note by note along the path, played by the project's renderers.

A composer is a task of the project ("emogen generate", "muser generate"), which this module knows only as a task. All
clips of a session share their notes: a major key where valence is positive, its relative minor where it is not, so that
neighbours can be crossfaded without a clash.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.affect import Affect
from affectgen.audio.files import Frames
from affectgen.errors import AffectgenError
from affectgen.medicine.options import STRIDE
from affectgen.task import Loaded, Result, find_task

LEAD = 0.05  # seconds kept before the first note
SPARE = 1.5  # seconds that a clip is composed longer than it is needed: the performer may hurry
# beats a minute at neutral arousal, and more at arousal 1: faster is more aroused (Gabrielsson & Lindstroem, 2010), and
# neighbours whose tempi are near each other can be crossfaded
PACE = (105.0, 30.0)
LENGTHENED = 3  # times that a clip which came out short is composed anew, with more bars
NOTES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
BEATS = 4


@dataclass(frozen=True)
class Wanted:
    """A clip to be made. number: from 1; affect: what it shall carry; seconds: how long; seed; tonic: of the session's
    major key, 0 to 11."""

    number: int
    affect: Affect
    seconds: float
    seed: int
    tonic: int

    @property
    def key(self) -> str:
        """The key, as the composers read it."""
        if self.affect.valence >= 0:
            return f"{NOTES[self.tonic]} major"
        return f"{NOTES[(self.tonic - 3) % 12]} minor"


@dataclass(frozen=True)
class Composing:
    """How clips are composed. task: of the composer; checkpoint, device: of its model; best_of: candidates; tries:
    clips composed at most for one target; near: distance on the plane, read by the guide, that is near enough."""

    task: str = "emogen generate"
    checkpoint: str | None = None
    device: str = "cpu"
    best_of: int = 4
    tries: int = 2
    near: float = 0.7


def tempo(affect: Affect) -> float:
    """Beats a minute of a clip."""
    return round(PACE[0] + PACE[1] * affect.arousal, 1)


def compose(wanted: Wanted, how: Composing) -> Result:
    """A piece as long as the clip at least: the first that the guide hears near its target, else the nearest of all
    tries.

    AffectgenError where the composer gives no piece of that length.
    """
    best: Result | None = None
    for attempt in range(how.tries):
        found = _long_enough(replace(wanted, seed=wanted.seed + STRIDE * attempt), how)
        if best is None or _miss(found, wanted) < _miss(best, wanted):
            best = found
        if _miss(best, wanted) <= how.near:
            break
    if best is None:
        raise ValueError("a clip needs one try at least")
    return best


def _long_enough(wanted: Wanted, how: Composing) -> Result:
    bars = math.ceil((wanted.seconds + SPARE) * tempo(wanted.affect) / 60 / BEATS)
    for _ in range(LENGTHENED + 1):
        piece = _composer(how.task, how.checkpoint, how.device).run([_options(wanted, bars, how)])[0]
        length = sounding(piece.data if isinstance(piece.data, bytes) else piece.data.read())
        if length >= wanted.seconds:
            return piece
        bars = math.ceil(bars * (wanted.seconds + SPARE) / max(length, 1.0)) + 1
    raise AffectgenError(f"Clip {wanted.number} came out too short.", "Try another seed, or shorter clips.")


def _options(wanted: Wanted, bars: int, how: Composing) -> Any:
    point = f"{wanted.affect.valence},{wanted.affect.arousal}"
    seed, pace = wanted.seed % (1 << 31), tempo(wanted.affect)
    kind = find_task(how.task).options
    return kind(affect=point, seed=seed, bars=bars, tempo=pace, key=wanted.key, best_of=how.best_of)


@lru_cache(maxsize=1)
def _composer(task: str, checkpoint: str | None, device: str) -> Loaded:
    return find_task(task).load(checkpoint, device)


def _miss(found: Result, wanted: Wanted) -> float:
    """How far the guide hears a piece from its target."""
    heard = found.measured
    return wanted.affect.distance(Affect(heard["valence"], heard["arousal"]))


def sounding(midi: bytes) -> float:
    """Seconds from the first note to the last one's end."""
    from affectgen.score.midi import read_notes

    notes = read_notes(midi)
    return notes.end - float(notes.onset[0])


def play(midi: bytes, seconds: float, font: Path | None, rate: int) -> Frames:
    """A piece as sound from just before its first note, exactly `seconds` long, float32 [N, 2]. font: for FluidSynth,
    None for the built-in piano."""
    from affectgen.audio.fluid import play_fluid
    from affectgen.audio.piano import play_piano
    from affectgen.audio.strikes import strikes_of
    from affectgen.medicine.mix import fitted
    from affectgen.score.messages import read_timeline

    timeline = read_timeline(midi)
    strikes = strikes_of(timeline)
    blocks = play_piano(strikes, rate) if font is None else play_fluid(timeline, font, rate)
    first = max(round((float(strikes.onset[0]) - LEAD) * rate), 0)
    frames, parts, count = round(seconds * rate), [], 0
    for block in blocks:
        parts.append(block)
        count += len(block)
        if count >= first + frames:
            break
    return fitted(np.concatenate(parts)[first:], frames, rate)


def session_seeds(seed: int, count: int) -> tuple[int, Sequence[int]]:
    """The tonic of a session and the seed of each clip, all from one seed."""
    chance = np.random.default_rng(seed)
    return int(chance.integers(12)), [int(value) for value in chance.integers(1 << 31, size=count)]
