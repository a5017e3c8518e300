"""`affectgen speech edit` as a user meets it: files, pipes, faults. The recording is said by espeak-ng."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.speech.editing import espeak

pytestmark = pytest.mark.skipif(not espeak.library_there(), reason="the extra tts is not installed")
OLD = "The meeting is on Monday morning at the office."
NEW = "The meeting is on Friday morning at the office."


@pytest.fixture(scope="module")
def spoken() -> tuple[np.ndarray, int]:
    said = espeak.synthesise(OLD, "en-us+f4", pitch=45)
    room = np.random.default_rng(0).normal(size=len(said.samples)) * 3e-4
    return said.samples + room, said.rate


@pytest.fixture
def source(shell: Callable[..., object], spoken: tuple[np.ndarray, int]) -> Path:
    path = shell.folder / "in.wav"  # type: ignore[attr-defined]
    soundfile.write(path, np.c_[spoken[0], spoken[0] * 0.5], spoken[1], "PCM_24")
    return path


def edit(shell: Callable[..., object], *words: str, **more: object) -> object:
    return shell("speech", "edit", *words, **more)


def test_a_word_is_replaced_and_all_else_is_the_same(shell, source: Path) -> None:  # type: ignore[no-untyped-def]
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    words = ("--text", OLD, "--to", NEW, "--affect", "keep", "--seed", "1", "-o", "out.flac", "--json")
    done = edit(shell, "in.wav", *words)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    piece = json.loads(done.stdout)["pieces"][0]
    place = piece["details"]["edits"][0]
    assert (place["removed"], place["added"], place["kind"]) == (["Monday"], ["Friday"], "replace")
    old = soundfile.read(source, dtype="int32")[0]
    with soundfile.SoundFile(shell.folder / "out.flac") as file:
        assert (file.samplerate, file.channels, file.subtype) == (22_050, 2, "PCM_24")
        assert file.copy_metadata()["comment"] == "edited with affectgen speech edit"
        new = file.read(dtype="int32")
    first, last = place["samples"]
    np.testing.assert_array_equal(new[:first], old[:first])
    np.testing.assert_array_equal(new[len(new) - (len(old) - last) :], old[last:])
    assert not np.array_equal(new[first : first + 2000], old[first : first + 2000])
    assert json.loads((shell.folder / "out.flac.json").read_text())["settings"]["to"]["value"] == NEW
    assert piece["details"]["real_time_factor"] < 5


def test_an_emotion_changes_the_new_words_and_nothing_else(shell, source: Path) -> None:  # type: ignore[no-untyped-def]
    sounds = []
    for affect in ("keep", "angry"):
        words = ("--text", OLD, "--to", NEW, "--affect", affect, "--seed", "1", "-o", f"{affect}.wav", "--json")
        done = edit(shell, "in.wav", *words)
        assert done.returncode == 0, done.stderr
        details = json.loads(done.stdout)["pieces"][0]["details"]
        sounds.append((soundfile.read(shell.folder / f"{affect}.wav", dtype="int32")[0], details))
    (plain, kept), (angry, corrected) = sounds
    assert kept["correction"] is None
    assert corrected["correction"]["label"] == "anger"
    first, last = corrected["edits"][0]["samples"]
    old = soundfile.read(source, dtype="int32")[0]
    np.testing.assert_array_equal(angry[:first], old[:first])
    np.testing.assert_array_equal(angry[len(angry) - (len(old) - last) :], old[last:])
    size = min(len(plain), len(angry))
    assert not np.array_equal(plain[first:size], angry[first:size])
    start, end = corrected["edits"][0]["new"]
    assert end == pytest.approx(start + (len(angry) - len(old) + last - first) / 22_050, abs=0.002)


def test_a_manifest_makes_the_same_bytes_again(shell, source: Path) -> None:  # type: ignore[no-untyped-def]
    done = edit(shell, "in.wav", "--text", OLD, "--to", NEW, "--affect", "keep", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    again = shell("replay", "out.wav.json", "-o", "again.wav")
    assert again.returncode == 0, again.stderr
    assert (shell.folder / "again.wav").read_bytes() == (shell.folder / "out.wav").read_bytes()


def test_pipes_and_files_of_text(shell, source: Path) -> None:  # type: ignore[no-untyped-def]
    (shell.folder / "old.txt").write_text(OLD + "\n", encoding="utf-8-sig")
    (shell.folder / "new.txt").write_text("The meeting is on Monday at the office.\n")
    words = ("-", "--text-file", "old.txt", "--to-file", "new.txt", "-o", "-", "-q")
    done = edit(shell, *words, stdin=source.read_bytes())
    assert done.returncode == 0
    assert done.stderr == b""
    sound, rate = soundfile.read(io.BytesIO(done.stdout))
    assert rate == 22_050
    assert len(sound) < len(soundfile.read(source)[0]) - 0.2 * rate
    assert not (shell.folder / "-.json").exists()


def test_the_same_words_give_the_same_file(shell, source: Path) -> None:  # type: ignore[no-untyped-def]
    done = edit(shell, "in.wav", "--text", OLD, "--to", OLD.upper(), "-o", "out.wav")
    assert done.returncode == 0
    assert b"nothing was edited" in done.stderr
    assert (shell.folder / "out.wav").read_bytes() == source.read_bytes()


def test_the_users_own_voice_is_asked_first(shell, source: Path) -> None:  # type: ignore[no-untyped-def]
    script = shell.folder / "voice.py"
    script.write_text(
        "import sys, soundfile\nfrom affectgen.speech.editing.espeak import synthesise\n"
        "said = synthesise(sys.argv[1], 'en-us+f2')\nsoundfile.write(sys.argv[2], said.samples, said.rate)\n"
    )
    tts = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} {{text}} {{out}}"
    words = ("in.wav", "--text", OLD, "--to", NEW, "--affect", "keep", "--tts", tts, "-o", "out.wav", "--json")
    done = edit(shell, *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pieces"][0]["details"]["edits"][0]["source"] == sys.executable
    failing = edit(shell, "in.wav", "--text", OLD, "--to", NEW, "--tts", "false {text} {out}", "-o", "no.wav")
    assert failing.returncode == 1
    assert b"failed with status 1" in failing.stderr
    assert not (shell.folder / "no.wav").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [(("--to", NEW), 2, b"Neither --text nor --text-file"),
     (("--text", OLD, "--text-file", "in.wav", "--to", NEW), 2, b"exclude each other"),
     (("--text", OLD, "--to", "..."), 2, b"new text holds no word"),
     (("--text", OLD, "--to", NEW, "--affect", "blorp"), 2, b"blorp"),
     (("--text", OLD, "--to", NEW, "--tts", "say"), 2, b"{text}"),
     (("--text", OLD, "--to", NEW, "--engine", "none"), 2, b"no speech engine"),
     (("--text", OLD, "--to", NEW, "--quality", "high"), 2, b"--quality"),
     (("--text-file", "in.wav", "--to", NEW), 1, b"UTF-8"),
     (("--text", "Quite another sentence was spoken here by somebody else.", "--to", NEW), 1, b"not what is heard")],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(  # type: ignore[no-untyped-def]
    shell, source: Path, words: tuple[str, ...], code: int, message: bytes
) -> None:
    done = edit(shell, "in.wav", *words, "-o", "out.wav")
    assert done.returncode == code, done.stderr
    assert message in done.stderr, done.stderr
    assert b"Traceback" not in done.stderr
    assert not (shell.folder / "out.wav").exists()


@pytest.mark.parametrize(
    ("sound", "message"),
    [(np.zeros(20_000), b"silent"), (np.zeros(0), b"no sound"), (np.full(10_000, np.nan), b"no numbers")],
)  # fmt: skip
def test_what_is_no_recording_of_the_text_is_refused(  # type: ignore[no-untyped-def]
    shell, sound: np.ndarray, message: bytes
) -> None:
    soundfile.write(shell.folder / "in.wav", sound.astype(np.float32), 16_000, "FLOAT")
    done = edit(shell, "in.wav", "--text", OLD, "--to", NEW, "-o", "out.wav")
    assert done.returncode == 1
    assert message in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_file_that_exists_is_kept(shell, source: Path) -> None:  # type: ignore[no-untyped-def]
    done = edit(shell, "in.wav", "--text", OLD, "--to", NEW, "-o", "in.wav")
    assert done.returncode == 1
    assert b"--force" in done.stderr


@pytest.mark.parametrize("rate", [8000, 96_000])
def test_other_rates_stay_theirs(shell, spoken: tuple[np.ndarray, int], rate: int) -> None:  # type: ignore[no-untyped-def]
    from affectgen.audio.files import resampled

    sound = resampled(spoken[0].astype(np.float32), spoken[1], rate) * 3  # and clipped
    soundfile.write(shell.folder / "in.wav", sound, rate)
    done = edit(shell, "in.wav", "--text", OLD, "--to", NEW, "--affect", "keep", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    assert soundfile.info(shell.folder / "out.wav").samplerate == rate
    assert b"clipped" in done.stderr


@pytest.fixture(scope="module")
def speecht5(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables that name tiny random weights of SpeechT5."""
    from tiny_speecht5 import write_weights

    for name in ("torch", "transformers", "sentencepiece"):
        pytest.importorskip(name)
    folder = tmp_path_factory.mktemp("speecht5")
    write_weights(folder)
    names = {"": "tts", "_VOCODER": "vocoder", "_VOICE": "voice.npy"}
    return {f"AFFECTGEN_SPEECHT5{variable}": str(folder / name) for variable, name in names.items()}


def test_speecht5_says_the_new_words(shell, source: Path, speecht5: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    words = ("in.wav", "--text", OLD, "--to", NEW, "--affect", "keep", "--engine", "speecht5", "--seed", "5")
    done = shell.alone("speech", "edit", *words, "-o", "out.wav", "--json", **speecht5)
    assert done.returncode == 0, done.stderr
    details = json.loads(done.stdout)["pieces"][0]["details"]
    assert b"Loading" not in done.stderr  # transformers has bars of its own
    assert details["engine"] == "speecht5, tts"
    assert details["edits"][0]["added"] == ["Friday"]
    old, new = (soundfile.read(shell.folder / name, dtype="int32")[0] for name in ("in.wav", "out.wav"))
    first, last = details["edits"][0]["samples"]
    np.testing.assert_array_equal(new[:first], old[:first])
    np.testing.assert_array_equal(new[len(new) - (len(old) - last) :], old[last:])
    assert np.abs(new[first : len(new) - (len(old) - last)]).max() > 0
    again = shell("replay", "out.wav.json", "-o", "again.wav", **speecht5)
    assert again.returncode == 0, again.stderr
    assert (shell.folder / "again.wav").read_bytes() == (shell.folder / "out.wav").read_bytes()


@pytest.mark.parametrize("missing", ["sentencepiece", "transformers"])
def test_speecht5_names_the_package_that_is_missing(shell, source: Path, missing: str) -> None:  # type: ignore[no-untyped-def]
    elsewhere = shell.folder.with_name("without")
    elsewhere.mkdir()
    text = f"raise ModuleNotFoundError(\"No module named '{missing}'\", name='{missing}')\n"
    (elsewhere / f"{missing}.py").write_text(text)  # it stands before the one that is installed
    path = os.pathsep.join([str(elsewhere), shell.environment()["PYTHONPATH"]])
    words = ("in.wav", "--text", OLD, "--to", NEW, "--engine", "speecht5", "-o", "out.wav")
    done = shell.alone("speech", "edit", *words, PYTHONPATH=path)
    assert done.returncode == 1
    assert f"The engine speecht5 needs the package {missing}." in done.stderr.decode()
    assert "Hint: pip install 'affectgen[speecht5]'" in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not (shell.folder / "out.wav").exists()
