"""Processes that share work: how they start, and what Ctrl-C does to them."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from affectgen.errors import AffectgenError

Given = TypeVar("Given")
Found = TypeVar("Found")


def map_in_processes(
    function: Callable[[Given], Found], items: Sequence[Given], jobs: int, chunk: int = 1
) -> Iterator[Found]:
    """`function` of every item in turn, worked out by `jobs` processes, which take `chunk` items at a time.

    On Ctrl-C each ends what it has in hand, without a word, and the rest is left. AffectgenError where one of them
    dies.
    """
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        with deaf_to_interrupts():  # the processes that start now stay so, and end when this one ends them
            results = pool.map(function, items, chunksize=chunk)
        yield from results
    except BrokenProcessPool as error:
        raise AffectgenError(
            f"One of {jobs} processes ended before its work was done; memory may have run out.",
            "Try again with fewer --jobs.",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C in the block, as do processes that start in it until they end; nothing outside the main thread,
    which alone may choose."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
