"""Processes as workers: what is sent to one at work is taken in, and waits."""

from __future__ import annotations

import threading
from multiprocessing import Pipe

import pytest

from affectgen.batch import local
from affectgen.batch.pool import Event

LARGE = "x" * 100_000  # more than a pipe holds, a few times


@pytest.fixture
def serving(monkeypatch):
    """A worker in a thread: the pipe's other end, what its runs were given, and what holds them up."""
    here, there = Pipe()
    runs, gate = [], threading.Event()

    class Bench:
        """Waits at the gate in the middle of a run."""

        def __init__(self, number):
            self.number = number

        def run(self, shares, tell, more):
            runs.append(list(shares))
            for _ in range(20):
                tell(Event(self.number, fault=LARGE))
            assert gate.wait(20)
            while come := more():
                runs[-1] += come
            tell(Event(self.number))

    monkeypatch.setattr(local, "Bench", Bench)
    monkeypatch.setattr(local, "end_with_parent", lambda: None)
    thread = threading.Thread(target=local._serve, args=(3, there), daemon=True)
    thread.start()
    yield here, runs, gate
    gate.set()
    here.close()
    thread.join(20)
    assert not thread.is_alive(), "it ends when nobody is there any more"


def test_neither_side_waits_for_the_other(serving):
    """Both have more to say than the pipe holds, and only one of them listens."""
    here, runs, gate = serving
    sent = threading.Thread(target=lambda: [here.send([f"{number}{LARGE}"]) for number in range(20)], daemon=True)
    sent.start()
    sent.join(20)
    assert not sent.is_alive()
    gate.set()
    told = [here.recv() for _ in range(21)]
    assert told[-1] == Event(3)
    assert [share.removesuffix(LARGE) for share in runs[0]] == [str(number) for number in range(20)]


def test_what_comes_after_a_run_is_the_next_one(serving):
    here, runs, gate = serving
    gate.set()
    for name in ("first", "second"):
        here.send([name])
        assert [here.recv() for _ in range(21)][-1] == Event(3)
    assert runs == [["first"], ["second"]]
