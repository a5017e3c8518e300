"""The gallery of a batch: what its jobs were, from their result lines and manifests."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affectgen.batch.runner import Entry
from affectgen.errors import AffectgenError
from affectgen.manifest import read_manifest
from affectgen.report.gallery import write_gallery
from affectgen.report.gallery_card import NOTES, TYPES, Card


def write_report(page: Path, entries: Sequence[Entry], lines: Sequence[Mapping[str, Any]]) -> None:
    """Write the page of a batch. lines: the result line of each job that ended."""
    told = {line["name"]: line for line in lines}
    cards = [_card(entry, told[entry.job.name]) for entry in entries if entry.job.name in told]
    write_gallery(cards, page.resolve().parent.name, page)


def _card(entry: Entry, line: Mapping[str, Any]) -> Card:
    files = {name: Path(path) for name, path in line.get("files", {}).items() if path is not None}
    piece = files.get("piece")
    sound = files.get("audio")
    if sound is None and piece is not None and piece.suffix.lower() in TYPES and piece.suffix.lower() not in NOTES:
        sound = piece
    error = line.get("error")
    again = "" if entry.work is None else shlex.join(["affectgen", *entry.work.argv])
    return Card(
        entry.job.name, entry.job.command, line["status"], entry.job.preset, line.get("seed"), line.get("seconds"),
        "" if error is None else f"{error['message']} {error['hint']}".strip(), again, line.get("asked"),
        line.get("measured"), piece, sound, _version(files.get("manifest")),
    )  # fmt: skip


def _version(manifest: Path | None) -> str | None:
    """Of the affectgen that made a piece; unknown where its manifest is gone."""
    try:
        return None if manifest is None else read_manifest(manifest).versions.get("affectgen")
    except AffectgenError:
        return None
