"""What the recogniser of MIDI reads of pieces: statistics of the first 30 s and of parts of them, attributes, and how
the notes were entered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.corpus import parts_of
from affectgen.recognize.features import VELOCITY_PREFIX, feature_names, feature_table, has_dynamics
from affectgen.score.attributes import ATTRIBUTES, emogen_attributes
from affectgen.score.notes import NoteArray

Floats = NDArray[np.float64]
NEAR, TOGETHER = 0.05, 0.0015  # seconds between onsets of one chord; between those that were written as one
WHOLE = 8.0  # a whole counts in a reading as much as so many of its parts


@dataclass(frozen=True)
class Rows:
    """Statistics of N pieces and of P parts of them.

    statistics: float64 [N + P, F], the wholes first; owner: int64 [N + P], the piece that a row is of; dynamics: bool
    [N], whether velocities say anything; attributes: float64 [N, 100], of the wholes; writing: float64 [N, 3], as
    `writing` gives it.
    """

    statistics: Floats
    owner: NDArray[np.int64]
    dynamics: NDArray[np.bool_]
    attributes: Floats
    writing: Floats

    def __len__(self) -> int:
        """How many pieces there are."""
        return len(self.dynamics)

    @property
    def whole(self) -> Floats:
        """The statistics of the wholes, [N, F]."""
        return self.statistics[: len(self)]

    def pick(self, chosen: NDArray[np.bool_]) -> Rows:
        """The pieces where `chosen` [N] is true, with their parts."""
        rows, place = chosen[self.owner], np.cumsum(chosen) - 1
        return Rows(
            self.statistics[rows],
            place[self.owner[rows]],
            self.dynamics[chosen],
            self.attributes[chosen],
            self.writing[chosen],
        )

    def mean(self, values: Floats) -> Floats:
        """The mean [N, K] of values [N + P, K] over the whole and the parts of each piece."""
        weight = np.where(np.arange(len(self.owner)) < len(self), WHOLE, 1.0)
        total = np.bincount(self.owner, weight, len(self))
        columns = [np.bincount(self.owner, weight * column, len(self)) for column in values.T]
        return np.stack(columns, axis=1) / total[:, None]


def rows_of(pieces: Sequence[NoteArray], dynamics: NDArray[np.bool_] | None = None) -> Rows:
    """The rows of pieces. dynamics: [N], where it is known of more of the piece than is given here."""
    wholes = [piece.for_judging() for piece in pieces]
    parts = [(place, part) for place, piece in enumerate(pieces) for part in parts_of(piece)]
    owner = np.array([*range(len(pieces)), *(place for place, _ in parts)], dtype=np.int64)
    if dynamics is None:
        dynamics = np.array([has_dynamics(piece) for piece in pieces], dtype=bool)
    attributes = np.array([emogen_attributes(whole) for whole in wholes]).reshape(len(pieces), len(ATTRIBUTES))
    entered = np.array([writing(piece) for piece in pieces]).reshape(len(pieces), 3)
    return Rows(feature_table([*pieces, *(part for _, part in parts)]), owner, dynamics, attributes, entered)


def writing(notes: NoteArray) -> tuple[float, float, float]:
    """How the first 30 s were entered, which a grid hides: the share of a chord's notes that begin exactly together
    (.5 where there are no chords), velocities per note, and the share of notes in chords.
    """
    first = notes.from_zero().cut()
    gap = np.diff(np.sort(first.onset))
    near = gap < NEAR
    together = float((gap[near] < TOGETHER).mean()) if near.any() else 0.5
    forces = len(np.unique(first.velocity)) / max(len(first), 1)
    return together, forces, float(near.mean()) if len(gap) else 0.0


def dynamic_columns() -> NDArray[np.bool_]:
    """Which statistics and attributes mean nothing in a piece of one velocity, bool [F + 100]."""
    statistics = [name.startswith(VELOCITY_PREFIX) for name in feature_names()]
    return np.array(statistics + ["dynamics" in one.name for one in ATTRIBUTES])
