"""Pieces for options that come one by one: each is composed beside those that are being written, and given at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from affectgen.writing.given import given_piece
from affectgen.writing.heard import Piece
from affectgen.writing.hearing import Auditions, Draft, Hearing
from affectgen.writing.options import ComposeOptions
from affectgen.writing.pieces import Composed, Finished

if TYPE_CHECKING:
    from affectgen.score.grid import GridScore

Option = TypeVar("Option", bound=ComposeOptions)
Heard = TypeVar("Heard", bound=Piece)


class FlowWriter(Protocol):
    """What composes requests as they come."""

    def compose_flow(self, more: Callable[[], Mapping[int, Any]], finished: Finished) -> None:
        """Compose what `more` gives, a try at a time, each request told to `finished` when it ends."""
        ...


@dataclass
class Work(Generic[Option, Heard]):
    """The tries of one options object. number: as it came; owner: of all its requests."""

    number: int
    owner: int
    option: Option
    given: GridScore | None
    tried: int = 0
    kept: Heard | None = None

    @property
    def over(self) -> bool:
        """Whether a try has left a good piece, or none is left."""
        return self.kept is not None and (self.kept.good or self.tried == self.option.tries)

    def next_try(self) -> Hearing[Option, Heard]:
        """The hearing of the next try."""
        first = self.tried * self.option.best_of
        drafts = tuple(Draft(number, self.option.bars) for number in range(first, first + self.option.best_of))
        self.tried += 1
        return Hearing(self.owner, self.option, self.given, drafts, self.kept)


@dataclass
class Flow(Generic[Option, Heard]):
    """The pieces that auditions make for what `take` gives, which all can be composed side by side.

    Each try is a request's worth of candidates, heard when the last of them ends, as `Auditions.run` hears them.
    """

    auditions: Auditions[Option, Heard]
    take: Callable[[], tuple[int, Option] | None]
    give: Callable[[int, Option, Heard], None]
    again: deque[Work[Option, Heard]] = field(default_factory=deque)  # whose last try left nothing good
    places: dict[int, tuple[Work[Option, Heard], Hearing[Option, Heard], int]] = field(default_factory=dict)
    requests: int = 0
    owners: int = 0

    def run(self, writer: FlowWriter) -> None:
        """Until nothing is left."""
        writer.compose_flow(self.more, self.finished)

    def more(self) -> Mapping[int, Any]:
        """The requests of one more try, by numbers of their own; none where there is none now."""
        work = self.again.popleft() if self.again else self._taken()
        if work is None:
            return {}
        hearing = work.next_try()
        found = {}
        for place, draft in enumerate(hearing.drafts):
            found[self.requests] = self.auditions.request(hearing, draft)
            self.places[self.requests] = work, hearing, place
            self.requests += 1
        return found

    def _taken(self) -> Work[Option, Heard] | None:
        taken = self.take()
        if taken is None:
            return None
        number, option = taken
        self.owners += 1
        return Work(number, self.owners, option, given_piece(option))

    def finished(self, number: int, composed: Composed) -> Collection[int]:
        """A candidate has ended. Of one try, none is needless."""
        work, hearing, place = self.places.pop(number)
        hearing.finished[place] = composed
        self.auditions.hear(hearing)
        if len(hearing.heard) == len(hearing.drafts):
            self._judged(work, hearing.result)
        return ()

    def _judged(self, work: Work[Option, Heard], kept: Heard) -> None:
        """A try is through."""
        work.kept = kept
        if not work.over:
            self.again.append(work)
            return
        self.auditions.forget(work.option)
        self.give(work.number, work.option, kept)
