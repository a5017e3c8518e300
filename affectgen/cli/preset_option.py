"""`--preset` of the commands that make pieces: its values become defaults, below options and the environment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from affectgen.errors import UsageError
from affectgen.output import STDOUT

if TYPE_CHECKING:
    from affectgen.batch.spec import OptionSpec


COMMANDLINE, ENVIRONMENT = ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT


class PresetOption(click.Option):
    """Reads the preset before any other option is read, knowing what the command line says besides."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """The option's value; the preset's values become the context's defaults."""
        name = opts.get(self.name)
        if isinstance(name, str) and not ctx.resilient_parsing:
            defaults = dict(ctx.default_map) if ctx.default_map is not None else {}
            ctx.default_map = defaults | preset_defaults(ctx, opts, name)
        return super().handle_parse_result(ctx, opts, args)


def preset_option(command: Any) -> Any:
    """--preset."""
    return click.option(
        "--preset", cls=PresetOption, is_eager=True, expose_value=False, metavar="NAME|PATH",
        help="Start from a preset: it stands below options and environment.",
    )(command)  # fmt: skip


def preset_defaults(ctx: click.Context, opts: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a preset sets, by the names of the command's parameters, without what the command line or the environment
    takes away. opts: the words of the command line, by parameter.

    UsageError for a preset of another command, and for one that makes several pieces.
    """
    from affectgen.batch.presets.preset import find_preset, outweighed
    from affectgen.batch.presets.preset_schema import is_axis
    from affectgen.cli.jobs import command_specs

    command = ctx.command_path.partition(" ")[2]
    preset = find_preset(name, command_specs())
    if preset.command != command:
        raise UsageError(
            f"The preset {preset.name} is one of `affectgen {preset.command}`.",
            f"Say: affectgen {preset.command} --preset {name}, or: affectgen batch {name} -o out/",
        )
    params = {long_name(param): param for param in ctx.command.params}
    told, environment = (_said(ctx, params, opts, source) for source in (COMMANDLINE, ENVIRONMENT))
    gone, said = outweighed(told, environment), {**told, **environment}
    found: dict[str, Any] = {}
    for option, value in preset.options.items():
        if option in gone:
            continue
        if is_axis(value, preset.spec.options[option].several):
            raise UsageError(
                f"The preset {preset.name} has {len(value)} values of {option}, and this command makes one piece.",
                f"Choose one: {_spelled(preset.spec.options[option], value[0])}, or make all: "
                f"affectgen batch {name} -o out/",
            )
        here = _here(value, preset.spec.options[option].kind, option, said)
        if here is not None:
            found[str(params[option].name)] = here
    return found


def _spelled(option: OptionSpec, value: Any) -> str:
    """A value as words of the command line; of a switch, the switch."""
    from affectgen.batch.spec import FLAG

    if option.kind == FLAG:
        return f"--{option.name}"
    texts = [shlex.quote(str(one)) for one in (value if isinstance(value, list) else [value])]
    return " ".join(texts if option.argument else [f"--{option.name}={text}" for text in texts])


def long_name(param: click.Parameter) -> str:
    """The name of an option or an argument as presets spell it."""
    if isinstance(param, click.Argument):
        return str(param.name).replace("_", "-")
    return max(param.opts, key=len).lstrip("-")


def _said(
    ctx: click.Context, params: Mapping[str, click.Parameter], opts: Mapping[str, Any], wanted: ParameterSource
) -> dict[str, Any]:
    """What the command line says, or the environment, by long names."""
    found: dict[str, Any] = {}
    for name, param in params.items():
        if isinstance(param, PresetOption):
            continue
        value, source = param.consume_value(ctx, opts)
        if source is wanted and value is not None:
            found[name] = value
    return found


def _here(value: Any, kind: str, option: str, said: Mapping[str, Any]) -> Any:
    """A preset's value as this command takes it, None where it has no meaning here: an ending becomes a file beside
    the output, and a file named after the source is looked for beside it."""
    from affectgen.batch.presets.preset_files import FROM_SOURCE
    from affectgen.batch.spec import ENDING, FILE

    output = str(said.get("output", STDOUT))
    if option == "format" and Path(output).suffix:
        return None  # the output's ending says it
    if option == "bits" and _lossy(output, said):
        return None
    if kind == ENDING:
        if output == STDOUT:
            return None
        return Path(output) if _several(output, said) else Path(output).with_suffix(f".{value.lstrip('.')}")
    if kind == FILE and isinstance(value, str) and FROM_SOURCE in value:
        source = said.get("source")
        if not isinstance(source, str) or source == STDOUT:
            return None
        return value.replace(FROM_SOURCE, str(Path(source).with_suffix("")))
    return value


def _lossy(output: str, said: Mapping[str, Any]) -> bool:
    """Whether the sound asked for here has no bits to choose."""
    from affectgen.audio.formats import FORMATS

    lossy = {suffix for one in FORMATS if one.lossy for suffix in (*one.suffixes, f".{one.name}")}
    return Path(output).suffix.lower() in lossy or f".{said.get('format', '')}" in lossy


def _several(output: str, said: Mapping[str, Any]) -> bool:
    """Whether the output is a folder, in which pictures and sounds get names of their own."""
    return "count" in said or output.endswith("/") or Path(output).is_dir()
