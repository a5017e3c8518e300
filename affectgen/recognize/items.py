"""What can be rated: files, folders of them, standard input, texts; and which kind each is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from affectgen.audio.files import AUDIO_SUFFIXES
from affectgen.errors import AffectgenError

MIDI_SUFFIXES = frozenset((".mid", ".midi", ".kar", ".smf", ".rmi"))
TEXT_SUFFIXES = frozenset((".txt", ".md", ".text"))
KINDS = ("midi", "music", "speech", "text")
SNIFFED = 4096  # bytes of a file without a telling suffix that are looked at
MOST_TEXT = 16 << 20  # bytes


@dataclass(frozen=True)
class Item:
    """One thing to rate. name: as the user gave it; source: a path, the bytes that came through a pipe, or a text."""

    name: str
    source: Path | bytes | str


def find_items(names: Sequence[str]) -> list[Item]:
    """The files that the names stand for: a folder gives all files in it, at any depth, whose suffix is that of MIDI,
    audio or text, sorted; hidden ones are left out. AffectgenError for a folder without any.
    """
    items: list[Item] = []
    for name in names:
        path = Path(name)
        if not path.is_dir():
            items.append(Item(name, path))
            continue
        found = [Item(str(inner), inner) for inner in _inside(path)]
        if not found:
            raise AffectgenError(f"The folder {name} holds no MIDI, audio or text file.", "Name another.")
        items += found
    return items


def _inside(folder: Path) -> Iterator[Path]:
    """The files to rate in a folder, sorted by path."""
    suffixes = MIDI_SUFFIXES | AUDIO_SUFFIXES | TEXT_SUFFIXES
    for home, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes:
                yield Path(home) / name


def kind_of(source: Path | bytes | str) -> str:
    """ "midi", "audio" or "text": by what the bytes begin with, else by the suffix, else by whether it is text.

    AffectgenError for a file that is not there or cannot be opened.
    """
    if isinstance(source, str):
        return "text"
    start = source[:SNIFFED] if isinstance(source, bytes) else _start(source)
    if start[:4] == b"MThd" or (start[:4] == b"RIFF" and start[8:12] == b"RMID"):
        return "midi"
    suffix = source.suffix.lower() if isinstance(source, Path) else ""
    if suffix in MIDI_SUFFIXES:
        return "midi"
    if suffix in AUDIO_SUFFIXES:
        return "audio"
    return "text" if suffix in TEXT_SUFFIXES or (start and is_text(start)) else "audio"


def is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8 without control characters; their last character may be cut."""
    for cut in range(min(4, len(data))):
        try:
            text = data[: len(data) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return not any(ord(sign) < 32 and sign not in "\t\n\r\f\v" for sign in text)
    return False


def text_of(source: Path | bytes | str) -> str:
    """The text of a file, of bytes, or itself. AffectgenError where it is not UTF-8 or too large."""
    if isinstance(source, str):
        return source
    name = str(source) if isinstance(source, Path) else "Standard input"
    data = source.read_bytes() if isinstance(source, Path) else source
    if len(data) > MOST_TEXT:
        held = f"{len(data) >> 20} MB of text; up to {MOST_TEXT >> 20} can be read"
        raise AffectgenError(f"{name} has {held}.", "Cut it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AffectgenError(f"{name} is neither MIDI nor audio nor UTF-8 text.", "Give another file.") from error


def _start(path: Path) -> bytes:
    """The first bytes of a file."""
    try:
        with path.open("rb") as file:
            return file.read(SNIFFED)
    except OSError as error:
        raise AffectgenError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
