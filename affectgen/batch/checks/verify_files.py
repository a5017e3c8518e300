"""What there is to verify: pieces with their manifests, and what lies in a folder without the other."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from affectgen.audio.files import AUDIO_SUFFIXES
from affectgen.errors import AffectgenError
from affectgen.manifest import Manifest, file_hash, manifest_path, read_manifest
from affectgen.output import PART
from affectgen.recognize.items import MIDI_SUFFIXES

PIECES = MIDI_SUFFIXES | AUDIO_SUFFIXES
JSON = ".json"
SNIFFED = 256  # bytes within which a manifest says that it is one


class State(StrEnum):
    """How a file stands: as its manifest says, not to be checked, or what is wrong with it."""

    OK = "ok"
    UNCHECKED = "unchecked"
    MISSING = "missing"
    RENAMED = "renamed"
    CHANGED = "changed"
    DAMAGED = "damaged"
    AFFECT = "affect"
    ORPHAN = "orphan"
    LEFTOVER = "leftover"
    UNREADABLE = "unreadable"
    JOURNAL = "journal"


@dataclass(frozen=True)
class Finding:
    """What is to be told of one file.

    text: what is wrong with it; notes: what could not be checked, and why; manifest: the one that it was compared with;
    task: that made it; heard: by recogniser, {"recorded", "now", "distance", "in_file"}, the last saying whether the
    recorded reading was taken of the file itself.
    """

    path: Path
    state: State
    text: str = ""
    notes: tuple[str, ...] = ()
    manifest: Path | None = None
    task: str | None = None
    heard: Mapping[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether the file is what its manifest says."""
        return self.state == State.OK

    @property
    def bad(self) -> bool:
        """Whether something is wrong."""
        return self.state not in (State.OK, State.UNCHECKED)

    def to_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "file": str(self.path), "state": str(self.state), "text": self.text, "notes": list(self.notes),
            "manifest": None if self.manifest is None else str(self.manifest), "task": self.task,
            "heard": dict(self.heard),
        }  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A manifest to verify. piece: the file that it describes, under the name that it has now; None where that went to
    standard output; called: the name that the manifest gives it, where it is another."""

    manifest: Path
    piece: Path | None
    called: str | None = None

    @property
    def shown(self) -> Path:
        """The file that is told of."""
        return self.manifest if self.piece is None else self.piece


def find_cases(names: Sequence[Path]) -> list[Case | Finding]:
    """What folders (at any depth), manifests and pieces stand for, each once, in the order given, by path in a folder.

    AffectgenError for a folder in which there is neither a piece nor a manifest.
    """
    found: dict[Path, Case | Finding] = {}
    for name in names:
        for one in _inside(name) if name.is_dir() else [_single(name)]:
            place = one.manifest if isinstance(one, Case) else one.path
            found.setdefault(_absolute(place), one)
    return list(found.values())


def folders_of(names: Sequence[Path]) -> list[Path]:
    """The folders that are verified, with those inside them, each once."""
    found: dict[Path, Path] = {}
    for name in names:
        for home, _ in _walk(name) if name.is_dir() else ():
            found.setdefault(_absolute(home), home)
    return list(found.values())


def manifest_for(piece: Path, sha256: str | None = None) -> Path | None:
    """The manifest of a piece: the one beside it by name, else one in its folder that records the piece's hash.

    sha256: the hash, where it is known. None where there is no manifest.
    """
    beside = manifest_path(piece)
    if beside.is_file():
        return beside
    return manifest_by_hash(piece.parent, file_hash(piece) if sha256 is None else sha256)


def manifest_by_hash(folder: Path, sha256: str) -> Path | None:
    """The first manifest in a folder, by name, that records this hash of its piece."""
    for path in sorted(folder.glob(f"*{JSON}")):
        held = _looked(path)
        if held is not None and held.output.get("sha256") == sha256:
            return path
    return None


def is_manifest(path: Path) -> bool:
    """Whether a file begins as manifests do; what is no plain file, such as a pipe, is not waited for."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return begins_as_manifest(file.read(SNIFFED))
    except OSError:
        return False


def begins_as_manifest(data: bytes) -> bool:
    """The same of bytes."""
    head = data[:SNIFFED]
    return head.lstrip()[:1] == b"{" and b'"manifest"' in head


def _looked(path: Path) -> Manifest | None:
    """A manifest among other JSON files, None for one of those and for one that is damaged."""
    if not is_manifest(path):
        return None
    try:
        return read_manifest(path)
    except AffectgenError:
        return None


def _single(path: Path) -> Case | Finding:
    """One file that was named."""
    if not path.is_file():
        why = "is no file" if path.exists() else "is not there"
        return Finding(path, State.UNREADABLE, f"{path} {why}")
    manifest: Path | None = path
    if path.suffix.lower() != JSON:
        try:
            manifest = manifest_for(path)
        except OSError as error:
            return Finding(path, State.UNREADABLE, f"{path} cannot be read: {error.strerror}")
    if manifest is None:
        return Finding(path, State.ORPHAN, "no manifest describes it")
    try:
        record = read_manifest(manifest)
    except AffectgenError as error:
        return Finding(manifest, State.UNREADABLE, error.message.rstrip("."))
    if path != manifest:
        return _case(manifest, record, path)
    named = _named(record)
    piece = None if named is None else manifest.with_name(named)
    if piece is not None and not piece.is_file():
        moved = _moved(record, [each for each in manifest.parent.iterdir() if _is_piece(each)])
        piece = piece if moved is None else moved
    return _case(manifest, record, piece)


def _inside(folder: Path) -> Iterator[Case | Finding]:
    """Everything in a folder, at any depth."""
    count = 0
    for home, files in _walk(folder):
        for one in _of_folder(home, files):
            count += 1
            yield one
    if not count:
        raise AffectgenError(f"The folder {folder} holds no piece and no manifest.", "Name another.")


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """(folder, names of its files) at any depth, sorted; hidden folders are left out. AffectgenError for a folder that
    may not be looked into."""
    for home, folders, files in os.walk(folder, onerror=_closed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(home), sorted(files)


def _closed(error: OSError) -> None:
    text = f"The folder {error.filename} cannot be looked into: {error.strerror}."
    raise AffectgenError(text, "Look at its permissions.") from error


def _of_folder(home: Path, files: Sequence[str]) -> list[Case | Finding]:
    """The files of one folder, by the name that each is told under."""
    read: list[tuple[Path, Manifest]] = []
    found: list[Case | Finding] = []
    claimed: set[str] = set()
    pieces = [home / name for name in files if not name.startswith(".") and _is_piece(home / name)]
    beside = {manifest_path(piece).name for piece in pieces}
    for name in files:
        path = home / name
        if PART.fullmatch(name):
            found.append(Finding(path, State.LEFTOVER, "left over by a command that was killed, or still at work"))
        elif name.endswith(JSON) and not name.startswith(".") and (name in beside or is_manifest(path)):
            try:
                read.append((path, read_manifest(path)))
            except AffectgenError as error:
                found.append(Finding(path, State.UNREADABLE, error.message.rstrip(".")))
                claimed.add(name.removesuffix(JSON))
    claimed |= {named for _, record in read if (named := _named(record)) is not None}
    loose = [piece for piece in pieces if piece.name not in claimed]
    for path, record in read:
        named = _named(record)
        piece = None if named is None else path.with_name(named)
        if piece is not None and not piece.is_file() and (moved := _moved(record, loose)) is not None:
            piece = moved
            loose.remove(moved)
        found.append(_case(path, record, piece))
    found += [Finding(piece, State.ORPHAN, "no manifest describes it") for piece in loose]
    return sorted(found, key=lambda one: str(one.shown if isinstance(one, Case) else one.path))


def _case(manifest: Path, record: Manifest, piece: Path | None) -> Case:
    named = _named(record)
    other = piece is not None and named is not None and piece.name != named
    return Case(manifest, piece, named if other else None)


def _named(record: Manifest) -> str | None:
    """The name that a manifest gives its piece, never one of another folder."""
    name = record.output.get("path")
    return Path(name).name if isinstance(name, str) and name else None


def _moved(record: Manifest, pieces: Sequence[Path]) -> Path | None:
    """The piece that a manifest describes, under another name."""
    for piece in pieces:
        try:
            if piece.stat().st_size == record.output.get("bytes") and file_hash(piece) == record.output.get("sha256"):
                return piece
        except OSError:  # gone meanwhile, or not to be opened: not the one, as far as can be known
            continue
    return None


def _is_piece(path: Path) -> bool:
    return path.suffix.lower() in PIECES and path.is_file()


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
