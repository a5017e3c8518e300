"""A run folder holds to the settings it was begun with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import UsageError
from affectgen.nn.runs import SETTINGS, claim, flat, plain

OURS = {"structure": "ours", "model": {"dim": 32, "layers": 2}, "rows": 12}


def test_the_first_claim_notes_the_settings(tmp_path):
    folder = tmp_path / "deep" / "run"
    claim(folder, OURS, {})
    assert json.loads((folder / SETTINGS).read_text()) == OURS
    before = (folder / SETTINGS).read_bytes()
    claim(folder, OURS, {})
    assert (folder / SETTINGS).read_bytes() == before


def test_other_settings_are_refused_by_name_and_change_nothing(tmp_path):
    claim(tmp_path, OURS, {})
    before = (tmp_path / SETTINGS).read_bytes()
    with pytest.raises(UsageError) as caught:
        claim(tmp_path, {"structure": "ours", "model": {"dim": 64, "layers": 2}, "rows": 3}, {})
    assert caught.value.message == f"The run {tmp_path} was begun with dim 32 (now 64), rows 12 (now 3)."
    assert "--run folder" in caught.value.hint
    assert caught.value.exit_code == 2
    assert (tmp_path / SETTINGS).read_bytes() == before


def test_where_the_first_setting_differs_it_alone_is_named(tmp_path):
    claim(tmp_path, OURS, {})
    with pytest.raises(UsageError) as caught:
        claim(tmp_path, {"structure": "paper", "model": {"dim": 64}, "rows": 3}, {})
    assert caught.value.message.endswith("was begun with structure ours (now paper).")


def test_what_older_runs_did_not_write_is_assumed(tmp_path):
    (tmp_path / SETTINGS).write_text(json.dumps({"rows": 12}))
    claim(tmp_path, {"structure": "ours", "rows": 12}, {"structure": "ours"})
    with pytest.raises(UsageError, match=r"structure ours \(now paper\)"):
        claim(tmp_path, {"structure": "paper", "rows": 12}, {"structure": "ours"})
    with pytest.raises(UsageError, match=r"structure None \(now ours\)"):
        claim(tmp_path, {"structure": "ours", "rows": 12}, {})
    claim(tmp_path, {"rows": 12}, {"rows": 5})  # what is written counts, not what is assumed


def test_a_setting_that_is_no_more_asked_for_is_let_go(tmp_path):
    claim(tmp_path, OURS, {})
    before = (tmp_path / SETTINGS).read_text()
    claim(tmp_path, {"structure": "ours", "rows": 12}, {})
    assert (tmp_path / SETTINGS).read_text() == before, "what was begun with stays written"


SETTING = st.one_of(st.integers(), st.booleans(), st.none(), st.text(max_size=5), st.floats(allow_nan=False))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.one_of(SETTING, st.lists(SETTING, max_size=3)), max_size=5))
def test_settings_as_json_holds_them_claim_a_run_again(tmp_path_factory, asked):
    folder = tmp_path_factory.mktemp("run")
    for _ in range(2):
        claim(folder, plain(asked), {})
        assert json.loads((folder / SETTINGS).read_text()) == plain(asked)


def test_settings_by_their_own_names():
    assert flat({"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": [4]}) == [("a", 1), ("c", 2), ("e", 3), ("f", [4])]
    assert plain({"path": Path("a/b"), "pair": (1, 2.5), "none": None}) == {
        "path": str(Path("a/b")), "pair": [1, 2.5], "none": None,
    }  # fmt: skip
