"""A reading: what it names, how unsure it says it is, and its form in JSON."""

from __future__ import annotations

import json

import pytest

from affectgen.affect.space import Affect
from affectgen.recognize.reading import Reading, mean_reading, readings

HAPPY = Reading(Affect(0.7, 0.5), (0.7, 0.1, 0.05, 0.15), (0.4, 0.1), (1.0, 0.8))


def test_the_likeliest_quadrant_is_named() -> None:
    assert HAPPY.quadrant == "Q1"
    assert Reading(Affect(0.1, 0.1), (0.2, 0.3, 0.1, 0.4), (0, 0), (0, 0)).quadrant == "Q4", "not that of the point"


def test_uncertainty_is_half_the_mean_width() -> None:
    assert HAPPY.uncertainty == pytest.approx((0.6 + 0.7) / 4)
    assert Reading(Affect(0, 0), (0.25,) * 4, (-1, -1), (1, 1)).uncertainty == 1.0


def test_json_has_what_the_command_promises() -> None:
    found = json.loads(json.dumps(HAPPY.to_json()))
    assert found["valence"] == 0.7
    assert found["arousal"] == 0.5
    assert found["words"] == list(HAPPY.affect.nearest_words(3))
    assert found["interval"] == {"valence": [0.4, 1.0], "arousal": [0.1, 0.8]}
    assert found["quadrants"]["Q1"] == 0.7
    assert not {"labels", "dominance"} & set(found), "what is not read is not there"


def test_what_only_some_recognisers_read_is_there_when_it_is_read() -> None:
    found = Reading(HAPPY.affect, HAPPY.quadrants, HAPPY.low, HAPPY.high, {"joy": 1.0}, 0.0).to_json()
    assert found["labels"] == {"joy": 1.0}
    assert found["dominance"] == 0.0


def test_rows_become_readings_inside_the_plane() -> None:
    first, second = readings([[1.2, -3.0], [0.1, 0.2]], [[0.1, 0.2, 0.3, 0.4]] * 2, [[-1, -1]] * 2, [[1, 1]] * 2)
    assert (first.affect.valence, first.affect.arousal) == (1.0, -1.0)
    assert second.quadrant == "Q4"


def test_the_mean_of_parts_weighs_them_and_keeps_their_width() -> None:
    other = Reading(Affect(-0.3, 0.1), (0.1, 0.7, 0.1, 0.1), (-0.5, 0.0), (0.1, 0.3), {"joy": 1.0}, 0.4)
    found = mean_reading([HAPPY, other], [3, 1])
    assert found.affect.valence == pytest.approx((3 * 0.7 - 0.3) / 4)
    assert sum(found.quadrants) == pytest.approx(1.0)
    assert found.low[0] == pytest.approx((3 * 0.4 - 0.5) / 4)
    assert found.labels == {"joy": 0.25}
    assert found.dominance is None, "not read in every part"
    assert mean_reading([HAPPY]) == HAPPY
    assert mean_reading([HAPPY, other], [0, 0]).affect == mean_reading([HAPPY, other]).affect
    with pytest.raises(ValueError, match="no readings"):
        mean_reading([])
