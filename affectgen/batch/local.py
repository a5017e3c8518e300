"""Workers on this machine: processes, each with a pipe to the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from queue import SimpleQueue

from affectgen.batch.pool import Event, Share
from affectgen.batch.worker import Bench
from affectgen.interrupts import held_back
from affectgen.processes import deaf_to_interrupts, end_with_parent

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PATIENCE = 5.0  # seconds that a process gets to end before it is killed


class LocalPool:
    """`Pool` of so many processes. They do not hear Ctrl-C, and end at once with the process that started them."""

    def __init__(self, workers: int) -> None:
        self._context: SpawnContext = multiprocessing.get_context("spawn")
        self._processes: list[tuple[SpawnProcess, Connection]] = []
        try:
            for number in range(workers):
                with held_back():  # so that none is started and not known
                    self._processes.append(self._start(number))
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """How many there are."""
        return len(self._processes)

    @property
    def feeds(self) -> bool:
        """A worker takes jobs in while it is at work."""
        return True

    def _start(self, number: int) -> tuple[SpawnProcess, Connection]:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(number, there), name=f"affectgen-worker-{number}")
        with deaf_to_interrupts(), _one_thread():
            process.start()
        there.close()  # so that its end is seen here
        return process, here

    def ready(self, worker: int) -> bool:
        """Whether an idle worker can be given anything: always, what is given waits in its pipe."""
        return True

    def give(self, worker: int, shares: Sequence[Share]) -> None:
        """Let a worker do jobs."""
        try:
            self._processes[worker][1].send(list(shares))
        except OSError:  # it ended meanwhile: `wait` tells
            return

    def wait(self, seconds: float) -> list[Event]:
        """What is told within that time."""
        pipes = {pipe: number for number, (_, pipe) in enumerate(self._processes)}
        events: list[Event] = []
        for ready in wait(list(pipes), timeout=seconds):
            number = pipes[ready]  # type: ignore[index]
            try:
                events.append(self._processes[number][1].recv())
            except (EOFError, OSError):
                events.append(Event(number, lost=True))
        return events

    def restart(self, worker: int) -> None:
        """End a worker and start it anew."""
        with held_back():
            self._end(worker)
            self._processes[worker] = self._start(worker)

    def _end(self, worker: int) -> None:
        process, pipe = self._processes[worker]
        process.kill()  # what it is at may not hear anything gentler
        process.join(PATIENCE)
        pipe.close()

    def close(self) -> None:
        """End all of them."""
        with held_back():
            for number in range(self.workers):
                self._end(number)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let what starts in the block compute with one thread, unless the environment says otherwise: workers that each
    take all processors wait for each other."""
    unset = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


def _serve(number: int, pipe: Connection) -> None:
    """A worker's life: take jobs, do them, tell."""
    end_with_parent()
    given: SimpleQueue[list[Share] | None] = SimpleQueue()
    threading.Thread(target=_read, args=(pipe, given), daemon=True).start()
    bench = Bench(number)
    while (shares := given.get()) is not None:
        bench.run(shares, pipe.send, lambda: _come(given))


def _read(pipe: Connection, given: SimpleQueue[list[Share] | None]) -> None:
    """Take jobs from the pipe as they come, whatever the worker is at: else it and who feeds it could wait for each
    other with full pipes. None at the end, when nobody wants anything any more."""
    try:
        while True:
            given.put(pipe.recv())
    except (EOFError, OSError):
        return
    finally:  # whatever it was, for nothing more will come
        given.put(None)


def _come(given: SimpleQueue[list[Share] | None]) -> list[Share]:
    """The jobs that have come meanwhile."""
    found: list[Share] = []
    while not given.empty():
        shares = given.get()
        if shares is None:
            given.put(None)  # for `_serve`
            break
        found += shares
    return found
