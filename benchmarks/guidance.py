"""How near EmoGen's guidance, which moves the decoder's condition, comes to guidance of logits, for half the work.

    python benchmarks/guidance.py --data DATA            prints the table; some 4 minutes on one core
    python benchmarks/guidance.py --data DATA --write    also puts it into docs/results.md, between the guidance marks

Windows of clips that training did not see, half of them told their own attributes, half those of another window. For
each word the chances of every element's values under guidance of logits (classifier-free guidance, Ho & Salimans, 2022)
are compared with those under a moved condition: Kullback-Leibler divergence, nats a word.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.emogen.checkpoint import load_emogen
from affectgen.emogen.corpora import read_corpora
from affectgen.emogen.data import Batch, Windows
from affectgen.emogen.model import Emogen
from affectgen.report.blocks import write_block
from affectgen.score.words import ELEMENTS

TOP = Path(__file__).resolve().parent.parent
RESULTS, BLOCK = TOP / "docs" / "results.md", "guidance"
WEIGHTS = (1.25, 1.5, 2.0, 3.0)  # of guidance of logits
FACTORS = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.4)  # by which the condition is moved
ROWS, WORDS, BATCHES, SEED = 8, 512, 8, 6


def draw_batches(data: Path) -> tuple[Emogen, list[Batch]]:
    """The shipped model, and windows of the validation clips."""
    composer = load_emogen(None)
    with tempfile.TemporaryDirectory() as folder:
        songs = read_corpora(data, Path(folder))["dev"]
    windows = Windows(songs, composer.scale, {"emopia": 1.0}, ROWS, WORDS, SEED)
    return composer.model.eval(), [half_told_of_others(windows.draw()) for _ in range(BATCHES)]


def half_told_of_others(batch: Batch) -> Batch:
    """Every second row is told what the row before it is like, throughout."""
    targets = batch.targets.clone()
    for row in range(1, len(targets), 2):
        targets[row] = batch.targets[row - 1, 0]
    return replace(batch, targets=targets)


def logits(model: Emogen, batch: Batch, condition: Tensor) -> list[Tensor]:
    """Of each element for the words that have it, [n, V], given the words before and the word's earlier elements."""
    states = model.globally(batch.table[:, :-1], condition).flatten(0, 1)  # [B (T - 1), D]
    words = batch.table[:, 1:, : len(ELEMENTS) + 1].flatten(0, 1)
    return [found for _, found in model.elements.forced(words, states)]


@torch.inference_mode()
def divergences(model: Emogen, batches: Sequence[Batch]) -> np.ndarray:
    """Nats a word, [weights, factors], the mean over batches."""
    found = np.zeros((len(WEIGHTS), len(FACTORS)))
    for batch in batches:
        told = model.condition(batch.targets, batch.bars_left, batch.style, batch.ending)
        free = model.condition(torch.full_like(batch.targets, torch.nan), batch.bars_left, batch.style, batch.ending)
        asked, unasked = logits(model, batch, told), logits(model, batch, free)
        words = len(asked[0])
        for column, factor in enumerate(FACTORS):
            moved = [F.log_softmax(one, -1) for one in logits(model, batch, torch.lerp(free, told, factor))]
            for row, weight in enumerate(WEIGHTS):
                wanted = [F.log_softmax(b + weight * (a - b), -1) for a, b in zip(asked, unasked, strict=True)]
                gaps = [F.kl_div(one, goal, log_target=True, reduction="sum")
                        for one, goal in zip(moved, wanted, strict=True)]  # fmt: skip
                found[row, column] += float(sum(gaps)) / words / len(batches)
    return found


def page(found: np.ndarray) -> str:
    """The block in docs/results.md."""
    lines = [
        "## Guidance of EmoGen", "",
        f"`python benchmarks/guidance.py --data DATA --write`: {BATCHES * ROWS} windows of up to {WORDS} words of "
        "clips that training did not see. Kullback-Leibler divergence of the chances under guidance of logits "
        "(weights, left) and those under a condition that is moved (factors, above), 1/1000 nats a word.", "",
        "| | " + " | ".join(f"{factor:g}" for factor in FACTORS) + " | nearest |", "|---" * (len(FACTORS) + 2) + "|",
    ]  # fmt: skip
    for weight, row in zip(WEIGHTS, found, strict=True):
        cells = " | ".join(f"{1000 * value:.1f}" for value in row)
        lines.append(f"| {weight:g} | {cells} | {FACTORS[int(row.argmin())]:g} |")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with emopia/")
    parser.add_argument("--write", action="store_true", help="put the table into docs/results.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    body = page(divergences(*draw_batches(options.data)))
    print(body)
    if options.write:
        write_block(RESULTS, BLOCK, body)


if __name__ == "__main__":
    main()
