"""`affectgen muser explore`: the table, JSON, pictures, and folders that do not fit."""

from __future__ import annotations

import io
import json

import matplotlib.image
import numpy as np
import pytest

from affectgen.writing.options import ELEMENTS

PICTURES = sorted(f"{name}.png" for name in (*ELEMENTS, "overview"))


@pytest.fixture
def words(corpus, tiny_muser):
    return ("muser", "explore", "--data", str(corpus), "--checkpoint", str(tiny_muser))


def test_the_table_goes_to_standard_output(shell, words):
    done = shell(*words)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("16 clips of 4 songs")
    assert [line.split()[0] for line in lines[-8:-1]] == list(ELEMENTS)
    assert shell.names() == []


def test_json_alone_on_standard_output(shell, words, tiny_muser):
    done = shell(*words, "--split", "all", "--json")
    figures = json.loads(done.stdout)
    assert (figures["clips"], figures["songs"], figures["split"]) == (48, 12, "all")
    assert figures["checkpoint"]["name"] == tiny_muser.name
    assert figures["elements"]["velocity"]["probe"]["arousal"] > figures["majority"]["arousal"]


def test_a_folder_gets_every_picture_and_the_figures(shell, words):
    done = shell(*words, "-o", "out/", "--json")
    assert done.returncode == 0, done.stderr
    assert shell.names() == ["out", *sorted(f"out/{name}" for name in (*PICTURES, "explore.json"))]
    assert json.loads((shell.folder / "out" / "explore.json").read_text()) == json.loads(done.stdout)
    for name in PICTURES:
        picture = matplotlib.image.imread(io.BytesIO((shell.folder / "out" / name).read_bytes()))
        assert min(picture.shape[:2]) > 500
        assert len(np.unique((picture[..., :3] * 7).round().reshape(-1, 3), axis=0)) > 6  # colours of the quadrants
    assert shell(*words, "-o", "out/").returncode == 1  # not over existing files
    assert shell(*words, "-o", "out/", "--force", "-q").returncode == 0


def test_one_picture(shell, words):
    assert shell(*words, "-o", "page.svg").returncode == 0
    assert shell.names() == ["page.svg"]
    assert b"<svg" in (shell.folder / "page.svg").read_bytes()


def test_folders_and_names_that_do_not_fit(shell, fails, tiny_muser):
    model = ("--checkpoint", str(tiny_muser))
    assert "nowhere does not exist" in fails(1, "muser", "explore", "--data", "nowhere", *model)
    assert "no clips.csv" in fails(1, "muser", "explore", "--data", ".", *model)
    assert "ending" in fails(2, "muser", "explore", "--data", ".", "-o", "a.bmp")
    assert "--data" in fails(2, "muser", "explore")
    assert "'test'" in fails(2, "muser", "explore", "--data", ".", "--split", "test")


def test_a_checkpoint_of_another_kind(shell, fails, corpus):
    said = fails(1, "muser", "explore", "--data", str(corpus), "--checkpoint", "fake")
    assert "kind" in said
