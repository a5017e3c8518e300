"""`affectgen doctor`: soundfonts, presets, optional parts and space, for a person and as JSON."""

from __future__ import annotations

import json
import tempfile

import pytest

from affectgen.audio import fonts
from affectgen.cli import diagnosis


def told(shell, **extra) -> dict:
    return json.loads(shell("doctor", "--json", **extra).stdout)


def test_every_optional_part_says_what_it_is_for_and_how_it_comes(shell, top):
    found = told(shell)["optional"]
    assert {"transformers", "espeakng-loader", "sentencepiece", "ray", "audiocraft"} <= set(found)
    declared = (top / "pyproject.toml").read_text()
    for name, row in found.items():
        assert row["for"], name
        extra = row["install"].partition("[")[2].partition("]")[0]
        assert f"\n{extra} = [" in declared, f"{name} names an extra that there is not"


def test_what_is_missing_is_shown_with_its_remedy(shell, monkeypatch):
    kept = diagnosis._version
    monkeypatch.setattr(diagnosis, "_version", lambda name: None if name == "ray" else kept(name))
    page = shell("doctor").stdout.decode()
    line = next(line for line in page.splitlines() if line.strip().startswith("ray"))
    assert "not installed; for batches on a cluster: pip install 'affectgen[cluster]'" in line


def test_something_needed_that_is_missing_is_a_problem(shell, monkeypatch):
    kept = diagnosis._version
    monkeypatch.setattr(diagnosis, "_version", lambda name: None if name == "soxr" else kept(name))
    done = shell("doctor")
    assert done.returncode == 1
    assert b"soxr is not installed" in done.stderr


def test_soundfonts_are_listed_and_a_damaged_one_is_a_warning(shell, monkeypatch, tmp_path):
    bad = tmp_path / "bad.sf2"
    bad.write_bytes(b"RIFF")
    monkeypatch.setattr(fonts, "FOLDERS", (tmp_path,))
    monkeypatch.setattr(fonts, "_own_folders", list)
    done = shell("doctor", "--json")
    assert done.returncode == 0, "sound plays without a font"
    found = json.loads(done.stdout)
    assert [row["path"] for row in found["soundfonts"]] == [str(bad)]
    assert "no SoundFont" in found["soundfonts"][0]["error"]
    assert b"bad.sf2 cannot be played" in done.stderr
    assert "bad.sf2 cannot be played" in found["warnings"][0]


def test_presets_are_listed_and_a_damaged_one_is_a_warning(shell, tmp_path):
    home = tmp_path / "presets"
    home.mkdir()
    (home / "zz-good.toml").write_text('command = "emogen generate"\ndescription = "x"\n[options]\naffect = "calm"\n')
    (home / "zz-bad.toml").write_text("command = \n")
    done = shell("doctor", "--json", AFFECTGEN_PRESETS=str(home))
    assert done.returncode == 0
    found = json.loads(done.stdout)["presets"]
    assert found["folders"][0] == str(home)
    assert "zz-good" in found["names"]
    assert "zz-bad" in found["damaged"]
    assert b"the preset zz-bad cannot be used" in done.stderr


def test_space_for_temporary_files(shell, monkeypatch):
    found = told(shell)["temporary"]
    assert found["folder"] == tempfile.gettempdir()
    assert found["free"] > 0
    monkeypatch.setattr(diagnosis, "LITTLE", 1 << 60)
    assert any("are free in" in text for text in told(shell)["warnings"])

    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(diagnosis.tempfile, "gettempdir", none)
    done = shell("doctor")
    assert done.returncode == 1
    assert b"no folder for temporary files" in done.stderr


@pytest.mark.parametrize(("there", "says"), [("espeak-ng", "espeak-ng"), ("flite", "flite"), ("", None)])
def test_what_would_say_new_words(shell, monkeypatch, there, says):
    kept = diagnosis._version
    monkeypatch.setattr(diagnosis, "_version", lambda name: None if name == "espeakng-loader" else kept(name))
    monkeypatch.setattr(diagnosis.shutil, "which", lambda name: f"/usr/bin/{name}" if name == there else None)
    assert told(shell)["speech"]["words"] == says


def test_the_page_has_all_of_it(shell):
    done = shell("doctor")
    assert done.returncode == 0, done.stderr
    page = done.stdout.decode()
    for part in ("devices: cpu", "optional:", "sound:", "checkpoints: ", "presets: ", "tasks: ", "temporary files: "):
        assert part in page
