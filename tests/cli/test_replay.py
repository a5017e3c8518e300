"""`affectgen replay`: the same bytes, or a sentence that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.nn.checkpoint import save_arrays, write_sums


def compose(shell, *words):
    done = shell("muser", "generate", "-a", "happy", "--bars", "4", *words)
    assert done.returncode == 0, done.stderr
    return (shell.folder / "a.mid").read_bytes() if (shell.folder / "a.mid").exists() else done.stdout


def test_the_same_bytes_to_a_file_and_to_a_pipe(shell):
    data = compose(shell, "-o", "a.mid")
    assert shell("replay", "a.mid.json", "-o", "b.mid").returncode == 0
    assert (shell.folder / "b.mid").read_bytes() == data
    assert shell("replay", "a.mid.json", "-o", "-").stdout == data


def test_without_an_output_a_lost_piece_comes_back_and_a_present_one_is_compared(shell, fails):
    data = compose(shell, "-o", "a.mid")
    done = shell("replay", "a.mid.json")
    assert done.returncode == 0
    assert b"byte for byte" in done.stderr
    (shell.folder / "a.mid").unlink()
    assert shell("replay", "a.mid.json").returncode == 0
    assert (shell.folder / "a.mid").read_bytes() == data
    (shell.folder / "a.mid").write_bytes(b"changed")
    assert "was changed" in fails(1, "replay", "a.mid.json")
    assert shell("replay", "a.mid.json", "--force").returncode == 0
    assert (shell.folder / "a.mid").read_bytes() == data


def test_a_piece_of_many_is_replayed_alone(shell):
    assert shell("muser", "generate", "-a", "sad", "--count", "3", "--seed", "5", "-o", "out").returncode == 0
    again = shell("replay", "out/sad-6.mid.json", "-o", "-")
    assert again.stdout == (shell.folder / "out" / "sad-6.mid").read_bytes()


def test_a_setting_of_another_kind(shell, fails):
    compose(shell, "-o", "a.mid")
    path = shell.folder / "a.mid.json"
    record = json.loads(path.read_text())
    record["settings"]["bars"]["value"] = "x"
    path.write_text(json.dumps(record))
    assert "setting that cannot be read" in fails(1, "replay", "a.mid.json", "-o", "b.mid")


def test_another_checkpoint_under_the_same_name(shell, fails):
    compose(shell, "-o", "a.mid")
    record = json.loads((shell.folder / "a.mid.json").read_text())
    save_arrays(shell.models / "fake", {"a": np.arange(4)}, {})
    write_sums(shell.models)
    said = fails(1, "replay", "a.mid.json", "-o", "b.mid")
    assert record["checkpoint"]["sha256"] in said


def test_a_checkpoint_that_moved(shell, fails):
    data = compose(shell, "-o", "a.mid")
    (shell.models / "fake").rename(shell.folder / "moved")
    assert "There is no checkpoint named 'fake'" in fails(1, "replay", "a.mid.json", "-o", "-")
    assert shell("replay", "a.mid.json", "--checkpoint", "./moved", "-o", "-").stdout == data


def test_an_input_that_changed_moved_or_came_through_a_pipe(shell, fails):
    start = compose(shell, "-o", "a.mid")
    data = shell("muser", "generate", "-a", "sad", "--continue", "a.mid", "-o", "b.mid")
    assert data.returncode == 0
    (shell.folder / "a.mid").write_bytes(start + b"x")
    assert "a.mid given as continue_from changed" in fails(1, "replay", "b.mid.json", "-o", "c.mid")
    (shell.folder / "kept.mid").write_bytes(start)
    made = shell("replay", "b.mid.json", "--input", "continue_from=kept.mid", "-o", "-")
    assert made.stdout == (shell.folder / "b.mid").read_bytes()
    words = ("muser", "generate", "-a", "sad", "--continue", "-", "-o", "p.mid")
    assert shell(*words, stdin=start).returncode == 0
    assert "came through a pipe" in fails(2, "replay", "p.mid.json", "-o", "c.mid")
    made = shell("replay", "p.mid.json", "--input", "continue_from=-", "-o", "-", stdin=start)
    assert made.stdout == (shell.folder / "p.mid").read_bytes()


def test_other_bytes_are_not_written(shell, fails):
    compose(shell, "-o", "a.mid")
    said = fails(1, "replay", "a.mid.json", "-o", "b.mid", FAKE_OTHER="x")
    assert "Other bytes" in said


def test_what_is_no_manifest(shell, fails):
    compose(shell, "-o", "a.mid")
    for name, text in (("bad", "{"), ("list", "[]"), ("other", '{"manifest": 99}'), ("part", '{"manifest": 1}')):
        (shell.folder / f"{name}.json").write_text(text)
        assert "is no manifest" in fails(1, "replay", f"{name}.json", "-o", "x.mid")
    assert "is no manifest" in fails(1, "replay", "a.mid", "-o", "x.mid")
    assert "is no manifest" in fails(1, "replay", "missing.json", "-o", "x.mid")


SOUND = ("render", "--renderer", "piano", "--loudness", "-20", "--title", "t", "--format", "ogg")


def sources(shell):
    """Two pieces, as files and as bytes."""
    for seed in ("1", "2"):
        words = ("muser", "generate", "-a", "sad", "--bars", "1", "--seed", seed, "-o", f"{seed}.mid", "--no-manifest")
        assert shell(*words).returncode == 0
    return [(shell.folder / name).read_bytes() for name in ("1.mid", "2.mid")]


def test_a_sound_of_one_source_and_of_several(shell):
    sources(shell)
    for name, words in (("a.ogg", ("1.mid",)), ("b.ogg", ("1.mid", "2.mid", "--join", "0.5", "--reverb", "room"))):
        assert shell(*SOUND, *words, "-o", name).returncode == 0
        again = shell("replay", f"{name}.json", "-o", "-")
        assert again.stdout == (shell.folder / name).read_bytes()


def test_sources_that_came_through_a_pipe(shell, fails):
    first, second = sources(shell)
    assert shell(*SOUND, "-", "-o", "a.ogg", stdin=first).returncode == 0
    assert "--input sources=PATH" in fails(2, "replay", "a.ogg.json", "-o", "x.ogg")
    made = shell("replay", "a.ogg.json", "-o", "-", "--input", "sources=1.mid")
    assert made.stdout == (shell.folder / "a.ogg").read_bytes()
    assert "sources changed" in fails(1, "replay", "a.ogg.json", "-o", "x.ogg", "--input", "sources=2.mid")
    assert shell(*SOUND, "1.mid", "-", "--join", "0", "-o", "b.ogg", stdin=second).returncode == 0
    assert "--input sources.2=PATH" in fails(2, "replay", "b.ogg.json", "-o", "x.ogg")
    made = shell("replay", "b.ogg.json", "-o", "-", "--input", "sources.2=-", stdin=second)
    assert made.stdout == (shell.folder / "b.ogg").read_bytes()


def test_a_setting_that_is_no_file_cannot_lie_elsewhere(shell, fails):
    sources(shell)
    assert shell(*SOUND, "1.mid", "-o", "a.ogg").returncode == 0
    assert "quality is no input file" in fails(2, "replay", "a.ogg.json", "-o", "x.ogg", "--input", "quality=1.mid")
    assert "has no input donor" in fails(2, "replay", "a.ogg.json", "-o", "x.ogg", "--input", "donor=1.mid")


def test_a_soundfont_that_moved_or_changed(shell, fails):
    font = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
    if not font.is_file():
        pytest.skip("no soundfont is installed")
    pytest.importorskip("fluidsynth")
    sources(shell)
    (shell.folder / "f.sf2").write_bytes(font.read_bytes())
    assert shell("render", "1.mid", "--soundfont", "f.sf2", "-o", "a.wav").returncode == 0
    settings = json.loads((shell.folder / "a.wav.json").read_text())["settings"]
    assert settings["soundfont"]["value"] == str(shell.folder / "f.sf2")  # from any folder
    (shell.folder / "f.sf2").rename(shell.folder / "g.sf2")
    assert "--input soundfont=PATH" in fails(1, "replay", "a.wav.json", "-o", "x.wav")
    made = shell("replay", "a.wav.json", "-o", "-", "--input", "soundfont=g.sf2")
    assert made.stdout == (shell.folder / "a.wav").read_bytes()
    (shell.folder / "g.sf2").write_bytes(font.read_bytes() + b"x")
    said = fails(1, "replay", "a.wav.json", "-o", "x.wav", "--input", "soundfont=g.sf2")
    assert "is another one" in said


def test_a_sound_without_any_player_needs_none_again(shell):
    soundfile.write(shell.folder / "t.wav", np.full((4410, 1), 0.1), 44_100)
    assert shell("render", "t.wav", "-o", "a.flac").returncode == 0
    assert shell("replay", "a.flac.json", AFFECTGEN_SOUNDFONT="/none.sf2").returncode == 0
