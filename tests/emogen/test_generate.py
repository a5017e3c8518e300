"""From options to pieces: which candidate is kept, its error, keys, lengths, keeping and continuing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from affectgen.affect import AffectPath, parse_affect
from affectgen.emogen.choosing import MOST_STEERED, Chooser, steer
from affectgen.emogen.data import as_written, describe_bars
from affectgen.emogen.generate import (
    ASTRAY,
    BY_HAND,
    DOUBT,
    HASTE,
    MISSED,
    MOST_DOUBT,
    TELLING,
    Generator,
    Piece,
    sampling_of,
)
from affectgen.emogen.options import GUIDANCE, EmogenOptions
from affectgen.emogen.parts import PART_BARS, Parts
from affectgen.emogen.scale import FARTHEST
from affectgen.emogen.targets import Targets
from affectgen.emogen.vector import FIRST_EMOGEN, NAMES, describe
from affectgen.errors import MidiError, UsageError
from affectgen.recognize.critic import Critic
from affectgen.score.beats import read_score
from affectgen.score.grid import BAR
from affectgen.score.keys import Key
from affectgen.score.midi import read_notes, write_midi
from affectgen.score.words import BAR_LINE, Family, Field, decode, encode
from affectgen.writing import branching
from affectgen.writing.given import CONTEXT_BARS
from affectgen.writing.heard import STRETCH
from affectgen.writing.options import ELEMENTS

K = len(NAMES)
LOUD, TEMPO, MODE = (NAMES.index(name) for name in ("velocity_mean", "tempo", "key_mode"))


@pytest.fixture
def generator(tiny, emotions, plain_ears):
    return Generator(tiny, emotions)


@pytest.fixture
def spy(generator, monkeypatch):
    """Every candidate that is heard, in turn."""
    heard, hear = [], generator._heard_together

    def listen(*words):
        pieces = hear(*words)
        heard.extend(pieces)
        return pieces

    monkeypatch.setattr(generator, "_heard_together", listen)
    return heard


@pytest.fixture
def undivided(monkeypatch):
    """Candidates of four bars share nothing: they are compared at their end alone."""
    monkeypatch.setattr("affectgen.emogen.compose.BRANCH_BARS", 4)


def ask(affect="happy", seed=1, **values):
    return EmogenOptions(affect, seed, **{"bars": 4, "best_of": 1, "expressive": False} | values)


def one(generator, *args, **values):
    return generator.run([ask(*args, **values)])[0]


def same(first, second):
    names = ("start", "length", "pitch", "velocity", "tempo")
    return all(np.array_equal(getattr(first.score, name), getattr(second.score, name)) for name in names)


def target(by_hand=(), segments=1, **values):
    """Targets made by hand."""
    sd = np.full((segments, K), np.nan)
    for name, value in values.items():
        sd[:, NAMES.index(name)] = value
    chosen = np.isin(np.arange(K), [NAMES.index(name) for name in by_hand])
    return Targets(sd, sd.copy(), tuple(range(segments + 1)), chosen)


def read_nothing(generator):
    """Let the linear reading tell nothing, so that attribute errors stand alone."""
    generator.emotions.__dict__["reading"] = np.zeros((K, 2))
    return generator


def test_a_piece_has_what_was_asked(generator):
    piece = one(generator, bars=5, key="F# minor", tempo=97.0)
    assert piece.score.bars == 5
    assert piece.score.key == Key(6, 1)
    assert np.median(piece.score.tempo) == pytest.approx(97.0)
    assert piece.asked == parse_affect("happy")
    assert (piece.candidate, piece.attempts, piece.measured_path) == (0, 1, None)
    np.testing.assert_allclose(piece.measured, generator.guide.rate([piece.score.to_notes()])[0])


def test_a_piece_tells_its_targets_and_its_attributes(generator, scale):
    piece = one(generator, bars=8, expressive=True)
    played = generator.performer.perform(piece.score, 1)
    notes = piece.score.bar_notes(0, 8, played)
    expected = describe(notes, float(np.median(piece.score.tempo)))
    np.testing.assert_allclose(piece.values[0], expected, rtol=1e-6)
    np.testing.assert_allclose(piece.achieved, scale.to_sd(piece.values))
    np.testing.assert_array_equal(piece.targets.sd, generator.targets(ask(bars=8), 8).sd)
    there = np.isfinite(piece.targets.sd)
    np.testing.assert_array_equal(np.isfinite(piece.wanted), there)
    np.testing.assert_allclose(scale.to_natural(piece.targets.sd)[there], piece.wanted[there])
    assert piece.error == pytest.approx(generator.error_of(piece.targets, piece.achieved))
    assert piece.error > 0


@pytest.mark.parametrize("expressive", [True, False])
def test_attributes_are_those_of_the_file(generator, expressive):
    piece = one(generator, "sad", 2, best_of=3, bars=8, expressive=expressive)
    found = describe(read_notes(piece.midi), float(np.median(piece.score.tempo)))
    near = np.isclose(piece.values[0], found, rtol=0.02, atol=0.02) | ~np.isfinite(piece.values[0])
    assert near.mean() > 0.95, [NAMES[place] for place in np.flatnonzero(~near)]
    assert (piece.played is None) == (not expressive)
    spread = NAMES.index("gap_spread")
    assert piece.values[0, spread] == pytest.approx(found[spread], abs=0.02)


def test_a_seed_repeats_a_piece_among_any_others(generator):
    alone = one(generator, seed=7)
    others = [ask("sad", 8, bars=6), ask(seed=9, guidance=3.0), ask(None, 10), ask(seed=11, seconds=8.0)]
    among = generator.run([*others[:2], ask(seed=7), *others[2:]])
    assert same(among[2], alone)
    assert among[2].error == alone.error
    assert [piece.score.bars for piece in among[:4]] == [6, 4, 4, 4]
    assert not same(one(generator, seed=8), alone)


def test_the_candidate_that_misses_its_targets_least_is_kept(generator, spy, undivided):
    piece = one(generator, "sad", 3, best_of=6)
    errors = [candidate.error for candidate in spy]
    assert len(set(errors)) == 6
    assert piece.error == min(errors)
    assert piece.candidate == int(np.argmin(errors))
    assert same(piece, spy[piece.candidate])
    assert [candidate.targets is None for candidate in spy].count(False) == 1, "only the best is heard closely"
    assert same(one(generator, "sad", 3), spy[0]), "best of one is the first"
    assert piece.attempts == 1


def test_choosing_among_several_comes_nearer_to_the_targets(generator, undivided):
    asked = [("Q1", 0), ("Q3", 1), ("Q2", 2), ("Q4", 3)]
    first, best = (
        [piece.error for piece in generator.run([ask(*words, best_of=count) for words in asked])] for count in (1, 4)
    )
    assert all(b <= f for b, f in zip(best, first, strict=True))
    assert sum(best) < sum(first)


def doubtful(level=3.0):
    """A critic that believes in loud pieces only."""
    weight = np.zeros(2 * K)
    weight[LOUD] = 1.0
    return Critic(np.zeros(K), np.ones(K), weight, 0.0, level)


def test_of_candidates_that_miss_their_targets_alike_the_least_doubted_is_kept(tiny, emotions, monkeypatch):
    monkeypatch.setattr(Generator, "error_of", lambda *_: 0.25)
    monkeypatch.setattr("affectgen.emogen.generate.MISSED", 0.0)
    monkeypatch.setattr("affectgen.emogen.compose.BRANCH_BARS", 16)
    plain, doubting = Generator(tiny, emotions), Generator(tiny, emotions, doubtful())
    pieces = plain.run([ask("sad", 3, best_of=1, bars=12, expressive=True)])
    assert pieces[0].doubt == 0, "there is no critic"
    heard, hear = [], doubting._heard_together
    monkeypatch.setattr(doubting, "_heard_together", lambda *words: heard.extend(hear(*words)) or heard)
    piece = doubting.run([ask("sad", 3, best_of=4, bars=12, expressive=True)])[0]
    assert piece.doubt == pytest.approx(np.clip(3 - piece.achieved[0, LOUD], 0, MOST_DOUBT))
    assert len(heard) == 4
    assert piece.rank == (False, pytest.approx(0.25 + DOUBT * piece.doubt))
    assert piece.doubt <= min(other.doubt for other in heard) + 1e-9


def test_what_no_clip_is_like_is_not_doubted(tiny, emotions, score):
    critic = doubtful()
    doubting = Generator(tiny, emotions, critic)
    soft = np.full((1, K), -2.0)
    whole, plain = replace(target(), edges=(0, 16)), ask(expressive=True)
    assert doubting.doubt_of(plain, whole, soft) == pytest.approx(5.0)
    assert doubting.doubt_of(plain, whole, soft * np.nan) == pytest.approx(3.0), "too few notes count as usual"
    assert doubting.doubt_of(plain, whole, -3 * soft) == 0
    assert doubting.doubt_of(plain, whole, 3 * soft) == MOST_DOUBT, "sounds farther than any clip count no more"
    assert doubting.doubt_of(ask(expressive=False), whole, soft) == 0, "no clip stays on the grid"
    given = write_midi(score(3, 6))
    for more in ({"continue_from": given}, {"source": given, "keep": ("pitch",)}):
        assert doubting.doubt_of(ask(expressive=True, **more), whole, soft) == 0, "these are somebody else's notes"
    for bars in (4, 40):
        assert doubting.doubt_of(plain, replace(whole, edges=(0, bars)), soft) == 0, "clips have another length"
    assert doubting.doubt_of(plain, replace(target(segments=2), edges=(0, 8, 16)), np.repeat(soft, 2, 0)) == 0
    by_hand = replace(target(("velocity_mean",), velocity_mean=-2.0), edges=(0, 16))
    assert doubting.doubt_of(plain, by_hand, soft) == 0


def test_the_critic_hears_candidates_at_bar_lines(tiny, emotions, generator, score, monkeypatch):
    monkeypatch.setattr(Generator, "error_of", lambda *_: 0.0)
    written = []
    for velocity in (40, 110, 70):
        piece = score(5, 8).take_bars(0, 4)
        piece.velocity[:] = velocity
        written.append(encode(piece)[:-1])
    option = ask(None, 1, bars=16, expressive=True)
    chosen = [Chooser((0, 0, 0), 16, 0, option, each)(4, written).place
              for each in (generator, Generator(tiny, emotions, doubtful()))]  # fmt: skip
    assert chosen == [0, 1]


def test_candidates_are_compared_every_few_bars(generator, spy):
    piece = one(generator, "sad", 3, best_of=3, bars=10, key="C")
    opening = [candidate.score.take_bars(0, 8) for candidate in spy]
    assert len(spy) == 3
    assert all(np.array_equal(other.pitch, opening[0].pitch) for other in opening), "they share what was kept"
    assert len({candidate.score.pitch.tobytes() for candidate in spy}) == 3
    assert piece.error == min(candidate.error for candidate in spy)


def test_of_bars_so_far_those_that_miss_their_targets_least_are_chosen(generator, score):
    read_nothing(generator)
    option = ask(None, 1, bars=8, set=("velocity_mean=+2",))
    levels = np.full((4, K), np.nan)
    levels[:, LOUD] = (0, -1.8, 1.8, -0.7)
    written = []
    for velocity in generator.composer.scale.to_natural(levels)[:, LOUD]:
        piece = score(5, 8).take_bars(0, 4)
        piece.velocity[:] = round(velocity)
        written.append(encode(piece)[:-1])
    assert Chooser(0, 8, 0, option, generator)(4, written).place == 2
    soft = ask(None, 1, bars=8, set=("velocity_mean=-2",))
    assert Chooser(0, 8, 0, soft, generator)(4, written).place == 1
    free = ask(None, 1, bars=8)
    assert Chooser(0, 8, 0, free, generator)(4, written).place == 0, "nothing is asked: the first is as good as any"


@pytest.mark.parametrize("expressive", [True, False])
def test_a_candidate_that_is_silent_so_far_is_chosen_last(generator, score, expressive):
    """Two bars without a note can be drawn at the beginning of a piece."""
    option = ask(None, 1, bars=8, set=("velocity_mean=+1",), expressive=expressive)
    whole = encode(score(5, 8).take_bars(0, 2))[:-1]
    silent = whole[(whole[:, Field.FAMILY] != Family.NOTE)
                   & ~((whole[:, Field.FAMILY] == Family.METRICAL) & (whole[:, Field.BEAT] > BAR_LINE))]  # fmt: skip
    assert len(silent) == 3, "a key and two bar lines"
    verdict = Chooser((0, 0, 0), 8, 0, option, generator)(2, [silent, whole, silent])
    assert verdict.place == 1
    assert np.isfinite(Chooser((0, 0, 0), 8, 0, option, generator)(2, [silent, silent]).targets[:, LOUD]).all()


def test_bars_of_a_piece_that_is_gone_on_from_do_not_count_in_choosing(generator, score):
    """The same two bars before, then two loud or two soft ones."""
    read_nothing(generator)
    written = []
    for velocity in (30, 110):
        piece = score(5, 4)
        piece.velocity[piece.start >= 2 * BAR] = velocity
        written.append(encode(piece)[:-1])
    for sign, place in (("+", 1), ("-", 0)):
        option = ask(None, 1, set=(f"velocity_mean={sign}2",))
        assert Chooser(0, 4, 2, option, generator)(4, written).place == place


def test_what_a_piece_has_missed_is_asked_for_on_top_of_its_targets():
    by_bar = np.full((3, K), np.nan)
    by_bar[:, [LOUD, TEMPO, MODE]] = (0.5, -2.4, 0.0)
    gap = np.full((2, K), np.nan)
    gap[:, LOUD] = (0.2, 0.6)  # louder than asked
    gap[:, TEMPO] = (0.8, np.nan)  # and quicker
    steered = steer(by_bar, gap)
    np.testing.assert_allclose(steered[:, LOUD], 0.5 - 0.4)
    np.testing.assert_allclose(steered[:, TEMPO], -FARTHEST, err_msg="no farther than the scale goes")
    np.testing.assert_allclose(steered[:, MODE], 0.0, err_msg="nothing is known of it")
    assert np.isnan(steered).sum() == np.isnan(by_bar).sum(), "what is free stays free"
    np.testing.assert_allclose(steer(by_bar, 9 * gap)[:, LOUD], 0.5 - MOST_STEERED)


def test_what_is_left_open_is_made_up_for_by_what_is_asked(generator):
    """It tells more valence than it should: the others tell less from there on, but not what was set by hand."""
    leaning, reading = np.zeros((2, K)), np.zeros((K, 2))
    leaning[0, [LOUD, MODE, TEMPO]], reading[TEMPO, 0] = 2.0, 0.5
    generator.emotions.__dict__.update(reading=reading, leaning=leaning)
    asked = target(("velocity_mean",), velocity_mean=1.0, key_mode=1.0)
    asked.expected[0, TEMPO] = 0.25
    achieved = np.zeros((1, K))
    achieved[0, [LOUD, MODE, TEMPO]] = (1.2, 1.0, 0.75)
    missed = generator.miss(asked, achieved)
    assert missed[0, LOUD] == pytest.approx(0.2)
    assert missed[0, MODE] == pytest.approx(0.5 * 0.5 * 2.0)
    assert np.isfinite(missed).sum() == 2, "what is open is asked for no less"
    achieved[0, TEMPO] = np.nan
    assert generator.miss(asked, achieved)[0, MODE] == 0


def test_a_choice_steers_the_bars_that_are_composed(generator, score):
    """A piece that came out too soft is asked to be louder from there on; what it went on from is told nothing."""
    option = ask(None, 1, bars=8, set=("velocity_mean=+1",))
    written = []
    levels = np.full((2, K), np.nan)
    levels[:, LOUD] = (-1.8, -0.7)
    for velocity in generator.composer.scale.to_natural(levels)[:, LOUD]:
        piece = score(5, 6)
        piece.velocity[:] = round(velocity)
        written.append(encode(piece)[:-1])
    verdict = Chooser(0, 8, 2, option, generator)(6, written)
    assert verdict.place == 1
    assert verdict.targets.shape == (10, K)
    assert np.isnan(verdict.targets[:2]).all()
    asked = generator.targets(option, 8).by_bar[0]
    np.testing.assert_allclose(verdict.targets[2:, LOUD], asked[LOUD] + MOST_STEERED)
    assert (np.isfinite(verdict.targets[2:]) == np.isfinite(asked)).all()


def test_beginnings_are_judged_by_what_they_tell_of_wholes(generator, score, monkeypatch):
    """Where beginnings are a standard deviation softer than wholes, the softer one of two misses nothing."""
    read_nothing(generator)
    shape = (len(PART_BARS), K)
    softer, halved = np.zeros(shape), np.full(shape, 0.5)
    softer[:, LOUD] = -1.0
    levels = np.full((2, K), np.nan)
    levels[:, LOUD] = (0.5, -0.5)
    written = []
    for velocity in generator.composer.scale.to_natural(levels)[:, LOUD]:
        piece = score(5, 8).take_bars(0, 4)
        piece.velocity[:] = round(velocity)
        written.append(encode(piece)[:-1])
    option = ask(None, 1, bars=24, set=("velocity_mean=+0.5",))
    plain = Chooser(0, 24, 0, option, generator)(4, written)
    monkeypatch.setattr(generator, "composer", replace(generator.composer, parts=Parts(softer, halved)))
    known = Chooser(0, 24, 0, option, generator)(4, written)
    assert (plain.place, known.place) == (0, 1)
    asked = generator.targets(option, 24).by_bar[0, LOUD]
    assert plain.targets[0, LOUD] == pytest.approx(asked, abs=0.25)
    assert known.targets[0, LOUD] == pytest.approx(asked, abs=0.25), "nor is it asked to be louder"
    along = ask("sad>happy", 1, bars=24, set=("velocity_mean=+0.5",))
    assert Chooser(0, 24, 0, along, generator)(4, written).place == 0, "a segment of a path is no beginning"


@pytest.mark.parametrize(("best_of", "tries"), [(4, 1), (2, 2), (2, 3)])
def test_neighbours_do_not_change_what_is_chosen(generator, best_of, tries):
    """Rows that only fill a batch may hold the next tries; they must not take part in the first one's choices."""
    asked = [ask("sad", seed, best_of=best_of, tries=tries, bars=6) for seed in range(4)]
    among = generator.run(asked)
    for option, piece in zip(asked, among, strict=True):
        alone = generator.run([option])[0]
        assert same(alone, piece), f"seed {option.seed}"
        assert (alone.candidate, alone.attempts) == (piece.candidate, piece.attempts)


def test_the_guide_chooses_nothing(generator, spy, monkeypatch):
    before = one(generator, "sad", 3, best_of=4)
    monkeypatch.setattr(generator.guide, "rate", lambda pieces: np.zeros((len(pieces), 2)), raising=False)
    after = one(generator, "sad", 3, best_of=4)
    assert same(before, after)
    assert after.measured.tolist() == [0, 0]


def test_what_hits_its_targets_has_no_error(generator):
    asked = target(velocity_mean=1.0, tempo=-0.5)
    achieved = np.random.default_rng(0).normal(size=(1, K))
    assert generator.error_of(asked, np.where(np.isfinite(asked.sd), asked.sd, achieved)) == 0
    assert generator.error_of(asked, achieved) > 0
    assert generator.error_of(target(), achieved) == 0, "nothing was asked for"


def test_an_error_is_the_root_mean_square_of_what_was_asked(generator):
    read_nothing(generator)
    achieved = np.zeros((1, K))
    assert generator.error_of(target(velocity_mean=3.0, tempo=-4.0), achieved) == pytest.approx(np.sqrt(12.5))
    achieved[0, NAMES.index("range")] = 9.0
    assert generator.error_of(target(velocity_mean=3.0), achieved) == pytest.approx(3.0), "the others do not count"


def test_what_was_set_by_hand_weighs_more(generator):
    read_nothing(generator)
    asked = target(("tempo",), velocity_mean=3.0, tempo=1.0)
    expected = np.sqrt((9 + BY_HAND * 1) / (1 + BY_HAND))
    assert generator.error_of(asked, np.zeros((1, K))) == pytest.approx(expected)
    assert BY_HAND > 1


def test_an_error_counts_by_what_it_tells_of_the_emotion(generator):
    reading = np.zeros((K, 2))
    reading[LOUD], reading[MODE] = [0.0, 0.3], [0.4, 0.0]
    generator.emotions.__dict__["reading"] = reading
    achieved = np.zeros((1, K))
    both = generator.error_of(target(velocity_mean=1.0, key_mode=1.0), achieved)
    assert both == pytest.approx(1.0 + TELLING * 0.5)
    assert generator.error_of(target(tempo=1.0), achieved) == pytest.approx(1.0)
    against = generator.error_of(target(velocity_mean=1.0, key_mode=-1.0), achieved)
    assert against == pytest.approx(both)


def test_what_is_left_open_counts_by_what_it_tells_of_the_emotion(generator):
    reading = np.zeros((K, 2))
    reading[LOUD, 1], reading[MODE, 0] = 0.3, 0.4
    generator.emotions.__dict__["reading"] = reading
    asked = target(velocity_mean=1.0)
    asked.expected[0, [MODE, TEMPO]] = 0.5
    achieved = np.zeros((1, K))
    achieved[0, LOUD] = 1.0
    assert generator.error_of(asked, achieved) == pytest.approx(TELLING * 0.4 * 0.5)
    achieved[0, MODE] = 0.5
    assert generator.error_of(asked, achieved) == 0, "by itself it may be anything"
    achieved[0, MODE] = np.nan
    assert generator.error_of(asked, achieved) == 0, "too few notes miss what is asked, and tell nothing else"
    assert generator.error_of(asked, np.full((1, K), np.nan)) > FARTHEST


def test_an_error_counts_by_how_many_of_the_hundred_are_astray(generator):
    """Two misses of one size: only one of them crosses the threshold, which lies at `middle`."""
    read_nothing(generator)
    place = NAMES.index("range")
    middle = generator.emotions.thresholds[place - FIRST_EMOGEN]
    asked = target(range=middle + 0.1)
    above, below = (np.full((1, K), middle + 0.1 + miss) for miss in (0.2, -0.2))
    assert generator.error_of(asked, above) == pytest.approx(0.2)
    assert generator.error_of(asked, below) == pytest.approx(0.2 + ASTRAY)
    half, hit = target(range=middle + 0.1, mean_pitch=9.0), below.copy()
    hit[0, NAMES.index("mean_pitch")] = 9.0
    assert generator.error_of(half, hit) == pytest.approx(0.2 / np.sqrt(2) + ASTRAY / 2)


def test_segments_count_alike(generator):
    read_nothing(generator)
    asked = target(segments=2, velocity_mean=2.0)
    achieved = np.zeros((2, K))
    achieved[1, LOUD] = 2.0
    assert generator.error_of(asked, achieved) == pytest.approx(1.0), "one misses by two, the other hits"


def test_what_cannot_be_measured_is_not_taken_for_a_hit(generator):
    """A candidate, or a part of it, with too few notes to be measured must not beat one that comes near."""
    asked = target(segments=2, velocity_mean=1.0)
    near, empty = np.zeros((2, K)), np.zeros((2, K))
    near[:, LOUD] = 0.9
    empty[:, LOUD] = [0.9, np.nan]
    assert generator.error_of(asked, empty) >= generator.error_of(asked, near)
    assert generator.error_of(asked, np.full((2, K), np.nan)) > generator.error_of(asked, near)


def test_error_and_length_rank_a_piece(score):
    def made(error=0.5, length=1.0):
        return Piece(score(0, 2), 2, None, None, np.zeros(2), None, error=error, length=length)

    assert made().good
    assert made(99.0).good, "none is too far to keep"
    long = made(length=np.exp(STRETCH + 0.1))
    assert not long.good
    assert made(0.5).rank < made(0.6).rank < long.rank
    assert long.rank == (True, pytest.approx(0.5 + 0.1 * HASTE))


def test_of_finished_candidates_that_miss_their_targets_alike_the_guide_chooses(generator, spy, undivided, monkeypatch):
    monkeypatch.setattr(Generator, "error_of", lambda *_: 0.25)
    monkeypatch.setattr(Generator, "doubt_of", lambda *_: 0.0)
    piece = one(generator, "sad", seed=5, best_of=4)
    misses = [generator_miss(heard) for heard in spy]
    assert len(set(misses)) > 1
    assert piece.candidate == int(np.argmin(misses))
    assert piece.rank == (False, pytest.approx(0.25 + MISSED * min(misses)))
    assert [told.cost for told in piece.heard] == pytest.approx([0.25 + MISSED * miss for miss in misses])


def generator_miss(piece):
    return float(np.hypot(piece.measured[0] - piece.asked.valence, piece.measured[1] - piece.asked.arousal))


def test_the_mode_that_is_asked_for_is_the_mode_of_the_key(generator):
    major = generator.run([ask(None, seed, bars=2, set=("key_mode=+2",)) for seed in range(8)])
    minor = generator.run([ask(None, seed, bars=2, set=("key_mode=-2",)) for seed in range(8)])
    natural = generator.composer.scale.to_natural(target(key_mode=2.0).sd)[0, MODE]
    assert natural > 0
    assert {piece.score.key.mode for piece in major} == {0}
    assert {piece.score.key.mode for piece in minor} == {1}
    assert len({piece.score.key.tonic for piece in major}) > 2
    free = generator.run([ask(None, seed, bars=2, set=("tempo=90",)) for seed in range(8)])
    assert {piece.score.key.mode for piece in free} == {0, 1}
    kept = one(generator, None, bars=2, set=("key_mode=-2",), key="Bb major")
    assert kept.score.key == Key(10, 0)


def test_what_is_set_reaches_the_words(generator):
    """The untrained model hears targets: without one the same seed writes another piece."""
    plain = one(generator, None, 5, key="C", set=("tempo=+0",))
    assert not same(plain, one(generator, None, 5, key="C", set=("tempo=+2",)))
    assert not same(plain, one(generator, None, 5, key="C", set=("tempo=+0",), guidance=4.0))
    with pytest.raises(UsageError, match="which is no attribute"):
        one(generator, set=("colour=+1",))


def test_a_path_is_asked_and_measured_in_segments(generator, scale):
    piece = one(generator, "sad>happy", bars=18, expressive=True)
    assert isinstance(piece.asked, AffectPath)
    edges = (0, 4, 8, 12, 18)
    assert piece.targets.edges == edges
    assert piece.achieved.shape == piece.values.shape == piece.wanted.shape == (4, K)
    played = generator.performer.perform(piece.score, 1)
    for segment, (first, stop) in enumerate(pairwise(edges)):
        np.testing.assert_array_equal(piece.values[segment], describe_bars(piece.score, played, first, stop))
    assert np.isnan(piece.wanted[:, FIRST_EMOGEN:]).all()
    assert piece.measured_path.shape == (5, 2)


def test_a_length_in_seconds_is_met(generator):
    piece = one(generator, seconds=9.3, best_of=2)
    assert piece.score.seconds == pytest.approx(9.3, abs=0.1)
    assert piece.length == pytest.approx(1.0)
    assert piece.targets.edges[-1] == piece.bars == piece.score.bars
    both = one(generator, seconds=8.0, tempo=120.0)
    assert both.score.seconds == pytest.approx(8.0, abs=0.1)


def test_bars_are_first_guessed_by_the_tempo_that_is_asked_for(generator, monkeypatch):
    tried = []
    ask_for = generator.request

    def noting(hearing, draft):
        tried.append(ask_for(hearing, draft))
        return tried[-1]

    monkeypatch.setattr(generator, "request", noting)
    quantiles = generator.composer.scale.quantiles[TEMPO]
    tempo = float(np.round(quantiles[40]))
    piece = one(generator, None, seconds=12.0, set=(f"tempo={tempo:g}",))
    bars = round(12 * tempo / 240)
    assert (tried[0].bars, tried[0].tempo) == (bars, pytest.approx(20.0 * bars))
    assert piece.attempts == 1, "near that tempo the length is right"
    for option, free in ((ask(None, seconds=12.0), True), (ask("sad", seconds=12.0, free=("tempo",)), True),
                         (ask("sad", seconds=12.0, set=("tempo=+1",)), False)):  # fmt: skip
        tried.clear()
        generator.run([option])
        assert (tried[0].tempo is None) == free, option


@pytest.mark.parametrize("bars", [3, CONTEXT_BARS + 3])
def test_a_continued_piece_stays_as_it_was(generator, score, bars):
    data = write_midi(score(5, bars))
    given = read_score(data)
    piece = one(generator, continue_from=data)
    assert piece.score.bars == given.bars + 4
    for name in ("start", "length", "pitch", "velocity"):
        assert np.array_equal(getattr(piece.score, name)[: len(given)], getattr(given, name)), name
    assert np.array_equal(piece.score.tempo[: 4 * given.bars], given.tempo)
    assert piece.score.start.max() >= BAR * (given.bars + 3), "and the piece goes on to its end"
    assert piece.score.key == given.key
    assert not same(piece, one(generator, seed=2, continue_from=data))


def test_of_a_continued_piece_what_was_added_is_measured(generator, score):
    data = write_midi(score(5, 6))
    given = read_score(data)
    piece = one(generator, "sad>happy", continue_from=data, bars=16)
    assert piece.targets.edges == (0, 4, 8, 12, 16)
    played = as_written(piece.score)
    for segment, first in enumerate(range(given.bars, given.bars + 16, 4)):
        np.testing.assert_array_equal(piece.values[segment], describe_bars(piece.score, played, first, first + 4))
    added = piece.score.take_bars(given.bars, given.bars + 16).to_notes()
    np.testing.assert_allclose(piece.measured, generator.guide.rate([added])[0])


def test_the_bars_before_a_continuation_are_told_nothing(generator, score, monkeypatch):
    data, asked, make = write_midi(score(5, 11)), [], generator.request
    monkeypatch.setattr(generator, "request", lambda *words: asked.append(make(*words)) or asked[-1])
    one(generator, "sad", continue_from=data, bars=4)
    request = asked[0]
    assert request.bars == CONTEXT_BARS + 4 == len(request.targets)
    assert np.isnan(request.targets[:CONTEXT_BARS]).all()
    assert np.isfinite(request.targets[CONTEXT_BARS:, LOUD]).all()
    assert request.ending
    opening = encode(read_score(data).take_bars(11 - CONTEXT_BARS, 11))
    np.testing.assert_array_equal(request.prefix, opening[1:-1])


@pytest.mark.parametrize("keep", [("pitch",), ("velocity", "duration"), ("chord",), ("tempo", "pitch", "duration")])
def test_kept_elements_stay(generator, score, keep):
    data = write_midi(score(4, 3, dense=True))
    words = encode(read_score(data))
    piece = one(generator, "sad", source=data, keep=keep)
    again = encode(piece.score)
    assert piece.score.bars == 3
    assert np.array_equal(again[:, :2], words[:, :2]), "the structure always stays"
    for name in keep:
        column = ELEMENTS.index(name)
        if name != "chord":
            assert np.array_equal(again[:, column], words[:, column])
        else:
            assert piece.score.chords == decode(words).chords
    free = [name for name in ("pitch", "velocity") if name not in keep]
    assert any(not np.array_equal(again[:, ELEMENTS.index(name)], words[:, ELEMENTS.index(name)]) for name in free)
    assert not same(piece, one(generator, "sad", seed=2, source=data, keep=keep))
    assert piece.targets.edges == (0, 3)
    assert np.isfinite(piece.achieved[0]).any()


def test_a_text_file_is_no_source(generator):
    with pytest.raises(MidiError):
        one(generator, source=b"not a MIDI file", keep=("pitch",))
    with pytest.raises(MidiError):
        one(generator, continue_from=b"not a MIDI file")


def test_options_reach_the_sampling():
    found = sampling_of(ask(temperature=0.5, top_p=0.7))
    assert (found.temperature, found.top_p, found.guidance) == (0.5, 0.7, GUIDANCE)
    assert sampling_of(ask(guidance=0.0)).guidance == 0


def mixed(score):
    """A dozen options, unlike in all that can be asked for."""
    given = write_midi(score(5, 3))
    return [
        ask("sad>happy", 1, best_of=4, bars=9), ask("calm", 2, best_of=4, expressive=True),
        ask(seed=3, best_of=4, set=("note_density=+1.5",)), ask("Q2", 4, best_of=4, seconds=9.0),
        ask("sad", 5, source=given, keep=("pitch",), best_of=2), ask("happy", 6, best_of=4, continue_from=given),
        ask(seed=7), ask("bored", 8, best_of=6, bars=5), ask(None, 9, best_of=3), ask(seed=10, best_of=4, bars=2),
        ask("tense", 11, best_of=4, guidance=1.0), ask("0.3,-0.6", 12, best_of=2, tries=2, temperature=0.8, bars=6),
    ]  # fmt: skip


def content(piece):
    """The file, and what chose it."""
    return piece.midi, piece.candidate, [(one.number, one.cost) for one in piece.heard], piece.measured.tobytes()


@pytest.fixture(params=["fp32", "fp16"])
def either(request, generator):
    """A generator whose weights are packed as fp16, and one whose weights fp16 does not hold."""
    if request.param == "fp16":
        for parameter in generator.composer.model.parameters():
            parameter.data = parameter.data.half().float()
    return generator


def test_a_list_gives_what_each_option_gives_alone(either, score, monkeypatch):
    """In any order, in calls of any size, however many are written at a time."""
    options = mixed(score)
    alone = [content(either.run([option])[0]) for option in options]
    assert len({one[0] for one in alone}) == len(options)
    rng = np.random.default_rng(0)
    for size, places in ((12, 12), (5, 3))[: 2 if either.composer.ready.packed else 1]:
        monkeypatch.setattr(branching, "PIECES", places)
        order = rng.permutation(len(options)).tolist()
        found = {}
        for at in range(0, len(order), size):
            share = order[at : at + size]
            made = either.run([options[number] for number in share])
            found |= dict(zip(share, map(content, made), strict=True))
        for number, expected in enumerate(alone):
            assert found[number] == expected, f"option {number} in calls of {size}"


def test_the_shipped_model_gives_a_list_what_it_gives_alone():
    from affectgen.emogen.tasks import GENERATE

    loaded = GENERATE.load(None, "cpu")
    asked = (("happy", 1, 4, 4), ("sad>calm", 2, 3, 4), ("Q4", 4, 1, 1), ("0.5,-0.5", 5, 3, 3))
    options = [EmogenOptions(affect, seed, bars=bars, best_of=best) for affect, seed, bars, best in asked]
    together = loaded.run(options)
    backwards = loaded.run(options[::-1])[::-1]
    for option, one, other in zip(options, together, backwards, strict=True):
        alone = loaded.run([option])[0]
        assert one.data == other.data == alone.data
        assert one.details == other.details == alone.details
