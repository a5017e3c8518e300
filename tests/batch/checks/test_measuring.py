"""What a file is heard as is noted when it is written, and comes out the same when it is heard again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from affectgen.batch.checks.measuring import (
    KEY,
    heard_in_midi,
    heard_in_sound,
    noted,
    point_of,
    readings_in,
    sound_kind,
)
from affectgen.errors import MidiError
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.guide import load_guide
from affectgen.recognize.judge import load_judge
from affectgen.score.midi import read_notes, write_midi
from affectgen.task import Result


@pytest.fixture(scope="module")
def piece(score) -> bytes:
    return write_midi(score(3, bars=8))


def result(data: bytes, measured: dict, **more) -> Result:
    return Result(data, ".mid", None, measured, {"bars": 8}, {}, **more)


GUIDED = {"recogniser": "guide", "valence": 0.1, "arousal": 0.2, "quadrant": "Q1"}
JUDGED = {"recogniser": "judge", "valence": -0.3, "arousal": 0.4, "quadrant": "Q2"}


def test_readings_of_a_manifest_are_found_by_recogniser():
    assert readings_in({**GUIDED, "judge": JUDGED}) == {"guide": (0.1, 0.2), "judge": (-0.3, 0.4)}
    assert readings_in(JUDGED) == {"judge": (-0.3, 0.4)}
    assert readings_in({}) == {}
    assert readings_in({"recogniser": "guide", "valence": "high", "arousal": True}) == {}


@pytest.mark.parametrize("held", [None, [], {}, {"valence": 1}, {"valence": True, "arousal": 0.0}])
def test_what_holds_no_point_has_none(held):
    assert point_of(held) is None


def test_guide_and_judge_read_the_file_as_they_would_alone(piece):
    notes = read_notes(piece)
    heard = heard_in_midi(piece, ["guide", "judge", "recogniser", "nobody"])
    np.testing.assert_allclose(heard["guide"], load_guide().rate([notes])[0])
    np.testing.assert_allclose(heard["judge"], load_judge().judge([notes]).points[0])
    assert heard["recogniser"] is not None
    assert heard["nobody"] is None


def test_what_is_noted_names_the_recogniser_and_its_hash(piece):
    told = noted(result(piece, {**GUIDED, "judge": JUDGED}), "muser generate").details[KEY]
    assert set(told) == {"guide", "judge"}
    for name in told:
        assert told[name]["sha256"] == load_checkpoint(f"midi-{name}").sha256
        assert told[name]["name"] == f"midi-{name}"
    heard = heard_in_midi(piece, ["guide", "judge"])
    assert point_of(told["guide"]) == pytest.approx(heard["guide"], abs=1e-5)
    assert point_of(told["judge"]) == pytest.approx(heard["judge"], abs=1e-5)


def test_of_sound_the_reading_itself_is_noted():
    measured = {"recogniser": "recogniser", "valence": 0.25, "arousal": -0.5, "quadrant": "Q4"}
    told = noted(result(b"RIFF", measured), "speech convert").details[KEY]["recogniser"]
    assert point_of(told) == (0.25, -0.5)
    assert told["name"] == "speech-recogniser"
    assert noted(result(b"RIFF", measured), "render").details[KEY]["recogniser"]["name"] == "music-recogniser"


@pytest.mark.parametrize("measured", [{}, {"recogniser": "ours", "valence": 0.0, "arousal": 0.0}])
def test_nothing_is_noted_of_what_nobody_of_ours_measured(piece, measured):
    told = noted(result(piece, measured), "muser generate")
    assert told.details.get(KEY, {}) == {}


def test_a_file_that_cannot_be_read_has_no_note_and_is_no_error():
    bad = result(b"MThd", GUIDED)
    assert noted(bad, "muser generate") is bad
    with pytest.raises(MidiError):
        heard_in_midi(b"MThd", ["guide"])


def test_a_note_that_is_there_stays(piece):
    there = result(piece, GUIDED)
    there = replace(there, details={KEY: "mine"})
    assert noted(there, "muser generate").details[KEY] == "mine"


def test_sound_is_heard_as_rate_hears_it(tmp_path):
    import soundfile

    from affectgen.recognize.items import Item
    from affectgen.recognize.rate import Rater, RateSettings

    seconds = np.arange(4 * 22_050) / 22_050
    file = tmp_path / "a.wav"
    soundfile.write(file, (0.2 * np.sin(2 * np.pi * 220 * seconds) * np.exp(-(seconds % 0.5) * 6)), 22_050)
    heard = heard_in_sound(file, sound_kind("render"), None)
    reading = Rater(RateSettings("music")).rate(Item("a", file)).reading
    assert heard == (reading.affect.valence, reading.affect.arousal)
