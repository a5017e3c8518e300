"""MusPy's statistics: pieces whose values are known by hand, and what holds for all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.evaluate.muspy import NAMES, entropy, mean_statistics, statistics
from affectgen.score.grid import make_grid
from affectgen.score.keys import Key


def piece(rows, bars=2):
    """A score of (start, length, pitch) in C major."""
    notes = np.array([(*row, 64) for row in rows]).reshape(-1, 4)
    return make_grid(notes, np.full(4 * bars, 120.0), (None,) * (4 * bars), Key(0, 0))


def test_by_hand():
    found = statistics(piece([(0, 4, 60), (0, 4, 64), (0, 2, 67), (8, 4, 60), (16, 4, 61), (20, 4, 60)]))
    assert found.pitches == 4
    half, sixth = 3 / 6, 1 / 6
    assert found.pitch_entropy == pytest.approx(-(half * math.log2(half) + 3 * sixth * math.log2(sixth)))
    assert found.pitch_class_entropy == found.pitch_entropy
    assert found.scale_consistency == pytest.approx(5 / 6)  # all but C sharp in C major
    assert found.polyphony_rate == pytest.approx(2 / 32)
    assert found.empty_beats == pytest.approx(4 / 8)
    assert found.groove_consistency == pytest.approx(1 - 2 / 16)  # onsets on 0, 8 against 0, 4


def test_octaves_are_one_pitch_class_and_like_bars_have_one_groove():
    found = statistics(piece([(0, 4, 48), (4, 4, 60), (16, 4, 72), (20, 4, 84)]))
    assert (found.pitch_entropy, found.pitch_class_entropy) == (2.0, 0.0)
    assert (found.scale_consistency, found.groove_consistency) == (1.0, 1.0)


def test_what_there_is_nothing_of():
    found = statistics(piece([], bars=1))
    assert [found.pitches, found.polyphony_rate, found.empty_beats] == [0.0, 0.0, 1.0]
    assert all(math.isnan(value) for value in (found.pitch_entropy, found.scale_consistency, found.groove_consistency))
    both = mean_statistics([piece([], bars=1), piece([(0, 4, 60)])])
    assert both["pitches"] == 0.5
    assert both["scale_consistency"] == 1.0  # of the one that has it
    assert all(math.isnan(value) for value in mean_statistics([]).values())


@given(st.lists(st.tuples(st.integers(0, 31), st.integers(1, 16), st.integers(21, 108)), min_size=1, max_size=30),
       st.integers(-12, 12))  # fmt: skip
def test_transposition_changes_nothing_and_all_are_in_range(rows, by):
    found, moved = statistics(piece(rows)), statistics(piece([(a, b, pitch + by) for a, b, pitch in rows]))
    for name in NAMES:
        assert getattr(found, name) == pytest.approx(getattr(moved, name), nan_ok=True), name
    shares = (found.scale_consistency, found.polyphony_rate, found.empty_beats, found.groove_consistency)
    assert all(math.isnan(share) or 0 <= share <= 1 for share in shares)


@given(st.lists(st.integers(0, 11), min_size=1))
def test_entropy_is_largest_where_all_are_as_frequent(values):
    found = entropy(np.array(values), 12)
    assert 0 <= found <= math.log2(len(set(values))) + 1e-9
