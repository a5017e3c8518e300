"""From targets to pieces: attributes by bar, words from the decoder, length and ending by the grammar.

A `Composer` is a loaded checkpoint. A piece depends on its own seed and request alone, never on its neighbours: its
candidates are written beside those of others by products that give each row the same bits whatever stands beside it
(`affectgen.writing.lockstep`), and what is written without a choice among candidates, in padded batches of one width.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from affectgen.emogen.config import STYLES
from affectgen.emogen.model import Emogen
from affectgen.emogen.parts import Parts
from affectgen.emogen.scale import Scale
from affectgen.emogen.vector import NAMES
from affectgen.score.keys import Key
from affectgen.score.words import BAR_LINE, Family
from affectgen.writing.branching import PIECES, Choice, Choose, Lineage, decode_branching
from affectgen.writing.composer import WordComposer
from affectgen.writing.decoder import CLOSINGS, MOST_BARS_LEFT
from affectgen.writing.grammar import Grammar
from affectgen.writing.pieces import CLOSE_POSITIONS, WIDTH, Composed, Finished, Words, in_batches, key_word, score_of
from affectgen.writing.sampler import DecodeRequest, decode_words
from affectgen.writing.sampler import Finished as Told

BRANCH_BARS = 2  # candidates of one piece are compared so often


@dataclass(frozen=True)
class Verdict:
    """Which of some candidates all go on from, by its place, and what they are asked for then: [bars, K]."""

    place: int
    targets: NDArray[np.float64]


# is told the bars that are written, and the words of some candidates up to there
Chooses = Callable[[int, Sequence[Words]], Verdict]


@dataclass(frozen=True)
class Sampling:
    """How words are drawn. guidance: how far the decoder's condition is moved beyond that of no targets, 1 for as it
    learnt; strict_top_p: nucleus of family, beat and pitch."""

    guidance: float = 1.0
    temperature: float = 1.0
    top_p: float = 0.99
    strict_top_p: float = 0.97


@dataclass(frozen=True)
class Request:
    """One piece to write.

    targets: float [bars, K] in standard deviations, nan where free; bars: length; seed: of this piece's generator; key:
    of the piece; prefix: words that open it (a whole number of bars, no END), or None; forced: words whose fields are
    kept, FREE where drawn; ending: close on the tonic; choose: requests with equal ones are candidates of one piece, of
    which it chooses every few bars the one that all go on from; tempo: what tempi keep near, None for any; owner: those
    of one owner with unequal choices are written one after the other.
    """

    targets: NDArray[np.float64]
    bars: int
    seed: tuple[int, ...]
    key: Key
    prefix: Words | None = None
    forced: Words | None = None
    ending: bool = True
    choose: Chooses | None = None
    tempo: float | None = None
    owner: int | None = None
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True)
class Composer(WordComposer[Request, Composed]):
    """A model and its scale, ready to write; parts: what beginnings of pieces tell of wholes, None where it is not
    known. name and sha256 are the checkpoint's."""

    model: Emogen
    scale: Scale
    name: str = ""
    sha256: str = ""
    parts: Parts | None = None

    def compose_until(self, requests: Sequence[Request], finished: Finished) -> None:
        """Write requests, each told to `finished` as soon as it ends; those that this answers with are written no
        further. ValueError unless requests of one call share their Sampling.
        """
        if len({request.sampling for request in requests}) > 1:
            raise ValueError("requests of one call must be sampled alike")
        needless: set[int] = set()

        def tell(number: int, piece: Composed) -> Collection[int]:
            needless.update(finished(number, piece))
            return needless

        families: list[list[int]] = []
        lone: list[list[int]] = []
        for group in lineages(requests):
            (families if requests[group[0]].choose is not None and len(group) > 1 else lone).append(group)
        for group in lone:
            self._in_batches(group, requests, needless, tell)
        queue = Families(self, dict(enumerate(requests)), needless, tell)
        queue.enter(families)
        decode_branching(self.ready, queue.take, len(queue.waiting))

    def compose_flow(self, more: Callable[[], Mapping[int, Request]], finished: Finished) -> None:
        """Write requests as they come: `more` gives those of another piece, candidates among which a choice is made,
        with numbers of their own, and nothing where there are none now. Each is told to `finished` as it ends. All must
        share their Sampling.
        """
        decode_branching(self.ready, Families(self, {}, set(), finished, more).take, PIECES)

    def _in_batches(
        self, group: Sequence[int], requests: Sequence[Request], needless: Collection[int], finished: Finished
    ) -> None:
        """Write requests, none of which chooses among others, WIDTH at a time."""
        left = [number for number in group if number not in needless]

        def tell(place: int, piece: Composed) -> Collection[int]:
            found = finished(left[place], piece)
            return [place for place, number in enumerate(left) if number in found]

        in_batches([requests[number] for number in left], self._batch, tell)

    def _batch(self, numbered: Mapping[int, Request], finished: Finished) -> None:
        """One padded batch."""
        rngs = self._rngs(list(numbered.values()))
        asked = self._decode_request(list(numbered.values()), rngs)
        decode_words(self.writing, asked, rngs, telling(numbered, finished))

    def lineage(self, numbered: Mapping[int, Request], finished: Finished, needless: Collection[int]) -> Lineage:
        """The candidates of one piece, which are WIDTH at most, ready to be written."""
        requests = list(numbered.values())
        rngs = self._rngs(requests)
        return Lineage(
            self._decode_request(requests, rngs), rngs, branches(requests[0]), self._choosing(requests[0]),
            telling(numbered, finished), lambda: [row for row, number in enumerate(numbered) if number in needless],
        )  # fmt: skip

    @staticmethod
    def _rngs(requests: Sequence[Request]) -> list[np.random.Generator]:
        """A generator a row."""
        seeds: list[Any] = [request.seed for request in requests] + [0] * (WIDTH - len(requests))
        return [np.random.default_rng(seed) for seed in seeds]

    def _choosing(self, request: Request) -> Choose:
        """The request's own choice, with the targets that it leaves as a condition."""

        def choose(bars: int, written: Sequence[Words]) -> Choice:
            if request.choose is None:
                raise ValueError("a request that has no choice among candidates")
            verdict = request.choose(bars, written)
            condition = self._condition(verdict.targets, request.bars, request.sampling.guidance)
            return Choice(verdict.place, condition[0])

        return choose

    @torch.no_grad()
    def _decode_request(self, requests: Sequence[Request], rngs: Sequence[np.random.Generator]) -> DecodeRequest:
        """Conditions, grammars, prefixes."""
        idle, sampling = WIDTH - len(requests), requests[0].sampling
        grammars, prefixes = [], []
        for request, rng in zip(requests, rngs, strict=False):
            close = int(rng.choice(CLOSE_POSITIONS))
            grammars.append(Grammar(request.bars, request.key, request.ending, close, request.tempo))
            opening = key_word(request.key)
            prefixes.append(opening if request.prefix is None else np.concatenate([opening, request.prefix]))
        grammars += [Grammar(0, Key(0, 0))] * idle
        prefixes += [key_word(Key(0, 0))] * idle
        most = max(request.bars for request in requests)
        rows = [request.targets for request in requests] + [np.full((1, len(NAMES)), np.nan)] * idle
        conditions = [self._condition(row, most, sampling.guidance) for row in rows]
        forced = [request.forced for request in requests] + [None] * idle
        return DecodeRequest(
            torch.cat(conditions), None, grammars, prefixes, forced, 1.0, sampling.top_p, sampling.temperature,
            sampling.strict_top_p,
        )  # fmt: skip

    def _condition(self, targets: NDArray[np.float64], most: int, guidance: float) -> torch.Tensor:
        """The decoder's condition of one row [1, most, C], computed on its own bars alone and zero past them.

        Guidance moves it along the line from the condition of no targets to that of these, beyond the latter where it
        is above 1. Classifier-free guidance (Ho & Salimans, 2022) does so with logits, for twice the work; the
        condition acts on every layer by linear maps, and chances become nearly the same (docs/emogen.md).
        """
        condition = self._plain_condition(targets)
        if guidance != 1:
            condition = torch.lerp(self._plain_condition(np.full_like(targets, np.nan)), condition, guidance)
        return functional.pad(condition, (0, 0, 0, most - len(targets)))

    def _plain_condition(self, targets: NDArray[np.float64]) -> torch.Tensor:
        """The condition as it was learnt, [1, bars, C]. The corpus is EMOPIA's and the last bar is called an excerpt's,
        as in EMOPIA; the grammar writes the ending."""
        bars = len(targets)
        left = np.minimum(np.arange(bars)[::-1], MOST_BARS_LEFT).copy()
        condition: torch.Tensor = self.model.condition(
            torch.from_numpy(targets.astype(np.float32))[None].to(self.device),
            torch.from_numpy(left)[None].to(self.device),
            torch.tensor([STYLES.index("emopia")], device=self.device),
            torch.tensor([CLOSINGS.index("excerpt")], device=self.device),
        )
        return condition


@dataclass
class Families:
    """Groups of candidates of one piece each, in turn as `lineage`s.

    requests: those that wait, by their numbers; needless: numbers that nobody needs any more; finished: is told of
    pieces; more: the requests of another piece, none where there is none now.
    """

    composer: Composer
    requests: dict[int, Request]
    needless: Collection[int]
    finished: Finished
    more: Callable[[], Mapping[int, Request]] = dict
    begun: dict[Lineage, int | None] = field(default_factory=dict)  # with the owners of their requests
    waiting: deque[list[int]] = field(default_factory=deque)

    def enter(self, families: Sequence[Sequence[int]]) -> None:
        """Let groups, by the numbers of their requests, wait for their turn."""
        for family in families:
            self.waiting.extend(list(family[at : at + WIDTH]) for at in range(0, len(family), WIDTH))

    def take(self, beside: Sequence[Lineage]) -> Lineage | None:
        """The next one, None where there is none now."""
        self.begun = {lineage: self.begun[lineage] for lineage in beside}
        lineage = self._next()
        while lineage is None and (found := self.more()):
            self.requests.update(found)
            self.enter([list(found)])
            lineage = self._next()
        return lineage

    def _next(self) -> Lineage | None:
        """The first that may begin: candidates of a further try wait until the one before is through, which may make
        them needless."""
        for place, numbers in enumerate(self.waiting):
            left = [number for number in numbers if number not in self.needless]
            owner = self.requests[numbers[0]].owner
            if left and (owner is None or owner not in self.begun.values()):
                del self.waiting[place]
                numbered = {number: self.requests[number] for number in left}
                for number in numbers:
                    del self.requests[number]
                lineage = self.composer.lineage(numbered, self.finished, self.needless)
                self.begun[lineage] = owner
                return lineage
        return None


def telling(numbered: Mapping[int, Request], finished: Finished) -> Told:
    """What a decoding is to tell of its rows, which are requests with numbers: their pieces, by those numbers."""
    numbers, requests = list(numbered), list(numbered.values())

    def tell(row: int, words: Words) -> Collection[int]:
        score = score_of(words, requests[row].bars, requests[row].ending)
        needless = finished(numbers[row], Composed(words, score))
        return [row for row, number in enumerate(numbers) if number in needless]

    return tell


def lineages(requests: Sequence[Request]) -> list[list[int]]:
    """The numbers of requests that may share batches: candidates of one piece by themselves, all others together."""
    found: dict[Chooses | None, list[int]] = {}
    for number, request in enumerate(requests):
        found.setdefault(request.choose, []).append(number)
    return list(found.values())


def branches(request: Request) -> list[int]:
    """The bar lines at which candidates of a piece are compared: every few bars of what is composed, not its end."""
    opened = 0
    if request.prefix is not None:
        opened = int(((request.prefix[:, 0] == Family.METRICAL) & (request.prefix[:, 1] == BAR_LINE)).sum())
    return list(range(opened + BRANCH_BARS, request.bars, BRANCH_BARS))
