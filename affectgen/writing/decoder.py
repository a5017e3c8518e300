"""The two-level decoder: a causal transformer over words, then one small decoder per element, in a cascade.

Each element's decoder sees the global state, the fields already decided for the word, and, where a model has latent
slices, its own slices only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.nn.transformer import Cache, Transformer, TransformerConfig
from affectgen.score.stream import BAR, CHORD, POSITION, TEMPO
from affectgen.score.words import BAR_LINE, ELEMENTS, SIZES, Family, Field

INPUTS = (
    ("family", Field.FAMILY), ("beat", POSITION), ("tempo", TEMPO), ("chord", CHORD),
    ("pitch", Field.PITCH), ("duration", Field.DURATION), ("velocity", Field.VELOCITY), ("key", Field.KEY),
)  # fmt: skip
METRICAL = (2, 3)  # tempo, chord: elements of words that open an onset
NOTE = (4, 5, 6)  # pitch, duration, velocity: elements of notes
MOST_BARS_LEFT = 33  # bars to the end are told apart up to this many; more count as this many
CLOSINGS = ("excerpt", "ending")  # what the last bar of a piece is: where a clip was cut, or a real ending


class DecoderSizes(Protocol):
    """What of a model's config concerns the decoder. slice_dim: width of a latent slice, 0 for a model without."""

    @property
    def dim(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def condition(self) -> int: ...
    @property
    def dropout(self) -> float: ...
    @property
    def slice_dim(self) -> int: ...


def applicable(words: Tensor) -> list[Tensor]:
    """For each element the words [..., 8] it applies to, boolean [...]; padding has none."""
    family, beat = words[..., Field.FAMILY], words[..., Field.BEAT]
    metrical = family == Family.METRICAL
    onset = metrical & (beat > BAR_LINE)
    note = family == Family.NOTE
    return [family > Family.PAD, metrical, onset, onset, note, note, note]


class GlobalDecoder(nn.Module):
    """Words so far -> one state per word, under the condition of each word's bar."""

    def __init__(self, config: DecoderSizes) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(SIZES[name], config.dim) for name, _ in INPUTS)
        for table in self.tables:
            nn.init.normal_(cast(nn.Embedding, table).weight, std=0.05)
        self.stack = Transformer(
            TransformerConfig(
                dim=config.dim, layers=config.layers, heads=config.heads, condition=config.condition,
                dropout=config.dropout,
            )
        )  # fmt: skip

    def forward(self, table: Tensor, condition: Tensor, cache: Cache | None = None) -> Tensor:
        """Tables [B, T, 13] and condition [B, N, C] by bar -> states [B, T, D]."""
        x = sum(book(table[..., column]) for book, (_, column) in zip(self.tables, INPUTS, strict=True))
        return self.stack(x, condition, place=table[..., BAR], cache=cache)


class ElementDecoders(nn.Module):
    """Seven decoders in the order family, beat, tempo, chord, pitch, duration, velocity."""

    def __init__(self, config: DecoderSizes) -> None:
        super().__init__()
        dim, width = config.dim, config.slice_dim
        self.chosen = nn.ModuleList(nn.Embedding(SIZES[name], dim) for name in ELEMENTS)
        for table in self.chosen:
            nn.init.normal_(cast(nn.Embedding, table).weight, std=0.2)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in ELEMENTS)
        self.hidden = nn.ModuleList(nn.Linear(dim, dim) for _ in ELEMENTS)
        self.plan = nn.ModuleList(nn.Linear(width, dim, bias=False) for _ in ELEMENTS if width)
        self.detail = nn.ModuleList(nn.Linear(width, dim, bias=False) for _ in ELEMENTS if width)
        self.out = nn.ModuleList(nn.Linear(dim, SIZES[name]) for name in ELEMENTS)

    def add(self, element: int, state: Tensor, value: Tensor) -> Tensor:
        """The state [..., D] once the element's value [...] is decided."""
        return state + self.chosen[element](value)

    def forward(
        self, element: int, state: Tensor, plan: Tensor | None = None, detail: Tensor | None = None
    ) -> Tensor:
        """Logits [N, V] of one element from states [N, D] and, in a model with slices, its bar slices [N, S] and word
        slices [N, S] (0 if there are none for a word)."""
        hidden = self.hidden[element](self.norms[element](state))
        if plan is not None and detail is not None:
            hidden = hidden + self.plan[element](plan) + self.detail[element](detail)
        return self.out[element](F.gelu(hidden))

    def likelihood(
        self, words: Tensor, states: Tensor, plan: Tensor | None = None, detail: Tensor | None = None
    ) -> Tensor:
        """Negative log likelihood of each element in nats per word, [7].

        words [M, 8] with the states [M, D] before them; slices of each word's bar [M, 7, S], of the word [M, 7, S].
        """
        found = list(self.forced(words, states, plan, detail))
        count = max(len(found[0][0]), 1)  # every word has a family
        losses = [
            F.cross_entropy(logits.float(), words[index, element], reduction="sum") / count
            for element, (index, logits) in enumerate(found)
        ]
        return torch.stack(losses)

    def forced(
        self, words: Tensor, states: Tensor, plan: Tensor | None = None, detail: Tensor | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Of each element the words [n] that have it, and its logits [n, V] there, given their earlier elements; of
        what `likelihood` takes."""
        for element, mask in enumerate(applicable(words)):
            index = mask.nonzero().flatten()
            hidden = states[index]
            for earlier in range(element):
                if _same_family(earlier, element):
                    hidden = self.add(earlier, hidden, words[index, earlier])
            slices = (None, None) if plan is None or detail is None else (plan[index, element], detail[index, element])
            yield index, self(element, hidden, *slices)


def _same_family(earlier: int, element: int) -> bool:
    """Whether an earlier element can be set in words that have `element`."""
    metrical = (0, 1, *METRICAL)
    return earlier == 0 or (earlier in metrical) == (element in metrical)
