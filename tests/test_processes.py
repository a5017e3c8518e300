"""Processes that share work: order, errors, interrupts, and what becomes of a process that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from process_items import work

from affectgen.errors import AffectgenError, UsageError
from affectgen.processes import deaf_to_interrupts, map_in_processes

ELSEWHERE = Path(__file__).parent / "elsewhere"


def test_items_come_in_order_from_other_processes():
    found = list(map_in_processes(work, range(9), 2, chunk=2))
    assert [square for square, _ in found] == [number**2 for number in range(9)]
    assert os.getpid() not in {process for _, process in found}
    assert list(map_in_processes(work, [], 2)) == []


def test_the_processes_ignore_an_interrupt_and_this_one_does_not():
    before = signal.getsignal(signal.SIGINT)
    assert list(map_in_processes(work, ["interrupt"] * 2, 1)) == ["alive"] * 2
    assert signal.getsignal(signal.SIGINT) == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def test_an_interrupt_while_processes_start_is_not_lost():
    with pytest.raises(KeyboardInterrupt), deaf_to_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)


def test_outside_the_main_thread_interrupts_are_left_alone():
    found = []

    def look():
        with deaf_to_interrupts():
            found.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [set()]


def test_an_error_of_an_item_comes_through():
    with pytest.raises(UsageError, match="13 came") as caught:
        list(map_in_processes(work, [1, 13, 2], 1))
    assert caught.value.hint == "Give another."


def test_a_process_that_dies_is_an_error_with_a_hint():
    with pytest.raises(AffectgenError, match="1 processes ended before its work was done") as caught:
        list(map_in_processes(work, [1, None, 2], 1))
    assert "--jobs" in caught.value.hint


def test_an_interrupt_leaves_the_rest_undone():
    """A program of its own: the signal goes to its whole group, as a terminal sends it."""
    program = (
        "import time\n"
        "from affectgen.processes import map_in_processes\n"
        "try:\n"
        "    for item in map_in_processes(time.sleep, [0.2] * 1000, 1):\n"
        "        print(item, flush=True)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert run.stdout.readline() == "None\n"
    os.killpg(run.pid, signal.SIGINT)
    said, errors = run.communicate(timeout=60)
    assert said.endswith("interrupted\n")
    assert errors == ""
    assert said.count("\n") < 100


def test_the_processes_end_with_one_that_is_killed(tmp_path):
    told = tmp_path / "pid"
    with subprocess.Popen([sys.executable, str(ELSEWHERE / "process_items.py"), str(told)]) as parent:
        wait(lambda: told.exists() and told.read_text())
        child = int(told.read_text())
        parent.kill()
    wait(lambda: not alive(child))
    assert not alive(child)


def wait(until):
    """For what must come within half a minute."""
    since = time.monotonic()
    while not until():
        assert time.monotonic() - since < 30
        time.sleep(0.05)


def alive(process):
    """Whether a process is there and no zombie."""
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
