"""Sampling the decoder: words one by one under masks and guidance, many pieces at once, each with its own generator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from affectgen.score.words import BAR_LINE, Family, Field
from affectgen.writing.decoder import METRICAL, NOTE
from affectgen.writing.draws import draw, guided
from affectgen.writing.grammar import Grammar
from affectgen.writing.row import FREE, WORDS_PER_BAR, close, never_empty, plain_mask, room, with_room_above
from affectgen.writing.stepper import Stepper, Writing

LAST = (METRICAL[-1], NOTE[-1])  # after these a word is complete, and nothing reads the states it was drawn from
NEVER = -1e9  # the logit of what may not be
STRICT = (Field.FAMILY, Field.BEAT, Field.PITCH)  # rare values of these blur rhythm and harmony, and widen the range
Rule = Callable[[Grammar], NDArray[np.bool_]]  # what a piece's grammar allows of an element
# is told of a row that is finished, and its words; answers with rows whose words nobody needs any more
Finished = Callable[[int, NDArray[np.int64]], Collection[int]]


@dataclass(frozen=True)
class DecodeRequest:
    """What the decoder is asked for.

    condition: [sides * B, N, C], rows with what is asked and then, unless guidance is 1, the same rows without;
    plan: [B, N, 7, S] quantised slices, None for a model without; grammars: one a row; forced: per row words [T, 8]
    whose fields are given, FREE where drawn, or None; prefix: per row words that open the piece (the key
    event at least).
    """

    condition: Tensor
    plan: Tensor | None
    grammars: Sequence[Grammar]
    prefix: Sequence[NDArray[np.int64]]
    forced: Sequence[NDArray[np.int64] | None]
    guidance: float
    top_p: float
    temperature: float
    strict_top_p: float  # the same for the elements STRICT

    @property
    def sides(self) -> int:
        """2 where rows without what is asked are needed for guidance, 1 otherwise."""
        return len(self.condition) // len(self.grammars)


class Decoding:
    """The state of one call: words so far, what is in force in each row, the decoder's memory of both."""

    def __init__(self, writing: Writing, request: DecodeRequest, rngs: Sequence[np.random.Generator]) -> None:
        self.writing, self.request, self.rngs = writing, request, list(rngs)
        self.rows = len(request.grammars)
        self.device = request.condition.device
        self.words: list[list[NDArray[np.int64]]] = [[] for _ in range(self.rows)]
        self.done = np.array([grammar.bars == 0 for grammar in request.grammars])  # rows that only fill the batch
        self.in_force = np.zeros((self.rows, 3), dtype=np.int64)  # position, tempo, chord
        self.most = [self._room(row) for row in range(self.rows)]
        self.stepper = Stepper(writing, request.condition, self._live(), request.sides)
        self.bar: NDArray[np.int64] | None = None
        self.plan: list[Tensor] = []  # what each element's bar slices add to its hidden layer, seven of [2B, D] or none

    def _room(self, row: int) -> int:
        """How many words a row may have."""
        bars = self.request.grammars[row].bars
        return room(bars, self.request.prefix[row], self.request.forced[row], WORDS_PER_BAR)

    def _live(self) -> int:
        """One more than the last row that is still being written."""
        return self.rows - int(np.argmin(self.done[::-1]))

    def run(self, finished: Finished) -> None:
        """Write the rows, telling `finished` the words of each, int64 [T, 8], END included, as soon as it ends."""
        state, step = torch.zeros(0), 0
        while not self.done.all():
            opening = np.array([step < len(prefix) for prefix in self.request.prefix])
            word = np.zeros((self.rows, 8), dtype=np.int64)
            if (~opening & ~self.done).any():
                word = self._next(state, step, ~opening & ~self.done)
            for row in np.flatnonzero(opening).tolist():
                word[row] = self.request.prefix[row][step]
            before = self.done.copy()
            self._take(word)
            self._tell(np.flatnonzero(self.done & ~before).tolist(), finished)
            if not self.done.all():
                state = self._advance(word)
            step += 1

    def _tell(self, rows: Sequence[int], finished: Finished) -> None:
        """Tell what rows have become, and stop writing those that are needed no more."""
        needless: set[int] = set()
        for row in rows:
            if row not in needless:
                needless |= set(finished(row, self._closed(row)))
        self.done[list(needless)] = True

    def _closed(self, row: int) -> NDArray[np.int64]:
        """The words of a row; one that ran out of room is ended after its last whole bar."""
        return close(np.stack(self.words[row]))

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
            self.done[row] = family == Family.END or len(self.words[row]) >= self.most[row]

    def _advance(self, word: NDArray[np.int64]) -> Tensor:
        """Feed one word a row through the global decoder: states [R, D], R = sides * B."""
        table = np.zeros((self.rows, 13), dtype=np.int64)
        table[:, :8] = word
        table[:, 9:12] = self.in_force
        bar = np.array([max(grammar.bar, 0) for grammar in self.request.grammars])
        bar = np.minimum(bar, self.request.condition.shape[1] - 1)
        if self.bar is None or (bar != self.bar).any():
            self.bar, self.plan = bar, self._plan_of(bar)
        return self.stepper.step(table, bar, self._live())

    def _plan_of(self, bar: NDArray[np.int64]) -> list[Tensor]:
        """What the slices of each row's bar [B] tell each element's decoder."""
        if self.request.plan is None:
            return []
        rows = torch.arange(self.rows, device=self.device)
        slices = self.request.plan[rows, torch.from_numpy(bar).to(self.device)]  # [B, 7, S]
        rows_of_all = torch.cat([slices] * self.request.sides)
        return [project(rows_of_all[:, element]) for element, project in enumerate(self.writing.model.elements.plan)]

    def _next(self, state: Tensor, step: int, live: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Draw the next word of the rows `live`, element after element; the others get zeros."""
        word = np.zeros((self.rows, 8), dtype=np.int64)
        word[:, 0], state = self._draw(0, state, step, live, Grammar.families)
        metrical, note = live & (word[:, 0] == Family.METRICAL), live & (word[:, 0] == Family.NOTE)
        if metrical.any():
            word[:, 1], state = self._draw(1, state, step, metrical, Grammar.beats)
            onset = metrical & (word[:, 1] > BAR_LINE)
            for element in METRICAL:
                if onset.any():
                    word[:, element], state = self._draw(element, state, step, onset, None)
        if note.any():
            for element, mask in zip(NOTE, (Grammar.notes_allowed, Grammar.durations, None), strict=True):
                word[:, element], state = self._draw(element, state, step, note, mask)
        return word

    def _draw(
        self, element: int, state: Tensor, step: int, wanted: NDArray[np.bool_], rule: Rule | None
    ) -> tuple[NDArray[np.int64], Tensor]:
        """One element of the rows `wanted`, and the states once it is decided. Other rows get 0 and keep theirs.

        Logits are computed for every row, so that a row's never depend on how many others draw the same element.
        """
        rows = np.flatnonzero(wanted).tolist()
        grammars = self.request.grammars
        masks = [
            plain_mask(element, grammars[row], self.in_force[row].tolist()) if rule is None else rule(grammars[row])
            for row in rows
        ]
        if element == Field.PITCH:
            kept = [self.request.forced[row] for row in rows]
            masks = [with_room_above(mask, forced, step) for mask, forced in zip(masks, kept, strict=True)]
        logits = self._logits(element, state)
        if self.request.sides == 2:
            logits = guided(logits, self.request.guidance)
        values = logits.double().cpu().numpy()[rows]
        values[~np.stack([never_empty(mask) for mask in masks])] = NEVER
        top_p = min(self.request.top_p, self.request.strict_top_p if element in STRICT else 1.0)
        value = np.zeros(self.rows, dtype=np.int64)
        value[rows] = draw(values, top_p, self.request.temperature, [self.rngs[row] for row in rows])
        for row in rows:
            forced = self.request.forced[row]
            if forced is not None and step < len(forced) and forced[step, element] != FREE:
                value[row] = forced[step, element]
        return value, state if element in LAST else self._decided(element, state, value, wanted)

    def _decided(
        self, element: int, state: Tensor, value: NDArray[np.int64], wanted: NDArray[np.bool_]
    ) -> Tensor:
        """The states [R, D] once the rows `wanted` have their value of an element."""
        values = torch.from_numpy(np.concatenate([value] * self.request.sides)).to(self.device)
        where = torch.from_numpy(np.concatenate([wanted] * self.request.sides)).to(self.device)[:, None]
        return torch.where(where, self.writing.model.elements.add(element, state, values), state)

    def _logits(self, element: int, state: Tensor) -> Tensor:
        """`ElementDecoders.forward` for every row [R, D] without word slices; what the bar's add is in `plan`."""
        hand = self.writing.hands[element]
        hidden = hand.hidden(hand.norm(state))
        return hand.out(F.gelu(hidden + self.plan[element] if self.plan else hidden))


@torch.no_grad()
def decode_words(
    writing: Writing, request: DecodeRequest, rngs: Sequence[np.random.Generator], finished: Finished
) -> None:
    """Write the pieces of a request, each told to `finished` when it ends (as in `Decoding.run`)."""
    Decoding(writing, request, rngs).run(finished)
