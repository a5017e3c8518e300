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
LONGEST = 180  # characters of a name, which leaves room for endings


@dataclass(frozen=True)
class Job:
    """command: "emogen generate"; values: of its options by their long names without dashes, JSON-able; name: the stem
    of its files; preset: the one it comes of, None for none; place: where it was asked for, for a person; own: options
    that tell it from its preset's other jobs, above which no environment stands."""

    command: str
    values: Mapping[str, Any]
    name: str
    preset: str | None = None
    place: str = field(default="", compare=False)
    own: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def key(self) -> str:
        """What tells it from other jobs, 64 hexadecimal digits: the command, the values, the name."""
        told = json.dumps([self.command, dict(self.values), self.name], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def suffix(self, specs: Specs) -> str:
        """The ending of its file, with the dot."""
        wanted = self.values.get("format")
        return f".{wanted}" if isinstance(wanted, str) else find_spec(specs, self.command).suffix


def fit_name(text: str) -> str:
    """Text as the stem of a file: `sad>calm` is `sad_calm`."""
    return UNFIT.sub("_", text).strip("_.")[:LONGEST]


def check_name(name: Any, place: str) -> str:
    """A name as somebody gave it. UsageError where it is no stem of a file."""
    if not isinstance(name, str) or not name or Path(name).name != name or name.startswith(".") or "\0" in name:
        raise UsageError(f"{place}: the name {name!r} is no file's name.", "Use letters, digits, dots and dashes.")
    if len(name) > LONGEST:
        raise UsageError(f"{place}: the name {name[:40]}... has {len(name)} characters.", f"Use at most {LONGEST}.")
    return name


def default_name(preset: str | None, command: str, values: Mapping[str, Any]) -> str:
    """The preset or the command, what is asked for, and the seed: `study-calm-17`."""
    parts = [preset if preset is not None else command.replace(" ", "-")]
    for option in ("affect", "source", "files"):
        if option in values:
            value = values[option][0] if isinstance(values[option], list) else values[option]
            parts.append(Path(str(value)).stem if option != "affect" else str(value))
    if "seed" in values:
        parts.append(str(values["seed"]))
    return fit_name("-".join(parts))
