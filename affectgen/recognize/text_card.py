"""The words of the text recognisers' cards."""

from __future__ import annotations

from collections.abc import Mapping

LICENCE = "CC-BY-SA-4.0"
PURPOSE = {
    "judge": "Measures texts. Nothing trains on it, stops early by it or picks by it.",
    "guide": "May steer. It never measures a result; the judge does.",
    "recogniser": "What `affectgen rate` reports for text.",
}
TRAINED_ON = {
    "judge": "the dev splits of EmoBank and GoEmotions",
    "guide": "the train splits of EmoBank and GoEmotions",
    "recogniser": "the train splits of EmoBank and GoEmotions",
}
MODEL = {
    "judge": "Linear in words, word pairs and cues; anchored and calibrated out of fold (five folds).",
    "guide": """One convolutional network over word vectors, another family than the judge; anchored and
calibrated on a tenth of the train splits, which it was not fitted on.""",
    "recogniser": """A transformer of six layers in 8 bits, averaged with two convolutional networks over word vectors
and a ridge regression that hears these; anchored and calibrated on a tenth of the train splits, which none of them was
fitted on.""",
}
TAUGHT = """
Word vectors start as all-MiniLM-L6-v2's (Apache-2.0). A kernel regression on that encoder, fitted on EmoBank's training
sentences, rated GoEmotions's comments, and the networks learnt from its ratings too.
"""


TUNED = """
The transformer is all-MiniLM-L6-v2 (Apache-2.0) with a smaller vocabulary, trained further on EmoBank's ratings and
GoEmotions's labels together; the word pieces' vectors stayed as they were.
"""


def card(
    what: str,
    seed: int,
    figures: Mapping[str, float],
    seconds: float,
    cores: int | None,
    training: float | None = None,
) -> str:
    """The checkpoint's card in Markdown. training: seconds of the transformer's, where there is one."""
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value:g} |" for name, value in figures.items())
    encoder = "" if what == "judge" else " --encoder all-MiniLM-L6-v2"
    after = "" if training is None else f", beside {training:.0f} s of the transformer's training on a shared machine"
    encoders = "" if training is None else "; the encoder trained further: Apache-2.0"
    return f"""# text-{what}

{PURPOSE[what]}

Reads valence, arousal, dominance and GoEmotions's 28 labels off English sentences.
{MODEL[what]}
{"" if what == "judge" else TAUGHT}{"" if training is None else TUNED}
- Fitted on {TRAINED_ON[what]}.
- Command: `python -m affectgen.recognize.text_fit --data ../shared/data --what {what} --lexicon vader_lexicon.txt\
{encoder} --seed {seed}`
- {seconds:.0f} s, one thread of {cores} CPU cores{after}.
- Licence of the weights: {LICENCE} (EmoBank's; GoEmotions: CC-BY-4.0; the word valences: VADER's, MIT{encoders}).

Measured on the test splits, on which nothing was fitted. What was chosen by trying was chosen on the dev splits; test
figures of earlier fits had been seen by then.

| figure | value |
|---|---|
{rows}

Weak points: English only; one text without what was said before; no irony; EmoBank's file has the raters' means, so
how far raters differ is not known; arousal and dominance are hardly to be had from words.
"""
