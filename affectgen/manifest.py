"""The manifest beside each output, `<output>.json`: everything needed to know a piece and to make it again."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from affectgen import __version__
from affectgen.errors import AffectgenError
from affectgen.spooled import Spooled
from affectgen.task import Result

FORMAT = 1
# other versions of these may make other bytes
RECORDED = ("torch", "numpy", "scipy", "miditok", "symusic", "soundfile", "soxr", "pyloudnorm")
PARTS_OF_SETTINGS = ("settings", "run")
OBJECTS = ("checkpoint", "output", "measured", "details", "seconds", "versions")  # further parts with keys
POINT = ("valence", "arousal")
ORIGINS = ("option", "environment", "preset", "default", "drawn")


@dataclass(frozen=True)
class Setting:
    """A resolved setting: a JSON-able value, or an input file as {"path", "sha256"}; origin: one of ORIGINS."""

    value: Any
    origin: str


@dataclass(frozen=True)
class Manifest:
    """One output and how it was made.

    task: its name; argv: the command line's words; settings: the fields of the task's options; run: device, threads and
    the checkpoint as it was asked for; checkpoint: {"name", "sha256"}, empty where there is none; output:
    {"path", "sha256", "bytes"}; asked, measured, details: as in Result; seconds: wall times by name; versions: of
    affectgen, Python, the platform and RECORDED.
    """

    task: str
    argv: tuple[str, ...]
    settings: Mapping[str, Setting]
    run: Mapping[str, Setting]
    checkpoint: Mapping[str, str]
    output: Mapping[str, Any]
    asked: Any
    measured: Mapping[str, Any]
    details: Mapping[str, Any]
    seconds: Mapping[str, float]
    versions: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """As one JSON object, keys in the order of the fields."""
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        for part in PARTS_OF_SETTINGS:
            held[part] = {name: {"value": s.value, "from": s.origin} for name, s in held[part].items()}
        return {"manifest": FORMAT, **{name: _plain(value) for name, value in held.items()}}

    def to_bytes(self) -> bytes:
        """The file's bytes: indented JSON, UTF-8; letters of file names that are not are told as JSON's escapes."""
        return (json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def build_manifest(
    task: str,
    argv: Sequence[str],
    settings: Mapping[str, Setting],
    run: Mapping[str, Setting],
    result: Result,
    output: Path | None,
    seconds: Mapping[str, float],
) -> Manifest:
    """The manifest of one result; `output` is the file it goes to, None for standard output."""
    made = {"path": None if output is None else output.name, "sha256": digest(result.data), "bytes": _size(result.data)}
    return Manifest(
        task=task,
        argv=tuple(argv),
        settings={name: Setting(_describe(s.value), s.origin) for name, s in settings.items()},
        run=run,
        checkpoint=result.checkpoint,
        output=made,
        asked=result.asked,
        measured=result.measured,
        details=result.details,
        seconds=seconds,
        versions=versions(),
    )


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. AffectgenError when the file is missing, is no manifest, or is of another format."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_manifest(path, getattr(error, "strerror", None) or str(error)) from error
    return manifest_of(held, path)


def manifest_of(held: Any, path: Path | None = None) -> Manifest:
    """A manifest from its JSON. AffectgenError, with the file's path, when it is none or is of another format."""
    place = Path("This") if path is None else path
    if not isinstance(held, dict) or "manifest" not in held:
        raise _no_manifest(place, "it has no key 'manifest'")
    if held["manifest"] != FORMAT:
        raise _no_manifest(place, f"its format is {held['manifest']!r}, and this version reads {FORMAT}")
    try:
        parts = {f.name: held[f.name] for f in fields(Manifest)}
        for part in PARTS_OF_SETTINGS:
            parts[part] = {name: Setting(s["value"], s["from"]) for name, s in parts[part].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_manifest(place, f"a part is missing or of another kind ({error})") from error
    _check_kinds(parts, place)
    return Manifest(**{**parts, "argv": tuple(parts["argv"])})


def _check_kinds(parts: Mapping[str, Any], place: Path) -> None:
    """AffectgenError for a part of another kind than the class says."""
    for name in OBJECTS:
        if not isinstance(parts[name], Mapping):
            raise _no_manifest(place, f"its {name!r} is no object")
    if not isinstance(parts["task"], str) or not parts["task"].split():
        raise _no_manifest(place, "it names no task")
    if not isinstance(parts["argv"], list) or not all(isinstance(word, str) for word in parts["argv"]):
        raise _no_manifest(place, "its 'argv' is no list of words")
    if not all(_is_number(each) for each in parts["seconds"].values()):
        raise _no_manifest(place, "its 'seconds' are no numbers")
    heard = parts["measured"]
    for name, held in (("asked", parts["asked"]), ("measured", heard), ("judge", heard.get("judge"))):
        if isinstance(held, Mapping) and not all(_is_number(held[key]) for key in POINT if held.get(key) is not None):
            raise _no_manifest(place, f"the point under {name!r} is no pair of numbers")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def digest(data: bytes | Spooled) -> str:
    """The SHA-256 of some bytes, as hexadecimal digits."""
    return data.sha256() if isinstance(data, Spooled) else sha256(data).hexdigest()


def file_hash(path: Path) -> str:
    """The SHA-256 of a file of any size, as hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """The versions the bytes may depend on: affectgen, Python, the platform, and the packages in RECORDED."""
    return dict(_versions())


@cache
def _versions() -> Mapping[str, str]:
    """Looked up once: a batch writes hundreds of manifests."""
    found = {"affectgen": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a task of another package may do without it
            continue
    return found


def manifest_path(output: Path) -> Path:
    """Where the manifest of `output` goes: out.mid -> out.mid.json."""
    return output.with_name(output.name + ".json")


def _size(data: bytes | Spooled) -> int:
    return data.size if isinstance(data, Spooled) else len(data)


def _describe(value: Any) -> Any:
    """A setting's value for JSON: an input file as its absolute path (None for a pipe) and its hash."""
    if isinstance(value, tuple):
        return [_describe(part) for part in value]
    if isinstance(value, bytes):
        return {"path": None, "sha256": digest(value)}
    if isinstance(value, Path):
        return {"path": str(value.resolve()), "sha256": file_hash(value)}
    return value


def _plain(value: Any) -> Any:
    """Mappings as dicts and tuples as lists, all the way down, so that JSON comes back as it went."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _no_manifest(path: Path, why: str) -> AffectgenError:
    return AffectgenError(f"{path} is no manifest of affectgen: {why}.", "Give the .json file beside an output.")
