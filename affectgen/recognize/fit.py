"""Fit a recogniser and write its checkpoint folder: weights, config with the figures, card.

    python -m affectgen.recognize.fit --data ../shared/data --what guide
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize import mlp, store
from affectgen.recognize.corpus import Labelled, examples_of, read_emopia, read_vgmidi
from affectgen.recognize.guide import velocity_columns
from affectgen.recognize.pseudo import out_of_fold

Floats = NDArray[np.float64]
Figures = dict[str, float]
LICENCE = "CC-BY-NC-SA-4.0"


def accuracy(logits: Floats, quadrant: NDArray[np.int64]) -> Figures:
    """Shares of clips read rightly, for logits [N, 6] and quadrants 0-3 [N]."""
    high, pleasant = quadrant < 2, (quadrant == 0) | (quadrant == 3)
    return {
        "quadrants": float((logits[:, 2:].argmax(axis=1) == quadrant).mean()),
        "arousal": float(((logits[:, 1] > 0) == high).mean()),
        "valence": float(((logits[:, 0] > 0) == pleasant).mean()),
    }


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's correlation of two series without many ties."""
    ranks = [np.argsort(np.argsort(series)).astype(np.float64) for series in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def perceptron_figures(clips: Sequence[Labelled], settings: mlp.Settings) -> Figures:
    """Out-of-fold by song: accuracies on the labelled clips, rank correlations on the rated windows."""
    logits = out_of_fold(clips, settings=settings)
    quadrant = np.array([clip.quadrant for clip in clips])
    rated = quadrant < 0
    ratings = np.array([clip.rating for clip in clips])[rated]
    figures = accuracy(logits[~rated], quadrant[~rated])
    figures |= {"clips": float((~rated).sum()), "rated_windows": float(rated.sum())}
    figures["spearman_valence"] = rank_correlation(logits[rated, 0], ratings[:, 0])
    figures["spearman_arousal"] = rank_correlation(logits[rated, 1], ratings[:, 1])
    return figures


def fit_perceptrons(what: str, data: Path, settings: mlp.Settings) -> tuple[store.Arrays, dict[str, object], Figures]:
    """The guide (training split and VGMIDI) or the recogniser (every clip there is): arrays, config, figures."""
    clips = read_emopia(data / "emopia", "train" if what == "guide" else None) + read_vgmidi(data / "vgmidi")
    model = mlp.fit(examples_of(clips), velocity_columns(), settings)
    trained_on = "EMOPIA training split" if what == "guide" else "EMOPIA, both splits"
    config = {"kind": what, "trained_on": f"{trained_on}; VGMIDI ratings", "settings": asdict(settings)}
    return dict(model.arrays()), config, perceptron_figures(clips, settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds emopia/ and vgmidi/")
    parser.add_argument("--what", choices=("guide", "recogniser"), required=True)
    parser.add_argument("--output", type=Path, help="folder to write; default checkpoints/midi-WHAT")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    arrays, config, figures = fit_perceptrons(options.what, options.data, mlp.Settings(seed=options.seed))
    folder = options.output if options.output is not None else Path("checkpoints") / f"midi-{options.what}"
    config |= {"figures": {key: round(value, 3) for key, value in figures.items()}, "licence": LICENCE}
    store.save(folder, arrays, config, "")
    print(folder, config["figures"], f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
