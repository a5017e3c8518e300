"""From a command's words to files: where a piece goes, running a task, writing the piece, its picture and manifest."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from affectgen.audio.formats import FORMATS
from affectgen.batch.making import deliver
from affectgen.batch.order import Made, Order, Target, Work
from affectgen.cli.settings import origin
from affectgen.cli.sounding import plan_sound
from affectgen.cli.talk import Talk
from affectgen.device import THREADS_VARIABLES, check_device_name, choose_threads, pick_device, use_threads
from affectgen.errors import UsageError
from affectgen.manifest import Setting, manifest_path
from affectgen.output import STDOUT, check_outputs, drop_empty, is_special, prepare_folder
from affectgen.progress import heard_by
from affectgen.task import find_task

PLANNING = "planning"  # key of the context's object, see `make`
CHUNK = 16  # pieces handed over at once: written as they come, so an interrupt loses at most these
PICTURES = (".png", ".svg", ".pdf")
SOUNDS = tuple(suffix for one in FORMATS for suffix in one.suffixes)
UNFIT = re.compile(r"[^\w.+-]+")  # characters of an affect that are no good in a file name


def single_target(params: Mapping[str, Any]) -> Target:
    """The target that --output, --manifest, --no-manifest, --plot and --force describe. UsageError when they clash."""
    output, manifest, plot = params["output"], params["manifest"], params["plot"]
    if manifest is not None and params["no_manifest"]:
        raise UsageError("--manifest and --no-manifest exclude each other.", "Give one of them.")
    if output == STDOUT and params["as_json"]:
        raise UsageError("--json and -o - both want standard output.", "Write to a file, or leave --json out.")
    check_picture(plot)
    audio = _audio_place(params)
    if audio is not None and audio.suffix.lower() not in SOUNDS:
        raise UsageError(f"--audio {audio} has no ending that names a sound.", f"Use one of {', '.join(SOUNDS)}.")
    piece = None if output == STDOUT else Path(output)
    if manifest is None and not params["no_manifest"] and piece is not None and not is_special(piece):
        manifest = manifest_path(piece)
    return Target(piece, manifest, plot, params["force"], audio, _audio_manifest(params, audio))


def _audio_place(params: Mapping[str, Any]) -> Path | None:
    """What --audio says; a command without it makes no sound beside."""
    return params["audio"] if params.get("audio") is not None else None


def _audio_manifest(params: Mapping[str, Any], audio: Path | None) -> Path | None:
    """Beside the sound, also where the piece goes to standard output and has none."""
    return None if audio is None or params["no_manifest"] or is_special(audio) else manifest_path(audio)


def is_folder(output: str) -> bool:
    """Whether --output names a folder: it ends with a slash, or is one."""
    return output != STDOUT and (output.endswith("/") or Path(output).is_dir())


def folder_targets(
    params: Mapping[str, Any], names: Sequence[str], why: str = "--count writes several files"
) -> list[Target]:
    """A target for each name inside the folder --output, which is created. UsageError for what fits one piece only.

    why: how several files come about.
    """
    if params["output"] == STDOUT:
        raise UsageError(f"{why}, and -o - is one stream.", "Give a folder: -o out/")
    if params["manifest"] is not None:
        raise UsageError("--manifest names one file, and several pieces are made.", "Leave it out: each gets its own.")
    plot, audio = params["plot"], _audio_place(params)
    if plot is not None and plot.suffix.lower() in PICTURES:
        raise UsageError(f"--plot {plot} names one file, and several pieces are made.", "Give a folder: --plot out/")
    if audio is not None and audio.suffix.lower() in SOUNDS:
        raise UsageError(f"--audio {audio} names one file, and several pieces are made.", "Give a folder: --audio out/")
    folder = Path(params["output"])
    if folder.suffix == Path(names[0]).suffix and not is_folder(params["output"]):
        raise UsageError(f"-o {folder} names one file, and several pieces are made.", "Give a folder: -o out/")
    for path in (folder, plot, audio):
        if path is not None:
            output_folder(path)
    sounds = [None if audio is None else audio / f"{Path(name).stem}.wav" for name in names]
    return [
        Target(
            folder / name,
            None if params["no_manifest"] else manifest_path(folder / name),
            None if plot is None else plot / f"{Path(name).stem}.png",
            params["force"],
            sound,
            _audio_manifest(params, sound),
        )
        for name, sound in zip(names, sounds, strict=True)
    ]


def output_folder(path: Path) -> None:
    """Create an output folder; if the command ends without having written to it, it goes again."""
    if prepare_folder(path):
        click.get_current_context().call_on_close(partial(drop_empty, path))


def file_name(affect: str | None, seed: int, suffix: str) -> str:
    """A piece's name inside a folder: the affect and the seed, `sad_calm_happy-17.mid`."""
    return f"{UNFIT.sub('_', affect).strip('_') if affect is not None else 'piece'}-{seed}{suffix}"


class Planned(Exception):
    """Raised by `make` where a command is only read, to be carried out later or elsewhere. works: what it would do."""

    def __init__(self, works: Sequence[Work]) -> None:
        super().__init__(f"{len(works)} planned")
        self.works = tuple(works)


def make(ctx: click.Context, name: str, orders: Sequence[Order], talk: Talk) -> list[Made]:
    """Run the task `name` once for every order and write what comes. Nothing is begun when an output cannot be.

    Where the context's object says "planning", `Planned` is raised instead.
    """
    planning = bool(ctx.obj.get(PLANNING))
    if not planning:
        check_outputs([path for order in orders for path in order.target.files()], force=orders[0].target.force)
    run = _resources(ctx, planning)
    sound = plan_sound(ctx) if any(order.target.audio is not None for order in orders) else {}
    works = [Work(name, ctx.obj["argv"], run, order, sound) for order in orders]
    options = [work.options() for work in works]
    if planning:
        raise Planned(works)
    if "checkpoint" in ctx.params:  # a task without a model needs no torch, which takes time and memory
        use_threads(run["threads"].value)
    began = time.perf_counter()
    loaded = find_task(name).load(run["checkpoint"].value, run["device"].value)
    loading = time.perf_counter() - began
    talk.detail(f"loaded in {loading:.1f} s, on {run['device'].value} with {run['threads'].value} threads")
    made: list[Made] = []
    for start in range(0, len(works), CHUNK):
        began = time.perf_counter()
        with heard_by(talk.bar()):
            results = loaded.run(options[start : start + CHUNK])
        seconds = {"load": round(loading, 3), "make": round((time.perf_counter() - began) / len(results), 3)}
        for work, result in zip(works[start : start + CHUNK], results, strict=True):
            made.append(deliver(work, result, seconds))
            _tell(made[-1], talk)
        talk.progress(len(made), len(works))
    return made


def _resources(ctx: click.Context, planning: bool) -> dict[str, Setting]:
    """What a piece is made with: the device and the number of threads as resolved, the checkpoint as asked for. A
    command without models runs on the CPU and asks for no checkpoint. planning: the device is the worker's to find."""
    name = ctx.params.get("device", "cpu")
    device = check_device_name(name) if planning else pick_device(name)
    return {
        "device": Setting(device, origin(ctx, "device")),
        "threads": Setting(choose_threads(), "environment" if set(THREADS_VARIABLES) & set(os.environ) else "default"),
        "checkpoint": Setting(ctx.params.get("checkpoint"), origin(ctx, "checkpoint")),
    }


def print_json(name: str, made: Sequence[Made]) -> None:
    """One JSON object on standard output: the task and its pieces."""
    import json

    text = json.dumps({"task": name, "pieces": [piece.to_json() for piece in made]}, indent=2, ensure_ascii=False)
    click.echo(text.encode("utf-8", "backslashreplace").decode())  # a file's name need not be UTF-8


def _tell(made: Made, talk: Talk) -> None:
    """Say what was written, what was asked and what was measured."""
    if made.target.piece is not None:
        talk.say(f"wrote {made.target.piece}")
    for line in made.summary:
        talk.say(f"  {line}")
    measured = made.manifest.measured
    for heard in (measured, measured.get("judge", {})):
        if "valence" in heard and "arousal" in heard:
            point = f"valence {heard['valence']:+.2f}, arousal {heard['arousal']:+.2f}"
            quadrant, recogniser = heard.get("quadrant", ""), heard.get("recogniser", "recogniser")
            talk.say(f"  measured by the {recogniser}: {point} {quadrant}".rstrip())


def check_picture(plot: Path | None) -> None:
    """UsageError for a picture's name that says no kind this can draw."""
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise UsageError(f"--plot {plot} has no ending that names a picture.", f"Use one of {', '.join(PICTURES)}.")
