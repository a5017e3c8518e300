"""Workers on a Ray cluster: one actor for each GPU, or for each processor where there is none."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from affectgen import __version__
from affectgen.batch.cluster.cluster_connect import connect
from affectgen.batch.cluster.cluster_ship import InHand, shipped
from affectgen.batch.cluster.cluster_worker import Came, Hello, Message, Piece, actor_class
from affectgen.batch.pool import Event, Fault, Share
from affectgen.errors import AffectgenError

LOOK = 5.0  # seconds between looks at whether nodes have joined
PATIENCE = 300.0  # seconds that all workers may wait for a place on the cluster
GRACE = 2.0  # seconds in which the cluster may notice that a node is gone, after its actor is
ESCAPES = 3  # so many nodes may die under a job before it is taken for the reason
STILLBORN = 5  # so many actors in a row may end before they say anything, or twice as many as there are
PROBE = 1.0  # seconds between looks for what is missing
MISSING = 60.0  # seconds that a worker may be missing; Ray takes a node for dead after some 15


@dataclass
class _Member:
    """A worker. actor: Ray's; ref: of the one message that is waited for, None where it is idle; hello: None until it
    runs somewhere; missing: since when it cannot be reached, which Ray may take for dead later;
    asked: when it was last asked for a sign of life."""

    actor: Any
    ref: Any
    hand: InHand
    hello: Hello | None = None
    missing: float | None = None
    asked: float = -math.inf


class ClusterPool:
    """`Pool` of actors. Results are sent here and written here, so that nodes need no disk in common.

    address: ray://host[:port], host:port or auto; jobs: most workers, None for as many as the cluster has places; more
    start when nodes join. device: where it is the processor, GPUs are left alone. shared: the actors write the files
    themselves, where the jobs say, on a disk that all see.

    AffectgenError from here, and from `wait`, where no cluster answers or its nodes cannot work.
    """

    def __init__(self, address: str, jobs: int | None = None, device: str = "auto", shared: bool = False) -> None:
        self._ray = connect(address)
        self._jobs, self._device, self._shared = jobs, device, shared
        self._members: list[_Member] = []
        self._queued: list[Event] = []
        self._escapes: Counter[int] = Counter()
        self._stillborn = 0
        self._looked = -math.inf
        self._alive = time.monotonic()  # when a worker was last seen to run
        try:
            gpu, _ = places(self._ray.cluster_resources(), device)
            self._actor = actor_class(self._ray, gpu)
            self._gpu = gpu
            self._grow()
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """How many there are; more may join."""
        return len(self._members)

    @property
    def feeds(self) -> bool:
        """An actor takes one message at a time, and the next jobs when it is idle."""
        return False

    def ready(self, worker: int) -> bool:
        """Whether a worker has a place on the cluster."""
        return self._members[worker].hello is not None

    def _grow(self) -> None:
        """As many workers as the cluster has places."""
        self._looked = time.monotonic()
        gpu, count = places(self._ray.cluster_resources(), self._device)
        wanted = count if gpu == self._gpu else 0  # GPUs that join processors are for the next batch
        for number in range(self.workers, wanted if self._jobs is None else min(wanted, self._jobs)):
            self._members.append(self._start(number))

    def _start(self, number: int) -> _Member:
        actor = self._actor.remote(number, self._shared)
        ref = actor.hello.remote(os.getcwd() if self._shared else None)
        return _Member(actor, ref, InHand(number))

    def give(self, worker: int, shares: Sequence[Share]) -> None:
        """Let a worker that is ready do jobs."""
        member = self._members[worker]
        sent: list[Share] = []
        for share in shares:
            try:
                sent.append(_noted(share, member.hello) if self._shared else shipped(share))
            except AffectgenError as error:
                self._queued.append(Event(worker, share.number, fault=Fault.of(error)))
        if not sent:
            self._queued.append(Event(worker))
            return
        numbers = {share.number for share in sent}
        member.hand.begin([share for share in shares if share.number in numbers])
        member.ref = member.actor.take.remote(sent)

    def wait(self, seconds: float) -> list[Event]:
        """What is told within that time."""
        until = time.monotonic() + seconds
        while True:
            if time.monotonic() - self._looked > LOOK:
                self._grow()
                self._lose_patience()
            self._probe()
            left = 0.0 if self._queued else max(0.0, until - time.monotonic())
            self._listen(min(left, PROBE))
            if self._queued or time.monotonic() >= until:
                events, self._queued = self._queued, []
                return events

    def _listen(self, seconds: float) -> None:
        """Take the messages that come within that time; return with the first ones."""
        awaited = {member.ref: number for number, member in enumerate(self._members) if member.ref is not None}
        if not awaited:
            time.sleep(seconds)
            return
        refs = list(awaited)
        ready, _ = self._ray.wait(refs, num_returns=1, timeout=seconds)
        if ready:  # and what else has come by now
            ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        for ref in ready:
            self._hear(awaited[ref], ref)

    def _hear(self, number: int, ref: Any) -> None:
        member = self._members[number]
        member.ref = None
        try:
            told = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:  # the actor lives, and what it was given is no good
            self._refused(member, error)
        except self._ray.exceptions.RayError as error:
            self._failed(number, error)
        else:
            self._alive = time.monotonic()
            self._told(member, told)

    def _told(self, member: _Member, told: Hello | Message) -> None:
        """A message of a worker; the next one is asked for, unless it is the last."""
        if isinstance(told, Hello):
            self._stillborn = 0
            _check(told)
            if member.missing is not None:  # it is back, but what it said meanwhile is gone
                self._lost(self._members.index(member), True)
            member.hello = told
            return
        if isinstance(told, Event) and told.number is None and not told.begun:
            self._queued.append(told)
            return
        member.ref = member.actor.more.remote()
        if isinstance(told, Piece):
            member.hand.keep(told)
        elif isinstance(told, Came) and member.hello is not None:
            self._queued.append(member.hand.deliver(told, member.hello))
        elif isinstance(told, Event):
            self._queued.append(member.hand.ended(told))

    def _refused(self, member: _Member, error: Any) -> None:
        """Something that was sent cannot be read on the node, or the worker cannot be imported there."""
        text = " ".join(str(error.cause if getattr(error, "cause", None) is not None else error).split())
        if member.hello is None:
            raise _unfit(str(error))
        fault = Fault("AffectgenError", f"The node {member.hello.host} cannot read the job: {text[-300:]}",
                      "Install the same packages on every node.")  # fmt: skip
        for number in member.hand.numbers:
            self._queued.append(member.hand.ended(Event(member.hand.worker, number, fault=fault)))
        self._queued.append(Event(member.hand.worker))

    def _failed(self, number: int, error: Any) -> None:
        """An actor is dead or cannot be reached. One that never said anything is started anew here: it has no job."""
        member = self._members[number]
        if member.hello is None:
            self._stillborn += 1
            if self._stillborn >= max(STILLBORN, 2 * self.workers):
                raise _unfit(str(error))
            self._members[number] = self._start(number)
        elif isinstance(error, self._ray.exceptions.ActorDiedError):
            self._lost(number, self._node_gone(member.hello.node))
        elif member.missing is None:
            member.missing = time.monotonic()

    def _probe(self) -> None:
        """Ask those that are missing for a sign of life, until Ray knows what became of them."""
        for number, member in enumerate(self._members):
            now = time.monotonic()
            if member.missing is not None and now - member.missing > MISSING:
                self._lost(number, True)
            elif member.missing is not None and member.ref is None and now - member.asked > PROBE:
                member.asked = now
                member.ref = member.actor.hello.remote(None)

    def _lost(self, number: int, gone: bool) -> None:
        """Tell that a worker has ended. gone: its machine has, or is out of reach; no job is to blame for that, unless
        it happens to the same one again and again."""
        member = self._members[number]
        self._escapes.update(member.hand.numbers)
        often = any(self._escapes[share] > ESCAPES for share in member.hand.numbers)
        member.hand.drop()
        member.missing = None
        self._queued.append(Event(number, lost=True, blameless=gone and not often))

    def _node_gone(self, node: str) -> bool:
        """Whether the cluster has lost a node; it may notice a moment after its actors."""
        until = time.monotonic() + GRACE
        while True:
            if not any(each["NodeID"] == node and each["Alive"] for each in self._ray.nodes()):
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.2)

    def _lose_patience(self) -> None:
        """AffectgenError where none of the workers has run for long."""
        if any(member.hello is not None for member in self._members):
            self._alive = time.monotonic()
        if time.monotonic() - self._alive > PATIENCE:
            kind = "GPU" if self._gpu else "processor"
            raise AffectgenError(
                f"No {kind} of the cluster was free for {PATIENCE / 60:g} minutes.",
                "Look at `ray status`; the same command goes on from what is done.",
            )

    def restart(self, worker: int) -> None:
        """End a worker and start it anew, wherever there is a place."""
        member = self._members[worker]
        member.hand.drop()
        self._queued = [event for event in self._queued if event.worker != worker]
        self._ray.kill(member.actor, no_restart=True)
        self._members[worker] = self._start(worker)

    def close(self) -> None:
        """End all of them, and leave the cluster."""
        try:
            for member in self._members:
                member.hand.drop()
                self._ray.kill(member.actor, no_restart=True)
        finally:
            self._ray.shutdown()


def places(resources: Mapping[str, float], device: str = "auto") -> tuple[bool, int]:
    """Whether a cluster's workers take GPUs, and for how many it has room. AffectgenError where it has none at all."""
    gpus, processors = (int(resources.get(name, 0)) for name in ("GPU", "CPU"))
    if device.startswith("cuda") and not gpus:
        raise AffectgenError(f"The device {device} was asked for, and the cluster has no GPU.", "Use --device auto.")
    if gpus and device != "cpu":
        return True, gpus
    if not processors:
        raise AffectgenError("The cluster has neither GPUs nor processors to give.", "Add a node: ray start --address")
    return False, processors


def _noted(share: Share, hello: Hello | None) -> Share:
    """A job that is written where it is made; its manifest names the node."""
    return share if hello is None else replace(share, note={**share.note, "node": hello.host})


def _check(hello: Hello) -> None:
    """AffectgenError where a node cannot work for us."""
    if hello.fault is not None:
        raise AffectgenError(hello.fault.message, hello.fault.hint)
    theirs = hello.versions["affectgen"]
    if theirs != __version__:
        raise AffectgenError(
            f"The node {hello.host} has affectgen {theirs}, here is {__version__}.", "Install the same on every node."
        )


def _unfit(text: str) -> AffectgenError:
    """Why no worker can run on a node."""
    if "No module named 'affectgen" in text:
        return AffectgenError("A node of the cluster has no affectgen.", "Install the same on every node.")
    last = [line.strip() for line in text.splitlines() if line.strip()]
    return AffectgenError(f"Workers end before they begin: {last[-1][:300] if last else 'unknown why'}",
                          "Look at Ray's logs on the nodes, in /tmp/ray/session_latest/logs.")  # fmt: skip
