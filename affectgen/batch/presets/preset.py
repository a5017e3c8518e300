"""Presets: a command's options under a name, in a TOML file, perhaps on top of another preset's."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectgen.batch.presets.preset_files import (
    PresetError,
    PresetFile,
    Trouble,
    check_file,
    placed,
    read_file,
)
from affectgen.batch.presets.preset_find import SUFFIX, is_path, preset_path, preset_paths
from affectgen.batch.presets.preset_schema import PresetModels, is_axis
from affectgen.batch.presets.preset_template import check_template
from affectgen.batch.spec import FILE, SOURCE, CommandSpec, Specs, nearest
from affectgen.errors import AffectgenError, UsageError

MOST_JOBS = 1_000_000
MOST_STEPS = 16  # presets on top of each other
PLAN = ("from", "to", "path", "minutes", "clip", "overlap", "dwell", "match", "bound", "route", "dynamics", "inertia",
        "style", "from-speech")  # fmt: skip
# options that, said later, take away others said earlier: both together would be refused
DISPLACED: Mapping[str, tuple[str, ...]] = {
    "affect": ("valence", "arousal"), "valence": ("affect",), "arousal": ("affect",),
    "bars": ("seconds",), "seconds": ("bars",), "source": ("bars", "seconds", "key", "continue"),
    "continue": ("source", "keep", "key"), "from": ("path", "from-speech"), "to": ("path", "to-file"),
    "path": ("from", "to", "from-speech", "bound", "dwell", "match", "route"), "from-speech": ("from", "path"),
    "bound": ("path",), "dwell": ("path",), "match": ("path",), "route": ("path",), "plan-file": PLAN,
    "text": ("text-file",), "text-file": ("text",), "to-file": ("to",), "before": ("before-file",),
    "before-file": ("before",), "span": ("before", "before-file", "whole"), "whole": ("before", "before-file", "span"),
}  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A preset with all that it inherits.

    name: the file's stem; options: by long names, as in the file, paths of files made absolute: a list is an axis of a
    grid, or the value of an option that takes several (then a list of lists is an axis); count: seeds counted up;
    title: how the pieces are named, None for as ever; tags: moods and uses; spec: of the command; origins: the file
    that each option stands in; files: its own, then what it extends, one after the other.
    """

    name: str
    path: Path
    description: str
    command: str
    options: Mapping[str, Any]
    count: int
    title: str | None
    tags: tuple[str, ...]
    spec: CommandSpec = field(repr=False, compare=False)
    origins: Mapping[str, Path] = field(default_factory=dict, compare=False)
    files: tuple[Path, ...] = field(default=(), compare=False)

    @property
    def axes(self) -> tuple[str, ...]:
        """The options that have a list of values, in their order."""
        several = self.spec.options
        return tuple(name for name, value in self.options.items() if is_axis(value, several[name].several))

    @property
    def source_option(self) -> str | None:
        """The option that takes the files to work on, where the preset needs one and names none; else None."""
        for option in self.spec.options.values():
            if option.kind == FILE and option.required and option.name in (SOURCE, "files"):
                return None if option.name in self.options else option.name
        if "keep" in self.options and SOURCE in self.spec.options and SOURCE not in self.options:
            return SOURCE
        return None

    @property
    def joins(self) -> bool:
        """Whether all the files it is given become one piece."""
        return "join" in self.options and self.source_option == "files"


@dataclass(frozen=True)
class Damaged:
    """A preset that cannot be used, and why."""

    name: str
    path: Path
    error: AffectgenError


def read_preset(path: Path, specs: Specs) -> Preset:
    """The preset of a file. PresetError with all that is wrong with it and with what it extends, by file and line;
    AffectgenError where it cannot be read."""
    return Reader(specs).read(path)


def find_preset(name_or_path: str, specs: Specs) -> Preset:
    """A preset by its name in the folders of presets, or by its path. UsageError for a name that nobody has."""
    return read_preset(preset_path(name_or_path), specs)


def list_presets(specs: Specs) -> list[Preset | Damaged]:
    """Every preset that can be found by name, by name; those that cannot be used with the reason."""
    reader = Reader(specs)
    found: list[Preset | Damaged] = []
    for name, path in preset_paths().items():
        try:
            found.append(reader.read(path))
        except AffectgenError as error:
            found.append(Damaged(name, path, error))
    return found


def preset_command(path: Path) -> str | None:
    """The command of a preset, its own or an inherited one; nothing else of it is checked. None where it names none, or
    cannot be read."""
    try:
        named = [file.held["command"] for file in _chain(path) if "command" in file.held]
    except AffectgenError:
        return None
    return str(named[0]) if named else None


class Reader:
    """Reads presets; what the commands take is worked out once."""

    def __init__(self, specs: Specs) -> None:
        self._models = PresetModels(specs)

    def read(self, path: Path) -> Preset:
        """The preset of a file, as `read_preset` tells."""
        chain = _chain(path)
        command = self._command(chain)
        troubles = [trouble for file in chain for trouble in check_file(file, command, self._models)]
        if troubles:
            raise PresetError(troubles)
        made = _merged(chain, self._models.specs[command])
        owner = next(file for file in chain if "name" in file.held or file is chain[-1])
        wrong = check_template(made.title, made.options, made.spec)
        if wrong is not None:
            raise PresetError([owner.trouble(("name",), wrong)])
        size = made.count * math.prod(len(made.options[axis]) for axis in made.axes)
        if size > MOST_JOBS:
            text = f"The preset comes to {size} pieces; ask for at most {MOST_JOBS}."
            raise PresetError([chain[0].trouble(("count",) if "count" in chain[0].held else ("options",), text)])
        return made

    def _command(self, chain: Sequence[PresetFile]) -> str:
        """The command of a preset: its own or the one it inherits, which must be the same."""
        troubles: list[Trouble] = []
        named = [file for file in chain if "command" in file.held]
        if not named:
            text = f'The preset names no command. Write for example: command = "{next(iter(self._models.specs))}"'
            raise PresetError([chain[0].trouble((), text)])
        wanted = named[-1].held["command"]
        for file in named:
            command = file.held["command"]
            if not isinstance(command, str) or command not in self._models.specs:
                hint = nearest(str(command), self._models.specs)
                troubles.append(file.trouble(("command",), f"{command!r} is no command that makes a piece. {hint}"))
            elif command != wanted:
                text = f"The command is {command!r}, and that of {named[-1].path}, which it extends, {wanted!r}."
                troubles.append(file.trouble(("command",), f"{text} Extend one of the same command."))
        if troubles:
            raise PresetError(troubles)
        return str(wanted)


def _chain(path: Path) -> list[PresetFile]:
    """A file and what it extends, one after the other."""
    chain = [read_file(path)]
    seen = {os.path.realpath(path)}
    while "extends" in chain[-1].held:
        last = chain[-1]
        try:
            after = _extended(last)
            if os.path.realpath(after) in seen:
                way = " > ".join(str(each) for each in [*(file.path for file in chain), after])
                raise UsageError(f"This goes round in a circle: {way}.", "Let one of them extend nothing.")
            if len(chain) == MOST_STEPS:
                raise UsageError(f"More than {MOST_STEPS} presets stand on each other.", "Write fewer.")
            chain.append(read_file(after))
        except PresetError:
            raise
        except AffectgenError as error:
            raise PresetError([last.trouble(("extends",), str(error))]) from error
        seen.add(os.path.realpath(after))
    return chain


def _extended(file: PresetFile) -> Path:
    """The file that a preset extends: beside it, else wherever presets are found."""
    text = file.held["extends"]
    if not isinstance(text, str) or not text or "\0" in text:
        raise UsageError(f"extends got {text!r}; a preset's name or path was expected.")
    folder = file.path.parent
    beside = folder / f"{text}{SUFFIX}"
    return beside if not is_path(text) and beside.is_file() else preset_path(text, folder)


def _merged(chain: Sequence[PresetFile], spec: CommandSpec) -> Preset:
    """What a chain of files, the first of which stands above the others, comes to."""
    options: dict[str, Any] = {}
    origins: dict[str, Path] = {}
    said: dict[str, Any] = {}
    for file in reversed(chain):
        said |= file.held
        for name in displaced(file.options):
            options.pop(name, None)
        for name, value in file.options.items():
            options[name] = placed(value, spec.options[name], file.path.parent)
            origins[name] = file.path
    first = chain[0]
    return Preset(
        first.path.stem, first.path, first.held["description"], spec.command, options, said.get("count", 1),
        said.get("name"), tuple(said.get("tags", ())), spec, {name: origins[name] for name in options},
        tuple(file.path for file in chain),
    )  # fmt: skip


def displaced(said: Collection[str]) -> set[str]:
    """The options that these take away where they were said earlier."""
    return {other for name in said for other in DISPLACED.get(name, ())} - set(said)


def outweighed(options: Collection[str], environment: Collection[str]) -> set[str]:
    """The options of a preset that do not count, because others say them or cannot stand beside them. options: what
    stands above the environment, which they take away likewise; environment: what that says.
    """
    said = {*options, *(set(environment) - displaced(options))}
    return said | displaced(said)

