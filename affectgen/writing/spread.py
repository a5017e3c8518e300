"""Composing by several processes: the same pieces, sooner. A piece depends on its own options alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from affectgen.device import choose_threads, use_threads
from affectgen.processes import map_in_processes
from affectgen.writing.heard import Piece
from affectgen.writing.pieces import WIDTH


class Composes(Protocol):
    """A generator: what `affectgen.writing.hearing.Auditions` is."""

    def run(self, options: Sequence[Any]) -> Sequence[Piece]:
        """One piece for each options object."""
        ...


Build = Callable[[], Composes]  # makes a generator; equal ones make equal generators


@dataclass(frozen=True)
class Spread:
    """A generator whose pieces are composed by `jobs` processes, as many at a time as fill a batch with candidates.

    Each process builds its own generator by `build`, which must be hashable and picklable.
    """

    build: Build
    jobs: int

    def run(self, options: Sequence[Any]) -> list[Piece]:
        """One piece for each options object, in their order."""
        size = max(1, WIDTH // options[0].best_of) if options else 1
        shares = [(self.build, list(options[at : at + size])) for at in range(0, len(options), size)]
        return [piece for share in map_in_processes(_compose, shares, self.jobs) for piece in share]


def composing(build: Build, jobs: int) -> Composes:
    """The generator that `build` makes, in this process or in several."""
    return build() if jobs == 1 else Spread(build, jobs)


@lru_cache(maxsize=1)
def _built(build: Build) -> Composes:
    """A process's own generator, made once."""
    use_threads(choose_threads())
    return build()


def _compose(share: tuple[Build, list[Any]]) -> list[Piece]:
    """What one process does with its share."""
    build, options = share
    return list(_built(build).run(options))
