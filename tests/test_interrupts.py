"""What several signals do to work, to its clean-up, and to what must be done whole: programs of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from affectgen.interrupts import Interrupts, held_back

HEAD = """
import os, signal, sys, threading, time, types
from affectgen import interrupts
from affectgen.interrupts import Interrupts, held_back
caught = Interrupts()
caught.catch()
def press(number=signal.SIGINT):
    os.kill(os.getpid(), number)
def say(text):
    print(text, flush=True)
"""


def run(program):
    """Its exit code, the lines it said, and what stands on standard error."""
    done = subprocess.run([sys.executable, "-c", HEAD + program], capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_clean_up_is_not_torn_apart(number):
    assert run(f"""
try:
    try:
        press(signal.{number})
        say("not stopped")
    finally:
        for step in range(3):
            press(signal.{number})
            say(step)
except KeyboardInterrupt:
    say("stopped")
""") == (0, ["0", "1", "2", "stopped"], "")


def test_a_clean_up_that_hangs_is_ended_by_a_later_signal():
    assert run("""
interrupts.PATIENCE = 0.3
try:
    press()
finally:
    press()
    say("patient")
    time.sleep(0.5)
    press()
    say("still here")
""") == (130, ["patient"], "")


def test_one_that_was_swallowed_is_followed_by_another():
    assert run("""
interrupts.PATIENCE = 0.3
for _ in range(2):
    try:
        press()
    except:
        say("swallowed")
    time.sleep(0.5)
""") == (0, ["swallowed", "swallowed"], "")


def test_a_block_that_must_be_whole_is_ended_first():
    assert run("""
try:
    with held_back():
        press()
        with held_back():
            press()
            say("inner")
        say("outer")
    say("not stopped")
except KeyboardInterrupt:
    say("stopped")
""") == (0, ["inner", "outer", "stopped"], "")


def test_one_that_falls_into_a_destructor_is_raised_a_moment_later():
    assert run("""
class Thing:
    def __del__(self):
        press()
try:
    thing = Thing()
    del thing
    time.sleep(20)
    say("lost")
except KeyboardInterrupt:
    say("stopped")
""") == (0, ["stopped"], "")


def test_other_faults_in_destructors_are_told():
    assert "ValueError: mine" in run("""
class Thing:
    def __del__(self):
        raise ValueError("mine")
thing = Thing()
del thing
""")[2]


def test_torch_is_imported_to_its_end():
    """Its C++ does not bear an exception."""
    assert run("""
torch = types.ModuleType("torch")
torch.__spec__ = types.SimpleNamespace(_initializing=True)
sys.modules["torch"] = torch
try:
    press()
    press()
    say("imported")
    torch.__spec__._initializing = False
    time.sleep(20)
except KeyboardInterrupt:
    say("stopped")
""") == (0, ["imported", "stopped"], "")


def test_at_the_end_nothing_is_raised():
    assert run("""
import atexit
caught.let_be()
press()
say(caught.came)
atexit.register(press)
""") == (0, ["True"], "")


def test_ignored_signals_stay_ignored():
    program = "signal.signal(signal.SIGINT, signal.SIG_IGN); Interrupts().catch(); press(); say('on')"
    assert run(program) == (0, ["on"], "")


def test_without_a_listener_and_in_other_threads_nothing_is_held_back():
    def look(found):
        with held_back():
            found.append("done")

    found = []
    before = signal.signal(signal.SIGINT, Interrupts())
    try:
        thread = threading.Thread(target=look, args=(found,))
        thread.start()
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    look(found)
    assert found == ["done", "done"]
    with pytest.raises(KeyboardInterrupt), held_back():
        signal.raise_signal(signal.SIGINT)
