"""What manifests hold of a sound that was made."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from talking import RATE, talk

from affectgen.affect.space import Affect
from affectgen.recognize.items import Item
from affectgen.recognize.measured import measure_result
from affectgen.recognize.rate import Rater, RateSettings
from affectgen.recognize.reading import Reading


def wave(samples: np.ndarray) -> bytes:
    memory = io.BytesIO()
    soundfile.write(memory, samples, RATE, format="WAV")
    return memory.getvalue()


@pytest.mark.parametrize("kind", ["speech", "music"])
def test_it_is_what_rate_says(kind: str) -> None:
    data = wave(talk(3.0))
    measured, told = measure_result(data, "the result", RateSettings(kind))
    rated = Rater(RateSettings(kind)).rate(Item("x", data)).to_json()
    assert told == []
    assert measured["recogniser"] == "recogniser"
    for name in ("valence", "arousal", "quadrant"):
        assert measured[name] == rated[name]
    assert measured.get("labels") == rated.get("labels")


def test_what_cannot_be_read_is_told_by_the_name_given(tmp_path: Path) -> None:
    path = tmp_path / "affectgen-spool-1.wav"
    path.write_bytes(wave(np.zeros(RATE)))
    for made in (path, path.read_bytes()):
        measured, told = measure_result(made, "the sound", RateSettings("music"))
        assert measured == {}
        assert len(told) == 1
        assert told[0].startswith("The emotion of the sound could not be read: ")
        assert str(path) not in told[0]


def test_labels_stand_only_where_there_are_some() -> None:
    plain = Reading(Affect(0.12344, -0.5), (0.1, 0.2, 0.3, 0.4), (0, -1), (1, 0))
    assert plain.measured() == {"recogniser": "recogniser", "valence": 0.1234, "arousal": -0.5, "quadrant": "Q4"}
    labelled = Reading(Affect(0, 0), (1, 0, 0, 0), (0, 0), (0, 0), {"anger": 1 / 3, "fear": 2 / 3})
    assert labelled.measured()["labels"] == {"anger": 0.3333, "fear": 0.6667}
