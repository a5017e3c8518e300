"""Where presets are found: by their names in the folders of presets, or by their paths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from affectgen.batch.spec import nearest
from affectgen.errors import AffectgenError, UsageError
from affectgen.paths import preset_roots

SUFFIX = ".toml"


def preset_paths() -> dict[str, Path]:
    """Every preset that can be found by name, by its name; the first folder that knows one wins."""
    found: dict[str, Path] = {}
    for root in preset_roots():
        for path in sorted(path for path in root.glob(f"*{SUFFIX}") if not path.is_fifo()):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def is_path(text: str) -> bool:
    """Whether somebody means a file rather than a preset's name."""
    return text.endswith(SUFFIX) or os.sep in text or "/" in text


def preset_path(name_or_path: str, folder: Path = Path()) -> Path:
    """The file of a preset. folder: where relative paths start.

    UsageError for a name that nobody has, AffectgenError for a path at which no file lies; both with what to say
    instead.
    """
    known = preset_paths()
    path = folder / os.path.expanduser(name_or_path)
    if not is_path(name_or_path):
        if name_or_path in known:
            return known[name_or_path]
        others = nearest(name_or_path, known) if known else "There is none; name a file: ./mine.toml"
        raise UsageError(f"There is no preset {name_or_path!r}.", _meant(name_or_path, path, known) or others)
    meant = _meant(name_or_path, path, known)
    if os.path.isdir(path):
        text = f"{name_or_path} is a folder, and a preset's file was expected."
        raise AffectgenError(text, meant or "It holds no preset; name a file.")
    if not os.path.lexists(path):
        raise AffectgenError(f"There is no file {name_or_path}.", meant or "Check the path.")
    return path


def _meant(text: str, path: Path, known: Mapping[str, Path]) -> str:
    """What to say instead of something that is no preset: its file with the ending, a file in the folder that it is, or
    the preset of its name; "" where nothing is near. path: of the file that the text would name."""
    said = text.rstrip("/") if is_path(text) else f"./{text}"
    if os.path.isfile(f"{path}{SUFFIX}"):
        return f"Say: {said}{SUFFIX}"
    inside = sorted(path.glob(f"*{SUFFIX}")) if os.path.isdir(path) else []
    if inside:
        return f"Say which file of the folder: {os.path.normpath(said)}/{inside[0].name}"
    stem = Path(text).name.removesuffix(SUFFIX)
    return f"There is a preset of that name; say: {stem}" if stem in known else ""
