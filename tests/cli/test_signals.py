"""Interrupts and closed pipes: quiet, the right code, no half-written file."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

SLOW = {"FAKE_SLEEP": "30"}


def wait_until_busy(process: subprocess.Popen[bytes]) -> None:
    """Until the piece is being made: under -v that line is printed just before."""
    assert process.stderr is not None
    for line in process.stderr:
        if b"loaded in" in line:
            time.sleep(0.2)
            return
    raise AssertionError("the process ended before it began")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(shell, number):
    process = shell.start("muser", "generate", "-a", "happy", "-o", "x.mid", "-v", **SLOW)
    wait_until_busy(process)
    process.send_signal(number)
    out, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (out, said) == (b"", b"")
    assert shell.names() == []


def test_an_interrupt_during_start_up_is_quiet(shell):
    process = shell.start("muser", "generate", "-a", "happy", "-o", "x.mid", **SLOW)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"seed")  # now the imports begin
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("at", [0.0, 0.02, 0.1, 0.3, 0.8, 1.5, 2.0])
def test_several_interrupts_at_any_moment(shell, number, at):
    """While Click, torch and what else is needed is imported, and after that."""
    process = shell.start("muser", "generate", "-a", "happy", "--audio", "x.wav", "-o", "x.mid", TMPDIR=".", **SLOW)
    shell.wait_for_ears(process)
    time.sleep(at)
    for _ in range(3):
        process.send_signal(number)
        time.sleep(0.01)
    out, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == b""
    assert [line for line in said.splitlines() if not line.startswith(b"seed")] == []
    # a library whose import is cut short may leave a nameless file of its own, as Python calls them
    assert [name for name in shell.names() if not name.startswith("tmp")] == []


def test_several_interrupts_while_it_works(shell):
    process = shell.start("muser", "generate", "-a", "happy", "-o", "x.mid", "-v", **SLOW)
    wait_until_busy(process)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=20)
    assert (process.returncode, out, said) == (130, b"", b"")
    assert shell.names() == []


def test_interrupts_up_to_the_end_leave_all_files_or_none(shell):
    """From when the first temporary file is seen, until the process is gone."""
    process = shell.start("muser", "generate", "-a", "happy", "-q", "--audio", "x.wav", "-o", "x.mid")
    while process.poll() is None and not shell.names():
        pass
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.001)
    assert process.returncode in (0, 130)
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert len(shell.names()) in (0, 4)


def test_a_reader_that_stops_early(shell):
    process = shell.start("muser", "generate", "-a", "happy", "-q", "-o", "-", FAKE_BARS="100000")
    assert process.stdout is not None
    assert process.stdout.read(10)[:4] == b"MThd"
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_a_reader_that_is_gone_before_the_first_byte(shell):
    process = shell.start("muser", "generate", "-a", "happy", "-q", "-o", "-", "--manifest", "m.json", FAKE_SLEEP="1")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert shell.names() == []


def test_help_into_a_closed_pipe(shell):
    process = shell.start("--help")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=20) in (0, 141)
    assert process.stderr is not None
    assert process.stderr.read() == b""
