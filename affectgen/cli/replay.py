"""`affectgen replay`: make a piece again from its manifest and check that it is the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile, readable
from affectgen.device import pick_device, use_threads
from affectgen.errors import AffectgenError, CheckpointError, UsageError
from affectgen.manifest import Manifest, digest, file_hash, read_manifest, versions
from affectgen.output import STDOUT, Outputs, check_output, write_stdout
from affectgen.task import Result, Task, find_task, options_from

SOUNDFONT = "soundfont"  # of `render`: a path in the settings, its hash among the details


class NamedInput(click.ParamType[tuple[str, "Path | bytes"]]):
    """FIELD=PATH: an input file that moved, or that came through a pipe."""

    name = "field=path|-"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path | bytes]:
        """The setting's name and the file."""
        name, sign, path = str(value).partition("=")
        if not sign:
            self.fail(f"{value!r} has not the form FIELD=PATH.", param, ctx)
        return name, InputFile().convert(path, param, ctx)


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="PATH|-", help="Where the piece goes. [default: its name, beside the manifest]")
@click.option("--input", "inputs", type=NamedInput(), multiple=True, help="An input file that lies elsewhere now.")
@click.option("--checkpoint", metavar="NAME|PATH", help="The trained model, where it lies elsewhere now.")
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@talk_options
def replay(
    manifest: Path,
    output: str | None,
    inputs: tuple[tuple[str, Path | bytes], ...],
    checkpoint: str | None,
    force: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Make the piece of MANIFEST (out.mid.json) again: the same bytes, on the same platform.

    Without -o, an output that is still there is compared instead of written.
    """
    talk = Talk(quiet, verbose)
    record = read_manifest(manifest)
    path = _place(manifest, record, output)
    compare = output is None and path is not None and path.exists() and not force
    if path is not None and not compare:
        check_output(path, force)
    result = _make_again(record, dict(inputs), checkpoint, manifest.parent)
    _check_same(record, result)
    if path is None:
        write_stdout(result.data)
    elif not compare:
        with Outputs(force) as outputs:
            outputs.add(path, result.data)
        talk.say(f"wrote {path}, the same bytes as recorded")
    elif file_hash(path) == digest(result.data):
        talk.say(f"{path} is what its manifest says, byte for byte")
    else:
        raise AffectgenError(f"{path} was changed since its manifest was written.", "Use -o to write the original.")


def _place(manifest: Path, record: Manifest, output: str | None) -> Path | None:
    """The output's path, None for standard output."""
    if output is not None:
        return None if output == STDOUT else Path(output)
    name = record.output["path"]
    if name is None:
        raise UsageError(f"The piece of {manifest} went to standard output.", "Say where it goes now: -o PATH or -o -")
    return manifest.with_name(name)


def _make_again(
    record: Manifest, inputs: Mapping[str, Path | bytes], checkpoint: str | None, folder: Path
) -> Result:  # fmt: skip
    """Run the recorded task with its recorded settings. folder: of the manifest."""
    task = find_task(record.task)
    values = _with_inputs(record, inputs, folder)
    wanted = checkpoint if checkpoint is not None else _checkpoint(record)
    if checkpoint is not None and "checkpoint" in values:
        values["checkpoint"] = checkpoint
    options = _options(task, values)
    if wanted is not None:
        _check_checkpoint(record, wanted)
        use_threads(record.run["threads"].value)
    loaded = task.load(wanted, pick_device(record.run["device"].value))
    return loaded.run([options])[0]


def _with_inputs(record: Manifest, inputs: Mapping[str, Path | bytes], folder: Path) -> dict[str, Any]:
    """The recorded settings with their input files; the second of several sources is `sources.2`."""
    values = {name: setting.value for name, setting in record.settings.items()}
    several = {name: value for name, value in values.items() if isinstance(value, list) and any(map(_is_file, value))}
    numbered = {name: [f"{name}.{n + 1}" for n in range(len(value))] for name, value in several.items()}
    known = {*values, *(name for names in numbered.values() for name in names)}
    unknown = sorted(set(inputs) - known)
    if unknown:
        raise UsageError(f"The manifest has no input {', '.join(unknown)}.", _has(values, several, numbered))
    for name, value in values.items():
        if name == SOUNDFONT:
            values[name] = _soundfont(record, value, inputs.get(name))
        elif name in several:
            moved = [inputs.get(numbered[name][n], inputs.get(name) if len(value) == 1 else None)
                     for n in range(len(value))]  # fmt: skip
            rows = zip(numbered[name], value, moved, strict=True)
            values[name] = [_input(name if len(value) == 1 else one, part, new, folder) for one, part, new in rows]
        else:
            if name in inputs and not _is_file(value):
                raise UsageError(f"The setting {name} is no input file.", "Only files can lie elsewhere now.")
            values[name] = _input(name, value, inputs.get(name), folder)
    return values


def _has(values: Mapping[str, Any], several: Collection[str], numbered: Mapping[str, Sequence[str]]) -> str:
    """Which inputs a manifest has, for a hint."""
    single = [name for name, value in values.items() if _is_file(value) or name == SOUNDFONT]
    found = single + [one for name in several for one in (numbered[name] if len(numbered[name]) > 1 else [name])]
    return f"It has: {', '.join(sorted(found))}." if found else "It was made of no file."


def _soundfont(record: Manifest, path: Any, moved: Path | bytes | None) -> Any:
    """The path of the font that played, looked at before it plays: a large one takes long. None where none did."""
    player = record.details.get("renderer")
    needed = player.get("font_sha256") if isinstance(player, dict) else None
    if needed is None:
        return path
    if isinstance(moved, bytes):
        raise UsageError("A soundfont came through standard input.", f"Give a file: --input {SOUNDFONT}=PATH")
    place = moved if moved is not None else Path(str(path))
    hint = f"Say where it lies: --input {SOUNDFONT}=PATH"
    if not place.is_file():
        raise AffectgenError(f"The soundfont {place} is not there.", hint)
    if file_hash(place) != needed:
        raise AffectgenError(f"The soundfont {place} is another one: SHA-256 {needed} is needed.", hint)
    return str(place)


def _is_file(value: Any) -> bool:
    """Whether a recorded value is an input file."""
    return isinstance(value, dict) and set(value) == {"path", "sha256"}


def _options(task: Task, values: Mapping[str, Any]) -> Any:
    """The recorded settings as the task's options. AffectgenError for values of a kind that no command would write."""
    try:
        return options_from(task.options, values)
    except (TypeError, ValueError, AttributeError) as error:
        raise AffectgenError(
            f"The manifest holds a setting that cannot be read: {error}.", "Use the manifest as it was written."
        ) from error


def _checkpoint(record: Manifest) -> str | None:
    """The checkpoint as it was asked for, may be a path, else the name of the one used; None where there is none."""
    asked = record.run["checkpoint"].value
    return str(asked) if asked is not None else record.checkpoint.get("name")


def _check_checkpoint(record: Manifest, name: str) -> None:
    """CheckpointError unless the checkpoint found now has the recorded hash."""
    from affectgen.nn.checkpoint import load_checkpoint

    needed = f"{record.checkpoint['name']} with SHA-256 {record.checkpoint['sha256']}"
    try:
        found = load_checkpoint(name)
    except CheckpointError as error:
        raise CheckpointError(f"{error.message} The piece was made by {needed}.", error.hint) from error
    if found.sha256 != record.checkpoint["sha256"]:
        raise CheckpointError(
            f"The checkpoint {name} has the SHA-256 {found.sha256}; the piece was made by {needed}.",
            "Give that one: --checkpoint PATH",
        )


def _input(name: str, value: Any, moved: Path | bytes | None, folder: Path) -> Any:
    """A recorded value; for an input file the file itself, after a look at its hash: beside the manifest, whose
    folder may have been moved, else where it lay."""
    if not _is_file(value):
        return value
    if moved is None and value["path"] is None:
        raise UsageError(f"The input {name} came through a pipe.", f"Give it again: --input {name}=PATH")
    beside = folder / Path(value["path"]).name if moved is None else None
    if beside is not None and beside.is_file() and file_hash(beside) == value["sha256"]:
        return beside
    source = moved if moved is not None else _recorded(name, Path(value["path"]))
    if (digest(source) if isinstance(source, bytes) else file_hash(source)) != value["sha256"]:
        where = "The bytes" if isinstance(source, bytes) else str(source)
        raise AffectgenError(
            f"{where} given as {name} changed: SHA-256 {value['sha256']} is needed.", f"Use --input {name}=PATH"
        )
    return source


def _recorded(name: str, path: Path) -> Path:
    """An input where the manifest says that it lay. AffectgenError where it cannot be read."""
    try:
        return readable(path)
    except AffectgenError as error:
        raise AffectgenError(error.message, f"If it lies elsewhere now: --input {name}=PATH") from error


def _check_same(record: Manifest, result: Result) -> None:
    """AffectgenError when other bytes came than recorded; names the versions that differ."""
    if digest(result.data) == record.output["sha256"]:
        return
    now = versions()
    changed = [f"{key} {value} (now {now.get(key)})" for key, value in record.versions.items() if now.get(key) != value]
    before, used = record.details.get("map"), result.details.get("map")  # EmoGen's, which is a file of its own
    if isinstance(before, dict) and before != used:
        changed.append(f"the map {before.get('name')} with SHA-256 {before.get('sha256')}")
    player, now_player = record.details.get("renderer"), result.details.get("renderer")
    if player != now_player:
        changed.append(f"the renderer {player} (now {now_player})")
    engine, now_engine = record.details.get("engine"), result.details.get("engine")
    if engine != now_engine:
        changed.append(f"the engine {engine} (now {now_engine})")
    weights, now_weights = record.details.get("musicgen"), result.details.get("musicgen")
    if weights != now_weights:
        changed.append(f"MusicGen's weights {weights} (now {now_weights})")
    hint = (
        f"It was made with {', '.join(changed)}." if changed
        else "The manifest was changed since, or this is a fault of affectgen; then please report it."
    )  # fmt: skip
    raise AffectgenError("Other bytes came than the manifest records, so nothing was written.", hint)
