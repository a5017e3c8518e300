"""Clips to a session: lengths to the sample, loudness by arousal, seams with two equal sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.audio.loudness import Meter, mean_loudness
from affectgen.medicine.mix import CONTOUR, Grid, contour, fitted, mixed, plan_gains

RATE = 8000


def clip(frames, seed, rise=0.0):
    """Noise that becomes louder by `rise` dB from start to end."""
    chance = np.random.default_rng(seed)
    slope = 10 ** (np.linspace(-rise / 2, rise / 2, frames) / 20)
    return (0.1 * chance.normal(size=(frames, 2)) * slope[:, None]).astype(np.float32)


@given(st.integers(2, 40), st.floats(5, 40), st.floats(0, 3))
def test_the_grid_covers_the_session_to_the_sample(count, seconds, overlap):
    grid = Grid.of(count, seconds, overlap, 44_100)
    assert grid.length == round((count * seconds - (count - 1) * overlap) * 44_100)
    assert sum(grid.frames(n) for n in range(count)) - (count - 1) * grid.overlap == grid.length
    assert all(abs(grid.frames(n) - seconds * 44_100) <= 2 for n in range(count))


def made(rises, arousals, overlap=2.0):
    """A session of clips of 20 s."""
    grid = Grid.of(len(rises), 20.0, overlap, RATE)
    sounds = [clip(grid.frames(n), n, rise) * (n + 1) for n, rise in enumerate(rises)]
    gains = plan_gains(lambda n: sounds[n], arousals, grid, RATE)
    return grid, gains, np.concatenate(list(mixed(lambda n: sounds[n], gains, grid, RATE)))


def test_the_session_is_as_long_as_the_grid_says_and_seams_are_even():
    grid, _, sound = made([6.0, -4.0, 5.0, 0.0], [0.5, 0.2, 0.0, -0.5])
    assert sound.shape == (grid.length, 2)
    for start in grid.starts[1:]:
        seam = start + grid.overlap // 2
        before, after = sound[seam - 3 * RATE : seam], sound[seam : seam + 3 * RATE]
        assert abs(mean_loudness(before, RATE) - mean_loudness(after, RATE)) < 0.5


def test_loudness_follows_arousal_within_the_contour():
    arousals = [1.0, 0.0, -1.0]
    grid, _, sound = made([0.0, 0.0, 0.0], arousals)
    heard = []
    for n, start in enumerate(grid.starts):
        meter = Meter(RATE, 2)
        meter.add(sound[start + 7 * RATE : start + 13 * RATE])  # the middle, where nothing is bent
        heard.append(meter.integrated())
        assert heard[-1] == pytest.approx(contour(arousals[n]), abs=0.5)
    assert heard[0] - heard[2] == pytest.approx(CONTOUR, abs=0.3)


def test_rests_are_not_lifted():
    grid = Grid.of(2, 10.0, 1.0, RATE)
    sounds = [clip(grid.frames(0), 0), np.zeros((grid.frames(1), 2), dtype=np.float32)]
    gains = plan_gains(lambda n: sounds[n], [0.0, 0.0], grid, RATE)
    assert gains[1].level == gains[1].head == gains[0].tail == 0.0


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_clips_are_cut_or_filled_up_to_the_sample(given_, wanted):
    found = fitted(np.ones((given_, 2), dtype=np.float32), wanted, RATE)
    assert found.shape == (wanted, 2)
    if given_ > wanted:
        assert found[-1, 0] == 0 or wanted == 1
    else:
        assert (found[given_:] == 0).all()


def test_gains_of_clips_that_go_on_from_each_other_never_step():
    rate, frames = 8000, 8000 * 10
    steady = np.full((frames, 2), 0.1, dtype=np.float32) * np.sin(np.arange(frames) * 0.3)[:, None].astype(np.float32)
    grid = Grid.of(3, 10.0, 0.0, rate)
    gains = plan_gains(lambda index: steady, [0.8, -0.8, 0.3], grid, rate, stream=True)
    sound = np.concatenate(list(mixed(lambda index: steady, gains, grid, rate, stream=True)))
    size = np.abs(sound[:, 0]).reshape(-1, 400).max(axis=1)  # of twentieths of a second
    assert len(sound) == 3 * frames
    assert (np.abs(np.diff(20 * np.log10(size))) < 0.15).all()
    assert 20 * np.log10(size[100] / size[300]) == pytest.approx(3.2, abs=0.2), "4 LU from -1 to 1, so 3.2 here"


def test_strangers_without_an_overlap_have_even_seams_and_no_click():
    grid = Grid.of(3, 10.0, 0.0, RATE)
    clips = [clip(grid.frames(n), n, rise) for n, rise in enumerate((6.0, -4.0, 5.0))]
    gains = plan_gains(clips.__getitem__, [0.5, 0.0, -0.5], grid, RATE)
    sound = np.concatenate(list(mixed(clips.__getitem__, gains, grid, RATE)))
    assert len(sound) == grid.length
    for middle in grid.starts[1:]:
        left, right = sound[middle - 3 * RATE : middle], sound[middle : middle + 3 * RATE]
        assert abs(mean_loudness(left, RATE) - mean_loudness(right, RATE)) < 1.5
        assert np.abs(sound[middle - 2 : middle + 2]).max() < 0.05 * np.abs(sound).max()
