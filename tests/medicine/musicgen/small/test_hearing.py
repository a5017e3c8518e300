"""Requests, and clips generated for them and read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.small.hearing import REACH, Settings, play, requests
from affectgen.medicine.musicgen.transformers_backend import load_transformers
from affectgen.recognize.reading import readings


class Loudness:
    """A recogniser that reads how loud a clip is, and remembers what it was given."""

    def __init__(self):
        self.given = []

    def read(self, clips, rate):
        self.given += [(clip, rate) for clip in clips]
        level = [min(float(np.abs(clip).mean()), 1.0) for clip in clips]
        return readings([(0.0, one) for one in level], [(0.25,) * 4] * len(level), [(-1.0, -1.0)] * len(level),
                        [(1.0, 1.0)] * len(level))  # fmt: skip


@tried(max_examples=40, deadline=None)
@given(st.integers(4, 80), st.integers(0, 2**20))
def test_requests_spread_evenly_and_are_drawn_independently(count, seed):
    asked = requests(Settings(requests=count, seed=seed))
    assert asked.shape == (count, 2)
    assert (np.diff(asked[:, 1]) > 0).all()
    assert np.allclose(np.sort(asked[:, 0]), asked[:, 1], atol=1e-4)
    assert (asked[0, 1], asked[-1, 1]) == (-REACH, REACH)
    assert np.array_equal(asked, requests(Settings(requests=count, seed=seed)))


def test_clips_are_the_same_for_the_same_seeds_whatever_the_batch(base):
    model, small = load_transformers(find_musicgen(str(base)), "cpu", "float32"), Settings(requests=5, seconds=0.1)
    asked, ear = requests(small), Loudness()
    one = play(model, asked, False, small, ear, lambda text: None)
    other = play(model, asked, False, Settings(requests=5, seconds=0.1, batch=2), ear, lambda text: None)
    assert one.codes.equal(other.codes)
    assert one.codes.shape == (5, 2, 10)
    assert all(rate == 16000 and len(clip) == 1600 for clip, rate in ear.given)
    assert one.read[:, 1] == pytest.approx(other.read[:, 1])
    assert not one.codes[0].equal(one.codes[1])


def test_words_change_what_is_written_and_silence_reads_neutral(base):
    model, small = load_transformers(find_musicgen(str(base)), "cpu", "float32"), Settings(
        requests=4, seconds=0.2, guidance=200.0
    )
    asked, ear = requests(small), Loudness()
    said, same = (play(model, asked, words, small, ear, lambda text: None) for words in (True, False))
    assert not said.codes.equal(same.codes)
    model.decode = lambda codes: [np.zeros((3200, 1), dtype=np.float32) for _ in codes]
    quiet = play(model, asked, False, small, ear, lambda text: None)
    assert (quiet.silent, float(np.abs(quiet.read).max())) == (4, 0.0)
