"""`affectgen models`: the trained models that can be found, whether they are intact, and where they lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from affectgen.errors import AffectgenError
from affectgen.nn.checkpoint import (
    CONFIG,
    SUMS,
    file_sha256,
    list_checkpoints,
    load_checkpoint,
    verify_sums,
    weights_file,
)
from affectgen.paths import checkpoint_roots

INTACT = ("ok", "unlisted")  # a model one trained oneself stands in no list


@click.group()
def models() -> None:
    """List and verify the trained models."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(as_json: bool) -> None:
    """The models that can be named with --checkpoint, with size and licence."""
    rows = [_describe(folder) for folder in list_checkpoints()]
    if as_json:
        click.echo(json.dumps({"models": rows}, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']:<24} {row['megabytes']:>6.1f} MB  {row['licence']:<18} {row['about']}".rstrip())
    if not rows:
        click.echo("No model was found. Set AFFECTGEN_CHECKPOINTS to the folder that holds them.", err=True)


@models.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(as_json: bool) -> None:
    """Compare every model's files with SHA256SUMS; exit code 1 when one is missing or changed."""
    states = {str(root): verify_sums(root) for root in checkpoint_roots()}
    rows = [(Path(root) / name, state) for root, files in states.items() for name, state in files.items()]
    if as_json:
        click.echo(json.dumps(states, indent=2))
    else:
        for file, state in rows:
            click.echo(f"{state:<9} {file}")
    if not rows:
        raise AffectgenError("No model was found.", "Set AFFECTGEN_CHECKPOINTS to the folder that holds them.")
    wrong = [f"{file} is {state}" for file, state in rows if state not in INTACT]
    if wrong:
        raise AffectgenError(f"{'; '.join(wrong)} ({SUMS}).", "Install affectgen again, or fetch these files again.")


@models.command()
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """The folder of a model, or without NAME the folders that are searched."""
    for folder in [load_checkpoint(name).folder] if name is not None else checkpoint_roots():
        click.echo(str(folder))


def _describe(folder: Path) -> dict[str, Any]:
    """What the list says of one model; a damaged one is listed as such, so that the others can be seen."""
    row: dict[str, Any] = {"name": folder.name, "path": str(folder), "megabytes": 0.0, "licence": "", "about": ""}
    try:
        weights = weights_file(folder)
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        row["megabytes"] = round(weights.stat().st_size / 1e6, 3)
        row["sha256"] = file_sha256(weights)
        row["licence"] = str(config.get("licence", "not stated"))
        row["about"] = str(config.get("about", ""))
    except (OSError, ValueError, AttributeError, AffectgenError) as error:
        row["about"] = f"damaged: {error}"
    return row
