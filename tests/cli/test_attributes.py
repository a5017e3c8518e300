"""`affectgen emogen attributes` and `affectgen emogen map`: tables, CSV, JSON, bad files, pipes."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from affectgen.affect import Affect
from affectgen.emogen.checkpoint import load_emogen, map_of
from affectgen.emogen.measure import measure_piece
from affectgen.emogen.vector import CORE_NAMES, NAMES
from affectgen.score.midi import write_midi, write_notes
from affectgen.score.notes import NoteArray

COMMAND = ("emogen", "attributes")


@pytest.fixture
def files(shell, score):
    """Two pieces on a grid, a performance without beats, and a text file."""
    for name, seed in (("a", 1), ("b", 2)):
        (shell.folder / f"{name}.mid").write_bytes(write_midi(score(seed, 6)))
    notes = score(3, 6).to_notes()
    loose = notes.onset + np.random.default_rng(0).uniform(0, 0.09, len(notes))
    played = NoteArray.of(loose, notes.duration, notes.pitch, notes.velocity)
    (shell.folder / "played.mid").write_bytes(write_notes(played))
    (shell.folder / "text.mid").write_text("not music")
    return {name: (shell.folder / f"{name}.mid").read_bytes() for name in ("a", "b", "played", "text")}


def test_a_table_for_a_person(shell, files):
    done = shell.alone(*COMMAND, "a.mid")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    values = measure_piece(files["a"])
    for line in lines:
        assert float(line.split()[1]) == pytest.approx(values[line.split()[0]], rel=1e-3, abs=1e-9)
    tempo = next(line for line in lines if line.startswith("tempo "))
    assert tempo.endswith("beats a minute")
    played = shell(*COMMAND, "played.mid").stdout.decode().splitlines()
    assert next(line for line in played if line.startswith("tempo ")).split()[1] == "-"


def test_several_files_are_named(shell, files):
    done = shell(*COMMAND, "b.mid", "a.mid")
    lines = done.stdout.decode().splitlines()
    assert [line for line in lines if line.endswith(".mid")] == ["b.mid", "a.mid"]
    assert len(lines) == 2 * (1 + len(NAMES))


def test_csv_has_a_row_a_file(shell, files):
    done = shell(*COMMAND, "a.mid", "played.mid", "--csv")
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [row["file"] for row in rows] == ["a.mid", "played.mid"]
    assert list(rows[0]) == ["file", *NAMES]
    for row in rows:
        for name, value in measure_piece(files[row["file"][:-4]]).items():
            assert row[name] == "" if value is None else float(row[name]) == pytest.approx(value, rel=1e-5, abs=1e-12)
    assert rows[1]["tempo"] == ""


def test_json_says_all(shell, files):
    done = shell(*COMMAND, "a.mid", "played.mid", "--json")
    told = json.loads(done.stdout)
    assert told["failed"] == []
    assert [one["file"] for one in told["files"]] == ["a.mid", "played.mid"]
    assert told["files"][0]["attributes"] == measure_piece(files["a"])
    assert told["files"][1]["attributes"]["tempo"] is None


@pytest.mark.parametrize("kind", ["--csv", "--json", None])
def test_a_bad_file_among_others_is_named_and_stops_none(shell, files, kind):
    words = ("a.mid", "text.mid", "gone.mid", "b.mid", *([kind] if kind is not None else []))
    done = shell(*COMMAND, *words)
    said = done.stderr.decode()
    assert done.returncode == 3
    assert "Traceback" not in said
    assert "text.mid" in said
    assert "gone.mid cannot be read" in said
    assert "2 of 4 files could not be measured" in said
    out = done.stdout.decode()
    if kind == "--json":
        told = json.loads(out)
        assert [one["file"] for one in told["files"]] == ["a.mid", "b.mid"]
        assert [one["file"] for one in told["failed"]] == ["text.mid", "gone.mid"]
        assert all(one["error"] for one in told["failed"])
    elif kind == "--csv":
        assert [row["file"] for row in csv.DictReader(io.StringIO(out))] == ["a.mid", "b.mid"]
    else:
        assert [line for line in out.splitlines() if line.endswith(".mid")] == ["a.mid", "b.mid"]


def test_csv_names_its_columns_although_the_first_file_is_bad(shell, files):
    rows = list(csv.reader(io.StringIO(shell(*COMMAND, "text.mid", "a.mid", "--csv").stdout.decode())))
    assert [row[0] for row in rows] == ["file", "a.mid"]


def test_nothing_but_bad_files(shell, files, fails):
    assert "1 of 1 files could not be measured" in fails(1, *COMMAND, "text.mid")
    assert "is no MIDI file" in fails(1, *COMMAND, "-", stdin=b"not music")


def test_standard_input(shell, files, fails):
    done = shell(*COMMAND, "-", "--json", stdin=files["a"])
    assert json.loads(done.stdout)["files"] == [{"file": "-", "attributes": measure_piece(files["a"])}]
    assert "Give standard input alone" in fails(2, *COMMAND, "-", "a.mid", stdin=files["a"])


def test_words_that_do_not_fit(files, fails):
    assert "FILE" in fails(2, *COMMAND)
    assert "--jobs" in fails(2, *COMMAND, "a.mid", "--jobs", "0")


def test_two_forms_at_once_are_named_as_they_were_typed(files, fails):
    assert "--json and --csv exclude each other" in fails(2, *COMMAND, "a.mid", "--json", "--csv")


def test_processes_change_nothing(shell, files):
    words = ("a.mid", "b.mid", "played.mid", "--csv")
    assert shell.alone(*COMMAND, *words, "--jobs", "2").stdout == shell(*COMMAND, *words).stdout


@pytest.fixture
def mapped(shell, tiny_emogen):
    """mapped(*words): the command with the tiny checkpoint."""

    def run(*words):
        return shell("emogen", "map", "--checkpoint", str(tiny_emogen), *words)

    return run


def test_a_map_shows_what_an_emotion_asks_for(mapped, tiny_emogen):
    done = mapped("-a", "0.5,0.8", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["affect"] == {"valence": 0.5, "arousal": 0.8}
    assert [row["name"] for row in told["attributes"]] == list(CORE_NAMES)
    scale = load_emogen(str(tiny_emogen)).scale
    found = map_of(str(tiny_emogen)).on(scale).at(Affect(0.5, 0.8))
    natural = scale.to_natural(found.mean[None])[0]
    for place, row in enumerate(told["attributes"]):
        assert row["mean_sd"] == pytest.approx(found.mean[place], abs=1e-4)
        assert row["spread_sd"] == pytest.approx(found.spread[place], abs=1e-4)
        assert row["value"] == pytest.approx(natural[place], rel=1e-3)
        assert row["open"] == found.open[place]
    loud = next(row for row in told["attributes"] if row["name"] == "velocity_mean")
    soft = next(row for row in json.loads(mapped("-a", "0.5,-0.8", "--json").stdout)["attributes"]
                if row["name"] == "velocity_mean")  # fmt: skip
    assert loud["value"] > 85 > 60 > soft["value"], "the hand-made clips are loud where arousal is high"
    assert not loud["open"]


def test_a_map_for_a_person(mapped):
    done = mapped("--valence", "-0.5", "--arousal", "0.5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0].split() == ["attribute", "value", "mean", "sd", "spread"]
    assert [line.split()[0] for line in lines[1:]] == list(CORE_NAMES)
    rows = json.loads(mapped("--valence", "-0.5", "--arousal", "0.5", "--json").stdout)["attributes"]
    assert [line.endswith("  open") for line in lines[1:]] == [row["open"] for row in rows]
    assert mapped("--valence", "-0.5", "--arousal", "0.5").stdout == done.stdout


def test_all_attributes_of_a_map(mapped):
    rows = json.loads(mapped("-a", "calm", "--all", "--json").stdout)["attributes"]
    assert [row["name"] for row in rows] == list(NAMES)


def test_what_has_no_map(fails, mapped):
    assert "No affect was given" in fails(2, "emogen", "map")
    path = mapped("-a", "sad>happy")
    assert (path.returncode, path.stdout) == (2, b"")
    assert b"A path was given" in path.stderr
    assert "--valence came without --arousal" in fails(2, "emogen", "map", "--valence", "0.5")
    assert "blissfull" in fails(2, "emogen", "map", "-a", "blissfull")
