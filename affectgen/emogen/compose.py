"""From targets to pieces: attributes by bar, words from the decoder, length and ending by the grammar.

A `Composer` is a loaded checkpoint. It always runs batches of one width, padded, so that a piece depends on its own
seed and request alone, never on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

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
from affectgen.writing.branching import Choice, Choose, decode_branching
from affectgen.writing.composer import WordComposer
from affectgen.writing.decoder import CLOSINGS, MOST_BARS_LEFT
from affectgen.writing.grammar import Grammar
from affectgen.writing.pieces import CLOSE_POSITIONS, WIDTH, Composed, Finished, Words, in_batches, key_word, score_of
from affectgen.writing.sampler import DecodeRequest, decode_words

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
    """How words are drawn. guidance: weight of the targets, 1 for plain, which takes half the work; strict_top_p:
    nucleus of family, beat and pitch."""

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
    which it chooses every few bars the one that all go on from; tempo: what tempi keep near, None for any.
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
        for group in lineages(requests):

            def tell(place: int, piece: Composed, group: list[int] = group) -> Collection[int]:
                needless = finished(group[place], piece)
                return [place for place, number in enumerate(group) if number in needless]

            in_batches([requests[number] for number in group], self._batch, tell)

    def _batch(self, numbered: Mapping[int, Request], finished: Finished) -> None:
        """One padded batch."""
        numbers, requests = list(numbered), list(numbered.values())
        idle = WIDTH - len(requests)
        rngs = [np.random.default_rng(request.seed) for request in requests]
        rngs += [np.random.default_rng(0) for _ in range(idle)]

        def tell(row: int, words: Words) -> Collection[int]:
            score = score_of(words, requests[row].bars, requests[row].ending)
            needless = finished(numbers[row], Composed(words, score))
            return [row for row, number in enumerate(numbers) if number in needless]

        asked, choose = self._decode_request(requests, rngs), requests[0].choose
        if choose is None or len(requests) == 1:
            decode_words(self.writing, asked, rngs, tell)
        else:
            decode_branching(self.writing, asked, rngs, branches(requests[0]), self._choosing(requests[0]), tell)

    def _choosing(self, request: Request) -> Choose:
        """The request's own choice, with the targets that it leaves as a condition."""

        def choose(bars: int, written: Sequence[Words]) -> Choice:
            if request.choose is None:
                raise ValueError("a request that has no choice among candidates")
            verdict = request.choose(bars, written)
            return Choice(verdict.place, self._condition(verdict.targets, request.bars)[0])

        return choose

    @torch.no_grad()
    def _decode_request(self, requests: Sequence[Request], rngs: Sequence[np.random.Generator]) -> DecodeRequest:
        """Conditions with and without targets, grammars, prefixes."""
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
        sides = [True] if sampling.guidance == 1 else [True, False]
        rows = [request.targets for request in requests] + [np.full((1, len(NAMES)), np.nan)] * idle
        conditions = [
            self._condition(row if asked else np.full_like(row, np.nan), most) for asked in sides for row in rows
        ]
        forced = [request.forced for request in requests] + [None] * idle
        return DecodeRequest(
            torch.cat(conditions), None, grammars, prefixes, forced, sampling.guidance, sampling.top_p,
            sampling.temperature, sampling.strict_top_p,
        )  # fmt: skip

    def _condition(self, targets: NDArray[np.float64], most: int) -> torch.Tensor:
        """The decoder's condition of one row [1, most, C], computed on its own bars alone and zero past them.

        The corpus is EMOPIA's and the last bar is called an excerpt's, as in EMOPIA; the grammar writes the ending.
        """
        bars = len(targets)
        left = np.minimum(np.arange(bars)[::-1], MOST_BARS_LEFT).copy()
        condition: torch.Tensor = self.model.condition(
            torch.from_numpy(targets.astype(np.float32))[None].to(self.device),
            torch.from_numpy(left)[None].to(self.device),
            torch.tensor([STYLES.index("emopia")], device=self.device),
            torch.tensor([CLOSINGS.index("excerpt")], device=self.device),
        )
        return functional.pad(condition, (0, 0, 0, most - bars))


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
