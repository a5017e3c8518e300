"""The journal: what is entered is there, one batch at a time, and what is none is told."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, FAILED, NAME, TODO, File, Journal, read_rows, seen
from affectgen.errors import AffectgenError

JOBS = [Job("compose", {"seed": n}, f"j{n}", "study" if n else None) for n in range(3)]


def test_rows_come_back_as_they_were_entered_and_closed(tmp_path):
    file = File("j1.mid", 3, 17, "ab")
    with Journal(tmp_path) as journal:
        journal.enter(JOBS)
        journal.close_job("j1", DONE, {"name": "j1", "x": [1, None]}, [file])
        journal.close_job("j2", FAILED, {"error": "é"}, [])
        journal.set_fact("seed", "7")
    with Journal(tmp_path) as journal:
        rows = {row.name: row for row in journal.rows()}
        assert journal.fact("seed") == "7"
        assert journal.fact("nothing") is None
    assert [rows[name].state for name in ("j0", "j1", "j2")] == [TODO, DONE, FAILED]
    assert (rows["j1"].files, rows["j1"].told, rows["j1"].tries) == ((file,), {"name": "j1", "x": [1, None]}, 1)
    assert (rows["j0"].preset, rows["j1"].preset, rows["j1"].settings) == (None, "study", {"seed": 1})
    assert rows["j0"].key == JOBS[0].key
    assert list(read_rows(tmp_path)) == [rows[name] for name in sorted(rows)]


def test_entering_again_begins_anew(tmp_path):
    with Journal(tmp_path) as journal:
        journal.enter(JOBS)
        journal.close_job("j1", DONE, {}, [])
        journal.enter([Job("compose", {"seed": 9}, "j1")])
        row = next(row for row in journal.rows() if row.name == "j1")
    assert (row.state, row.settings, row.tries) == (TODO, {"seed": 9}, 0)


def test_one_batch_at_a_time_and_others_are_told(tmp_path):
    with Journal(tmp_path):
        with pytest.raises(AffectgenError, match="Another batch is at work"):
            Journal(tmp_path)
        with pytest.raises(AffectgenError, match="A batch is at work"):
            list(read_rows(tmp_path))
    Journal(tmp_path).__exit__(None, None, None)


def test_what_is_no_journal_is_told_and_left(tmp_path):
    (tmp_path / NAME).write_bytes(b"something else entirely" * 100)
    for read in (lambda: Journal(tmp_path), lambda: list(read_rows(tmp_path))):
        with pytest.raises(AffectgenError, match="no journal of affectgen"):
            read()
    assert (tmp_path / NAME).read_bytes().startswith(b"something")


def test_a_journal_of_another_format_is_told(tmp_path):
    with Journal(tmp_path) as journal:
        journal.set_fact("format", "99")
    with pytest.raises(AffectgenError, match="format 99"):
        Journal(tmp_path)


def test_no_journal_no_rows(tmp_path):
    assert list(read_rows(tmp_path)) == []


def test_a_kill_leaves_it_whole(tmp_path):
    program = f"""
from pathlib import Path
from affectgen.batch.job import Job
from affectgen.batch.journal import Journal
journal = Journal(Path({str(tmp_path)!r}))
journal.enter([Job("compose", {{}}, f"j{{n}}") for n in range(2000)])
print("go", flush=True)
for n in range(2000):
    journal.close_job(f"j{{n}}", "done", {{"n": n}}, [])
"""
    running = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.readline()
    time.sleep(0.2)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    rows = list(read_rows(tmp_path))
    done = [row for row in rows if row.state == DONE]
    assert len(rows) == 2000
    assert 0 < len(done) < 2000
    assert {row.told["n"] for row in done} == set(range(len(done)))
    with sqlite3.connect(tmp_path / NAME) as base:
        assert base.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_file_is_seen_as_it_is(tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(b"abc")
    found = seen(path, "hash")
    assert (found.name, found.size, found.sha256) == ("a.mid", 3, "hash")
    assert found.changed == path.stat().st_mtime_ns
