"""One preset file as it stands: read, checked against its command, with the line of whatever is wrong."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.batch.presets.preset_lines import KeyPath, key_lines, line_of
from affectgen.batch.presets.preset_schema import PresetModels, is_axis, mistakes
from affectgen.batch.spec import FILE, CommandSpec, OptionSpec
from affectgen.errors import AffectgenError, UsageError

HOW = "docs/presets.md says what a preset may hold; so does: affectgen presets schema"
MOST_BYTES = 1_000_000
PLACES = ("checkpoint", "soundfont", "model", "adapter")  # options that are a path, or the name of something
FROM_SOURCE = "{source}"  # in a file's path: the path of the source without its ending


@dataclass(frozen=True)
class Trouble:
    """Something wrong with a preset. line: from 1; text: a sentence, and what to do."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class PresetError(UsageError):
    """A preset that cannot be used; `troubles` holds all that is wrong with it."""

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.troubles = tuple(troubles)
        super().__init__("\n".join(str(one) for one in self.troubles), HOW)


@dataclass(frozen=True)
class PresetFile:
    """A file's values, not yet checked. lines: of its keys."""

    path: Path
    held: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def trouble(self, path: Iterable[str], text: str) -> Trouble:
        """Something wrong at a key."""
        return Trouble(self.path, line_of(dict(self.lines), tuple(path)), text)

    @property
    def options(self) -> Mapping[str, Any]:
        """What stands under [options]."""
        found = self.held.get("options", {})
        return found if isinstance(found, Mapping) else {}


def read_file(path: Path) -> PresetFile:
    """A file's values and lines. AffectgenError where it cannot be read, PresetError where it is no TOML."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise AffectgenError(f"The preset {path} cannot be read: {error.strerror}.", "Check the path.") from error
    if len(data) > MOST_BYTES:
        raise PresetError([Trouble(path, 1, f"A preset has at most {MOST_BYTES} bytes, and this file has more.")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PresetError([Trouble(path, line, "This is no text in UTF-8.")]) from error
    try:
        held = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PresetError([_syntax(path, text, str(error))]) from error
    return PresetFile(path, held, key_lines(text))


def _syntax(path: Path, text: str, said: str) -> Trouble:
    """The line and the words of the parser's complaint."""
    found = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)", said)
    last = text.rstrip("\n").count("\n") + 1
    line = int(found.group(1)) if found is not None and found.group(1) else last
    words = said if found is None else said[: found.start()]
    return Trouble(path, min(line, last), f"This is no TOML: {words}.")


def check_file(file: PresetFile, command: str, models: PresetModels) -> list[Trouble]:
    """All that is wrong with a file of a command, which it may inherit, line by line; empty where nothing is."""
    from pydantic import ValidationError

    spec = models.specs[command]
    try:
        models.model(command).model_validate({**file.held, "command": command})
    except ValidationError as error:
        found = [file.trouble(path, text) for path, text in mistakes(error, spec)]
        return sorted(found, key=lambda one: one.line)
    troubles = [file.trouble(("options", name), text) for name, text in _doubts(file, spec)]
    if not spec.seeded and file.held.get("count", 1) > 1:
        troubles.append(file.trouble(("count",), f"{command} draws nothing, and the pieces would all be the same."))
    return troubles


def _doubts(file: PresetFile, spec: CommandSpec) -> Iterable[tuple[str, str]]:
    """What no type can say: values that stand twice in a grid, and standard input as a file."""
    for name, value in file.options.items():
        option = spec.options[name]
        if is_axis(value, option.several):
            again = next((each for n, each in enumerate(value) if each in value[:n]), None)
            if again is not None:
                yield name, f"{name} holds {again!r} twice, and the pieces would be the same."
        if any(isinstance(each, str) and "\0" in each for each in _flat(value)):
            yield name, f"{name} holds a character that no command line can hold."
        if option.kind == FILE and any(FROM_SOURCE in str(one)[1:] for one in _flat(value)):
            yield name, f"{name} holds {FROM_SOURCE}, which stands at the beginning of a path or nowhere."
        if option.kind == FILE and "-" in _flat(value):
            yield name, f"{name} got '-': a preset reads no standard input. Name a file."


def _flat(value: Any) -> list[Any]:
    return [each for one in value for each in _flat(one)] if isinstance(value, list) else [value]


def placed(value: Any, option: OptionSpec, folder: Path) -> Any:
    """A value as it is good from anywhere: a relative path of a file starts at the preset's own folder."""
    if isinstance(value, list):
        return [placed(each, option, folder) for each in value]
    if not isinstance(value, str) or value.startswith(FROM_SOURCE):
        return value
    inner = Path(os.path.abspath(folder / os.path.expanduser(value)))
    if option.kind == FILE or (option.name in PLACES and ("/" in value or inner.exists())):
        return str(inner)
    return value
