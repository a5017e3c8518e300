"""`affectgen muser explore`: what the latents tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from affectgen.cli.options import model_options
from affectgen.cli.pieces import PICTURES, output_folder
from affectgen.cli.talk import Talk, talk_options
from affectgen.device import choose_threads, pick_device, use_threads
from affectgen.errors import UsageError
from affectgen.output import Outputs, check_outputs

if TYPE_CHECKING:
    from affectgen.muser.explore import Exploration

CHECKPOINT_VARIABLE = "AFFECTGEN_MUSER_CHECKPOINT"
OVERVIEW, FIGURES = "overview", "explore.json"
SPLITS = ("val", "train", "all")
FOLDER = click.Path(path_type=Path)


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
    from affectgen.writing.options import ELEMENTS

    if output is None:
        return {}
    if output.suffix.lower() in PICTURES and not output.is_dir():
        names = {OVERVIEW: output}
    elif output.suffix and not output.is_dir():
        raise UsageError(f"-o {output} has no ending that names a picture.", f"Use {', '.join(PICTURES)}, or a folder.")
    else:
        output_folder(output)
        names = {name: output / f"{name}.png" for name in (OVERVIEW, *ELEMENTS)} | {FIGURES: output / FIGURES}
    check_outputs(list(names.values()), force)
    return names


def _draw(found: Exploration, name: str, path: Path) -> bytes:
    """One picture as the bytes of a file of the path's kind."""
    from affectgen.report.latents import draw_element, draw_overview

    kind = path.suffix[1:].lower()
    return draw_overview(found, kind) if name == OVERVIEW else draw_element(found, name, kind)
