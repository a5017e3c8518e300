from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.score.chords import QUALITIES, estimate_chords, marker_text, read_marker
from affectgen.score.grid import Chord
from affectgen.score.midi import read_grid


@given(st.integers(0, 11), st.sampled_from(sorted(QUALITIES)))
def test_markers_come_back(root: int, quality: str) -> None:
    assert read_marker(marker_text(Chord(root, quality))) == Chord(root, quality)


def test_markers_of_others() -> None:
    assert read_marker("N_N") is None
    assert marker_text(None) == "N_N"
    assert read_marker("A_m7_C") == Chord(9, "m7")
    assert read_marker("Verse 2") == "Verse 2"
    assert read_marker("H_m") == "H_m"


@pytest.mark.parametrize("quality", ["M", "m", "7", "M7", "m7", "o", "+", "sus4"])
@pytest.mark.parametrize("root", [0, 5, 11])
def test_plain_chords_are_named(root: int, quality: str) -> None:
    pitch = np.array([36 + root, *(60 + root + tone for tone in QUALITIES[quality])])
    zeros = np.zeros(len(pitch), dtype=np.int64)
    assert estimate_chords(zeros, zeros + 16, pitch, 4) == (Chord(root, quality),) * 4


def test_silence_has_no_chord_and_held_notes_reach_over() -> None:
    start, length = np.array([0, 0, 0]), np.array([12, 12, 12])
    found = estimate_chords(start, length, np.array([48, 64, 67]), 8)
    assert found == (Chord(0, "M"),) * 4 + (None,) * 4
    assert estimate_chords(start[:0], length[:0], start[:0], 5) == (None,) * 5


def test_a_long_piece_takes_no_time() -> None:
    rng = np.random.default_rng(0)
    count = 100_000
    begin = time.process_time()
    chords = estimate_chords(
        np.sort(rng.integers(0, 40_000, count)), rng.integers(1, 20, count), rng.integers(30, 90, count), 10_000
    )
    assert len(chords) == 10_000
    assert time.process_time() - begin < 10


def test_agreement_with_emopias_markers(emopia) -> None:
    roots = []
    for path in sorted((emopia / "beat").glob("*.mid"))[::20]:
        score = read_grid(path)
        found = estimate_chords(score.start, score.length, score.pitch, len(score.tempo))
        roots += [
            mine is not None and mine.root == theirs.root
            for mine, theirs in zip(found, score.chords, strict=True)
            if theirs is not None
        ]
    assert np.mean(roots) > 0.75
