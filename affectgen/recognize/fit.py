"""Fit a recogniser of MIDI and write its checkpoint folder: weights, config with the figures, card.

python -m affectgen.recognize.fit --data ../shared/data --what judge|guide|recogniser
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize import held_out, mlp, store, trees
from affectgen.recognize.corpus import Labelled, examples_of, read_emopia, read_vgmidi, with_parts
from affectgen.recognize.guide import velocity_columns
from affectgen.recognize.held_out import rank_correlation
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.judge import Judge, Verdict
from affectgen.recognize.midi import Experts, attribute_names
from affectgen.recognize.midi_labelled import fit_forests
from affectgen.recognize.midi_scale import Scale
from affectgen.recognize.mlp import Examples, affect_of
from affectgen.recognize.pseudo import SIGNS, out_of_fold

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
    "recogniser": """Two
experts read it, one for EMOPIA's labels, one for VGMIDI's ratings, and a gate weighs them by which corpus it is like.
A coordinate of the first is the rank of its reading (how sure it is) among labelled clips of the same sign, with the
median at 0.6; of the second, the rating, stretched until unheard pieces spread as their ratings do on that scale.""",
}
TRAINED_ON = {
    "judge": "EMOPIA's validation split (clips and parts of them)",
    "guide": "EMOPIA's training split (clips and parts of them) and VGMIDI's rater means",
    "recogniser": "both splits of EMOPIA (clips and parts of them) and, apart from them, VGMIDI's rater means",
}
MEASURED_ON = {
    "judge": "EMOPIA's training split, none of whose songs it has seen; rank correlations on VGMIDI, also unseen.",
    "guide": "Out of fold, five folds by song: each song by a model fitted without it.",
    "recogniser": """Read unheard. `validation`: EMOPIA's validation clips, by a fit without them. `series`: VGMIDI, the
mean of a piece's windows, in five folds by game series. `quadrants`, `arousal`, `valence`: all clips of EMOPIA, the
training songs by fits without the validation songs and without a fifth of their own. `covered`: labels inside the 80 %
intervals. Scale, intervals and gate come from other folds than a clip's own. `gate right`: its corpus is told.""",
}


@dataclass(frozen=True)
class Fitted:
    """What a fit gives: arrays to store, settings for the config, songs it has seen, figures on songs it has not."""

    arrays: store.Arrays
    settings: dict[str, Any]
    songs: list[str]
    figures: Figures
    more: dict[str, Any] = field(default_factory=dict)  # what else the config holds


def figures_of(verdict: Verdict, examples: Examples) -> Figures:
    """Accuracies on the rows with a quadrant, rank correlations on the rated ones."""
    rated = examples.quadrant < 0
    figures = Verdict(verdict.points[~rated], verdict.quadrants[~rated]).accuracy(examples.quadrant[~rated])
    figures["clips"] = float((~rated).sum())
    figures["spearman_valence"] = rank_correlation(verdict.points[rated, 0], examples.rating[rated, 0])
    figures["spearman_arousal"] = rank_correlation(verdict.points[rated, 1], examples.rating[rated, 1])
    figures["rated_windows"] = float(rated.sum())
    return figures


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


def fit_guide(data: Path, settings: mlp.Settings) -> Fitted:
    """Fit the guide on the training split and VGMIDI; measure it out of fold."""
    clips = read_emopia(data / "emopia", "train") + read_vgmidi(data / "vgmidi")
    model = mlp.fit(examples_of(with_parts(clips)), velocity_columns(), settings)
    unseen, examples = Verdict(*affect_of(out_of_fold(clips, settings=settings))), examples_of(clips)
    intensity, figures = _intensity(unseen, examples), figures_of(unseen, examples)
    more = {"intensity": intensity.knots.tolist()}
    return Fitted(dict(model.arrays()), asdict(settings), _songs(clips), figures, more)


def fit_recogniser(data: Path, settings: held_out.Settings, say: Callable[[str], None]) -> Fitted:
    """Fit the recogniser's experts on every clip there is; measure them, and fit their scale, on unheard clips."""
    material = held_out.read_material(data)
    opinions = held_out.unheard(material, settings, say)
    everything = np.ones(len(material.fold), dtype=bool)
    experts = Experts(
        material.fit_labelled(everything, settings),
        material.fit_rated(everything, settings),
        material.fit_gate(everything, settings),
    )
    scale = Scale.fit(opinions, material.quadrant, material.wanted)
    more = {"scale": scale.to_json(), "attributes": attribute_names()}
    songs = sorted(set(material.song.tolist()))
    return Fitted(experts.arrays(), asdict(settings), songs, held_out.figures_of(material, opinions), more)


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


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


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
    elif what == "guide":
        fitted = fit_guide(options.data, mlp.Settings(seed=options.seed))
    else:
        settings = held_out.Settings(seed=options.seed)
        fitted = fit_recogniser(options.data, settings, _say)
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
