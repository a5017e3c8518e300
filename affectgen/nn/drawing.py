"""Batches drawn by processes of their own, so that a fast device need not wait for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

Draw = Callable[[], Any]
AHEAD = 4  # batches that each process has ready


class Draws(IterableDataset[Any]):
    """What `make(process)` draws, without end; processes are counted from 0."""

    def __init__(self, make: Callable[[int], Draw]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        draw = self.make(info.id if info is not None else 0)
        while True:
            yield draw()


def drawing(make: Callable[[int], Draw], workers: int) -> Draw:
    """A way to draw batches: `make(0)`, or for one worker or more what as many processes draw, in turn.

    The same number of workers draws the same batches in the same order. The processes end when nothing holds what is
    returned any more. Where processes can be forked safely they share the songs; elsewhere each holds a copy.
    """
    return make(0) if workers == 0 else partial(next, _drawn(make, workers))


def _drawn(make: Callable[[int], Draw], workers: int) -> Iterator[Any]:
    """Batches by processes that start with the first: a run that is finished already draws none."""
    yield from DataLoader(
        Draws(make), batch_size=None, num_workers=workers, prefetch_factor=AHEAD,
        multiprocessing_context="fork" if sys.platform == "linux" else None,
    )  # fmt: skip
