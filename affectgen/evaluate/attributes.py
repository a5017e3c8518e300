"""What each core attribute tells of an emotion, and how well EmoGen's hundred agree: the tables of docs/emogen.md.

    python -m affectgen.evaluate.attributes --data ../shared/data                            prints them
    python -m affectgen.evaluate.attributes --data ../shared/data --write docs/emogen.md     and writes them

The first is measured on the labelled clips of the map from emotions (checkpoints/emogen-map): the area under the ROC
curve of high against low arousal, and of pleasant against unpleasant valence; .5 is chance, above it more of the
attribute means more of the emotion. The best of EmoGen's hundred stand below for comparison.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from affectgen.emogen.checkpoint import load_map
from affectgen.emogen.mapping import EmotionMap
from affectgen.emogen.vector import CORE_NAMES, FIRST_EMOGEN, NAMES
from affectgen.evaluate.tables import Blocks, Cell, run, table
from affectgen.evaluate.thresholds import agreement
from affectgen.score.attributes.core import CORE

HIGH, PLEASANT = (0, 1), (0, 3)  # quadrants Q1 and Q2; Q1 and Q4
BEST = 3  # of the hundred, for each axis


def areas(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Area under the ROC curve of each column of values [N, K] for the rows `positive` [N]; nan where one is nan."""
    ranks = rankdata(values, axis=0, nan_policy="propagate")
    count = positive.sum()
    found: NDArray[np.float64] = (ranks[positive].sum(axis=0) - count * (count + 1) / 2) / (count * (~positive).sum())
    return found


def core_table(emotions: EmotionMap) -> str:
    """Every core attribute with its unit, the quartiles of real clips, and what it tells; then the best others."""
    arousal = areas(emotions.values, np.isin(emotions.quadrant, HIGH))
    valence = areas(emotions.values, np.isin(emotions.quadrant, PLEASANT))
    quartiles = np.nanpercentile(emotions.values, (25, 50, 75), axis=0)
    rows: list[list[Cell]] = []
    for place, core in enumerate(CORE):
        low, middle, high = (f"{value:.3g}" for value in quartiles[:, place])
        meaning = f"{core.meaning} ({core.unit})"
        rows.append([f"`{core.name}`", meaning, f"{low}, {middle}, {high}", arousal[place], valence[place]])
    hundred = np.arange(FIRST_EMOGEN, len(NAMES))
    for which, area in (("arousal", arousal), ("valence", valence)):
        away = np.nan_to_num(np.abs(area[hundred] - 0.5))
        for place in hundred[np.argsort(-away, kind="stable")[:BEST]].tolist():
            low, middle, high = (f"{value:.3g}" for value in quartiles[:, place])
            what = f"one of EmoGen's that tell {which} best"
            rows.append([f"`{NAMES[place]}`", what, f"{low}, {middle}, {high}", arousal[place], valence[place]])
    head = (f"{len(CORE_NAMES)} core attributes", "what it is", "quartiles of clips", "arousal", "valence")
    return table(head, rows)


def blocks(data: Path | None) -> Blocks:
    """The blocks of docs/emogen.md."""
    yield "core attributes", core_table(load_map())
    if data is not None:
        yield "emogen attributes", agreement(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, and write them where asked."""
    return run(__doc__, blocks, arguments)


if __name__ == "__main__":
    sys.exit(main())
