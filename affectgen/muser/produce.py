"""From a folder of labelled MIDI files to a checkpoint: what `affectgen muser train` does around the training itself.

It looks at the data before anything long begins, gives the clips points inside their quadrants, holds a run folder to
the settings it was begun with, trains (going on where an interrupted run stood) and exports.
"""

from __future__ import annotations

import csv
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.muser.checkpoint import KIND, load_composer
from affectgen.muser.config import MuserConfig
from affectgen.muser.export import export
from affectgen.muser.paper.export import export_paper
from affectgen.muser.paper.train import PaperTrainOptions, paper_songs, run_paper
from affectgen.muser.train import POINTS, TrainOptions, prepare, read_points, run_train, say
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.nn.distributed import Workers
from affectgen.nn.runs import claim, plain
from affectgen.nn.training import BEST
from affectgen.nn.transformer import check_sizes
from affectgen.recognize.mlp import Settings
from affectgen.recognize.pseudo import emopia_points
from affectgen.score.corpora import check_data

# what may change when a run goes on; the checkpoint it started from is held by its hash, whatever it is called
FREE = ("data", "folder", "songs", "points", "threads", "device", "only", "start")


def produce(options: TrainOptions, out: Path, command: str) -> bool:
    """Train as `options` say and, once every stage is there, write the checkpoint folder `out`; `command` goes into its
    card. Of several processes that share the work the first one writes. Returns whether this process wrote it.

    Where options.start names a checkpoint, its sizes replace options.model. Where options.points is None, points are
    predicted out of fold once and kept in the run folder. AffectgenError where the data folder is not laid out as
    needed, CheckpointError where there is nothing to start from; UsageError where the run folder was begun with other
    settings.
    """
    if options.start is not None:
        options = replace(options, model=start_config(options.start))
    check_sizes(options.model.dim, options.model.heads, 2)
    check_inputs(options)
    claim_run(options)
    if options.points is None:
        options = replace(options, points=find_points(options.data, options.folder / POINTS))
    missing = [stage for stage in options.stages if not (options.folder / stage / BEST).is_file()]
    if "pretrain" in missing and "pretrain" not in options.only:
        raise AffectgenError(f"{options.folder} holds no pretraining yet.", "Run the stage pretrain first.")
    run_train(options)
    missing = [stage for stage in options.stages if not (options.folder / stage / BEST).is_file()]
    if missing:
        say(f"still to do before there is a checkpoint: {', '.join(missing)}")
        return False
    if Workers.from_environment().first:
        export(options, prepare(options), out, command)
    return Workers.from_environment().first


def produce_paper(options: PaperTrainOptions, out: Path, command: str) -> bool:
    """The same for the published structure, which reads quadrants only and so needs no predicted points."""
    check_sizes(options.model.dim, options.model.heads, 4)
    check_inputs(options)
    claim_run(options)
    run_paper(options)
    if Workers.from_environment().first:
        export_paper(options, paper_songs(options), out, command)
    return Workers.from_environment().first


def start_config(start: str) -> MuserConfig:
    """The sizes of a checkpoint that can be gone on from. CheckpointError for another kind, or a damaged one."""
    found = load_checkpoint(start)
    if found.config.get("kind") != KIND:
        raise CheckpointError(
            f"{found.name} is a checkpoint of kind {found.config.get('kind')!r}; training goes on from {KIND!r} only.",
            "Give another with --from; `affectgen models list` shows what there is.",
        )
    return load_composer(start).config


def check_inputs(options: TrainOptions | PaperTrainOptions) -> None:
    """AffectgenError unless the clips, and the table of points where one is given, can be trained on."""
    check_data(options.data)
    if options.points is not None:
        check_points(options.points)


def check_points(path: Path) -> None:
    """AffectgenError unless a CSV of points can be read."""
    try:
        read_points(path)
    except (OSError, KeyError, ValueError) as error:
        raise AffectgenError(
            f"{path} is no table of points: {error}.", "It needs the columns clip, valence, arousal with numbers."
        ) from error


def claim_run(options: TrainOptions | PaperTrainOptions) -> None:
    """Note the settings in the run folder; UsageError where it was begun with other ones, or the other structure."""
    claim(options.folder, held_settings(options), {"structure": "ours"})


def held_settings(options: TrainOptions | PaperTrainOptions) -> dict[str, Any]:
    """What a run keeps to, as JSON holds it; the structure first."""
    settings: dict[str, Any] = {"structure": "paper" if isinstance(options, PaperTrainOptions) else "ours"}
    settings |= {name: value for name, value in asdict(options).items() if name not in FREE}
    if isinstance(options, TrainOptions):
        settings["from"] = None if options.start is None else load_checkpoint(options.start).sha256[:12]
    return plain(settings)


def find_points(data: Path, path: Path, settings: Settings | None = None) -> Path | None:
    """A CSV of valence-arousal for the labelled training clips, made where it is not there yet; None without clips.

    Predicted by recognisers that never saw the clip's song and kept inside the labelled quadrant; ratings of VGMIDI,
    where the folder has it, help to fit them.
    """
    if path.is_file():
        return path
    say("predicting the points of the labelled clips out of fold")
    points = emopia_points(data, settings)
    if not points:
        say("no clip has a file of its own name: every clip stands at the centre of its quadrant")
        return None
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("clip", "valence", "arousal"))
        writer.writerows((clip, f"{v:.4f}", f"{a:.4f}") for clip, (v, a) in points.items())
    part.replace(path)
    return path
