"""Composing with an untrained model: seeds, neighbours, kept words, openings, lengths, endings, guidance,
and words that no neighbour changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from affectgen.muser.compose import Request, Sampling, bar_codes
from affectgen.score.grid import BAR
from affectgen.score.keys import Key
from affectgen.score.words import Family, Field, decode, encode
from affectgen.writing.pieces import WIDTH, key_word, open_words
from affectgen.writing.sampler import FREE, Decoding
from affectgen.writing.stepper import Stepper

HAPPY, SAD = (0.7, 0.6), (-0.7, -0.6)


def ask(seed=0, bars=3, affect=HAPPY, **settings):
    values = None if affect is None else np.tile(affect, (bars, 1))
    return Request(values, bars, (seed,), **settings)


def same(one, other):
    return np.array_equal(one.words, other.words) and np.array_equal(one.codes, other.codes)


def test_a_seed_is_a_piece_wherever_it_stands(tiny):
    alone = tiny.compose([ask(3, bars=4)])[0]
    assert same(alone, tiny.compose([ask(3, bars=4)])[0])
    neighbours = [ask(10 + number, bars=2 + number, affect=SAD if number % 2 else None) for number in range(WIDTH + 2)]
    for place in (0, 2, WIDTH - 1, WIDTH, WIDTH + 2):
        among = tiny.compose([*neighbours[:place], ask(3, bars=4), *neighbours[place:]])
        assert len(among) == WIDTH + 3
        assert same(alone, among[place]), f"place {place}"


def test_other_seeds_are_other_pieces(tiny):
    made = tiny.compose([ask(seed) for seed in range(6)])
    assert len({piece.words.tobytes() for piece in made}) == 6
    assert len({piece.codes.tobytes() for piece in made}) == 6
    assert len({piece.score.key for piece in made}) > 1


@pytest.mark.parametrize("ending", [True, False])
def test_a_piece_has_the_bars_asked_for(tiny, ending):
    made = tiny.compose([ask(seed, bars=1 + seed, ending=ending) for seed in range(5)])
    for seed, piece in enumerate(made):
        assert piece.score.bars == decode(piece.words).bars == 1 + seed
        assert piece.codes.shape == (1 + seed, 7)
        assert piece.words[-1, 0] == Family.END
        assert len(piece.score) > 0
        if ending:
            final = piece.score.start == piece.score.start.max()
            lowest = piece.score.pitch[final].min()
            assert lowest % 12 == piece.score.key.tonic
            assert (piece.score.start + piece.score.length).max() == BAR * (1 + seed)


def test_the_first_onset_states_its_tempo_and_chord(tiny):
    for piece in tiny.compose([ask(seed) for seed in range(4)]):
        onset = np.flatnonzero((piece.words[:, 0] == Family.METRICAL) & (piece.words[:, 1] > 1))[0]
        assert piece.words[onset, Field.TEMPO] > 0
        assert piece.words[onset, Field.CHORD] > 0


def test_the_key_asked_for_is_the_key(tiny):
    made = tiny.compose([ask(seed, key=Key(seed, seed % 2)) for seed in range(12)])
    assert [piece.score.key for piece in made] == [Key(seed, seed % 2) for seed in range(12)]
    assert np.array_equal(made[0].words[:1], key_word(Key(0, 0)))


def test_the_affect_and_how_hard_it_pulls_change_a_piece(tiny):
    weak, strong = Sampling(guidance=1.0, plan_guidance=1.0), Sampling(guidance=3.0, plan_guidance=1.0)
    happy = tiny.compose([ask(sampling=weak)])[0]
    pulled = tiny.compose([ask(sampling=strong)])[0]
    assert np.array_equal(happy.codes, pulled.codes), "the plan's guidance is the same"
    assert not np.array_equal(happy.words, pulled.words)
    assert not same(happy, tiny.compose([ask(affect=SAD, sampling=weak)])[0])
    planned = tiny.compose([ask(sampling=dataclasses.replace(weak, plan_guidance=4.0))])[0]
    assert not np.array_equal(happy.codes, planned.codes)
    without = [tiny.compose([ask(affect=None, sampling=one)])[0] for one in (weak, strong)]
    assert not same(happy, without[0])
    assert same(*without), "guidance toward nothing goes nowhere"


def test_a_path_is_heard_bar_by_bar(tiny):
    still = tiny.compose([ask(bars=4)])[0]
    path = np.array([HAPPY, HAPPY, SAD, SAD])
    moved = tiny.compose([Request(path, 4, (0,), clamped=still.codes, key=still.score.key)])[0]
    kept = tiny.compose([Request(path[[0, 0, 0, 0]], 4, (0,), clamped=still.codes, key=still.score.key)])[0]
    bar = np.cumsum((moved.words[:, 0] == Family.METRICAL) & (moved.words[:, 1] == 1))
    opening = moved.words[bar <= 2]
    assert np.array_equal(opening, kept.words[: len(opening)]), "what comes later is not known yet"
    assert not np.array_equal(moved.words, kept.words)


def test_clamped_codes_are_the_plan(tiny):
    clamped = np.full((3, 7), -1)
    clamped[:, 4], clamped[1, 6] = [1, 2, 3], 7
    piece = tiny.compose([ask(clamped=clamped)])[0]
    assert np.array_equal(piece.codes[clamped >= 0], clamped[clamped >= 0])
    assert piece.codes.min() >= 0


def test_what_opens_a_piece_stays(tiny, score):
    source = score(3, 2, key=Key(5, 1))
    key, opening = open_words(source)
    assert key == Key(5, 1)
    made = tiny.compose([ask(seed, bars=5, prefix=opening, key=key) for seed in range(3)])
    for piece in made:
        assert np.array_equal(piece.words[1 : 1 + len(opening)], opening)
        assert piece.score.bars == 5
        assert piece.score.start.max() >= 4 * BAR
    assert len({piece.words.tobytes() for piece in made}) == 3


@pytest.mark.parametrize("column", [Field.TEMPO, Field.CHORD, Field.PITCH, Field.DURATION, Field.VELOCITY])
def test_kept_words_are_kept_and_no_note_is_lost(tiny, score, column):
    source = score(7, 3, dense=True)
    words = encode(source)
    forced = np.full_like(words, FREE)
    kept = [Field.FAMILY, Field.BEAT, column]
    forced[:, kept] = words[:, kept]
    made = tiny.compose([
        Request(None, 3, (seed,), key=source.key, forced=forced, ending=False) for seed in range(3)
    ])  # fmt: skip
    for piece in made:
        assert np.array_equal(piece.words[:, kept], words[:, kept])
        assert np.array_equal(piece.score.start, source.start), "an onset keeps its number of notes"
        drawn = [number for number in range(2, 7) if number not in kept]
        assert not np.array_equal(piece.words[:, drawn], words[:, drawn])


def test_more_kept_words_than_a_bar_has_room_for(tiny, score, monkeypatch):
    monkeypatch.setattr("affectgen.writing.sampler.WORDS_PER_BAR", 4)
    source = score(7, 3, dense=True)
    words = encode(source)
    forced = np.full_like(words, FREE)
    forced[:, :2] = words[:, :2]
    piece = tiny.compose([Request(None, 3, (0,), key=source.key, forced=forced, ending=False)])[0]
    assert len(piece.words) == len(words)


def test_a_piece_that_runs_out_of_room_ends_with_a_whole_bar(tiny, monkeypatch):
    monkeypatch.setattr("affectgen.writing.sampler.WORDS_PER_BAR", 6)
    made = tiny.compose([ask(seed, bars=4) for seed in range(8)])
    short = [piece for piece in made if decode(piece.words).bars < 4]
    assert short, "six words a bar are too few"
    for piece in made:
        assert piece.words[-1, 0] == Family.END
        assert piece.score.bars == 4
        assert len(piece.score.tempo) == len(piece.score.chords) == 16


def test_requests_of_one_call_are_sampled_alike(tiny):
    with pytest.raises(ValueError, match="alike"):
        tiny.compose([ask(), ask(sampling=Sampling(temperature=0.5))])
    assert tiny.compose([]) == []


def test_what_is_needless_is_not_written(tiny, monkeypatch):
    """Of six pieces, the second makes the first and the last three needless, as soon as it ends."""
    asked = [ask(seed, bars=12 if seed == 0 else 2) for seed in range(6)]
    expected = tiny.compose(asked)
    seen, steps = {}, []

    def finished(number, piece):
        seen[number] = piece
        return (0, 3, 4, 5) if number == 1 else ()

    step = Stepper.step
    monkeypatch.setattr(Stepper, "step", lambda self, *args: steps.append(args[-1]) or step(self, *args))
    tiny.compose_until(asked, finished)
    assert 0 not in seen
    assert {1, 2} <= set(seen) <= {1, 2, 3}, "the fourth may have ended before the second"
    for number, piece in seen.items():
        assert same(piece, expected[number])
    lengths = [len(piece.words) for piece in expected]
    assert len(steps) < max(lengths[1:4]) < lengths[0], "neither the long one nor a second batch was written"


def test_pieces_that_end_together_can_make_each_other_needless(tiny):
    seen = []

    def finished(number, piece):
        seen.append(number)
        return range(3)

    tiny.compose_until([ask(5)] * 3, finished)
    assert seen == [0]


def test_cold_sampling_repeats_itself(tiny):
    cold = Sampling(temperature=0.0)
    made = tiny.compose([ask(seed, bars=4, key=Key(0, 0), sampling=cold) for seed in range(4)])
    assert all(np.array_equal(piece.codes, made[0].codes) for piece in made)
    before_the_last_bar = [piece.words[: np.flatnonzero(piece.words[:, 1] == 1)[3]] for piece in made]
    assert all(np.array_equal(words, before_the_last_bar[0]) for words in before_the_last_bar)


def test_bar_codes_are_those_of_the_bars(tiny, score):
    source = score(1, 6)
    codes = bar_codes(tiny.model, encode(source))
    assert codes.shape == (6, 7)
    opening, own = bar_codes(tiny.model, encode(source.take_bars(0, 3))), [1, 4, 5, 6]
    assert np.array_equal(opening[:, own], codes[:3, own])
    tiny.model.train()
    before = tiny.model.bar_books.books.clone()
    assert np.array_equal(bar_codes(tiny.model, encode(source)), codes)
    assert (tiny.model.bar_books.books == before).all(), "looking never teaches the books"


def unlike(guidance=1.7):
    """Three pieces of unlike lengths, one of which ends early."""
    sampling = Sampling(guidance=guidance)
    asked = [ask(1, 5), ask(2, 2, SAD), ask(3, 3, None, ending=False)]
    return [dataclasses.replace(one, sampling=sampling) for one in asked]


def test_guidance_of_one_is_the_affect_alone(tiny, monkeypatch):
    """Hardly more than 1 takes rows without the affect as well, and must draw the same words."""
    seen = []
    step = Stepper.step
    monkeypatch.setattr(Stepper, "step", lambda self, *args: seen.append(self.sides) or step(self, *args))
    one, more = tiny.compose(unlike(1.0)), tiny.compose(unlike(1.0 + 1e-9))
    assert set(seen) == {1, 2}
    assert sum(len(piece.words) for piece in one) > 60
    for ours, theirs in zip(one, more, strict=True):
        np.testing.assert_array_equal(ours.words, theirs.words)


def test_logits_are_computed_for_the_whole_batch(tiny, monkeypatch):
    """Products of few rows may round otherwise than products of many; so how many draw an element must not matter."""
    seen = []
    logits = Decoding._logits

    def spy(self, element, state):
        found = logits(self, element, state)
        seen.append(found)
        return found

    monkeypatch.setattr(Decoding, "_logits", spy)
    first = unlike()[0]
    alone = tiny.compose([first])[0]
    other = Request(np.zeros((5, 2)), 5, (9,), sampling=first.sampling)
    among = tiny.compose([first, *[other] * 4])[0]
    np.testing.assert_array_equal(alone.words, among.words)
    assert {len(found) for found in seen} == {2 * WIDTH}
