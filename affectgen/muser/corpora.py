"""Corpora as training songs: EMOPIA, Pop1k7 and VGMIDI in the folder layout of the project or of their authors."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import MidiError
from affectgen.muser.data import Song
from affectgen.score.corpora import from_first_bar, read_clip, read_pieces, read_rows
from affectgen.score.grid import BAR, GridScore
from affectgen.score.midi import read_grid
from affectgen.score.notes import NoteArray
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
    songs = []
    for row in read_rows(folder, split):
        point = (points if points is not None else {}).get(row["clip"], QUADRANTS[row["quadrant"]])
        for score in read_clip(folder, row):
            songs.append(Song.of(row["clip"], encode(score), np.array(point, dtype=np.float32), "emopia", False))
    return songs


def read_folder(folder: Path, style: str, rate: Rater | None = None) -> Iterator[Song]:
    """Every MIDI file of a folder as an unlabelled song on its own beat grid; unreadable ones are left out.

    rate: turns windows of 30 s into valence-arousal [N, 2]; each bar then gets the rating of the window around it.
    """
    for name, score in read_pieces(folder):
        words = encode(score)
        if len(words) < LEAST_WORDS:
            continue
        affect = UNKNOWN if rate is None else rate_bars(score, rate)
        yield Song.of(name, words, affect, style, True)


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
                score = from_first_bar(read_grid(path))
            except MidiError:
                continue
            words = encode(score)
            if len(words) < LEAST_WORDS or np.std(score.velocity) < 2:
                continue
            point = np.array([float(row["valence_mean"]), float(row["arousal_mean"])], dtype=np.float32)
            yield Song.of(row["piece_id"], words, point, "game", True)
