"""`affectgen speech dataset`, as a user meets it."""

from __future__ import annotations

import json

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
