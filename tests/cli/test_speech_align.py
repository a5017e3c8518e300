"""`affectgen speech align`, as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from affectgen.evaluate.word_times import by_espeak
from affectgen.speech.editing import espeak

TEXT = "Please bring both of your brothers to the garden, after lunch."


@pytest.fixture
def spoken(shell: Any) -> Path:
    """in.wav: TEXT, in two channels at 16 bits."""
    if not espeak.library_there():
        pytest.skip("espeakng-loader is not installed")
    said = by_espeak("en-us", TEXT)
    path = shell.folder / "in.wav"
    soundfile.write(path, np.stack([said.samples, 0.5 * said.samples], axis=1), said.rate, subtype="PCM_16")
    return path


def test_json_goes_to_standard_output(shell: Any, spoken: Path) -> None:
    before = spoken.read_bytes()
    done = shell.alone("speech", "align", "in.wav", "--text", TEXT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    found = json.loads(done.stdout)
    assert [word["text"] for word in found["words"]][-3:] == ["garden", "after", "lunch"]
    piped = shell("speech", "align", "-", "--text", TEXT, stdin=before)
    assert piped.stdout == done.stdout
    assert spoken.read_bytes() == before
    assert shell.names() == ["in.wav"]


def test_files_by_their_names(shell: Any, spoken: Path) -> None:
    (shell.folder / "in.txt").write_text(TEXT, encoding="utf-8")
    for name, begin in (("a.TextGrid", "File type"), ("a.srt", "1\n00:00:0"), ("a.json", "{")):
        words = ("speech", "align", "in.wav", "--text-file", "in.txt", "-o", name)
        done = shell(*words)
        assert done.returncode == 0, done.stderr
        assert (shell.folder / name).read_text(encoding="utf-8").startswith(begin)
        assert b"wrote " in done.stderr
        assert done.stdout == b""
    again = shell("speech", "align", "in.wav", "--text", TEXT, "-o", "a.srt")
    assert again.returncode == 1
    assert b"--force" in again.stderr
    forced = shell("speech", "align", "in.wav", "--text", TEXT, "-o", "a.srt", "--force", "-q")
    assert (forced.returncode, forced.stderr) == (0, b"")


def test_another_text_is_refused_or_aligned(shell: Any, spoken: Path, fails: Callable[..., str]) -> None:
    words = ("speech", "align", "in.wav", "--text", "Nobody knew why the river had turned such a deep shade of green")
    said = fails(1, *words)
    assert "s on, " in said
    assert "is not what is heard" in said
    assert "--no-check" in said
    done = shell(*words, "--no-check")
    assert len(json.loads(done.stdout)["words"]) == 13


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (2, ("in.wav",), "No transcript"), (2, ("in.wav", "--text", "a", "--text-file", "in.wav"), "exclude"),
        (1, ("gone.wav", "--text", "a"), "gone.wav"), (1, ("in.wav", "--text", " "), "no words"),
        (1, ("in.wav", "--text", "Привет"), "Cyrillic"), (2, ("in.wav", "--text", "a", "-o", "x.doc"), "ending"),
        (1, ("in.wav", "--text", "a", "-o", "gone/x.srt"), "does not exist"),
        (1, ("silent.wav", "--text", "a"), "silent"), (1, ("short.wav", "--text", "a"), "short"),
        (1, ("no.wav", "--text", "a"), "not audio"), (1, ("in.wav", "--text-file", "silent.wav"), ""),
    ],
)  # fmt: skip
def test_mistakes_get_a_sentence(
    shell: Any, fails: Callable[..., str], code: int, words: tuple[str, ...], said: str
) -> None:
    noise = np.random.default_rng(0).normal(size=16000) * 0.1
    soundfile.write(shell.folder / "in.wav", noise, 16000)
    soundfile.write(shell.folder / "silent.wav", np.zeros(16000), 16000)
    soundfile.write(shell.folder / "short.wav", noise[:100], 16000)
    (shell.folder / "no.wav").write_bytes(b"no sound")
    assert said in fails(code, "speech", "align", *words)
