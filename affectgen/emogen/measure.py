"""The attributes of files: one after the other, or thousands side by side. Neither torch nor a checkpoint is needed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affectgen.emogen.vector import NAMES, describe
from affectgen.errors import AffectgenError
from affectgen.score.beats import has_beat_grid
from affectgen.score.midi import grid_of, notes_of, open_midi

FEW = 40  # files that are measured sooner than other processes start
CHUNK = 8  # files handed to a process at a time


@dataclass(frozen=True)
class Measured:
    """A file's attributes by name, None where one is not computed or not known; or what is wrong with the file."""

    name: str
    values: dict[str, float | None]
    error: str = ""


def measure_piece(source: Path | bytes) -> dict[str, float | None]:
    """The attributes of a MIDI file, or of its bytes, by name; tempo is known where the file's beats are the music's.

    MidiError for a file that cannot be read.
    """
    score = open_midi(source)
    tempo = float(np.median(grid_of(score).tempo)) if has_beat_grid(score) else np.nan
    values = describe(notes_of(score), tempo)
    return {name: float(v) if np.isfinite(v) else None for name, v in zip(NAMES, values.tolist(), strict=True)}


def measure_files(paths: Sequence[str], jobs: int | None = None) -> Iterator[Measured]:
    """Every file in turn; many of them by several processes (as many as there are processors, for None)."""
    count = jobs if jobs is not None else (len(os.sched_getaffinity(0)) if len(paths) > FEW else 1)
    if count == 1:
        yield from map(_measure, paths)
        return
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield from pool.map(_measure, paths, chunksize=CHUNK)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _measure(name: str) -> Measured:
    """One file; what is wrong with it does not stop the others."""
    try:
        return Measured(name, measure_piece(Path(name)))
    except AffectgenError as error:
        return Measured(name, {}, error.message)
