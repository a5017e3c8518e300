"""A batch's journal against the files of its folder: what it says is done must be there as it was written."""

from __future__ import annotations

from pathlib import Path

from affectgen.batch.checks.verify_files import Finding, State
from affectgen.batch.journal import DONE, FAILED, NAME, Row, read_rows
from affectgen.errors import AffectgenError
from affectgen.manifest import file_hash


def check_journal(folder: Path) -> list[Finding]:
    """What is wrong by the journal of a folder: jobs that are not done, files that are gone or are others. Empty where
    all is well, and where there is no journal."""
    try:
        return [found for row in read_rows(folder) for found in _check(row, folder)]
    except AffectgenError as error:
        return [Finding(folder / NAME, State.JOURNAL, error.message.rstrip("."))]


def _check(row: Row, folder: Path) -> list[Finding]:
    """What is wrong with one job."""
    if row.state == FAILED:
        error = row.told.get("error")
        why = f": {error['message']}" if isinstance(error, dict) and error.get("message") else ""
        return [Finding(folder / row.name, State.JOURNAL, f"the job failed{why}".rstrip("."), task=row.command)]
    if row.state != DONE:
        return [Finding(folder / row.name, State.JOURNAL, "the job is not done; run the batch again", task=row.command)]
    found = []
    for file in row.files:
        path = folder / file.name
        try:
            same = path.stat().st_size == file.size and file_hash(path) == file.sha256
            text = "" if same else "is not as the batch wrote it"
        except OSError as error:
            text = f"was written by the batch, and cannot be read: {error.strerror}"
        if text:
            found.append(Finding(path, State.JOURNAL, text, task=row.command))
    return found
