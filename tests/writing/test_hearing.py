"""Tries, lengths, paths and continuations, with a generator whose pieces are made by rule from their seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hearing_by_rule import Generator, Rule, Take, ask, by_rule, one, same

from affectgen.affect import Affect, AffectPath
from affectgen.score.beats import read_score
from affectgen.score.grid import Timing, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import read_notes, write_midi
from affectgen.writing.given import composed_notes, length_of
from affectgen.writing.heard import STRETCH
from affectgen.writing.hearing import LENGTH_TRIES, Draft, Hearing
from affectgen.writing.pieces import WIDTH, Composed


@pytest.fixture
def generator(plain_ears):
    return Generator(Rule())


def test_a_piece_has_what_was_asked_and_is_measured(generator):
    piece = one(generator, bars=5, tempo=97.0)
    assert (piece.score.bars, piece.bars) == (5, 5)
    assert np.median(piece.score.tempo) == pytest.approx(97.0)
    assert piece.asked == Affect.parse("happy")
    assert (piece.candidate, piece.attempts, piece.measured_path, piece.length) == (0, 1, None, 1.0)
    np.testing.assert_allclose(piece.measured, generator.guide.rate([piece.score.to_notes()])[0])
    assert one(generator, None).asked is None
    assert generator.run([]) == []


def test_every_candidate_that_was_heard_is_told_in_turn(generator):
    piece = one(generator, best_of=3, tries=2)
    assert [told.number for told in piece.heard] == [0, 1, 2]  # the first try was good
    kept = piece.heard[piece.candidate]
    np.testing.assert_array_equal(kept.measured, piece.measured)
    assert kept.cost == min(told.cost for told in piece.heard)
    assert all(told.good for told in piece.heard)
    generator.near = -1.0
    piece = one(generator, best_of=3, tries=2)
    assert [told.number for told in piece.heard] == [0, 1, 2, 3, 4, 5]
    assert not any(told.good for told in piece.heard)
    alone = [told.cost for told in piece.heard]
    shared = generator.run([ask(seed=7), ask(best_of=3, tries=2)])[1]
    assert [told.cost for told in shared.heard] == alone
    generator.near = 9.0


def test_alike_options_share_calls_and_come_back_in_order(generator):
    options = [ask(seed=1), ask(seed=2, temperature=0.5), ask(seed=3, bars=6), ask(seed=4, seconds=5.0), ask(seed=5)]
    made = generator.run(options)
    seeds = [[request[0][0] for request in call] for call in generator.composer.calls]
    assert [1, 3, 5] in seeds
    assert [2] in seeds
    for piece, option in zip(made, options, strict=True):
        assert same(piece, generator.run([option])[0])
    assert [piece.score.bars for piece in made[:3]] == [4, 4, 6]


@pytest.mark.parametrize("seconds", [4.0, 13.7, 60.0])
@pytest.mark.parametrize("tempo", [None, 120.0])
def test_seconds_are_met(generator, seconds, tempo):
    piece = one(generator, seconds=seconds, tempo=tempo)
    assert piece.score.seconds == pytest.approx(seconds, abs=0.01)
    assert piece.score.bars >= 1
    assert 1 <= piece.attempts <= LENGTH_TRIES  # of one try each
    np.testing.assert_allclose(piece.measured, generator.guide.rate([piece.notes])[0], err_msg="measured as it ends")
    if tempo is not None:
        assert np.median(piece.score.tempo) == pytest.approx(tempo, rel=0.25), "whole bars come as near as they can"


def test_the_length_counts_among_the_tries(generator, monkeypatch):
    """The first try of about the right length is kept; failing that, the nearest."""
    heard, ends = [], set()
    hear = generator._heard
    monkeypatch.setattr(generator, "_heard", lambda *words: heard.append(made := hear(*words)) or made)
    for seed in range(12):
        heard.clear()
        piece = one(generator, None, seed=seed, seconds=10.0 if seed < 10 else 4.0, tries=3)
        *tried, last = heard  # the last is the chosen one, at its new tempo
        assert piece.length == last.length == pytest.approx(1.0)
        assert len(tried) == piece.attempts <= 3 * LENGTH_TRIES
        fit = [abs(np.log(one.length)) <= STRETCH for one in tried]
        assert not any(fit[:-1]), "it ends with the first that fits"
        chosen = tried[-1] if fit[-1] else min(tried, key=lambda one: abs(np.log(one.length)))
        assert np.array_equal(piece.score.pitch, chosen.score.pitch)
        assert chosen.good == fit[-1]
        ends.add(len(tried))
    assert len(ends) > 1, "some fit at once, some later"


def test_a_length_that_no_draft_meets_is_brought_about_by_the_tempo(generator, monkeypatch):
    monkeypatch.setattr("affectgen.writing.heard.STRETCH", -1.0)  # nothing fits
    piece = one(generator, None, seconds=20.0, tries=2, best_of=2)
    assert piece.attempts == 2 * LENGTH_TRIES
    assert piece.score.seconds == pytest.approx(20.0)
    seeds = [request[:2] for call in generator.composer.calls for request in call]
    assert len(set(seeds)) == len(seeds) == 4 * LENGTH_TRIES, "no draft is composed twice"


def test_a_second_draft_keeps_near_the_tempo_that_its_bars_need(generator, monkeypatch):
    drafts = []
    asked = generator.request
    monkeypatch.setattr(generator, "request", lambda hearing, draft: drafts.append(draft) or asked(hearing, draft))
    for seed in range(6):
        one(generator, None, seed=seed, seconds=20.0)
    first, later = ([draft for draft in drafts if (draft.tempo is None) == free] for free in (True, False))
    assert len(first) == 6, "where no tempo is asked for, the first draft has any"
    assert later
    for draft in later:
        assert draft.tempo == pytest.approx(240 * draft.bars / 20.0)
    drafts.clear()
    one(generator, None, seconds=20.0, tempo=90.0)
    assert (drafts[0].bars, drafts[0].tempo) == (8, 96.0), "whole bars come as near as they can"


def test_no_draft_is_composed_again_when_lengths_swing(generator, monkeypatch):
    """Ten bars are twice too long and five are half too short, whatever the take."""
    def swinging(seed, bars, context):
        score = by_rule(seed, bars, Key(0, 0))
        seconds = 42.0 if bars == 10 else 10.5
        return Composed(np.zeros((0, 8), dtype=np.int64), replace(score, tempo=np.full(4 * bars, 240 * bars / seconds)))

    monkeypatch.setattr(generator.composer, "_piece", swinging)
    piece = one(generator, None, seconds=21.0)
    drafts = [(bars, seed[1]) for call in generator.composer.calls for seed, bars, _ in call]
    assert drafts == [(10, 0), (5, 0), (10, 0), (5, 1)], "the third keeps near a tempo, which the first did not"
    assert piece.attempts == LENGTH_TRIES
    assert piece.score.seconds == pytest.approx(21.0)


def test_the_best_of_several_has_the_least_rank(generator):
    generator.near = 0.05
    piece = one(generator, "sad", 3, best_of=5)
    assert generator.guide.heard == 5
    aim = Affect.parse("sad").valence
    scores = [by_rule((3, 0, number), 4, Key(0, 0)) for number in range(5)]
    misses = np.abs(generator.guide.rate([score.to_notes() for score in scores])[:, 0] - aim)
    assert len(set(misses.tolist())) == 5
    assert piece.candidate == misses.argmin()
    assert np.array_equal(piece.score.pitch, scores[piece.candidate].pitch)
    assert np.array_equal(one(generator, "sad", 3).score.pitch, scores[0].pitch), "best of one is the first"


def test_pieces_are_tried_again_until_one_is_good(generator):
    far = [one(generator, "sad", seed) for seed in range(8)]
    generator.near = float(np.median([piece.miss for piece in far]))
    again = generator.run([ask("sad", seed, tries=3) for seed in range(8)])
    for first, best in zip(far, again, strict=True):
        assert best.miss <= first.miss
        if first.miss <= generator.near:
            assert same(first, best)
            assert best.attempts == 1
        else:
            assert 2 <= best.attempts <= 3
            assert best.attempts == 3 or best.good, "it stops as soon as one is good"
    assert {piece.attempts > 1 for piece in again} == {True, False}
    generator.near = -1.0
    for tries in (3, 2 * WIDTH + 1):
        for seed in range(4):
            piece, once = one(generator, "sad", seed, tries=tries), one(generator, "sad", seed, best_of=tries)
            assert (piece.attempts, same(piece, once)) == (tries, True), "all the same candidates"


def test_what_is_kept_does_not_depend_on_how_many_are_composed_at_once(generator):
    generator.near = 0.3
    asked = [ask("sad", seed, tries=5, best_of=1 + seed % 2) for seed in range(WIDTH + 2)]
    among = generator.run(asked)
    for piece, option in zip(among, asked, strict=True):
        alone = generator.run([option])[0]
        assert same(piece, alone)
        assert (piece.candidate, piece.attempts) == (alone.candidate, alone.attempts)
    assert len({piece.attempts for piece in among}) > 1


def test_tries_after_a_good_one_are_needless(generator):
    piece = one(generator, tries=2 * WIDTH)
    assert (piece.candidate, piece.attempts, generator.guide.heard) == (0, 1, 1)
    assert generator.composer.begun == [list(range(WIDTH))], "as many tries as a batch has room for were begun"
    assert generator.composer.ended == [0], "and none was written after the first had ended"
    generator.near = -1.0
    assert one(generator, tries=WIDTH + 1).attempts == WIDTH + 1
    assert [len(call) for call in generator.composer.calls] == [WIDTH, WIDTH, 1]


def test_expression_is_heard_and_written(generator):
    plain, played = one(generator), one(generator, expressive=True)
    assert same(plain, played)
    assert plain.played is None
    np.testing.assert_allclose(played.notes.onset, plain.notes.onset + 0.01)
    onsets = [read_notes(piece.midi).onset for piece in (plain, played)]
    assert np.abs(onsets[1] - onsets[0] - 0.01).max() < 0.003


def test_a_path_is_measured_in_windows(generator):
    piece = one(generator, "sad>happy", bars=10)
    assert isinstance(piece.asked, AffectPath)
    assert piece.measured_path.shape == (3, 2)
    opening = piece.score.take_bars(0, 4).to_notes()
    np.testing.assert_allclose(piece.measured_path[0], generator.guide.rate([opening])[0])


@pytest.mark.parametrize("bars", [3, 11])
def test_a_continued_piece_stays_as_it_was(generator, score, bars):
    data = write_midi(score(5, bars))
    given = read_score(data)
    piece = one(generator, continue_from=data, bars=4)
    assert (piece.score.bars, piece.bars) == (given.bars + 4, 4)
    for name in ("start", "length", "pitch", "velocity"):
        assert np.array_equal(getattr(piece.score, name)[: len(given)], getattr(given, name)), name
    assert np.array_equal(piece.score.tempo[: 4 * given.bars], given.tempo)
    assert (np.diff(piece.score.start) >= 0).all()


def test_of_a_continued_piece_what_was_added_is_heard(generator, score):
    data = write_midi(score(5, 6))
    given = read_score(data)
    piece = one(generator, "sad>happy", continue_from=data, bars=8)
    added = piece.score.take_bars(given.bars, given.bars + 8).to_notes()
    np.testing.assert_allclose(piece.measured, generator.guide.rate([added])[0])
    assert len(piece.measured_path) == 2
    assert not np.allclose(piece.measured, generator.guide.rate([piece.score.to_notes()])[0])


def test_seconds_of_a_continuation_are_those_of_what_is_composed(generator, score):
    data = write_midi(score(5, 4))
    given = read_score(data)
    piece = one(generator, continue_from=data, seconds=6.0)
    assert piece.score.seconds - given.seconds == pytest.approx(6.0, abs=0.01)
    assert np.array_equal(piece.score.tempo[: len(given.tempo)], given.tempo)


def test_what_a_performer_plays_before_the_bar_line_was_composed():
    rows = np.array([(0, 4, 60, 64), (12, 4, 62, 64), (16, 4, 64, 64)])  # at 60 beats a minute, four seconds a bar
    piece = make_grid(rows, np.full(8, 60.0), (None,) * 8, Key(0, 0))
    option = ask(continue_from=b"MThd")
    early = Timing(np.array([0.0, 3.0, 3.95]), np.ones(3))
    assert composed_notes(option, piece, 1, early).pitch.tolist() == [64]
    assert composed_notes(option, piece, 1, None).pitch.tolist() == [64]
    assert composed_notes(ask(), piece, 1, early).pitch.tolist() == [60, 62, 64]
    assert length_of(ask(seconds=16.0), piece, 1) == 0.25
    assert length_of(ask(), piece, 1) == 1.0


def piece_of(length, **values):
    return Take(by_rule(0, 1, Key(0, 0)), 1, None, None, np.zeros(2), None, length=length, **values)


def test_the_draft_after_an_unfit_piece():
    draft, half = Draft(2, 8), Draft(2, 4, tempo=120.0)
    assert draft.after(piece_of(2.0), {draft}, 8.0) == half, "twice too long: half the bars, the same random numbers"
    assert draft.after(piece_of(0.5), {draft}, 8.0) == Draft(2, 16, tempo=480.0)
    assert draft.after(piece_of(1.0), {draft}, 8.0) == Draft(2, 8, 1), "the length was right: another take"
    assert draft.after(piece_of(2.0), {draft, half}, 8.0) == replace(half, take=1)
    assert draft.after(piece_of(1.0), {draft, Draft(2, 8, 1)}, 8.0) == Draft(2, 8, 2)
    assert half.after(piece_of(1.0), {half}, 8.0) == replace(half, take=1), "the tempo stays"
    assert Draft(0, 1).after(piece_of(5.0), {Draft(0, 1)}, 4.0) == Draft(0, 1, tempo=60.0), "never no bars at all"


def test_tries_are_judged_in_turn_whichever_end_first():
    judging = Hearing(0, ask(best_of=2, tries=2), None, tuple(Draft(number, 1) for number in range(4)))
    composed = Composed(np.zeros((0, 8)), by_rule(0, 1, Key(0, 0)))
    assert judging.next_try() is None
    judging.finished |= {1: composed, 2: composed, 3: composed}
    assert judging.next_try() is None, "the first try waits for its first draft, and the second for the first"
    judging.finished[0] = composed
    assert list(judging.next_try()) == [0, 1]
    with pytest.raises(ValueError, match="without drafts"):
        _ = judging.result
    judging.judge([replace(piece_of(2.0), candidate=0), replace(piece_of(1.5), candidate=1)])
    assert (judging.result.candidate, judging.result.attempts, judging.over) == (1, 1, False)
    assert list(judging.next_try()) == [2, 3]
    judging.judge([replace(piece_of(3.0), candidate=2), replace(piece_of(1.0), candidate=3)])
    assert (judging.result.candidate, judging.result.attempts, judging.over) == (3, 2, True)
    assert judging.next_try() is None


def test_a_worse_try_leaves_the_best_and_counts():
    judging = Hearing(0, ask(tries=2), None, (Draft(0, 1), Draft(1, 1)))
    judging.judge([replace(piece_of(1.5), candidate=0)])
    judging.judge([replace(piece_of(4.0), candidate=1)])
    assert (judging.result.candidate, judging.result.attempts) == (0, 2)
