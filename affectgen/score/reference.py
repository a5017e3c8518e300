"""Beats of performances that exist twice: as played, and on a beat grid (EMOPIA's raw and beat files).

The twins hold the same notes, so each grid beat has a time in the performance. That is what the beat tracker is
fitted on and measured against:

    python -m affectgen.score.reference ../shared/data/emopia            # beat F-measure on the validation clips
    python -m affectgen.score.reference ../shared/data/emopia --fit      # the table WEIGHTS of affectgen.score.accents
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.score.accents import CLASSES, Onsets, find_onsets, measure
from affectgen.score.beats import track_beats
from affectgen.score.grid import BAR, BEAT, GridScore
from affectgen.score.midi import read_grid, read_notes
from affectgen.score.notes import NoteArray

TOLERANCE = 0.07  # seconds; the usual window of beat evaluation (Davies, Degara & Plumbley, 2009)
ROOM = 2.0  # seconds to either side over which the two clocks are laid on each other
LEAST_SHARED = 0.3  # of the notes; twins that share fewer are not the same clip


@dataclass(frozen=True)
class Twin:
    """A performance and its beats: seconds of every beat of the grid [B], beat 0 being the first bar line."""

    clip: str
    song: str
    split: str
    notes: NoteArray
    grid: GridScore
    beats: NDArray[np.float64]


def pair(notes: NoteArray, grid: GridScore) -> NDArray[np.float64]:
    """Rows of (seconds on the grid, seconds played minus those) of the notes both hold, in order of time.

    Notes are paired pitch by pitch where both hold equally many.
    """
    onset = grid.seconds_at(grid.start)
    shared: list[tuple[float, float]] = []
    for pitch in np.unique(grid.pitch):
        played, written = notes.onset[notes.pitch == pitch], onset[grid.pitch == pitch]
        if len(played) == len(written):
            shared.extend(zip(np.sort(written), np.sort(played) - np.sort(written), strict=True))
    return np.array(sorted(shared)).reshape(-1, 2)


def align(notes: NoteArray, grid: GridScore) -> NDArray[np.float64] | None:
    """Seconds of the grid's beats within the performance, [4 * bars + 1]; None if they share too few notes.

    The grid's own clock is moved to the performance by the median difference around each beat.
    """
    pairs = pair(notes, grid)
    if len(pairs) < LEAST_SHARED * len(notes):
        return None
    clock = grid.line_seconds()[::BEAT]
    moved = np.full(len(clock), np.nan)
    for beat, second in enumerate(clock):
        near = pairs[np.abs(pairs[:, 0] - second) < ROOM, 1]
        if len(near) > 4:
            moved[beat] = np.median(near)
    known = np.flatnonzero(~np.isnan(moved))
    return clock + np.interp(np.arange(len(clock)), known, moved[known])


def read_twins(folder: Path, split: str) -> list[Twin]:
    """The clips of one split of EMOPIA (`clips.csv`, `raw/`, `beat/`) whose twins can be laid on each other."""
    twins = []
    with (folder / "clips.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = folder / "beat" / row["beat"]
            if row["split"] != split or not row["beat"] or not path.is_file():
                continue
            notes, grid = read_notes(folder / "raw" / f"{row['clip']}.mid"), read_grid(path)
            beats = align(notes, grid)
            if beats is not None:
                twins.append(Twin(row["clip"], row["song"], split, notes, grid, beats))
    return twins


def f_measure(found: NDArray[np.float64], true: NDArray[np.float64], tolerance: float = TOLERANCE) -> float:
    """Harmonic mean of precision and recall of beat times, each true beat hit at most once."""
    hits, i, j = 0, 0, 0
    while i < len(found) and j < len(true):
        gap = found[i] - true[j]
        if abs(gap) <= tolerance:
            hits, i, j = hits + 1, i + 1, j + 1
        elif gap < 0:
            i += 1
        else:
            j += 1
    return 2.0 * hits / max(len(found) + len(true), 1)


def octave_f_measure(found: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """The best F-measure against the beats, twice as many, or every other one."""
    doubled = np.sort(np.concatenate([true, (true[1:] + true[:-1]) / 2]))
    return max(f_measure(found, level) for level in (true, doubled, true[::2], true[1::2]))


def compare(twin: Twin) -> dict[str, float]:
    """Beat F, octave-tolerant F, downbeat F and the share of notes kept, of the tracker on one performance."""
    score = track_beats(twin.notes)
    lines = score.line_seconds()[::BEAT] + np.median(pair(twin.notes, score)[:, 1])
    inside = (twin.beats >= twin.notes.onset[0] - 0.1) & (twin.beats <= twin.notes.onset[-1] + 0.1)
    true = twin.beats[inside]
    found = (lines >= true[0] - 0.1) & (lines <= true[-1] + 0.1)
    downs = np.arange(len(lines)) % 4 == 0
    true_downs = np.arange(len(twin.beats)) % 4 == 0
    return {
        "beat F": f_measure(lines[found], true),
        "beat F, any octave": octave_f_measure(lines[found], true),
        "downbeat F": f_measure(lines[found & downs], twin.beats[inside & true_downs]),
        "notes kept": len(score) / len(twin.notes),
    }


def classes_of(twin: Twin, onsets: Onsets) -> NDArray[np.int64]:
    """The index in CLASSES of every onset, by the sixteenth of the true grid next to it."""
    place = np.interp(onsets.time, twin.beats, np.arange(len(twin.beats))) * BEAT
    slot = np.round(place).astype(np.int64)
    return np.where(slot % BAR == 0, 0, np.where(slot % BEAT == 0, 1, np.where(slot % 2 == 0, 2, 3)))


def fit_weights(twins: list[Twin], steps: int = 60, decay: float = 1e-4) -> tuple[NDArray[np.float64], ...]:
    """Multinomial regression of the classes on the measures: the table [12, 4] and the share of each class [4].

    Newton's method with a fixed bound on the curvature (Boehning, 1992): no step size, and every step goes down.
    """
    onsets = [find_onsets(twin.notes) for twin in twins]
    x = np.concatenate([measure(twin.notes, found) for twin, found in zip(twins, onsets, strict=True)])
    y = np.concatenate([classes_of(twin, found) for twin, found in zip(twins, onsets, strict=True)])
    mean, spread = x.mean(axis=0), x.std(axis=0)
    design = np.concatenate([(x - mean) / spread, np.ones((len(x), 1))], axis=1)
    target = np.eye(len(CLASSES))[y]
    bound = np.linalg.inv(0.5 * design.T @ design / len(x) + decay * np.eye(design.shape[1]))
    table = np.zeros((design.shape[1], len(CLASSES)))
    for _ in range(steps):
        logits = design @ table
        chance = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        table -= bound @ (design.T @ (chance - target) / len(x) + decay * table)
    slopes = table[:-1] / spread[:, None]
    return np.concatenate([slopes, (table[-1] - mean @ slopes)[None]]), target.mean(axis=0)


def main() -> None:
    """Print the tracker's figures on the validation clips, or with --fit the regression's table."""
    parser = argparse.ArgumentParser(description="Beat tracking measured against EMOPIA's beat files.")
    parser.add_argument("folder", type=Path, help="folder with clips.csv, raw/ and beat/")
    parser.add_argument("--fit", action="store_true", help="print WEIGHTS and PRIOR from the training clips")
    parser.add_argument("--split", default="val", help="clips to measure (default: val)")
    options = parser.parse_args()
    if options.fit:
        table, prior = fit_weights(read_twins(options.folder, "train"))
        shown = np.array2string(table, precision=3, separator=", ", suppress_small=True, floatmode="fixed")
        sys.stdout.write(f"WEIGHTS = {shown}\nPRIOR = {np.round(prior, 3)}\n")
        return
    rows = [compare(twin) for twin in read_twins(options.folder, options.split)]
    sys.stdout.write(f"{len(rows)} clips\n")
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        sys.stdout.write(f"{name}: mean {values.mean():.3f}, above .8 in {(values > 0.8).mean():.0%}\n")


if __name__ == "__main__":
    main()
