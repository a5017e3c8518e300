"""Pieces as words: opening them, reading them, and composing them in batches of one width."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from affectgen.score.grid import GridScore
from affectgen.score.keys import Key
from affectgen.score.words import Family, Field, decode, encode, key_index, key_of

WIDTH = 4  # rows of every batch: among more, one piece alone is slower and many together are faster
CLOSE_POSITIONS = (0, 4, 8)  # where the closing chord of the last bar may stand
Words = NDArray[np.int64]


@dataclass(frozen=True)
class Composed:
    """A finished piece: its words, the same as a score."""

    words: Words
    score: GridScore


# is told of a request that is finished, by its number, and the piece; answers with requests that nobody needs any more
Finished = Callable[[int, Any], Collection[int]]
Request = TypeVar("Request")
Need = TypeVar("Need")
Made = TypeVar("Made")


def in_batches(
    requests: Sequence[Request], write: Callable[[Mapping[int, Request], Finished], None], finished: Finished
) -> None:
    """Write requests, WIDTH at a time by `write`, each told to `finished` as soon as it ends; those that this answers
    with are written no further."""
    needless: set[int] = set()

    def tell(number: int, piece: Any) -> Collection[int]:
        needless.update(finished(number, piece))
        return needless

    while left := [number for number in range(len(requests)) if number not in needless][:WIDTH]:
        write({number: requests[number] for number in left}, tell)
        needless.update(left)


def in_rounds(works: Sequence[Generator[Need, None, Made]], serve: Callable[[Sequence[Need]], object]) -> list[Made]:
    """What some works come to, in their order: what each needs next is served together with what the others need."""
    going, made = dict(enumerate(works)), {}
    while going:
        needs = []
        for number, work in list(going.items()):
            try:
                needs.append(next(work))
            except StopIteration as end:
                made[number] = end.value
                del going[number]
        if needs:
            serve(needs)
    return [made[number] for number in range(len(works))]


def key_word(key: Key) -> Words:
    """The key event, int64 [1, 8]."""
    word = np.zeros((1, 8), dtype=np.int64)
    word[0, Field.FAMILY], word[0, Field.KEY] = Family.KEY, key_index(key)
    return word


def score_of(words: Words, bars: int, ending: bool) -> GridScore:
    """The score of some words; where it is to end on the tonic, nothing else rings into the closing chord."""
    score = with_bars(words, bars)
    if not ending or not len(score):
        return score
    last = int(score.start.max())
    room = np.where(score.start < last, last - score.start, score.length)
    return replace(score, length=np.minimum(score.length, room))


def with_bars(words: Words, bars: int) -> GridScore:
    """The score of some words, which has the bars asked for even where the last ones are silent."""
    score = decode(words)
    if score.bars >= bars:
        return score
    more = bars - score.bars
    tempo = np.concatenate([score.tempo, np.full(4 * more, score.tempo[-1])])
    return replace(score, tempo=tempo, chords=score.chords + (score.chords[-1],) * (4 * more), bars=bars)


def open_words(score: GridScore) -> tuple[Key, Words]:
    """A score's key and its words without key event and END, to open or to force another piece."""
    words = encode(score)
    return key_of(int(words[0, Field.KEY])), words[1:-1]
