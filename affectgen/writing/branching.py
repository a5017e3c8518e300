"""Sampling one piece by several hands: at certain bar lines the best of them is kept, and all go on from there.

Four candidates of a whole piece are four draws; four candidates of every few bars are many more for the same work, and
what one stretch has too much of, the next can make up for. The decoder's memory of the kept row is copied to the
others, so nothing is computed twice.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.writing.sampler import DecodeRequest, Decoding, Finished
from affectgen.writing.stepper import Writing


@dataclass(frozen=True)
class Choice:
    """Which of some rows is kept, by its place, and what it is asked for from there on: condition [N, C] by bar, None
    for what it was asked before."""

    place: int
    condition: Tensor | None = None


# is told the bars that are written and the words of some rows, each up to that bar line
Choose = Callable[[int, Sequence[NDArray[np.int64]]], Choice]


class Branching(Decoding):
    """A `Decoding` whose rows are candidates of one piece. bars: the bar lines at which one of them is kept."""

    def __init__(
        self, writing: Writing, request: DecodeRequest, rngs: Sequence[np.random.Generator], bars: Sequence[int],
        choose: Choose,
    ) -> None:  # fmt: skip
        super().__init__(writing, request, rngs)
        self.left, self.choose = list(bars), choose
        self.waiting = np.zeros(self.rows, dtype=bool)
        self.states: dict[int, Tensor] = {}  # of rows that wait: [sides, D] after their last word

    def run(self, finished: Finished) -> None:
        """As `Decoding.run`; rows that have come to a bar line of `bars` wait there for the others."""
        state, step = torch.zeros(0), 0
        while not self.done.all():
            if (self.done | self.waiting).all():
                state, step = self._go_on()
            state = self._write(state, step, ~self.done & ~self.waiting, finished)
            step += 1

    def _write(self, state: Tensor, step: int, active: NDArray[np.bool_], finished: Finished) -> Tensor:
        """One more word for the rows `active`."""
        opening = active & np.array([step < len(prefix) for prefix in self.request.prefix])
        word = np.zeros((self.rows, 8), dtype=np.int64)
        if (active & ~opening).any():
            word = self._next(state, step, active & ~opening)
        for row in np.flatnonzero(opening).tolist():
            word[row] = self.request.prefix[row][step]
        before = self.done.copy()
        self.done |= self.waiting  # they take no word
        self._take(word)
        self.done &= ~self.waiting
        self._tell(np.flatnonzero(self.done & ~before).tolist(), finished)
        if self.done.all():
            return state
        state = self._advance(word)
        self._wait(state, active & ~self.done)
        return state

    def _wait(self, state: Tensor, rows: NDArray[np.bool_]) -> None:
        """Let rows wait that have just crossed the next bar line, with the states that they have there."""
        if not self.left:
            return
        sides = state.view(self.request.sides, self.rows, -1)
        for row in np.flatnonzero(rows).tolist():
            if self.request.grammars[row].bar >= self.left[0]:
                self.waiting[row] = True
                self.states[row] = sides[:, row].clone()

    def _go_on(self) -> tuple[Tensor, int]:
        """Keep the best of the rows that wait, and let every one of them go on from it."""
        rows = np.flatnonzero(self.waiting).tolist()
        bars = self.left.pop(0)
        written = [np.stack(self.words[row][:-1]) for row in rows]  # without the bar line that was crossed
        choice = self.choose(bars, written)
        kept = rows[choice.place]
        words, grammar = self.words[kept], self.request.grammars[kept]
        for row in rows:
            self.words[row] = list(words)
            self.in_force[row] = self.in_force[kept]
            if row != kept:
                _become(self.request.grammars[row], grammar)
        self.stepper.keep(kept, len(words))
        if choice.condition is not None:
            self.stepper.ask(choice.condition)
        state = self.states[kept][:, None].expand(-1, self.rows, -1).reshape(-1, self.states[kept].shape[-1])
        self.waiting[:] = False
        self.states.clear()
        return state, len(words)


def _become(grammar: object, other: object) -> None:
    """Give a grammar the state of another of the same piece."""
    for name, value in vars(other).items():
        setattr(grammar, name, copy.copy(value))


@torch.no_grad()
def decode_branching(
    writing: Writing, request: DecodeRequest, rngs: Sequence[np.random.Generator], bars: Sequence[int], choose: Choose,
    finished: Finished,
) -> None:  # fmt: skip
    """Write the candidates of one piece, each told to `finished` when it ends; see `Branching`."""
    Branching(writing, request, rngs, bars, choose).run(finished)
