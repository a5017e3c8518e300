"""`PaperComposer`: the paper's model behind the same call as the project's own, so that both are measured alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from affectgen.errors import AffectgenError
from affectgen.muser.compose import Composed, Request
from affectgen.muser.paper.config import GREEDY, PUBLISHED, PUBLISHED_PRIOR, QUADRANTS, PaperConfig
from affectgen.muser.paper.model import PaperModel
from affectgen.muser.paper.prior import PaperPrior
from affectgen.muser.paper.sample import Codes, sample_codes, sample_words
from affectgen.muser.paper.stream import quadrant_of, score_of, words_of
from affectgen.score.grid import GridScore
from affectgen.score.words import decode, encode
from affectgen.writing.pieces import WIDTH, Finished, Words

TRIES = 5  # a piece without a single playable note is drawn again this often


@dataclass(frozen=True)
class PaperComposer:
    """A trained model and its prior. name, sha256, attribute_spread as in `affectgen.muser.compose.Composer`.

    Of a request it reads the affect (its mean over the bars, as a quadrant; a random one for none), the bars (as the
    most there may be: the published model ends where it ends) and the seed. Key, ending and Sampling have no meaning
    for it; pieces to continue, to keep or to plan after are refused.
    """

    model: PaperModel
    prior: PaperPrior
    config: PaperConfig
    name: str = ""
    sha256: str = ""
    attribute_spread: tuple[float, ...] = (1.0,) * 7

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    def compose(self, requests: Sequence[Request]) -> list[Composed]:
        """Write every request, always WIDTH rows at a time, so that a piece depends on its own seed and request alone.

        AffectgenError for what the published structure cannot do, or if it writes nothing that can be played.
        """
        for request in requests:
            _refuse(request)
        done: dict[int, Composed] = {}
        for attempt in range(TRIES):
            left = [index for index in range(len(requests)) if index not in done]
            for at in range(0, len(left), WIDTH):
                chosen = left[at : at + WIDTH]
                made = self._batch([_again(requests[index], attempt) for index in chosen])
                done |= {index: one for index, one in zip(chosen, made, strict=True) if len(one.score)}
        if len(done) < len(requests):
            raise AffectgenError(
                f"{len(requests) - len(done)} of {len(requests)} pieces had no playable note in {TRIES} tries.",
                "Train the model longer, or give another seed.",
            )
        return [done[index] for index in range(len(requests))]

    def compose_until(self, requests: Sequence[Request], finished: Finished) -> None:
        """`compose`, each piece told to `finished` but for those that are needless by then."""
        needless: set[int] = set()
        for number, piece in enumerate(self.compose(requests)):
            if number not in needless:
                needless.update(finished(number, piece))

    def _batch(self, requests: Sequence[Request]) -> list[Composed]:
        """One padded batch: quadrant, codes, words."""
        idle = WIDTH - len(requests)
        rngs = [np.random.default_rng(request.seed) for request in requests] + [np.random.default_rng(0)] * idle
        wanted = [_quadrant(request, rng) for request, rng in zip(requests, rngs, strict=False)] + [0] * idle
        quadrant = torch.tensor(wanted, device=self.device)
        # of its own for each stage: rows go on drawing codes until the longest has stopped
        first, second = zip(*(rng.spawn(2) for rng in rngs), strict=True)
        codes = sample_codes(self.prior, quadrant, len(requests), self.config.most_words, PUBLISHED_PRIOR, first)
        bars = [request.bars for request in requests] + [0] * idle
        words = sample_words(self.model, quadrant, codes, bars, PUBLISHED, second)
        return [_composed(one) for one in words[: len(requests)]]

    @torch.no_grad()
    def reconstruct(self, score: GridScore) -> GridScore:
        """A piece through the codebook and back: encoded, quantised, each field then the likeliest one, fed back.

        It is told the quadrant under which the model finds the piece likeliest. Pieces longer than `most_words` words
        come back cut. AffectgenError for a piece without notes.
        """
        if not len(score):
            raise AffectgenError("The piece has no notes.", "Give a piece with notes in it.")
        self.model.eval()
        words = torch.from_numpy(words_of(score))[None, : self.config.most_words].to(self.device)
        codes = self.model.encode(words).codes  # [1, T]
        quadrant = self.model.likeliest_quadrant(words[0], self.model.latents(codes)[0])
        held = Codes(codes, torch.tensor([codes.shape[1]], device=self.device))
        told = torch.tensor([quadrant], device=self.device)
        rebuilt = sample_words(self.model, told, held, [score.bars], GREEDY, [np.random.default_rng(0)])
        return replace(score_of(rebuilt[0]), key=score.key)


def _composed(drawn: Words) -> Composed:
    """A piece from words [T, 7] as drawn, written in the project's words in the key that fits; there is no plan."""
    words = encode(score_of(drawn))
    return Composed(words, decode(words), np.zeros((0, 7), dtype=np.int64))


def _quadrant(request: Request, rng: np.random.Generator) -> int:
    """The quadrant 0-3 that a request asks for."""
    return int(rng.integers(len(QUADRANTS))) if request.affect is None else quadrant_of(request.affect)


def _again(request: Request, attempt: int) -> Request:
    """The request with the seed of a later try."""
    return request if attempt == 0 else replace(request, seed=(*request.seed, attempt))


def _refuse(request: Request) -> None:
    """AffectgenError for requests that the published structure has no way to meet."""
    asked = {"key": request.key, "prefix": request.prefix, "forced": request.forced, "clamped": request.clamped}
    unmet = [name for name, value in asked.items() if value is not None]
    if unmet:
        raise AffectgenError(
            f"The request asks for {' and '.join(unmet)}; the published MusER composes from a quadrant alone.",
            "Use the project's own MusER for keys, continuations, kept elements and transfer.",
        )
