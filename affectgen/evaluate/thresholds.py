"""How well the attributes agree with EmoGen's: their medians over EMOPIA's clips against the published thresholds.

The thresholds are medians of jSymbolic's values over the 1,078 clips of EMOPIA 1.0. Where a copy lacks some songs its
medians differ a little even if every definition is right; the standard error by song says how much to expect.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError
from affectgen.score.attributes import ATTRIBUTES, Attribute, emogen_attributes
from affectgen.score.midi import read_notes

CLOSE = 0.03  # deviation from the threshold, as a fraction of it, up to which a median agrees
ERRORS = 2  # standard errors by song up to which it may
DRAWS = 200  # of the bootstrap
HEAD = "| k | attribute | threshold | median | deviation, % | standard error by song, % | within 3 % |\n"


@dataclass(frozen=True)
class Row:
    """One attribute's median over the clips and its standard error."""

    attribute: Attribute
    median: float
    error: float

    @property
    def off(self) -> float:
        """Distance of the median from the published threshold."""
        return abs(self.median - self.attribute.threshold)

    @property
    def close(self) -> bool:
        """Within 3 %; a threshold of 0 asks for a median of 0."""
        return self.off <= CLOSE * abs(self.attribute.threshold)

    @property
    def likely(self) -> bool:
        """Within 3 %, or within two standard errors."""
        return self.close or self.off <= ERRORS * self.error

    def markdown(self) -> str:
        """The row of the table."""
        threshold, whole = self.attribute.threshold, abs(self.attribute.threshold)
        cells = [str(self.attribute.index), self.attribute.title, f"{threshold:.5g}"]
        off = f"{100 * (self.median - threshold) / whole:+.1f}" if whole else ""
        error = f"{100 * self.error / whole:.1f}" if whole else ""
        return "| " + " | ".join([*cells, f"{self.median:.5g}", off, error, "yes" if self.close else "no"]) + " |"


def read_clips(folder: Path) -> list[tuple[Path, str]]:
    """(raw MIDI file, song) of the clips in EMOPIA's folder whose raw file is there."""
    table = folder / "clips.csv"
    if not table.is_file():
        raise AffectgenError(f"{table} is not here.", "Give the folder of corpora that docs/training.md shows.")
    with table.open(newline="") as file:
        clips = [(folder / "raw" / f"{row['clip']}.mid", row["song"]) for row in csv.DictReader(file)]
    return [(path, song) for path, song in clips if path.is_file()]


def measure(path: Path) -> tuple[NDArray[np.float64], float]:
    """The attributes [100] of a file, and the seconds of processor time they took without reading it."""
    notes = read_notes(path)
    begin = time.process_time()
    return emogen_attributes(notes), time.process_time() - begin


def compare(values: NDArray[np.float64], songs: Sequence[str], seed: int = 0) -> list[Row]:
    """Medians of values [clips, 100] and their bootstrap standard errors, songs drawn with replacement."""
    names, of = np.unique(np.asarray(songs), return_inverse=True)
    clips = [np.flatnonzero(of == song) for song in range(len(names))]
    rng = np.random.default_rng(seed)
    draws = [np.concatenate([clips[k] for k in rng.integers(0, len(names), len(names))]) for _ in range(DRAWS)]
    errors = np.std([np.median(values[draw], axis=0) for draw in draws], axis=0)
    found = zip(ATTRIBUTES, np.median(values, axis=0).tolist(), errors.tolist(), strict=True)
    return [Row(attribute, median, error) for attribute, median, error in found]


def report(rows: Sequence[Row], clips: int, milliseconds: float) -> str:
    """The table in Markdown, and what it adds up to."""
    close, likely = sum(row.close for row in rows), sum(row.likely for row in rows)
    return (
        f"{HEAD}|{'---|' * 7}\n" + "\n".join(row.markdown() for row in rows) + "\n\n"
        f"{clips} clips, {milliseconds:.1f} ms each on one core. {close} of {len(rows)} medians lie within 3 % of the "
        f"published threshold, {likely} within 3 % or within two standard errors by song."
    )


def agreement(data: Path) -> str:
    """The report on the clips under data/emopia."""
    clips = read_clips(data / "emopia")
    if not clips:
        raise AffectgenError(f"{data / 'emopia' / 'raw'} holds none of the clips.", "Fetch EMOPIA's raw MIDI files.")
    values, seconds = zip(*(measure(path) for path, _ in clips), strict=True)
    rows = compare(np.stack(values), [song for _, song in clips])
    return report(rows, len(clips), 1000 * float(np.mean(seconds)))
