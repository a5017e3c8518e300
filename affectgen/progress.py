"""How far long work has come, told from below to whoever shows it: the command line, or nobody.

A task that works for minutes on one result calls `tell`; what stands around it decides by `heard_by` what becomes of
it. Without that, and in other processes, nothing does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Hear = Callable[[str, float, float], None]  # what is counted ("clip"), how many are done, of how many

_HEARER: ContextVar[Hear | None] = ContextVar("affectgen.progress", default=None)


def tell(what: str, done: float, total: float) -> None:
    """Say that `done` of `total` are done: "clip", 3, 33. Parts of one count as fractions."""
    hear = _HEARER.get()
    if hear is not None:
        hear(what, done, total)


@contextmanager
def heard_by(hear: Hear) -> Iterator[None]:
    """In the block, `hear` is told of what `tell` says."""
    token = _HEARER.set(hear)
    try:
        yield
    finally:
        _HEARER.reset(token)
