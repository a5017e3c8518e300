"""`affectgen muser train`: making a model of one's own, of the project's structure or of the published one."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from affectgen.cli.options import Command
from affectgen.cli.settings import given
from affectgen.cli.training import check_files, hardware, keeping, say_written, training_options
from affectgen.cli.values import Number, Words, readable
from affectgen.errors import UsageError
from affectgen.muser.config import MuserConfig

OURS, PAPER = "ours", "paper"
FOLDER = click.Path(path_type=Path)
STAGES = ("pretrain", "prior", "finetune")
SIZES = ("dim", "layers", "heads")
# the shipped model's sizes, and the defaults of TrainOptions, PaperConfig and PaperTrainOptions, whose VQ-VAE steps are
# --finetune here (a test compares): importing those classes imports torch
NUMBERS: dict[str, dict[str, float]] = {
    OURS: {
        "dim": 256, "layers": 6, "heads": 4,
        "pretrain": 1000, "prior": 1000, "finetune": 1200, "rows": 12, "words": 512, "rate": 1e-3,
    },
    PAPER: {
        "dim": 192, "layers": 4, "heads": 6, "pretrain": 0, "prior": 2000, "finetune": 2000, "rows": 16, "rate": 5e-4,
    },
}  # fmt: skip
OF_A_NEW_MODEL = (*SIZES, "regulariser")  # a checkpoint that is gone on from has its own
OF_OURS = ("regulariser", "words", "from", "stages")


def _number(name: str, text: str, kind: click.ParamType[Any]) -> Callable[[Command], Command]:
    """An option for a number whose default depends on the structure."""
    ours, paper = (NUMBERS[structure].get(name) for structure in (OURS, PAPER))
    told = f"{ours:g}" if paper in (None, ours) else f"{ours:g}; paper: {paper:g}"
    return click.option(f"--{name}", type=kind, help=f"{text} [default: {told}]")


@click.command()
@click.option("--data", type=FOLDER, required=True, help="Folder with emopia/, and pop1k7/ and vgmidi/ if there are.")
@click.option("-o", "--output", type=FOLDER, required=True, help="The checkpoint folder to write.")
@click.option("--run", type=FOLDER, help="Where the run is kept and goes on from. [default: OUTPUT.run]")
@click.option(
    "--structure",
    type=click.Choice((OURS, PAPER)),
    default=OURS,
    show_default=True,
    help="The project's own, or the published one to compare with.",
)
@click.option("--from", metavar="NAME|PATH", help="A checkpoint to go on from; its encoder and codebooks stay.")
@click.option("--points", type=FOLDER, help="CSV of clip, valence, arousal. [default: predicted out of fold]")
@click.option("--stages", type=Words(), help="Some of pretrain,prior,finetune; the last two can run side by side.")
@_number("dim", "Width of the decoder.", click.IntRange(8))
@_number("layers", "Layers of the decoder.", click.IntRange(1))
@_number("heads", "Attention heads of the decoder.", click.IntRange(1))
@_number("pretrain", "Steps on everything, mostly unlabelled music; 0 for none, with --from.", click.IntRange(0))
@_number("prior", "Steps of the prior, which is fitted anew; 0 to keep it, with --from.", click.IntRange(0))
@_number("finetune", "Steps on the labelled clips; 0 for none, with --from.", click.IntRange(0))
@_number("rows", "Excerpts in a batch.", click.IntRange(1))
@_number("words", "Longest excerpt, in words.", click.IntRange(32))
@_number("rate", "Highest learning rate, but for the prior's.", Number(1e-7, 1))
@click.option(
    "--regulariser",
    type=Number(0, 100),
    default=MuserConfig.regulariser,
    show_default=True,
    help="Weight of the order of slices by their element; 0 switches it off.",
)
@training_options
@click.pass_context
def train(ctx: click.Context, /, **params: Any) -> None:
    """Train a MusER on one's own clips, and write it as a checkpoint; after Ctrl-C, the same words go on with it.

    \b
    affectgen muser train --data ../shared/data -o my_model
    affectgen muser generate --checkpoint ./my_model -a happy -o happy.mid
    affectgen muser train --data my_data --from muser --pretrain 0 -o tuned
    affectgen muser train --data ../shared/data --structure paper -o published
    """
    out, run = params["output"], params["run"]
    run = run if run is not None else out.with_name(f"{out.name}.run")
    _check_options(ctx)
    check_files(out, run, params["force"])
    if params["points"] is not None:
        readable(params["points"])
    common = {name: params[name] for name in ("data", "points", "seed")} | {"folder": run} | hardware(params)
    numbers = {
        name: default if params[name] is None else params[name]
        for name, default in NUMBERS[params["structure"]].items()
    }
    command = shlex.join(["affectgen", *ctx.obj["argv"]])
    with keeping(run, command):
        written = (_ours if params["structure"] == OURS else _paper)(params, common, numbers, command)
    if written:
        say_written(out, "muser")


def _ours(params: dict[str, Any], common: dict[str, Any], numbers: Mapping[str, Any], command: str) -> bool:
    """Train the project's own structure, and say whether that wrote a checkpoint."""
    from affectgen.muser.produce import produce
    from affectgen.muser.train import TrainOptions

    sizes, rest = _parted(numbers)
    model = MuserConfig(condition=sizes["dim"], regulariser=params["regulariser"], **sizes)
    only = {} if params["stages"] is None else {"only": params["stages"]}
    options = TrainOptions(model=model, start=params["from"], **common, **rest, **only)
    return produce(options, params["output"], command)


def _paper(params: dict[str, Any], common: dict[str, Any], numbers: Mapping[str, Any], command: str) -> bool:
    """The same for the published structure."""
    from affectgen.muser.paper.config import PaperConfig
    from affectgen.muser.paper.train import PaperTrainOptions
    from affectgen.muser.produce import produce_paper

    sizes, rest = _parted(numbers)
    own = {"steps" if name == "finetune" else name: value for name, value in rest.items()}
    options = PaperTrainOptions(model=PaperConfig.sized(**sizes), **common, **own)
    return produce_paper(options, params["output"], command)


def _parted(numbers: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The numbers that are sizes of the model, and the others."""
    sizes = {name: numbers[name] for name in SIZES}
    return sizes, {name: value for name, value in numbers.items() if name not in SIZES}


def _check_options(ctx: click.Context) -> None:
    """UsageError for stages that are none, and for options that have no meaning beside others."""
    stages = ctx.params["stages"]
    unknown = [name for name in stages or () if name not in STAGES]
    if unknown or stages == ():
        raise UsageError(f"--stages got {', '.join(unknown) or 'nothing'}.", f"Name some of: {', '.join(STAGES)}.")
    for names, other, on in (
        (OF_OURS, "--structure paper", ctx.params["structure"] == PAPER),
        (OF_A_NEW_MODEL, "--from", ctx.params["from"] is not None),
    ):
        lost = given(ctx, *names)
        if on and lost:
            raise UsageError(f"{' and '.join(lost)} cannot be used with {other}.", f"Leave out {', '.join(lost)}.")
