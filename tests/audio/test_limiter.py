"""The limiter: nothing passes the ceiling, the rest is untouched, the gain moves without clicks, blocks are free."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from affectgen.audio.limiter import CHUNK, Limiter, limited
from affectgen.audio.loudness import true_peak

RATE = 44_100
KINDS = ("noise", "bursts", "sine", "square", "impulses", "quarter", "signs", "edges")


def hard(kind: str, frames: int, seed: int) -> np.ndarray:
    """Sound up to 12 dB and more above full scale, float32 [frames, 2]."""
    rng, n = np.random.default_rng(seed), np.arange(frames)
    on = (n // int(rng.integers(30, 3_000))) % 2
    waves = {
        "noise": lambda: rng.normal(0, 1.5, (frames, 2)),
        "bursts": lambda: on[:, None] * rng.normal(0, 4, (frames, 2)),
        "sine": lambda: 4 * np.sin(n * rng.uniform(0.01, 3.1))[:, None] * [1, 0.3],
        "square": lambda: 4 * np.sign(np.sin(n * rng.uniform(0.01, 1)))[:, None] * [0.3, 1],
        "impulses": lambda: np.where(rng.random((frames, 2)) < 0.001, rng.normal(0, 4, (frames, 2)), 0),
        "quarter": lambda: 4 * np.sin(np.pi / 2 * n + np.pi / 4)[:, None] * [1, -1],
        "signs": lambda: rng.choice([-4.0, 4.0], (frames, 2)),
        "edges": lambda: (np.where(on, 0.89, 4) * rng.choice([-1, 1], frames))[:, None] * [1, 1],
    }
    return waves[kind]().astype(np.float32)


def through(sound: np.ndarray, gain: float = 0.0, ceiling: float = -1.0, sizes: int | None = None) -> np.ndarray:
    """Limited, given in blocks of `sizes` frames, or of random ones."""
    rng, at, parts = np.random.default_rng(len(sound)), 0, []
    while at < len(sound):
        size = sizes if sizes is not None else int(rng.integers(1, 40_000))
        parts.append(sound[at : at + size])
        at += size
    return np.concatenate([*limited(parts, RATE, gain, ceiling), sound[:0]])


def oversampled(sound: np.ndarray) -> float:
    """The true peak by scipy on the whole, dBTP."""
    return float(20 * np.log10(np.abs(resample_poly(sound.astype(np.float64), 4, 1, axis=0)).max()))


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    frames=st.integers(1, 3 * CHUNK),
    seed=st.integers(0, 10_000),
    gain=st.floats(-20, 12),
    ceiling=st.floats(-20, 0),
)
def test_nothing_passes_the_ceiling(kind: str, frames: int, seed: int, gain: float, ceiling: float) -> None:
    sound = hard(kind, frames, seed)
    out = through(sound, gain, ceiling)
    assert out.shape == sound.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    if sound.any():
        assert oversampled(out) <= ceiling + 0.05
        peak = true_peak(out)
        assert peak is not None
        assert peak <= ceiling + 0.01


@settings(max_examples=30, deadline=None)
@given(kind=st.sampled_from(KINDS), frames=st.integers(1, 3 * CHUNK), seed=st.integers(0, 10_000))
def test_the_sizes_of_blocks_change_nothing(kind: str, frames: int, seed: int) -> None:
    sound = hard(kind, frames, seed)
    whole = through(sound, sizes=frames)
    assert np.array_equal(through(sound), whole)
    assert np.array_equal(through(sound, sizes=max(1, frames // 7)), whole)


@settings(max_examples=30, deadline=None)
@given(frames=st.integers(0, 3 * CHUNK), seed=st.integers(0, 10_000), gain=st.floats(-30, 10))
def test_what_stays_below_the_ceiling_is_only_multiplied(frames: int, seed: int, gain: float) -> None:
    sound = np.random.default_rng(seed).normal(0, 0.1, (frames, 2)).astype(np.float32)
    peak = true_peak(sound)
    if peak is not None:
        sound *= np.float32(10 ** ((-1.001 - gain - peak) / 20))
    assert np.array_equal(through(sound, gain), sound * np.float32(10 ** (gain / 20)))


@pytest.mark.parametrize("at", [CHUNK + 5_000, CHUNK + 100, 2 * CHUNK - 100, 2 * CHUNK - 300])
def test_the_gain_is_linked_moves_smoothly_and_comes_back_to_one(at: int) -> None:
    """Read from the other channel, with the peak in the middle of a chunk and near its ends."""
    sound = np.zeros((2 * RATE, 2), np.float32)
    sound[:, 0] = 0.5
    sound[at, 1] = 4.0
    gain = through(sound)[:, 0] / np.float32(0.5)
    lowest = 10 ** (-1.02 / 20) / 4
    assert gain[at] == pytest.approx(lowest, rel=1e-4)
    assert gain.min() == pytest.approx(lowest, rel=1e-4)
    before = round(0.006 * RATE)
    assert (gain[: at - before] == 1).all(), "the look-ahead is 5 ms"
    assert gain[at - round(0.004 * RATE)] < 1
    assert np.abs(np.diff(gain)).max() < 0.01
    assert (np.diff(gain[at - before : at]) <= 0).all()
    assert (np.diff(gain[at + before :]) >= 0).all()
    lost = (1 - gain) / (1 - lowest)
    assert lost[at + round(0.02 * RATE)] > 0.5
    assert lost[at + round(0.16 * RATE)] < 0.07
    assert (gain[-RATE // 100 :] == 1).all()


def test_the_first_and_the_last_frame_are_limited_too() -> None:
    for at in (0, 999):
        sound = np.zeros((1_000, 2), np.float32)
        sound[at] = 3.0
        out = through(sound)
        assert out[at] == pytest.approx(10 ** (-1.02 / 20), rel=1e-4)
        assert not np.delete(out, at, axis=0).any()


def test_the_reduction_is_told() -> None:
    for height, expected in ((0.5, 0.0), (4.0, 20 * np.log10(4) + 1.02)):
        limiter = Limiter(RATE, 0.0, -1.0)
        sound = np.zeros((1_000, 1), np.float32)
        sound[500] = height
        list(limiter.run([sound]))
        assert limiter.reduction_db == pytest.approx(expected, abs=1e-3)


def test_nothing_in_gives_nothing_out() -> None:
    assert list(limited([], RATE, 0.0, -1.0)) == []
    assert list(limited([np.zeros((0, 2), np.float32)], RATE, 0.0, -1.0)) == []
    assert not through(np.zeros((100_000, 2), np.float32), 40.0).any()


@pytest.mark.parametrize("rate", [8_000, 96_000])
def test_other_rates_are_limited_as_well(rate: int) -> None:
    for kind in KINDS:
        sound = hard(kind, 40_000, 1)
        assert oversampled(np.concatenate(list(limited([sound], rate, 0.0, -1.0)))) <= -0.95, kind


def test_memory_does_not_grow_with_the_sound() -> None:
    block = hard("bursts", 1 << 16, 0)
    tracemalloc.start()
    total = sum(len(out) for out in limited((block for _ in range(40)), RATE, 0.0, -1.0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 40 << 16
    assert peak < 2e7
