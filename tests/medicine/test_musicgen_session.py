"""Sessions by `affectgen medicine render --engine musicgen`, as a process, on tiny random models of both formats."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import soundfile

ASKED = ("--from", "anxious", "--to", "calm", "--minutes", "0.5", "--clip", "9", "--bound", "2", "--seed", "6",
         "--tries", "1", "--batch", "2")  # fmt: skip


def command(folder, *words):
    render = ("medicine", "render", "--engine", "musicgen", "--model", str(folder))
    return [sys.executable, "-m", "affectgen", *render, *words]


def render(home, folder, *words):
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.run(command(folder, *words), capture_output=True, cwd=home, env=env, timeout=300, check=False)


@pytest.mark.parametrize("transition", ["crossfade", "continue"])
def test_a_session_is_drawn_and_replayed(tmp_path, transformers_folder, transition):
    done = render(tmp_path, transformers_folder, *ASKED, "--transition", transition, "-o", "s.wav")
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.wav", "s.wav.json"]
    assert soundfile.info(tmp_path / "s.wav").frames == 30 * 44_100
    details = json.loads((tmp_path / "s.wav.json").read_text())["details"]
    assert details["musicgen"]["backend"] == "transformers"
    assert len(details["musicgen"]["sha256"]) == 64
    assert len(details["clips"]) == 4
    again = [sys.executable, "-m", "affectgen", "replay", "s.wav.json"]
    assert subprocess.run(again, cwd=tmp_path, capture_output=True, timeout=300, check=False).returncode == 0


@pytest.mark.parametrize("kind", ["transformers", "audiocraft"])
def test_audiocraft_draws_from_folders_of_both_formats(tmp_path, request, audiocraft_folder, kind):
    folder = audiocraft_folder if kind == "audiocraft" else request.getfixturevalue("transformers_folder")
    done = render(tmp_path, folder, *ASKED, "--backend", "audiocraft", "-o", "s.wav")
    assert done.returncode == 0, done.stderr.decode()
    assert soundfile.info(tmp_path / "s.wav").frames == 30 * 44_100


def test_an_interrupt_keeps_finished_clips(tmp_path, transformers_folder):
    words = (*ASKED[:-1], "1", "-o", "s.wav")
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    wish, pipe = command(transformers_folder, *words), subprocess.PIPE
    with subprocess.Popen(wish, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe) as process:
        first, since = tmp_path / "s.wav.clips" / "001.json", time.monotonic()
        while not first.exists() and time.monotonic() - since < 120 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert not (tmp_path / "s.wav").exists()
    assert (tmp_path / "s.wav.clips" / "001.wav").read_bytes()[:4] == b"RIFF"
    assert render(tmp_path, transformers_folder, *words).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.wav", "s.wav.json"]


def test_an_adapter_for_another_base_is_refused(tmp_path, transformers_folder):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text('{"peft_type": "IA3"}')
    done = render(tmp_path, transformers_folder, *ASKED, "--adapter", "adapter", "-o", "s.wav")
    assert done.returncode == 1
    assert b"IA3" in done.stderr
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "s.wav").exists()


def test_clips_that_are_too_long_for_the_model_are_refused(tmp_path, transformers_folder):
    words = ("--from", "anxious", "--to", "calm", "--minutes", "4", "--clip", "100", "--bound", "2", "-o", "s.wav")
    done = render(tmp_path, transformers_folder, *words)
    assert done.returncode == 1
    assert b"longer than this model writes" in done.stderr
