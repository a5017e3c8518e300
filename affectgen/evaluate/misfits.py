"""How well words are found that another editor set in: neutral words in emotional takes, and takes nobody edited.

`python -m affectgen.evaluate.misfits --data DATA --write docs/speech_correct.md` measures it on speakers that nothing
was fitted on; `--fit` learns the weights of `affectgen.speech.correcting.correct_misfits` from training speakers and
the threshold from development speakers, and prints them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import audio_info, read_mono
from affectgen.errors import AffectgenError
from affectgen.evaluate.corrections import EMOTIONS, SEVERAL, Aligns, pairs_of, spliced
from affectgen.recognize.speech_corpus import Clip
from affectgen.report.blocks import write_block
from affectgen.speech.aligning.alignment import Alignment
from affectgen.speech.correcting.correct_misfits import (
    LEAST_WORDS,
    LONGEST,
    WIDE,
    features,
    heard,
    misfits,
    scores,
    stretches,
    terms,
)  # fmt: skip
from affectgen.speech.predictor.takes import read_texts

Floats = NDArray[np.float64]

BLOCK = "misfits"
FALSE_ALARMS = 0.15  # of the recordings that nobody edited, which the threshold is set for
RIDGE = 1.0
CAP, CAP_OF_WIDE = 0.8, 0.97  # quantiles of differences, and of the WIDE ones, beyond which they say no more
BESIDE = {True: 0.2, False: 0.12}  # share of the other stretches that is learned from, of untouched takes and of others
FIT_PAIRS = {"training": 300, "development": 150}
TEST_PAIRS = 160


@dataclass(frozen=True)
class Take:
    """A recording. samples, rate, alignment: mono; words: those set in, None where it is as it was spoken; emotion: the
    one that it was acted in."""

    samples: Floats
    rate: int
    alignment: Alignment
    words: range | None
    emotion: str


@dataclass(frozen=True)
class MisfitRow:
    """Of recordings with words set in: found, the share in which one of those words is; precision and recall of
    words."""

    cases: int
    found: float
    precision: float
    recall: float


@dataclass(frozen=True)
class MisfitFigures:
    """rows: by emotion and "all"; untouched: how many takes nobody edited, false_alarms: in which share of them a word
    is taken, false_words: and how many of their words."""

    rows: dict[str, MisfitRow]
    speakers: int
    untouched: int
    false_alarms: float
    false_words: float


def takes_of(
    aligner: Aligns, data: Path, part: str, most: int, drawn: bool = False
) -> Iterator[tuple[Clip, list[Take]]]:
    """For each pair of a neutral and an emotional take: the emotional one with neutral words in it, aligned anew, and
    both untouched. The words are the middle ones, as in `corrections`; drawn: others as well, anywhere."""
    texts, chance = read_texts(data), np.random.default_rng(0)
    for neutral, felt in pairs_of(data, part, most, 0):
        rate = audio_info(felt.file).rate
        calm, emotional = (read_mono(clip.file, rate).astype(np.float64) for clip in (neutral, felt))
        try:
            known = [aligner.align(one.astype(np.float32), rate, texts[felt.name]) for one in (calm, emotional)]
            count = len(known[1].words)
            if count < LEAST_WORDS or len(known[0].words) != count:
                continue
            takes = [Take(calm, rate, known[0], None, "neutral"), Take(emotional, rate, known[1], None, felt.acted)]
            for words in _set_in(count, chance if drawn else None):
                case = spliced(calm, emotional, rate, known[0], known[1], words, felt.acted)
                found = aligner.align(case.samples.astype(np.float32), rate, texts[felt.name])
                takes.append(Take(case.samples, rate, found, words, felt.acted))
        except AffectgenError:  # a take that is cut off or badly spoken says nothing
            continue
        yield felt, takes


def _set_in(count: int, chance: np.random.Generator | None) -> list[range]:
    """The middle words of a sentence of `count`, and some drawn ones."""
    width = min(2 if count < SEVERAL else 3, count // 2)
    places = [range((count - width) // 2, (count - width) // 2 + width)]
    if chance is not None:
        width = int(chance.integers(1, min(LONGEST, count // 2) + 1))
        first = int(chance.integers(0, count - width + 1))
        places.append(range(first, first + width))
    return places


def misfit_figures(aligner: Aligns, data: Path, part: str = "test", most: int = TEST_PAIRS) -> MisfitFigures:
    """The figures on speakers of a part of `affectgen.speech.split`. AffectgenError where the data is missing."""
    hits: list[tuple[str, int, int, int]] = []
    clean: dict[int, tuple[int, int]] = {}  # a neutral take stands beside several emotional ones
    speakers = set()
    for felt, takes in takes_of(aligner, data, part, most):
        speakers.add(felt.speaker)
        for take in takes:
            taken = {word for one in misfits(take.samples, take.rate, take.alignment) for word in one.words}
            if take.words is None:
                clean[hash(take.samples.tobytes())] = (len(taken), len(take.alignment.words))
            else:
                hits.append((take.emotion, len(taken & set(take.words)), len(taken), len(take.words)))
    if not hits:
        raise AffectgenError(f"{data} gives no case for speakers of the part {part!r}.", "Give the whole data.")
    kinds = {name: [one for one in hits if one[0] == name] for name in EMOTIONS}
    parts: dict[str, list[tuple[str, int, int, int]]] = {"all": hits, **kinds}
    rows = {name: _row(own) for name, own in parts.items() if own}
    counts = np.array(list(clean.values()))
    alarms, words = (counts[:, 0] > 0).mean(), counts[:, 0].sum() / counts[:, 1].sum()
    return MisfitFigures(rows, len(speakers), len(counts), float(alarms), float(words))


def _row(hits: Sequence[tuple[str, int, int, int]]) -> MisfitRow:
    right, taken, true = np.array([one[1:] for one in hits]).sum(axis=0).tolist()
    return MisfitRow(len(hits), sum(one[1] > 0 for one in hits) / len(hits), right / max(taken, 1), right / true)


def block_of(figures: MisfitFigures) -> str:
    """The page's block."""
    how = (
        "Neutral words (the middle two or three of a sentence) in the same actor's emotional take, "
        f"{figures.speakers} actors of CREMA-D that nothing was fitted on, aligned and searched as the command does it "
        "(`python -m affectgen.evaluate.misfits --data DATA --write docs/speech_correct.md`):"
    )
    table = ["| emotional take | cases | one of the words is found | precision, words | recall, words |",
             "|---|---|---|---|---|"]  # fmt: skip
    table += [f"| {name} | {row.cases} | {row.found:.0%} | {row.precision:.2f} | {row.recall:.2f} |"
              for name, row in figures.rows.items()]  # fmt: skip
    alarms = (
        f"Of {figures.untouched} takes that nobody edited, {figures.false_alarms:.0%} have a word that is taken all "
        f"the same: {figures.false_words:.1%} of their words."
    )
    return "\n".join([how, "", *table, "", alarms])


@dataclass(frozen=True)
class Fitted:
    """What `correct_misfits` keeps: caps [K] of features, weights of terms, bias."""

    caps: Floats
    weights: Floats
    bias: float

    def text(self) -> str:
        """As the module has it."""
        parts = [f"{name} = ({', '.join(f'{one:.4f}' for one in values)})"
                 for name, values in (("CAPS", self.caps), ("WEIGHTS", self.weights))]  # fmt: skip
        return "\n".join([*parts, f"BIAS = {self.bias:.4f}"]) + "\n"


def fitted(aligner: Aligns, data: Path) -> Fitted:
    """Learn from training speakers; 0 is where FALSE_ALARMS of the development speakers' untouched takes lie above."""
    chance = np.random.default_rng(0)
    rows, counts, marks = [], [], []
    for _, takes in takes_of(aligner, data, "training", FIT_PAIRS["training"], drawn=True):
        for take in takes:
            sound = heard(take.samples, take.rate, take.alignment)
            share = BESIDE[take.words is None]
            kept = [one for one in stretches(len(sound.words)) if one == take.words or chance.random() < share]
            rows += [features(sound, one) for one in kept]
            counts += [len(one) for one in kept]
            marks += [float(one == take.words) for one in kept]
    caps = np.quantile(rows, CAP, axis=0)
    caps[-WIDE:] = np.quantile(rows, CAP_OF_WIDE, axis=0)[-WIDE:]
    inputs = np.array([terms(row, caps, count) for row, count in zip(rows, counts, strict=True)])
    weights, bias = _logistic(inputs, np.array(marks), free=2)
    best = []
    for _, takes in takes_of(aligner, data, "development", FIT_PAIRS["development"]):
        for take in takes:
            if take.words is None:
                sound = heard(take.samples, take.rate, take.alignment)
                best.append(float(scores(sound, list(stretches(len(sound.words))), caps, weights, bias).max()))
    return Fitted(caps, weights, bias - float(np.quantile(best, 1 - FALSE_ALARMS)))


def _logistic(rows: Floats, marks: Floats, free: int) -> tuple[Floats, float]:
    """Ridge logistic regression whose weights are at least 0 but for the last `free`, so that a greater difference is
    never a better fit; stretches set in count as much as all others together."""
    from scipy.optimize import minimize

    scale = rows.std(axis=0) + 1e-9
    inputs = np.c_[rows / scale, np.ones(len(rows))]
    counts = np.where(marks > 0, (1 - marks).sum() / max(marks.sum(), 1), 1.0)

    def loss(found: Floats) -> tuple[float, Floats]:
        held = inputs @ found
        slopes = inputs.T @ (counts * (1 / (1 + np.exp(-held)) - marks)) + np.r_[RIDGE * found[:-1], 0.0]
        value = (counts * (np.logaddexp(0, held) - marks * held)).sum() + RIDGE / 2 * (found[:-1] ** 2).sum()
        return float(value), slopes

    count = rows.shape[1]
    bounds = [(0.0, None)] * (count - free) + [(None, None)] * (free + 1)
    found = minimize(loss, np.zeros(count + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    return np.asarray(found[:-1] / scale), float(found[-1])


def main(words: Sequence[str]) -> int:
    """Measure, or learn, and say it."""
    from affectgen.speech.aligning.align import Aligner

    parser = argparse.ArgumentParser(prog="python -m affectgen.evaluate.misfits", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds crema_d/")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="the page whose block gets the figures")
    parser.add_argument("--most", type=int, default=TEST_PAIRS, help="pairs of takes")
    parser.add_argument("--fit", action="store_true", help="learn weights and threshold instead")
    given = parser.parse_args(words)
    if given.fit:
        sys.stdout.write(fitted(Aligner(), given.data).text())
        return 0
    text = block_of(misfit_figures(Aligner(), given.data, most=given.most))
    if given.write is not None:
        write_block(given.write, BLOCK, text)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
