"""Fit the emotion space and write its checkpoint folder: weights, config with the figures, card.

python -m affectgen.speech.space.fit --data ../shared/data
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.recognize.speech_corpus import Table, read_clips, read_table
from affectgen.recognize.text import load_text_guide
from affectgen.speech.space.figures import recall, retrieval
from affectgen.speech.space.material import Material, parts, read_texts
from affectgen.speech.space.model import NAME, EmotionSpace, save_space
from affectgen.speech.space.train import Settings, fit_space
from affectgen.speech.split import SPEECH_SPLIT_VERSION

LICENCE = "ODbL-1.0 AND CC-BY-SA-4.0"
TRAINED_ON = (
    "training speakers of CREMA-D (labels: the crowd's voice-only votes) and EMO-DB, dev splits of GoEmotions and "
    "EmoBank"
)
ABLATIONS: dict[str, dict[str, Any]] = {"pair": {"positives": "pair"}, "bare": {"positives": "pair", "beside": 0.0}}
ROWS = {
    "text": "by a text",
    "speech": "by a clip, among clips of other speakers",
    "request": "by a label and its point",
    "point": "by the label's point alone",
}


def measured(space: EmotionSpace, part: Material) -> dict[str, float]:
    """All figures of a part, rounded."""
    crema = part.clips.pick(np.char.startswith(part.clips.groups, "crema_d/"))
    found = retrieval(space, part) | {"recall": recall(space, crema)}
    return {name: round(value, 3) for name, value in found.items()}


def fit(material: Mapping[str, Material], settings: Settings) -> EmotionSpace:
    """The space with its figures on the test part beside those of the ablations."""
    space = fit_space(dict(material), settings, _say)
    found = {"label": measured(space, material["test"]), "development": measured(space, material["development"])}
    for name, changed in ABLATIONS.items():
        _say(f"once more with {changed}")
        found[name] = measured(fit_space(dict(material), replace(settings, **changed), _say), material["test"])
    return replace(space, figures=found)


def read_material(data: Path, cache: Path | None) -> tuple[dict[str, Material], Table]:
    """What is fitted on and measured with, and the clips' table. Clips of the judge's speakers are not even read."""
    clips = [clip for clip in read_clips(data) if not clip.judges]
    table = read_table(clips, None if cache is None else cache / "clips.npz")
    reader = load_text_guide()
    return parts(table, lambda split: read_texts(reader, data, split)), table


def card(
    settings: Settings, figures: Mapping[str, Mapping[str, float]], counts: Mapping[str, int], spent: float
) -> str:
    """The checkpoint's card in Markdown."""
    ours, pairs, bare = (figures[name] for name in ("label", *ABLATIONS))
    rows = [
        f"| {words} | " + " | ".join(_two(one, name) for one in (ours, pairs, bare)) + f" | {ours['chance']:.3f} |"
        for name, words in ROWS.items()
    ]
    others = [
        f"| {words} | {ours[name]:.3f} | {pairs[name]:.3f} |"
        for name, words in (
            ("recall", "labels of clips, unweighted average recall"),
            ("valence_r", "valence of clips, r"),
            ("arousal_r", "arousal of clips, r"),
            ("text_valence_r", "valence of EmoBank's sentences, r"),
            ("text_arousal_r", "arousal of EmoBank's sentences, r"),
        )
    ]
    return f"""# {NAME}

Texts, voices and requests in one space of {settings.dim} dimensions, so that a voice can be looked up by what a
sentence says or by what is asked for. May steer; it never measures a result.

Three networks of one hidden layer: of a text it reads the text guide's label shares and ratings, of a clip some three
hundred statistics of the voice, of a request a point and, if given, a label. All texts, clips and requests of one
emotion are drawn together (supervised contrastive loss, both directions, learned temperature), in the measure in which
listeners named the same; EmoCLAP draws the pair at hand together only. Heads read labels and valence and arousal off
every vector.

- Fitted on {TRAINED_ON}:
  {counts["texts"]} texts, {counts["clips"]} clips of {counts["speakers"]} speakers. None is the judge's, none a test
  speaker's. Stopped by {counts["held_texts"]} texts and {counts["held_clips"]} clips of development speakers.
- GoEmotions' labels as Demszky et al. (2020) map them to Ekman's; surprise has no voice.
- Command: `python -m affectgen.speech.space.fit --data ../shared/data --seed {settings.seed}`
- {spent:.0f} s with the ablations, one thread of {os.cpu_count()} CPU cores, beside the reading of the clips.
- Licence of the weights: {LICENCE}
  (CREMA-D's data base licence; EmoBank, from which the text guide and the heads learnt); GoEmotions: CC-BY-4.0;
  EMO-DB: CC0.

Measured on the test speakers of CREMA-D, the {counts["test_clips"]} clips whose listeners agreed, and on the test
splits of the texts, {counts["test_texts"]} with one label: how often what is found carries the emotion that was asked
for, first the nearest, then the five nearest, as means over six emotions (there is one request an emotion). "Pairs":
trained alike, but with the pair at hand as the only positive; "bare": pairs, and without the heads, as EmoCLAP is.

| clips looked up | nearest, five | pairs | bare | chance |
|---|---|---|---|---|
{chr(10).join(rows)}

| what is read off a vector | here | pairs |
|---|---|---|
{chr(10).join(others)}

Weak points: what actors do in two corpora; listeners rarely agree on sadness, disgust and joy, so there are few such
clips, and the nearest neighbours of a clip are often of another emotion; boredom has no texts; a sentence is read
without what was said before it.
"""


def _two(figures: Mapping[str, float], name: str) -> str:
    return f"{figures[f'{name}_top1']:.3f}, {figures[f'{name}_top5']:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds crema_d/, emo_db/ and text/")
    parser.add_argument("--output", type=Path, default=Path("checkpoints") / NAME, help="folder to write")
    parser.add_argument("--cache", type=Path, help="folder that keeps what was read of the clips")
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(1)
    material, table = read_material(options.data, options.cache)
    started = time.perf_counter()
    settings = Settings(steps=options.steps, seed=options.seed)
    space = fit(material, settings)
    training, held, test = material["training"], material["development"], material["test"]
    counts = {"texts": len(training.texts), "clips": len(training.clips), "speakers": len(set(training.clips.groups))}
    counts |= {"held_texts": len(held.texts), "held_clips": len(held.clips)}
    crema = np.char.startswith(test.clips.groups, "crema_d/")
    counts |= {"test_texts": int(test.texts.agreed.sum()), "test_clips": int((test.clips.agreed & crema).sum())}
    config: dict[str, Any] = {"trained_on": TRAINED_ON, "settings": asdict(settings), "licence": LICENCE}
    config |= {"speakers": sorted(set(training.clips.groups.tolist())), "split_version": SPEECH_SPLIT_VERSION}
    spent = time.perf_counter() - started
    save_space(options.output, space, config, card(settings, space.figures, counts, spent))
    _say(f"{options.output}: {space.figures}, {len(table)} clips read, {spent:.0f} s")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
