"""`affectgen verify`: a line for each file, a summary for a person, and the exit code says how it stands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def compose(shell, *words):
    done = shell("muser", "generate", "-a", "sad", "--seed", "1", *words)
    assert done.returncode == 0, done.stderr


def states(done) -> dict[str, str]:
    """The state of each file that was told."""
    lines = done.stdout.decode().splitlines()
    return {Path(line.split()[1].rstrip(":")).name: line.split()[0] for line in lines}


def test_all_good(shell):
    compose(shell, "--count", "3", "-o", "out/")
    done = shell("verify", "out")
    assert done.returncode == 0, done.stderr
    assert states(done) == {f"sad-{n}.mid": "ok" for n in (1, 2, 3)}
    assert done.stderr.decode().splitlines()[-1] == "3 files: 3 ok"
    assert shell("verify", "out/sad-1.mid", "out/sad-2.mid.json", "-q").stderr == b""


def test_some_and_none_as_recorded(shell):
    compose(shell, "--count", "3", "-o", "out/")
    (shell.folder / "out" / "sad-2.mid").write_bytes(b"MThd")
    (shell.folder / "out" / "sad-3.mid").unlink()
    done = shell("verify", "out")
    assert done.returncode == 3
    assert states(done) == {"sad-1.mid": "ok", "sad-2.mid": "changed", "sad-3.mid": "missing"}
    said = done.stderr.decode()
    assert "3 files: 1 ok, 1 missing, 1 changed" in said
    assert "2 of 3 are not as recorded" in said
    alone = shell("verify", "out/sad-2.mid")
    assert alone.returncode == 1
    assert b"Traceback" not in alone.stderr


def test_orphans_and_left_overs(shell):
    compose(shell, "-o", "a.mid")
    compose(shell, "-o", "b.mid", "--no-manifest", "--seed", "2")
    (shell.folder / ".c.mid.0123abcd.part").write_bytes(b"")
    done = shell("verify", ".")
    assert done.returncode == 3
    assert states(done) == {"a.mid": "ok", "b.mid": "orphan", ".c.mid.0123abcd.part": "leftover"}
    (shell.folder / ".c.mid.0123abcd.part").unlink()
    assert shell("verify", ".").returncode == 3
    assert shell("verify", ".", "--ignore-orphans").returncode == 0


def test_the_emotion_is_measured_again_unless_one_says_so(shell):
    compose(shell, "-o", "a.mid")
    path = shell.folder / "a.mid.json"
    told = json.loads(path.read_text())
    told["details"]["heard_in_file"]["judge"]["arousal"] += 0.1 if told["measured"]["arousal"] < 0 else -0.1
    path.write_text(json.dumps(told))
    done = shell("verify", "a.mid")
    assert states(done) == {"a.mid": "affect"}
    assert "the judge hears" in done.stdout.decode()
    assert shell("verify", "a.mid", "--tolerance", "0.2").returncode == 0
    assert shell("verify", "a.mid", "--no-measure").returncode == 0
    assert shell("verify", "a.mid", "--tolerance", "nan").returncode == 2


def test_json_is_an_object_a_line(shell):
    compose(shell, "--count", "2", "-o", "out/")
    (shell.folder / "out" / "sad-1.mid").write_bytes(b"x")
    done = shell("verify", "out", "--json", "--jobs", "1")
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [(Path(row["file"]).name, row["state"]) for row in rows] == [("sad-1.mid", "changed"), ("sad-2.mid", "ok")]
    assert rows[1]["manifest"] == "out/sad-2.mid.json"
    assert rows[1]["task"] == "muser generate"
    assert rows[1]["heard"]["judge"]["distance"] == pytest.approx(0, abs=1e-4)


def test_a_journal_is_compared(shell):
    lines = b'{"command": "muser generate", "affect": "sad", "seed": 1, "name": "a"}\n{"command": "muser generate", '
    lines += b'"affect": "calm", "seed": 6, "name": "b"}\n'
    assert shell("batch", "-", "-o", "out", stdin=lines, FAKE_POISON="6:raise").returncode == 3
    done = shell("verify", "out")
    assert done.returncode == 3
    assert states(done) == {"a.mid": "ok", "b": "journal"}
    assert "the job failed" in done.stdout.decode()


WRONG = ({"argv": 5}, {"details": []}, {"seconds": {"make": "x"}}, {"measured": {"valence": "x"}}, {"task": ""},
         {"asked": {"valence": 0.1, "arousal": "high"}})  # fmt: skip


@pytest.mark.parametrize("change", WRONG)
def test_a_manifest_of_other_kinds_is_unreadable_and_the_others_are_checked(shell, change):
    job = {"command": "muser generate", "affect": "sad", "bars": 2}
    lines = "".join(json.dumps({**job, "seed": n, "name": f"j{n}"}) + "\n" for n in (1, 2)).encode()
    assert shell("batch", "-", "-o", "out", "--jobs", "1", stdin=lines).returncode == 0
    place = shell.folder / "out/j1.mid.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **change}))
    done = shell("verify", "out", "--no-measure")
    assert done.returncode == 3
    assert b"j1.mid.json is no manifest of affectgen" in done.stdout + done.stderr
    assert b"2.mid" in done.stdout
    for words in (("inspect", "out/j1.mid"), ("replay", "out/j1.mid.json")):
        told = shell(*words)
        assert told.returncode == 1
        assert b"is no manifest of affectgen" in told.stderr
    again = shell("batch", "-", "-o", "out", "--jobs", "1", stdin=lines)
    assert again.returncode == 0
    assert b"1 made, 1 kept" in again.stderr


def test_nothing_to_verify(shell, fails):
    (shell.folder / "empty").mkdir()
    assert "holds no piece" in fails(1, "verify", "empty")
    fails(2, "verify")
    done = shell("verify", "nope.mid")
    assert done.returncode == 1
    assert "nope.mid is not there" in done.stdout.decode()
    assert b"Hint" in done.stderr


def many(shell, count=400):
    """A folder of many pieces, which take a while."""
    compose(shell, "-o", "0.mid")
    data = (shell.folder / "0.mid").read_bytes()
    manifest = (shell.folder / "0.mid.json").read_text()
    for number in range(1, count):
        (shell.folder / f"{number}.mid").write_bytes(data)
        (shell.folder / f"{number}.mid.json").write_text(manifest.replace("0.mid", f"{number}.mid"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_is_quiet(shell, jobs):
    many(shell)
    process = shell.start("verify", ".", "--jobs", jobs)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"ok")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == b""


def test_a_reader_that_stops_early(shell):
    many(shell)
    process = shell.start("verify", ".", "--jobs", "1", "-q")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_midi_is_verified_and_inspected_without_torch(shell):
    script = "import sys; from affectgen.cli.program import run; code = run({}); print(code, 'torch' in sys.modules)"
    compose(shell, "-o", "a.mid")
    for words in (["verify", "a.mid"], ["inspect", "a.mid"]):
        done = subprocess.run([sys.executable, "-c", script.format(words)], capture_output=True, check=True,
                              env=shell.environment(), cwd=shell.folder)  # fmt: skip
        assert done.stdout.decode().splitlines()[-1] == "0 False"
