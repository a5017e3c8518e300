"""Sampling the decoder: words one by one under masks and guidance, many pieces at once, each with its own generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.muser.decoder import INPUTS
from affectgen.muser.grammar import Grammar
from affectgen.muser.model import Muser
from affectgen.muser.planner import guided
from affectgen.muser.prior import pick
from affectgen.score.words import BAR_LINE, ELEMENTS, NO_CHORD, SIZES, Family, Field

FREE = -1  # in forced words: to be drawn
WORDS_PER_BAR = 96  # room in the cache for each bar
METRICAL = (2, 3)
NOTE = (4, 5, 6)


@dataclass(frozen=True)
class DecodeRequest:
    """What the decoder is asked for.

    condition: [2B, N, C], rows with the affect asked and then the same rows without; plan: [B, N, 7, S] quantised
    slices; grammars: one a row; forced: per row words [T, 8] whose fields are given, FREE where drawn, or None;
    prefix: per row words that open the piece (at least the key event).
    """

    condition: Tensor
    plan: Tensor
    grammars: Sequence[Grammar]
    prefix: Sequence[NDArray[np.int64]]
    forced: Sequence[NDArray[np.int64] | None]
    guidance: float
    top_p: float
    temperature: float
    temperatures: dict[int, float]  # for single elements, by their number


class Decoding:
    """The state of one call: words so far, what is in force in each row, the cache."""

    def __init__(self, model: Muser, request: DecodeRequest, rngs: Sequence[np.random.Generator]) -> None:
        self.model, self.request, self.rngs = model, request, list(rngs)
        self.rows = len(request.grammars)
        self.device = request.condition.device
        self.words: list[list[NDArray[np.int64]]] = [[] for _ in range(self.rows)]
        self.done = np.array([grammar.bars == 0 for grammar in request.grammars])  # rows that only fill the batch
        self.in_force = np.zeros((self.rows, 3), dtype=np.int64)  # position, tempo, chord
        self.capacity = WORDS_PER_BAR * request.plan.shape[1] + 2
        self.cache = model.globally.stack.new_cache(2 * self.rows, self.capacity, self.device)

    def run(self) -> list[NDArray[np.int64]]:
        """The words of each piece, int64 [T, 8], END included."""
        state, step = torch.zeros(0), 0
        while not self.done.all() and self.cache.length < self.capacity - 1:
            opening = np.array([step < len(prefix) for prefix in self.request.prefix])
            word = np.zeros((self.rows, 8), dtype=np.int64)
            if (~opening & ~self.done).any():
                word = self._next(state, step, ~opening & ~self.done)
            for row in np.flatnonzero(opening):
                word[row] = self.request.prefix[row][step]
            self._take(word)
            state = self._advance(word)
            step += 1
        return [self._closed(row) for row in range(self.rows) if self.words[row]]

    def _closed(self, row: int) -> NDArray[np.int64]:
        """The words of a row; one that ran out of room is ended after its last whole bar."""
        words = np.stack(self.words[row])
        if words[-1, 0] != Family.END:
            lines = np.flatnonzero((words[:, 0] == Family.METRICAL) & (words[:, 1] == BAR_LINE))
            end = np.zeros((1, 8), dtype=np.int64)
            end[0, 0] = Family.END
            words = np.concatenate([words[: max(lines[-1], 1)], end])
        return words

    def _take(self, word: NDArray[np.int64]) -> None:
        """Append the words and follow what they put in force."""
        for row in range(self.rows):
            if self.done[row]:
                continue
            self.words[row].append(word[row].copy())
            self.request.grammars[row].take(word[row])
            family, beat, tempo, chord = word[row, :4]
            if family == Family.METRICAL:
                self.in_force[row, 0] = beat
            if tempo:
                self.in_force[row, 1] = tempo
            if chord:
                self.in_force[row, 2] = chord
            self.done[row] = family == Family.END

    def _advance(self, word: NDArray[np.int64]) -> Tensor:
        """Feed one word a row through the global decoder: states [2B, D]."""
        table = np.zeros((self.rows, 13), dtype=np.int64)
        table[:, :8] = word
        table[:, 9:12] = self.in_force
        bar = np.array([max(grammar.bar, 0) for grammar in self.request.grammars])
        bar = np.minimum(bar, self.request.plan.shape[1] - 1)
        self.bar = torch.from_numpy(np.concatenate([bar, bar])).to(self.device)
        rows = torch.arange(2 * self.rows, device=self.device)
        condition = self.request.condition[rows, self.bar][:, None]  # [2B, 1, C]
        inputs = torch.from_numpy(np.concatenate([table, table])[:, None]).to(self.device)
        decoder = self.model.globally
        x = sum(book(inputs[..., column]) for book, (_, column) in zip(decoder.tables, INPUTS, strict=True))
        return decoder.stack(x, condition, cache=self.cache)[:, 0]

    def _next(self, state: Tensor, step: int, live: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Draw the next word of the rows `live`, element after element; the others get zeros."""
        word = np.zeros((self.rows, 8), dtype=np.int64)
        word[:, 0], state = self._draw(0, state, step, live, [g.families() for g in self.request.grammars])
        metrical, note = live & (word[:, 0] == Family.METRICAL), live & (word[:, 0] == Family.NOTE)
        if metrical.any():
            masks = [g.beats() for g in self.request.grammars]
            word[:, 1], state = self._draw(1, state, step, metrical, masks)
            onset = metrical & (word[:, 1] > BAR_LINE)
            for element in METRICAL:
                if onset.any():
                    masks = [self._metrical_mask(element, row) for row in range(self.rows)]
                    word[:, element], state = self._draw(element, state, step, onset, masks)
        if note.any():
            masks = [g.notes_allowed() for g in self.request.grammars]
            word[:, Field.PITCH], state = self._draw(Field.PITCH, state, step, note, masks)
            masks = [g.durations() for g in self.request.grammars]
            word[:, Field.DURATION], state = self._draw(Field.DURATION, state, step, note, masks)
            masks = [self._above_zero(ELEMENTS[Field.VELOCITY])] * self.rows
            word[:, Field.VELOCITY], state = self._draw(Field.VELOCITY, state, step, note, masks)
        return word

    def _metrical_mask(self, element: int, row: int) -> NDArray[np.bool_]:
        """Tempo and chord must be stated at the first onset of a piece."""
        mask = np.ones(SIZES[ELEMENTS[element]], dtype=bool)
        mask[0] = self.in_force[row, element - 1] > 0
        if element == Field.CHORD and not mask[0]:
            mask[NO_CHORD] = True
        return mask

    @staticmethod
    def _above_zero(name: str) -> NDArray[np.bool_]:
        mask = np.ones(SIZES[name], dtype=bool)
        mask[0] = False
        return mask

    def _draw(
        self, element: int, state: Tensor, step: int, wanted: NDArray[np.bool_], masks: list[NDArray[np.bool_]]
    ) -> tuple[NDArray[np.int64], Tensor]:
        """One element of the rows `wanted`, and the states once it is decided. Other rows get 0 and keep theirs."""
        rows = np.flatnonzero(wanted)
        index = torch.from_numpy(np.concatenate([rows, rows + self.rows])).to(self.device)
        bars = self.bar[torch.from_numpy(rows).to(self.device)]
        plan = self.request.plan[torch.from_numpy(rows).to(self.device), bars, element]  # [R, S]
        plan = torch.cat([plan, plan])
        logits = guided(self.model.elements(element, state[index], plan, torch.zeros_like(plan)), self.request.guidance)
        allowed = torch.from_numpy(np.stack([_never_empty(masks[row]) for row in rows])).to(self.device)
        logits = logits.masked_fill(~allowed, -1e9)
        temperature = self.request.temperatures.get(element, self.request.temperature)
        drawn = pick(logits, self.request.top_p, temperature, [self.rngs[row] for row in rows]).cpu().numpy()
        value = np.zeros(self.rows, dtype=np.int64)
        value[rows] = drawn
        for row in rows:
            forced = self.request.forced[row]
            if forced is not None and step < len(forced) and forced[step, element] != FREE:
                value[row] = forced[step, element]
        decided = torch.from_numpy(np.concatenate([value, value])).to(self.device)
        state = state.clone()
        state[index] = self.model.elements.add(element, state[index], decided[index])
        return value, state


def _never_empty(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask, or all real values where kept words leave no value that fits (a chord above the top of the piano)."""
    if mask.any():
        return mask
    full = np.ones_like(mask)
    full[0] = False
    return full


@torch.no_grad()
def decode_words(
    model: Muser, request: DecodeRequest, rngs: Sequence[np.random.Generator]
) -> list[NDArray[np.int64]]:
    """Words of every piece in the request."""
    model.eval()
    return Decoding(model, request, rngs).run()
