"""What a batch would do, without doing it: nothing is written, not even the folder."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from affectgen.batch.journal import FAILED, TODO, Row, read_rows
from affectgen.batch.lines import Line
from affectgen.batch.order import Work
from affectgen.batch.pool import Fault
from affectgen.batch.prepare import Plan, planned
from affectgen.batch.resume import standing
from affectgen.batch.runner import KEPT, SKIPPED, Entry
from affectgen.errors import AffectgenError


def dry_lines(
    lines: Sequence[Line], plan: Plan, folder: Path, force: bool = False, skip: bool = False
) -> Iterator[dict[str, Any]]:
    """A line for each job: its name, its status (todo, kept, skipped, failed with the reason) and its command line."""
    rows = {row.name: row for row in read_rows(folder)}
    with tempfile.TemporaryDirectory() as empty:
        place = folder if folder.is_dir() else Path(empty)
        for entry in planned(lines, plan, place):
            told = _state(entry, rows.get(entry.job.name), place, force, skip)
            yield told if entry.work is None or told["status"] == FAILED else {**told, **_whole(entry.work, folder)}


def _state(entry: Entry, row: Row | None, folder: Path, force: bool, skip: bool) -> dict[str, Any]:
    job = entry.job
    told: dict[str, Any] = {"name": job.name, "command": job.command, "preset": job.preset}
    if entry.work is None:
        error = None if entry.fault is None else entry.fault.to_json()
        return {**told, "status": FAILED, "error": error}
    try:
        found = standing(job, entry.work.order.target, row, None, folder, force, skip)
    except AffectgenError as error:  # files are in the way
        return {**told, "status": FAILED, "error": Fault.of(error).to_json()}
    status = TODO if found.kept is None else SKIPPED if found.skipped else KEPT
    return {**told, "status": status, "seed": job.values.get("seed")}


def _whole(work: Work, folder: Path) -> dict[str, Any]:
    """The command line of a job, for a person to run as it stands, and its files."""
    files = {path.name: str(folder / path.name) for path in work.order.target.files()}
    words = [word.partition("=") for word in work.argv]
    line = [f"{option}{sign}{files.get(value, value) if sign else value}" for option, sign, value in words]
    return {"line": shlex.join(["affectgen", *line]), "files": list(files.values())}
