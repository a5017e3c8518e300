"""What a beat grid costs: real validation clips on EMOPIA's grid, and what brings them back to clips as played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from affectgen.evaluate.distance import chosen_statistics, differences, distance_over_floor
from affectgen.evaluate.reference import Reference
from affectgen.evaluate.tables import Cell, table
from affectgen.recognize.corpus import Labelled, read_emopia
from affectgen.score.expression import load_performer
from affectgen.score.grid import GridScore
from affectgen.score.midi import read_grid
from affectgen.score.notes import NoteArray
from affectgen.score.performance import as_played, match_notes, time_map

LOOSE = ((5, 5), (10, 5), (10, 10), (20, 20))  # ms: normal deviations of each onset and of each note
SHOWN = 6  # statistics that differ most
Pair = tuple[GridScore, NoteArray]


def pairs(reference: Reference) -> list[Pair]:
    """Each validation clip on the grid, beside its performance."""
    folder = reference.folder / "emopia" / "beat"
    found = [(folder / f"{clip.name}.mid", clip.notes) for clip in reference.val]
    return [(read_grid(path), played) for path, played in found if path.is_file()]


def as_timed(score: GridScore, played: NoteArray) -> NoteArray:
    """The written notes with velocity, onset and length of the played ones; what was not played is on its beat."""
    found, notes = match_notes(score, played), as_played(score, played)
    lines = time_map(score, played, found)
    if lines is None:
        return notes.to_notes()
    there = found >= 0
    onset = np.where(there, played.onset[found], np.interp(score.start, np.arange(len(lines)), lines))
    written = notes.seconds_at(score.start + notes.length) - notes.seconds_at(score.start)
    duration = np.where(there, played.duration[found], written)
    return NoteArray.of(np.maximum(onset, 0.0), duration, score.pitch, notes.velocity)


def loosened(notes: NoteArray, onset_ms: float, note_ms: float, rng: np.random.Generator) -> NoteArray:
    """Notes moved by normal deviations: one for all that start together, and one for each."""
    together, place = np.unique(notes.onset, return_inverse=True)
    moved = notes.onset + rng.normal(0, onset_ms / 1000, len(together))[place]
    moved = moved + rng.normal(0, note_ms / 1000, len(notes))
    return NoteArray.of(np.maximum(moved, 0.0), notes.duration, notes.pitch, notes.velocity)


def versions(reference: Reference, both: Sequence[Pair]) -> Iterator[tuple[str, list[NoteArray]]]:
    """The rows of `cost`: what is done to the clips, and what comes of it."""
    yield "the files' notes in seconds", [clip.notes for clip in _on_grid(reference)]
    yield "read as sixteenths", [score.to_notes() for score, _ in both]
    yield "with the velocities and lengths that were played", [as_played(*one).to_notes() for one in both]
    yield "with the onsets that were played, too", [as_timed(*one) for one in both]
    yield "velocities and lengths as played, timing by `checkpoints/expression`", perform(both)
    for onset, note in LOOSE:
        yield f"read as sixteenths, {onset} ms an onset and {note} ms a note", loosen(both, onset, note)


def _on_grid(reference: Reference) -> list[Labelled]:
    return read_emopia(reference.folder / "emopia", "val", "beat")


def perform(both: Sequence[Pair], seed: int = 0) -> list[NoteArray]:
    """The clips with played velocities and lengths, in the shipped model's timing."""
    performer = load_performer()
    scores = [as_played(*one) for one in both]
    return [score.to_notes(performer.perform(score, seed)) for score in scores]


def loosen(both: Sequence[Pair], onset_ms: float, note_ms: float, seed: int = 0) -> list[NoteArray]:
    """The clips as written, loosened."""
    rng = np.random.default_rng(seed)
    return [loosened(score.to_notes(), onset_ms, note_ms, rng) for score, _ in both]


def cost(reference: Reference) -> str:
    """Distances over their floor from real training clips as played; and how many notes were matched."""
    both = pairs(reference)
    train, val = (chosen_statistics([clip.notes for clip in clips]) for clips in (reference.train, reference.val))
    rows: list[list[Cell]] = []
    for name, pieces in versions(reference, both):
        over = distance_over_floor(chosen_statistics(pieces), train, val)
        rows.append([name, over.n, over.ratio])
    found = np.concatenate([match_notes(*one) for one in both])
    matched = f"{len(found)} written notes, {np.mean(found >= 0):.2%} of them matched with a played one."
    return f"{table(('validation clips on the beat grid', 'clips', 'distance over floor'), rows)}\n\n{matched}"


def shifts(reference: Reference) -> str:
    """The statistics in which validation clips on the grid differ most from training clips as played."""
    on_grid = [clip.notes for clip in _on_grid(reference)]
    real = chosen_statistics([clip.notes for clip in reference.train])
    rows: list[list[Cell]] = [
        [f"`{one.name}`", one.shift, one.spread] for one in differences(chosen_statistics(on_grid), real)[:SHOWN]
    ]
    return table(("statistic", "shift in standard deviations", "spread over the real one"), rows)
