from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.score.accents import CLASSES, JOIN_SECONDS, PRIOR, WEIGHTS, find_onsets, hear_accents, measure
from affectgen.score.notes import NoteArray


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.floats(0.01, 5), st.integers(0, 127), st.integers(1, 127)),
        min_size=1,
        max_size=60,
    )
)
def test_onsets_and_odds_of_any_notes(rows: list[tuple[float, float, int, int]]) -> None:
    notes = NoteArray.of(*zip(*rows, strict=True))
    onsets = find_onsets(notes)
    for index in range(len(onsets.time)):
        members = notes.onset[onsets.group == index]
        assert np.ptp(members) <= JOIN_SECONDS
        assert members.min() - 1e-9 <= onsets.time[index] <= members.max() + 1e-9
    accents = hear_accents(notes)
    assert measure(notes, onsets).shape == (len(onsets.time), len(WEIGHTS) - 1)
    chance = np.exp(accents.odds + np.log(PRIOR))
    np.testing.assert_allclose(chance.sum(axis=1), 1.0)


def test_low_loud_long_full_onsets_sound_like_beats(piece) -> None:
    score = piece(bars=12)
    accents = hear_accents(score.to_notes())
    place = np.round(accents.time / 0.15).astype(int) % 16  # 100 beats a minute: sixteenths of 0.15 s
    beat = np.exp(accents.odds + np.log(PRIOR))[:, :2].sum(axis=1)  # chance of a beat, downbeat or not
    assert beat[place % 4 == 0].mean() > 0.6
    assert beat[place % 4 == 2].mean() < 0.4
    first = CLASSES.index("downbeat")
    assert accents.odds[place == 0, first].mean() > accents.odds[place == 4, first].mean()
