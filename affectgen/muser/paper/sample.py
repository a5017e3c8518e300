"""Sampling the paper's model: codes from the prior, then words from the codes, many pieces at once.

All steps use key-value caches; every row draws from its own generator in a fixed order. No guidance and no grammar:
a word is what its seven independent draws make it (see `playable` for what becomes of nonsense).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from affectgen.muser.paper.config import Draw
from affectgen.muser.paper.model import PaperModel
from affectgen.muser.paper.prior import PaperPrior
from affectgen.muser.paper.stream import Words
from affectgen.score.words import BAR_LINE, ELEMENTS, Family, Field
from affectgen.writing.draws import pick

Generators = Sequence[np.random.Generator]


@dataclass(frozen=True)
class Codes:
    """Codes int64 [B, S] of B pieces, of which the first `length` int64 [B] count."""

    codes: Tensor
    length: Tensor


@torch.no_grad()
def sample_codes(prior: PaperPrior, quadrant: Tensor, live: int, most: int, draw: Draw, rngs: Generators) -> Codes:
    """Codes for the first `live` of quadrants int64 [B], at most `most` each; always [B, most], zeros at the end.

    The other rows only fill the batch and have no codes.
    """
    prior.eval()
    rows = len(quadrant)
    codes = torch.zeros(rows, most, dtype=torch.long, device=quadrant.device)
    length = torch.full_like(quadrant, most)
    length[live:] = 0
    cache = prior.stack.new_cache(rows, most + 1, quadrant.device)
    logits = prior.first(quadrant, cache)
    for step in range(most):
        code = pick(logits, draw.top_p, draw.temperature, rngs)
        length = torch.where((code == prior.stop) & (length == most), step, length)
        if (length < most).all():
            break
        codes[:, step] = code.masked_fill(step >= length, 0)
        logits = prior.after(codes[:, step], cache)
    return Codes(codes, length)


class Decoding:
    """The state of one call: caches, words so far, bars opened, rows that have ended."""

    def __init__(self, model: PaperModel, quadrant: Tensor, codes: Codes, bars: Sequence[int]) -> None:
        self.model, self.codes, self.most_bars = model, codes, np.array(bars)
        self.latents = model.latents(codes.codes)  # [B, S, 112]
        rows, most = codes.codes.shape
        device = quadrant.device
        place = torch.arange(most, device=device)
        self.mask = (place < codes.length.clamp_min(1)[:, None])[:, None, None]  # attention needs one place to look
        self.memory = model.globally.remember(self.latents)
        self.cache = model.globally.new_cache(rows, most, device)
        self.caches = model.elements.new_caches(rows, most, device)
        self.next = model.emotion(quadrant)[:, None]  # [B, 1, D]
        self.ends = codes.length.cpu().numpy()
        self.words: list[list[Words]] = [[] for _ in range(rows)]
        self.opened = np.zeros(rows, dtype=np.int64)
        self.done = self.ends == 0

    def run(self, draws: Sequence[Draw], rngs: Generators) -> list[Words]:
        """The words [T, 7] of each piece as drawn."""
        for step in range(self.latents.shape[1]):
            if self.done.all():
                break
            self._take(self._draw(step, draws, rngs))
            self.done |= self.ends <= step + 1
        return [np.stack(words) if words else np.zeros((0, len(ELEMENTS)), dtype=np.int64) for words in self.words]

    def _draw(self, step: int, draws: Sequence[Draw], rngs: Generators) -> Words:
        """The next word of every row [B, 7]: the family first, the other six given it, apart from each other."""
        state = self.model.globally(self.next, self.memory, self.mask, self.cache)
        hidden = self.model.elements(state, self.latents[:, step : step + 1], self.caches)
        drawn: list[Tensor] = []
        family = torch.zeros(0)  # element 0 does not read it
        for element, draw in enumerate(draws):
            logits = self.model.elements.logits(element, hidden[element][:, 0], family)
            drawn.append(pick(logits, draw.top_p, draw.temperature, rngs))
            if element == 0:
                family = self.model.tables[0](drawn[0])
        word = torch.stack(drawn, dim=-1)
        self.next = self.model.decoder_in(self.model.embed(word[:, None]))
        return word.cpu().numpy()

    def _take(self, word: Words) -> None:
        """Append the words of the rows that go on; a row ends at END or where a bar too many would open."""
        metrical, beat = word[:, Field.FAMILY] == Family.METRICAL, word[:, Field.BEAT]
        opens = metrical & ((beat == BAR_LINE) | (beat > BAR_LINE) & (self.opened == 0))  # as `playable` reads it
        self.done |= opens & (self.opened >= self.most_bars)
        self.opened += opens
        for row in np.flatnonzero(~self.done):
            self.words[row].append(word[row])
        self.done |= word[:, Field.FAMILY] == Family.END


@torch.no_grad()
def sample_words(
    model: PaperModel, quadrant: Tensor, codes: Codes, bars: Sequence[int], draws: Sequence[Draw], rngs: Generators
) -> list[Words]:
    """Words [T, 7] as drawn for quadrants int64 [B], row b from its codes and at most bars[b] bars long.

    draws: how each element is drawn, in the order of ELEMENTS. A piece ends at END, with its codes, or with its bars.
    """
    model.eval()
    return Decoding(model, quadrant, codes, bars).run(draws, rngs)
