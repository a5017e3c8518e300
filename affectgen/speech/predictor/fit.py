"""Train the predictor of prosody and write its checkpoint folder: weights, config with the figures, curves, card.

python -m affectgen.speech.predictor.fit --data ../shared/data --run FOLDER
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from affectgen.nn.curves import read_stages, write_curves
from affectgen.recognize.speech_corpus import LABELS, read_clips
from affectgen.speech.predictor.bank import Bank, thinned
from affectgen.speech.predictor.figures import compare, felt, followed
from affectgen.speech.predictor.model import PredictorConfig
from affectgen.speech.predictor.pairs import Pair, make_exemplars, make_pairs
from affectgen.speech.predictor.ready import NAME, ProsodyPredictor, save_predictor
from affectgen.speech.predictor.takes import read_takes, read_texts
from affectgen.speech.predictor.train import Settings, train
from affectgen.speech.split import SPEECH_SPLIT_VERSION

LICENCE = "ODbL-1.0"
TRAINED_ON = "training speakers of CREMA-D, neutral and felt takes of the same sentences (labels: the crowd's votes)"
STAGE = "pairs"  # the folder of the run's only stage
SHIPPED = 60  # exemplars of each label that come with the predictor
PARTS = ("training", "development", "test")


@dataclass(frozen=True)
class Material:
    """pairs of each of PARTS; full: all exemplars, which training draws from; shipped: those that come along."""

    pairs: Mapping[str, list[Pair]]
    full: Bank
    shipped: Bank


def read_material(data: Path, cache: Path | None) -> Material:
    """Read, align and measure. Clips of the judge's speakers are not even read."""
    clips = [clip for clip in read_clips(data, ["crema_d"]) if not clip.judges]
    takes = read_takes(clips, read_texts(data), None if cache is None else cache / "takes.npz", _say)
    exemplars = make_exemplars(clips, takes)
    shipped = Bank(tuple(thinned(exemplars, len(LABELS), SHIPPED)))
    return Material({part: make_pairs(clips, takes, part) for part in PARTS}, Bank(tuple(exemplars)), shipped)


def fit(material: Material, config: PredictorConfig, how: Settings, run: Path) -> ProsodyPredictor:
    """Train and measure on the test speakers."""
    training, held = material.pairs["training"], material.pairs["development"]
    model, scale, _ = train(training, held, material.full, material.shipped, config, how, run / STAGE)
    found = ProsodyPredictor(model, scale, material.shipped)
    test = material.pairs["test"]
    figures = {
        "errors": compare(found, training, test),
        "development": compare(found, training, held),
        "followed": followed(found, felt(training), felt(test), how.seed),
    }
    return ProsodyPredictor(model, scale, material.shipped, rounded(figures))


def rounded(values: Any) -> Any:
    """Figures to three digits, however nested."""
    return {key: rounded(value) for key, value in values.items()} if isinstance(values, dict) else round(values, 3)


def card(predictor: ProsodyPredictor, how: Settings, counts: Mapping[str, int], stage: Mapping[str, Any]) -> str:
    """The checkpoint's card in Markdown."""
    figures, size = predictor.figures, sum(part.numel() for part in predictor.model.parameters())
    names = [f"{name}{part}" for name in ("pitch_st", "log_length", "energy_db") for part in ("", "_take")]
    names.append("shape_db_take")
    rows = [
        f"| {way} | " + " | ".join(f"{values[name]:.2f}" for name in names) + " |"
        for way, values in figures["errors"].items()
    ]
    followed = figures["followed"]
    follows = [
        f"| {words} | {followed[f'{name}valence_r']:.2f} | {followed[f'{name}arousal_r']:.2f} |"
        for name, words in (
            ("", "predicted changes"), ("shuffled_", "predicted, affect shuffled among requests"),
            ("real_", "the actors' own changes"),
        )
    ]  # fmt: skip
    return f"""# {NAME}

What an emotion changes in the phones of a neutral take: pitch and its movement, length, energy, the shape of the
spectrum, and the pauses. A transformer of {size:,} parameters: the phones of the take look at each other and, by
cross-attention, at the phones of exemplars that were heard as what is asked for; the shared AffectConditioner and the
label modulate every layer. {len(predictor.bank)} exemplars of training speakers come along, as numbers, without sound.

- Trained on {TRAINED_ON}:
  {counts["training"]} pairs of {counts["speakers"]} speakers, {how.steps * how.batch / counts["training"]:.0f} times.
  None is the judge's, none a test speaker's. The weights are those of the step at which {counts["development"]} pairs
  of development speakers were predicted best ({stage["kept_step"]} of {stage["steps"]}; loss
  {stage["validation"]:.3f}; `curves.csv`).
- Command: `python -m affectgen.speech.predictor.fit --data ../shared/data --seed {how.seed}`
- {stage["minutes"]:g} minutes on one thread of {os.cpu_count()} CPU cores, beside aligning and measuring the clips.
- Licence of the weights and the exemplars' numbers: {LICENCE} (CREMA-D's data base licence).

Measured on {counts["felt"]} pairs of the test speakers whose second take was not heard as neutral: root mean square
errors over phones, and ("take") of the means of takes. Pitch in semitones, length as natural logarithm, energy and
spectrum in dB. What the exemplars add to label and point is the difference between the rows with and without them.

| changes by | pitch | take | length | take | energy | take | spectrum, take |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Correlation of the emotion asked for with that read off the changes by a ridge regression, which was fitted on the real
changes of training speakers:

| | valence | arousal |
|---|---|---|
{chr(10).join(follows)}

Weak points: the mean of what speakers do is predicted, so changes come out smaller than any one speaker's (conversion
multiplies them: `affectgen/speech/predictor/hook.py`); twelve sentences, one language, actors; pauses hardly occur in
them and are hardly learnt.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, train, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds crema_d/")
    parser.add_argument("--output", type=Path, default=Path("checkpoints") / NAME, help="folder to write")
    parser.add_argument("--cache", type=Path, help="folder that keeps what was measured of the clips")
    parser.add_argument("--run", type=Path, help="folder of the training's state, from which it goes on if cut off")
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(1)
    material = read_material(options.data, options.cache)
    how = Settings(steps=options.steps, seed=options.seed)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) if options.run is None else options.run
        predictor = fit(material, PredictorConfig(), how, run)
        curves, stages = read_stages(run, {STAGE: "best"})
    training = material.pairs["training"]
    counts = {part: len(material.pairs[part]) for part in PARTS} | {"felt": len(felt(material.pairs["test"]))}
    speakers = sorted({pair.speaker for pair in training})
    counts["speakers"] = len(speakers)
    config = {"licence": LICENCE, "trained_on": TRAINED_ON, "settings": asdict(how), "training": stages}
    config |= {"speakers": speakers, "split_version": SPEECH_SPLIT_VERSION}
    save_predictor(options.output, predictor, config, card(predictor, how, counts, stages[STAGE]))
    write_curves(options.output / "curves.csv", curves)
    _say(f"{options.output}: {predictor.figures}, {time.perf_counter() - started:.0f} s")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
