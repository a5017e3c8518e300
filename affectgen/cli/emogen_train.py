"""`affectgen emogen train`: making a generator of one's own, and the map from emotions that goes with it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from affectgen.cli.options import Command
from affectgen.cli.settings import given
from affectgen.cli.training import check_files, hardware, keeping, say_written, training_options
from affectgen.cli.values import Number
from affectgen.device import cores, pick_device
from affectgen.emogen.config import EmogenConfig
from affectgen.errors import UsageError

FOLDER = click.Path(path_type=Path)
# the defaults of EmogenTrainOptions (a test compares): importing that class imports torch
NUMBERS = {"pretrain": 3600, "finetune": 2100, "rows": 10, "words": 512, "rate": 1.2e-3}


def _number(name: str, text: str, kind: click.ParamType[Any], default: float) -> Callable[[Command], Command]:
    return click.option(f"--{name}", type=kind, default=default, show_default=True, help=text)


@click.command()
@click.option("--data", type=FOLDER, required=True, help="Folder with emopia/, and pop1k7/ and pop909/ if there are.")
@click.option("-o", "--output", type=FOLDER, required=True, help="The checkpoint folder; the map goes to OUTPUT-map.")
@click.option("--run", type=FOLDER, help="Where the run is kept and goes on from. [default: OUTPUT.run]")
@click.option("--from", "start", metavar="NAME|PATH", help="A generator to go on from; its sizes and scale stay.")
@_number("dim", "Width of the decoder.", click.IntRange(8), EmogenConfig.dim)
@_number("layers", "Layers of the decoder.", click.IntRange(1), EmogenConfig.layers)
@_number("heads", "Attention heads of the decoder.", click.IntRange(1), EmogenConfig.heads)
@_number("pretrain", "Steps on everything, mostly songs; 0 for none.", click.IntRange(0), NUMBERS["pretrain"])
@_number("finetune", "Steps with more of EMOPIA's clips; 0 for none.", click.IntRange(0), NUMBERS["finetune"])
@_number("rows", "Excerpts in a batch.", click.IntRange(1), NUMBERS["rows"])
@_number("words", "Longest excerpt, in words; in some batches twice that.", click.IntRange(32), NUMBERS["words"])
@_number("rate", "Highest learning rate.", Number(1e-7, 1), NUMBERS["rate"])
@click.option(
    "--workers", type=click.IntRange(0),
    help="More processes, which draw batches: a GPU steps faster than one measures attributes. [default: 0, on CUDA "
    "one fewer than processors]",
)  # fmt: skip
@training_options
@click.pass_context
def train(ctx: click.Context, /, **params: Any) -> None:
    """Train a generator on music without labels, and measure the map from emotions on labelled clips.

    Both are written as checkpoints; after Ctrl-C, the same words go on with the training.

    \b
    affectgen emogen train --data ../shared/data -o my_model
    affectgen emogen generate --checkpoint ./my_model -a happy -o happy.mid
    affectgen emogen train --data my_data --from emogen --pretrain 0 -o tuned
    """
    out, run = params["output"], params["run"]
    run = run if run is not None else out.with_name(f"{out.name}.run")
    check_files(out, run, params["force"])
    check_files(out.with_name(f"{out.name}-map"), run, params["force"])
    lost = given(ctx, "dim", "layers", "heads")
    if params["start"] is not None and lost:
        raise UsageError(f"{' and '.join(lost)} cannot be used with --from.", f"Leave out {', '.join(lost)}.")
    command = shlex.join(["affectgen", *ctx.obj["argv"]])
    from affectgen.emogen.produce import produce
    from affectgen.emogen.train import EmogenTrainOptions

    model = EmogenConfig(dim=params["dim"], layers=params["layers"], heads=params["heads"], condition=params["dim"])
    options = EmogenTrainOptions(
        params["data"], run, model, start=params["start"], seed=params["seed"], **hardware(params),
        workers=drawers(params["workers"], params["device"]),
        **{name: params[name] for name in NUMBERS},
    )  # fmt: skip
    with keeping(run, command):
        written = produce(options, out, command)
    if written:
        say_written(out, "emogen", f" and {out.name}-map")


def drawers(asked: int | None, device: str) -> int:
    """How many processes draw batches: what --workers says, else enough to keep a GPU busy, and none on a processor
    that trains itself."""
    if asked is not None:
        return asked
    return cores() - 1 if pick_device(device).startswith("cuda") else 0
