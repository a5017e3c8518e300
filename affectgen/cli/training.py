"""What every training command takes, checks and says."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from affectgen.cli.options import Command, all_of, device_option
from affectgen.device import choose_threads, pick_device
from affectgen.errors import AffectgenError
from affectgen.task import LARGEST_SEED


def training_options(command: Command) -> Command:
    """--seed, --threads, --device, --force."""
    return all_of(
        command,
        click.option(
            "--seed", type=click.IntRange(0, LARGEST_SEED), default=1, show_default=True, envvar="AFFECTGEN_SEED",
            help="Of the first weights, the batches and the dropout.",
        ),
        click.option("--threads", type=click.IntRange(1), help="Threads of torch. [default: 1, or $AFFECTGEN_THREADS]"),
        device_option,
        click.option("--force", is_flag=True, help="Replace a checkpoint that exists."),
    )  # fmt: skip


def hardware(params: Mapping[str, Any]) -> dict[str, Any]:
    """What --threads and --device stand for."""
    threads = params["threads"] if params["threads"] is not None else choose_threads()
    return {"device": pick_device(params["device"]), "threads": threads}


@contextmanager
def keeping(run: Path, command: str) -> Iterator[None]:
    """Say on an interruption how a training goes on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"Interrupted. The run is kept in {run}; go on with the same words:\n  {command}", err=True)
        raise


def say_written(out: Path, group: str, more: str = "") -> None:
    """Name the checkpoint and how to use it. group: the command group that composes by it; more: what else was written.
    """
    words = ["affectgen", group, "generate", "--checkpoint", path_text(out), "-a", "happy", "-o", "happy.mid"]
    click.echo(f"wrote {out}{more}; try: {shlex.join(words)}", err=True)


def check_files(out: Path, run: Path, force: bool) -> None:
    """Refuse what cannot end well before anything long begins."""
    if out.exists() and not out.is_dir():
        raise AffectgenError(f"{out} is a file, and a folder was expected.", "Give another name.")
    if (out / "config.json").exists() and not force:
        raise AffectgenError(f"{out} holds a checkpoint already.", "Give another name, or --force to replace it.")
    for path in (out, run):
        if not path.parent.is_dir():
            raise AffectgenError(f"The folder {path.parent} does not exist.", f"Create it: mkdir -p {path.parent}")


def path_text(out: Path) -> str:
    """The folder so that --checkpoint takes it for a path, not for a name."""
    return str(out) if out.parent != Path() or out.is_absolute() else f"./{out}"
