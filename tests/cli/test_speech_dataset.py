"""`affectgen speech dataset`, as a user meets it."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import soundfile

TEXTS = ("I would like a new alarm clock.", "The surface is slick.", "He carried a strange box to the house.",
         "It's eleven o'clock.")  # fmt: skip


@pytest.fixture
def recordings(shell):
    for speaker in ("ann", "bob", "cy"):
        home = shell.folder / "in" / speaker
        home.mkdir(parents=True)
        for number, text in enumerate(TEXTS):
            soundfile.write(home / f"{number}.wav", np.zeros(800), 8000)
            (home / f"{number}.txt").write_text(text)
    return "in"


def read(shell, name):
    return {
        path.relative_to(shell.folder / name): path.read_bytes()
        for path in sorted((shell.folder / name).rglob("*")) if path.is_file()
    }  # fmt: skip


def test_a_set_is_made_and_the_same_seed_makes_the_same(shell, recordings):
    done = shell("speech", "dataset", recordings, "-o", "one", "--json")
    assert done.returncode == 0, done.stderr
    about = json.loads(done.stdout)
    assert (about["speakers"], about["sentences"], about["recordings"]) == (3, 3, 12)
    lines = [json.loads(line) for line in (shell.folder / "one" / "items.jsonl").read_text().splitlines()]
    assert sum(about["items"].values()) == len(lines)
    used = {split: [line for line in lines if line["split"] == split] for split in ("train", "valid", "test")}
    assert all(used.values())
    for key in ("speaker", "source_text"):
        sets = [{line[key] for line in part} for part in used.values()]
        assert sum(map(len, sets)) == len(set.union(*sets))
    assert all(line["text"] != line["source_text"] for line in lines)
    assert shell("speech", "dataset", recordings, "-o", "two", "-q").returncode == 0
    assert read(shell, "one") == read(shell, "two")
    assert shell("speech", "dataset", recordings, "-o", "two", "--seed", "1", "--force").returncode == 0
    assert read(shell, "one") != read(shell, "two")


@pytest.mark.parametrize(("words", "code", "told"), [
    (("no", "-o", "out"), 1, b"no folder"),
    (("in", "-o", "out", "--shares", "1,2"), 2, b"--shares got '1,2'"),
    (("in", "-o", "out", "--shares", "0.5,0.5,0.5"), 2, b"no parts of a whole"),
    (("in", "-o", "in"), 1, b"something else"),
    (("in", "-o", "a/b"), 1, b"does not exist"),
    (("in",), 2, b"--output"),
])  # fmt: skip
def test_what_is_refused(shell, recordings, words, code, told):
    done = shell("speech", "dataset", *words)
    assert done.returncode == code
    assert told in done.stderr
    assert b"Traceback" not in done.stderr
    assert sorted(path.name for path in shell.folder.iterdir() if path.is_dir()) == ["in"]


def test_a_process_of_its_own_says_what_is_wrong(shell, recordings):
    for path in (shell.folder / "in").rglob("*.txt"):
        path.write_text("Hallo Welt.")
    done = shell.alone("speech", "dataset", "in", "-o", "out")
    assert done.returncode == 1
    assert b"has a word that can be changed" in done.stderr
    assert b"Traceback" not in done.stderr


SAYS = """import sys, numpy, soundfile
time = numpy.arange(12000) / 8000
tone = sum(numpy.sin(2 * numpy.pi * 140 * n * time) / n for n in range(1, 12)) * (0.2 + 0.1 * numpy.sin(20 * time))
soundfile.write(sys.argv[2], 0.3 * tone, 8000)
open("said.log", "a").write(sys.argv[1] + chr(10))
"""


@pytest.fixture
def tts(shell):
    (shell.folder / "says.py").write_text(SAYS)
    return f"{sys.executable} says.py {{text}} {{out}}"


def test_the_texts_are_spoken_and_what_is_missing_is_made_by_the_same_command(shell, recordings, tts):
    for path in (shell.folder / "in").rglob("*.txt"):
        if path.parent.name != "ann" or path.stem != "0":
            path.write_text("Hallo Welt.")
    words = ("speech", "dataset", recordings, "-o", "out", "--synthesise", "--tts", tts, "--json")
    done = shell(*words)
    assert done.returncode == 0, done.stderr
    items = [json.loads(line) for line in (shell.folder / "out" / "items.jsonl").read_text().splitlines()]
    lines = [json.loads(line) for line in (shell.folder / "out" / "spoken.jsonl").read_text().splitlines()]
    assert json.loads(done.stdout)["spoken"] == {"made": len(items), "there": 0}
    assert [(line["id"], line["text"], line["emotion"]) for line in lines] == [
        (item["id"], item["text"], item["emotion"]) for item in items
    ]  # fmt: skip
    assert sorted((shell.folder / "said.log").read_text().splitlines()) == sorted(item["text"] for item in items)
    for line in lines:
        assert line["synthetic"] is True
        assert (line["convert"] is None) == (line["emotion"] == "neutral")
        with soundfile.SoundFile(shell.folder / "out" / line["audio"]) as file:
            assert "synthetic" in file.comment
            assert file.samplerate == 8000
            assert len(file.read()) > 4000
    before = read(shell, "out")
    (shell.folder / "out" / lines[0]["audio"]).unlink()
    (shell.folder / "out" / lines[1]["audio"]).write_bytes(b"half")
    done = shell(*words)
    assert json.loads(done.stdout)["spoken"] == {"made": 2, "there": len(items) - 2}
    assert read(shell, "out") == before
    done = shell(*words, "--shares", "0.5,0.25,0.25")
    assert done.returncode == 1
    assert b"holds a set already" in done.stderr
    assert read(shell, "out") == before


def test_speech_that_cannot_be_made(shell, recordings, tts, monkeypatch):
    done = shell("speech", "dataset", recordings, "-o", "out", "--tts", tts)
    assert (done.returncode, b"--synthesise" in done.stderr) == (2, True)
    done = shell("speech", "dataset", recordings, "-o", "out", "--synthesise", "--tts", "false {text} {out}")
    assert done.returncode == 1
    assert b"failed with status 1" in done.stderr
    assert b"Traceback" not in done.stderr
    monkeypatch.setattr("affectgen.speech.editing.donors.find_synthesiser", lambda command: None)
    done = shell("speech", "dataset", recordings, "-o", "new", "--synthesise")
    assert done.returncode == 1
    assert b"Nothing is installed" in done.stderr
    assert b"pip install" in done.stderr
    assert not (shell.folder / "new").exists()
