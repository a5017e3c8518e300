"""Processes that share work: how they start, and what Ctrl-C does to them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TypeVar

from affectgen.errors import AffectgenError
from affectgen.interrupts import held_back

Given = TypeVar("Given")
Found = TypeVar("Found")


def map_in_processes(
    function: Callable[[Given], Found], items: Sequence[Given], jobs: int, chunk: int = 1
) -> Iterator[Found]:
    """`function` of every item in turn, worked out by `jobs` processes, which take `chunk` items at a time.

    On Ctrl-C each ends what it has in hand, without a word, and the rest is left; they end at once with the process
    that started them, however that ends. AffectgenError where one of them dies.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=end_with_parent)
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


def end_with_parent() -> None:
    """End this process when the one that started it is gone, even if it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for, args=(parent,), daemon=True).start()


def _wait_for(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)  # whatever it is at: nobody waits for it


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes that start in the block do not hear Ctrl-C until they end; this one hears it at the block's end.

    Nothing outside the main thread, which alone may choose, and on Windows, which has no masks.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # multiprocessing's helper, whose own start would undo the mask
    with held_back():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # new processes inherit it
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
