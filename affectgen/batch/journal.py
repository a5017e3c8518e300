"""What a batch remembers in its output folder: an SQLite file that a kill at any moment leaves whole.

A job is entered before it is begun and closed when all of its files are there. What a killed batch had written and not
closed is found again by the job's key in the manifest (`affectgen.batch.resume`).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from affectgen.batch.job import Job
from affectgen.errors import AffectgenError
from affectgen.output import explain

NAME = ".affectgen-batch.sqlite"
FORMAT = 1
TODO, DONE, FAILED = "todo", "done", "failed"
UNWRITABLE = ("unable to open", "readonly", "I/O")  # what SQLite says where the disk is at fault
TABLES = """
create table if not exists facts (name text primary key, value text not null);
create table if not exists jobs (
    name text primary key, key text not null, command text not null, preset text, settings text not null,
    state text not null, tries integer not null, files text not null, told text not null
);
"""


@dataclass(frozen=True)
class File:
    """A file as it was when its job was closed. name: inside the folder; changed: time of its last change, ns."""

    name: str
    size: int
    changed: int
    sha256: str


@dataclass(frozen=True)
class Row:
    """A job as the journal knows it. state: TODO, DONE or FAILED; told: the result line of what was closed."""

    name: str
    key: str
    command: str
    preset: str | None
    settings: Mapping[str, Any]
    state: str
    tries: int = 0
    files: tuple[File, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """The journal of a folder, held by one process at a time. A context manager; leaving it lets others in.

    AffectgenError where another batch is at work in the folder, where the file is none of affectgen's, and where the
    disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / NAME
        self._base = self._open()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._base.close()

    def _open(self) -> sqlite3.Connection:
        try:
            base = sqlite3.connect(self.path, timeout=0.5, isolation_level=None)
            base.execute("pragma locking_mode = exclusive")
            base.execute("pragma synchronous = full")
            base.execute("begin exclusive")
            for statement in TABLES.split(";"):
                base.execute(statement)
            base.execute("insert or ignore into facts values ('format', ?)", (str(FORMAT),))
            base.execute("commit")
        except sqlite3.Error as error:
            raise self._explained(error) from error
        found = base.execute("select value from facts where name = 'format'").fetchone()[0]
        if found != str(FORMAT):
            base.close()
            raise AffectgenError(
                f"The journal {self.path} has the format {found}, and this version reads {FORMAT}.",
                "Give another folder.",
            )
        return base

    def _explained(self, error: sqlite3.Error) -> AffectgenError:
        """The sentence for a failure of SQLite."""
        text = str(error)
        if "locked" in text:
            return AffectgenError(f"Another batch is at work in {self.folder}.", "Wait for it, or give another folder.")
        if "full" in text:
            return explain(OSError(28, text), self.path)
        if isinstance(error, sqlite3.OperationalError) and any(said in text for said in UNWRITABLE):
            return AffectgenError(f"The journal {self.path} cannot be written.", "Choose another folder.")
        return AffectgenError(
            f"{self.path} is no journal of affectgen: {text}.", "Move it away; what it says is then forgotten."
        )

    def _do(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return self._base.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def fact(self, name: str) -> str | None:
        """A fact of the folder, None where it is not known."""
        found = self._do("select value from facts where name = ?", (name,))
        return found[0][0] if found else None

    def set_fact(self, name: str, value: str) -> None:
        """Remember a fact."""
        self._do("insert or replace into facts values (?, ?)", (name, value))

    def rows(self) -> list[Row]:
        """Every job, by name."""
        return [_row(found) for found in self._do(f"select {COLUMNS} from jobs order by name")]

    def enter(self, jobs: list[Job]) -> None:
        """Enter jobs that are to be done, over what was known under their names; all of them or none."""
        self._do("begin")
        for job in jobs:
            settings = json.dumps(dict(job.values))
            self._do(
                "insert or replace into jobs values (?, ?, ?, ?, ?, ?, 0, '[]', '{}')",
                (job.name, job.key, job.command, job.preset, settings, TODO),
            )
        self._do("commit")

    def close_job(self, name: str, state: str, told: Mapping[str, Any], files: list[File]) -> None:
        """A job is done, or failed for good."""
        listed = json.dumps([[f.name, f.size, f.changed, f.sha256] for f in files])
        self._do(
            "update jobs set state = ?, tries = tries + 1, files = ?, told = ? where name = ?",
            (state, listed, json.dumps(told), name),
        )


COLUMNS = "name, key, command, preset, settings, state, tries, files, told"


def _row(found: tuple[Any, ...]) -> Row:
    files = tuple(File(*each) for each in json.loads(found[7]))
    name, key, command, preset, settings, state, tries, _, told = found
    return Row(name, key, command, preset, json.loads(settings), state, tries, files, json.loads(told))


def read_rows(folder: Path) -> Iterator[Row]:
    """The jobs of a folder's journal, by name, read without holding it; none where there is no journal.

    AffectgenError where the file is none of affectgen's, or a batch is at work.
    """
    yield from (_row(found) for found in _read(folder, f"select {COLUMNS} from jobs order by name"))


def read_fact(folder: Path, name: str) -> str | None:
    """A fact of a folder's journal, read in the same way; None where it is not known."""
    found = _read(folder, "select value from facts where name = ?", name)
    return found[0][0] if found else None


def _read(folder: Path, statement: str, *values: str) -> list[Any]:
    path = folder / NAME
    if not path.is_file():
        return []
    try:
        # what a kill left half written is taken back by whoever opens the file next, if he may write
        mode = "rw" if os.access(path, os.W_OK) and os.access(folder, os.W_OK) else "ro"
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=0.5)) as base:
            return base.execute(statement, values).fetchall()
    except sqlite3.Error as error:
        busy = "locked" in str(error)
        text = f"A batch is at work in {folder}." if busy else f"{path} is no journal of affectgen: {error}."
        raise AffectgenError(text, "Wait for it." if busy else "Move it away.") from error


def seen(path: Path, sha256: str) -> File:
    """A file that was just written, whose hash is known."""
    state = os.stat(path)
    return File(path.name, state.st_size, state.st_mtime_ns, sha256)
