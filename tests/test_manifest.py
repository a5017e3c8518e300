"""A manifest comes back from JSON as it went."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from affectgen import __version__
from affectgen.errors import AffectgenError
from affectgen.manifest import Setting, build_manifest, manifest_path, read_manifest
from affectgen.spooled import Spooled
from affectgen.task import Result

RESULT = Result(
    data=b"MThd",
    suffix=".mid",
    asked={"valence": 0.5, "arousal": 0.5},
    measured={"valence": 0.0},
    details={"moves": [("pitch", 1)]},
    checkpoint={"name": "m", "sha256": "s"},
)


def build(output, **settings):
    made = {name: Setting(value, "option") for name, value in settings.items()}
    run = {"device": Setting("cpu", "default"), "threads": Setting(1, "environment")}
    return build_manifest("muser generate", ["muser", "generate"], made, run, RESULT, output, {"make": 0.5})


def test_round_trip(tmp_path):
    made = build(tmp_path / "a.mid", seed=0, keep=("pitch",), affect=None)
    path = manifest_path(tmp_path / "a.mid")
    assert path.name == "a.mid.json"
    path.write_bytes(made.to_bytes())
    back = read_manifest(path)
    assert back.to_json() == made.to_json()
    values = {name: setting.value for name, setting in back.settings.items()}
    assert values == {"seed": 0, "keep": ["pitch"], "affect": None}
    assert back.settings["seed"].origin == "option"
    assert back.run == made.run
    assert back.output == {"path": "a.mid", "sha256": sha256(b"MThd").hexdigest(), "bytes": 4}
    assert back.versions["affectgen"] == __version__
    assert back.versions["torch"]
    assert back.details == {"moves": [["pitch", 1]]}


def test_inputs_are_recorded_by_path_and_hash(tmp_path):
    (tmp_path / "in.mid").write_bytes(b"music")
    made = build(None, source=tmp_path / "in.mid", donor=b"music")
    digest = sha256(b"music").hexdigest()
    assert made.settings["source"].value == {"path": str(tmp_path / "in.mid"), "sha256": digest}
    assert made.settings["donor"].value == {"path": None, "sha256": digest}
    assert made.output["path"] is None


@pytest.mark.parametrize("change", [
    lambda held: held.pop("settings"), lambda held: held.update(settings=[1]), lambda held: held.pop("manifest"),
    lambda held: held.pop("checkpoint"), lambda held: held.update(run={"device": "cpu"}),
    lambda held: held.update(manifest=2),
])  # fmt: skip
def test_a_damaged_manifest(tmp_path, change):
    held = build(Path("a.mid")).to_json()
    change(held)
    (tmp_path / "m.json").write_text(json.dumps(held))
    with pytest.raises(AffectgenError, match="is no manifest"):
        read_manifest(tmp_path / "m.json")


def test_several_inputs_are_a_list_in_order(tmp_path):
    (tmp_path / "in.mid").write_bytes(b"music")
    made = build(None, sources=(tmp_path / "in.mid", b"more"), words=("a", "b"))
    first, second = (sha256(data).hexdigest() for data in (b"music", b"more"))
    rows = [{"path": str(tmp_path / "in.mid"), "sha256": first}, {"path": None, "sha256": second}]
    assert made.settings["sources"].value == rows
    assert made.settings["words"].value == ["a", "b"]
    (tmp_path / "m.json").write_bytes(made.to_bytes())
    assert read_manifest(tmp_path / "m.json").settings["sources"].value == rows


def test_a_result_in_a_file_is_hashed_and_measured_there():
    with Spooled.empty(".wav") as data:
        data.path.write_bytes(b"sound" * 1000)
        made = build_manifest("render", ["render"], {}, {}, replace(RESULT, data=data), Path("a.wav"), {})
    assert made.output == {"path": "a.wav", "sha256": sha256(b"sound" * 1000).hexdigest(), "bytes": 5000}
