"""`affectgen models`, `doctor` and `rate`."""

from __future__ import annotations

import json

import pytest


def test_list_names_size_and_licence(shell):
    done = shell("models", "list")
    assert done.returncode == 0
    line = next(line for line in done.stdout.decode().splitlines() if line.startswith("fake"))
    assert "CC0-1.0" in line
    rows = json.loads(shell("models", "list", "--json").stdout)["models"]
    fake = next(row for row in rows if row["name"] == "fake")
    assert fake["megabytes"] == pytest.approx((shell.models / "fake" / "weights.npz").stat().st_size / 1e6, abs=1e-3)
    assert len(fake["sha256"]) == 64


def test_a_damaged_model_is_listed_as_damaged(shell):
    (shell.models / "fake" / "config.json").write_text("{")
    done = shell("models", "list")
    assert done.returncode == 0
    assert b"damaged" in done.stdout


def test_verify(shell):
    done = shell("models", "verify")
    assert done.returncode == 0
    assert f"ok        {shell.models}/fake/weights.npz" in done.stdout.decode()
    (shell.models / "fake" / "weights.npz").write_bytes(b"")
    done = shell("models", "verify", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)[str(shell.models)]["fake/weights.npz"] == "changed"
    assert "weights.npz is changed" in done.stderr.decode()
    (shell.models / "fake" / "weights.npz").unlink()
    assert "weights.npz is missing" in shell("models", "verify").stderr.decode()


def test_path(shell, fails):
    assert shell("models", "path", "fake").stdout.decode().strip() == str(shell.models / "fake")
    assert str(shell.models) in shell("models", "path").stdout.decode().splitlines()
    assert "nope" in fails(1, "models", "path", "nope")


def test_without_any_model(shell, monkeypatch):
    from affectgen.cli import models

    monkeypatch.setattr(models, "checkpoint_roots", list)
    done = shell("models", "verify")
    assert done.returncode == 1
    assert b"No model was found" in done.stderr


def test_the_licence_of_every_shipped_model_is_stated(shell):
    rows = json.loads(shell("models", "list", "--json").stdout)["models"]
    assert len(rows) > 20
    assert [row["name"] for row in rows if row["licence"] in ("", "not stated") or "damaged" in row["about"]] == []


def test_doctor(shell):
    done = shell("doctor")
    assert done.returncode == 0, done.stderr
    assert b"torch" in done.stdout
    found = json.loads(shell("doctor", "--json").stdout)
    assert found["problems"] == []
    assert found["devices"][0] == "cpu"
    assert "fake" in found["checkpoints"]
    assert found["packages"]["torch"] is not None
    assert set(found["tasks"]) >= {"muser generate", "muser transfer", "muser reconstruct"}


def test_doctor_says_what_would_play(shell, tmp_path):
    found = json.loads(shell("doctor", "--json").stdout)["sound"]
    assert found["auto"] == ("fluidsynth" if found["fluidsynth"] and found["font"] else "piano")
    gone = json.loads(shell("doctor", "--json", AFFECTGEN_SOUNDFONT=str(tmp_path / "none.sf2")).stdout)["sound"]
    assert gone["auto"] is None
    assert "none.sf2" in gone["font"]


def test_doctor_finds_a_changed_model(shell):
    (shell.models / "fake" / "weights.npz").write_bytes(b"")
    done = shell("doctor")
    assert done.returncode == 1
    assert "weights.npz is changed" in done.stderr.decode()


def test_doctor_finds_a_model_that_cannot_be_read(shell):
    (shell.models / "SHA256SUMS").unlink()
    (shell.models / "fake" / "config.json").write_text("{")
    done = shell("doctor")
    assert done.returncode == 1
    assert "config.json" in done.stderr.decode()


def rateable(shell):
    for seed in ("1", "2"):
        words = ("-a", "sad", "--seed", seed, "-o", f"{seed}.mid", "--no-manifest")
        assert shell("muser", "generate", *words).returncode == 0
    (shell.folder / "bad.mid").write_text("not music")


def test_rate_some_bad_files(shell):
    rateable(shell)
    done = shell("rate", "1.mid", "bad.mid", "2.mid")
    assert done.returncode == 3
    assert [line.partition(":")[0] for line in done.stdout.decode().splitlines()] == ["1.mid", "2.mid"]
    assert "bad.mid" in done.stderr.decode()
    told = json.loads(shell("rate", "1.mid", "bad.mid", "--json").stdout)
    assert [row["file"] for row in told] == ["1.mid"]
    assert -1 <= told[0]["valence"] <= 1
    assert sum(told[0]["quadrants"].values()) == pytest.approx(1, abs=1e-3)


def test_rate_standard_input(shell):
    rateable(shell)
    data = (shell.folder / "1.mid").read_bytes()
    from_pipe = json.loads(shell("rate", "-", "--json", stdin=data).stdout)[0]
    from_file = json.loads(shell("rate", "1.mid", "--json").stdout)[0]
    assert {**from_pipe, "file": ""} == {**from_file, "file": ""}


def test_rate_nothing_but_bad_files(shell, fails):
    rateable(shell)
    assert "no MIDI file" in fails(1, "rate", "bad.mid")
    assert "2 of 2 items" in fails(1, "rate", "bad.mid", "missing.mid")
    assert "no MIDI file" in fails(1, "rate", "-", "--as", "midi", stdin=b"text")
    assert "Nothing was given" in fails(2, "rate")
