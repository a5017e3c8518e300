"""From a command's options to settings: values, and where each came from."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import click
from click.core import ParameterSource

from affectgen.cli.talk import Talk
from affectgen.errors import UsageError
from affectgen.manifest import Setting
from affectgen.task import LARGEST_SEED

ORIGIN = {  # what stands higher first
    ParameterSource.COMMANDLINE: "option",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "preset",
}


def origin(ctx: click.Context, name: str) -> str:
    """Where the value of an option came from: option, environment, preset or default."""
    source = ctx.get_parameter_source(name)
    return "default" if source is None else ORIGIN.get(source, "default")


def given(ctx: click.Context, *names: str) -> list[str]:
    """Those of the options that somebody set, as they are spelled on the command line."""
    spelled = {param.name: max(param.opts, key=len) for param in ctx.command.params}
    return [spelled.get(name, f"--{name}") for name in names if origin(ctx, name) != "default"]


def exclude(ctx: click.Context, *names: str) -> None:
    """Raise UsageError when more than one of these options is set."""
    both = given(ctx, *names)
    if len(both) > 1:
        raise UsageError(f"{' and '.join(both)} exclude each other.", "Give one of them.")


def affect_setting(ctx: click.Context) -> Setting:
    """The affect as the text a task reads, None where none was given; checked here, before anything heavy is loaded.

    An option beats the environment: `--valence --arousal` are used although AFFECTGEN_AFFECT is set.
    """
    affect, valence, arousal = (ctx.params[name] for name in ("affect", "valence", "arousal"))
    if valence is None and arousal is None:
        if affect is not None:
            _check_affect(affect)
        return Setting(affect, origin(ctx, "affect"))
    if affect is not None and origin(ctx, "affect") == "option":
        raise UsageError("--affect and --valence/--arousal exclude each other.", "Give the word or the two numbers.")
    if valence is None or arousal is None:
        lone, other = ("--valence", "--arousal") if arousal is None else ("--arousal", "--valence")
        raise UsageError(f"{lone} came without {other}.", "A point needs both numbers, each between -1 and 1.")
    sources = [origin(ctx, name) for name in ("valence", "arousal")]
    return Setting(f"{valence},{arousal}", next(source for source in ORIGIN.values() if source in sources))


def seed_setting(ctx: click.Context, talk: Talk) -> Setting:
    """The seed given, or one drawn now and printed."""
    if ctx.params["seed"] is not None:
        return Setting(ctx.params["seed"], origin(ctx, "seed"))
    seed = secrets.randbelow(LARGEST_SEED + 1)
    talk.say(f"seed {seed}")
    return Setting(seed, "drawn")


def settings_of(ctx: click.Context, kind: type[Any], resolved: Mapping[str, Setting]) -> dict[str, Setting]:
    """A setting for every field of the options dataclass `kind`: resolved already, else this command's option of that
    name, else the dataclass's default. An explicit 0 is a value."""
    settings: dict[str, Setting] = {}
    for spec in fields(kind):
        name = spec.name
        if name in resolved:
            settings[name] = resolved[name]
        elif name in ctx.params and (origin(ctx, name) != "default" or spec.default is MISSING):
            settings[name] = Setting(ctx.params[name], origin(ctx, name))
        elif spec.default is not MISSING:
            settings[name] = Setting(spec.default, "default")
    return settings


def _check_affect(text: str) -> None:
    """AffectError when the text is no affect and no path."""
    from affectgen.affect.path import parse_affect

    parse_affect(text)
