"""`affectgen medicine` as a user meets it: plans, sessions with what lies beside them, interrupts, bad input."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import time

import numpy as np
import pytest
import soundfile

# two clips of 16 s, composed by the fake in a blink
SHORT = ("--minutes", "0.5", "--clip", "16", "--bound", "2", "--composer", "muser", "--jobs", "1", "--seed", "4",
         "--renderer", "piano")  # fmt: skip
SESSION = ("medicine", "render", "--from", "anxious", "--to", "calm", *SHORT)
SLOW = {"FAKE_SLEEP": "2"}


def test_a_plan_is_a_table_or_json_or_a_file(shell):
    done = shell("medicine", "plan", "--from", "anxious", "--to", "calm", "--minutes", "5", "-o", "p.json")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert len(lines) == 1 + 11 + 1
    assert "5.00 minutes: 11 clips" in lines[-1]
    held = json.loads((shell.folder / "p.json").read_text())
    printed = shell("medicine", "plan", "--from", "anxious", "--to", "calm", "--minutes", "5", "--json")
    assert json.loads(printed.stdout) == held
    assert len(held["clips"]) == 11


def test_a_plan_goes_into_a_pipe(shell):
    done = shell("medicine", "plan", "--from", "anxious", "--to", "calm", "--minutes", "5", "-o", "-")
    assert len(json.loads(done.stdout)["clips"]) == 11
    assert shell.names() == []


def test_a_plan_is_drawn(shell):
    done = shell("medicine", "plan", "--path", "anxious>sad>calm", "--minutes", "5", "--plot", "p.svg")
    assert done.returncode == 0
    assert (shell.folder / "p.svg").read_bytes().lstrip().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--from", "anxious", "--to", "calm", "--minutes", "0"), 2, "0 is not a number between 0.5 and 240"),
        (("--from", "anxious", "--to", "calm", "--minutes", "nan"), 2, "nan is not a number"),
        (("--from", "anxious"), 2, "needs a start and a goal"),
        (("--from", "anxios", "--to", "calm"), 2, "anxious"),
        (("--path", "a>b", "--to", "calm"), 2, "--path came with"),
        (("--path", "sad>calm", "--dwell", "0.5"), 2, "--path came with --dwell"),
        (("--path", "anxious@0>calm@600", "--minutes", "1", "--clip", "10"), 2, "ends at 600 s"),
        (("--from", "anxious", "--to", "calm", "--minutes", "240", "--clip", "5", "--overlap", "1"), 2, "1000 at most"),
        (("--from", "anxious", "--to", "calm", "--minutes", "1"), 2, "clips do not lead from anxious to calm"),
        (("--from", "anxious", "--to", "calm", "--minutes", "0.5", "--clip", "120"), 2, "holds no two clips"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "render"])
def test_bad_requests_are_told_in_a_sentence(shell, command, words, code, told):
    more = () if command == "plan" else ("-o", "s.wav")
    done = shell("medicine", command, *words, *more)
    assert done.returncode == code
    assert told in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert shell.names() == []


def test_a_session_has_its_length_its_files_and_nothing_else(shell):
    done = shell(*SESSION, "-o", "s.flac", "--cue", "s.cue", "--report", "s.html", "--plot", "s.png")
    assert done.returncode == 0, done.stderr
    assert sorted(shell.names()) == ["s.cue", "s.flac", "s.flac.json", "s.html", "s.png"]
    sound = soundfile.info(shell.folder / "s.flac")
    assert (sound.frames, sound.samplerate, sound.channels) == (30 * 44_100, 44_100, 2)
    cue = (shell.folder / "s.cue").read_text()
    assert 'FILE "s.flac" WAVE' in cue
    assert cue.count("TRACK") == 2
    page = (shell.folder / "s.html").read_text()
    assert page.count("data-start=") == 2
    assert "not a treatment" in page
    held = json.loads((shell.folder / "s.flac.json").read_text())
    assert held["details"]["engine"] == "symbolic"
    assert len(held["details"]["clips"]) == 2


def test_json_names_every_file(shell):
    done = shell(*SESSION, "-o", "s.flac", "--cue", "s.cue", "--report", "s.html", "--json", "-q")
    files = json.loads(done.stdout)["pieces"][0]["files"]
    assert (files["piece"], files["cue"], files["report"]) == ("s.flac", "s.cue", "s.html")


def test_the_table_of_clips_holds_what_was_asked_and_measured(shell):
    shell(*SESSION, "-o", "s.wav", "--cue", "s.csv")
    rows = list(csv.DictReader(io.StringIO((shell.folder / "s.csv").read_text())))
    assert [row["clip"] for row in rows] == ["1", "2"]
    assert {row["measured_valence"] for row in rows} == {"0.61"}


def test_the_same_words_give_the_same_bytes_by_any_number_of_processes(shell):
    shell(*SESSION, "-o", "a.wav")
    two = [word if word != "1" else "2" for word in SESSION]
    assert shell.alone(*two, "-o", "b.wav").returncode == 0
    assert (shell.folder / "a.wav").read_bytes() == (shell.folder / "b.wav").read_bytes()
    assert shell("replay", "a.wav.json").returncode == 0


def test_a_session_goes_into_a_pipe(shell):
    done = shell(*SESSION, "-o", "-", "--format", "wav", "-q")
    assert done.returncode == 0
    data, rate = soundfile.read(io.BytesIO(done.stdout))
    assert len(data) == 30 * rate
    assert done.stderr == b""
    assert shell.names() == []


def test_an_edited_plan_is_rendered(shell):
    shell("medicine", "plan", "--from", "anxious", "--to", "calm", *SHORT[:6], "-o", "p.json")
    plan = json.loads((shell.folder / "p.json").read_text())
    plan["clips"][1].update(valence=-0.3, arousal=-0.7, prompt="low and slow")
    plan["clips"].append({"valence": 0.1, "arousal": 0.1})
    (shell.folder / "p.json").write_text(json.dumps(plan))
    done = shell("medicine", "render", "p.json", *SHORT[6:], "-o", "s.wav")
    assert done.returncode == 0, done.stderr
    clips = json.loads((shell.folder / "s.wav.json").read_text())["details"]["plan"]["clips"]
    assert [(clip["valence"], clip["prompt"]) for clip in clips][1] == (-0.3, "low and slow")
    assert len(clips) == 3
    assert soundfile.info(shell.folder / "s.wav").frames == (3 * 16 - 2 * 2) * 44_100


def test_a_plan_whose_clips_overlap_is_no_stream(shell):
    shell("medicine", "plan", "--from", "anxious", "--to", "calm", *SHORT[:6], "-o", "p.json")
    done = shell("medicine", "render", "p.json", "--engine", "musicgen", "--transition", "continue", "-o", "s.wav")
    assert done.returncode == 2
    assert "overlap by 2 s" in done.stderr.decode()


def test_weights_that_are_none_do_not_keep_sessions_from_being_composed(shell):
    done = shell(*SESSION, "-o", "s.wav", AFFECTGEN_MUSICGEN="/nonsense", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"valence": 2, "arousal": 0}, "clip 2"),
        ({"valence": 0.5}, "has no 'arousal'"),
        ("calm", "not an object"),
        ({"valence": 0, "arousal": 0, "prompt": 7}, "as its prompt"),
        ({"valence": True, "arousal": 0}, "valence as True"),
        ({"valence": 0, "arousal": 0, "vlaence": 0.3}, "has 'vlaence'"),
    ],
)
def test_a_bad_row_of_a_plan_is_named(shell, row, told):
    shell("medicine", "plan", "--from", "anxious", "--to", "calm", *SHORT[:6], "-o", "p.json")
    plan = json.loads((shell.folder / "p.json").read_text())
    plan["clips"][1] = row
    (shell.folder / "p.json").write_text(json.dumps(plan))
    done = shell("medicine", "render", "p.json", "-o", "s.wav")
    assert done.returncode == 1
    assert told in done.stderr.decode()
    assert "clip 2" in done.stderr.decode()
    assert shell.names() == ["p.json"]


def test_an_interrupt_keeps_finished_clips_and_the_same_command_goes_on(shell):
    process = shell.start(*SESSION, "-o", "s.wav", "-v", **SLOW)
    clip = shell.folder / "s.wav.clips" / "001.json"
    since = time.monotonic()
    while not clip.exists() and time.monotonic() - since < 60:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == b""
    kept = ("", "/001.json", "/001.mid", "/001.wav", "/seed")
    assert sorted(shell.names()) == [f"s.wav.clips{name}" for name in kept]
    began = time.monotonic()
    unseeded = [word for word in SESSION if word not in ("--seed", "4")]
    done = shell.alone(*unseeded, "-o", "s.wav", FAKE_OTHER="other")  # a clip made anew would be another
    assert done.returncode == 0, done.stderr
    assert b"going on with seed 4" in done.stderr
    assert time.monotonic() - began < 60
    assert sorted(shell.names()) == ["s.wav", "s.wav.json"]
    first, rate = soundfile.read(shell.folder / "s.wav", stop=10 * 44_100)
    shell(*SESSION, "-o", "whole.wav")
    whole, _ = soundfile.read(shell.folder / "whole.wav", stop=10 * rate)
    assert np.corrcoef(first[:, 0], whole[:, 0])[0, 1] > 0.999, "the first clip is the one that was kept"


def voice(path):
    """Two seconds of a buzzing, wavering tone with the overtones of a voice."""
    time_ = np.arange(2 * 16_000) / 16_000
    pitch = 2 * np.pi * np.cumsum(160 + 20 * np.sin(2 * np.pi * 3 * time_)) / 16_000
    sound = sum(np.sin(n * pitch) / n for n in range(1, 20)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_)) * 0.1
    soundfile.write(path, sound, 16_000)


def test_a_session_starts_from_the_state_of_a_voice(shell):
    voice(shell.folder / "voice.wav")
    done = shell("medicine", "render", "--from-speech", "voice.wav", "--to", "calm", *SHORT, "-o", "s.wav")
    assert done.returncode == 0, done.stderr
    told = re.search(r"heard in voice.wav: valence ([+-][\d.]+), arousal ([+-][\d.]+)", done.stderr.decode())
    assert told is not None
    first = json.loads((shell.folder / "s.wav.json").read_text())["details"]["plan"]["clips"][0]
    assert first["valence"] == pytest.approx(float(told[1]), abs=0.006)
    assert first["arousal"] == pytest.approx(float(told[2]), abs=0.006)


def test_a_voice_and_a_start_exclude_each_other(shell):
    voice(shell.folder / "voice.wav")
    done = shell("medicine", "render", "--from-speech", "voice.wav", "--from", "sad", "--to", "calm", "-o", "s.wav")
    assert done.returncode == 2
    assert "--from-speech came with --from" in done.stderr.decode()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--transition", "continue", "--engine", "symbolic"), 2, "--transition came with --engine symbolic"),
        (("--composer", "muser", "--engine", "musicgen"), 2, "--composer came with --engine musicgen"),
        (("--cue", "s.txt"), 2, "Use .cue or .csv"),
        (("--report", "s.pdf"), 2, "Use .html"),
        (("--engine", "musicgen", "--transition", "continue", "--overlap", "1"), 2, "--overlap 0"),
        (("--engine", "musicgen", "--batch", "0"), 2, "--batch"),
        (("--report", "missing/s.html"), 1, "missing"),
    ],
)
def test_options_that_do_not_fit_are_told(shell, words, code, told):
    done = shell("medicine", "render", "--from", "anxious", "--to", "calm", "-o", "s.wav", *words)
    assert done.returncode == code
    assert told in done.stderr.decode()
    assert shell.names() == []


def test_without_weights_musicgen_says_what_to_download_and_under_which_licence(shell):
    empty = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(shell.folder / "hub")}
    done = shell(
        "medicine", "render", "--from", "anxious", "--to", "calm", "--engine", "musicgen", "-o", "s.wav", **empty
    )
    told = done.stderr.decode()
    assert done.returncode == 1
    for words in ("hf download facebook/musicgen-small", "--model", "AFFECTGEN_MUSICGEN", "CC-BY-NC 4.0",
                  "--engine symbolic"):  # fmt: skip
        assert words in told
    assert "s.wav" not in shell.names()


def test_a_folder_that_is_no_model_is_told(shell):
    (shell.folder / "model").mkdir()
    done = shell(
        "medicine", "render", "--from", "anxious", "--to", "calm", "--model", "model", "-o", "s.wav"
    )  # fmt: skip
    assert done.returncode == 1
    assert "config.json" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
