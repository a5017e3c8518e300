"""What a finished file is heard as: noted when it is written, and measured again when it is verified.

A generator measures notes before they are written, when a note still rings although its key is struck again, and
times are not rounded to ticks. For this alone a short piece's reading may move by tenths of the plane. So a
manifest's details also hold what the same recognisers hear in the file itself, and which recognisers those were: this
can be measured again to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectgen.errors import CheckpointError, MidiError
from affectgen.task import Result

if TYPE_CHECKING:
    from affectgen.recognize.guide import Guide
    from affectgen.recognize.judge import Judge
    from affectgen.score.notes import NoteArray

KEY = "heard_in_file"  # of a manifest's details: by recogniser, its reading of the file, its name and its hash
GUIDE, JUDGE, RECOGNISER = "guide", "judge", "recogniser"
AXES = ("valence", "arousal")
DIGITS = 6

Point = tuple[float, float]


def point_of(held: Any) -> Point | None:
    """The valence and arousal that a JSON object holds, None where it holds none."""
    if not isinstance(held, Mapping):
        return None
    found = [held.get(axis) for axis in AXES]
    numbers = [float(value) for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
    return (numbers[0], numbers[1]) if len(numbers) == len(AXES) else None


def readings_in(measured: Mapping[str, Any]) -> dict[str, Point]:
    """By recogniser, what a manifest's "measured" says: its own reading, and the judge's that it may hold."""
    found: dict[str, Point] = {}
    for held in (measured, measured.get(JUDGE)):
        point = point_of(held)
        if point is not None and isinstance(held, Mapping):
            found[str(held.get("recogniser", RECOGNISER))] = point
    return found


def checkpoint_name(recogniser: str, kind: str) -> str:
    """The checkpoint of a recogniser. kind: "midi", "music", "speech"."""
    return f"{kind}-{recogniser}"


def sound_kind(task: str) -> str:
    """What the sound that a task makes is read as."""
    return "speech" if task.split()[0] == "speech" else "music"


def noted(result: Result, task: str) -> Result:
    """The result with KEY among its details. As it is where nothing was measured, or another package's recogniser did,
    or ours is not here."""
    said = readings_in(result.measured)
    midi = isinstance(result.data, bytes) and result.data[:4] == b"MThd"
    if not said or KEY in result.details:
        return result
    try:
        if midi and isinstance(result.data, bytes):
            heard = {name: place for name, place in heard_in_midi(result.data, list(said)).items() if place is not None}
        else:  # measured in the file already
            heard = {RECOGNISER: said[RECOGNISER]}
        kind = "midi" if midi else sound_kind(task)
        told = {name: _told(point, name, kind) for name, point in heard.items()}
    except (CheckpointError, MidiError, KeyError):
        return result
    return replace(result, details={**result.details, KEY: told})


def _told(point: Point, recogniser: str, kind: str) -> dict[str, Any]:
    from affectgen.nn.checkpoint import load_checkpoint

    found = load_checkpoint(checkpoint_name(recogniser, kind)).record()
    return {**{axis: round(value, DIGITS) for axis, value in zip(AXES, point, strict=True)}, **found}


def heard_in_midi(source: Path | bytes, recognisers: Sequence[str]) -> dict[str, Point | None]:
    """What recognisers hear in a MIDI file; None for one that does not read MIDI.

    MidiError where the file cannot be read, CheckpointError where a recogniser is not here.
    """
    from affectgen.score.midi import read_notes

    notes = read_notes(source)
    return {name: _midi_point(notes, name) for name in recognisers}


def _midi_point(notes: NoteArray, recogniser: str) -> Point | None:
    from affectgen.nn.checkpoint import load_checkpoint

    if recogniser not in (GUIDE, JUDGE, RECOGNISER):
        return None
    sha256 = load_checkpoint(checkpoint_name(recogniser, "midi")).sha256
    if recogniser == GUIDE:
        row = _guide(sha256).rate([notes])[0]
        return float(row[0]), float(row[1])
    if recogniser == JUDGE:
        row = _judge(sha256).judge([notes]).points[0]
        return float(row[0]), float(row[1])
    from affectgen.recognize.midi import load_recogniser

    affect = load_recogniser().read([notes.from_zero()])[0].affect
    return affect.valence, affect.arousal


@lru_cache(maxsize=1)
def _guide(sha256: str) -> Guide:
    """The guide, kept as long as its file is the same."""
    from affectgen.recognize.guide import load_guide

    return load_guide()


@lru_cache(maxsize=1)
def _judge(sha256: str) -> Judge:
    """The judge, kept as long as its file is the same."""
    from affectgen.recognize.judge import load_judge

    return load_judge()


def heard_in_sound(source: Path, kind: str, baseline: Path | None) -> Point:
    """What the recogniser of `affectgen rate` hears in a sound. kind: "music" or "speech"; baseline: the speaker's
    neutral voice, of speech. AudioError where nothing can be read in it."""
    from affectgen.errors import AudioError
    from affectgen.recognize.items import Item

    reading = _rater(kind, baseline).rate(Item(source.name, source)).reading
    if reading is None:
        raise AudioError(f"Nothing can be read in {source}.", "Give a longer recording.")
    return reading.affect.valence, reading.affect.arousal


@lru_cache(maxsize=4)
def _rater(kind: str, baseline: Path | None) -> Any:
    from affectgen.recognize.rate import Rater, RateSettings

    return Rater(RateSettings(kind, baseline=baseline))
