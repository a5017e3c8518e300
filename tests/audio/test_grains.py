"""Pieces are added up where they belong, also between two samples, and copied where they only move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.grains import Grains, overlapped


def row(at: np.ndarray, shift: float, width: float, likeness: float = 1.0) -> Grains:
    """Pieces `width` apart from `at` on, all moved alike."""
    full = np.full(len(at), width)
    return Grains(at, at + shift, full, full, np.ones(len(at)), np.full(len(at), likeness))


@settings(max_examples=25, deadline=None)
@given(st.floats(-30, 30), st.floats(20, 80))
def test_pieces_that_all_move_alike_are_the_sound_moved(shift: float, width: float) -> None:
    at = np.arange(0, 1400, width)
    samples = np.sin(0.4 * np.arange(1200) + 1) + np.sin(1.9 * np.arange(1200))
    moved = overlapped(samples, row(at, shift, width), 1000)
    inner = np.arange(100, 900)
    assert np.abs(moved[inner] - np.sin(0.4 * (inner + shift) + 1) - np.sin(1.9 * (inner + shift))).max() < 0.02


@given(st.integers(-200, 200), st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_pieces_that_move_by_whole_samples_are_copies(shift: int, seed: int) -> None:
    samples = np.random.default_rng(seed).normal(size=1000)
    moved = overlapped(samples, row(np.arange(0.0, 1300, 37.3), shift, 37.3), 1000)
    inside = np.arange(300, 700)
    assert (moved[inside] == samples[inside + shift]).all()


def test_beyond_the_recording_there_is_silence() -> None:
    assert not overlapped(np.ones(100), row(np.arange(0.0, 500, 20), 5000.0, 20), 400).any()
    assert not overlapped(np.ones(100), row(np.arange(0.0, 500, 20), -5000.0, 20), 400).any()


@pytest.mark.parametrize(("likeness", "level"), [(1.0, -3.0), (0.0, 0.0)])
def test_noises_that_have_nothing_in_common_keep_their_power(likeness: float, level: float) -> None:
    """In the middle of a crossfade of two unlike noises one of equal amplitudes is 3 dB too soft, the other one not."""
    samples = np.random.default_rng(1).normal(size=400_000)
    at = np.arange(0.0, 40_000, 100)
    full = np.full(len(at), 100.0)
    away = at + 1000 * np.arange(len(at)) % 300_000 + 500
    moved = overlapped(samples, Grains(at, away, full, full, np.ones(len(at)), np.full(len(at), likeness)), 40_000)
    middle = moved[np.arange(1050, 39_000, 100)[:, None] + np.arange(-5, 5)]
    assert 10 * np.log10((middle**2).mean()) == pytest.approx(level, abs=0.3)
