"""Tables of words (`Stream.table`) for training: a stretch of one as a piece of its own, and augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.score.keys import Key
from affectgen.score.stream import BAR, CHORD, TEMPO
from affectgen.score.words import BAR_LINE, SIZES, Family, Field, key_index, key_of

COLUMNS = 13  # see Stream.table


def cut_table(table: NDArray[Any], first: int, most_words: int) -> tuple[NDArray[np.int64], int]:
    """The piece that begins with bar `first` of a table [T, 13], of at most `most_words` words, int64, and the row that
    its second word is in the table. It is opened by the key event, and states tempo and chord at once.
    """
    begin = int(np.searchsorted(table[:, BAR], first)) if first else 1
    cut = np.concatenate([table[:1], table[begin : begin + most_words - 1]]).astype(np.int64)
    cut[:, BAR] = np.maximum(cut[:, BAR] - first, 0)
    opening = first_onset(cut)
    cut[: int(opening[0]) if len(opening) else len(cut), [TEMPO, CHORD]] = 0  # nothing is in force yet, as in sampling
    cut[opening, Field.TEMPO] = cut[opening, TEMPO]
    cut[opening, Field.CHORD] = cut[opening, CHORD]
    return cut, begin


def first_onset(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the first onset of a table stands: one index, or none."""
    return np.flatnonzero((table[:, Field.FAMILY] == Family.METRICAL) & (table[:, Field.BEAT] > BAR_LINE))[:1]


def jitter(table: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Augment in place: any tonic, tempo by up to two steps, velocity by one; pitch is relative and stays."""
    key = key_of(int(table[0, Field.KEY]))
    table[0, Field.KEY] = key_index(Key(int(rng.integers(12)), key.mode))
    tempo, velocity = int(rng.integers(-2, 3)), int(rng.integers(-1, 2))
    for column in (Field.TEMPO, TEMPO):
        has = table[:, column] > 0
        table[has, column] = np.clip(table[has, column] + tempo, 1, SIZES["tempo"] - 1)
    has = table[:, Field.VELOCITY] > 0
    table[has, Field.VELOCITY] = np.clip(table[has, Field.VELOCITY] + velocity, 1, SIZES["velocity"] - 1)
