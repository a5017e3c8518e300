"""Before a batch begins: each job is read by its command, and what is there already is told from what is to be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.batch.job import Job
from affectgen.batch.journal import Journal, Row
from affectgen.batch.lines import Line
from affectgen.batch.order import Work
from affectgen.batch.pool import Fault
from affectgen.batch.resume import clean_parts, standing
from affectgen.batch.runner import Entry
from affectgen.errors import AffectgenError

Plan = Callable[[Job, Path], Work]  # what a job's command would do, with files in a folder


@dataclass(frozen=True)
class Prepared:
    """entries: of all jobs; kept: by number, the result line of those that are not made, and whether they were
    skipped; todo: the numbers of the others."""

    entries: tuple[Entry, ...]
    kept: Mapping[int, tuple[Mapping[str, Any], bool]]
    todo: tuple[int, ...]


def planned(lines: Sequence[Line], plan: Plan, folder: Path) -> list[Entry]:
    """The entries of jobs. One whose command refuses it, or of which a file is missing, comes with its fault."""
    return [_entry(job, fault, plan, folder) for job, fault in lines]


def _entry(job: Job, fault: Fault | None, plan: Plan, folder: Path) -> Entry:
    if fault is not None:
        return Entry(job, fault=fault)
    try:
        return Entry(job, plan(job, folder))
    except AffectgenError as error:
        return Entry(job, fault=Fault.of(error))


def prepare(entries: Sequence[Entry], journal: Journal, force: bool, skip: bool) -> Prepared:
    """Tell what is there from what is to be made, enter the latter in the journal, and remove what a killed batch left
    half written. AffectgenError where somebody else's files are in the way."""
    rows = {row.name: row for row in journal.rows()}
    clean_parts(journal.folder, (path.name for entry in entries if entry.work is not None
                                 for path in entry.work.order.target.files()))  # fmt: skip
    kept: dict[int, tuple[Mapping[str, Any], bool]] = {}
    todo: list[int] = []
    for number, entry in enumerate(entries):
        found = _standing(entry, rows.get(entry.job.name), journal, force, skip)
        if found is None:
            todo.append(number)
        else:
            kept[number] = found
    journal.enter([entries[number].job for number in todo])
    return Prepared(tuple(entries), kept, tuple(todo))


def _standing(
    entry: Entry, row: Row | None, journal: Journal, force: bool, skip: bool
) -> tuple[Mapping[str, Any], bool] | None:
    if entry.work is None:
        return None
    found = standing(entry.job, entry.work.order.target, row, journal, force, skip)
    return None if found.kept is None else (found.kept, found.skipped)
