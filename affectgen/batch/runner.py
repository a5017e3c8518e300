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
from affectgen.batch.parcels import Model, Parcel, parcels
from affectgen.batch.pool import LOST, Event, Fault, Pool, Share
from affectgen.batch.resume import clean_parts, files_of, result_line
from affectgen.errors import NoSpace
from affectgen.interrupts import held_back
from affectgen.manifest import manifest_of

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
    """What a worker is at: jobs by number, each since when, and how many it has at most; begun: its models are there;
    parcel: what they are of, None where it is idle."""

    at: dict[int, float] = field(default_factory=dict)
    size: int = 0
    begun: bool = False
    parcel: Parcel | None = None


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
        self._held: dict[int, Model | None] = {}  # by worker, what its last parcel had in common
        self._waiting: deque[Parcel] = deque()

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
            self._waiting.extend(parcels(ready, lambda number: self.entries[number].work, pool.workers, pool.feeds))
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
                if hands.parcel is None and self._waiting and pool.ready(worker):
                    self._give(pool, worker, self._next(worker))
            if not self._waiting and all(hands.parcel is None for hands in self._hands):
                return
            for event in pool.wait(TICK):
                self._take(pool, event)
            self._end_late(pool)

    def _next(self, worker: int) -> Parcel:
        """What a worker is given of: a parcel of the task whose models it holds, if there is one, else the first."""
        held = self._held.get(worker)
        return next((parcel for parcel in self._waiting if parcel.model == held), self._waiting[0])

    def _give(self, pool: Pool, worker: int, parcel: Parcel) -> None:
        numbers = parcel.begin(pool.workers)
        self._begun(parcel)
        self._hands[worker] = _Hands(dict.fromkeys(numbers, time.monotonic()), len(numbers), parcel=parcel)
        self._held[worker] = parcel.model
        pool.give(worker, [self._share(number) for number in numbers])

    def _feed(self, pool: Pool, worker: int) -> None:
        """Give a worker that has done a job of a flow another one of it."""
        hands = self._hands[worker]
        parcel = hands.parcel
        if parcel is not None and parcel.flows and parcel.numbers:
            number = parcel.numbers.popleft()
            self._begun(parcel)
            hands.at[number] = time.monotonic()
            pool.give(worker, [self._share(number)])

    def _begun(self, parcel: Parcel) -> None:
        """A parcel of which nothing is left does not wait any more."""
        if not parcel.numbers:
            self._waiting.remove(parcel)

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
            hands.at, hands.begun = dict.fromkeys(hands.at, time.monotonic()), True
        elif event.number is None:
            if not hands.at:  # else it was fed too late for this time, and goes on with that
                self._hands[event.worker] = _Hands()
        else:
            del hands.at[event.number]
            self._feed(pool, event.worker)
            if event.fault is not None:
                self._failed(event.number, event.fault)
            elif event.made is not None:
                self._done(event.number, event.made, event.seconds)

    def _lose(self, pool: Pool, worker: int, fault: Fault, blameless: bool = False) -> None:
        """A worker ended or was ended. A job that was alone is to blame, unless the machine is gone; of several, each
        is tried alone."""
        at = list(self._hands[worker].at)
        self._hands[worker] = _Hands()
        self._held.pop(worker, None)
        pool.restart(worker)
        if len(at) == 1 and not blameless:
            self._failed(at[0], fault)
        else:
            self._waiting.extendleft(Parcel(deque([number])) for number in reversed(at))

    def _end_late(self, pool: Pool) -> None:
        """End what takes longer than it may."""
        if self.how.timeout is None:
            return
        for worker, hands in enumerate(self._hands):
            allowed = self.how.timeout * hands.size + (0.0 if hands.begun else START)
            if hands.at and time.monotonic() - min(hands.at.values()) > allowed:
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
            self._waiting.append(Parcel(deque([number])))
        else:
            self._fail(number, fault)

    def _fail(self, number: int, fault: Fault) -> None:
        entry = self.entries[number]
        job = entry.job
        line = {
            "name": job.name, "status": FAILED, "command": job.command, "preset": job.preset,
            "seed": job.values.get("seed"), "error": fault.to_json(),
        }  # fmt: skip
        if entry.work is not None:  # else it was never entered: what lies under its name is another's
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
