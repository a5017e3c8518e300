"""`affectgen evaluate muser`: the table of what MusER shows, by the judge, on fixed seeds, beside real music.

The judge read validation songs only; no generator and no guide has seen them. Pieces are composed through the same
options as the command line's, so the figures are those of its defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from affectgen.evaluate import muser_latents
from affectgen.evaluate.figures import Report
from affectgen.evaluate.pieces import PATHS, Bars, Plan, compose_quadrants, followed, heard_and_counted
from affectgen.evaluate.reference import load_reference
from affectgen.muser.checkpoint import DEFAULT, load_writer
from affectgen.muser.generate import Generator
from affectgen.muser.options import GenerateOptions, pull
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.judge import load_judge
from affectgen.writing.spread import composing

BARS = Bars({"quadrants": 0.75, "arousal": 0.96, "valence": 0.78}, {"arousal": 0.88, "valence": 0.62}, 1.7, 0.7)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """clips a quadrant; pieces a grid point; paths; pairs for transfer; clips for reconstruction; first seed;
    quick: whether these are a few, to see that all of it works."""

    clips: int = 60
    grid: int = 2
    paths: int = 24
    pairs: int = 24
    reconstructions: int = 24
    seed: int = 1000
    best_of: int = 1
    tries: int = GenerateOptions.tries
    guidance: float | None = None
    quick: bool = False

    @property
    def plan(self) -> Plan:
        """What is composed and judged as for every generator."""
        return Plan(self.clips, self.grid, self.paths, self.seed, partial(options, self), BARS)


@dataclass(frozen=True)
class Build:
    """Makes the generator of a checkpoint, for this process or another."""

    checkpoint: str | None
    device: str

    def __call__(self) -> Generator:
        return Generator(load_writer(self.checkpoint, self.device))


def run(
    checkpoint: str | None, clips: int, data: Path | None, seed: int | None, device: str, say: Say,
    settings: Settings | None = None, jobs: int = 1,
) -> Report:  # fmt: skip
    """Compose, by as many processes as jobs says, judge, and gather every figure."""
    chosen = settings if settings is not None else Settings()
    chosen = replace(chosen, clips=clips, seed=seed if seed is not None else chosen.seed)
    reference, judge = load_reference(data), load_judge()
    composer = load_writer(checkpoint, device)
    generator = composing(Build(checkpoint, device), jobs)
    say(f"composing {4 * clips} clips for the quadrants")
    plan = chosen.plan
    made = compose_quadrants(generator, plan)
    figures = heard_and_counted(made, judge, reference, plan) + followed(generator, judge, plan, say)
    say("reconstructing and transferring")
    figures += muser_latents.figures(composer, reference, chosen.reconstructions, chosen.pairs, chosen.seed)
    about = {
        "checkpoint": composer.name, "clips a quadrant": clips, "seeds from": chosen.seed, "best of": chosen.best_of,
        "tries": chosen.tries,
        "guidance": pull(options(chosen, None, 0, 16)), "along paths": pull(options(chosen, PATHS[0], 0, 16)),
    }  # fmt: skip
    if chosen.quick:
        about["quick"] = True
    config = load_checkpoint(checkpoint if checkpoint is not None else DEFAULT).config
    return Report("MusER", about, figures, {"model": config["model"], **config.get("training", {})})


def options(settings: Settings, affect: str | None, seed: int, bars: int) -> GenerateOptions:
    """The command line's options with the settings' best-of and guidance."""
    plain = GenerateOptions(affect, seed, bars=bars, best_of=settings.best_of, tries=settings.tries)
    return plain if settings.guidance is None else replace(plain, guidance=settings.guidance)
