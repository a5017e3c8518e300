"""Workers as the runner knows them, whether they are processes here or actors on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from affectgen.batch.order import Work
from affectgen.errors import AffectgenError, NoSpace, UsageError, shortened

LOST = "lost"  # kind of a fault: the worker ended


@dataclass(frozen=True)
class Share:
    """One job as a worker gets it. number: which of the runner's; note: what the manifest says of the job."""

    number: int
    work: Work
    note: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """Why a job failed. kind: the error's name, or LOST; message and hint as in AffectgenError."""

    kind: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Fault:
        """From an exception; one that is no AffectgenError is a fault of ours, and says so."""
        if isinstance(error, AffectgenError):
            return cls(type(error).__name__, shortened(error.message), shortened(error.hint))
        if isinstance(error, MemoryError):
            return cls("MemoryError", "The memory of this machine is used up.", "Try with fewer --jobs.")
        kind = type(error).__name__
        return cls(kind, shortened(f"Unexpected {kind}: {error}"), "Please report it.")

    @property
    def no_space(self) -> bool:
        """Whether the disk is full, which the next job will find, too."""
        return self.kind == NoSpace.__name__

    @property
    def for_good(self) -> bool:
        """Whether another try would meet the same: what was asked for cannot be."""
        return self.kind in (UsageError.__name__, "AffectError")

    def to_json(self) -> dict[str, str]:
        """For a result line."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


@dataclass(frozen=True)
class Event:
    """What a worker tells. number: of the job that is done (made: its manifest as JSON) or failed (fault). Without a
    number: begun, its models are there; lost, it ended, and may be started again by `restart`; blameless, no job of it
    can be the reason, for the machine is gone; none of these, it has done all it was given.

    seconds: that the job took; memory: most bytes the worker has held, 0 where that is not known.
    """

    worker: int
    number: int | None = None
    made: dict[str, Any] | None = None
    fault: Fault | None = None
    begun: bool = False
    lost: bool = False
    blameless: bool = False
    seconds: float = 0.0
    memory: int = 0


class Pool(Protocol):
    """Workers, each numbered from 0. Each holds the models of the last task that it was given."""

    @property
    def workers(self) -> int:
        """How many there are; more may join."""
        ...

    def ready(self, worker: int) -> bool:
        """Whether an idle worker can be given anything; one that waits for a place on a cluster cannot yet."""
        ...

    @property
    def feeds(self) -> bool:
        """Whether a worker that is at work can be given more of what flows."""
        ...

    def give(self, worker: int, shares: Sequence[Share]) -> None:
        """Let an idle worker do jobs of one task, checkpoint and device; it tells of each, and of the end. Where
        `feeds` says so, one at work can be given more of the same, which it takes up on the way or after its end."""
        ...

    def wait(self, seconds: float) -> list[Event]:
        """What is told within that time, in order; returns as soon as there is something."""
        ...

    def restart(self, worker: int) -> None:
        """End a worker, whatever it is at, and start it anew, idle."""
        ...

    def close(self) -> None:
        """End all of them."""
        ...
