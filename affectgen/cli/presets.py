"""`affectgen presets`: list, show, check and begin presets, and print the schema of their files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.talk import Talk, talk_options
from affectgen.errors import AffectgenError, PartlyFailed, UsageError
from affectgen.output import STDOUT, Outputs, check_output, standard_output, write_stdout

if TYPE_CHECKING:
    from affectgen.batch.presets.preset import Damaged, Preset
    from affectgen.batch.spec import CommandSpec


@click.group()
def presets() -> None:
    """Options under a name: list, show, check and begin presets.

    They lie in the folders of $AFFECTGEN_PRESETS and in the package; docs/presets.md says what they may hold.

    \b
    affectgen presets list --tag sleep
    affectgen muser generate --preset study -o study.mid
    affectgen batch study sleep -o out/ --count 10
    """


@presets.command("list")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Those with this mood or use; repeatable.")
@click.option("--command", metavar="COMMAND", help='Those of a command ("emogen generate") or a group ("speech").')
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_all(tags: tuple[str, ...], command: str | None, as_json: bool) -> None:
    """The presets that can be named; exit code 3 when one is damaged.

    \b
    affectgen presets list --tag game
    affectgen presets list --command "muser generate" --json
    """
    from affectgen.batch.presets.preset import Damaged
    from affectgen.batch.presets.preset_told import damaged_row, row, table

    found = _all()
    kept = [one for one in found if not isinstance(one, Damaged) and _wanted(one, tags, command)]
    damaged = [one for one in found if isinstance(one, Damaged)]
    if as_json:
        told = {"presets": [row(one) for one in kept], "damaged": [damaged_row(one) for one in damaged]}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(table(kept), nl=False)
    for one in damaged:
        click.echo(f"Error: {one.error.message}", err=True)
    if damaged:
        raise PartlyFailed(f"{len(damaged)} of {len(found)} presets are damaged.", "Each is named above.")
    if not kept:
        click.echo("No preset fits." if found else "No preset was found. Set AFFECTGEN_PRESETS.", err=True)


def _all() -> list[Preset | Damaged]:
    """Every preset that can be found."""
    from affectgen.batch.presets.preset import list_presets
    from affectgen.cli.jobs import command_specs

    return list_presets(command_specs())


def _wanted(preset: Preset, tags: Sequence[str], command: str | None) -> bool:
    """Whether a preset has all tags and is of the command or group."""
    of = command is None or preset.command == command or preset.command.startswith(f"{command} ")
    return of and set(tags) <= set(preset.tags)


@presets.command()
@click.argument("name", metavar="NAME|PATH")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, as_json: bool) -> None:
    """One preset: its values, where each comes from, and the pieces that a batch makes of it.

    \b
    affectgen presets show study
    affectgen presets show ./mine.toml --json
    """
    from affectgen.batch.presets.preset import find_preset
    from affectgen.batch.presets.preset_told import sheet, whole
    from affectgen.cli.jobs import command_specs

    preset = find_preset(name, command_specs())
    click.echo(json.dumps(whole(preset), indent=2) if as_json else sheet(preset).rstrip("\n"))


@presets.command()
@click.argument("files", nargs=-1, metavar="[FILE|NAME...]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@talk_options
def check(files: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> None:
    """Check presets: their files, and whether their commands would take what they say. Nothing is made.

    All that can be found, without FILE. Exit code 1 when one is bad, 3 when some of several are.

    \b
    affectgen presets check
    affectgen presets check mine/*.toml
    """
    from affectgen.batch.presets.preset_find import preset_paths

    talk = Talk(quiet, verbose)
    names = files if files else tuple(str(path) for path in preset_paths().values())
    rows: list[dict[str, Any]] = []
    for done, name in enumerate(names, start=1):
        rows.append(_checked(name))
        talk.progress(done, len(names))
        for text in rows[-1]["errors"]:
            click.echo(f"Error: {text}", err=True)
        if not rows[-1]["errors"]:
            talk.detail(f"{name}: pieces: {rows[-1]['pieces']}")
    if as_json:
        click.echo(json.dumps({"presets": rows}, indent=2))
    bad = sum(bool(row["errors"]) for row in rows)
    if bad:
        kind = PartlyFailed if bad < len(rows) else AffectgenError
        raise kind(f"{bad} of {len(rows)} presets cannot be used.", "What is wrong is named above, by file and line.")
    talk.say(f"{len(rows)} presets are good")


def _checked(name: str) -> dict[str, Any]:
    """What a check of one preset comes to, JSON-able."""
    from affectgen.batch.presets.preset import find_preset
    from affectgen.batch.presets.preset_check import check_preset
    from affectgen.batch.presets.preset_files import PresetError
    from affectgen.cli.jobs import command_specs, plan_job

    try:
        pieces = check_preset(find_preset(name, command_specs()), partial(plan_job, device="cpu"))
    except PresetError as error:
        return {"preset": name, "pieces": None, "errors": [str(one) for one in error.troubles]}
    except AffectgenError as error:
        return {"preset": name, "pieces": None, "errors": [str(error)]}
    return {"preset": name, "pieces": pieces, "errors": []}


@presets.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.option("-o", "--output", metavar="FILE|-", help="The file to write, or - (stdout). [default: NAME.toml]")
@click.option("--command", required=True, metavar="COMMAND", help='The command, such as "emogen generate".')
@click.option("--extends", metavar="NAME|PATH", help="Stand on top of another preset.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.argument("options", nargs=-1, metavar="[-- OPTIONS OF THE COMMAND...]")
def new(
    name: str, output: str | None, command: str, extends: str | None, force: bool, options: tuple[str, ...]
) -> None:  # fmt: skip
    """Begin a preset: a file with the options given, and all others as comments.

    \b
    affectgen presets new rainy --command "muser generate" -o rainy.toml -- --affect melancholic --bars 24
    affectgen presets new deep --command "muser generate" --extends sleep -o deep.toml -- --tempo 50
    """
    from affectgen.batch.job import check_name
    from affectgen.batch.presets.preset import find_preset
    from affectgen.batch.presets.preset_find import is_path
    from affectgen.batch.presets.preset_new import checked_text, new_preset, schema_place
    from affectgen.batch.spec import find_spec
    from affectgen.cli.jobs import command_specs
    from affectgen.paths import preset_roots

    specs = command_specs()
    spec = find_spec(specs, command)
    path = Path(output if output is not None else f"{check_name(name, 'presets new')}.toml")
    if extends is not None and find_preset(extends, specs).command != command:
        raise UsageError(f"--extends {extends} is no preset of {command}.", "Name one of the same command.")
    if output != STDOUT:
        check_output(path, force)
    values = _values(spec, options)
    if output != STDOUT:
        extends, values = _beside(path.parent, spec, extends, values)
    text = new_preset(name, spec, values, extends, schema_place(path, preset_roots()))
    data = checked_text(path, text, command, specs)
    if output == STDOUT:
        with standard_output():
            write_stdout(data)
        return
    with Outputs(force) as outputs:
        outputs.add(path, data)
    named = path if is_path(str(path)) else f"./{path}"
    click.echo(f"wrote {path}; say what it is for, then: affectgen presets check {named}", err=True)


def _beside(
    folder: Path, spec: CommandSpec, extends: str | None, values: dict[str, Any]
) -> tuple[str | None, dict[str, Any]]:
    """Paths as they were typed, told from the folder of the preset, where it will look for them."""
    from affectgen.batch.presets.preset_find import is_path
    from affectgen.batch.spec import FILE

    def seen(value: Any) -> Any:
        if isinstance(value, list):
            return [seen(one) for one in value]
        relative = isinstance(value, str) and not value.startswith("{") and not Path(value).expanduser().is_absolute()
        return Path(os.path.relpath(value, folder)).as_posix() if relative else value

    moved = {name: seen(value) if spec.options[name].kind == FILE else value for name, value in values.items()}
    return (f"./{seen(extends)}" if extends is not None and is_path(extends) else extends), moved


def _values(spec: CommandSpec, words: Sequence[str]) -> dict[str, Any]:
    """The options of a command line as a preset says them. UsageError for what is no option of the command."""
    from affectgen.cli.jobs import find_command
    from affectgen.cli.preset_words import spoken

    command = find_command(spec.command)
    if command is None:
        raise UsageError(f"The task {spec.command} has no command.", "Name another.")
    return spoken(command, spec, words)


@presets.command()
def schema() -> None:
    """Print the JSON schema of preset files, for editors: `#:schema` in a file's first line names it."""
    from affectgen.batch.presets.preset_schema import schema_text
    from affectgen.cli.jobs import command_specs

    click.echo(schema_text(command_specs()), nl=False)
