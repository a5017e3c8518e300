"""How far a piece is heard from what was asked."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.affect import Affect, AffectPath, parse_affect
from affectgen.writing.aim import miss

POINT = np.array([0.3, -0.2])


def test_a_point():
    assert miss(Affect(0.3, -0.2), POINT, None) == 0.0
    assert miss(Affect(0.0, 0.2), POINT, None) == pytest.approx(0.5)
    assert miss(None, POINT, None) == 0.0


def test_a_path_is_measured_in_windows_where_there_are_some():
    asked = parse_affect("sad>happy")
    assert isinstance(asked, AffectPath)
    along = np.array([[p.valence, p.arousal] for p in asked.sample(5)])
    assert miss(asked, POINT, along) == pytest.approx(0.0)
    assert miss(asked, POINT, along + np.array([0.3, 0.4])) == pytest.approx(0.5)
    middle = asked.at_fraction(0.5)
    assert miss(asked, POINT, None) == pytest.approx(np.hypot(0.3 - middle.valence, -0.2 - middle.arousal))
