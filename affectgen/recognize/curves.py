"""Parts of a recording or a piece: which to read for one answer, and the windows of a curve over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from affectgen.recognize.reading import Reading

READ_SECONDS = 30.0  # of audio that is read at a time
MOST_READ = 20  # parts of a long recording that are read for one answer: ten minutes, spread evenly
LEAST_WINDOW = 1.0  # seconds
LEAST_LAST = 0.5  # share of a window that the last one must have, unless it is alone


@dataclass(frozen=True)
class Window:
    """What is heard from start to end (seconds); reading None where nothing can be read: silence, no notes."""

    start: float
    end: float
    reading: Reading | None

    def to_json(self) -> dict[str, Any]:
        """Plain values; those of a silent window are missing."""
        told = self.reading.to_json() if self.reading is not None else {}
        return {"start": round(self.start, 3), "end": round(self.end, 3), **told}


def cuts(seconds: float, window: float) -> list[tuple[float, float]]:
    """(start, end) of consecutive windows over so many seconds; a last one under half a window joins the one before."""
    whole = int(seconds // window)
    rest = seconds - whole * window
    count = max(1, whole + (rest >= LEAST_LAST * window))
    return [(k * window, (k + 1) * window if k < count - 1 else max(seconds, 0.0)) for k in range(count)]


def parts_to_read(seconds: float) -> Iterator[tuple[float, float]]:
    """(start, end) of the parts of a recording that are read for one answer: all of it, or MOST_READ spread evenly."""
    parts = cuts(seconds, READ_SECONDS)
    if len(parts) <= MOST_READ:
        yield from parts
        return
    for start in np.linspace(0.0, seconds - READ_SECONDS, MOST_READ).tolist():
        yield start, start + READ_SECONDS
