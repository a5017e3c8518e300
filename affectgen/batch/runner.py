"""Runs jobs on workers: what is there is kept, what fails does not stop the rest, and all of it is journalled."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, FAILED, Journal
from affectgen.batch.order import Work
from affectgen.batch.pool import LOST, Event, Fault, Pool, Share
from affectgen.batch.resume import clean_parts, files_of, result_line
from affectgen.errors import NoSpace
from affectgen.interrupts import held_back
from affectgen.manifest import manifest_of
from affectgen.task import find_task

TICK = 0.5  # seconds between looks at what takes too long
START = 120.0  # seconds that a worker may take beside, until its models are there
KEPT, SKIPPED = "kept", "skipped"  # statuses of a result line beside DONE and FAILED


@dataclass(frozen=True)
class RunSettings:
    """retry: further tries of a job that fails; timeout: seconds that a job may take, None for any; jobs that are done
    together may take as long together."""

    retry: int = 0
    timeout: float | None = None


@dataclass(frozen=True)
class Entry:
    """A job with its work; fault: why it cannot be begun, then there is no work."""

    job: Job
    work: Work | None = None
    fault: Fault | None = None


@dataclass
class Tally:
    """How far a batch has come. seconds: of work; memory: most bytes that a worker has held."""

    total: int
    done: int = 0
    kept: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    memory: int = 0
    lines: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def ended(self) -> int:
        """How many jobs are not to be waited for."""
        return self.done + self.kept + self.skipped + self.failed


Hear = Callable[[Mapping[str, Any], Tally], None]  # a result line, and how far it has come


@dataclass
class _Hands:
    """What a worker is at: jobs by number, since when, and how many there were; since None: it is idle; begun: its
    models are there."""

    at: list[int] = field(default_factory=list)
    since: float | None = None
    size: int = 0
    begun: bool = False


class Runner:
    """Runs the entries of a batch. hear is told of each job as it ends."""

    def __init__(
        self, entries: Sequence[Entry], journal: Journal, pool: Callable[[], Pool], how: RunSettings, hear: Hear
    ) -> None:
        self.entries, self.journal, self.how, self.hear = entries, journal, how, hear
        self.tally = Tally(len(entries))
        self.tries = [0] * len(entries)
        self._pool_of = pool
        self._hands: list[_Hands] = []
        self._held: dict[int, tuple[Any, ...]] = {}  # by worker, what its models are of
        self._waiting: deque[tuple[int, ...]] = deque()

    def keep(self, line: Mapping[str, Any], skipped: bool) -> None:
        """Tell of a job that is there already."""
        self.tally.kept += not skipped
        self.tally.skipped += skipped
        self._tell({**line, "status": SKIPPED if skipped else KEPT})

    def run(self, numbers: Sequence[int]) -> Tally:
        """Do the entries of these numbers. NoSpace where the disk is full; what is not done then stays to be done."""
        ready: list[int] = []
        for number in numbers:
            fault = self.entries[number].fault
            if fault is not None:
                self._fail(number, fault)
            else:
                ready.append(number)
        if not ready:
            return self.tally
        pool = self._pool_of()
        try:
            self._waiting.extend(parcels(ready, self.entries, pool.workers))
            self._work(pool)
        finally:
            with held_back():
                pool.close()
                clean_parts(self.journal.folder, file_names(self.entries))
        return self.tally

    def _work(self, pool: Pool) -> None:
        """Give and hear until nothing is left."""
        while True:
            self._hands += [_Hands() for _ in range(pool.workers - len(self._hands))]
            for worker, hands in enumerate(self._hands):
                if hands.since is None and self._waiting and pool.ready(worker):
                    self._give(pool, worker, self._next(worker))
            if not self._waiting and all(hands.since is None for hands in self._hands):
                return
            for event in pool.wait(TICK):
                self._take(pool, event)
            self._end_late(pool)

    def _next(self, worker: int) -> tuple[int, ...]:
        """The parcel a worker gets: of the task whose models it holds, if there is one, else the first."""
        held = self._held.get(worker)
        for place, parcel in enumerate(self._waiting):
            if self._model(parcel[0]) == held:
                del self._waiting[place]
                return parcel
        return self._waiting.popleft()

    def _model(self, number: int) -> tuple[Any, ...]:
        work = self.entries[number].work
        return () if work is None else model_of(work)

    def _give(self, pool: Pool, worker: int, parcel: tuple[int, ...]) -> None:
        self._hands[worker] = _Hands(list(parcel), time.monotonic(), len(parcel))
        self._held[worker] = self._model(parcel[0])
        pool.give(worker, [self._share(number) for number in parcel])

    def _share(self, number: int) -> Share:
        entry = self.entries[number]
        if entry.work is None:
            raise ValueError("a job without work")
        note = {"key": entry.job.key, "name": entry.job.name, "preset": entry.job.preset}
        return Share(number, entry.work, note)

    def _take(self, pool: Pool, event: Event) -> None:
        """What a worker tells."""
        hands = self._hands[event.worker]
        self.tally.memory = max(self.tally.memory, event.memory)
        if event.lost:
            fault = Fault(LOST, "The process that made it ended.", "Its memory may have run out.")
            self._lose(pool, event.worker, fault, event.blameless)
        elif event.begun:
            self._hands[event.worker] = _Hands(hands.at, time.monotonic(), hands.size, True)
        elif event.number is None:
            self._hands[event.worker] = _Hands()
        else:
            hands.at.remove(event.number)
            if event.fault is not None:
                self._failed(event.number, event.fault)
            elif event.made is not None:
                self._done(event.number, event.made, event.seconds)

    def _lose(self, pool: Pool, worker: int, fault: Fault, blameless: bool = False) -> None:
        """A worker ended or was ended. A job that was alone is to blame, unless the machine is gone; of several, each
        is tried alone."""
        at = self._hands[worker].at
        self._hands[worker] = _Hands()
        self._held.pop(worker, None)
        pool.restart(worker)
        if len(at) == 1 and not blameless:
            self._failed(at[0], fault)
        else:
            self._waiting.extendleft((number,) for number in reversed(at))

    def _end_late(self, pool: Pool) -> None:
        """End what takes longer than it may."""
        if self.how.timeout is None:
            return
        for worker, hands in enumerate(self._hands):
            allowed = self.how.timeout * hands.size + (0.0 if hands.begun else START)
            if hands.since is not None and hands.at and time.monotonic() - hands.since > allowed:
                text = f"It took longer than {self.how.timeout:g} s."
                self._lose(pool, worker, Fault("Timeout", text, "Allow more: --timeout"))

    def _done(self, number: int, made: Mapping[str, Any], seconds: float) -> None:
        entry = self.entries[number]
        if entry.work is None:
            raise ValueError("a job without work")
        target = entry.work.order.target
        line = result_line(entry.job, target, manifest_of(made), seconds)
        try:
            files = files_of(target)
        except OSError as error:  # somebody took a file away meanwhile
            self._failed(number, Fault("OSError", f"{error.filename} is gone, or cannot be read.", "Run it again."))
            return
        self.journal.close_job(entry.job.name, DONE, line, files)
        self.tally.done += 1
        self.tally.seconds += seconds
        self._tell(line)

    def _failed(self, number: int, fault: Fault) -> None:
        """Try again, or give up."""
        if fault.no_space:
            raise NoSpace(fault.message, "Free some and run the same command: what is done is kept.")
        self.tries[number] += 1
        if self.tries[number] <= self.how.retry and not fault.for_good:
            self._waiting.append((number,))
        else:
            self._fail(number, fault)

    def _fail(self, number: int, fault: Fault) -> None:
        job = self.entries[number].job
        line = {
            "name": job.name, "status": FAILED, "command": job.command, "preset": job.preset,
            "seed": job.values.get("seed"), "error": fault.to_json(),
        }  # fmt: skip
        self.journal.close_job(job.name, FAILED, line, [])
        self.tally.failed += 1
        self._tell(line)

    def _tell(self, line: Mapping[str, Any]) -> None:
        self.tally.lines.append(line)
        self.hear(line, self.tally)


def file_names(entries: Sequence[Entry]) -> list[str]:
    """The names of all files that jobs would write."""
    works = [entry.work for entry in entries if entry.work is not None]
    return [path.name for work in works for path in work.order.target.files()]


def model_of(work: Work) -> tuple[Any, ...]:
    """What must agree for jobs to be done together: task, checkpoint, device and threads."""
    return (work.task, *(work.run[name].value for name in ("checkpoint", "device", "threads")))


def parcels(numbers: Sequence[int], entries: Sequence[Entry], workers: int) -> list[tuple[int, ...]]:
    """Jobs in parcels that are done together: of one model each, no larger than the task likes, and at the end small
    enough that every worker has something to do."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number in numbers:
        work = entries[number].work
        if work is not None:
            groups.setdefault(model_of(work), []).append(number)
    found: list[tuple[int, ...]] = []
    for model, group in groups.items():
        largest = getattr(find_task(model[0]), "together", 1)
        start = 0
        while start < len(group):
            left = len(group) - start
            size = max(1, min(largest, -(-left // workers)))
            found.append(tuple(group[start : start + size]))
            start += size
    return found
