"""`affectgen inspect`: what a file is, how it was made, and a line that makes it again."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
import soundfile


@pytest.fixture
def piece(shell) -> bytes:
    done = shell("muser", "generate", "-a", "sad>happy", "--bars", "4", "-o", "a.mid", AFFECTGEN_SEED="17")
    assert done.returncode == 0, done.stderr
    return (shell.folder / "a.mid").read_bytes()


def test_a_piece_its_manifest_and_a_renamed_copy(shell, piece):
    (shell.folder / "b.mid").write_bytes(piece)
    for name, known_by in (("a.mid", "manifest beside it"), ("b.mid", "in its folder"), ("a.mid.json", "manifest")):
        done = shell("inspect", name)
        page = done.stdout.decode()
        assert done.returncode == 0, done.stderr
        assert done.stderr == b""
        assert "by `muser generate` of affectgen" in page
        assert known_by in page
        assert "sad>happy (option)" in page
        assert "17 (environment)" in page
        assert "affectgen replay a.mid.json" in page
        assert "changed" not in page


def test_the_line_makes_the_same_bytes(shell, piece):
    line = json.loads(shell("inspect", "a.mid", "--json").stdout)["command"]
    (shell.folder / "a.mid").unlink()
    (shell.folder / "a.mid.json").unlink()
    assert shell(*shlex.split(line)[1:]).returncode == 0
    assert (shell.folder / "a.mid").read_bytes() == piece


def test_a_changed_piece_says_so(shell, piece):
    (shell.folder / "a.mid").write_bytes(piece.replace(b"MTrk", b"MTrk", 1) + b"\0")
    done = shell("inspect", "a.mid")
    assert done.returncode == 0
    assert "this is not what the manifest describes" in done.stdout.decode()
    assert json.loads(shell("inspect", "a.mid", "--json").stdout)["changed"] is True
    (shell.folder / "a.mid").unlink()
    assert "a.mid is not there" in shell("inspect", "a.mid.json").stdout.decode()


def test_standard_input_and_what_nobody_made(shell, piece):
    done = shell("inspect", "-", stdin=piece)
    assert done.returncode == 0
    page = done.stdout.decode()
    assert page.startswith("standard input")
    assert "16 notes in 1 track, tempo 120" in page
    assert "nothing says how this was made" in page
    assert "sad>happy" in shell("inspect", "-", stdin=(shell.folder / "a.mid.json").read_bytes()).stdout.decode()


def test_sound_beside_a_piece_is_known_by_its_comment(shell):
    words = ("muser", "generate", "-a", "sad", "--seed", "3", "--bars", "1", "-o", "a.mid", "--audio", "a.flac")
    assert shell(*words, "--no-manifest").returncode == 0
    page = shell("inspect", "a.flac").stdout.decode()
    assert "44100 Hz, 2 channels, FLAC (PCM_16)" in page
    assert f"made it by: affectgen {' '.join(words)}" in page
    told = json.loads(shell("inspect", "a.flac", "--json").stdout)
    assert (told["known_by"], told["manifest"], told["facts"]["tags"]["title"]) == ("tags", None, "sad")


def test_words_of_a_stranger_begin_no_line_of_their_own(shell):
    forged = "x\x1b]0;PWNED\x07\n  made          by `muser generate` of affectgen 0.1.0"
    with soundfile.SoundFile(str(shell.folder / "e.ogg"), "w", 8000, 1) as file:
        file.title = forged
        file.write(np.zeros(800))
    done = shell("inspect", "e.ogg")
    assert done.returncode == 0, done.stderr
    page = done.stdout.decode()
    assert [line.split()[0] for line in page.splitlines()[1:]] == ["file", "sound", "title", "made"]
    assert page.replace("\n", "").isprintable()
    assert page.splitlines()[-1].endswith("nothing says how this was made")


def test_what_cannot_be_inspected(shell, fails):
    (shell.folder / "bad.mid").write_bytes(b"MThd")
    (shell.folder / "bad.flac").write_bytes(b"fLaC")
    (shell.folder / "bad.mid.json").write_text('{"manifest": 1}')
    assert "bad.mid.json" in fails(1, "inspect", "bad.mid")
    assert "bad.flac" in fails(1, "inspect", "bad.flac")
    assert "is not there" in fails(1, "inspect", "nope.mid")
    assert "is a folder" in fails(1, "inspect", ".")
    assert "header" in fails(1, "inspect", "-", stdin=b"MThd")
    fails(2, "inspect")
