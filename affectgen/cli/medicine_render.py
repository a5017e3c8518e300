"""`affectgen medicine render`: a session to one sound file, with what belongs to it."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from affectgen.batch.order import Beside, Order
from affectgen.cli.medicine_options import check_shape, musicgen_options, plan_options
from affectgen.cli.options import checkpoint_option, device_option, output_options, seed_option
from affectgen.cli.pieces import make, print_json, single_target
from affectgen.cli.render import player_options, sound_format, sound_options, sound_settings
from affectgen.cli.settings import given, origin, seed_setting
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import InputFile
from affectgen.device import cores
from affectgen.errors import AffectgenError, UsageError
from affectgen.manifest import Setting
from affectgen.medicine.options import PlanOptions
from affectgen.task import Result

CHECKPOINT_VARIABLE = "AFFECTGEN_MEDICINE_CHECKPOINT"
COMPOSERS = ("emogen", "muser")
AUTO, SYMBOLIC, MUSICGEN = "auto", "symbolic", "musicgen"
PLANNED = tuple(field.name for field in fields(PlanOptions))
# of the symbolic engine alone, and of the other
COMPOSED = ("composer", "best_of", "checkpoint", "renderer", "soundfont")
DRAWN = ("model", "backend", "precision", "adapter", "batch", "transition", "guidance", "temperature", "top_k")
CUES, PAGES = (".cue", ".csv"), (".html", ".htm")
STATEMENT = "Music for relief between sessions with a therapist; it is no treatment. Keep the volume low."


@click.command()
@click.argument("plan_file", type=InputFile(), required=False, metavar="[PLAN.json|-]")
@plan_options
@click.option("--from-speech", type=InputFile(), metavar="PATH|-", help="Start from the state heard in a voice.")
@click.option("--engine", type=click.Choice((AUTO, SYMBOLIC, MUSICGEN)), default=AUTO, show_default=True,
              help="What makes the clips; auto: MusicGen where its weights and a GPU are, else composed notes.")
@click.option("--composer", type=click.Choice(COMPOSERS), default="emogen", show_default=True, help="What composes.")
@click.option("--best-of", type=click.IntRange(1, 64), default=4, show_default=True,
              help="Candidates for a composed clip.")
@click.option("--tries", type=click.IntRange(1, 64), default=2, show_default=True,
              help="Make a clip anew, so often at most, while the guide hears it far from its target.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes that compose. [default: all processors]")
@musicgen_options
@player_options
@sound_options
@click.option("--cue", type=click.Path(path_type=Path), help="Also a cue sheet (.cue) or a table (.csv) of the clips.")
@click.option("--report", type=click.Path(path_type=Path), help="Also a page (.html) that plays and shows the session.")
@seed_option
@output_options
@checkpoint_option(CHECKPOINT_VARIABLE)
@device_option
@talk_options
@click.pass_context
def render(ctx: click.Context, /, plan_file: Path | bytes | None, **params: Any) -> None:  # fmt: skip
    """Render a session: clips along the path, joined into one sound file.

    Music for relief between sessions with a therapist; it is no treatment. Finished clips are kept in OUTPUT.clips
    until the session is written: after an interrupt the same command goes on from them.

    \b
    affectgen medicine render --from anxious --to calm --minutes 15 --seed 1 -o session.wav
    affectgen medicine render --from-speech voice.wav --to calm -o session.mp3 --report session.html
    affectgen medicine render plan.json --reverb chamber -o session.mp3 --cue session.cue
    affectgen medicine render --from sad --to content --engine musicgen --adapter adapter/ -o session.flac
    """
    talk = Talk(params["quiet"], params["verbose"])
    target = replace(single_target(params), beside=_beside(params))
    settings = _settings(ctx, plan_file, talk)
    after = partial(_remove_clips, folder=settings["clips"].value)
    made = make(ctx, "medicine render", [Order(settings, target, after)], talk)
    for one in target.beside:
        talk.say(f"wrote {one.path}")
    talk.say(STATEMENT)
    if params["as_json"]:
        print_json("medicine render", made)


def _remove_clips(result: Result, folder: str | None) -> None:
    """The session is there, whole: its clips are needed no more."""
    if folder is not None:
        from affectgen.medicine.clips import Clips

        Clips(Path(folder), {}).remove(len(result.details["clips"]))


def _beside(params: dict[str, Any]) -> tuple[Beside, ...]:
    """The files that --cue and --report ask for. UsageError for endings that name another kind."""
    found: list[Beside] = []
    cue, report = params["cue"], params["report"]
    if cue is not None:
        _check_ending("cue", cue, CUES)
        found.append(Beside("cue", cue, partial(_cue, suffix=cue.suffix.lower())))
    if report is not None:
        _check_ending("report", report, PAGES)
        found.append(Beside("report", report, _page))
    return tuple(found)


def _check_ending(option: str, path: Path, endings: tuple[str, ...]) -> None:
    if path.suffix.lower() not in endings:
        raise UsageError(f"--{option} {path} has another ending than it can have.", f"Use {' or '.join(endings)}.")


def _cue(result: Result, name: str, suffix: str) -> bytes:
    from affectgen.medicine.sheet import cue_sheet

    return cue_sheet(result.details, name, suffix)


def _page(result: Result, name: str) -> bytes:
    from affectgen.report.session_page import page_of

    return page_of(result, name)


def _settings(ctx: click.Context, plan_file: Path | bytes | None, talk: Talk) -> dict[str, Setting]:
    """The fields of DrawOptions."""
    params = ctx.params
    check_shape(ctx)
    clash = given(ctx, *PLANNED, "from_speech")
    if plan_file is not None and clash:
        raise UsageError(f"A plan file came with {clash[0]}.", "The plan says it all: edit it.")
    settings = {name: Setting(params[name], origin(ctx, name)) for name in (*PLANNED, "best_of", "tries", *DRAWN)}
    engine = _engine(ctx, talk)
    for name in ("model", "adapter"):  # absolute, so that the manifest is good from anywhere
        settings[name] = Setting(_absolute(params[name]), origin(ctx, name))
    if params["transition"] == "continue" and origin(ctx, "overlap") == "default":
        settings["overlap"] = Setting(0.0, "default")
    if params["from_speech"] is not None:
        settings["start"] = Setting(_start_of(ctx, talk), "option")
    _check_plan(plan_file, {name: settings[name].value for name in PLANNED}, params["transition"])
    jobs = params["jobs"] if params["jobs"] is not None else cores()
    output = params["output"]
    folder = None if output == "-" else str(Path(output).with_name(Path(output).name + ".clips"))
    return {
        **settings, **sound_settings(ctx, sound_format(ctx, False)), "plan": Setting(plan_file, "option"),
        "seed": _seed(ctx, folder, talk),
        "composer": Setting(f"{params['composer']} generate", origin(ctx, "composer")),
        "jobs": Setting(jobs, origin(ctx, "jobs")), "clips": Setting(folder, "default"), "engine": engine,
    }  # fmt: skip


def _seed(ctx: click.Context, folder: str | None, talk: Talk) -> Setting:
    """The seed asked for; without one, that of the clips which an interrupted command left, else a new one."""
    from affectgen.medicine.clips import kept_seed

    kept = None if folder is None or origin(ctx, "seed") != "default" else kept_seed(Path(folder))
    if kept is None:
        return seed_setting(ctx, talk)
    talk.say(f"going on with seed {kept}, that of the clips in {folder}")
    return Setting(kept, "default")


def _check_plan(plan_file: Path | bytes | None, planned: dict[str, Any], transition: str) -> None:
    """Refuse a plan that is none before anything is loaded."""
    from affectgen.medicine.plan import check_stream, make_plan, read_plan

    check_stream(make_plan(PlanOptions(**planned)) if plan_file is None else read_plan(plan_file), transition)


def _absolute(path: str | Path | None) -> str | None:
    """A folder's whole path; a name that is no folder stays."""
    if path is None:
        return None
    return str(Path(path).resolve()) if Path(path).is_dir() else str(path)


def _engine(ctx: click.Context, talk: Talk) -> Setting:
    """The engine asked for, or what auto stands for here. UsageError for options that belong to the other one."""
    asked, name = Setting(ctx.params["engine"], origin(ctx, "engine")), ctx.params["engine"]
    if name == AUTO:
        drawn = [option for option in DRAWN if origin(ctx, option) == "option"]
        name = MUSICGEN if drawn or _musicgen_is_ready(ctx) else SYMBOLIC
        talk.detail(f"engine: {name}")
    foreign = DRAWN if name == SYMBOLIC else COMPOSED  # in the environment they do no harm
    others = given(ctx, *(option for option in foreign if origin(ctx, option) == "option"))
    if others:
        owner = MUSICGEN if name == SYMBOLIC else SYMBOLIC
        raise UsageError(f"{others[0]} came with --engine {name}.", f"It belongs to --engine {owner}.")
    return Setting(name, asked.origin)


def _musicgen_is_ready(ctx: click.Context) -> bool:
    """Whether weights, packages and a GPU are there: a CPU is many times slower than composing, unasked."""
    from importlib.util import find_spec

    if find_spec("transformers") is None or find_spec("peft") is None or ctx.params["device"] == "cpu":
        return False
    from affectgen.device import pick_device

    if pick_device(ctx.params["device"]) == "cpu":
        return False
    from affectgen.medicine.musicgen.folder import known_musicgen

    return known_musicgen() is not None


def _start_of(ctx: click.Context, talk: Talk) -> str:
    """The state heard in a voice, as a point."""
    from affectgen.medicine.plan import moods
    from affectgen.recognize.items import Item
    from affectgen.recognize.rate import Rater, RateSettings

    for option in given(ctx, "start", "path"):
        raise UsageError(f"--from-speech came with {option}.", "Give one of them.")
    source = ctx.params["from_speech"]
    name = str(source) if isinstance(source, Path) else "standard input"
    item = Item(name, source)
    rated = Rater(RateSettings()).rate(item)
    if rated.kind != "speech":
        talk.say(f"note: {name} does not sound like speech")
        rated = Rater(RateSettings("speech")).rate(item)
    reading = rated.reading
    if reading is None:
        raise AffectgenError(f"Nothing could be heard in {name}.", "Give a recording of a voice.")
    words = ", ".join(moods(reading.affect, 2))
    point = f"valence {reading.affect.valence:+.2f}, arousal {reading.affect.arousal:+.2f}"
    talk.say(f"heard in {name}: {point} ({words}), give or take {reading.uncertainty:.2f}")
    return f"{reading.affect.valence:.4f},{reading.affect.arousal:.4f}"
