"""Pieces of training corpora on the grid: EMOPIA's clips as they were played, and any folder of files with beats."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from affectgen.errors import AffectgenError, MidiError
from affectgen.score.grid import BAR, GridScore
from affectgen.score.keys import PITCH_NAMES, Key
from affectgen.score.midi import read_grid, read_notes
from affectgen.score.performance import as_played
from affectgen.score.split import is_dev_song

Row = dict[str, str]


def read_rows(folder: Path, split: str) -> list[Row]:
    """The rows of EMOPIA's clips.csv in "train", "dev" (carved out of train by song) or "val"."""
    table = folder / "clips.csv"
    if not table.is_file():
        raise AffectgenError(f"{table} is missing.", "Point --data at a folder laid out as docs/training.md shows.")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if part_of(row) == split]


def part_of(row: Row) -> str:
    """The split of a row, with the songs held out for development as one of their own."""
    return "dev" if row["split"] == "train" and is_dev_song(row["song"]) else row["split"]


def read_clip(folder: Path, row: dict[str, str]) -> Iterator[GridScore]:
    """The beat-aligned pieces of a row of clips.csv (one, or several with semicolons between), as they were played.

    The beat files floor velocities at 40 and cut durations at a bar; the performance, where there is one, gives them
    back.
    """
    key = Key(PITCH_NAMES.index(row["key"]), int(row["mode"] == "minor"))
    performance = folder / "raw" / f"{row['clip']}.mid"
    for name in row["beat"].split(";"):
        path = folder / "beat" / name
        if not name or not path.is_file():
            continue
        score = read_grid(path, key)
        yield as_played(score, read_notes(performance)) if performance.is_file() else score


def read_pieces(folder: Path) -> Iterator[tuple[str, GridScore]]:
    """Name and piece of every MIDI file of a folder whose beats are its own, from the first bar with notes; unreadable
    files are left out."""
    for path in sorted(folder.glob("*.mid")):
        try:
            yield path.stem, from_first_bar(read_grid(path))
        except MidiError:
            continue


def from_first_bar(score: GridScore) -> GridScore:
    """Without the empty bars before the first note."""
    first = int(score.start.min()) // BAR if len(score) else 0
    return score.take_bars(first, score.bars)
