"""How well the recogniser of MIDI reads what it has not seen, by fits with its own settings that leave the test out.

EMOPIA: fitted on the training songs (and VGMIDI), read on the validation songs. VGMIDI: five folds by game series, each
fitted on EMOPIA and the other series; a piece's reading is the mean of its windows'.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from affectgen.recognize import mlp
from affectgen.recognize.corpus import Labelled, examples_of, with_parts
from affectgen.recognize.guide import velocity_columns
from affectgen.recognize.judge import Verdict
from affectgen.recognize.mlp import affect_of

SERIES_FOLDS = 5


def fit_on(clips: Sequence[Labelled], settings: mlp.Settings) -> mlp.Perceptrons:
    """The recogniser's model fitted on these clips and on parts of them."""
    return mlp.fit(examples_of(with_parts(clips)), velocity_columns(), settings)


def verdict_on(model: mlp.Perceptrons, clips: Sequence[Labelled]) -> Verdict:
    """What a model reads of clips."""
    rows = examples_of(clips)
    return Verdict(*affect_of(model.logits(rows.statistics, rows.dynamics)))


def validation_figures(clips: Sequence[Labelled], settings: mlp.Settings) -> dict[str, float]:
    """Accuracies on EMOPIA's validation clips among `clips` of a fit on all the others."""
    held = [clip for clip in clips if clip.split == "val"]
    model = fit_on([clip for clip in clips if clip.split != "val"], settings)
    found = verdict_on(model, held).accuracy(np.array([clip.quadrant for clip in held]))
    return {f"validation_{name}": value for name, value in found.items()} | {"validation_clips": float(len(held))}


def series_of(name: str) -> str:
    """The game series of a VGMIDI piece, as its file names it: "Super Mario_NES_..."."""
    return name.partition("_")[0]


def folds_by_series(names: Sequence[str], folds: int = SERIES_FOLDS) -> NDArray[np.int64]:
    """A fold for each piece, int64 [N]: the largest series first, each to the fold with the fewest pieces so far."""
    series, index, counts = np.unique([series_of(name) for name in names], return_inverse=True, return_counts=True)
    fold, sizes = np.zeros(len(series), dtype=np.int64), np.zeros(folds, dtype=np.int64)
    for place in np.argsort(-counts, kind="stable"):
        fold[place] = sizes.argmin()
        sizes[fold[place]] += counts[place]
    return fold[index]


def series_figures(clips: Sequence[Labelled], settings: mlp.Settings) -> dict[str, float]:
    """Rank correlations with VGMIDI's rater means, piece by piece, of fits that never heard of the piece's series."""
    rated = [clip for clip in clips if clip.quadrant < 0]
    labelled = [clip for clip in clips if clip.quadrant >= 0]
    fold, points = folds_by_series([clip.song for clip in rated]), np.zeros((len(rated), 2))
    for index in range(SERIES_FOLDS):
        held = [clip for clip, own in zip(rated, fold, strict=True) if own == index]
        rest = [clip for clip, own in zip(rated, fold, strict=True) if own != index]
        if held:
            points[fold == index] = verdict_on(fit_on([*labelled, *rest], settings), held).points
    songs = np.array([clip.song for clip in rated])
    pieces = np.unique(songs)
    heard = np.array([points[songs == piece].mean(axis=0) for piece in pieces])
    given = np.array([rated[int(np.flatnonzero(songs == piece)[0])].rating for piece in pieces])
    valence, arousal = (float(spearmanr(heard[:, axis], given[:, axis]).statistic) for axis in range(2))
    return {"series_spearman_arousal": arousal, "series_spearman_valence": valence, "series_pieces": float(len(pieces))}
