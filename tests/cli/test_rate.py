"""`affectgen rate` as a user meets it: files, folders, pipes, texts, tables, pictures and faults."""

from __future__ import annotations

import csv
import io
import json

import matplotlib.image
import numpy as np
import pytest
import soundfile

from affectgen.score.midi import write_midi


@pytest.fixture
def files(shell, score):
    """Two pieces, a recording, a text and a file that is nothing, in the shell's folder."""
    for seed in (0, 1):
        (shell.folder / f"{seed}.mid").write_bytes(write_midi(score(seed)))
    time = np.arange(22_050 * 11) / 22_050
    wave = sum(np.sin(2 * np.pi * f * time) * np.exp(-2 * (time % 0.5)) for f in (220, 277, 330, 440, 554, 660, 880))
    soundfile.write(shell.folder / "a.wav", 0.1 * np.asarray(wave), 22_050)
    (shell.folder / "t.txt").write_text("This is the best day of my life!")
    (shell.folder / "bad.mid").write_text("no music")
    return shell


def test_a_line_for_each_file_and_text(files) -> None:
    done = files("rate", "0.mid", "a.wav", "t.txt", "--text", "I am furious")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert [line.split(":")[0] for line in lines] == ["0.mid", "a.wav", "t.txt", "I am furious"]
    assert [line.split(": ")[1].split(",")[0] for line in lines] == ["midi", "music", "text", "text"]
    assert all("valence" in line and "+-" in line for line in lines)


def test_json_is_a_list_of_objects(files) -> None:
    done = files("rate", "0.mid", "--text", "wonderful", "--json")
    first, second = json.loads(done.stdout)
    assert first["file"] == "0.mid"
    assert second["kind"] == "text"
    for row in (first, second):
        assert -1 <= row["valence"] <= 1
        assert -1 <= row["arousal"] <= 1
        assert row["quadrant"] in ("Q1", "Q2", "Q3", "Q4")
        assert len(row["words"]) == 3
        assert 0 <= row["uncertainty"] <= 1
        assert row["interval"]["valence"][0] <= row["valence"] <= row["interval"]["valence"][1]
        assert sum(row["quadrants"].values()) == pytest.approx(1, abs=0.001)


def test_csv_has_a_row_a_file_or_a_window(files) -> None:
    rows = list(csv.DictReader(io.StringIO(files("rate", "0.mid", "1.mid", "--csv").stdout.decode())))
    assert [row["file"] for row in rows] == ["0.mid", "1.mid"]
    assert -1 <= float(rows[0]["valence_low"]) <= float(rows[0]["valence"]) <= 1
    rows = list(csv.DictReader(io.StringIO(files("rate", "a.wav", "--window", "5", "--csv").stdout.decode())))
    assert [row["start"] for row in rows] == ["0", "5"]
    assert rows[-1]["end"] == "11"


def test_a_folder_and_its_faults(files) -> None:
    done = files("rate", ".", "--json")
    assert done.returncode == 3
    assert [row["file"] for row in json.loads(done.stdout)] == ["0.mid", "1.mid", "a.wav", "t.txt"]
    assert "bad.mid" in done.stderr.decode()
    assert "1 of 5 items could not be rated" in done.stderr.decode()


def test_where_nothing_can_be_rated_the_code_is_1(files, fails) -> None:
    assert "bad.mid" in fails(1, "rate", "bad.mid")
    assert "nowhere.wav" in fails(1, "rate", "nowhere.wav")


def test_standard_input_may_be_anything(files) -> None:
    for name, kind in (("0.mid", "midi"), ("a.wav", "music"), ("t.txt", "text")):
        data = (files.folder / name).read_bytes()
        piped = json.loads(files("rate", "-", "--json", stdin=data).stdout)[0]
        named = json.loads(files("rate", name, "--json").stdout)[0]
        assert piped["kind"] == kind
        assert {**piped, "file": ""} == {**named, "file": ""}
    assert json.loads(files("rate", "--text", "-", "--json", stdin=b"so good").stdout)[0]["kind"] == "text"


def test_a_curve_is_drawn(files) -> None:
    done = files("rate", "a.wav", "--window", "5", "--plot", "curve.png")
    assert done.returncode == 0
    assert (files.folder / "curve.png").read_bytes()[:4] == b"\x89PNG"
    assert len(done.stdout.decode().splitlines()) == 3
    again = files("rate", "a.wav", "--window", "5", "--plot", "curve.png")
    assert again.returncode == 1
    assert files("rate", "a.wav", "--window", "5", "--plot", "curve.png", "--force").returncode == 0


def test_pictures_of_sound_and_of_notes(files) -> None:
    sizes = {}
    for name, picture in (("a.wav", "a.png"), ("0.mid", "0.png")):
        assert files("rate", name, "--window", "5", "--plot", picture).returncode == 0
        sizes[name] = matplotlib.image.imread(files.folder / picture).shape[:2]
    assert sizes == {"a.wav": (870, 1320), "0.mid": (744, 1320)}  # spectrogram and envelope are higher than a roll
    piped = files("rate", "-", "--window", "5", "--plot", "b.svg", stdin=(files.folder / "a.wav").read_bytes())
    assert piped.returncode == 0
    assert piped.stderr == b""
    assert (files.folder / "b.svg").read_bytes().rstrip().endswith(b"</svg>")


def test_wrong_options_are_usage_errors(files, fails) -> None:
    assert "Nothing was given" in fails(2, "rate")
    assert "--plot came without --window" in fails(2, "rate", "a.wav", "--plot", "c.png")
    assert "2 inputs" in fails(2, "rate", "0.mid", "a.wav", "--window", "5", "--plot", "c.png")
    assert "exclude each other" in fails(2, "rate", "0.mid", "--json", "--csv")
    fails(2, "rate", "0.mid", "--window", "nan")
    fails(2, "rate", "0.mid", "--as", "video")
    assert "read only once" in fails(2, "rate", "-", "--text", "-", stdin=b"x")


def test_a_closed_pipe_ends_quietly(files) -> None:
    process = files.start("rate", "0.mid", "1.mid", "a.wav")
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()
