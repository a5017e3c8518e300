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
COLUMNS = ("clip", "song", "quadrant", "split", "key", "mode", "beat")
LAYOUT = "docs/training.md shows the layout."


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


def check_data(data: Path) -> None:
    """AffectgenError unless data/emopia holds a table with labelled training clips whose files are there."""
    table = data / "emopia" / "clips.csv"
    if not data.is_dir():
        raise AffectgenError(f"The folder {data} does not exist.", "Give --data the folder that holds emopia/.")
    if not table.is_file():
        raise AffectgenError(f"{data} has no emopia/clips.csv, which names the labelled clips.", LAYOUT)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    missing = [name for name in COLUMNS if not rows or name not in rows[0]]
    if missing:
        raise AffectgenError(f"{table} has no column {', '.join(missing)}.", LAYOUT)
    wrong = [row for row in rows if row["quadrant"] not in ("Q1", "Q2", "Q3", "Q4")]
    if wrong:
        label, clip = wrong[0]["quadrant"], wrong[0]["clip"]
        raise AffectgenError(f"{table} gives {clip} the quadrant {label!r}; Q1 to Q4 were expected.", LAYOUT)
    beat = table.parent / "beat"
    there = [row for row in rows if any((beat / name).is_file() for name in row["beat"].split(";") if name)]
    dev = [row for row in there if row["split"] == "dev" or (row["split"] == "train" and is_dev_song(row["song"]))]
    train = [row for row in there if row["split"] == "train" and not is_dev_song(row["song"])]
    if not train or not dev:
        what = "trained on" if not train else "used for development (one training song in 14 is)"
        raise AffectgenError(
            f"{table} names {len(there)} clips whose file is in beat/, and none can be {what}.",
            "Give clips the split train, and those of some songs the split dev.",
        )
