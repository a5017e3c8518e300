"""A job: one piece of a batch, as a preset or a line of JSON asks for it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectgen.batch.spec import Specs, find_spec
from affectgen.errors import UsageError

UNFIT = re.compile(r"[^\w.+-]+")  # characters that are no good in a file name
LONGEST = 180  # bytes of a name, which leaves room for endings


@dataclass(frozen=True)
class Job:
    """command: "emogen generate"; values: of its options by their long names without dashes, JSON-able; name: the stem
    of its files; preset: the one it comes of, None for none; place: where it was asked for, for a person; own: options
    that tell it from its preset's other jobs, above which no environment stands; sealed: its key once it is planned."""

    command: str
    values: Mapping[str, Any]
    name: str
    preset: str | None = None
    place: str = field(default="", compare=False)
    own: frozenset[str] = field(default=frozenset(), compare=False)
    sealed: str | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """What tells it from other jobs, 64 hexadecimal digits: by all of its settings and what its files hold, once it
        is planned; before, by what was asked for."""
        if self.sealed is not None:
            return self.sealed
        told = json.dumps([self.command, dict(self.values), self.name], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def suffix(self, specs: Specs) -> str:
        """The ending of its file, with the dot."""
        wanted = self.values.get("format")
        return f".{wanted}" if isinstance(wanted, str) else find_spec(specs, self.command).suffix


def fit_name(text: str) -> str:
    """Text as the stem of a file: `sad>calm` is `sad_calm`."""
    fit = UNFIT.sub("_", text).strip("_.").encode("utf-8", "ignore")[:LONGEST]
    return fit.decode("utf-8", "ignore").strip("_.")


def check_name(name: Any, place: str) -> str:
    """A name as somebody gave it. UsageError where it is no stem of a file."""
    if not isinstance(name, str):
        raise UsageError(f"{place}: the name {str(name)[:60]} is no text.", f'Write it in quotes: "{str(name)[:60]}"')
    if not name or not name.isprintable() or Path(name).name != name or name.startswith("."):
        raise UsageError(f"{place}: the name {name[:60]!r} is no file's name.", "Use letters, digits and dashes.")
    size = len(name.encode("utf-8", "replace"))
    if size > LONGEST:
        raise UsageError(f"{place}: the name {name[:40]}... has {size} bytes.", f"Use at most {LONGEST}.")
    return name


def default_name(preset: str | None, command: str, values: Mapping[str, Any]) -> str:
    """The preset or the command, what is asked for, and the seed: `study-calm-17`."""
    parts = [preset if preset is not None else command.replace(" ", "-")]
    for option in ("affect", "source", "files"):
        if values.get(option) not in (None, []):
            value = values[option][0] if isinstance(values[option], list) else values[option]
            parts.append(Path(str(value)).stem if option != "affect" else str(value))
    if "seed" in values:
        parts.append(str(values["seed"]))
    return fit_name("-".join(parts))
