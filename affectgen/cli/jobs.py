"""Jobs as this command line reads them: what options there are, and the work that a job's command would do."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import click

from affectgen.batch.job import Job
from affectgen.batch.order import Work
from affectgen.batch.presets.preset import outweighed
from affectgen.batch.spec import (
    CHOICE,
    ENDING,
    FILE,
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    CommandSpec,
    OptionSpec,
    Specs,
    find_spec,
)
from affectgen.cli.pieces import PLANNING, Planned
from affectgen.cli.values import InputFile, Number
from affectgen.errors import AffectgenError, UsageError
from affectgen.manifest import Setting
from affectgen.task import task_names

# what a batch decides, or what is for a person at a terminal
NOT_OF_JOBS = frozenset((
    "output", "force", "json", "manifest", "no-manifest", "quiet", "verbose", "help", "count", "device", "stream",
    "preset",
))  # fmt: skip
BESIDE = frozenset({"audio", "plot", "cue", "report"})  # further files, which get the job's name
ENDING_FORM = re.compile(r"\.?[A-Za-z0-9]{1,8}")
HELP = ["-h", "--help"]  # as everywhere: a command keeps the first it is asked with
JOBS = "jobs"  # processes of a command's own
JOIN = "join"  # what makes one file of several
MIDI, WAVE = ".mid", ".wav"  # what a command writes that cannot choose, and that can


class CommandSpecs(Mapping[str, CommandSpec]):
    """The commands that make pieces, by name; each is imported when it is asked for."""

    def __init__(self) -> None:
        self._found: dict[str, CommandSpec | None] = dict.fromkeys(task_names())

    def __getitem__(self, name: str) -> CommandSpec:
        found = self._found[name]
        if found is None:
            command = find_command(name)
            if command is None:  # a task of another package, which has no command here
                raise KeyError(name)
            found = self._found[name] = _spec(name, command)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in self._found if find_command(name) is not None])

    def __len__(self) -> int:
        return len(list(iter(self)))


@cache
def command_specs() -> Specs:
    """Every command that makes pieces, by its name."""
    return CommandSpecs()


def find_command(name: str) -> click.Command | None:
    """The Click command of a task, None where a task of another package has none."""
    from affectgen.cli.program import affectgen

    found: click.Command = affectgen
    for word in name.split():
        if not isinstance(found, click.Group):
            return None
        inner = found.get_command(click.Context(found), word)
        if inner is None:
            return None
        found = inner
    return found


def _spec(name: str, command: click.Command) -> CommandSpec:
    options = [_option(param) for param in command.params]
    kept = {option.name: option for option in options if option is not None}
    return CommandSpec(name, command.get_short_help_str(120), WAVE if "format" in kept else MIDI, kept)


def _option(param: click.Parameter) -> OptionSpec | None:
    """An option of a command, None for one that no job may set."""
    argument = isinstance(param, click.Argument)
    name = (param.name or "").replace("_", "-") if argument else max(param.opts, key=len).lstrip("-")
    if name in NOT_OF_JOBS:
        return None
    kind, choices, low, high = _kind(param, name)
    about = getattr(param, "help", None)
    variable = param.envvar if isinstance(param.envvar, str) else None
    several = param.multiple if isinstance(param, click.Option) else param.nargs == -1
    return OptionSpec(
        name, kind, "" if about is None else about, choices, low, high, several, argument, param.required, variable,
        None if callable(param.default) or not isinstance(param.default, bool | int | float | str) else param.default,
    )  # fmt: skip


def _kind(param: click.Parameter, name: str) -> tuple[str, tuple[str, ...], float | None, float | None]:
    """(kind, choices, low, high) of an option."""
    of = param.type
    if name in BESIDE:
        return ENDING, (), None, None
    if isinstance(param, click.Option) and param.is_flag:
        return FLAG, (), None, None
    if isinstance(of, click.Choice):
        return CHOICE, tuple(str(choice) for choice in of.choices), None, None
    if isinstance(of, Number):
        low, high = (None if math.isinf(bound) else bound for bound in (of.low, of.high))
        return NUMBER, (), low, high
    if isinstance(of, click.IntRange):
        return INTEGER, (), of.min, of.max
    if isinstance(of, InputFile) or (isinstance(param, click.Argument) and name in ("source", "files")):
        return FILE, (), None, None
    return {"integer": INTEGER, "float": NUMBER}.get(of.name, TEXT), (), None, None


def plan_job(job: Job, folder: Path, device: str) -> Work:
    """What a job comes to: its command's work, with files in `folder`.

    UsageError or AffectgenError with the job's place where its command would not take it.
    """
    try:
        return _planned(job, folder, device)
    except click.ClickException as error:
        raise UsageError(f"{job.place}: {error.format_message()}", f"See: affectgen {job.command} --help") from error
    except AffectgenError as error:
        raise type(error)(f"{job.place}: {error.message}", error.hint) from error
    except OSError as error:  # of a path that no system could have: the other jobs go on
        raise AffectgenError(f"{job.place}: {error.filename}: {error.strerror}.", "Check the path.") from error


def _planned(job: Job, folder: Path, device: str) -> Work:
    specs = command_specs()
    spec = find_spec(specs, job.command)
    spec.check(job.values)
    _check_files(job, spec)
    command = find_command(job.command)
    if command is None:
        raise UsageError(f"The task {job.command} has no command.", "Name another.")
    name = f"{job.name}{job.suffix(specs)}"
    words, rest = _words(job, spec)
    alone = ["--jobs=1"] if JOBS in spec.options and JOBS not in job.values else []  # the batch's workers are enough
    with_place = [*words, *alone, f"--output={folder / name}", "--force", *_beside(job, spec, folder)]
    if device != "auto" and any(param.name == "device" for param in command.params):
        with_place.append(f"--device={device}")
    beside = [f"--{key}={_ending(job, key)}" for key in _asked_beside(job, spec)]
    told = (*job.command.split(), *words, *beside, f"--output={name}", *rest)
    state = {"argv": told, "debug": False, PLANNING: True}
    line = [*with_place, "--quiet", *rest]
    try:
        with command.make_context(f"affectgen {job.command}", line, obj=state, help_option_names=HELP) as ctx:
            command.invoke(ctx)
    except Planned as planned:
        return _labelled(planned.works, job)
    raise UsageError(f"`{job.command}` made no piece of this.", "Ask for a single one.")


def _check_files(job: Job, spec: CommandSpec) -> None:
    """UsageError where a job's command has no file to work on, or several that would not become one piece."""
    for name, option in spec.options.items():
        value = job.values.get(name)
        if option.argument and option.required and value in (None, []):
            raise UsageError(f"`{job.command}` needs {name!r}, a file.", f"Name it: {name}, or --source PATH.")
        if option.argument and isinstance(value, list) and len(value) > 1 and job.values.get(JOIN) is None:
            text = f"{name} names {len(value)} files, and a job makes one file of one."
            raise UsageError(text, _one_of_each(job, JOIN in spec.options))


def _one_of_each(job: Job, joins: bool) -> str:
    """How to say that several files are to be worked on. joins: the command can make one of all."""
    if job.preset is not None:
        each, together = 'Make one of each: files = [["a.mid"], ["b.mid"]]', f"{JOIN} = 2"
    else:
        each, together = "Write a line for each", f'"{JOIN}": 2'
    return f"{each}, or one of all, crossfaded for 2 seconds: {together}" if joins else f"{each}."


def _words(job: Job, spec: CommandSpec) -> tuple[list[str], list[str]]:
    """The options and the arguments of a job as words. A preset's value that does not count is left out."""
    words: list[str] = []
    rest: list[str] = []
    gone = _outweighed(job, spec)
    for key, value in job.values.items():
        option = spec.options[key]
        if value is None or option.kind == ENDING or key in gone:
            continue
        if option.argument:
            rest += [_text(each, key) for each in (value if isinstance(value, list) else [value])]
        elif option.kind == FLAG:
            words += _flag(job.command, option, value)
        else:
            listed = value if isinstance(value, list) and option.several else [value]
            words += [f"--{key}={_text(each, key)}" for each in listed]
    return words, (["--", *rest] if rest else [])


def _outweighed(job: Job, spec: CommandSpec) -> set[str]:
    """The options of a preset's job that the environment says, or that cannot stand beside what it says. It stands
    below what tells the job from the preset's others, and below all of a line of JSON."""
    if job.preset is None:
        return set()
    own = {name for name in job.own if name in job.values}
    variables = {name: option.variable for name, option in spec.options.items() if option.variable is not None}
    environment = {name for name, variable in variables.items() if os.environ.get(variable)}
    return outweighed(own, environment) - outweighed(own, ())


def _flag(command: str, option: OptionSpec, value: Any) -> list[str]:
    """A switch that is on or off."""
    if not isinstance(value, bool):
        raise UsageError(f"{option.name} got {value!r}.", "Say true or false.")
    if value:
        return [f"--{option.name}"]
    found = find_command(command)
    params = [] if found is None else found.params
    other = next((p.secondary_opts for p in params if f"--{option.name}" in p.opts and p.secondary_opts), None)
    return [] if other is None else [max(other, key=len)]


def _text(value: Any, key: str) -> str:
    """A value as a word of the command line. UsageError for what is no single value."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)  # names, as --keep takes them
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{key} got {value!r}; a text or a number was expected.", "Give one value.")
    if "\0" in str(value):
        raise UsageError(f"{key} holds a character that no command line can hold.", "Leave it out.")
    if value == "-" and key != "output":
        raise UsageError(f"{key} is '-', and standard input is not a job's.", "Name a file.")
    return str(value)


def _asked_beside(job: Job, spec: CommandSpec) -> list[str]:
    """The further files a job asks for."""
    return [k for k, v in job.values.items() if spec.options[k].kind == ENDING and v is not None and v is not False]


def _ending(job: Job, key: str) -> str:
    """The name of a further file."""
    value = job.values[key]
    if not isinstance(value, str) or ENDING_FORM.fullmatch(value) is None:
        raise UsageError(f"{key} got {value!r}; the ending of a file was expected.", 'Write for example "wav".')
    return f"{job.name}.{value.lstrip('.')}"


def _beside(job: Job, spec: CommandSpec, folder: Path) -> list[str]:
    return [f"--{key}={folder / _ending(job, key)}" for key in _asked_beside(job, spec)]


def _labelled(works: Sequence[Work], job: Job) -> Work:
    """The one work of a job; what a preset set is called so."""
    if len(works) != 1:
        raise UsageError(f"It makes {len(works)} pieces.", "Ask for one a job.")
    work = works[0]
    if job.preset is None:
        return work
    named: Mapping[str, Setting] = {
        name: Setting(each.value, "preset" if each.origin == "option" else each.origin)
        for name, each in work.order.settings.items()
    }
    return replace(work, order=replace(work.order, settings=named))
