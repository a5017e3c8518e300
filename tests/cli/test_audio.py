"""`--audio`: the sound beside a piece, on every command that makes MIDI."""

from __future__ import annotations

import hashlib
import json

import pytest
import soundfile

PIANO = {"AFFECTGEN_RENDERER": "piano"}
GENERATE = ("muser", "generate", "-a", "happy", "--bars", "2", "--seed", "1")


def held(shell, name):
    return json.loads((shell.folder / name).read_text())


def test_the_sound_is_the_one_that_render_makes(shell):
    done = shell(*GENERATE, "-o", "a.mid", "--audio", "a.flac", **PIANO)
    assert done.returncode == 0, done.stderr
    assert shell.names() == ["a.flac", "a.flac.json", "a.mid", "a.mid.json"]
    assert "sound: " in done.stderr.decode()
    with soundfile.SoundFile(shell.folder / "a.flac") as file:
        assert file.title == "happy"
        assert "muser generate -a happy" in file.comment
        tags = ("--title", file.title, "--comment", file.comment)
    assert shell("render", "a.mid", "-o", "b.flac", *tags, **PIANO).returncode == 0
    assert (shell.folder / "a.flac").read_bytes() == (shell.folder / "b.flac").read_bytes()


def test_its_manifest_is_true(shell):
    assert shell(*GENERATE, "-o", "a.mid", "--audio", "a.ogg", AFFECTGEN_LOUDNESS="-23", **PIANO).returncode == 0
    record, data = held(shell, "a.ogg.json"), (shell.folder / "a.ogg").read_bytes()
    assert record["task"] == "render"
    assert record["output"] == {"path": "a.ogg", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    piece = {
        "path": str(shell.folder / "a.mid"),
        "sha256": hashlib.sha256((shell.folder / "a.mid").read_bytes()).hexdigest(),
    }
    assert record["settings"]["sources"]["value"] == [piece]
    assert record["settings"]["loudness"] == {"value": -23.0, "from": "environment"}
    assert record["settings"]["renderer"] == {"value": "piano", "from": "environment"}
    assert record["details"]["level"]["loudness"] == pytest.approx(-23, abs=0.15)
    assert record["asked"] == {"valence": 0.7, "arousal": 0.5}


@pytest.mark.parametrize("words", [
    ("muser", "transfer", "--source", "s.mid", "--donor", "s.mid", "--elements", "velocity"),
    ("muser", "reconstruct", "s.mid"),
])  # fmt: skip
def test_transfer_and_reconstruct_have_it(shell, words):
    assert shell(*GENERATE, "-o", "s.mid", "--no-manifest").returncode == 0
    assert shell(*words, "-o", "t.mid", "--audio", "t.mp3", **PIANO).returncode == 0
    assert shell.names() == ["s.mid", "t.mid", "t.mid.json", "t.mp3", "t.mp3.json"]
    assert soundfile.info(shell.folder / "t.mp3").format == "MP3"


def test_many_pieces_have_their_sounds_in_a_folder(shell):
    words = ("muser", "generate", "-a", "sad", "--seed", "5", "--bars", "1", "--count", "2", "-o", "out/")
    assert shell(*words, "--audio", "sounds/", "--no-manifest", **PIANO).returncode == 0
    files = ["out/sad-5.mid", "out/sad-6.mid", "sounds/sad-5.wav", "sounds/sad-6.wav"]
    assert shell.names() == ["out", *files[:2], "sounds", *files[2:]]


def test_beside_a_pipe_the_sound_still_has_its_manifest(shell):
    done = shell(*GENERATE, "-o", "-", "--audio", "a.wav", **PIANO)
    assert done.stdout[:4] == b"MThd"
    assert shell.names() == ["a.wav", "a.wav.json"]
    source = held(shell, "a.wav.json")["settings"]["sources"]["value"]
    assert source == [{"path": None, "sha256": hashlib.sha256(done.stdout).hexdigest()}]
    made = shell("replay", "a.wav.json", "-o", "b.wav", "--input", "sources=-", stdin=done.stdout)
    assert made.returncode == 0, made.stderr
    assert (shell.folder / "a.wav").read_bytes() == (shell.folder / "b.wav").read_bytes()


def test_json_names_it(shell):
    done = shell(*GENERATE, "-o", "a.mid", "--audio", "a.wav", "--json", "-q", **PIANO)
    assert done.stderr == b""
    files = json.loads(done.stdout)["pieces"][0]["files"]
    assert files == {"piece": "a.mid", "manifest": "a.mid.json", "plot": None, "audio": "a.wav"}


def test_it_is_replayed(shell):
    assert shell(*GENERATE, "-o", "a.mid", "--audio", "a.wav", **PIANO).returncode == 0
    data = (shell.folder / "a.wav").read_bytes()
    (shell.folder / "a.wav").unlink()
    assert shell("replay", "a.wav.json").returncode == 0
    assert (shell.folder / "a.wav").read_bytes() == data


@pytest.mark.parametrize(("words", "said"), [
    (("-o", "a.mid", "--audio", "a.xyz"), "Use one of .wav"),
    (("-o", "a.mid", "--audio", "a.aiff"), "Use one of .wav"),
    (("-o", "a.mid", "--audio", "-"), "no ending that names a sound"),
    (("-o", "out/", "--count", "2", "--audio", "a.wav"), "Give a folder: --audio out/"),
])  # fmt: skip
def test_usage(fails, words, said):
    text = fails(2, *GENERATE, *words, **PIANO)
    assert said in text
    assert "--format" not in text  # which these commands have not


def test_files_that_cannot_be_written(shell, fails):
    (shell.folder / "old.wav").write_bytes(b"old")
    assert "old.wav exists already" in fails(1, *GENERATE, "-o", "a.mid", "--audio", "old.wav")
    assert "The folder none" in fails(1, *GENERATE, "-o", "a.mid", "--audio", "none/a.wav")
    assert shell(*GENERATE, "-o", "a.mid", "--audio", "old.wav", "--force", **PIANO).returncode == 0


@pytest.mark.parametrize(("variable", "value", "code"), [
    ("RENDERER", "organ", 2), ("LOUDNESS", "loud", 2), ("LOUDNESS", "nan", 2), ("SOUNDFONT", "/none.sf2", 1),
])  # fmt: skip
def test_bad_values_of_the_environment_are_met_before_anything_is_composed(shell, variable, value, code):
    extra = {f"AFFECTGEN_{variable}": value, "FAKE_FAIL": "1"}
    done = shell(*GENERATE, "-o", "a.mid", "--audio", "a.wav", **extra)
    said = done.stderr.decode()
    assert done.returncode == code
    assert value in said or "FluidSynth is not installed" in said
    assert shell.names() == []


def test_empty_variables_are_none(shell):
    empty = dict.fromkeys(("AFFECTGEN_LOUDNESS", "AFFECTGEN_SOUNDFONT"), "")
    assert shell(*GENERATE, "-o", "a.mid", "--audio", "a.wav", **empty, **PIANO).returncode == 0
    settings = held(shell, "a.wav.json")["settings"]
    assert "loudness" not in settings  # so the default of render holds
    assert settings["soundfont"] == {"value": None, "from": "default"}


def test_a_failure_of_the_sound_leaves_no_piece(shell, fails, monkeypatch):
    from affectgen.errors import AffectgenError
    from affectgen.render import tasks

    def fail(self, option):
        raise AffectgenError("The sound could not be made.", "Try again.")

    monkeypatch.setattr(tasks.RenderRunner, "_one", fail)
    assert "could not be made" in fails(1, *GENERATE, "-o", "a.mid", "--audio", "a.wav", **PIANO)


def test_emogen_has_it(shell):
    """The shipped model, once: its pieces have pedals and a tempo that changes."""
    words = ("emogen", "generate", "-a", "calm", "--bars", "1", "--seed", "1", "--best-of", "1", "-o", "a.mid")
    models = {"AFFECTGEN_CHECKPOINTS": ""}
    done = shell(*words, "--audio", "a.opus", **models, **PIANO)
    assert done.returncode == 0, done.stderr
    assert soundfile.info(shell.folder / "a.opus").samplerate == 48_000
