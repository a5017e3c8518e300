"""Folders of transcribed speech as they are read, and the evaluation set as it is written."""

from __future__ import annotations

import csv
import json
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.audio.files import is_audio_name
from affectgen.errors import AffectgenError
from affectgen.output import check_output, explain, prepare_folder
from affectgen.speech.dataset.sentences import LEFT_OUT, SPLITS, Item, Spoken

MANIFEST, LIST, ABOUT = "manifest.csv", "items.jsonl", "about.json"
TEXTS = (".txt", ".lab")  # what a transcript beside a recording ends with
ALONE = "speaker"  # of recordings that lie in the folder itself


@dataclass(frozen=True)
class Folder:
    """spoken: what can be used; skipped: how many recordings cannot be, by why."""

    spoken: tuple[Spoken, ...]
    skipped: dict[str, int]


def read_folder(folder: Path) -> Folder:
    """The recordings of a folder with manifest.csv (columns file, text; speaker, emotion, lang, flag where there are),
    or else of audio files with a .txt or .lab of the same name beside them, whose speaker is the folder they lie in.

    AffectgenError where there is neither, where a column or a file is missing, or where nothing can be used.
    """
    if not folder.is_dir():
        raise AffectgenError(f"{folder} is no folder.", "Give one with recordings and their texts.")
    skipped: Counter[str] = Counter()
    table = folder / MANIFEST
    found = _listed(table, skipped) if table.is_file() else _beside(folder, skipped)
    if not found:
        told = ", ".join(f"{count} {why}" for why, count in skipped.items()) or "no audio file has one beside it"
        raise AffectgenError(
            f"{folder} holds no recording with an English text: {told}.",
            f"Add {MANIFEST} with the columns file,speaker,text, or a .txt beside each recording.",
        )
    return Folder(tuple(found), dict(skipped))


def _listed(table: Path, skipped: Counter[str]) -> list[Spoken]:
    found: list[Spoken] = []
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AffectgenError(f"{table} is no table in UTF-8: {error}.", "Write it anew as CSV.") from error
    for column in ("file", "text"):
        if rows and column not in rows[0]:
            raise AffectgenError(f"{table} has no column {column!r}.", "It needs file and text, and speaker if known.")
    for row in rows:
        why = _fault(row)
        if why:
            skipped[why] += 1
            continue
        path = table.parent / row["file"]
        if not path.is_file():
            raise AffectgenError(f"{table} names {row['file']}, which is not there.", "Correct the list.")
        found.append(Spoken(path, row.get("speaker") or ALONE, row["text"].strip(), row.get("emotion") or ""))
    return found


def _fault(row: dict[str, Any]) -> str:
    """Why a row of a list is left out, "" if it is not."""
    if row.get("flag"):
        return "flagged as bad"
    if row.get("lang") and not row["lang"].lower().startswith("en"):
        return "not English"
    return "" if (row["text"] or "").strip() else "without a text"


def _beside(folder: Path, skipped: Counter[str]) -> list[Spoken]:
    found: list[Spoken] = []
    for path in sorted(path for path in folder.rglob("*") if is_audio_name(path) and path.is_file()):
        texts = [path.with_suffix(ending) for ending in TEXTS if path.with_suffix(ending).is_file()]
        if not texts:
            skipped["without a text"] += 1
            continue
        try:
            text = " ".join(texts[0].read_text(encoding="utf-8-sig").split())
        except UnicodeDecodeError as error:
            raise AffectgenError(f"{texts[0]} is no text in UTF-8.", "Write it anew.") from error
        if not text:
            skipped["without a text"] += 1
            continue
        speaker = path.parent.relative_to(folder).as_posix()
        found.append(Spoken(path, ALONE if speaker == "." else speaker, text))
    return found


def check_place(folder: Path, force: bool) -> None:
    """AffectgenError where the set cannot be written there: a folder that holds anything else than such a set, which
    `force` replaces."""
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / ABOUT).is_file() or not (folder / LIST).is_file():
            raise AffectgenError(f"{folder} holds something else.", "Give a new folder.")
        if not force:
            raise AffectgenError(f"{folder} holds a set already.", "Give another folder, or --force to replace it.")
    elif folder.exists() and not folder.is_dir():
        raise AffectgenError(f"{folder} is a file, and a folder was expected.", "Give another name.")
    elif not folder.exists():
        check_output(folder)


def write_set(folder: Path, items: Sequence[Item], about: dict[str, Any], link: bool, force: bool) -> None:
    """Write the set whole or not at all. link: recordings are linked to where they lie instead of copied.

    AffectgenError as `check_place`.
    """
    check_place(folder, force)
    folder = folder.absolute()
    part = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    try:
        prepare_folder(part)
        _fill(part, items, about, link)
        if folder.is_dir():
            old = part.with_suffix(".old")
            os.replace(folder, old)
            os.replace(part, folder)
            shutil.rmtree(old)
        else:
            os.replace(part, folder)
    except OSError as error:
        raise explain(error, folder) from error
    finally:
        if part.is_dir():
            shutil.rmtree(part)


def _fill(home: Path, items: Sequence[Item], about: dict[str, Any], link: bool) -> None:
    lines = []
    for item in items:
        raw = f"{item.folder}/raw/{item.name}{item.recording.file.suffix.lower()}"
        _put(item.recording.file, home / raw, link)
        acted = None
        if item.acted is not None:
            acted = f"{item.folder}/acted/{item.name}{item.acted.file.suffix.lower()}"
            _put(item.acted.file, home / acted, link)
        text = home / item.folder / "text" / f"{item.name}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(f"{item.variant.text}\n", encoding="utf-8")
        lines.append(json.dumps(item.to_json(raw, acted), ensure_ascii=False))
    (home / LIST).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for split in (*SPLITS, LEFT_OUT):
        names = "".join(f"{item.name}\n" for item in items if item.split == split)
        (home / f"{split}.txt").write_text(names, encoding="utf-8")
    (home / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _put(source: Path, target: Path, link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        target.symlink_to(source.resolve())
    else:
        shutil.copyfile(source, target)
