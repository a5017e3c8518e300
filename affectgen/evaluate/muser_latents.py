"""What MusER's latents hold: reconstruction of unseen songs, codebooks in use, element transfer, kept elements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from affectgen.evaluate.figures import Figure
from affectgen.evaluate.reference import Reference
from affectgen.muser.compose import Composer, Writer
from affectgen.muser.generate import Generator
from affectgen.muser.options import GenerateOptions
from affectgen.muser.paper.compose import PaperComposer
from affectgen.muser.transfer import attribute_means, measure_moves, note_f1, reconstruct, transfer
from affectgen.score.grid import GridScore
from affectgen.score.midi import read_grid, write_midi
from affectgen.score.words import encode
from affectgen.writing.options import ELEMENTS

BARS = 12  # of each clip, so that source and donor are alike in length
LEAST_GAP = 0.5  # standard deviations that donor and source must differ by in the moved element
STILL = 0.3
TEMPERATURE = 0.8


@dataclass(frozen=True)
class Transfers:
    """right: share of pairs whose moved attribute went toward the donor's; still: share of other attributes' moves
    under 0.3 sd; pairs counted.
    """

    right: float
    still: float
    pairs: int
    by_element: dict[str, float]


def figures(composer: Writer, reference: Reference, clips: int, pairs: int, seed: int) -> list[Figure]:
    """Every figure about latents; of the paper's structure those it has: reconstruction and its one codebook in use."""
    scores = unseen(reference, max(clips, 2 * pairs))
    if isinstance(composer, PaperComposer):
        rebuilt = [note_f1(score, composer.reconstruct(score)) for score in scores[:clips]]
        return [
            Figure("reconstruction, note F1, unseen songs", float(np.mean(rebuilt)), at_least=0.9),
            Figure("codebooks in use, words", float(composer.model.usage().mean()), at_least=0.8),
        ]
    if not isinstance(composer, Composer):
        return []
    f1 = float(np.mean([note_f1(score, reconstruct(composer, score)) for score in scores[:clips]]))
    usage = composer.model.bar_books.usage().cpu().numpy()
    words = composer.model.word_books.usage().cpu().numpy()
    moved = transfers(composer, scores, pairs, seed)
    shown = ", ".join(f"{name} {share:.2f}" for name, share in moved.by_element.items())
    return [
        Figure("reconstruction, note F1, unseen songs", f1, at_least=0.9),
        Figure("codebooks in use, bars", float(usage.mean()), at_least=0.8, note=f"least {usage.min():.2f}"),
        Figure("codebooks in use, words", float(words.mean()), at_least=0.8, note=f"least {words.min():.2f}"),
        Figure("transfer: moved element goes the right way", moved.right, at_least=0.8, note=shown),
        Figure("transfer: other elements still (< 0.3 sd)", moved.still, at_least=0.8, note=f"{moved.pairs} pairs"),
        Figure("kept elements identical under --keep", kept_identical(composer, scores[:6], seed), at_least=1.0),
    ]


def unseen(reference: Reference, count: int) -> list[GridScore]:
    """The first bars of validation clips, spread over the split."""
    paths = reference.grids("val")
    picked = [paths[int(index)] for index in np.linspace(0, len(paths) - 1, count)]
    return [read_grid(path).take_bars(0, BARS) for path in picked]


def transfers(composer: Composer, scores: list[GridScore], pairs: int, seed: int) -> Transfers:
    """Move one element at a time between unseen pieces that differ in it."""
    spread = np.array(composer.attribute_spread)
    means = np.array([attribute_means(encode(score)) for score in scores])
    rng = np.random.default_rng(seed)
    right: dict[str, list[bool]] = {name: [] for name in ELEMENTS}
    still: list[bool] = []
    for number in range(pairs):
        element = number % len(ELEMENTS)
        source, donor = _pair(means[:, element] / spread[element], rng)
        made = transfer(composer, scores[source], scores[donor], (ELEMENTS[element],), seed + number, TEMPERATURE)
        moves = measure_moves(encode(scores[source]), encode(scores[donor]), made.words, spread)
        right[ELEMENTS[element]].append(bool(moves.shift[element] * (means[donor] - means[source])[element] > 0))
        others = np.delete(moves.shift, element)
        still.extend((np.abs(others[np.isfinite(others)]) < STILL).tolist())
    every = [value for values in right.values() for value in values]
    shares = {name: float(np.mean(values)) for name, values in right.items() if values}
    return Transfers(float(np.mean(every)), float(np.mean(still)), pairs, shares)


def _pair(values: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
    """A source and a donor whose values differ by at least LEAST_GAP, or the two that differ most of 200 draws."""
    best, gap = (0, 1), -1.0
    for _ in range(200):
        source, donor = (int(index) for index in rng.choice(len(values), 2, replace=False))
        difference = abs(values[source] - values[donor])
        if difference > gap:
            best, gap = (source, donor), difference
        if difference >= LEAST_GAP:
            return source, donor
    return best


def kept_identical(composer: Composer, scores: list[GridScore], seed: int) -> float:
    """Share of pieces recomposed under --keep whose kept element is the same, note by note."""
    generator, same = Generator(composer), []
    for number, score in enumerate(scores):
        data = write_midi(score)
        piece = generator.run([GenerateOptions("sad", seed + number, source=data, keep=("pitch",))])[0]
        source = read_grid(data)
        same.append(len(source) == len(piece.score) and bool((source.pitch == piece.score.pitch).all()))
    return float(np.mean(same))
