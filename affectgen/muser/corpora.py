"""Corpora as training songs: EMOPIA, Pop1k7 and VGMIDI in the folder layout of the project or of their authors."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError, MidiError
from affectgen.muser.data import Song
from affectgen.score.grid import BAR, GridScore
from affectgen.score.keys import PITCH_NAMES, Key
from affectgen.score.midi import read_grid, read_notes
from affectgen.score.notes import NoteArray
from affectgen.score.performance import as_played
from affectgen.score.split import is_dev_song as is_dev_song  # other modules take it from here
from affectgen.score.words import encode

QUADRANTS = {"Q1": (0.6, 0.6), "Q2": (-0.6, 0.6), "Q3": (-0.6, -0.6), "Q4": (0.6, -0.6)}
LEAST_WORDS = 60
UNKNOWN = np.full(2, np.nan, dtype=np.float32)
SPAN_SECONDS = 30.0  # length of the windows that the guide rates
Rater = Callable[[list[NoteArray]], NDArray[np.float64]]


def read_emopia(folder: Path, split: str, points: dict[str, tuple[float, float]] | None = None) -> list[Song]:
    """EMOPIA clips of "train", "dev" (carved out of train by song) or "val", from the beat-aligned files.

    points: valence-arousal by clip name; the centre of the labelled quadrant where a clip is missing.
    """
    table = folder / "clips.csv"
    if not table.is_file():
        raise AffectgenError(f"{table} is missing.", "Point --data at a folder laid out as docs/training.md shows.")
    songs = []
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            part = "dev" if row["split"] == "train" and is_dev_song(row["song"]) else row["split"]
            if part != split:
                continue
            point = (points if points is not None else {}).get(row["clip"], QUADRANTS[row["quadrant"]])
            for score in read_clip(folder, row):
                songs.append(Song.of(row["clip"], encode(score), np.array(point, dtype=np.float32), "emopia", False))
    return songs


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


def read_folder(folder: Path, style: str, rate: Rater | None = None) -> Iterator[Song]:
    """Every MIDI file of a folder as an unlabelled song on its own beat grid; unreadable ones are left out.

    rate: turns windows of 30 s into valence-arousal [N, 2]; each bar then gets the rating of the window around it.
    """
    for path in sorted(folder.glob("*.mid")):
        try:
            score = read_grid(path)
        except MidiError:
            continue
        score = _from_first_bar(score)
        words = encode(score)
        if len(words) < LEAST_WORDS:
            continue
        affect = UNKNOWN if rate is None else rate_bars(score, rate)
        yield Song.of(path.stem, words, affect, style, True)


def _from_first_bar(score: GridScore) -> GridScore:
    """Without the empty bars before the first note."""
    first = int(score.start.min()) // BAR if len(score) else 0
    return score.take_bars(first, score.bars)


def rate_bars(score: GridScore, rate: Rater, step: int = 4) -> NDArray[np.float32]:
    """Valence-arousal of each bar, float32 [bars, 2]: ratings of 30 s around every `step`-th bar, interpolated."""
    notes = score.to_notes()
    lines = score.line_seconds()
    windows, kept = [], []
    for bar in range(0, score.bars, step):
        centre = float(lines[bar * BAR + BAR // 2])
        start = max(0.0, min(centre - SPAN_SECONDS / 2, score.seconds - SPAN_SECONDS))
        window = notes.between(start, start + SPAN_SECONDS)
        if len(window) >= 8:
            windows.append(window)
            kept.append(bar)
    if not kept:
        return np.full((score.bars, 2), np.nan, dtype=np.float32)
    rated = rate(windows)
    spread = [np.interp(np.arange(score.bars), kept, rated[:, axis]) for axis in range(2)]
    return np.stack(spread, axis=1).astype(np.float32)


def read_vgmidi(folder: Path) -> Iterator[Song]:
    """VGMIDI's rated pieces that lie on a 4/4 grid and vary in velocity, with their mean ratings."""
    with (folder / "pieces.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = folder / "midi" / row["midi"]
            try:
                score = _from_first_bar(read_grid(path))
            except MidiError:
                continue
            words = encode(score)
            if len(words) < LEAST_WORDS or np.std(score.velocity) < 2:
                continue
            point = np.array([float(row["valence_mean"]), float(row["arousal_mean"])], dtype=np.float32)
            yield Song.of(row["piece_id"], words, point, "game", True)
