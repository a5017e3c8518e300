"""A worker on a node of a cluster: it holds the models of one task and hands out what comes, message by message.

It needs no disk that others see: results go through `more`, large ones in pieces.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from affectgen.batch.local import THREADS
from affectgen.batch.pool import Event, Fault, Share
from affectgen.batch.worker import Bench, Tell
from affectgen.errors import AffectgenError
from affectgen.manifest import Setting, versions
from affectgen.output import explain
from affectgen.spooled import Spooled
from affectgen.task import Result

PIECE = 4 << 20  # bytes of a message at most
WAITING = 2  # messages that may wait to be fetched: the worker's memory holds no more of a result


@dataclass(frozen=True)
class Hello:
    """Who a worker is. node: the cluster's number for its machine; host: the machine's name; versions: as a manifest
    has them; fault: why it cannot work."""

    node: str
    host: str
    versions: Mapping[str, str]
    fault: Fault | None = None


@dataclass(frozen=True)
class Piece:
    """The next bytes of a job's result."""

    number: int
    data: bytes


@dataclass(frozen=True)
class Came:
    """A job's result. Its bytes are in it, or came ahead in pieces; run: the device and threads it was made with."""

    number: int
    result: Result
    ahead: bool
    spooled: bool
    run: Mapping[str, Setting]
    seconds: float


Message = Event | Piece | Came


@dataclass
class SendingBench(Bench):
    """A bench that writes nothing: results go to `send`."""

    send: Callable[[Message], None] = field(kw_only=True, repr=False)

    def _deliver(self, share: Share, result: Result, seconds: float, tell: Tell) -> None:
        """Send a job's result."""
        spooled = isinstance(result.data, Spooled)
        try:
            ahead = self._send_ahead(share.number, result.data)
        except Exception as error:
            tell(Event(self.number, share.number, fault=Fault.of(error)))
            return
        finally:
            if isinstance(result.data, Spooled):
                result.data.close()
        bare = replace(result, data=b"") if ahead else result
        self.send(Came(share.number, bare, ahead, spooled, share.work.run, seconds))

    def _send_ahead(self, number: int, data: bytes | Spooled) -> bool:
        """Send what does not fit a message; whether there was such."""
        if isinstance(data, bytes):
            if len(data) <= PIECE:
                return False
            for start in range(0, len(data), PIECE):
                self.send(Piece(number, data[start : start + PIECE]))
            return True
        try:
            for chunk in data.chunks():
                self.send(Piece(number, chunk))
        except OSError as error:
            raise explain(error, data.path) from error
        return True


class ClusterWorker:
    """What a cluster runs as an actor. number: of the worker; shared: results are written where the jobs say."""

    def __init__(self, number: int, shared: bool) -> None:
        for name in THREADS:  # before anything that reads them is imported
            os.environ.setdefault(name, "1")
        self._jobs: queue.SimpleQueue[list[Share]] = queue.SimpleQueue()
        self._told: queue.Queue[Message] = queue.Queue(WAITING)
        self._bench = Bench(number) if shared else SendingBench(number, send=self._told.put)
        threading.Thread(target=self._work, daemon=True).start()

    def hello(self, folder: str | None) -> Hello:
        """Who this is, once it works. folder: the current one of whoever shares a disk with the nodes."""
        import ray

        fault = None
        if folder is not None:
            try:
                os.chdir(folder)  # so that relative paths mean the same
            except OSError as error:
                told = AffectgenError(
                    f"The folder {folder} is not on the node {socket.gethostname()}: {error.strerror}.",
                    "Start it in a folder that all nodes see, or let the results be sent.",
                )
                fault = Fault.of(told)
        return Hello(ray.get_runtime_context().get_node_id(), socket.gethostname(), versions(), fault)

    def take(self, shares: Sequence[Share]) -> Message:
        """Begin jobs of one task; the first message of them."""
        self._jobs.put(list(shares))
        return self._told.get()

    def more(self) -> Message:
        """The next message, as soon as there is one; the last is an event without a number."""
        return self._told.get()

    def _work(self) -> None:
        while True:
            shares = self._jobs.get()
            try:
                self._bench.run(shares, self._told.put)
            except BaseException as error:  # a thread that ended would let everybody wait
                self._told.put(_end(self._bench.number, error))


def _end(number: int, error: BaseException) -> Event:
    """What is told when the bench itself failed: no job's fault is known, so the worker counts as lost."""
    return Event(number, fault=Fault.of(error), lost=True)


def actor_class(ray: Any, gpu: bool) -> Any:
    """The worker as Ray's actor: it takes one GPU or one processor, and is never started anew behind our back."""
    needs = {"num_gpus": 1, "num_cpus": 0} if gpu else {"num_cpus": 1}
    return ray.remote(max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD", **needs)(ClusterWorker)
