"""Rows to fit the music recognisers on: statistics of rendered clips and of parts of them, kept in the cache folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.mel import Picture
from affectgen.recognize.corpus import PART_WEIGHT, PARTS
from affectgen.recognize.mlp import Examples
from affectgen.recognize.music import music_names, music_statistics
from affectgen.recognize.music_notes import Transcriber
from affectgen.recognize.music_renders import Rendering
from affectgen.score.notes import CLIP_SECONDS, NoteArray

Floats = NDArray[np.float64]
CENTRE = np.array([[0.6, 0.6], [-0.6, 0.6], [-0.6, -0.6], [0.6, -0.6]])  # Q1..Q4, as affect/labels.py has them
LEAST_PART = 6.0  # seconds that a part must have


@dataclass(frozen=True)
class Rows:
    """statistics: float64 [N, F]; quadrant: int64 [N], 0-3; weight: float64 [N]; clip: the clip's name [N];
    song: what must not be divided [N]; whole: bool [N], whether the row is a whole clip.
    """

    statistics: Floats
    quadrant: NDArray[np.int64]
    weight: Floats
    clip: NDArray[np.str_]
    song: NDArray[np.str_]
    whole: NDArray[np.bool_]

    def pick(self, chosen: NDArray[np.bool_]) -> Rows:
        """The rows where `chosen` [N] is true."""
        return Rows(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @property
    def points(self) -> Floats:
        """The labels as points, [N, 2]."""
        return CENTRE[self.quadrant]

    def examples(self) -> Examples:
        """As the perceptrons are fitted on them."""
        count = len(self.quadrant)
        return Examples(
            self.statistics, np.ones(count, dtype=bool), self.quadrant, np.zeros((count, 2)), self.weight
        )


def joined(tables: Sequence[Rows]) -> Rows:
    """All rows of some tables."""
    return Rows(*(np.concatenate([getattr(t, name) for t in tables]) for name in Rows.__dataclass_fields__))


def rows_of(rendered: Sequence[Rendering], transcriber: Transcriber, parts: bool, kept: Path | None = None) -> Rows:
    """A row for each rendering, and for its parts where `parts` is wanted; statistics are looked up in the folder
    `kept`, where there is one, by what they were made from."""
    place = None if kept is None else kept / f"{_mark(rendered, transcriber, parts)}.npz"
    if place is not None and place.is_file():
        with np.load(place, allow_pickle=False) as found:
            table, source, whole = found["statistics"], found["source"], found["whole"]
    else:
        table, source, whole = _computed(rendered, transcriber, parts)
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            np.savez(place, statistics=table, source=source, whole=whole)
    clips = [rendered[index].clip for index in source]
    return Rows(
        np.asarray(table, dtype=np.float64),
        np.array([clip.quadrant for clip in clips], dtype=np.int64),
        np.where(whole, 1.0, PART_WEIGHT),
        np.array([clip.name for clip in clips]),
        np.array([clip.song for clip in clips]),
        np.asarray(whole, dtype=bool),
    )


def _computed(
    rendered: Sequence[Rendering], transcriber: Transcriber, parts: bool
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    table, source, whole = [], [], []
    for index, item in enumerate(rendered):
        seen = item.picture.between(0.0, CLIP_SECONDS)
        notes = transcriber.notes(seen)
        cuts = [(seen, notes), *(_cuts(seen, notes) if parts else [])]
        table += [music_statistics(*cut) for cut in cuts]
        source += [index] * len(cuts)
        whole += [True] + [False] * (len(cuts) - 1)
    return np.array(table, dtype=np.float32), np.array(source, dtype=np.int64), np.array(whole, dtype=bool)


def _cuts(seen: Picture, notes: NoteArray) -> list[tuple[Picture, NoteArray]]:
    """The parts of a window that are fitted too: those of MIDI's recognisers."""
    found = []
    for seconds, starts in PARTS:
        for start in starts:
            part = seen.between(start, start + seconds)
            if len(part) >= LEAST_PART / 0.05:
                found.append((part, notes.between(start, start + seconds)))
    return found


def _mark(rendered: Sequence[Rendering], transcriber: Transcriber, parts: bool) -> str:
    """What statistics depend on, in a few letters."""
    digest = sha256(repr((parts, PARTS, music_names())).encode())
    for array in transcriber.arrays().values():
        digest.update(np.ascontiguousarray(array).tobytes())
    for item in rendered:
        digest.update(item.clip.name.encode())
        digest.update(item.picture.semitones.tobytes())
    return digest.hexdigest()[:16]
