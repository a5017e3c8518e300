"""What of a batch is there already: done before, written by a batch that was killed, or somebody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.batch.job import Job
from affectgen.batch.journal import DONE, File, Journal, Row, seen
from affectgen.batch.order import Target
from affectgen.errors import AffectgenError
from affectgen.manifest import Manifest, file_hash, read_manifest
from affectgen.output import PART

JOB = "job"  # key of a manifest's details that holds the job's


@dataclass(frozen=True)
class Standing:
    """How a job stands. kept: the result line of one that is done or is left alone, None for one to be made."""

    kept: Mapping[str, Any] | None = None
    skipped: bool = False


def standing(
    job: Job, target: Target, row: Row | None, journal: Journal | None, folder: Path, force: bool, skip: bool
) -> Standing:
    """Whether a job needs to be made. force: make it anew where somebody else's files lie; skip: leave those; journal:
    None where one only asks, and nothing is to be changed.

    A job's own files that are not whole, or were changed since, go (a changed piece stays where files are left), and
    with force the manifests of others', so that nothing of them is ever taken for new. AffectgenError where files are
    in the way.
    """
    own = row is not None and row.key == job.key
    if own and row is not None and row.state == DONE:
        return _done_before(job, target, row, journal, folder, skip)
    there = [path for path in target.files() if path.exists()]
    if not there:
        return Standing()
    begun = _manifest_of(job, target)
    if begun is not None:  # by a batch that was killed, or whose journal is lost
        told = _adopted(job, target, begun, journal) if own or row is None else None
        return _remade(target.files(), journal) if told is None else Standing(told)
    if skip and target.piece is not None and target.piece.exists():
        return Standing(skipped_line(job, target), skipped=True)
    if force:
        return _remade([path for path in (target.manifest, target.audio_manifest) if path is not None], journal)
    why = "was made from other settings" if row is not None and not own else "exists already"
    raise AffectgenError(
        f"{there[0]} {why}.", "--force makes it anew, --skip-existing leaves it; or give another folder."
    )


def _done_before(
    job: Job, target: Target, row: Row, journal: Journal | None, folder: Path, skip: bool
) -> Standing:  # fmt: skip
    """A job that the journal knows as done: kept, unless a file of it is gone or was changed since."""
    if as_recorded(folder, row.files):
        return Standing({**row.told, "files": _named(target)})
    piece = target.piece
    held = [file for file in row.files if piece is not None and file.name == piece.name]
    if skip and piece is not None and piece.exists() and not as_recorded(folder, held):
        return Standing(skipped_line(job, target), skipped=True)
    return _remade(target.files(), journal)


def _remade(paths: Sequence[Path], journal: Journal | None) -> Standing:
    """To be made; these files go first."""
    for path in paths if journal is not None else ():
        path.unlink(missing_ok=True)
    return Standing()


def skipped_line(job: Job, target: Target) -> dict[str, Any]:
    """The result line of a job whose place is taken by a file that is left alone."""
    return {"name": job.name, "command": job.command, "preset": job.preset, "seed": job.values.get("seed"),
            "files": _named(target)}  # fmt: skip


def _named(target: Target) -> dict[str, str | None]:
    return {name: None if path is None else str(path) for name, path in target.named().items()}


def as_recorded(folder: Path, files: Sequence[File]) -> bool:
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


def _manifest_of(job: Job, target: Target) -> Manifest | None:
    """The manifest that lies there, if this job wrote it."""
    if target.manifest is None:
        return None
    try:
        manifest = read_manifest(target.manifest)
    except AffectgenError:  # cut short, or another's: the job is made anew
        return None
    note = manifest.details.get(JOB)
    return manifest if isinstance(note, dict) and note.get("key") == job.key else None


def _adopted(job: Job, target: Target, manifest: Manifest, journal: Journal | None) -> Mapping[str, Any] | None:
    """The result line of a job whose files are all there although the journal was not told, None where they are not."""
    if target.piece is None or not all(path.is_file() for path in target.files()):
        return None
    if file_hash(target.piece) != manifest.output["sha256"]:
        return None
    if target.audio is not None and target.audio_manifest is not None:
        try:
            sound = read_manifest(target.audio_manifest)
        except AffectgenError:
            return None
        if file_hash(target.audio) != sound.output["sha256"]:
            return None
    told = result_line(job, target, manifest, sum(manifest.seconds.values()))
    if journal is not None:
        journal.enter([job])
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
