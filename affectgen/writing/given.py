"""Pieces that are given: their words kept in part, gone on from, or put before what was composed; the affect by bar.

And what of a finished piece was composed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import AffectPath, parse_affect
from affectgen.score.beats import read_score
from affectgen.score.grid import BAR, BEAT, GridScore, Timing
from affectgen.score.notes import NoteArray
from affectgen.score.words import decode, encode
from affectgen.writing.options import ELEMENTS, ComposeOptions
from affectgen.writing.pieces import Words
from affectgen.writing.row import FREE

CONTEXT_BARS = 8  # bars of a continued piece that the model hears
BEATS = BAR // BEAT  # in a bar
EARLY = 0.1  # seconds by which a performer may come in before the bar line


def affect_by_bar(affect: str | None, bars: int) -> NDArray[np.float64] | None:
    """The asked valence-arousal of each bar, [bars, 2]; a path in seconds is spread over the whole piece."""
    if affect is None:
        return None
    asked = parse_affect(affect)
    points = asked.sample(bars) if isinstance(asked, AffectPath) else [asked] * bars
    return np.array([[point.valence, point.arousal] for point in points])


def given_piece(option: ComposeOptions) -> GridScore | None:
    """The piece of which elements are kept or that is continued, None for neither. MidiError if it cannot be read."""
    source = option.source if option.source is not None else option.continue_from
    return None if source is None else read_score(source)


def forced_words(words: Words, kept: tuple[str, ...]) -> Words:
    """The words of a source with the kept elements' fields given and the others FREE; the structure always stays."""
    forced = np.full_like(words, FREE)
    forced[:, 0] = words[:, 0]
    forced[:, 1] = words[:, 1]
    for name in kept:
        column = ELEMENTS.index(name)
        forced[:, column] = words[:, column]
    return forced


def context_of(score: GridScore) -> GridScore:
    """The last bars of a piece."""
    return score.take_bars(max(0, score.bars - CONTEXT_BARS), score.bars)


def tail_seconds(score: GridScore, bars: int) -> float:
    """Seconds of the last bars of a piece."""
    lines = score.line_seconds()
    return float(lines[-1] - lines[-1 - BAR * bars])


def finish(option: ComposeOptions, score: GridScore, given: GridScore | None) -> GridScore:
    """Put the piece that was continued before its continuation, and bring the median tempo of what was composed to what
    was asked."""
    kept = 0
    if given is not None and option.continue_from is not None:
        score, kept = append(given, score), BEATS * given.bars
    if option.tempo is not None:
        own = score.tempo[kept:] * (option.tempo / float(np.median(score.tempo[kept:])))
        score = replace(score, tempo=np.concatenate([score.tempo[:kept], own]))
    return score


def append(given: GridScore, composed: GridScore) -> GridScore:
    """A piece as it was, then what was composed after it. `composed` opens with the piece's context as words say it."""
    context = context_of(given)
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


def composed_part(option: ComposeOptions, score: GridScore, bars: int) -> GridScore:
    """The bars of a piece that were composed: of a continued one the last."""
    return score if option.continue_from is None else score.take_bars(score.bars - bars, score.bars)


def composed_notes(option: ComposeOptions, score: GridScore, bars: int, played: Timing | None) -> NoteArray:
    """The notes that were composed, as they sound."""
    notes = score.to_notes(played)
    if option.continue_from is None:
        return notes
    return notes.between(float(score.line_seconds()[-1 - BAR * bars]) - EARLY, np.inf)


def length_of(option: ComposeOptions, score: GridScore, bars: int) -> float:
    """Seconds composed over those asked, 1 where none were."""
    return 1.0 if option.seconds is None else tail_seconds(score, bars) / option.seconds


def tempo_of(bars: int, seconds: float) -> float:
    """The tempo at which some bars of four beats take some seconds, in beats a minute."""
    return 60.0 * BEATS * bars / seconds
