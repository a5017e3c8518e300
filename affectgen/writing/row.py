"""One row of a decoding: the words of a piece or of a candidate of it, and what may come next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from affectgen.score.words import BAR_LINE, ELEMENTS, SIZES, Family, Field
from affectgen.writing.grammar import Grammar, Mask

FREE = -1  # in forced words: to be drawn
WORDS_PER_BAR = 96  # room for each bar
Word = list[int]  # the eight fields
Words = NDArray[np.int64]


@dataclass
class Row:
    """A row while it is written.

    grammar: of the piece; rng: this row's own; prefix: words [T, 8] that open it; forced: words [T, 8] whose fields are
    given, FREE where drawn, or None; most: words that it has room for; in_force: beat, tempo and chord; done: nothing
    is written any more; waiting: nothing is until the candidates are compared.
    """

    grammar: Grammar
    rng: np.random.Generator
    prefix: list[Word]
    forced: Words | None
    most: int
    words: list[Word] = field(default_factory=list)
    in_force: list[int] = field(default_factory=lambda: [0, 0, 0])
    done: bool = False
    waiting: bool = False

    @classmethod
    def of(cls, grammar: Grammar, rng: np.random.Generator, prefix: Words, forced: Words | None) -> Row:
        """A row that has no words yet; one of no bars only fills the batch and is done."""
        most = room(grammar.bars, prefix, forced, WORDS_PER_BAR)
        return cls(grammar, rng, prefix.tolist(), forced, most, done=grammar.bars == 0)

    @property
    def opening(self) -> bool:
        """Whether the next word is one that opens the piece."""
        return len(self.words) < len(self.prefix)

    @property
    def bar(self) -> int:
        """The bar that the last word is in."""
        return max(self.grammar.bar, 0)

    def take(self, word: Word) -> None:
        """Append a word and follow what it puts in force."""
        self.words.append(word)
        self.grammar.take(word)
        family, beat, tempo, chord = word[:4]
        if family == Family.METRICAL:
            self.in_force[0] = beat
        if tempo:
            self.in_force[1] = tempo
        if chord:
            self.in_force[2] = chord
        self.done = family == Family.END or len(self.words) >= self.most

    def follow(self, other: Row) -> None:
        """Go on from where another row of the same piece is, by this row's own chance."""
        self.words, self.in_force = list(other.words), list(other.in_force)
        self.grammar.become(other.grammar)

    def closed(self) -> Words:
        """The words, int64 [T, 8]; a row that ran out of room is ended after its last whole bar."""
        return close(np.array(self.words, dtype=np.int64))

    def mask(self, element: int) -> Mask:
        """Which values of an element the next word may have, given what of it is decided."""
        if element == Field.FAMILY:
            return self.grammar.families()
        if element == Field.BEAT:
            return self.grammar.beats()
        if element == Field.PITCH:
            return with_room_above(self.grammar.notes_allowed(), self.forced, len(self.words))
        if element == Field.DURATION:
            return self.grammar.durations()
        return plain_mask(element, self.grammar, self.in_force)

    def given(self, element: int) -> int:
        """The value of an element that the next word is to have, FREE where it is drawn."""
        step = len(self.words)
        return FREE if self.forced is None or step >= len(self.forced) else int(self.forced[step, element])


def room(bars: int, prefix: Words, forced: Words | None, per_bar: int) -> int:
    """How many words a row may have: plenty for its own bars, and all that it opens with or keeps."""
    kept = len(prefix) if forced is None else max(len(prefix), len(forced))
    return kept + per_bar * bars + 1


def close(words: Words) -> Words:
    """Words [T, 8] with an END; without one they are cut after their last whole bar."""
    if words[-1, 0] == Family.END:
        return words
    lines = np.flatnonzero((words[:, 0] == Family.METRICAL) & (words[:, 1] == BAR_LINE))
    end = np.zeros((1, 8), dtype=np.int64)
    end[0, 0] = Family.END
    return np.concatenate([words[: max(lines[-1], 1)], end])


def plain_mask(element: int, grammar: Grammar, in_force: Sequence[int]) -> Mask:
    """What may be drawn where the grammar says nothing of where the piece is: any real value of a note, and tempo and
    chord "as before", which must be stated at the first onset of a piece."""
    if element == Field.TEMPO:
        return grammar.tempi(int(in_force[1]))
    return _real_values(element, as_before=element == Field.CHORD and in_force[2] > 0)


@cache
def _real_values(element: int, as_before: bool) -> Mask:
    mask = np.ones(SIZES[ELEMENTS[element]], dtype=bool)
    mask[0] = as_before
    mask.setflags(write=False)
    return mask


def with_room_above(mask: Mask, forced: Words | None, step: int) -> Mask:
    """The pitches of a mask that leave one above them for each note that kept words still have in the onset."""
    if forced is None:
        return mask
    more = int(np.argmin(np.append(forced[step + 1 :, Field.FAMILY] == Family.NOTE, False)))
    allowed = np.flatnonzero(mask)
    if not 0 < more < len(allowed):
        return mask
    lower = mask.copy()
    lower[allowed[-more:]] = False
    return lower


def never_empty(mask: Mask) -> Mask:
    """The mask, or all real values where kept words leave no value that fits (a chord above the top of the piano)."""
    if mask.any():
        return mask
    full = np.ones_like(mask)
    full[0] = False
    return full
