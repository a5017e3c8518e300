"""The tasks as the upper floors see them: results with a file, and facts that JSON can hold."""

from __future__ import annotations

import json

import numpy as np
import pytest

from affectgen.errors import CheckpointError
from affectgen.muser.checkpoint import save_composer
from affectgen.muser.options import GenerateOptions, ReconstructOptions, TransferOptions
from affectgen.muser.tasks import GENERATE, RECONSTRUCT, TRANSFER
from affectgen.recognize.judge import load_judge
from affectgen.score.midi import read_notes, write_midi
from affectgen.task import find_task
from affectgen.writing.options import ELEMENTS


@pytest.fixture
def checkpoint(tmp_path, tiny):
    """A checkpoint of the untrained model; the guide is the shipped one."""
    save_composer(tmp_path / "small", tiny.model, tiny.prior, {"attribute_spread": [1.0] * 6 + [0.5]}, "")
    return str(tmp_path / "small")


def check(result):
    """What every result holds."""
    assert result.suffix == ".mid"
    assert result.data[:4] == b"MThd"
    assert not result.details["notes"] or len(read_notes(result.data)) == result.details["notes"]
    assert set(result.checkpoint) == {"name", "sha256"}
    assert len(result.checkpoint["sha256"]) == 64
    assert result.measured["recogniser"] == "guide"
    assert str(result.measured["quadrant"]) in ("Q1", "Q2", "Q3", "Q4")
    assert -1 <= result.measured["valence"] <= 1
    assert result.summary
    return json.loads(json.dumps([result.asked, dict(result.measured), dict(result.details)], allow_nan=False))


def test_they_are_found_by_name():
    for task in (GENERATE, TRANSFER, RECONSTRUCT):
        assert find_task(task.name) is task


def test_generate(checkpoint):
    options = [GenerateOptions("sad", 3, bars=2, best_of=2, tries=1), GenerateOptions("sad>happy", 4, bars=5),
               GenerateOptions(None, 5, bars=2)]  # fmt: skip
    point, path, free = made = GENERATE.load(checkpoint, "cpu").run(options)
    assert all(result.details["notes"] > 0 for result in made)
    asked, _measured, details = check(point)
    assert asked["valence"] < 0
    assert (details["bars"], details["candidates"], details["batch_width"], details["attempts"]) == (2, 2, 4, 1)
    assert details["candidate"] in (0, 1)
    assert [one["candidate"] for one in details["heard"]] == [0, 1]
    kept = details["heard"][details["candidate"]]
    assert [kept["valence"], kept["arousal"]] == [round(point.measured[axis], 4) for axis in ("valence", "arousal")]
    assert kept["cost"] == min(one["cost"] for one in details["heard"] if one["good"] == kept["good"])
    judged = load_judge().judge([read_notes(point.data)])
    assert point.measured["judge"]["recogniser"] == "judge"
    assert abs(point.measured["judge"]["arousal"] - judged.points[0, 1]) < 0.05, "it hears the file"
    assert details["key"].split()[1] in ("major", "minor")
    assert point.summary[0].startswith("2 bars")
    asked, _, details = check(path)
    assert len(asked["keys"]) == 2
    assert np.array(details["measured_path"]).shape == (2, 2)
    assert check(free)[0] is None
    again = GENERATE.load(checkpoint, "cpu").run(options[:1])[0]
    assert again.data == point.data, "byte by byte, without its neighbours"


def test_transfer(checkpoint, score):
    source, donor = write_midi(score(1, 3)), write_midi(score(2, 3))
    options = [TransferOptions(source, donor, ("velocity",), 1), TransferOptions(source, donor, ("pitch", "tempo"), 1)]
    first, second = TRANSFER.load(checkpoint, "cpu").run(options)
    asked, _, details = check(first)
    assert asked is None
    assert set(details["moves"]) == set(ELEMENTS)
    moved = details["moves"]["velocity"]
    assert moved["sd"] == pytest.approx((moved["result"] - moved["source"]) / 0.5, abs=1e-3)
    assert details["moves"]["pitch"]["sd"] == 0
    assert details["elements"] == ["velocity"]
    assert [line.split()[0] for line in first.summary if line.endswith("*")] == ["velocity"]
    assert [line.split()[0] for line in second.summary if line.endswith("*")] == ["tempo", "pitch"]
    assert len(first.summary) == 1 + 7 + 2
    check(second)


def test_reconstruct(checkpoint, score):
    result = RECONSTRUCT.load(checkpoint, "cpu").run([ReconstructOptions(write_midi(score(1, 2)))])[0]
    _, _, details = check(result)
    assert 0 <= details["note_f1"] <= 1
    assert f"{details['note_f1']:.3f}" in result.summary[0]


def test_no_checkpoint_is_an_error_with_a_hint(tmp_path):
    for task in (GENERATE, TRANSFER, RECONSTRUCT):
        with pytest.raises(CheckpointError) as caught:
            task.load(str(tmp_path / "absent"), "cpu")
        assert caught.value.hint
