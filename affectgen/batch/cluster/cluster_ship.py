"""Jobs on their way to a node that shares no disk with us, and results on their way back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from affectgen.batch.cluster.cluster_worker import Came, Hello, Piece
from affectgen.batch.making import deliver
from affectgen.batch.order import Order, Target
from affectgen.batch.pool import Event, Fault, Share
from affectgen.batch.resume import JOB
from affectgen.errors import AffectgenError
from affectgen.manifest import Setting, versions
from affectgen.output import explain
from affectgen.spooled import Spooled

APPEARS = 5.0  # seconds in which a file that a node has written must be seen here
NOWHERE = Target(None, None, None, False)
BESIDE_OUTPUT = ("clips",)  # settings that name a folder beside the output, where a session's finished clips are kept


def shipped(share: Share) -> Share:
    """A job as it goes to a node: input files as their bytes, and nothing that names a place on this machine's disk.

    AffectgenError where a file cannot be read.
    """
    settings = {name: _shipped(name, setting) for name, setting in share.work.order.settings.items()}
    return replace(share, work=replace(share.work, order=Order(settings, NOWHERE), sound={}))


def _shipped(name: str, setting: Setting) -> Setting:
    value = None if name in BESIDE_OUTPUT else _bytes_of(setting.value)
    return Setting(value, setting.origin)


def _bytes_of(value: Any) -> Any:
    """Options take bytes wherever they take a file. A folder stays a path: the nodes must have it."""
    if isinstance(value, tuple):
        return tuple(_bytes_of(part) for part in value)
    if not isinstance(value, Path) or value.is_dir():
        return value
    try:
        return value.read_bytes()
    except OSError as error:
        raise AffectgenError(f"{value} cannot be read: {error.strerror}.", "Is it still there?") from error


@dataclass
class InHand:
    """The jobs that a worker is at, and what has come of them so far. worker: its number."""

    worker: int
    _shares: dict[int, Share] = field(default_factory=dict)
    _spools: dict[int, Spooled] = field(default_factory=dict)
    _spoiled: dict[int, Fault] = field(default_factory=dict)

    def begin(self, shares: Sequence[Share]) -> None:
        """The worker is given these."""
        self.drop()
        self._shares = {share.number: share for share in shares}

    @property
    def numbers(self) -> list[int]:
        """Of the jobs that are not done."""
        return list(self._shares)

    def keep(self, piece: Piece) -> None:
        """The next bytes of a result. What fails here is told when all of it has come."""
        if piece.number in self._spoiled:
            return
        spool = self._spool(piece.number)
        try:
            with open(spool.path, "ab") as file:
                file.write(piece.data)
        except OSError as error:
            self._spoiled[piece.number] = Fault.of(explain(error, spool.path))

    def _spool(self, number: int) -> Spooled:
        if number not in self._spools:
            self._spools[number] = Spooled.empty()
        return self._spools[number]

    def deliver(self, came: Came, hello: Hello) -> Event:
        """Write a job's files here, as the worker would have; the event to tell."""
        share = self._shares.pop(came.number)
        if came.number in self._spoiled:
            self._close(came.number)
            return Event(self.worker, came.number, fault=self._spoiled.pop(came.number))
        try:
            made = self._written(share, came, hello)
        except Exception as error:
            return Event(self.worker, came.number, fault=Fault.of(error))
        finally:
            self._close(came.number)
        return Event(self.worker, came.number, made=made, seconds=came.seconds)

    def _written(self, share: Share, came: Came, hello: Hello) -> dict[str, Any]:
        result = came.result
        if came.ahead:
            spool = self._spool(came.number)
            result = replace(result, data=spool if came.spooled else spool.read())
        noted = replace(result, details={**result.details, JOB: {**share.note, **made_where(hello)}})
        work = replace(share.work, run=came.run)
        return deliver(work, noted, {"make": round(came.seconds, 3)}).manifest.to_json()

    def ended(self, event: Event) -> Event:
        """A job that ended on its node: it failed there, or its files are on a disk that all see. The event to tell."""
        if event.number is None:
            return event
        share = self._shares.pop(event.number, None)
        self._close(event.number)
        self._spoiled.pop(event.number, None)
        if event.made is None or share is None:
            return event
        missing = _unseen(share.work.order.target)
        if missing is None:
            return event
        error = AffectgenError(
            f"{missing} was written on a node, and is not to be seen here.",
            "Name a folder on a disk that all share, or let the results be sent: leave out --shared.",
        )
        return Event(self.worker, event.number, fault=Fault.of(error))

    def drop(self) -> None:
        """Nothing more will come."""
        for number in list(self._spools):
            self._close(number)
        self._shares.clear()
        self._spoiled.clear()

    def _close(self, number: int) -> None:
        spool = self._spools.pop(number, None)
        if spool is not None:
            spool.close()


def _unseen(target: Target) -> Path | None:
    """A file of a target that does not appear here; a disk on the network may show it a moment later."""
    until = time.monotonic() + APPEARS
    for path in target.files():
        while not path.exists():
            if time.monotonic() > until:
                return path
            time.sleep(0.1)
    return None


def made_where(hello: Hello) -> Mapping[str, Any]:
    """What a manifest says of the node: its name, and which of its versions are not those that are here."""
    here = versions()
    other = {name: version for name, version in hello.versions.items() if here.get(name) != version}
    return {"node": hello.host, **({"versions": other} if other else {})}
