"""How a command begins and ends: closed standard streams, encodings that are not UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
COMPOSE = "muser generate -a happy --seed 1"


def bash(shell, words, closed, **extra):
    """`affectgen WORDS CLOSED`, the latter as the shell closes streams."""
    command = f'exec "$0" -m affectgen {words} {closed}'
    done = subprocess.run(
        ["bash", "-c", command, shell.command()[0]], cwd=shell.folder, env=shell.environment(**extra), timeout=120,
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    return done


@pytest.mark.parametrize("words", ["models list", "--help", "--version", f"{COMPOSE} -o x.mid --json", "presets list"])
def test_a_result_for_a_closed_standard_output(shell, words):
    done = bash(shell, words, ">&-")
    assert done.returncode == 1
    assert b"Error: Standard output is closed" in done.stderr
    assert b"Hint: " in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["models list", "--help", "--version", "presets list", "completion zsh"])
def test_a_result_for_a_full_standard_output(shell, words):
    done = bash(shell, words, "> /dev/full")
    assert done.returncode == 1
    assert b"Error: Standard output cannot be written: No space left on device." in done.stderr
    assert b"Hint: " in done.stderr


def test_a_piece_for_a_closed_standard_output(shell):
    done = bash(shell, f"{COMPOSE} -o -", ">&-")
    assert done.returncode == 1
    assert b"Error: Standard output is closed" in done.stderr
    assert shell.names() == []


def test_a_batch_with_a_closed_standard_output(shell):
    (shell.folder / "jobs").write_text('{"command": "muser generate", "affect": "calm", "name": "j"}\n')
    done = bash(shell, "batch - -o out", "<jobs >&-")
    assert done.returncode == 1
    assert b"Error: Standard output is closed" in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_that_are_not_needed(shell, closed):
    done = bash(shell, f"{COMPOSE} -o x.mid", closed)
    assert done.returncode == 0
    assert shell.names() == ["x.mid", "x.mid.json"]
    assert (shell.folder / "x.mid").read_bytes()[:4] == b"MThd"
    opened = bash(shell, f"{COMPOSE} -o y.mid", "")
    assert opened.returncode == 0
    assert (shell.folder / "x.mid").read_bytes() == (shell.folder / "y.mid").read_bytes()


def test_a_closed_standard_error_leaves_the_exit_code(shell):
    assert bash(shell, "muser generate -a blissfull -o x.mid", "2>&-").returncode == 2
    assert bash(shell, "rate nowhere.mid", "2>&-").returncode == 1
    assert bash(shell, "models list", "2>&-").stdout


@pytest.mark.parametrize(
    "words", ["rate -", "rate --text -", "inspect -", "batch - -o out", "muser reconstruct - -o x.mid",
              "render - -o x.wav", "emogen attributes -"]
)  # fmt: skip
def test_a_closed_standard_input_that_is_to_be_read(shell, words):
    done = bash(shell, words, "<&-")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Error: Standard input is closed" in done.stderr
    assert shell.names() == []


def test_no_file_takes_the_number_of_a_closed_stream(shell):
    """What the process has open while it composes."""
    closed = "<&- >&- 2>&-"
    command = f'exec "$0" -m affectgen {COMPOSE} -o x.mid {closed}'
    env = shell.environment(FAKE_SLEEP="30")
    with subprocess.Popen(["bash", "-c", command, shell.command()[0]], cwd=shell.folder, env=env) as running:
        try:
            running.wait(timeout=4)
        except subprocess.TimeoutExpired:
            streams = [os.readlink(f"/proc/{running.pid}/fd/{number}") for number in range(3)]
        finally:
            running.terminate()
    assert streams == [os.devnull] * 3
    assert running.returncode == 130


def test_names_beyond_ascii_in_a_locale_without_them(shell):
    done = shell.alone("muser", "generate", "-a", "happy", "--audio", "é.wav", "-o", "é.mid", **ASCII)
    assert (done.returncode, shell.names()) == (0, ["é.mid", "é.mid.json", "é.wav", "é.wav.json"])
    assert "é.mid" in done.stderr.decode()
    assert "é.mid" in json.dumps(json.loads((shell.folder / "é.mid.json").read_text()), ensure_ascii=False)


def test_jobs_and_presets_beyond_ascii_in_a_locale_without_them(shell):
    lines = json.dumps({"command": "muser generate", "affect": "calm", "name": "é"}, ensure_ascii=False)
    done = shell.alone("batch", "-", "-o", "out", stdin=lines.encode(), **ASCII)
    assert done.returncode == 0, done.stderr
    (shell.folder / "où.toml").write_text(
        'description = "Où."\ncommand = "muser generate"\nname = "là"\n[options]\naffect = "calm"\n', encoding="utf-8"
    )
    done = shell.alone("batch", "./où.toml", "-o", "out", **ASCII)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (shell.folder / "out").glob("*.mid"))
    assert names == ["là.mid", "é.mid"]
    shown = shell.alone("presets", "show", "./où.toml", **ASCII)
    assert (shown.returncode, "Où." in shown.stdout.decode()) == (0, True)


def test_what_an_encoding_lacks_is_one_sentence(shell):
    (shell.folder / "zł.toml").write_text(
        'description = "Zł."\ncommand = "muser generate"\n[options]\naffect = "calm"\n', encoding="utf-8"
    )
    done = shell.alone("presets", "show", "./zł.toml", PYTHONIOENCODING="latin-1")
    assert done.returncode == 1
    assert b"cannot be written in latin-1" in done.stderr
    assert b"Traceback" not in done.stderr
