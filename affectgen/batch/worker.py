"""What a worker does: it loads a task once, runs jobs of it together, and writes what comes.

The same on this machine (`affectgen.batch.local`) and on a cluster; what it has to tell goes to a function.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from affectgen.batch.making import deliver
from affectgen.batch.order import Made, Work
from affectgen.batch.pool import Event, Fault, Share
from affectgen.batch.resume import JOB
from affectgen.device import pick_device, use_threads
from affectgen.manifest import Setting
from affectgen.task import Loaded, Result, find_task

Tell = Callable[[Event], None]


@dataclass
class Bench:
    """A worker's place: the task whose weights are in memory. number: of the worker."""

    number: int
    _held: tuple[tuple[str, Any, Any], Loaded] | None = field(default=None, repr=False)

    def run(self, shares: Sequence[Share], tell: Tell) -> None:
        """Do jobs that agree in task, checkpoint and device, and tell of each, then of the end."""
        began = time.perf_counter()
        try:
            shares = [_on_device(share) for share in shares]
            self.loaded(shares[0].work)
            tell(Event(self.number, begun=True))
            began = time.perf_counter()
            made = self._together(shares)
        except Exception as error:  # one of several: which, is found one by one
            if len(shares) == 1:
                tell(Event(self.number, shares[0].number, fault=Fault.of(error)))
            else:
                for share in shares:
                    self.run_one(share, tell)
        else:
            seconds = (time.perf_counter() - began) / len(shares)
            for share, result in zip(shares, made, strict=True):
                self._deliver(share, result, seconds, tell)
        tell(Event(self.number, memory=peak_memory()))

    def run_one(self, share: Share, tell: Tell) -> None:
        """Do a job alone, and tell of it."""
        began = time.perf_counter()
        try:
            result = self._together([share])[0]
        except Exception as error:
            tell(Event(self.number, share.number, fault=Fault.of(error)))
            return
        self._deliver(share, result, time.perf_counter() - began, tell)

    def _together(self, shares: Sequence[Share]) -> list[Result]:
        """The results of jobs, in their order."""
        options = [share.work.options() for share in shares]
        return self.loaded(shares[0].work).run(options)

    def loaded(self, work: Work) -> Loaded:
        """The task of some work with its weights, which stay until another is asked for."""
        run = work.run
        wanted = (work.task, run["checkpoint"].value, run["device"].value)
        if self._held is None or self._held[0] != wanted:
            self._held = None  # before the next ones come
            self._held = wanted, find_task(work.task).load(*wanted[1:])
            if "torch" in sys.modules:  # a task without a model does without it
                use_threads(run["threads"].value)
        return self._held[1]

    def _deliver(self, share: Share, result: Result, seconds: float, tell: Tell) -> None:
        """Write a job's files and tell of them."""
        try:
            made = self._written(share, result, seconds)
        except Exception as error:
            tell(Event(self.number, share.number, fault=Fault.of(error)))
            return
        tell(Event(self.number, share.number, made=made.manifest.to_json(), seconds=seconds))

    def _written(self, share: Share, result: Result, seconds: float) -> Made:
        noted = replace(result, details={**result.details, JOB: share.note})
        return deliver(share.work, noted, {"make": round(seconds, 3)})


def _on_device(share: Share) -> Share:
    """The job with the device that `auto` stands for here. AffectgenError where the one asked for is absent."""
    run = share.work.run
    device = Setting(pick_device(run["device"].value), run["device"].origin)
    return replace(share, work=replace(share.work, run={**run, "device": device}))


def peak_memory() -> int:
    """Most bytes that this process has held; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # no such thing on Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
