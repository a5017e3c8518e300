"""From requests to pieces: affect by bar, plan from the prior, words from the decoder, length and ending.

A `Composer` is a loaded checkpoint. It always runs batches of WIDTH rows, padded, so that a piece depends on its own
seed and request alone, never on its neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from affectgen.muser.config import STYLES, MuserConfig
from affectgen.muser.model import Muser
from affectgen.muser.planner import PlanRequest, sample_plan
from affectgen.muser.prior import Prior, PriorContext
from affectgen.score.keys import Key
from affectgen.score.stream import Stream
from affectgen.writing import pieces
from affectgen.writing.composer import WordComposer
from affectgen.writing.decoder import CLOSINGS, MOST_BARS_LEFT
from affectgen.writing.grammar import Grammar
from affectgen.writing.pieces import CLOSE_POSITIONS, WIDTH, Finished, Words, in_batches, key_word, score_of
from affectgen.writing.results import Recorded
from affectgen.writing.sampler import DecodeRequest, decode_words


@dataclass(frozen=True)
class Sampling:
    """How words are drawn. guidance and plan_guidance: weight of the affect in decoder and prior, 1 for plain, which
    takes half the work; strict_top_p: nucleus of family, beat and pitch.

    The values were chosen by the guide and by the distance from training clips, never by the judge.
    """

    guidance: float = 1.0
    plan_guidance: float = 1.0
    temperature: float = 1.0
    top_p: float = 0.99
    strict_top_p: float = 0.92
    plan_top_p: float = 0.95


@dataclass(frozen=True)
class Request:
    """One piece to write.

    affect: float [bars, 2], or None for none; bars: length; seed: of this piece's generator; key: None to draw one;
    prefix: words that open it (a whole number of bars, no END), or None; forced: words whose fields are kept, FREE
    where drawn; clamped: bar codes [bars, 7], -1 where the prior draws; ending: close on the tonic;
    tempo: what tempi keep near, None for any.
    """

    affect: NDArray[np.float64] | None
    bars: int
    seed: tuple[int, ...]
    key: Key | None = None
    prefix: Words | None = None
    forced: Words | None = None
    clamped: NDArray[np.int64] | None = None
    ending: bool = True
    tempo: float | None = None
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True)
class Composed(pieces.Composed):
    """A finished piece with the plan it was written after [bars, 7]."""

    codes: NDArray[np.int64]


class Writer(Recorded, Protocol):
    """What composes requests: a `Composer`, or the paper's structure behind the same call."""

    def compose_until(self, requests: Sequence[Request], finished: Finished) -> None:
        """Compose requests, each told to `finished` when it ends, but for those that are needless by then."""
        ...


@dataclass(frozen=True)
class Composer(WordComposer[Request, Composed]):
    """A model and its prior, ready to write. name and sha256 are the checkpoint's.

    attribute_spread: standard deviation of each element's mean attribute over the training clips, seven values.
    """

    model: Muser
    prior: Prior
    config: MuserConfig
    name: str = ""
    sha256: str = ""
    attribute_spread: tuple[float, ...] = (1.0,) * 7

    def compose_until(self, requests: Sequence[Request], finished: Finished) -> None:
        """Write requests, WIDTH at a time, each told to `finished` as soon as it ends; those that this answers with are
        written no further. ValueError unless requests of one call share their Sampling.
        """
        if len({request.sampling for request in requests}) > 1:
            raise ValueError("requests of one call must be sampled alike")
        in_batches(requests, self._batch, finished)

    def _batch(self, numbered: Mapping[int, Request], finished: Finished) -> None:
        """One padded batch: plan, then words."""
        numbers, requests = list(numbered), list(numbered.values())
        idle = WIDTH - len(requests)
        rngs = [np.random.default_rng(request.seed) for request in requests]
        rngs += [np.random.default_rng(0) for _ in range(idle)]
        context, clamped, mode = self._context(requests)
        sampling = requests[0].sampling
        plan = PlanRequest(
            context, [request.bars for request in requests] + [0] * idle, sampling.plan_guidance, sampling.plan_top_p,
            sampling.temperature, mode, clamped,
        )  # fmt: skip
        modes, codes = sample_plan(self.prior, plan, rngs)
        keys = [self._key(request, int(mode), rng) for request, mode, rng in zip(requests, modes, rngs, strict=False)]

        def tell(row: int, words: Words) -> Collection[int]:
            plan_of_row = codes[row, : requests[row].bars].cpu().numpy()
            score = score_of(words, requests[row].bars, requests[row].ending)
            needless = finished(numbers[row], Composed(words, score, plan_of_row))
            return [row for row, number in enumerate(numbers) if number in needless]

        decode_words(self.writing, self._decode_request(requests, context, codes, keys, rngs), rngs, tell)

    def _context(self, requests: list[Request]) -> tuple[PriorContext, torch.Tensor, torch.Tensor]:
        """What prior and decoder are told, padded: context, clamped codes [W, N, 7], mode [W] (-1: free).

        The corpus is EMOPIA's and the last bar is called an excerpt's, as in EMOPIA; the grammar writes the ending.
        """
        bars = max(request.bars for request in requests)
        affect = np.zeros((WIDTH, bars, 2), dtype=np.float32)
        known = np.zeros(WIDTH, dtype=bool)
        left = np.full((WIDTH, bars), MOST_BARS_LEFT, dtype=np.int64)
        clamped = np.full((WIDTH, bars, 7), -1, dtype=np.int64)
        mode = np.full(WIDTH, -1, dtype=np.int64)
        ending = np.full(WIDTH, CLOSINGS.index("excerpt"))
        for row, request in enumerate(requests):
            count = request.bars
            if request.affect is not None:
                affect[row, :count], known[row] = request.affect, True
            left[row, :count] = np.minimum(np.arange(count)[::-1], MOST_BARS_LEFT)
            if request.clamped is not None:
                clamped[row, :count] = request.clamped
            if request.key is not None:
                mode[row] = request.key.mode
        style = np.full(WIDTH, STYLES.index("emopia"))
        parts = [torch.from_numpy(part).to(self.device) for part in (affect, known, left, style, ending)]
        return PriorContext(*parts), torch.from_numpy(clamped).to(self.device), torch.from_numpy(mode).to(self.device)

    @staticmethod
    def _key(request: Request, mode: int, rng: np.random.Generator) -> Key:
        """The key asked for, or a drawn tonic under the prior's mode."""
        return request.key if request.key is not None else Key(int(rng.integers(12)), mode)

    @torch.no_grad()
    def _decode_request(
        self, requests: list[Request], context: PriorContext, codes: torch.Tensor, keys: list[Key],
        rngs: list[np.random.Generator],
    ) -> DecodeRequest:  # fmt: skip
        """Conditions with and without affect, grammars, prefixes."""
        self.model.eval()
        plan = self.model.bar_books.lookup(codes)  # [W, N, 7, S]
        counts = [request.bars for request in requests] + [1] * (WIDTH - len(requests))
        sampling = requests[0].sampling
        unknown = [] if sampling.guidance == 1 else [torch.zeros_like(context.known)]
        conditions = [
            self._condition(context, known, plan, row, count)
            for known in (context.known, *unknown)
            for row, count in enumerate(counts)
        ]
        grammars, prefixes = [], []
        for request, key, rng in zip(requests, keys, rngs, strict=False):
            close = int(rng.choice(CLOSE_POSITIONS))
            grammars.append(Grammar(request.bars, key, request.ending, close, request.tempo))
            opening = key_word(key)
            prefixes.append(opening if request.prefix is None else np.concatenate([opening, request.prefix]))
        idle = WIDTH - len(requests)
        grammars += [Grammar(0, Key(0, 0))] * idle
        prefixes += [key_word(Key(0, 0))] * idle
        forced = [request.forced for request in requests] + [None] * idle
        return DecodeRequest(
            torch.cat(conditions), plan, grammars, prefixes, forced, sampling.guidance, sampling.top_p,
            sampling.temperature, sampling.strict_top_p,
        )  # fmt: skip


    def _condition(
        self, context: PriorContext, known: torch.Tensor, plan: torch.Tensor, row: int, count: int
    ) -> torch.Tensor:
        """The decoder's condition of one row [1, N, C], computed on its own bars alone and zero past them."""
        one, own = slice(row, row + 1), slice(count)
        condition: torch.Tensor = self.model.condition(
            context.affect[one, own], known[one], plan[one, own], context.bars_left[one, own], context.style[one],
            context.ending[one],
        )  # fmt: skip
        return functional.pad(condition, (0, 0, 0, plan.shape[1] - count))


@torch.no_grad()
def bar_codes(model: Muser, words: Words) -> NDArray[np.int64]:
    """The bar codes [N, 7] that the encoder gives a piece's words."""
    model.eval()
    table = Stream.of(words).table()
    bars = int(table[:, 8].max()) + 1
    device = next(model.parameters()).device
    return model.encode_bars(torch.from_numpy(table)[None].to(device), bars).codes[0].cpu().numpy()
