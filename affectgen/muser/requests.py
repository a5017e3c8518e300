"""From options to MusER's requests: given pieces become prefixes, kept words and clamped codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from affectgen.errors import UsageError
from affectgen.muser.compose import Composer, Request, Sampling, Writer, bar_codes
from affectgen.muser.options import GenerateOptions, pull
from affectgen.score.grid import GridScore
from affectgen.score.keys import Key
from affectgen.score.words import encode
from affectgen.writing.given import affect_by_bar, context_of, forced_words
from affectgen.writing.options import ELEMENTS
from affectgen.writing.pieces import open_words

PLAN_SHARE = 0.6  # of the guidance beyond 1 goes into the plan: more of it makes pieces alike


def sampling_of(option: GenerateOptions) -> Sampling:
    """How the words of a piece are drawn."""
    return Sampling(
        guidance=pull(option), plan_guidance=1 + PLAN_SHARE * (pull(option) - 1),
        temperature=option.temperature, top_p=option.top_p,
    )  # fmt: skip


def request_of(
    composer: Writer, option: GenerateOptions, bars: int, seed: tuple[int, ...], given: GridScore | None
) -> Request:
    """The request for one candidate; `given` is the option's `given_piece`."""
    key = Key.parse(option.key) if option.key is not None else None
    if given is not None and option.source is not None:
        return _keeping(_ours(composer), option, given, seed)
    request = Request(affect_by_bar(option.affect, bars), bars, seed, key=key, sampling=sampling_of(option))
    return request if given is None else _continuing(_ours(composer), request, context_of(given))


def _ours(composer: Writer) -> Composer:
    """The composer, if it has bar latents; UsageError for the paper's structure."""
    if isinstance(composer, Composer):
        return composer
    raise UsageError(
        f"{composer.name} has the paper's structure, which can neither continue a piece nor keep its elements.",
        "Leave --checkpoint out, or --source and --continue.",
    )


def _keeping(composer: Composer, option: GenerateOptions, score: GridScore, seed: tuple[int, ...]) -> Request:
    """Recompose a source around its kept elements: its structure of onsets stays, and the kept elements' plan."""
    words = encode(score)
    clamped = np.full((score.bars, 7), -1, dtype=np.int64)
    kept = [ELEMENTS.index(name) for name in (*option.keep, "family", "beat")]
    clamped[:, kept] = bar_codes(composer.model, words)[:, kept]
    affect = affect_by_bar(option.affect, score.bars)
    return Request(
        affect, score.bars, seed, key=score.key, forced=forced_words(words, option.keep), clamped=clamped, ending=False,
        sampling=sampling_of(option),
    )  # fmt: skip


def _continuing(composer: Composer, request: Request, score: GridScore) -> Request:
    """Open the piece with the last bars of another; its own bars come after them."""
    key, words = open_words(score)
    clamped = np.full((score.bars + request.bars, 7), -1, dtype=np.int64)
    clamped[: score.bars] = bar_codes(composer.model, encode(score))
    affect = request.affect
    if affect is not None:
        affect = np.concatenate([np.repeat(affect[:1], score.bars, axis=0), affect])
    return replace(
        request, affect=affect, bars=score.bars + request.bars, key=key, prefix=words, clamped=clamped
    )
