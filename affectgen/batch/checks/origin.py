"""How a file was made: by the manifest beside it, by one in its folder that records its hash, or by what it carries.

MIDI files carry no words of ours but the mark of played pieces; sound carries tags.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.batch.checks.origin_facts import FileFacts, facts_of
from affectgen.batch.checks.origin_line import retold
from affectgen.batch.checks.verify_files import begins_as_manifest, is_manifest, manifest_for
from affectgen.errors import AffectgenError
from affectgen.manifest import Manifest, file_hash, manifest_of, manifest_path, read_manifest

COMMENT = re.compile(r"affectgen (?P<version>\d[\w.+-]*): (?P<words>.+)", re.DOTALL)  # of sound beside a piece
EDITED = re.compile(r"edited with (?P<words>affectgen speech \w+)")
BESIDE, BY_HASH, ITSELF = "manifest beside it", "manifest in its folder", "manifest"
TAGS, MARK, NOTHING = "tags", "mark", "nothing"


@dataclass(frozen=True)
class Origin:
    """What can be said of a file.

    path: None for standard input; known_by: how its making is known: BESIDE, BY_HASH, ITSELF, TAGS, MARK or NOTHING;
    facts: of the file, None where it is gone (a manifest without its piece); manifest, record: where it has one;
    changed: whether it is not what the manifest describes; told: what the file itself says.
    """

    path: Path | None
    known_by: str
    facts: FileFacts | None
    manifest: Path | None = None
    record: Manifest | None = None
    changed: bool = False
    told: str | None = None

    @property
    def command(self) -> str | None:
        """A command line that makes the same piece, for a shell; None where it is not known."""
        return None if self.record is None else retold(self.record)

    @property
    def replay(self) -> str | None:
        """The command that makes the same bytes again; None without a manifest."""
        return None if self.manifest is None else f"affectgen replay {shlex.quote(str(self.manifest))}"

    def to_json(self) -> dict[str, Any]:
        """As one JSON object."""
        record = self.record
        return {
            "file": None if self.path is None else str(self.path), "known_by": self.known_by, "changed": self.changed,
            "facts": None if self.facts is None else self.facts.to_json(), "told": self.told,
            "manifest": None if self.manifest is None else str(self.manifest),
            "made": None if record is None else record.to_json(), "command": self.command, "replay": self.replay,
        }  # fmt: skip


def origin_of(source: Path | bytes) -> Origin:
    """What can be said of a file, a manifest, or the bytes of standard input.

    AffectgenError where the file cannot be read, or is a damaged manifest; MidiError or AudioError where it is
    damaged and nothing says how it was made.
    """
    if isinstance(source, Path):
        return _of_manifest(source) if is_manifest(source) else _of_file(source)
    record = _piped(source)
    return _by_itself(None, facts_of(source)) if record is None else Origin(None, ITSELF, None, None, record)


def _piped(data: bytes) -> Manifest | None:
    """The manifest that came through a pipe, None for anything else."""
    if not begins_as_manifest(data):
        return None
    try:
        return manifest_of(json.loads(data))
    except ValueError as error:
        raise AffectgenError(f"Standard input is a damaged manifest: {error}.", "Give it as it was written.") from error


def _of_manifest(path: Path) -> Origin:
    """A manifest, and what became of its piece."""
    record = read_manifest(path)
    named = record.output.get("path")
    piece = path.with_name(Path(named).name) if isinstance(named, str) and named else None
    if piece is None or not piece.is_file():
        return Origin(path, ITSELF, None, path, record)
    return Origin(path, ITSELF, facts_of(piece, damaged=True), path, record, changed=_changed(record, piece))


def _of_file(path: Path) -> Origin:
    """A piece, or any other file."""
    try:
        sha256 = file_hash(path)
        manifest = manifest_for(path, sha256)
    except OSError as error:
        raise AffectgenError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    if manifest is None:
        return _by_itself(path, facts_of(path))
    record = read_manifest(manifest)
    known_by = BESIDE if manifest == manifest_path(path) else BY_HASH
    changed = record.output.get("sha256") != sha256
    return Origin(path, known_by, facts_of(path, damaged=True), manifest, record, changed=changed)


def _by_itself(path: Path | None, facts: FileFacts) -> Origin:
    """A file without a manifest: what it carries."""
    comment = facts.tags.get("comment", "")
    found = COMMENT.search(comment)
    if found is not None:
        told = f"affectgen {found['version']} made it by: affectgen {found['words'].strip()}"
        return Origin(path, TAGS, facts, told=told)
    edits = [edit["words"] for edit in EDITED.finditer(comment)]
    if edits:
        return Origin(path, TAGS, facts, told=f"edited with {', then '.join(edits)}")
    if facts.played:
        return Origin(path, MARK, facts, told="a generator of affectgen composed it: it carries the mark of its grid")
    return Origin(path, NOTHING, facts)


def _changed(record: Manifest, piece: Path) -> bool:
    return file_hash(piece) != record.output.get("sha256")


def differing(record: Manifest) -> Sequence[tuple[str, Any, str]]:
    """(name, value, where it came from) of the settings that are not defaults, and of what the piece was made with."""
    settings = [(name, one.value, one.origin) for name, one in record.settings.items() if one.origin != "default"]
    run = [(name, one.value, one.origin) for name, one in record.run.items() if one.origin != "default"]
    return [*settings, *run]


def input_name(value: Any) -> Any:
    """A setting's value for a person: an input file as its path."""
    if isinstance(value, Mapping) and set(value) == {"path", "sha256"}:
        return "standard input" if value["path"] is None else value["path"]
    if isinstance(value, list):
        return ", ".join(str(input_name(each)) for each in value)
    return value
