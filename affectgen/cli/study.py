"""`affectgen muser explore` and `affectgen muser train`: what the latents tell, and making a model of one's own."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.options import (
    LARGEST_SEED,
    Command,
    Number,
    Talk,
    Words,
    device_option,
    model_options,
    readable,
    talk_options,
)
from affectgen.cli.pieces import PICTURES
from affectgen.device import choose_threads, pick_device, use_threads
from affectgen.errors import AffectgenError, UsageError
from affectgen.muser.config import MuserConfig
from affectgen.output import Outputs, check_outputs, prepare_folder

if TYPE_CHECKING:
    from affectgen.muser.explore import Exploration

CHECKPOINT_VARIABLE = "AFFECTGEN_MUSER_CHECKPOINT"
OVERVIEW, FIGURES = "overview", "explore.json"
SPLITS = ("val", "train", "all")
FOLDER = click.Path(path_type=Path)
# the shipped model's sizes, and TrainOptions' defaults (a test compares): importing that class imports torch
SIZES = {"dim": 256, "layers": 6, "heads": 4}
STEPS = {"pretrain": 1000, "finetune": 1200, "prior": 600, "rows": 12, "words": 512}
RATE = 1e-3
STAGES = ("pretrain", "prior", "finetune")


@click.command()
@click.option("--data", type=FOLDER, required=True, help="Labelled clips, laid out like EMOPIA (docs/training.md).")
@click.option("--split", type=click.Choice(SPLITS), default="val", show_default=True, help="Which clips.")
@click.option("-o", "--output", type=FOLDER, help="A folder for all pictures and the figures, or one overview picture.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@model_options(CHECKPOINT_VARIABLE)
@talk_options
def explore(
    data: Path,
    split: str,
    output: Path | None,
    force: bool,
    as_json: bool,
    checkpoint: str | None,
    device: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Say what each musical element's latent slices tell about arousal and valence.

    Linear probes read the mean slice of each clip, tested on songs they were not fitted on; silhouettes are measured
    on the slices themselves. The pictures show them on their two main axes.

    \b
    affectgen muser explore --data ../shared/data -o latents/
    affectgen muser explore --data my_clips --split all -o overview.png --json
    """
    talk = Talk(quiet, verbose)
    names = _pictures(output, force)
    from affectgen.muser.checkpoint import load_composer
    from affectgen.muser.explore import encode_clips, find_clips
    from affectgen.muser.explore import explore as look

    files = find_clips(data, split)
    use_threads(choose_threads())
    composer = load_composer(checkpoint, pick_device(device))
    talk.detail(f"{len(files)} clips")
    found = look(encode_clips(composer, files, talk.progress))
    about = {"checkpoint": {"name": composer.name, "sha256": composer.sha256}, "data": str(data), "split": split}
    figures = json.dumps({**about, **found.to_json()}, indent=2)
    with Outputs(force) as outputs:
        for name, path in names.items():
            outputs.add(path, figures.encode() + b"\n" if path.suffix == ".json" else _draw(found, name, path))
    for path in names.values():
        talk.say(f"wrote {path}")
    click.echo(figures if as_json else found.to_table())


def _pictures(output: Path | None, force: bool) -> dict[str, Path]:
    """The files to write by what they show; checked before any work, and the folder created."""
    from affectgen.muser.options import ELEMENTS

    if output is None:
        return {}
    if output.suffix.lower() in PICTURES and not output.is_dir():
        names = {OVERVIEW: output}
    elif output.suffix and not output.is_dir():
        raise UsageError(f"-o {output} has no ending that names a picture.", f"Use {', '.join(PICTURES)}, or a folder.")
    else:
        prepare_folder(output)
        names = {name: output / f"{name}.png" for name in (OVERVIEW, *ELEMENTS)} | {FIGURES: output / FIGURES}
    check_outputs(list(names.values()), force)
    return names


def _draw(found: Exploration, name: str, path: Path) -> bytes:
    """One picture as the bytes of a file of the path's kind."""
    from affectgen.report.latents import draw_element, draw_overview

    kind = path.suffix[1:].lower()
    return draw_overview(found, kind) if name == OVERVIEW else draw_element(found, name, kind)


def _steps(name: str, text: str, least: int = 1) -> Callable[[Command], Command]:
    """An option for a whole number whose default is TrainOptions'."""
    kind = click.IntRange(least)
    return click.option(f"--{name}", type=kind, default=(SIZES | STEPS)[name], show_default=True, help=text)


@click.command()
@click.option("--data", type=FOLDER, required=True, help="Folder with emopia/, and pop1k7/ and vgmidi/ if there are.")
@click.option("-o", "--output", type=FOLDER, required=True, help="The checkpoint folder to write.")
@click.option("--run", type=FOLDER, help="Where the run is kept and goes on from. [default: OUTPUT.run]")
@click.option("--points", type=FOLDER, help="CSV of clip, valence, arousal. [default: predicted out of fold]")
@click.option("--stages", type=Words(), help="Some of pretrain,prior,finetune; the last two can run side by side.")
@_steps("dim", "Width of the decoder.", 8)
@_steps("layers", "Layers of the decoder.")
@_steps("heads", "Attention heads of the decoder.")
@_steps("pretrain", "Steps on everything, mostly unlabelled music.")
@_steps("prior", "Steps of the prior.")
@_steps("finetune", "Steps of the decoder on the labelled clips.")
@_steps("rows", "Excerpts in a batch.")
@_steps("words", "Longest excerpt, in words.", 32)
@click.option("--rate", type=Number(1e-7, 1), default=RATE, show_default=True, help="Highest learning rate.")
@click.option(
    "--regulariser",
    type=Number(0, 100),
    default=MuserConfig.regulariser,
    show_default=True,
    help="Weight of the order of slices by their element; 0 switches it off.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, LARGEST_SEED),
    default=1,
    show_default=True,
    envvar="AFFECTGEN_SEED",
    help="Of the first weights, the batches and the dropout.",
)
@click.option("--threads", type=click.IntRange(1), help="Threads of torch. [default: 1, or $AFFECTGEN_THREADS]")
@device_option
@click.option("--force", is_flag=True, help="Replace a checkpoint that exists.")
@click.pass_context
def train(ctx: click.Context, /, **params: Any) -> None:
    """Train a MusER on one's own clips, and write it as a checkpoint; after Ctrl-C, the same words go on with it.

    \b
    affectgen muser train --data ../shared/data -o my_model
    affectgen muser generate --checkpoint ./my_model -a happy -o happy.mid
    """
    out, run = params["output"], params["run"]
    run = run if run is not None else out.with_name(f"{out.name}.run")
    _check_train(params, out, run)
    device = pick_device(params["device"])
    command = shlex.join(["affectgen", *ctx.obj["argv"]])
    try:
        from affectgen.muser.produce import produce
        from affectgen.muser.train import TrainOptions

        model = MuserConfig(
            condition=params["dim"], regulariser=params["regulariser"], **{name: params[name] for name in SIZES}
        )
        threads = params["threads"] if params["threads"] is not None else choose_threads()
        given = {name: params[name] for name in (*STEPS, "rate", "seed", "points")}
        given |= {} if params["stages"] is None else {"only": params["stages"]}
        produce(TrainOptions(params["data"], run, model, threads=threads, device=device, **given), out, command)
    except KeyboardInterrupt:
        click.echo(f"Interrupted. The run is kept in {run}; go on with the same words:\n  {command}", err=True)
        raise
    if not (out / "config.json").is_file():
        return
    words = shlex.join(["affectgen", "muser", "generate", "--checkpoint", _path(out), "-a", "happy", "-o", "happy.mid"])
    click.echo(f"wrote {out}; try: {words}", err=True)


def _check_train(params: dict[str, Any], out: Path, run: Path) -> None:
    """Refuse what cannot end well before anything long begins."""
    unknown = [name for name in params["stages"] or () if name not in STAGES]
    if unknown or params["stages"] == ():
        raise UsageError(f"--stages got {', '.join(unknown) or 'nothing'}.", f"Name some of: {', '.join(STAGES)}.")
    if out.exists() and not out.is_dir():
        raise AffectgenError(f"{out} is a file, and a folder was expected.", "Give another name.")
    if (out / "config.json").exists() and not params["force"]:
        raise AffectgenError(f"{out} holds a checkpoint already.", "Give another name, or --force to replace it.")
    for path in (out, run):
        if not path.parent.is_dir():
            raise AffectgenError(f"The folder {path.parent} does not exist.", f"Create it: mkdir -p {path.parent}")
    if params["points"] is not None:
        readable(params["points"])


def _path(out: Path) -> str:
    """The folder so that --checkpoint takes it for a path, not for a name."""
    return str(out) if out.parent != Path() or out.is_absolute() else f"./{out}"
