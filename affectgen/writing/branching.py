"""Sampling pieces by several hands each: at certain bar lines the best of them is kept, and all go on from there.

Four candidates of a whole piece are four draws; four candidates of every few bars are many more for the same work, and
what one stretch has too much of, the next can make up for. Nothing that the kept row has computed is computed again.

Several pieces are written side by side, since a product of many rows takes less time for each of them; a piece that is
finished makes room for another. None depends on those beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.writing.lockstep import Lockstep, Ready
from affectgen.writing.picker import Picker
from affectgen.writing.pieces import WIDTH
from affectgen.writing.row import Row, Word
from affectgen.writing.sampler import DecodeRequest, Finished

PIECES = 20  # that are written side by side: each remembers some 30 MB
MOST_BARS = 512  # of all pieces together that are: what they remember takes about 1 MB a bar


@dataclass(frozen=True)
class Choice:
    """Which of some rows is kept, by its place, and what it is asked for from there on: condition [N, C] by bar, None
    for what it was asked before."""

    place: int
    condition: Tensor | None = None


# is told the bars that are written and the words of some rows, each up to that bar line
Choose = Callable[[int, Sequence[NDArray[np.int64]]], Choice]


@dataclass(frozen=True, eq=False)
class Lineage:
    """One piece to be written by WIDTH rows, all of one condition.

    rngs: one a row; bars: the bar lines at which one row is kept, by `choose`; finished: is told of each row that ends,
    and its words; needless: rows whose words nobody needs any more.
    """

    request: DecodeRequest
    rngs: Sequence[np.random.Generator]
    bars: Sequence[int]
    choose: Choose
    finished: Finished
    needless: Callable[[], Collection[int]] = tuple


# the next lineage to be begun beside those that are being written, None if there is none (yet)
Source = Callable[[Sequence[Lineage]], Lineage | None]


@dataclass(eq=False)
class Seat:
    """A piece that is being written. place: its number among those that are; left: the bar lines that are to come."""

    place: int
    lineage: Lineage
    rows: list[Row]
    left: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, place: int, lineage: Lineage) -> Seat:
        """A piece that has no words yet."""
        request = lineage.request
        parts = zip(request.grammars, lineage.rngs, request.prefix, request.forced, strict=True)
        return cls(place, lineage, [Row.of(*part) for part in parts], list(lineage.bars))

    @property
    def bars(self) -> int:
        """How many bars it will have."""
        return max(grammar.bars for grammar in self.lineage.request.grammars)

    @property
    def over(self) -> bool:
        """Whether nothing of it is left to be written."""
        return all(row.done for row in self.rows)

    def tell(self, ended: Sequence[int]) -> None:
        """Tell what rows have become, and write those that are needless no further."""
        needless: set[int] = set()
        for row in ended:
            if row not in needless:
                needless |= set(self.lineage.finished(row, self.rows[row].closed()))
        self.drop(needless)

    def drop(self, needless: Collection[int]) -> None:
        """Write some rows no further."""
        for row in needless:
            self.rows[row].done = True


class Branching:
    """Writes the lineages of a source, which are sampled alike; `first` is the first of them. most: how many there are
    at most. Their requests have one side: what is to be guided is so by its condition."""

    def __init__(self, ready: Ready, first: Lineage, source: Source, most: int) -> None:
        request = first.request
        self.packed = ready.packed
        self.places = min(PIECES, most) if self.packed and torch.get_num_threads() == 1 else 1
        self.decoder = Lockstep(ready, self.places, request.condition.device)
        self.picker = Picker(ready.writing, request, self.packed)
        self.source = source
        self.seats: list[Seat] = []
        self._sit(first)

    def run(self) -> None:
        """Write until every row of every lineage is done; each is told as soon as it ends."""
        while self.seats:
            for seat in self.seats:
                if all(row.done or row.waiting for row in seat.rows) and not seat.over:
                    self._go_on(seat)
            self._step()
            for seat in self.seats:
                seat.drop(seat.lineage.needless())
            self.seats = [seat for seat in self.seats if not seat.over]
            self._fill()

    def _fill(self) -> None:
        """Begin other pieces while there is room for them."""
        while len(self.seats) < self.places and sum(seat.bars for seat in self.seats) < MOST_BARS:
            lineage = self.source([seat.lineage for seat in self.seats])
            if lineage is None:
                return
            self._sit(lineage)

    def _sit(self, lineage: Lineage) -> None:
        """Begin a piece in the first place that is free."""
        place = min(set(range(self.places)) - {seat.place for seat in self.seats})
        self.decoder.open(place, lineage.request.condition)
        self.seats = sorted([*self.seats, Seat.of(place, lineage)], key=lambda seat: seat.place)

    def _step(self) -> None:
        """One more word for every row that neither waits nor is done."""
        active = [(seat, number) for seat in self.seats for number, row in enumerate(seat.rows)
                  if not (row.done or row.waiting)]  # fmt: skip
        words = self._words(active)
        for seat in self.seats:
            mine = [number for other, number in active if other is seat]
            for number in mine:
                seat.rows[number].take(words[seat.place, number])
            seat.tell([number for number in mine if seat.rows[number].done])
        self._advance([(seat, number) for seat, number in active if not seat.rows[number].done])

    def _words(self, active: Sequence[tuple[Seat, int]]) -> dict[tuple[int, int], Word]:
        """The next words of rows, by place and row: those that open them, or drawn ones."""
        found = {}
        drawing = []
        for seat, number in active:
            row = seat.rows[number]
            if row.opening:
                found[seat.place, number] = row.prefix[len(row.words)]
            else:
                drawing.append((seat, number))
        if drawing:
            some = drawing if self.packed else _all_rows(drawing)
            states = self.decoder.states.index_select(0, self.decoder.at(_numbers(some)))
            rows = [seat.rows[number] for seat, number in some]
            wanted = [at for at, one in enumerate(some) if one in drawing]
            drawn = self.picker.words(rows, wanted, states)
            found |= {(some[at][0].place, some[at][1]): word for at, word in drawn.items()}
        return found

    def _advance(self, active: Sequence[tuple[Seat, int]]) -> None:
        """Feed the last words of some rows to the decoder; rows that have come to a bar line wait there."""
        if not active:
            return
        some = active if self.packed else _all_rows(active)
        rows = [seat.rows[number] for seat, number in some]
        live = np.array([not (row.done or row.waiting) for row in rows])
        bars = np.array([row.bar for row in rows])
        self.decoder.step(_numbers(some), [_inputs(row) for row in rows], bars, live)
        for seat, number in active:
            row = seat.rows[number]
            row.waiting = bool(seat.left) and row.grammar.bar >= seat.left[0]

    def _go_on(self, seat: Seat) -> None:
        """Keep the best of the rows that wait, and let every one of them go on from it."""
        waiting = [number for number, row in enumerate(seat.rows) if row.waiting and not row.done]
        bars = seat.left.pop(0)
        written = [np.array(seat.rows[number].words[:-1]) for number in waiting]  # without the bar line just crossed
        choice = seat.lineage.choose(bars, written)
        kept = waiting[choice.place]
        for number in waiting:
            row = seat.rows[number]
            row.waiting = False
            if number != kept:
                row.follow(seat.rows[kept])
        self.decoder.keep(seat.place, kept, len(seat.rows[kept].words))
        if choice.condition is not None:
            self.decoder.ask(seat.place, choice.condition)


def _numbers(rows: Sequence[tuple[Seat, int]]) -> NDArray[np.int64]:
    """The decoder's numbers of rows."""
    return np.array([seat.place * WIDTH + number for seat, number in rows], dtype=np.int64)


def _all_rows(some: Sequence[tuple[Seat, int]]) -> list[tuple[Seat, int]]:
    """Every row of the one piece that is being written."""
    seat = some[0][0]
    return [(seat, number) for number in range(WIDTH)]


def _inputs(row: Row) -> Sequence[int]:
    """What the decoder reads of a row's last word; of a row that has none, nothing."""
    if not row.words:
        return [0] * 8
    word = row.words[-1]
    return [word[0], *row.in_force, *word[4:]]


@torch.inference_mode()
def decode_branching(ready: Ready, source: Source, most: int) -> None:
    """Write the lineages that come from a source, of which there are so many at most; see `Branching`."""
    first = source(())
    if first is not None:
        Branching(ready, first, source, most).run()
