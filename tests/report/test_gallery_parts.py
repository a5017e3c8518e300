"""The pictures of a gallery, and its numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
import soundfile
from gallery_pages import PATH
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.report.gallery_card import clock
from affectgen.report.gallery_plane import points_of
from affectgen.report.gallery_roll import HIGH, WIDE, Roll, roll_svg
from affectgen.report.gallery_wave import COLUMNS, peaks, wave_svg


@pytest.mark.parametrize(("seconds", "told"), [(9.5, "9.5 s"), (60, "1:00"), (185.4, "3:05"), (3725, "1:02:05")])
def test_lengths_are_told_as_a_clock_does(seconds, told):
    assert clock(seconds) == told


def test_the_outline_of_a_sound_follows_it(tmp_path):
    rate = 8000
    fading = np.linspace(0, 0.5, 3 * rate)[:, None] * np.ones((1, 2))
    soundfile.write(tmp_path / "s.wav", fading, rate, subtype="FLOAT")
    found = peaks(tmp_path / "s.wav")
    assert found == pytest.approx(np.linspace(0.5 / COLUMNS, 0.5, COLUMNS), abs=1e-3)
    svg = wave_svg(tmp_path / "s.wav", 3.0)
    assert len(re.findall(r"M[\d.]+ ", svg)) == COLUMNS
    soundfile.write(tmp_path / "short.wav", np.full((7, 1), 0.25), rate, subtype="FLOAT")
    assert peaks(tmp_path / "short.wav").max() == pytest.approx(0.25)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60_000), st.integers(1, 9_000), st.integers(0, 127), st.integers(1, 127)),
                min_size=1, max_size=60))  # fmt: skip
def test_every_note_is_in_the_picture_and_none_lies_outside(rows):
    roll = Roll(tuple(sorted(rows)), max(onset + duration for onset, duration, _, _ in rows) / 1000)
    found = [[float(each) for each in mark] for mark in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)", roll_svg(roll))]
    assert len(found) == len(rows)
    for x, y, width in found:
        assert x >= 0
        assert 0 < y < HIGH
        assert x + width <= WIDE + 1.1, "a note is at least a unit wide"


def test_points_are_read_from_affects_and_paths():
    assert points_of({"valence": 0.1, "arousal": -1}) == [(0.1, -1.0)]
    assert points_of(PATH) == [(-0.5, -0.5), (0.5, 0.5)]
    assert points_of(None) == points_of({}) == points_of({"valence": None, "arousal": 1}) == []
    assert points_of({"valence": float("nan"), "arousal": 1}) == []
