"""The attributes of files: one after the other, or thousands side by side. Neither torch nor a checkpoint is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import symusic

from affectgen.device import cores
from affectgen.emogen.vector import NAMES, describe
from affectgen.errors import AffectgenError, MidiError
from affectgen.processes import map_in_processes
from affectgen.score.beats import LONGEST, has_beat_grid
from affectgen.score.midi import grid_of, notes_of, open_midi

FEW = 40  # files that are measured sooner than other processes start
MOST_NOTES = 60_000  # two hours of eight notes a second
CHUNK = 8  # files handed to a process at a time


@dataclass(frozen=True)
class Measured:
    """A file's attributes by name, None where one is not computed or not known; or what is wrong with the file."""

    name: str
    values: dict[str, float | None]
    error: str = ""


def measure_piece(source: Path | bytes) -> dict[str, float | None]:
    """The attributes of a MIDI file, or of its bytes, by name; tempo is known where the file's beats are the music's.

    MidiError for a file that cannot be read, or one of more than MOST_NOTES notes or LONGEST seconds: the sweep over
    what sounds together needs some kilobytes a note.
    """
    score = open_midi(source)
    notes = notes_of(score)
    if notes.end > LONGEST or len(notes) > MOST_NOTES:
        raise MidiError(
            f"This MIDI file has {len(notes)} notes in {notes.end / 60:.0f} minutes; up to {MOST_NOTES} in "
            f"{LONGEST / 60:.0f} can be measured.", "Cut it.",
        )  # fmt: skip
    values = describe(notes, _tempo(score))
    return {name: float(v) if np.isfinite(v) else None for name, v in zip(NAMES, values.tolist(), strict=True)}


def _tempo(score: symusic.Score) -> float:
    """Median beats a minute of a score in ticks, nan where its beats are not the music's, or too many to be read."""
    try:
        return float(np.median(grid_of(score).tempo)) if has_beat_grid(score) else np.nan
    except MidiError:
        return np.nan


def measure_files(paths: Sequence[str], jobs: int | None = None) -> Iterator[Measured]:
    """Every file in turn; many of them by several processes (as many as there are processors, for None)."""
    count = jobs if jobs is not None else (cores() if len(paths) > FEW else 1)
    if count == 1:
        yield from map(_measure, paths)
        return
    yield from map_in_processes(_measure, paths, count, CHUNK)


def _measure(name: str) -> Measured:
    """One file; what is wrong with it does not stop the others."""
    try:
        return Measured(name, measure_piece(Path(name)))
    except AffectgenError as error:
        said = error.message if name in error.message else f"{name}: {error.message}"
        return Measured(name, {}, said)
