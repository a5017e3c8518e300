"""What a person is told of a batch: how far it is, and the table at its end."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from affectgen.batch.journal import DONE, FAILED
from affectgen.batch.runner import KEPT, Tally

WIDTH = 20  # characters of the bar
HEAD = ("preset or command", "made", "kept", "failed", "s each", "distance")
NAMELESS = "faulty lines"  # the row of lines of JSON that name no command


@dataclass
class Pace:
    """How fast jobs are done. began: on the clock of time.monotonic."""

    began: float = field(default_factory=time.monotonic)

    def line(self, tally: Tally) -> str:
        """A bar, how many failed, jobs a minute, and the time left."""
        full = round(WIDTH * tally.ended / max(tally.total, 1))
        parts = [f"[{'#' * full}{'.' * (WIDTH - full)}] {tally.ended} of {tally.total}"]
        if tally.failed:
            parts.append(f"{tally.failed} failed")
        worked = tally.done + tally.failed
        seconds = time.monotonic() - self.began
        if worked and seconds > 0:
            parts.append(f"{60 * worked / seconds:.1f} a minute")
            left = math.ceil((tally.total - tally.ended) * seconds / worked)
            if left:
                parts.append(f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left")
        return ", ".join(parts)

    def summary(self, tally: Tally) -> str:
        """The table and the last line."""
        seconds = time.monotonic() - self.began
        rate = f", {60 * tally.done / seconds:.1f} a minute" if tally.done and seconds > 0 else ""
        memory = f"; most memory of a worker {tally.memory / 2**20:.0f} MiB" if tally.memory else ""
        skipped = f", {tally.skipped} skipped" if tally.skipped else ""
        last = f"{tally.done} made, {tally.kept} kept{skipped}, {tally.failed} failed in {seconds:.1f} s{rate}{memory}"
        return "\n".join([*_table(tally.lines), last])


def _table(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """A row for each preset, or command where there is none, and one for lines that name neither."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        preset, command = line.get("preset"), line["command"] if line["command"] else NAMELESS
        groups.setdefault(str(command if preset is None else preset), []).append(line)
    rows = [HEAD, *(_row(name, group) for name, group in groups.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:],
            strict=True))]) for row in rows]  # fmt: skip


def _row(name: str, group: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    made = [line for line in group if line["status"] == DONE]
    seconds = [line["seconds"] for line in made]
    gaps = [gap for line in group if (gap := distance(line)) is not None]
    counts = (len([line for line in group if line["status"] == status]) for status in (DONE, KEPT, FAILED))
    return (
        name, *(str(count) for count in counts), f"{sum(seconds) / len(seconds):.1f}" if seconds else "-",
        f"{sum(gaps) / len(gaps):.2f}" if gaps else "-",
    )  # fmt: skip


def distance(line: Mapping[str, Any]) -> float | None:
    """From the affect asked to the one measured, None where there are not both, or a path was asked."""
    asked, measured = line.get("asked"), line.get("measured")
    if not isinstance(asked, Mapping) or not isinstance(measured, Mapping):
        return None
    places = [[each.get(name) for name in ("valence", "arousal")] for each in (asked, measured)]
    points = [[float(value) for value in place if isinstance(value, int | float)] for place in places]
    return math.dist(*points) if all(len(point) == 2 for point in points) else None
