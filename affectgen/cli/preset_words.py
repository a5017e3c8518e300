"""The words of a command as a preset says them: `--affect calm --bars 8` is `affect = "calm"`, `bars = 8`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from affectgen.batch.presets.preset_schema import MEASURES
from affectgen.batch.spec import ENDING, INTEGER, NUMBER, CommandSpec, OptionSpec
from affectgen.cli.jobs import HELP
from affectgen.cli.preset_option import long_name
from affectgen.errors import UsageError


def spoken(command: click.Command, spec: CommandSpec, words: Sequence[str]) -> dict[str, Any]:
    """Options by their long names, in the order of the help. UsageError for what no preset can say; a value of the
    wrong kind stays the text it is.
    """
    context = click.Context(command, info_name=f"affectgen {spec.command}", help_option_names=HELP)
    opts, rest, _ = command.make_parser(context).parse_args(list(words))
    if rest:
        raise UsageError(f"{rest[0]!r} is no option of {spec.command}.", "Write options with their dashes.")
    found: dict[str, Any] = {}
    for param in command.params:
        raw, name = opts.get(param.name), long_name(param)
        if not isinstance(raw, str | bool | list | tuple) or raw == ():
            continue  # nobody said it
        if name not in spec.options:
            raise UsageError(f"--{name} is no part of a preset.", "Say it to the command, or to `affectgen batch`.")
        found[name] = _value(raw, spec.options[name])
    return found


def _value(raw: Any, option: OptionSpec) -> Any:
    """A word as a value of the option's kind, as far as it is one."""
    if isinstance(raw, list | tuple):
        return [_value(each, option) for each in raw]
    if option.kind == ENDING:
        return Path(raw).suffix.lstrip(".") if Path(raw).suffix else raw
    if option.kind in (INTEGER, NUMBER) or option.name in MEASURES:
        for kind in (int, float) if option.kind != INTEGER else (int,):
            try:
                return kind(raw)
            except ValueError:
                continue
    return raw
