"""What a batch would do, without doing it: nothing is written, not even the folder."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from affectgen.batch.journal import DONE, FAILED, TODO, read_rows
from affectgen.batch.lines import Line
from affectgen.batch.prepare import Plan, planned
from affectgen.batch.runner import KEPT, Entry


def dry_lines(lines: Sequence[Line], plan: Plan, folder: Path) -> Iterator[dict[str, Any]]:
    """A line for each job: its name, its status (todo, kept, or failed with the reason) and its command line."""
    done = {row.name: row.key for row in read_rows(folder) if row.state == DONE}
    with tempfile.TemporaryDirectory() as empty:
        for entry in planned(lines, plan, folder if folder.is_dir() else Path(empty)):
            yield _line(entry, done.get(entry.job.name) == entry.job.key)


def _line(entry: Entry, done: bool) -> dict[str, Any]:
    job = entry.job
    told: dict[str, Any] = {"name": job.name, "command": job.command, "preset": job.preset}
    if entry.work is None:
        error = None if entry.fault is None else entry.fault.to_json()
        return {**told, "status": FAILED, "error": error}
    shown = shlex.join(["affectgen", *entry.work.argv])
    target = entry.work.order.target
    return {
        **told, "status": KEPT if done else TODO, "seed": job.values.get("seed"), "line": shown,
        "files": [path.name for path in target.files()],
    }  # fmt: skip
