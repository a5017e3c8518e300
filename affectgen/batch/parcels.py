"""Which jobs a worker gets together: parcels that are done as a whole, and flows that are fed while they are done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from affectgen.batch.order import Work
from affectgen.task import find_task

ABREAST = 24  # jobs of a flow that a worker has at a time: those that are done side by side, and a few that wait
Model = tuple[Hashable, ...]


@dataclass(eq=False)
class Parcel:
    """Jobs by number. model: what they have in common, None where a job that failed is tried alone; flows: whether they
    are given bit by bit, for a worker takes up one when it has done another."""

    numbers: deque[int]
    model: Model | None = None
    flows: bool = False

    def begin(self, workers: int) -> list[int]:
        """What an idle worker of so many gets: of a flow so much that the others have something to do, too."""
        count = len(self.numbers)
        if self.flows:
            count = min(ABREAST, -(-count // workers))
        return [self.numbers.popleft() for _ in range(count)]


def parcels(
    numbers: Sequence[int], work_of: Callable[[int], Work | None], workers: int, feeds: bool
) -> list[Parcel]:
    """Jobs in parcels of one model each. Those that can flow are one, where workers can be fed; others are no larger
    than the task likes, and at the end small enough that every worker has something to do."""
    groups: dict[tuple[str, Model], list[int]] = {}  # by task and by all that they have in common, the flow last
    for number in numbers:
        work = work_of(number)
        if work is not None:
            model = (*model_of(work), work.flow() if feeds else None)
            groups.setdefault((work.task, model), []).append(number)
    found: list[Parcel] = []
    for (task, model), group in groups.items():
        if model[-1] is not None:
            found.append(Parcel(deque(group), model, True))
        else:
            largest = getattr(find_task(task), "together", 1)
            found += [Parcel(deque(part), model) for part in _cut(group, largest, workers)]
    return found


def _cut(group: Sequence[int], largest: int, workers: int) -> list[Sequence[int]]:
    found: list[Sequence[int]] = []
    start = 0
    while start < len(group):
        size = max(1, min(largest, -(-(len(group) - start) // workers)))
        found.append(group[start : start + size])
        start += size
    return found


def model_of(work: Work) -> Model:
    """What must agree for jobs to be done together: task, checkpoint, device and threads."""
    return (work.task, *(work.run[name].value for name in ("checkpoint", "device", "threads")))
