"""`affectgen replay`: the same bytes, or a sentence that says why not."""

from __future__ import annotations

import json

import numpy as np

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
