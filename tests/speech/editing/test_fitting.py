"""New words at the speaker's pitch."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.speech.editing.fitting import EASED, STEP, met

AT = np.arange(0, 1.0, 0.01)


def test_the_pitch_meets_its_neighbours() -> None:
    tones = np.full(len(AT), 30.0)
    bent = met(tones, AT, (0.2, 0.8), (25.0, 30.2))
    assert bent[20] == pytest.approx(25.0 + STEP)
    assert (bent[(AT >= 0.2 + EASED) & (AT <= 0.8)] == 30.0).all()  # the other end is near enough as it is
    assert (np.diff(bent[20:36]) >= 0).all()


def test_both_ends_are_bent() -> None:
    bent = met(np.full(len(AT), 30.0), AT, (0.2, 0.8), (28.0, 34.0))
    assert bent[20] == pytest.approx(28.5)
    assert bent[80] == pytest.approx(33.5)
    assert bent[50] == 30.0


def test_nothing_near_bends_nothing() -> None:
    tones = np.full(len(AT), 30.0)
    tones[18:30] = np.nan  # a voiceless sound at the seam
    bent = met(tones, AT, (0.2, 0.8), (20.0, float("nan")))
    assert np.array_equal(bent, tones, equal_nan=True)
