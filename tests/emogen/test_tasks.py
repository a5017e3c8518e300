"""The task as the upper floors see it: results with a file, and facts that JSON can hold."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from affectgen.emogen.checkpoint import load_emogen, map_of
from affectgen.emogen.options import EmogenOptions
from affectgen.emogen.tasks import GENERATE, attribute_rows
from affectgen.emogen.vector import CORE_NAMES, NAMES
from affectgen.errors import CheckpointError
from affectgen.score.midi import read_notes
from affectgen.task import find_task


@pytest.fixture
def runner(tiny_emogen):
    """The tiny checkpoint with its map; guide and performer are the shipped ones."""
    return GENERATE.load(str(tiny_emogen), "cpu")


def check(result):
    """What every result holds, as JSON."""
    assert result.suffix == ".mid"
    assert result.data[:4] == b"MThd"
    assert len(read_notes(result.data)) == result.details["notes"] > 0
    assert result.measured["recogniser"] == "guide"
    assert -1 <= result.measured["valence"] <= 1
    return json.loads(json.dumps([result.asked, dict(result.measured), dict(result.details)], allow_nan=False))


def test_it_is_found_by_name():
    assert find_task("emogen generate") is GENERATE
    assert GENERATE.options is EmogenOptions


def test_results(runner, tiny_emogen):
    options = [
        EmogenOptions("sad", 2, bars=8, best_of=2, set=("tempo=100", "gap=+1.5")),
        EmogenOptions("calm>excited", 4, bars=16, best_of=1), EmogenOptions(None, 5, bars=8, best_of=1),
    ]  # fmt: skip
    point, path, free = made = runner.run(options)
    asked, _, details = check(point)
    assert asked["valence"] < 0
    assert (details["bars"], details["candidates"], details["batch_width"], details["attempts"]) == (8, 2, 4, 1)
    assert details["candidate"] in (0, 1)
    assert len(details["heard"]) == 2
    kept = details["heard"][details["candidate"]]
    assert [kept["valence"], kept["arousal"]] == [round(point.measured[axis], 4) for axis in ("valence", "arousal")]
    assert point.measured["judge"]["recogniser"] == "judge"
    assert details["attribute_error"] > 0
    assert details["doubt"] == 0, "it has no critic"
    assert f"attribute error {details['attribute_error']:.2f}" in point.summary
    assert point.summary[0].startswith("8 bars")
    assert point.checkpoint == {"name": "tiny", "sha256": load_emogen(str(tiny_emogen)).sha256}
    assert details["critic"] is None, "the shipped one is another generator's"
    assert details["map"] == {"name": "tiny-map", "sha256": map_of(str(tiny_emogen)).sha256}

    rows = details["attributes"]
    assert len(rows) == 1
    assert set(rows[0]) <= set(NAMES)
    assert rows[0]["gap"]["asked_sd"] == 1.5
    assert rows[0]["tempo"]["asked"] == pytest.approx(100, abs=30), "as far as the tiny scale tells"
    assert set(rows[0]["tempo"]) == {"asked", "measured", "asked_sd", "measured_sd"}
    notes = read_notes(point.data)
    assert rows[0]["velocity_mean"]["measured"] == pytest.approx(notes.velocity.mean(), rel=0.01)

    asked, _, details = check(path)
    assert len(asked["keys"]) == 2
    assert len(details["attributes"]) == 4
    assert {name for row in details["attributes"] for name in row} <= set(CORE_NAMES)
    loud = [row["velocity_mean"]["asked"] for row in details["attributes"] if row]
    assert len(loud) > 1
    assert loud[0] < loud[-1]
    asked, _, details = check(free)
    assert asked is None
    assert details["attributes"] == [{}]
    assert details["attribute_error"] == 0
    assert runner.run(options[:1])[0].data == made[0].data, "byte by byte, without its neighbours"


def test_what_flows_is_what_a_call_for_all_makes(runner):
    """Lengths, keys, sizes of a try beyond one batch's rows, and what goes on from somebody's notes."""
    asked = [
        EmogenOptions("sad", 2, bars=4, best_of=2), EmogenOptions("happy", 2, bars=6, best_of=4, key="D"),
        EmogenOptions("calm", 3, bars=3, best_of=6), EmogenOptions("calm>excited", 4, bars=8, best_of=3),
        EmogenOptions("angry", 5, bars=4, best_of=2, tries=2, set=("tempo=90",)),
    ]  # fmt: skip
    first = runner.run(asked[:1])[0].data
    asked.append(EmogenOptions("tense", 6, bars=2, best_of=2, continue_from=first))
    assert len({GENERATE.alike(option) for option in asked}) == 1
    coming, come = [*enumerate(asked)], {}
    runner.flow(lambda: coming.pop(0) if coming else None, lambda number, result: come.update({number: result}))
    assert sorted(come) == list(range(len(asked)))
    for number, whole in enumerate(runner.run(asked)):
        check(come[number])
        assert come[number].data == whole.data
        assert come[number].details == whole.details
        assert come[number].asked == whole.asked
        assert come[number].measured["judge"]["valence"] == pytest.approx(whole.measured["judge"]["valence"])


def test_what_is_written_otherwise_is_in_no_flow():
    plain = EmogenOptions("sad", 1, bars=4)
    assert GENERATE.alike(plain) is not None
    assert GENERATE.alike(replace(plain, seed=2, affect="happy", bars=9, best_of=2)) == GENERATE.alike(plain)
    for other in ({"temperature": 0.9}, {"top_p": 0.8}, {"guidance": 2.0}):
        assert GENERATE.alike(replace(plain, **other)) not in (None, GENERATE.alike(plain))
    for alone in ({"best_of": 1}, {"seconds": 20.0}, {"source": b"MThd", "keep": ("pitch",)}):
        assert GENERATE.alike(replace(plain, **alone)) is None


def test_no_checkpoint_is_an_error_with_a_hint(tmp_path):
    with pytest.raises(CheckpointError) as caught:
        GENERATE.load(str(tmp_path / "absent"), "cpu")
    assert caught.value.hint


def test_what_too_few_notes_leave_unknown_is_still_named_as_asked():
    wanted, values = np.full((2, len(NAMES)), np.nan), np.full((1, len(NAMES)), np.nan)
    wanted[:, 0] = 70.0
    values = np.stack([values[0], np.full(len(NAMES), 60.0)])
    targets = SimpleNamespace(sd=wanted / 100)
    piece = SimpleNamespace(wanted=wanted, values=values, targets=targets, achieved=values / 100)
    rows = attribute_rows(piece)
    assert rows[0] == {NAMES[0]: {"asked": 70.0, "measured": None, "asked_sd": 0.7, "measured_sd": None}}
    assert rows[1][NAMES[0]]["measured"] == 60.0
