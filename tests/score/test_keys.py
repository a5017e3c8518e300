from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.errors import UsageError
from affectgen.score.keys import MODES, PITCH_NAMES, Key, estimate_key, key_scores
from affectgen.score.midi import read_notes


@given(st.integers(0, 11), st.integers(0, 1))
def test_names_come_back(tonic: int, mode: int) -> None:
    key = Key(tonic, mode)
    assert Key.parse(str(key)) == key
    assert -5 <= key.offset <= 6
    assert key.offset % 12 == tonic


def test_short_names() -> None:
    assert [Key.parse(text) for text in ("am", "Bb", "F# minor", "c")] == [Key(9, 1), Key(10, 0), Key(6, 1), Key(0, 0)]


@pytest.mark.parametrize("text", ["", "H", "C dorian", "C major please", "12"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no key"):
        Key.parse(text)


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("mode", "scale"), [(0, (0, 2, 4, 5, 7, 9, 11, 12)), (1, (0, 2, 3, 5, 7, 8, 11, 12))])
def test_scales_with_their_triad(tonic: int, mode: int, scale: tuple[int, ...]) -> None:
    pitch = 48 + tonic + np.array([*scale, 0, 7, 4 - mode])
    assert estimate_key(pitch, np.ones(len(pitch))) == Key(tonic, mode)


def test_a_flat_histogram_favours_nothing() -> None:
    assert (key_scores(np.ones(12)) == 0).all()


def test_agreement_with_emopias_table(emopia) -> None:
    with (emopia / "clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::40]
    same = []
    for row in rows:
        notes = read_notes(emopia / "raw" / f"{row['clip']}.mid")
        theirs = Key(PITCH_NAMES.index(row["key"]), MODES.index(row["mode"]))
        same.append(estimate_key(notes.pitch, notes.duration) == theirs)
    assert np.mean(same) > 0.98
