"""The labelled piano music that recognisers are fitted on, as note arrays with their labels. Reads, never writes.

EMOPIA (Hung et al., ISMIR 2021): a folder with `clips.csv` (columns clip, song, quadrant, split) and `raw/<clip>.mid`.
VGMIDI (Ferreira and Whitehead, ISMIR 2019): a folder with `pieces.csv` (columns piece_id, midi, valence_mean,
arousal_mean) and `midi/<midi>`; its pieces are cut into windows of the judging length, each with the piece's rating.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError
from affectgen.recognize.features import feature_names, feature_table, has_dynamics
from affectgen.recognize.mlp import Examples
from affectgen.score.midi import read_notes
from affectgen.score.notes import CLIP_SECONDS, NoteArray

LEAST_NOTES = 10  # windows with fewer notes say nothing
PARTS = ((8.0, (2.0, 11.0, 20.0)), (15.0, (0.0, 12.0)))  # (seconds, starts) of the parts of a clip that are fitted too
PART_WEIGHT = 0.25
UNRATED = (0.0, 0.0)


@dataclass(frozen=True)
class Labelled:
    """One clip. song: what must not be divided between fitting and testing; split: "train", "val" or "";
    quadrant: 0-3 for Q1-Q4, or -1 where there is a rating; rating: valence and arousal in [-1, 1];
    dynamics: whether the piece's velocities mean anything; weight: of the clip in fitting.
    """

    name: str
    song: str
    split: str
    quadrant: int
    rating: tuple[float, float]
    dynamics: bool
    notes: NoteArray
    weight: float = 1.0


def _rows(table: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    if not table.is_file():
        raise AffectgenError(f"{table} is not there.", "Lay the corpus out as docs/recognisers.md says.")
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    missing = [column for column in columns if not rows or column not in rows[0]]
    if missing:
        raise AffectgenError(f"{table} has no column {', '.join(missing)}.", f"It needs {', '.join(columns)}.")
    return rows


def read_emopia(folder: Path, split: str | None = None, kind: str = "raw") -> list[Labelled]:
    """EMOPIA's clips (of one split, or all) whose file is in `folder/kind`, in the order of clips.csv."""
    found = []
    for row in _rows(folder / "clips.csv", ("clip", "song", "quadrant", "split")):
        path = folder / kind / f"{row['clip']}.mid"
        if split in (None, row["split"]) and path.is_file():
            notes = read_notes(path)
            quadrant = int(row["quadrant"][1]) - 1
            clip = Labelled(row["clip"], row["song"], row["split"], quadrant, UNRATED, has_dynamics(notes), notes)
            found.append(clip)
    return found


def windows(notes: NoteArray, seconds: float = CLIP_SECONDS) -> Iterator[tuple[float, NoteArray]]:
    """(start in seconds, notes) of consecutive windows; a last one under half the length is left out, unless alone."""
    count = max(1, round(notes.end / seconds))
    for index in range(count):
        part = notes.between(index * seconds, (index + 1) * seconds)
        if len(part) >= LEAST_NOTES:
            yield index * seconds, part


def read_vgmidi(folder: Path) -> list[Labelled]:
    """VGMIDI's pieces in windows, each with its piece's rater means as rating."""
    found = []
    for row in _rows(folder / "pieces.csv", ("piece_id", "midi", "valence_mean", "arousal_mean")):
        notes = read_notes(folder / "midi" / row["midi"])
        rating = (float(row["valence_mean"]), float(row["arousal_mean"]))
        piece, dynamics = Path(row["midi"]).stem, has_dynamics(notes)  # the two rounds of rating count ids anew
        for start, part in windows(notes):
            found.append(Labelled(f"{piece}@{start:.0f}", piece, "", -1, rating, dynamics, part))
    return found


def parts_of(notes: NoteArray) -> Iterator[NoteArray]:
    """The shorter parts of a clip that are fitted and read beside the whole, those of enough notes."""
    notes = notes.from_zero()
    for seconds, starts in PARTS:
        for wanted in starts:
            start = min(wanted, max(0.0, notes.end - seconds))
            part = notes.between(start, start + seconds)
            if len(part) >= LEAST_NOTES:
                yield part


def with_parts(clips: Sequence[Labelled]) -> list[Labelled]:
    """The clips, followed by shorter parts of those with a quadrant.

    Fitted on parts as well, a recogniser reads four bars of an affect path, and whole clips, better than without.
    """
    found = list(clips)
    for clip in clips:
        if clip.quadrant >= 0:
            found += [replace(clip, notes=part, weight=PART_WEIGHT) for part in parts_of(clip.notes)]
    return found


def examples_of(clips: Sequence[Labelled]) -> Examples:
    """The clips' statistics and labels as rows for fitting."""
    return Examples(
        statistics=feature_table([clip.notes for clip in clips]).reshape(len(clips), len(feature_names())),
        dynamics=np.array([clip.dynamics for clip in clips], dtype=bool),
        quadrant=np.array([clip.quadrant for clip in clips], dtype=np.int64),
        rating=np.array([clip.rating for clip in clips], dtype=np.float64).reshape(len(clips), 2),
        weight=np.array([clip.weight for clip in clips], dtype=np.float64),
    )


def folds_by_song(clips: Sequence[Labelled], folds: int, seed: int = 0) -> NDArray[np.int64]:
    """A fold 0..folds-1 for each clip, int64 [N], all clips of a song in one fold."""
    songs, index = np.unique([clip.song for clip in clips], return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(songs)) % folds)[index].astype(np.int64)
