"""From options to requests: affect bar by bar, given pieces as prefixes or kept words, and what a score still lacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import AffectPath, parse_affect
from affectgen.errors import UsageError
from affectgen.muser.compose import Composer, Request, Sampling, Writer, bar_codes, open_words
from affectgen.muser.options import ELEMENTS, GenerateOptions, pull
from affectgen.muser.transfer import forced_words
from affectgen.score.beats import read_score
from affectgen.score.grid import BAR, BEAT, GridScore
from affectgen.score.keys import Key
from affectgen.score.words import decode, encode

PLAN_SHARE = 0.6  # of the guidance beyond 1 goes into the plan: more of it makes pieces alike
CONTEXT_BARS = 8  # bars of a continued piece that the model hears
BEATS = BAR // BEAT  # in a bar


def sampling_of(option: GenerateOptions) -> Sampling:
    """How the words of a piece are drawn."""
    return Sampling(
        guidance=pull(option), plan_guidance=1 + PLAN_SHARE * (pull(option) - 1),
        temperature=option.temperature, top_p=option.top_p,
    )  # fmt: skip


def affect_by_bar(affect: str | None, bars: int) -> NDArray[np.float64] | None:
    """The asked valence-arousal of each bar, [bars, 2]; a path in seconds is spread over the whole piece."""
    if affect is None:
        return None
    asked = parse_affect(affect)
    points = asked.sample(bars) if isinstance(asked, AffectPath) else [asked] * bars
    return np.array([[point.valence, point.arousal] for point in points])


def given_piece(option: GenerateOptions) -> GridScore | None:
    """The piece of which elements are kept or that is continued, None for neither. MidiError if it cannot be read."""
    source = option.source if option.source is not None else option.continue_from
    return None if source is None else read_score(source)


def request_of(
    composer: Writer, option: GenerateOptions, bars: int, seed: tuple[int, ...], given: GridScore | None
) -> Request:
    """The request for one candidate; `given` is the option's `given_piece`."""
    key = Key.parse(option.key) if option.key is not None else None
    if given is not None and option.source is not None:
        return _keeping(_ours(composer), option, given, seed)
    request = Request(affect_by_bar(option.affect, bars), bars, seed, key=key, sampling=sampling_of(option))
    return request if given is None else _continuing(_ours(composer), request, _context(given))


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


def _context(score: GridScore) -> GridScore:
    """The last bars of a piece."""
    return score.take_bars(max(0, score.bars - CONTEXT_BARS), score.bars)


def tail_seconds(score: GridScore, bars: int) -> float:
    """Seconds of the last bars of a piece."""
    lines = score.line_seconds()
    return float(lines[-1] - lines[-1 - BAR * bars])


def finish(option: GenerateOptions, score: GridScore, given: GridScore | None) -> GridScore:
    """Put the piece that was continued before its continuation, and bring the median tempo to what was asked."""
    if given is not None and option.continue_from is not None:
        score = append(given, score)
    if option.tempo is not None:
        score = replace(score, tempo=score.tempo * (option.tempo / float(np.median(score.tempo))))
    return score


def append(given: GridScore, composed: GridScore) -> GridScore:
    """A piece as it was, then what was composed after it. `composed` opens with the piece's context as words say it."""
    context = _context(given)
    spoken = decode(encode(context))
    opening = set(zip(spoken.start.tolist(), spoken.pitch.tolist(), strict=True))
    pairs = zip(composed.start.tolist(), composed.pitch.tolist(), strict=True)
    new = np.array([pair not in opening for pair in pairs], dtype=bool)
    shift = (given.bars - context.bars) * BAR
    return GridScore(
        np.concatenate([given.start, composed.start[new] + shift]),
        np.concatenate([given.length, composed.length[new]]),
        np.concatenate([given.pitch, composed.pitch[new]]),
        np.concatenate([given.velocity, composed.velocity[new]]),
        np.concatenate([given.tempo, composed.tempo[BEATS * context.bars :]]),
        given.chords + composed.chords[BEATS * context.bars :], composed.key,
        given.bars + composed.bars - context.bars,
    )  # fmt: skip
