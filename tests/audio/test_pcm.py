"""Rounding to whole numbers, dither, and blocks of one length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.pcm import Rounder, checked, packed, regular
from affectgen.errors import AudioError


def cut(sound: np.ndarray, places: list[int]) -> list[np.ndarray]:
    """The sound in blocks that end at the places."""
    return np.split(sound, sorted(place % (len(sound) + 1) for place in places))


@settings(max_examples=50, deadline=None)
@given(count=st.integers(0, 300), size=st.integers(1, 90), places=st.lists(st.integers(0, 300), max_size=8))
def test_blocks_become_regular_and_stay_the_same_sound(count: int, size: int, places: list[int]) -> None:
    sound = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    found = list(regular(cut(sound, places), size))
    assert [len(block) for block in found] == [size] * (count // size) + [count % size] * (count % size > 0)
    assert np.array_equal(np.concatenate([np.zeros((0, 2)), *found]), sound)


@settings(max_examples=30, deadline=None)
@given(bits=st.sampled_from(["16", "24", "float"]), places=st.lists(st.integers(0, 1_000), max_size=6))
def test_rounding_does_not_depend_on_blocks(bits: str, places: list[int]) -> None:
    sound = np.random.default_rng(1).uniform(-1.2, 1.2, (1_000, 2)).astype(np.float32)
    one, many = Rounder(bits), Rounder(bits)
    assert np.array_equal(one(sound), np.concatenate([many(block) for block in cut(sound, places)]))


def test_beyond_full_scale_is_full_scale() -> None:
    loud = np.array([[1.0, -1.0], [3.0, -3.0]], np.float32)
    assert Rounder("24")(loud).tolist() == [[8_388_607, -8_388_608]] * 2
    assert np.abs(Rounder("16")(loud) - [[32_767, -32_768]] * 2).max() <= 1
    assert np.array_equal(Rounder("float")(loud), loud)


def test_silence_stays_silence_and_soft_sound_does_not_vanish() -> None:
    sound = np.zeros((50_000, 1), np.float32)
    assert not Rounder("16")(sound).any()
    sound[10_000:] = 0.25 / 32_768  # a quarter of a step: without dither nothing of it is left
    stored = Rounder("16")(sound)
    assert not stored[:10_000].any()
    assert stored[10_000:].mean() == pytest.approx(0.25, abs=0.02)


def test_the_error_of_16_bits_is_noise_that_does_not_follow_the_sound() -> None:
    sound = (np.sin(np.arange(1 << 17) * 0.05)[:, None] * 2.5 / 32_768).astype(np.float32)
    error = Rounder("16")(sound) - sound * 32_768
    assert error.std() == pytest.approx(0.5, rel=0.02), "sqrt(1/12 + 2/12) of a step: triangular dither and rounding"
    spectrum = np.abs(np.fft.rfft(error[:, 0]))
    assert spectrum[1:].max() < 5 * np.sqrt((spectrum**2).mean()), "no tone in it"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-(1 << 23), (1 << 23) - 1), min_size=1, max_size=20))
def test_24_bits_are_packed_from_the_lowest_byte(values: list[int]) -> None:
    data = packed(np.array(values, np.int32)[:, None], "24")
    assert [int.from_bytes(data[i : i + 3], "little", signed=True) for i in range(0, len(data), 3)] == values


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([np.zeros(5, np.float32)], "1 dimensions"),
        ([np.zeros((5, 2), np.float32), np.zeros((5, 1), np.float32)], "from 2 to 1 channels"),
        ([np.array([[np.nan]], np.float32)], "no numbers"),
        ([np.array([[np.inf]], np.float32)], "no numbers"),
    ],
)
def test_what_is_no_sound_is_refused(blocks: list[np.ndarray], words: str) -> None:
    with pytest.raises(AudioError, match=words):
        list(checked(blocks))
