"""From options to targets: the map's draw, paths, what is set and freed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.affect import parse_affect
from affectgen.emogen.options import EmogenOptions
from affectgen.emogen.scale import FARTHEST
from affectgen.emogen.targets import LENGTHY, make_targets
from affectgen.emogen.vector import CORE_NAMES, FIRST_EMOGEN, NAMES
from affectgen.errors import UsageError

LOUD, TEMPO, MODE = (NAMES.index(name) for name in ("velocity_mean", "tempo", "key_mode"))
GROWING = ("number_of_pitches", "range", "total_number_of_notes", "duration_in_seconds",
           "relative_note_density_of_highest_line")  # fmt: skip


@pytest.fixture(scope="module")
def scaled(emotions, scale):
    return emotions.on(scale)


@pytest.fixture
def targets(scaled, scale):
    """targets(affect, bars, seed, **options)."""

    def build(affect="happy", bars=16, seed=1, **values):
        return make_targets(EmogenOptions(affect, seed, **values), bars, scaled, scale)

    return build


def test_a_point_is_one_draw_for_the_whole_piece(targets, scaled):
    found = targets()
    assert found.edges == (0, 16)
    assert found.sd.shape == (1, len(NAMES))
    assert not found.by_hand.any()
    assert found.by_bar.shape == (16, len(NAMES))
    assert all(np.array_equal(row, found.sd[0], equal_nan=True) for row in found.by_bar)
    np.testing.assert_array_equal(np.isnan(found.sd[0]), scaled.at(parse_affect("happy")).open)
    there = np.isfinite(found.sd)
    np.testing.assert_array_equal(found.sd[there], found.expected[there])
    assert (np.isfinite(found.expected[0]) == ~scaled.missing).all(), "what is left open goes along with the rest"
    assert found.sd[0, LOUD] > 0 > targets("sad").sd[0, LOUD]


def test_a_seed_is_a_target(targets):
    first, again, other = (targets(seed=seed).sd for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)
    np.testing.assert_array_equal(targets(seed=3, best_of=7, guidance=4.0, temperature=0.5).sd, first)


def test_without_an_affect_nothing_is_asked(targets):
    assert np.isnan(targets(None).sd).all()
    assert np.isnan(targets(None).expected).all()
    found = targets(None, set=("tempo=90", "key_mode=-1"))
    assert sorted(NAMES[place] for place in np.flatnonzero(np.isfinite(found.sd[0]))) == ["key_mode", "tempo"]


def test_a_value_is_set_in_standard_deviations_or_in_its_own_unit(targets, scale):
    plain = targets()
    found = targets(set=("note_density=+1.5", "tempo=90", "key_mode==-0.3", "range=50"))
    assert found.sd[0, NAMES.index("note_density")] == 1.5
    for name, value in (("tempo", 90), ("key_mode", -0.3), ("range", 50)):
        place = NAMES.index(name)
        natural = np.zeros((1, len(NAMES)))
        natural[0, place] = value
        assert found.sd[0, place] == scale.to_sd(natural)[0, place]
        assert -FARTHEST <= found.sd[0, place] <= FARTHEST
    by_hand = {"note_density", "tempo", "key_mode", "range"}
    assert {NAMES[place] for place in np.flatnonzero(found.by_hand)} == by_hand
    others = ~found.by_hand
    np.testing.assert_array_equal(np.isnan(found.sd[0, others]), np.isnan(plain.sd[0, others]))


def test_what_is_set_moves_what_goes_along_with_it(targets, scaled):
    """Louder clips of the map are louder in their soft notes too; what is set to where it is moves nothing."""
    plain = targets().sd[0]
    soft = NAMES.index("velocity_low")
    assert scaled.covariance[LOUD, soft] > 0
    found = targets(set=(f"velocity_mean={plain[LOUD] - 0.5:+.9f}",)).sd[0]
    slope = scaled.covariance[LOUD, soft] / scaled.covariance[LOUD, LOUD]
    assert found[soft] == pytest.approx(max(plain[soft] - 0.5 * slope, -FARTHEST), abs=1e-6)
    still = targets(set=(f"velocity_mean={plain[LOUD]:+.9f}",)).sd[0]
    np.testing.assert_allclose(still, plain, atol=1e-6)


def test_the_last_word_on_an_attribute_holds(targets):
    assert targets(set=("gap=-1", "gap=+2")).sd[0, NAMES.index("gap")] == 2
    assert targets(set=("velocity_mean=-1",), free=("velocity",)).sd[0, LOUD] == -1, "what is set is not free"


def test_what_is_freed_is_not_asked(targets):
    plain, found = targets(), targets(free=("velocity", "key_mode", "tempo"))
    assert np.isfinite(plain.sd[0, LOUD])
    freed = [place for place, name in enumerate(NAMES) if name.startswith("velocity_") or name in ("key_mode", "tempo")]
    assert len(freed) == 6
    assert np.isnan(found.sd[0, freed]).all()
    assert np.isnan(found.expected[0, freed]).all()
    rest = np.setdiff1d(np.arange(len(NAMES)), freed)
    np.testing.assert_array_equal(found.sd[0, rest], plain.sd[0, rest])


def test_the_tempo_asked_for_is_a_target(targets):
    by_option, by_hand = targets(tempo=90.0), targets(set=("tempo=90",))
    np.testing.assert_array_equal(by_option.sd, by_hand.sd)
    assert np.flatnonzero(by_option.by_hand).tolist() == [TEMPO]
    assert targets(tempo=70.0).sd[0, TEMPO] < targets(tempo=140.0).sd[0, TEMPO]
    assert targets(tempo=90.0, free=("tempo",)).sd[0, TEMPO] == by_hand.sd[0, TEMPO]


@pytest.mark.parametrize("tempo", [20.0, 240.0, 300.0])
def test_every_tempo_that_may_be_asked_for_is_a_target(targets, tempo):
    """--tempo takes 20 to 300, more than --set tempo does."""
    found = targets(tempo=tempo).sd[0, TEMPO]
    assert abs(found) == FARTHEST
    assert (found > 0) == (tempo > 100)


def test_what_real_pieces_have_may_be_set(targets, scale):
    low, high = scale.quantiles[LOUD, [0, -1]].tolist()
    for value in (low, high):
        assert abs(targets(set=(f"velocity_mean={value!r}",)).sd[0, LOUD]) > 1.5
    for value in (low - 0.5, high + 0.5):
        with pytest.raises(UsageError, match=f"real pieces have {low:.4g} to {high:.4g}"):
            targets(set=(f"velocity_mean={value!r}",))


def test_a_key_is_a_target_too(targets, scale):
    """Where the affect asks for the other mode, the mode of the key is asked for instead, as clearly."""
    plain = targets()
    mode = scale.to_natural(plain.sd)[0, MODE]
    assert mode > 0
    np.testing.assert_array_equal(targets(key="C").sd, plain.sd)
    minor = targets(key="C minor")
    assert scale.to_natural(minor.sd)[0, MODE] == pytest.approx(-mode, abs=0.05)
    third = NAMES.index("degree_4")
    assert minor.sd[0, third] < plain.sd[0, third], "what goes with it follows"
    assert not minor.by_hand.any()
    assert targets(key="C minor", set=("key_mode=+1",)).sd[0, MODE] == 1, "what is set by hand stays"
    path = targets("sad>happy", 16, key="C minor")
    assert (scale.to_natural(path.sd)[:, MODE] < 0.05).all()


@pytest.mark.parametrize(("values", "sentence", "hint"), [
    ({"set": ("tempp=90",)}, "--set got 'tempp'", "tempo"),
    ({"free": ("velocty",)}, "--free got 'velocty'", "velocity"),
    ({"set": ("velocity=+1",)}, "--set velocity names several attributes", "velocity_mean, velocity_sd"),
    ({"set": ("tempo=500",)}, "--set tempo got 500; real pieces have ", "+1.5"),
    ({"set": ("key_mode==-1.5",)}, "(correlation)", "range"),
    ({"set": ("total_number_of_notes=100000",)}, "--set total_number_of_notes got 100000; real pieces have ", "range"),
    ({"set": ("note_density=+3",)}, "--set note_density got +3 standard deviations; expected -2.5 to +2.5", "range"),
    ({"set": ("contrary_motion=+1",)}, "--set contrary_motion: this attribute is not computed", "docs/emogen.md"),
])  # fmt: skip
def test_what_cannot_be_asked(targets, values, sentence, hint):
    with pytest.raises(UsageError) as caught:
        targets(**values)
    assert sentence in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("bars", [1, 2, 4, 5, 8, 11, 16, 31, 32, 256])
def test_along_a_path_targets_change_every_few_bars(targets, bars):
    found = targets("sad>happy", bars)
    sizes, each = np.diff(found.edges), 4 if bars >= 16 else 2
    assert (found.edges[0], found.edges[-1]) == (0, bars)
    assert (sizes[:-1] == each).all()
    assert sizes[-1] == bars if len(sizes) == 1 else each / 2 < sizes[-1] <= 1.5 * each
    assert found.sd.shape == (len(sizes), len(NAMES))
    assert found.by_bar.shape == (bars, len(NAMES))
    np.testing.assert_array_equal(found.by_bar[-1], found.sd[-1])


def test_along_a_path_only_core_attributes_are_asked(targets):
    found = targets("calm>excited", 32)
    assert np.isnan(found.sd[:, FIRST_EMOGEN:]).all()
    assert len(CORE_NAMES) == FIRST_EMOGEN
    loud = found.sd[:, LOUD]
    assert np.isfinite(loud).all()
    assert loud[-1] - loud[0] > 0.5
    assert (np.diff(loud) > -0.2).all(), "it rises all the way"
    back = targets("excited>calm", 32).sd[:, LOUD]
    assert back[-1] < back[0]
    again, other = targets("calm>excited", 32), targets("calm>excited", 32, seed=2)
    np.testing.assert_array_equal(found.sd, again.sd)
    assert not np.array_equal(found.sd, other.sd, equal_nan=True)


def test_along_a_path_a_piece_keeps_its_own_character(targets, scaled):
    """What sets two seeds apart at the first segment sets them apart the same way at the last."""
    gaps = []
    for seed in range(12):
        one, two = targets("calm>excited", 32, seed=seed).sd, targets("calm>excited", 32, seed=seed + 100).sd
        both = np.isfinite(one[0] - two[0]) & np.isfinite(one[-1] - two[-1])
        first, last = (one[0] - two[0])[both], (one[-1] - two[-1])[both]
        if first.any():  # two seeds may draw the same clip
            gaps.append(np.corrcoef(first, last)[0, 1])
    assert len(gaps) > 6
    assert np.mean(gaps) > 0.5


def test_what_is_set_and_freed_holds_in_every_segment(targets):
    found = targets("calm>excited", 16, set=("key_mode=+1",), free=("velocity",), tempo=100.0)
    assert (found.sd[:, NAMES.index("key_mode")] == 1).all()
    assert np.isnan(found.sd[:, LOUD]).all()
    assert np.unique(found.sd[:, TEMPO]).size == 1


@pytest.mark.parametrize(("bars", "kept"), [(4, False), (11, False), (12, True), (24, True), (25, False), (64, False)])
def test_what_grows_with_length_is_asked_of_pieces_like_a_clip(targets, bars, kept):
    """Whatever the seed: none of them is asked for in a piece of another length."""
    assert {NAMES[place] for place in LENGTHY} == set(GROWING)
    asked = np.stack([targets(affect, bars, seed=1).sd[0, list(LENGTHY)] for affect in ("Q1", "Q2", "Q3", "Q4")])
    same = np.stack([targets(affect, 16, seed=1).sd[0, list(LENGTHY)] for affect in ("Q1", "Q2", "Q3", "Q4")])
    assert np.isfinite(same).any(), "of a clip's length some are asked for"
    np.testing.assert_array_equal(np.isfinite(asked), np.isfinite(same) & kept)
    assert np.isfinite(targets(bars=bars).expected[0, list(LENGTHY)]).all() == kept
    found = targets(bars=bars, set=("range=50",))
    assert np.isfinite(found.sd[0, NAMES.index("range")]), "what is set by hand is asked for at any length"


def test_the_published_mapping_takes_no_chance_and_no_degree(targets, scaled):
    found = targets("happy", seed=1, mapping="paper")
    np.testing.assert_array_equal(found.sd, targets("happy:0.4", seed=9, mapping="paper").sd)
    np.testing.assert_array_equal(found.sd[0], scaled.paper(0))
    np.testing.assert_array_equal(targets("sad", mapping="paper").sd[0], scaled.paper(2))
    assert np.isfinite(found.sd[0, list(LENGTHY)]).all()
    for other in (targets("sad", 4, mapping="paper"), targets("sad>happy", 16, mapping="paper")):
        assert np.isnan(other.sd[:, list(LENGTHY)]).all(), "what grows with length is asked of pieces like a clip"
