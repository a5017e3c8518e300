"""Crossfades: lengths to the sample, levels in the middle, no clicks, any blocks."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.join import CURVES, Curve, crossfade, joined
from affectgen.errors import AudioError, UsageError


def noise(frames: int, seed: int = 0, channels: int = 2) -> np.ndarray:
    """float32 [frames, channels] of deviation 0.1."""
    return np.random.default_rng(seed).normal(0, 0.1, (frames, channels)).astype(np.float32)


def cut(sound: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for at in range(0, len(sound), size):
        yield sound[at : at + size]


def whole(parts: list[np.ndarray], overlap: int, curve: Curve) -> np.ndarray:
    """The same join, of whole sounds."""
    parts = [part for part in parts if len(part)]
    out, last = parts[0], len(parts[0])
    for part in parts[1:]:
        out, last = crossfade(out, part, min(overlap, last, len(part)), curve), len(part)
    return out


def level(sound: np.ndarray) -> float:
    """dB of its mean square."""
    return 10 * np.log10((sound.astype(np.float64) ** 2).mean())


@pytest.mark.parametrize(("curve", "same", "other"), [("linear", 0.0, -3.01), ("equal-power", 3.01, 0.0)])
def test_the_middle_of_a_crossfade_is_as_loud_as_its_curve_says(curve: Curve, same: float, other: float) -> None:
    first, second = noise(200_000, 1), noise(200_000, 2)
    middle = slice(99_000, 101_000)
    assert level(crossfade(first, first, 200_000, curve)[middle]) - level(first[middle]) == pytest.approx(
        same, abs=0.02
    )
    assert level(crossfade(first, second, 200_000, curve)[middle]) - level(first) == pytest.approx(other, abs=0.3)


def test_linear_crossfades_of_the_same_sound_are_that_sound() -> None:
    sound = noise(1_000)
    found = crossfade(sound[:600], sound[400:], 200, "linear")
    assert found.shape == sound.shape
    assert np.abs(found - sound).max() < 1e-7


def test_both_curves_are_the_same_from_either_end() -> None:
    for curve in CURVES:
        first, second = noise(500, 1), noise(400, 2)
        there = crossfade(first, second, 300, curve)
        assert np.allclose(crossfade(second[::-1], first[::-1], 300, curve)[::-1], there, atol=1e-7)


@settings(max_examples=150, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 60), min_size=1, max_size=6).filter(any),
    overlap=st.integers(0, 40),
    size=st.integers(1, 70),
    held=st.integers(1, 50),
    curve=st.sampled_from(CURVES),
)
def test_streams_are_joined_as_wholes_are(lengths: list[int], overlap: int, size: int, held: int, curve: Curve) -> None:
    parts = [noise(length, seed) for seed, length in enumerate(lengths)]
    found = np.concatenate(list(joined((cut(part, size) for part in parts), overlap, curve, held)))
    assert np.array_equal(found, whole(parts, overlap, curve))
    there = [length for length in lengths if length]
    lost = sum(min(overlap, a, b) for a, b in pairwise(there))
    assert len(found) == sum(there) - lost
    assert found.dtype == np.float32


def test_joins_do_not_click() -> None:
    rate = 44_100
    parts = [
        np.sin(2 * np.pi * hertz * np.arange(rate) / rate)[:, None].astype(np.float32) for hertz in (220, 330, 275)
    ]
    for curve in CURVES:
        found = np.concatenate(list(joined(([part] for part in parts), 2_000, curve)))
        steepest = max(float(np.abs(np.diff(part[:, 0])).max()) for part in parts)
        assert np.abs(np.diff(found[:, 0])).max() < 1.5 * steepest
        assert np.abs(np.diff(found[:, 0], 2)).max() < 0.01, "a jump would be 0.1 and more"
    hard = np.concatenate(list(joined(([part[:-50]] for part in parts), 0)))
    assert np.abs(np.diff(hard[:, 0], 2)).max() > 0.1


def test_parts_are_asked_for_when_their_time_comes_and_nothing_piles_up() -> None:
    made: list[int] = []

    def parts() -> Iterator[Iterator[np.ndarray]]:
        for at in range(4):
            made.append(at)
            yield (noise(10_000, index) for index in range(100))

    tracemalloc.start()
    total, seen = 0, []
    for block in joined(parts(), 20_000):
        total += len(block)
        seen.append(len(made))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 4_000_000 - 3 * 20_000
    assert seen[0] == 1
    assert sorted(set(seen)) == [1, 2, 3, 4]
    assert peak < 5e6, "of 32 MB"


def test_what_cannot_be_joined_is_refused() -> None:
    with pytest.raises(AudioError, match="A crossfade of 6 frames was asked of sounds of 5 and 9"):
        crossfade(noise(5), noise(9), 6)
    with pytest.raises(AudioError, match="2 and 1 channels"):
        crossfade(noise(5), noise(9, channels=1), 3)
    with pytest.raises(AudioError, match="2 and 1 channels"):
        list(joined([[noise(5)], [noise(5, channels=1)]], 0))
    with pytest.raises(UsageError, match="'cosine' is no curve"):
        list(joined([[noise(5)]], 2, "cosine"))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="overlap of -1"):
        list(joined([[noise(5)]], -1))
    assert list(joined([], 5)) == []
    assert list(joined([[], [noise(0)]], 5)) == []
