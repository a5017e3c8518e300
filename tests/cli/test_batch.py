"""`affectgen batch` as a user meets it: lines through a pipe, failures, interrupts, kills."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from affectgen.batch.journal import NAME, read_rows

HOW = ({}, {"FAKE_FLOW": "1"})  # in parcels, and one job after another


def line(seed: int | None, **more: Any) -> dict[str, Any]:
    told = {"command": "muser generate", "affect": "calm", "bars": 2, "name": f"j{seed}", "seed": seed, **more}
    return {key: value for key, value in told.items() if value is not None}


def text(lines: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def told(done: Any) -> dict[str, dict[str, Any]]:
    found = [json.loads(each) for each in done.stdout.splitlines()]
    names = [each["name"] for each in found]
    assert len(set(names)) == len(names)
    return {each["name"]: each for each in found}


def pieces(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.mid"))}


def test_lines_become_files_as_single_commands_make_them(shell):
    done = shell.alone("batch", "-", "-o", "out", "--jobs", "2", stdin=text([line(seed) for seed in range(9)]))
    assert done.returncode == 0, done.stderr
    assert {each["status"] for each in told(done).values()} == {"done"}
    assert b"9 made, 0 kept, 0 failed" in done.stderr
    shell("muser", "generate", "-a", "calm", "--bars", "2", "--seed", "3", "-o", "alone.mid")
    assert (shell.folder / "out/j3.mid").read_bytes() == (shell.folder / "alone.mid").read_bytes()
    manifest = json.loads((shell.folder / "out/j3.mid.json").read_text())
    assert manifest["settings"]["bars"] == {"value": 2, "from": "option"}
    assert manifest["settings"]["temperature"]["from"] == "default"
    assert manifest["details"]["job"]["name"] == "j3"
    assert shell("replay", "out/j3.mid.json").returncode == 0
    assert sorted(shell.names()) == sorted(
        ["alone.mid", "alone.mid.json", "out", f"out/{NAME}",
         *(f"out/j{n}.mid{end}" for n in range(9) for end in ("", ".json"))]
    )  # fmt: skip


def test_bytes_are_the_same_whatever_the_workers(shell):
    found = []
    for jobs in ("1", "3"):
        for place, how in enumerate(HOW):
            folder, jobs_of_it = f"out{jobs}{place}", [line(seed, bars=2 + seed % 2) for seed in range(7)]
            done = shell.alone("batch", "-", "-o", folder, "--jobs", jobs, stdin=text(jobs_of_it), **how)
            assert done.returncode == 0, done.stderr
            found.append(pieces(shell.folder / folder))
    assert all(one == found[0] for one in found)
    assert len(set(found[0].values())) == 7


def test_what_flows_is_told_as_it_is_done(shell):
    """The first line comes while the others are still being made, and a kill loses no more than what is at hand."""
    lines = text([line(seed) for seed in range(12)])
    running = shell.start_with(
        "batch", "-", "-o", "out", "--jobs", "1", stdin=lines, FAKE_SLEEP="0.3", FAKE_FLOW="1"
    )
    first = json.loads(running.stdout.readline())
    assert first["status"] == "done"
    assert 0.3 <= first["seconds"] < 0.9
    assert count(shell.folder / "out") <= 3
    os.kill(running.pid, signal.SIGKILL)
    running.wait(timeout=20)
    done = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert done.returncode == 0, done.stderr
    assert told(done)[first["name"]]["status"] == "kept"
    assert count(shell.folder / "out") == 12


def test_what_is_there_is_kept_and_what_is_missing_is_made(shell):
    lines = text([line(seed) for seed in range(5)])
    shell.alone("batch", "-", "-o", "out", stdin=lines)
    before = pieces(shell.folder / "out")
    (shell.folder / "out/j1.mid").unlink()
    (shell.folder / "out/j2.mid").write_bytes(b"changed")
    (shell.folder / "out/j3.mid").touch()  # the same bytes at another time are the same file
    done = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert done.returncode == 0, done.stderr
    states = {name: each["status"] for name, each in told(done).items()}
    assert states == {"j0": "kept", "j1": "done", "j2": "done", "j3": "kept", "j4": "kept"}
    assert pieces(shell.folder / "out") == before


def test_failing_jobs_are_told_and_the_rest_go_on(shell):
    bad = [line(20, affect="clam"), {"command": "muser generat", "name": "typo"}, line(21, barz=3), line(22, bars=0),
           line(23, source="none.mid", keep="pitch", bars=None), line(24, bars=2.5),
           {"command": "render", "files": [f"{'x' * 300}.mid"], "name": "far"}]  # fmt: skip
    lines = text([line(1), *bad, line(2)]) + b"{oops\n\n[1]\n"
    done = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert done.returncode == 3
    states = told(done)
    assert sorted(name for name, each in states.items() if each["status"] == "done") == ["j1", "j2"]
    said = done.stderr.decode()
    for expected in ("line 2 of standard input: 'clam'", "Did you mean 'muser generate'", "Did you mean 'bars'",
                     "line 5 of standard input: Invalid value for '--bars'", "none.mid cannot be read",
                     "'2.5' is not a valid integer", "xxx.mid: File name too long",
                     "line 10 of standard input is no JSON", "line 12 of"):  # fmt: skip
        assert expected in said, expected
    assert "Traceback" not in said
    assert [row.split()[2:5] for row in said.splitlines() if row.startswith("faulty lines")] == [["0", "0", "2"]]
    assert states["j22"]["error"]["kind"] == "UsageError"
    assert len(pieces(shell.folder / "out")) == 2


def test_several_files_are_joined_or_told_how_a_job_may_have_them(shell):
    """As lines and as a preset; what the hints say works."""
    for name in ("a.mid", "b.mid"):
        assert shell("muser", "generate", "-a", "calm", "--bars", "1", "--seed", "1", "-o", name).returncode == 0
    two = {"command": "render", "files": ["a.mid", "b.mid"], "renderer": "piano"}
    lines = [{**two, "name": "bad"}, {**two, "name": "both", "join": 0.1}, {**two, "name": "first", "files": ["a.mid"]}]
    done = shell("batch", "-", "-o", "out", "--jobs", "1", stdin=text(lines))
    assert {name: each["status"] for name, each in told(done).items()} == {
        "bad": "failed", "both": "done", "first": "done"
    }  # fmt: skip
    error = told(done)["bad"]["error"]
    assert error["message"] == "line 1 of standard input: files names 2 files, and a job makes one file of one."
    assert error["hint"] == 'Write a line for each, or one of all, crossfaded for 2 seconds: "join": 2'
    head = 'description = "d"\ncommand = "render"\n[options]\nrenderer = "piano"\n'
    forms = {"bad": '["a.mid", "b.mid"]', "one": '["a.mid", "b.mid"]\njoin = 0.1', "each": '[["a.mid"], ["b.mid"]]'}
    made = {}
    for form, files in forms.items():
        (shell.folder / "p.toml").write_text(f"{head}files = {files}\n")
        made[form] = list(told(shell("batch", "./p.toml", "-o", form, "--jobs", "1")).values())
    states = {form: [each["status"] for each in lines] for form, lines in made.items()}
    assert states == {"bad": ["failed"], "one": ["done"], "each": ["done", "done"]}
    hint = 'Make one of each: files = [["a.mid"], ["b.mid"]], or one of all, crossfaded for 2 seconds: join = 2'
    assert made["bad"][0]["error"]["hint"] == hint


def test_nothing_good_is_exit_code_1(shell):
    done = shell.alone("batch", "-", "-o", "out", stdin=text([line(1, affect="clam")]))
    assert done.returncode == 1
    assert pieces(shell.folder / "out") == {}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("what", ["raise", "die", "hang"])
def test_a_poisoned_job_fails_alone(shell, what, how):
    lines = text([line(seed) for seed in range(10)])
    more = ("--timeout", "2") if what == "hang" else ()
    done = shell.alone("batch", "-", "-o", "out", "--jobs", "2", *more, stdin=lines, FAKE_POISON=f"6:{what}", **how)
    assert done.returncode == 3, done.stderr
    states = {name: each["status"] for name, each in told(done).items()}
    assert states == {f"j{n}": "failed" if n == 6 else "done" for n in range(10)}
    reason = {"raise": "seed 6 is poisoned", "die": "The process that made it ended", "hang": "longer than 2 s"}[what]
    assert reason in done.stderr.decode()
    again = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert again.returncode == 0
    assert {name for name, each in told(again).items() if each["status"] == "done"} == {"j6"}


def test_retry_tries_again_and_counts(shell):
    done = shell.alone("batch", "-", "-o", "out", "--retry", "2", stdin=text([line(6)]), FAKE_POISON="6:raise")
    assert done.returncode == 1
    assert [row.state for row in read_rows(shell.folder / "out")] == ["failed"]
    assert done.stderr.decode().count("Error: j6") == 1


def test_a_full_disk_ends_the_batch_and_loses_nothing(shell):
    lines = text([line(seed) for seed in range(12)])
    done = shell.alone("batch", "-", "-o", "out", "--jobs", "1", stdin=lines, FAKE_POISON="6:full")
    assert done.returncode == 1
    assert "No space is left" in done.stderr.decode()
    assert "run the same command" in done.stderr.decode()
    assert not [name for name in shell.names() if name.endswith(".part")]
    again = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert again.returncode == 0
    assert len(pieces(shell.folder / "out")) == 12
    assert sum(each["status"] == "kept" for each in told(again).values()) >= 4


def test_a_dry_run_writes_nothing(shell):
    done = shell.alone("batch", "-", "-o", "out", "--dry-run", stdin=text([line(1), line(2, affect="clam")]))
    assert done.returncode == 3
    assert shell.names() == []
    good = told(done)["j1"]
    assert good["status"] == "todo"
    assert good["line"] == "affectgen muser generate --affect=calm --bars=2 --seed=1 --output=out/j1.mid"


def test_files_of_others_are_in_the_way(shell):
    lines = text([line(1), line(2)])
    (shell.folder / "out").mkdir()
    (shell.folder / "out/j1.mid").write_bytes(b"mine")
    refused = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert refused.returncode == 3
    assert b"j1.mid exists already" in refused.stderr
    assert {name: each["status"] for name, each in told(refused).items()} == {"j1": "failed", "j2": "done"}
    assert (shell.folder / "out/j1.mid").read_bytes() == b"mine"
    skipped = shell.alone("batch", "-", "-o", "out", "--skip-existing", stdin=lines)
    assert skipped.returncode == 0
    assert {name: each["status"] for name, each in told(skipped).items()} == {"j1": "skipped", "j2": "kept"}
    assert (shell.folder / "out/j1.mid").read_bytes() == b"mine"
    forced = shell.alone("batch", "-", "-o", "out", "--force", stdin=lines)
    assert {name: each["status"] for name, each in told(forced).items()} == {"j1": "done", "j2": "kept"}
    assert (shell.folder / "out/j1.mid").read_bytes()[:4] == b"MThd"
    changed = shell.alone("batch", "-", "-o", "out", stdin=text([line(1, bars=3)]))
    assert changed.returncode == 1
    assert b"was made from other settings" in changed.stderr
    again = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert {each["status"] for each in told(again).values()} == {"kept"}  # the journal still knows what is there


@pytest.mark.parametrize("name", ["j1.png", "j1.mid.json"])
def test_what_was_changed_is_made_anew_and_never_taken_for_the_batchs_own(shell, name):
    lines, place = text([line(1, plot="png")]), shell.folder / "out" / name
    assert shell("batch", "-", "-o", "out", "--jobs", "1", stdin=lines).returncode == 0
    before = place.read_bytes()
    place.write_bytes(before.replace(b'"temperature"', b'"temperaturX"') if name.endswith(".json") else b"bad")
    again = shell("batch", "-", "-o", "out", "--jobs", "1", stdin=lines)
    assert told(again)["j1"]["status"] == "done"
    if name.endswith(".png"):
        assert place.read_bytes() == before
    else:
        assert b"temperaturX" not in place.read_bytes()
    assert shell("verify", "out", "--no-measure").returncode == 0


def test_a_piece_that_somebody_edited_is_left_where_files_are_left(shell):
    lines, piece = text([line(1)]), shell.folder / "out/j1.mid"
    assert shell("batch", "-", "-o", "out", "--jobs", "1", stdin=lines).returncode == 0
    piece.write_bytes(piece.read_bytes() + b"edited")
    left = shell("batch", "-", "-o", "out", "--jobs", "1", "--skip-existing", stdin=lines)
    assert told(left)["j1"]["status"] == "skipped"
    assert piece.read_bytes().endswith(b"edited")
    (shell.folder / "out/j1.mid.json").unlink()
    assert shell("batch", "-", "-o", "out", "--jobs", "1", "--skip-existing", stdin=lines).returncode == 0
    assert piece.read_bytes().endswith(b"edited")


def test_a_page_of_somebody_else_is_not_replaced_unasked(shell):
    lines, page = text([line(1)]), shell.folder / "notes.html"
    page.write_text("precious")
    words = ("batch", "-", "-o", "out", "--jobs", "1", "--report", "notes.html")
    refused = shell(*words, stdin=lines)
    assert refused.returncode == 1
    assert b"notes.html exists already" in refused.stderr
    assert page.read_text() == "precious"
    assert shell(*words, "--force", stdin=lines).returncode == 0
    assert shell(*words, stdin=lines).returncode == 0  # one's own of before
    assert page.read_text().startswith("<!doctype html>")


def test_a_line_that_is_no_utf8_fails_alone(shell):
    lines = text([line(1)]) + b'{"command": "muser generate", "affect": "calm", "name": "b\xff"}\n'
    done = shell("batch", "-", "-o", "out", "--jobs", "1", stdin=lines)
    assert done.returncode == 3
    assert {name: each["status"] for name, each in told(done).items()} == {"j1": "done", "line-2": "failed"}
    assert b"line 2 of standard input is no text in UTF-8" in done.stderr


def test_a_folder_of_a_jobs_name_is_in_its_way(shell):
    (shell.folder / "out/j1.mid").mkdir(parents=True)
    done = shell("batch", "-", "-o", "out", "--jobs", "1", stdin=text([line(1), line(2)]))
    assert done.returncode == 3
    assert b"out/j1.mid is a folder" in done.stderr
    assert list((shell.folder / "out/j1.mid").iterdir()) == []


def test_a_source_that_no_preset_works_on(fails):
    assert "no preset that was named works on a file" in fails(2, "batch", "study", "-o", "out", "--source", "x.mid")


def test_sound_of_a_folder_that_was_moved_is_made_again(shell):
    lines = text([line(1, audio="wav")])
    assert shell("batch", "-", "-o", "out", "--jobs", "1", stdin=lines).returncode == 0
    (shell.folder / "out").rename(shell.folder / "moved")
    done = shell("replay", "moved/j1.wav.json")
    assert done.returncode == 0, done.stderr
    (shell.folder / "moved/j1.mid").unlink()
    gone = shell("replay", "moved/j1.wav.json")
    assert gone.returncode == 1
    assert b"--input sources=PATH" in gone.stderr


@pytest.mark.parametrize(
    ("words", "stdin", "expected"),
    [
        (("-", "-o", "-"), b"", "-o - is one stream"),
        (("-", "-o", "out", "--force", "--skip-existing"), b"", "exclude each other"),
        (("-", "-o", "out"), b"", "No job came"),
        (("-", "-o", "out"), b"\xff\xfe", "UTF-8"),
        (("-", "-o", "out"), text([line(1), line(1)]), "Two jobs have the name 'j1'"),
        (("-", "x.toml", "-o", "out"), b"", "- came with presets"),
        (("-", "-o", "out", "--count", "2"), text([line(1)]), "--count came with lines"),
        (("-", "-o", "out", "--timeout", "nan"), b"", "timeout"),
        (("-", "-o", "out", "--shared"), b"", "--shared came without --cluster"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(fails, words, stdin, expected):
    done = fails(2, "batch", *words, stdin=stdin)
    assert expected in done


def test_a_source_that_changed_is_another_job(shell):
    shell("muser", "generate", "-a", "sad", "--seed", "1", "-o", "in.mid")
    lines = text([line(1, source="in.mid", keep="pitch", bars=None)])
    assert shell.alone("batch", "-", "-o", "out", stdin=lines).returncode == 0
    assert {each["status"] for each in told(shell.alone("batch", "-", "-o", "out", stdin=lines)).values()} == {"kept"}
    shell("muser", "generate", "-a", "sad", "--seed", "2", "-o", "in.mid", "--force")
    changed = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert changed.returncode == 1
    assert b"was made from other settings" in changed.stderr
    (shell.folder / "in.mid").unlink()  # what is done needs it no more
    assert {each["status"] for each in told(shell.alone("batch", "-", "-o", "out", stdin=lines)).values()} == {"kept"}


def test_a_file_put_there_after_a_failure_is_not_replaced(shell):
    lines = text([line(6)])
    assert shell.alone("batch", "-", "-o", "out", stdin=lines, FAKE_POISON="6:raise").returncode == 1
    (shell.folder / "out/j6.mid").write_bytes(b"precious")
    again = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert again.returncode == 1
    assert (shell.folder / "out/j6.mid").read_bytes() == b"precious"


def test_a_moved_folder_tells_where_its_files_lie_now(shell):
    lines = text([line(1)])
    shell.alone("batch", "-", "-o", "out", stdin=lines)
    (shell.folder / "out").rename(shell.folder / "moved")
    again = told(shell.alone("batch", "-", "-o", "moved", stdin=lines))
    assert again["j1"]["status"] == "kept"
    assert again["j1"]["files"]["piece"] == "moved/j1.mid"


@pytest.mark.parametrize(
    ("page", "expected"),
    [("none/x.html", "does not exist"), ("out/j1.mid", "another ending"), ("out", "another ending")],
)
def test_a_page_that_cannot_be_is_told_before_anything_is_made(shell, page, expected):
    done = shell.alone("batch", "-", "-o", "out", "--report", page, stdin=text([line(1)]))
    assert done.returncode in (1, 2)
    assert expected in done.stderr.decode()
    assert pieces(shell.folder / "out") == {}


def test_no_part_stays_after_a_time_limit(shell):
    lines = text([line(seed) for seed in range(4)])
    shell.alone("batch", "-", "-o", "out", "--timeout", "2", stdin=lines, FAKE_POISON="2:hang")
    assert not [name for name in shell.names() if name.endswith(".part")]


def test_a_second_batch_waits_its_turn(shell):
    lines = text([line(seed) for seed in range(40)])
    first = shell.start_with("batch", "-", "-o", "out", "--jobs", "1", stdin=lines, FAKE_SLEEP="0.3")
    wait_for(lambda: (shell.folder / "out/j0.mid").exists())
    second = shell.alone("batch", "-", "-o", "out", stdin=lines)
    first.kill()
    first.wait()
    assert second.returncode == 1
    assert b"Another batch is at work in out" in second.stderr


def test_ctrl_c_is_quiet_and_what_is_done_is_kept(shell):
    lines = text([line(seed) for seed in range(40)])
    running = shell.start_with("batch", "-", "-o", "out", "--jobs", "2", stdin=lines, FAKE_SLEEP="0.3")
    wait_for(lambda: (shell.folder / "out/j0.mid").exists())
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert b"Traceback" not in err
    assert not [name for name in shell.names() if name.endswith(".part")]
    done = shell.alone("batch", "-", "-o", "out", stdin=lines)
    assert done.returncode == 0
    kept = {name for name, each in told(done).items() if each["status"] == "kept"}
    assert {json.loads(each)["name"] for each in out.splitlines()} <= kept
    assert len(pieces(shell.folder / "out")) == 40


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("at", [0.0, 0.5, 1.5, 2.4])
def test_several_signals_at_once_to_all_of_its_processes(shell, number, at):
    """As a terminal sends them, while it starts, works and ends."""
    lines = text([line(seed) for seed in range(40)])
    running = shell.start_with(
        "batch", "-", "-o", "out", "--jobs", "2", stdin=lines, FAKE_SLEEP="0.3", start_new_session=True
    )
    shell.wait_for_ears(running)
    time.sleep(at)
    for _ in range(3):
        os.killpg(running.pid, number)
        time.sleep(0.01)
    _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert b"Traceback" not in err
    assert b"Error" not in err
    assert not [name for name in shell.names() if name.endswith(".part")]


def test_a_long_value_in_a_line_is_not_told_whole(shell):
    wrong = ({"affect": "x" * 5000}, {"bars": "ab cd " * 900}, {"affect": [1] * 2000}, {"y" * 900: 1})
    lines = [line(seed, **more) for seed, more in enumerate(wrong)]
    done = shell.alone("batch", "-", "-o", "out", stdin=text(lines))
    assert done.returncode == 1
    assert len(told(done)) == 4
    assert all(len(each["error"]["message"]) < 250 for each in told(done).values())
    assert all("..." in each["error"]["message"] for each in told(done).values())
    assert max(map(len, done.stderr.splitlines())) < 700


def test_a_closed_pipe_ends_it_quietly(shell):
    lines = text([line(seed) for seed in range(30)])
    command = f"{' '.join(shell.command('batch', '-', '-o', 'out', '--jobs', '1'))} | head -n 1"
    env = shell.environment(FAKE_SLEEP="0.1")
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], input=lines, capture_output=True, cwd=shell.folder, env=env,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("how", HOW)
def test_500_jobs_survive_20_kills_and_a_poisoned_one(shell, how):
    lines = text([line(seed) for seed in range(500)])
    words = ("batch", "-", "-o", "out", "--jobs", "2", "-q")
    draw = random.Random(8)
    for _ in range(20):
        running = shell.start_with(
            *words, stdin=lines, pipe=subprocess.DEVNULL, FAKE_SLEEP="0.02", FAKE_POISON="77:raise", **how
        )
        wanted = count(shell.folder / "out") + draw.randrange(0, 30)
        wait_for(lambda wanted=wanted, at=running: at.poll() is not None or count(shell.folder / "out") >= wanted)
        time.sleep(draw.random() * 0.05)
        os.kill(running.pid, signal.SIGKILL)
        running.wait(timeout=20)
    killed_at = count(shell.folder / "out")
    assert 20 < killed_at < 499  # it was killed while at work
    done = shell.alone(*words, stdin=lines, FAKE_POISON="77:raise", **how)
    assert done.returncode == 3
    states = told(done)
    assert [name for name, each in states.items() if each["status"] == "failed"] == ["j77"]
    assert len(states) == 500
    whole = shell.alone("batch", "-", "-o", "whole", "--jobs", "2", "-q", stdin=lines, FAKE_POISON="77:raise")
    assert whole.returncode == 3
    assert pieces(shell.folder / "out") == pieces(shell.folder / "whole")
    names = {path.name for path in (shell.folder / "out").iterdir()}
    assert names == {NAME, *(f"j{n}.mid{end}" for n in range(500) if n != 77 for end in ("", ".json"))}
    for path in (shell.folder / "out").glob("*.json"):
        assert json.loads(path.read_text())["output"]["sha256"] == pieces_of(path.with_suffix(""))
    states_kept = {row.name: row.state for row in read_rows(shell.folder / "out")}
    assert states_kept == {f"j{n}": "failed" if n == 77 else "done" for n in range(500)}


def pieces_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def count(folder: Path) -> int:
    return sum(name.endswith(".mid") for name in os.listdir(folder)) if folder.is_dir() else 0


def wait_for(happened: Any) -> None:
    for _ in range(3000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 30 s")
