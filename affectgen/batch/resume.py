"""What of a batch is there already: done before, written by a batch that was killed, or somebody else's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, File, Journal, Row, seen
from affectgen.batch.order import Target
from affectgen.errors import AffectgenError
from affectgen.manifest import Manifest, file_hash, read_manifest

JOB = "job"  # key of a manifest's details that holds the job's
PART = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part")


@dataclass(frozen=True)
class Standing:
    """How a job stands. kept: the result line of one that is done or is left alone, None for one to be made."""

    kept: Mapping[str, Any] | None = None
    skipped: bool = False


def standing(job: Job, target: Target, row: Row | None, journal: Journal, force: bool, skip: bool) -> Standing:
    """Whether a job needs to be made. force: make it anew where somebody else's files lie; skip: leave those.

    AffectgenError where files are in the way.
    """
    own = row is not None and row.key == job.key
    if own and row is not None and row.state == DONE and _as_recorded(journal.folder, row.files):
        return Standing(row.told)
    there = [path for path in target.files() if path.exists()]
    if not there:
        return Standing()
    if own:  # begun by a batch that was killed, or changed since
        found = _adopted(job, target, journal) if row is not None and row.state != DONE else None
        return Standing(found)
    if skip:
        return Standing({"name": job.name, "command": job.command, "files": _named(target)}, skipped=True)
    if force:
        return Standing()
    why = "was made from other settings" if row is not None else "exists already"
    raise AffectgenError(
        f"{there[0]} {why}.", "--force makes it anew, --skip-existing leaves it; or give another folder."
    )


def _named(target: Target) -> dict[str, str | None]:
    return {name: None if path is None else str(path) for name, path in target.named().items()}


def _as_recorded(folder: Path, files: Sequence[File]) -> bool:
    """Whether files are what they were; those whose time of change is another are hashed."""
    for file in files:
        path = folder / file.name
        try:
            state = path.stat()
        except OSError:
            return False
        if state.st_size != file.size or (state.st_mtime_ns != file.changed and file_hash(path) != file.sha256):
            return False
    return bool(files)


def _adopted(job: Job, target: Target, journal: Journal) -> Mapping[str, Any] | None:
    """The result line of a job whose files are all there although the journal was not told, None where they are not."""
    if target.manifest is None or target.piece is None or not all(path.is_file() for path in target.files()):
        return None
    try:
        manifest = read_manifest(target.manifest)
    except AffectgenError:  # cut short, or another's: the job is made anew
        return None
    note = manifest.details.get(JOB)
    if not isinstance(note, dict) or note.get("key") != job.key:
        return None
    if file_hash(target.piece) != manifest.output["sha256"]:
        return None
    told = result_line(job, target, manifest, sum(manifest.seconds.values()))
    journal.close_job(job.name, DONE, told, files_of(target))
    return told


def files_of(target: Target) -> list[File]:
    """The files of a job as they are now."""
    return [seen(path, file_hash(path)) for path in target.files()]


def result_line(job: Job, target: Target, manifest: Manifest, seconds: float) -> dict[str, Any]:
    """What is told of a job that is done, JSON-able."""
    seed = manifest.settings["seed"].value if "seed" in manifest.settings else None
    return {
        "name": job.name, "status": DONE, "command": job.command, "preset": job.preset, "seed": seed,
        "files": _named(target), "sha256": manifest.output["sha256"], "asked": manifest.asked,
        "measured": dict(manifest.measured), "seconds": round(seconds, 3),
    }  # fmt: skip


def clean_parts(folder: Path, names: Iterable[str]) -> int:
    """Remove the temporary files that a killed batch left for files of these names; how many there were.

    Only whoever holds the folder's journal may call this."""
    wanted, count = set(names), 0
    for path in folder.iterdir():
        found = PART.fullmatch(path.name)
        if found is not None and found[1] in wanted:
            path.unlink(missing_ok=True)
            count += 1
    return count
