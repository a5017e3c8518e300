"""Given pieces: an affect for each bar, kept words, and a piece put before its continuation."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.errors import MidiError
from affectgen.score.grid import BAR
from affectgen.score.midi import write_midi
from affectgen.score.words import decode, encode
from affectgen.writing.given import (
    CONTEXT_BARS,
    affect_by_bar,
    append,
    context_of,
    finish,
    forced_words,
    given_piece,
    tail_seconds,
)
from affectgen.writing.options import ComposeOptions
from affectgen.writing.sampler import FREE


def test_an_affect_is_asked_bar_by_bar():
    by_bar = affect_by_bar("sad>happy", 10)
    assert by_bar.shape == (10, 2)
    assert (np.diff(by_bar[:, 0]) > 0).all()
    assert affect_by_bar(None, 4) is None
    assert affect_by_bar("0.5,-0.5", 3).tolist() == [[0.5, -0.5]] * 3
    seconds = affect_by_bar("sad@0>happy@60", 10)
    np.testing.assert_allclose(seconds, by_bar)


def test_forced_words_hold_structure_and_what_is_kept(score):
    words = encode(score(0, 2))
    forced = forced_words(words, ("pitch", "tempo"))
    kept = [0, 1, 2, 4]
    assert np.array_equal(forced[:, kept], words[:, kept])
    assert (forced[:, [3, 5, 6, 7]] == FREE).all()


@pytest.mark.parametrize("bars", [1, CONTEXT_BARS, CONTEXT_BARS + 2])
def test_the_context_is_the_end_of_a_piece(score, bars):
    source = score(2, bars)
    context = context_of(source)
    assert context.bars == min(bars, CONTEXT_BARS)
    before = BAR * (bars - context.bars)
    assert np.array_equal(context.start + before, source.start[source.start >= before])
    assert np.array_equal(context.tempo, source.tempo[-4 * context.bars :])


def test_appending_takes_what_is_new_only(score):
    given = score(2, CONTEXT_BARS + 2)
    context = given.take_bars(2, CONTEXT_BARS + 2)
    more = score(3, CONTEXT_BARS + 1, key=given.key).take_bars(CONTEXT_BARS, CONTEXT_BARS + 1)
    words = np.concatenate([encode(context)[:-1], encode(more)[1:]])
    joined = append(given, decode(words))
    assert joined.bars == CONTEXT_BARS + 3
    assert len(joined) == len(given) + len(more)
    assert np.array_equal(joined.start[len(given) :], more.start + BAR * (CONTEXT_BARS + 2))
    assert np.array_equal(joined.velocity[: len(given)], given.velocity), "not rounded to the words' steps"


def test_only_a_continued_piece_stands_before_what_was_composed(score):
    given = score(2, 3)
    composed = decode(np.concatenate([encode(given)[:-1], encode(score(3, 2, key=given.key))[1:]]))
    data = write_midi(given)
    continued = finish(ComposeOptions("happy", 1, continue_from=data), composed, given)
    assert continued.bars == 5
    assert np.array_equal(continued.velocity[: len(given)], given.velocity)
    keeping = finish(ComposeOptions("happy", 1, source=data, keep=("pitch",)), composed, given)
    assert keeping is composed


def test_the_median_tempo_is_brought_to_what_was_asked(score):
    made = finish(ComposeOptions("happy", 1, tempo=90.0), score(1, 4), None)
    assert np.median(made.tempo) == pytest.approx(90.0)
    assert np.array_equal(finish(ComposeOptions("happy", 1), score(1, 4), None).tempo, score(1, 4).tempo)


def test_the_tempo_of_a_piece_that_is_gone_on_from_stays(score):
    given = score(2, 3)
    composed = decode(np.concatenate([encode(given)[:-1], encode(score(3, 2, key=given.key))[1:]]))
    option = ComposeOptions("happy", 1, continue_from=write_midi(given), tempo=150.0)
    made = finish(option, composed, given)
    assert np.array_equal(made.tempo[: len(given.tempo)], given.tempo)
    assert np.median(made.tempo[len(given.tempo) :]) == pytest.approx(150.0)


def test_seconds_of_the_last_bars(score):
    piece = score(1, 4)
    lines = piece.line_seconds()
    assert tail_seconds(piece, 1) == pytest.approx(lines[-1] - lines[-1 - BAR])
    assert tail_seconds(piece, 4) == pytest.approx(piece.seconds)


def test_the_given_piece_is_the_source_or_what_is_continued(score):
    one, other = write_midi(score(1, 2)), write_midi(score(2, 3))
    assert given_piece(ComposeOptions("sad", 1)) is None
    assert given_piece(ComposeOptions("sad", 1, source=one, keep=("pitch",))).bars == 2
    assert given_piece(ComposeOptions("sad", 1, continue_from=other)).bars == 3
    with pytest.raises(MidiError):
        given_piece(ComposeOptions("sad", 1, continue_from=b"not a MIDI file"))
