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
from affectgen.task import Loaded, Result, find_task

LEAD = 0.05  # seconds kept before the first note
SPARE = 1.5  # seconds that a composed clip is longer than needed, at least
PACE = (100.0, 50.0)  # beats a minute expected at neutral arousal, and more at arousal 1: only to guess the bars
LENGTHENED = 3  # times that a clip which came out short is composed anew, with more bars
NOTES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
BEATS = 4
STRIDE = 7919  # between the seeds of two tries of one clip


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
    near: float = 0.5


def compose(wanted: Sequence[Wanted], how: Composing) -> list[Result]:
    """A piece for each clip, at least as long as the clip: the first that the guide hears near its target, else the
    nearest of all tries. Several at once are composed together, which costs little more than one.

    AffectgenError where the composer gives no piece of that length.
    """
    best: dict[int, Result] = {}
    left = list(wanted)
    for attempt in range(how.tries):
        again = [replace(one, seed=one.seed + STRIDE * attempt) for one in left]
        for one, found in zip(left, _long_enough(again, how), strict=True):
            if one.number not in best or _miss(found, one) < _miss(best[one.number], one):
                best[one.number] = found
        left = [one for one in left if _miss(best[one.number], one) > how.near]
        if not left:
            break
    return [best[one.number] for one in wanted]


def _long_enough(wanted: Sequence[Wanted], how: Composing) -> list[Result]:
    needed = {one.number: one.seconds + SPARE for one in wanted}
    bars = {
        one.number: math.ceil(needed[one.number] * (PACE[0] + PACE[1] * one.affect.arousal) / 60 / BEATS)
        for one in wanted
    }
    found: dict[int, Result] = {}
    left = list(wanted)
    for _ in range(LENGTHENED + 1):
        options = [_options(one, bars[one.number], how) for one in left]
        for one, piece in zip(left, _composer(how.task, how.checkpoint, how.device).run(options), strict=True):
            length = sounding(piece.data if isinstance(piece.data, bytes) else piece.data.read())
            if length >= needed[one.number]:
                found[one.number] = piece
            else:
                bars[one.number] = math.ceil(bars[one.number] * needed[one.number] / max(length, 1.0)) + 1
        left = [one for one in left if one.number not in found]
        if not left:
            return [found[one.number] for one in wanted]
    raise AffectgenError(f"Clip {left[0].number} came out too short.", "Try another seed, or shorter clips.")


def _options(wanted: Wanted, bars: int, how: Composing) -> Any:
    point = f"{wanted.affect.valence},{wanted.affect.arousal}"
    kind = find_task(how.task).options
    return kind(affect=point, seed=wanted.seed % (1 << 31), bars=bars, key=wanted.key, best_of=how.best_of)


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
