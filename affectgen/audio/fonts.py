"""SoundFonts on this machine: where they are, and whether one is whole (SoundFont 2.04, sections 3-5).

FluidSynth is given no font that `check_font` refuses.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from affectgen.errors import AffectgenError
from affectgen.manifest import file_hash

VARIABLE = "AFFECTGEN_SOUNDFONT"
FOLDERS = tuple(
    Path(folder)
    for folder in (
        "/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts", "/usr/local/share/sounds/sf2",
        "/usr/local/share/sounds/sf3", "/usr/local/share/soundfonts", "/opt/homebrew/share/sounds/sf2",
        "/opt/homebrew/share/soundfonts", "/opt/homebrew/share/fluid-synth/sf2", "/usr/local/share/fluid-synth/sf2",
        "C:/soundfonts",
    )
)  # fmt: skip
OWN_FOLDERS = (
    ".local/share/sounds/sf2", ".local/share/sounds/sf3", ".local/share/soundfonts", "Library/Audio/Sounds/Banks",
)  # fmt: skip
KNOWN = ("default-gm.*", "musescore_general*", "fluidr3_gm.*", "generaluser*", "timgm6mb.*", "*")  # best first
SUFFIXES = (".sf2", ".sf3")
# tables of the chunk pdta and the sizes of their rows; each ends with a row that only marks the end
ROWS = {"phdr": 38, "pbag": 4, "pmod": 10, "pgen": 4, "inst": 22, "ibag": 4, "imod": 10, "igen": 4, "shdr": 46}
NAMES = {b"LIST", b"smpl", b"sm24", *(name.encode() for name in ROWS)}  # of chunks that may follow one of odd length
MODULATORS = ("pmod", "imod")  # written by some programs without the last row
REMEDY = "Give a whole .sf2 or .sf3 file with --soundfont."


def find_font(given: Path | None = None) -> Path | None:
    """The font to play with: `given`, else $AFFECTGEN_SOUNDFONT, else the best known one of the system's places.

    None where there is none. A font that was named is returned as it is, there or not: `check_font` tells.
    """
    if given is not None:
        return given
    named = os.environ.get(VARIABLE, "")
    if named:
        return Path(named).expanduser()
    return next(iter(list_fonts()), None)


def list_fonts() -> list[Path]:
    """The fonts in the system's places that can be read, the best known first."""
    found = [path for folder in (*FOLDERS, *_own_folders()) for path in _fonts(folder)]
    return sorted(found, key=lambda path: (_place(path), -path.stat().st_size, str(path)))


def _own_folders() -> list[Path]:
    """The places in the user's own folder, where there is such a folder."""
    home = os.path.expanduser("~")
    return [Path(home, folder) for folder in OWN_FOLDERS] if home != "~" else []


def _fonts(folder: Path) -> list[Path]:
    """The fonts in a folder that can be read; none where it cannot be listed."""
    if not os.access(folder, os.R_OK | os.X_OK) or not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return [path for path in files if path.is_file() and os.access(path, os.R_OK)]


def _place(path: Path) -> int:
    """How good a font's name is: its place in KNOWN."""
    return next(place for place, name in enumerate(KNOWN) if fnmatch(path.name.lower(), name))


def check_font(path: Path) -> None:
    """AffectgenError where a font is missing, is no SoundFont, is cut short, or lacks one of its tables."""
    try:
        with path.open("rb") as file:
            _check(file, path)
    except FileNotFoundError as error:
        raise AffectgenError(f"The SoundFont {path} is not there.", "Check the name.") from error
    except OSError as error:
        raise AffectgenError(f"The SoundFont {path} cannot be read: {error.strerror}.", REMEDY) from error


def _check(file: BinaryIO, path: Path) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise AffectgenError(f"{path} is no SoundFont: it starts with {head[:4]!r}, not as RIFF sfbk.", REMEDY)
    end = 8 + struct.unpack("<I", head[4:8])[0]
    if end > size:
        raise AffectgenError(f"The SoundFont {path} is cut short: {end} bytes were expected, not {size}.", REMEDY)
    lists: dict[str, dict[str, int]] = {}
    for name, start, length in _chunks(file, 12, end, path):
        file.seek(start)
        if name == "LIST":
            kind = file.read(4).decode("latin-1")
            inner = _chunks(file, start + 4, start + length, path)
            lists[kind] = {name: length for name, _, length in inner}
    missing = [kind for kind in ("INFO", "sdta", "pdta") if kind not in lists]
    if missing:
        raise AffectgenError(f"The SoundFont {path} lacks its chunk {missing[0]}.", REMEDY)
    if "smpl" not in lists["sdta"]:
        raise AffectgenError(f"The SoundFont {path} holds no samples.", REMEDY)
    for table, row in ROWS.items():
        length = lists["pdta"].get(table, -1)
        if length < 0:
            raise AffectgenError(f"The SoundFont {path} lacks its table {table}.", REMEDY)
        if length % row or (length == 0 and table not in MODULATORS):
            raise AffectgenError(f"The SoundFont {path} is damaged: its table {table} has {length} bytes.", REMEDY)


def _chunks(file: BinaryIO, start: int, end: int, path: Path) -> Iterator[tuple[str, int, int]]:
    """(name, where its contents start, their length) of the chunks between two places."""
    while start + 8 <= end:
        file.seek(start)
        name, length = struct.unpack("<4sI", file.read(8))
        if start + 8 + length > end:
            raise AffectgenError(f"The SoundFont {path} is damaged: a chunk goes beyond its end.", REMEDY)
        yield name.decode("latin-1"), start + 8, length
        start += 8 + length
        if length % 2:  # a byte fills it up, but where sf3convert wrote the file: then the next chunk begins at once
            file.seek(start)
            start += file.read(4) not in NAMES


def font_digest(path: Path) -> str:
    """SHA-256 of a font's bytes, in hexadecimal. AffectgenError where it cannot be read."""
    try:
        return file_hash(path)
    except OSError as error:
        raise AffectgenError(f"The SoundFont {path} cannot be read: {error.strerror}.", REMEDY) from error
