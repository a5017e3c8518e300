"""What a worker does: it loads a task once, runs jobs of it together, and writes what comes.

The same on this machine (`affectgen.batch.local`) and on a cluster; what it has to tell goes to a function.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from affectgen.batch.making import deliver
from affectgen.batch.order import Made, Work
from affectgen.batch.pool import Event, Fault, Share
from affectgen.batch.resume import JOB
from affectgen.device import pick_device, use_threads
from affectgen.manifest import Setting
from affectgen.task import Flowing, Loaded, Result, find_task

Tell = Callable[[Event], None]
More = Callable[[], Sequence[Share]]  # jobs that have come meanwhile


@dataclass
class Bench:
    """A worker's place: the task whose weights are in memory. number: of the worker."""

    number: int
    _held: tuple[tuple[str, Any, Any], Loaded] | None = field(default=None, repr=False)

    def run(self, shares: Sequence[Share], tell: Tell, more: More = tuple) -> None:
        """Do jobs that agree in task, checkpoint and device, and tell of each, then of the end. more: where they flow,
        others that are to flow beside them."""
        hand = list(shares)  # what is not told of yet
        try:
            hand = [_on_device(share) for share in hand]
            loaded = self.loaded(hand[0].work)
            tell(Event(self.number, begun=True))
            if isinstance(loaded, Flowing) and hand[0].work.flow() is not None:
                self._flow(loaded, hand, tell, more)
            else:
                self._parcel(loaded, hand, tell)
        except Exception as error:  # one of several: which, is found one by one
            if len(hand) == 1:
                tell(Event(self.number, hand[0].number, fault=Fault.of(error)))
            else:
                for share in hand:
                    self.run_one(share, tell)
        tell(Event(self.number, memory=peak_memory()))

    def _parcel(self, loaded: Loaded, hand: list[Share], tell: Tell) -> None:
        """Do jobs together, and tell of them when all are done."""
        began = time.perf_counter()
        made = loaded.run([share.work.options() for share in hand])
        seconds = (time.perf_counter() - began) / len(hand)
        done, hand[:] = list(hand), []
        for share, result in zip(done, made, strict=True):
            self._deliver(share, result, seconds, tell)

    def _flow(self, loaded: Flowing, hand: list[Share], tell: Tell, more: More) -> None:
        """Do jobs side by side, and tell of each as it is done. hand: those that are not; seconds are since the last
        that was."""
        waiting, last = deque(hand), time.perf_counter()

        def take() -> tuple[int, Any] | None:
            come = [_on_device(share) for share in more()]
            hand.extend(come)
            waiting.extend(come)
            if not waiting:
                return None
            share = waiting.popleft()
            return share.number, share.work.options()

        def give(number: int, result: Result) -> None:
            nonlocal last
            share = next(share for share in hand if share.number == number)
            hand.remove(share)
            seconds, last = time.perf_counter() - last, time.perf_counter()
            self._deliver(share, result, seconds, tell)

        loaded.flow(take, give)

    def run_one(self, share: Share, tell: Tell) -> None:
        """Do a job alone, and tell of it."""
        began = time.perf_counter()
        try:
            result = self.loaded(share.work).run([share.work.options()])[0]
        except Exception as error:
            tell(Event(self.number, share.number, fault=Fault.of(error)))
            return
        self._deliver(share, result, time.perf_counter() - began, tell)

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
