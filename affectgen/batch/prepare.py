"""Before a batch begins: each job is read by its command, and what is there already is told from what is to be made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, Journal, Row
from affectgen.batch.lines import Line
from affectgen.batch.order import Work
from affectgen.batch.pool import Fault
from affectgen.batch.resume import as_recorded, clean_parts, standing
from affectgen.batch.runner import Entry, file_names
from affectgen.errors import AffectgenError, UsageError
from affectgen.manifest import digest, file_hash

NOT_TELLING = ("clips", "jobs")  # settings that no byte of a piece depends on
Plan = Callable[[Job, Path], Work]  # what a job's command would do, with files in a folder


@dataclass(frozen=True)
class Prepared:
    """entries: of all jobs; kept: by number, the result line of those that are not made, and whether they were
    skipped; todo: the numbers of the others."""

    entries: tuple[Entry, ...]
    kept: Mapping[int, tuple[Mapping[str, Any], bool]]
    todo: tuple[int, ...]


def planned(lines: Sequence[Line], plan: Plan, folder: Path) -> list[Entry]:
    """The entries of jobs. One whose command refuses it, of which a file is missing, or which would write another job's
    file, comes with its fault."""
    taken: dict[str, str] = {}
    return [_entry(job, fault, plan, folder, taken) for job, fault in lines]


def _entry(job: Job, fault: Fault | None, plan: Plan, folder: Path, taken: dict[str, str]) -> Entry:
    if fault is not None:
        return Entry(job, fault=fault)
    try:
        work = plan(job, folder)
        for path in work.order.target.files():
            if path.parent != folder:
                text = f"{job.place}: {path.parent} is a folder, and a file of the job {job.name} would have that name."
                raise UsageError(text, "Give another name.")
            other = taken.setdefault(path.name.casefold(), job.name)  # some disks do not tell a from A
            if other != job.name:
                raise UsageError(f"{job.place}: {path.name} is a file of the job {other}, too.", "Give another name.")
        return Entry(replace(job, sealed=seal(job, work)), work)
    except AffectgenError as error:
        return Entry(job, fault=Fault.of(error))


def seal(job: Job, work: Work) -> str:
    """What tells a planned job from others, 64 hexadecimal digits: its name and files, and all that they depend on; of
    input files, what they hold."""
    settings = {name: _held(each.value) for name, each in work.order.settings.items() if name not in NOT_TELLING}
    sound = {name: each.value for name, each in work.sound.items()}
    files = [path.name for path in work.order.target.files()]
    told = [work.task, job.name, files, settings, sound, work.run["checkpoint"].value]
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _held(value: Any) -> Any:
    """A setting's value, of an input file the hash."""
    if isinstance(value, Path):
        return file_hash(value) if value.is_file() else str(value)
    if isinstance(value, bytes):
        return digest(value)
    return [_held(one) for one in value] if isinstance(value, tuple | list) else value


def prepare(entries: Sequence[Entry], journal: Journal, force: bool, skip: bool) -> Prepared:
    """Tell what is there from what is to be made, enter the latter in the journal, and remove what a killed batch left
    half written. A job in whose way somebody else's files are comes with that as its fault."""
    rows = {row.name: row for row in journal.rows()}
    clean_parts(journal.folder, file_names(entries))
    kept: dict[int, tuple[Mapping[str, Any], bool]] = {}
    todo: list[int] = []
    told = list(entries)
    for number, entry in enumerate(entries):
        try:
            found = _standing(entry, rows.get(entry.job.name), journal, force, skip)
        except AffectgenError as error:
            found, told[number] = None, Entry(entry.job, fault=Fault.of(error))
        if found is None:
            todo.append(number)
        else:
            kept[number] = found
    journal.enter([told[number].job for number in todo if told[number].work is not None])
    return Prepared(tuple(told), kept, tuple(todo))


def _standing(
    entry: Entry, row: Row | None, journal: Journal, force: bool, skip: bool
) -> tuple[Mapping[str, Any], bool] | None:
    job = entry.job
    if entry.work is None:  # what it worked on may be gone since it was done
        same = row is not None and (row.command, row.settings) == (job.command, dict(job.values))
        done = same and row is not None and row.state == DONE and as_recorded(journal.folder, row.files)
        return (row.told, False) if done and row is not None else None
    found = standing(job, entry.work.order.target, row, journal, journal.folder, force, skip)
    return None if found.kept is None else (found.kept, found.skipped)
