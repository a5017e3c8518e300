"""`affectgen evaluate`: how well generators meet what they are asked, and how well recognisers read, as tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.cli.evaluate_speech import speech
from affectgen.cli.options import best_of_option, checkpoint_option, tries_option
from affectgen.cli.reports import (
    FIRST_SEED,
    FOLDER,
    check_places,
    count_option,
    counts,
    report_options,
    result_options,
    saved_option,
    saved_report,
    show,
    show_generator,
)
from affectgen.cli.settings import given
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import Number, Words
from affectgen.device import choose_threads, cores, use_threads
from affectgen.emogen.options import MAPPINGS, EmogenOptions
from affectgen.errors import UsageError
from affectgen.muser.options import GenerateOptions
from affectgen.task import LARGEST_SEED

if TYPE_CHECKING:
    from affectgen.evaluate.figures import Report

# the defaults of affectgen.evaluate.muser.Settings and of emogen.Settings (a test compares): importing those classes
# imports torch
DEFAULTS = {"clips": 60, "grid": 2, "paths": 24, "pairs": 24, "reconstructions": 24, "seed": 1000}
MEDICINE_DEFAULTS = {"pairs": 20}
EMOGEN_DEFAULTS = {"clips": 60, "grid": 2, "paths": 24, "sweep": 2, "seed": 1000}
QUICK = {"clips": 5, "grid": 0, "paths": 2, "pairs": 7, "reconstructions": 2, "sweep": 0}
QUICK_PAIRS = {"pairs": 2}
KINDS = ("midi", "music", "speech", "text")


@click.group()
def evaluate() -> None:
    """Measure how well a generator meets what it is asked, and how well the recognisers read."""


evaluate.add_command(speech)


@evaluate.command()
@count_option("clips", "Clips a quadrant.", DEFAULTS["clips"], 5)
@count_option("grid", "Clips at each point of the 9 x 9 grid; 0 for none.", DEFAULTS["grid"], 0)
@count_option("paths", "Pieces along paths; 0 for none.", DEFAULTS["paths"], 0)
@count_option("pairs", "Pairs for element transfer.", DEFAULTS["pairs"], 7)
@count_option("reconstructions", "Clips to reconstruct.", DEFAULTS["reconstructions"])
@best_of_option(GenerateOptions.best_of)
@tries_option(GenerateOptions.tries)
@report_options("muser")
@click.pass_context
def muser(ctx: click.Context, /, **params: Any) -> None:
    """Measure MusER with the judge, which never saw what the generator learnt from.

    \b
    affectgen evaluate muser --data ../shared/data -o report.json --write results.md
    affectgen evaluate muser --data ../shared/data --checkpoint ./my_model -o mine.json
    affectgen evaluate muser --saved report.json --beside mine.json > /dev/null
    affectgen evaluate muser --quick | jq '.figures[].name'
    """

    def measure(device: str, jobs: int, say: Callable[[str], None]) -> Report:
        from affectgen.evaluate.muser import Settings, run

        names = ("best_of", "tries", "guidance", "quick")
        settings = Settings(**counts(ctx, DEFAULTS, QUICK), **{name: params[name] for name in names})
        where = params["checkpoint"], settings.clips, params["data"], settings.seed, device
        return run(*where, say, settings=settings, jobs=jobs)

    show_generator("muser", measure)


@evaluate.command()
@count_option("clips", "Clips a quadrant.", EMOGEN_DEFAULTS["clips"], 5)
@count_option("grid", "Clips at each point of the 9 x 9 grid; 0 for none.", EMOGEN_DEFAULTS["grid"], 0)
@count_option("paths", "Pieces along paths; 0 for none.", EMOGEN_DEFAULTS["paths"], 0)
@count_option("sweep", "Pieces at each level of each attribute's sweep; 0 for none.", EMOGEN_DEFAULTS["sweep"], 0)
@click.option(
    "--mapping", type=click.Choice(MAPPINGS), default=EmogenOptions.mapping, show_default=True,
    help="How the affect becomes attributes.",
)  # fmt: skip
@click.option("--critic/--no-critic", "criticised", default=True, help="Whether the critic hears candidates, too.")
@best_of_option(EmogenOptions.best_of)
@report_options("emogen")
@click.pass_context
def emogen(ctx: click.Context, /, **params: Any) -> None:
    """Measure EmoGen: attributes that come as asked, and the judge, which never saw what the generator learnt from.

    \b
    affectgen evaluate emogen --data ../shared/data -o report.json --write results.md
    affectgen evaluate emogen --data ../shared/data --mapping paper -o paper.json
    affectgen evaluate emogen --saved report.json --beside paper.json > /dev/null
    """

    def measure(device: str, jobs: int, say: Callable[[str], None]) -> Report:
        from affectgen.evaluate.emogen import Settings, run

        names = ("best_of", "mapping", "guidance", "criticised", "quick")
        settings = Settings(**counts(ctx, EMOGEN_DEFAULTS, QUICK), **{name: params[name] for name in names})
        return run(params["checkpoint"], params["data"], device, say, settings, jobs)

    show_generator("emogen", measure)


@evaluate.command()
@count_option("pairs", "Sessions, each between a random start and goal.", MEDICINE_DEFAULTS["pairs"])
@click.option("--minutes", type=Number(2, 60), default=6.0, show_default=True, help="Length of each session.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=FIRST_SEED, show_default=True, help="The first.")
@click.option("--composer", type=click.Choice(("emogen", "muser")), default="emogen", show_default=True,
              help="What composes the clips.")
@best_of_option(4)
@click.option("--jobs", type=click.IntRange(1), help="Processes. [default: all processors]")
@checkpoint_option("AFFECTGEN_MEDICINE_CHECKPOINT")
@saved_option
@result_options
@talk_options
@click.pass_context
def medicine(ctx: click.Context, /, **params: Any) -> None:  # fmt: skip
    """Measure sessions: whether clips carry what was asked of them along the path, and whether seams are heard.

    \b
    affectgen evaluate medicine --pairs 20 -o docs/runs/medicine.json --write docs/results.md
    """
    check_places(params)
    talk = Talk(params["quiet"], params["verbose"])
    saved = saved_report("medicine")
    if saved is not None:
        show(params, "medicine", saved, [], talk)
        return
    from affectgen.evaluate.medicine import Settings, run

    use_threads(choose_threads())
    found = counts(ctx, MEDICINE_DEFAULTS, QUICK_PAIRS)
    chosen = {name: params[name] for name in ("minutes", "seed", "best_of", "quick")}
    settings = Settings(**found, **chosen, composer=f"{params['composer']} generate")
    jobs = params["jobs"] if params["jobs"] is not None else cores()
    show(params, "medicine", run(params["checkpoint"], settings, jobs, talk.say), [], talk)


@evaluate.command()
@click.option("--data", type=FOLDER, help="Measure anew, on the corpora in this folder (docs/rating.md).")
@click.option("--only", type=Words(), help=f"With --data: which, with commas between: {', '.join(KINDS)}.")
@click.option("--cache", type=FOLDER, help="With --data: a folder to keep renderings and features of sound in.")
@result_options
@talk_options
@click.pass_context
def recognisers(
    ctx: click.Context, /, data: Path | None, only: tuple[str, ...] | None, cache: Path | None, **params: Any
) -> None:
    """Show how well the recognisers behind `rate` read what they have not seen.

    Without --data the figures are those that each model's fit took and left in it. With --data they are measured anew:
    models are fitted again without what they are to read, where the shipped one has read everything.

    \b
    affectgen evaluate recognisers
    affectgen evaluate recognisers --data ../shared/data --only midi,text -o report.json
    """
    from affectgen.evaluate.recognisers import run

    check_places(ctx.params)
    if data is None and given(ctx, "only", "cache", "quick"):
        names = " and ".join(given(ctx, "only", "cache", "quick"))
        raise UsageError(f"{names} came without --data, and nothing is measured.", "Add --data FOLDER.")
    kinds = KINDS if only is None else only
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise UsageError(f"--only names {unknown[0]!r}.", f"Name some of: {', '.join(KINDS)}.")
    talk = Talk(params["quiet"], params["verbose"])
    use_threads(choose_threads())
    show(ctx.params, "recognisers", run(data, kinds, cache, params["quick"], talk.say), [], talk)
