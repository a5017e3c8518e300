"""The one interface through which the upper floors know what the project can do.

A *task* ("muser generate", "muser transfer", ...) is a frozen options dataclass, `load`, and `run`. Tasks are declared
as Python entry points (group `affectgen.tasks`, name with a dot: `muser.generate = "affectgen.muser.tasks:GENERATE"`),
so this floor names nothing above it and another package can add tasks. The command line, batch, replay and evaluate
know tasks only through what stands here.
"""

from __future__ import annotations

import sys
import tomllib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from affectgen.errors import UsageError
from affectgen.spooled import Spooled

GROUP = "affectgen.tasks"
LARGEST_SEED = 2**31 - 1  # of a field `seed`


class Options(Protocol):
    """A frozen dataclass. Every field is JSON-able (None, bool, int, float, str, tuple of str) or an input file.

    An input file is a field of type `Path | bytes` or `Path | bytes | None`, several are `tuple[Path | bytes, ...]`: a
    path where the file has one, the bytes where it came through a pipe. Whatever draws at random draws from the field
    `seed: int` and nothing else.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True)
class Result:
    """One finished piece.

    data: the file's bytes, or the file itself where it is large; suffix: the file's ending with its dot (".mid");
    asked: {"valence", "arousal"} or the path as JSON, None where no affect was asked; measured: {"recogniser": "guide"
    | "judge" | "recogniser", "valence", "arousal", "quadrant"}; details: further JSON-able facts for the manifest and
    `--json` (bars, notes, seconds, batch width, note F1, ...); checkpoint: {"name", "sha256"}, empty where there is
    none; summary: lines for a person, printed to stderr unless `-q`.
    """

    data: bytes | Spooled
    suffix: str
    asked: Any
    measured: Mapping[str, Any]
    details: Mapping[str, Any]
    checkpoint: Mapping[str, str]
    summary: tuple[str, ...] = field(default=())


class Loaded(Protocol):
    """A task whose weights are in memory."""

    def run(self, options: Sequence[Any]) -> list[Result]:
        """One result for each options object, in order; a piece never depends on its neighbours in the list."""
        ...


Take = Callable[[], tuple[int, Any] | None]  # the next options object and its number, None where there is none now
Give = Callable[[int, Result], None]  # a result, with the number of its options


@runtime_checkable
class Flowing(Loaded, Protocol):
    """A task with its weights that takes options while it works, and gives each result as soon as it is there."""

    def flow(self, take: Take, give: Give) -> None:
        """Make what `take` has, until it has no more and nothing is left to be done. Every result is what `run` makes
        of the same options; what is taken must be `alike`."""
        ...


class Task(Protocol):
    """What can be done. Importing a task's module must be cheap: torch is imported by `load`, not before.

    A task may have a number `together`: of options that a batch hands to `run` at once, at most; without it, 1. One
    whose `load` gives a `Flowing` has a function `alike`: options for which it is equal may be in one flow, those for
    which it is None in none.
    """

    @property
    def name(self) -> str:
        """The name as the command line spells it: "muser generate"."""
        ...

    @property
    def options(self) -> type[Any]:
        """The frozen options dataclass."""
        ...

    def load(self, checkpoint: str | None, device: str) -> Loaded:
        """Read the weights, once. checkpoint: name or path, None for the default; device: "cpu", "cuda", "cuda:1".

        Raises CheckpointError where the checkpoint is missing, damaged or of another kind.
        """
        ...


def task_names() -> list[str]:
    """The names of every task there is, sorted; nothing is imported."""
    return sorted(_points())


def find_task(name: str) -> Task:
    """The task of that name ("muser generate"), imported now. Raises UsageError for a name nobody declared."""
    points = _points()
    if name not in points:
        known = ", ".join(sorted(points))
        raise UsageError(f"There is no task {name!r}.", f"Known tasks: {known}." if known else "No task is installed.")
    task: Task = points[name].load()
    return task


def options_from(kind: type[Any], values: Mapping[str, Any]) -> Any:
    """An options object from JSON-able values, as a manifest or a preset holds them.

    Lists become tuples and strings become paths where the field says so. Raises UsageError for an unknown key or for
    a required one that is missing; the dataclass itself checks the values.
    """
    hints = typing.get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UsageError(f"Unknown settings: {', '.join(unknown)}.", f"Known settings: {', '.join(known)}.")
    missing = [n for n, f in known.items() if n not in values and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        raise UsageError(f"Missing settings: {', '.join(missing)}.", "Give each of them a value.")
    return kind(**{name: _fit(value, hints[name]) for name, value in values.items()})


def _fit(value: Any, hint: Any) -> Any:
    """`value` in the form the field's type wants."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    kinds = typing.get_args(hint) if union else (hint,)
    if isinstance(value, str) and Path in kinds and str not in kinds:
        return Path(value)
    sequence = next((kind for kind in kinds if kind is tuple or typing.get_origin(kind) is tuple), None)
    if isinstance(value, list) and sequence is not None:
        inner = typing.get_args(sequence)
        return tuple(_fit(part, inner[0]) for part in value) if inner else tuple(value)
    return value


def _points() -> Mapping[str, EntryPoint]:
    """Every declared task by its name; a dot in the entry point's name stands for the space of the task's name.

    As with imports, what stands first on the path wins.
    """
    return _points_on(tuple(sys.path))


@lru_cache(maxsize=4)
def _points_on(path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """The same for one path of imports: a batch asks for hundreds of jobs, and looking takes milliseconds."""
    found: dict[str, EntryPoint] = {}
    for point in (*entry_points(group=GROUP), *_checkout_points()):
        found.setdefault(point.name.replace(".", " "), point)
    return types.MappingProxyType(found)


def _checkout_points() -> list[EntryPoint]:
    """The same from pyproject.toml beside the package, for a checkout that was never installed (`python cli.py`)."""
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    if not project.is_file():
        return []
    with project.open("rb") as file:
        declared = tomllib.load(file)["project"].get("entry-points", {}).get(GROUP, {})
    return [EntryPoint(name, value, GROUP) for name, value in declared.items()]
