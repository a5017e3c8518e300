"""Fit a recogniser of MIDI and write its checkpoint folder: weights, config with the figures, card.

python -m affectgen.recognize.fit --data ../shared/data --what judge|guide|recogniser
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import labels
from affectgen.recognize import mlp, store, trees
from affectgen.recognize.corpus import Labelled, examples_of, folds_by_song, read_emopia, read_vgmidi, with_parts
from affectgen.recognize.guide import velocity_columns
from affectgen.recognize.held_out import series_figures, validation_figures
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.interval import Intervals, coverage
from affectgen.recognize.judge import FORESTS, Judge, Verdict
from affectgen.recognize.mlp import Examples, affect_of
from affectgen.recognize.pseudo import SIGNS, out_of_fold
from affectgen.recognize.reading import QUADRANTS

Floats = NDArray[np.float64]
Figures = dict[str, float]
LICENCE = "CC-BY-NC-SA-4.0"

PURPOSE = {
    "judge": "Measures generated music. Nothing trains on it, stops early by it or picks by it.",
    "guide": "May steer: `--best-of`, pseudo-labels. It never measures a result; the judge does.",
    "recogniser": "What `affectgen rate` reports for MIDI. It has seen every labelled clip there is.",
}
SURE = """A coordinate is 2p - 1 for the probability p that it is
high: it says how sure the model is, and is no measured intensity."""
RANK = """A coordinate is the rank of the model's
reading (how sure it is) among labelled clips of the same sign, taken out of fold, with the median at 0.6."""
SCALE = {
    "judge": SURE,
    "guide": RANK,
    "recogniser": RANK,
}
TRAINED_ON = {
    "judge": "EMOPIA's validation split (clips and parts of them)",
    "guide": "EMOPIA's training split (clips and parts of them) and VGMIDI's rater means",
    "recogniser": "both splits of EMOPIA (clips and parts of them) and VGMIDI's rater means",
}
MEASURED_ON = {
    "judge": "EMOPIA's training split, none of whose songs it has seen; rank correlations on VGMIDI, also unseen.",
    "guide": "Out of fold, five folds by song: each song by a model fitted without it.",
    "recogniser": "Out of fold, five folds by song: each song by a model fitted without it.",
}


@dataclass(frozen=True)
class Fitted:
    """What a fit gives: arrays to store, settings for the config, songs it has seen, figures on songs it has not."""

    arrays: store.Arrays
    settings: dict[str, Any]
    songs: list[str]
    figures: Figures
    more: dict[str, Any] = field(default_factory=dict)  # what else the config holds


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's correlation of two series; ties share their mean rank."""
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic)


def figures_of(verdict: Verdict, examples: Examples) -> Figures:
    """Accuracies on the rows with a quadrant, rank correlations on the rated ones."""
    rated = examples.quadrant < 0
    figures = Verdict(verdict.points[~rated], verdict.quadrants[~rated]).accuracy(examples.quadrant[~rated])
    figures["clips"] = float((~rated).sum())
    figures["spearman_valence"] = rank_correlation(verdict.points[rated, 0], examples.rating[rated, 0])
    figures["spearman_arousal"] = rank_correlation(verdict.points[rated, 1], examples.rating[rated, 1])
    figures["rated_windows"] = float(rated.sum())
    return figures


def fit_forests(examples: Examples, settings: trees.Settings) -> dict[str, trees.Forest]:
    """The judge's three forests from rows with a quadrant."""
    quadrant = examples.quadrant
    pleasant = (quadrant == 0) | (quadrant == 3)
    targets = {"quadrant": quadrant, "arousal": quadrant < 2, "valence": pleasant}
    rows, weight = examples.statistics, examples.weight
    return {name: trees.fit(rows, targets[name].astype(np.int64), weight, settings) for name in FORESTS}


def fit_judge(data: Path, settings: trees.Settings) -> Fitted:
    """Fit the judge on the validation split; measure it on the training split and on VGMIDI."""
    clips = read_emopia(data / "emopia", "val")
    forests = fit_forests(examples_of(with_parts(clips)), settings)
    unseen = examples_of([*read_emopia(data / "emopia", "train"), *read_vgmidi(data / "vgmidi")])
    figures = figures_of(Judge(**forests, figures={}).judge_statistics(unseen.statistics), unseen)
    arrays: store.Arrays = {}
    for name, forest in forests.items():
        arrays |= forest.arrays(name)
    return Fitted(arrays, asdict(settings), _songs(clips), figures)


def fit_perceptrons(what: str, data: Path, settings: mlp.Settings) -> Fitted:
    """Fit the guide (training split and VGMIDI) or the recogniser (every clip there is)."""
    clips = read_emopia(data / "emopia", "train" if what == "guide" else None) + read_vgmidi(data / "vgmidi")
    model = mlp.fit(examples_of(with_parts(clips)), velocity_columns(), settings)
    unseen, examples = Verdict(*affect_of(out_of_fold(clips, settings=settings))), examples_of(clips)
    intensity, figures = _intensity(unseen, examples), figures_of(unseen, examples)
    more: dict[str, Any] = {"intensity": intensity.knots.tolist()}
    if what == "recogniser":
        points, wanted = intensity(unseen.points), label_points(examples)
        more["intervals"] = Intervals.fit(points, wanted).half.tolist()
        figures |= covered(points, wanted, clips)
        figures |= validation_figures(clips, settings) | series_figures(clips, settings)
    return Fitted(dict(model.arrays()), asdict(settings), _songs(clips), figures, more)


def label_points(examples: Examples) -> Floats:
    """The labels as points [N, 2]: quadrants at their names' places, VGMIDI's means stretched to the same scale."""
    corners = np.array([[point.valence, point.arousal] for point in map(labels.quadrant, QUADRANTS)])
    rated = [labels.rater_mean_stretched(*row) for row in examples.rating.tolist()]
    means = np.array([[point.valence, point.arousal] for point in rated]).reshape(-1, 2)
    return np.where(examples.quadrant[:, None] >= 0, corners[examples.quadrant], means)


def covered(points: Floats, wanted: Floats, clips: Sequence[Labelled], folds: int = 5) -> Figures:
    """The share of labels inside intervals fitted without their songs, for each corpus and axis."""
    fold, low, high = folds_by_song(clips, folds, seed=1), np.empty_like(points), np.empty_like(points)
    for index in range(folds):
        held = fold == index
        low[held], high[held] = Intervals.fit(points[~held], wanted[~held])(points[held])
    rated = np.array([clip.quadrant < 0 for clip in clips])
    figures: Figures = {}
    for corpus, rows in (("emopia", ~rated), ("vgmidi", rated)):
        found = coverage(low[rows], high[rows], wanted[rows])
        figures |= {f"covered_{corpus}_valence": float(found[0]), f"covered_{corpus}_arousal": float(found[1])}
    return figures


def _intensity(unseen: Verdict, examples: Examples) -> Intensity:
    """The map that turns readings into intensities, from readings out of fold."""
    labelled = examples.quadrant >= 0
    return Intensity.of(unseen.points[labelled], SIGNS[examples.quadrant[labelled]])


def _songs(clips: Sequence[Labelled]) -> list[str]:
    return sorted({clip.song for clip in clips})


def card(what: str, seed: int, figures: Figures, seconds: float) -> str:
    """The checkpoint's card in Markdown."""
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value:g} |" for name, value in figures.items())
    return f"""# midi-{what}

{PURPOSE[what]}

Reads note statistics of a piece's first 30 s on a 50 ms grid (`affectgen/recognize/features.py`) and gives
valence, arousal and the probabilities of Russell's quadrants. {SCALE[what]}

- Fitted on {TRAINED_ON[what]}; the songs are listed in `config.json`.
- Command: `python -m affectgen.recognize.fit --data ../shared/data --what {what} --seed {seed}`
- {seconds:.0f} s on {os.cpu_count()} CPU cores.
- Licence of the weights: {LICENCE} (EMOPIA's); not for commercial use.

{MEASURED_ON[what]}

| figure | value |
|---|---|
{rows}

Weak points: one annotator a clip in EMOPIA; solo piano only; the judge cannot tell "no dynamics" from "flat dynamics",
the other two can.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds emopia/ and vgmidi/")
    parser.add_argument("--what", choices=tuple(PURPOSE), required=True)
    parser.add_argument("--output", type=Path, help="folder to write; default checkpoints/midi-WHAT")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    what, started = options.what, time.perf_counter()
    if what == "judge":
        fitted = fit_judge(options.data, trees.Settings(seed=options.seed))
    else:
        fitted = fit_perceptrons(what, options.data, mlp.Settings(seed=options.seed))
    folder = options.output if options.output is not None else Path("checkpoints") / f"midi-{what}"
    figures = {name: round(value, 3) for name, value in fitted.figures.items()}
    seconds = time.perf_counter() - started
    config = {"kind": what, "trained_on": TRAINED_ON[what], "settings": fitted.settings, "figures": figures}
    config |= {"licence": LICENCE, "songs": fitted.songs} | fitted.more
    store.save(folder, fitted.arrays, config, card(what, options.seed, figures, seconds))
    sys.stderr.write(f"{folder}: {figures}, {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
