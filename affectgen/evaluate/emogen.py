"""`affectgen evaluate emogen`: the table of what EmoGen shows: attributes that come as asked, and the judge's verdict.

Nothing that steers EmoGen has read a validation song: the generator learned from training clips and songs without
labels, the map from labelled training clips. Ablations are the same table with other options, put beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from affectgen.emogen.build import Build
from affectgen.emogen.checkpoint import DEFAULT, load_emogen, map_of
from affectgen.emogen.mapping import ScaledMap
from affectgen.emogen.options import EmogenOptions, pull
from affectgen.emogen.vector import CORE_NAMES, EMOGEN_NAMES, FIRST_EMOGEN
from affectgen.evaluate.figures import Figure, Report
from affectgen.evaluate.pieces import Bars, Made, Plan, compose_quadrants, followed, heard_and_counted
from affectgen.evaluate.reference import load_reference
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.judge import load_judge
from affectgen.score.attributes import ATTRIBUTES, VALENCE_ONLY, emogen_bits
from affectgen.writing.spread import Composes, composing

BARS = Bars({"quadrants": 0.78, "arousal": 0.97, "valence": 0.82}, {"arousal": 0.90, "valence": 0.68}, 1.5, None)
CORPORA, MORE = ("pop1k7",), ("pop909",)
LEVELS = (-1.5, -0.75, 0.0, 0.75, 1.5)  # standard deviations asked for in a sweep
SWEEP_BARS = 8
SWEEP_SEED = 30_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """clips a quadrant; pieces a grid point; paths; pieces for each level of each attribute's sweep; first seed;
    quick: whether these are a few, to see that all of it works."""

    clips: int = 60
    grid: int = 2
    paths: int = 24
    sweep: int = 2
    seed: int = 1000
    best_of: int = EmogenOptions.best_of
    mapping: str = EmogenOptions.mapping
    guidance: float | None = None
    criticised: bool = True
    quick: bool = False

    @property
    def plan(self) -> Plan:
        """What is composed and judged as for every generator."""
        return Plan(self.clips, self.grid, self.paths, self.seed, partial(options, self), BARS, CORPORA, MORE)


def run(
    checkpoint: str | None, data: Path | None, device: str, say: Say, settings: Settings, jobs: int = 1
) -> Report:  # fmt: skip
    """Compose, by as many processes as jobs says, measure, judge, and gather every figure."""
    reference, judge, plan = load_reference(data), load_judge(), settings.plan
    composer, emotions = load_emogen(checkpoint), map_of(checkpoint)
    generator = composing(Build(checkpoint, device, settings.criticised), jobs)
    say(f"composing {4 * settings.clips} clips for the quadrants")
    made = compose_quadrants(generator, plan)
    near = real_bits(emotions.on(composer.scale), made, settings.seed)
    figures = control(made, near, settings.seed) + heard_and_counted(made, judge, reference, plan)
    figures += followed(generator, judge, plan, say)
    if settings.sweep:
        say(f"sweeping {len(CORE_NAMES)} attributes")
        figures += sweeps(generator, settings)
    about = {
        "checkpoint": composer.name, "clips a quadrant": settings.clips, "seeds from": settings.seed,
        "clips a grid point": settings.grid, "clips a level of a sweep": settings.sweep,
        "best of": settings.best_of, "mapping": settings.mapping, "guidance": pull(options(settings, None, 0, 16)),
    }  # fmt: skip
    if left_out := ablation(settings):
        about["ablation"] = left_out
    if settings.quick:
        about["quick"] = True
    config = load_checkpoint(checkpoint if checkpoint is not None else DEFAULT).config
    return Report("EmoGen", about, figures, {"model": config["model"], **config["training"]})


def ablation(settings: Settings) -> str:
    """What the settings leave out of the defaults, in words; nothing for the defaults."""
    parts = {
        "paper mapping": settings.mapping == "paper", "no guidance": settings.guidance == 1,
        "no reranking": settings.best_of == 1, "no critic": not settings.criticised,
    }  # fmt: skip
    return ", ".join(name for name, out in parts.items() if out)


def options(settings: Settings, affect: str | None, seed: int, bars: int) -> EmogenOptions:
    """The command line's options with the settings' best-of, mapping and guidance."""
    return EmogenOptions(
        affect, seed, bars=bars, best_of=settings.best_of, mapping=settings.mapping, guidance=settings.guidance
    )


def asked_and_found(made: Sequence[Made]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whether each of the hundred attributes was asked for above its threshold, and whether it was found there,
    [pieces, 100]; nan where it was not asked for, or is not known."""
    asked = np.stack([_bits(one.piece.wanted[0]) for one in made])
    return asked, np.stack([_bits(one.piece.values[0]) for one in made])


def _bits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bits of the hundred in an attribute vector [K] in natural units, nan where it has none."""
    bits = emogen_bits(values[FIRST_EMOGEN:]).astype(np.float64)
    return np.where(bits < 0, np.nan, bits)


def control(made: Sequence[Made], near: NDArray[np.float64] | None = None, seed: int = 0) -> list[Figure]:
    """How often an attribute comes out on the side of its threshold that was asked for: the mean over the attributes
    that were asked for at all, as EmoGen's authors measure it.

    near: the bits of real clips of the same emotions [pieces, 100], as `real_bits` gives them: what is asked for is
    what most of them have, so they meet it often. For `shuffled` the requests are exchanged among the pieces.
    """
    asked, found = asked_and_found(made)
    order = np.random.default_rng(seed).permutation(len(made))
    shares, lost = _shares(asked, found), _shares(asked[order], found)
    real = _shares(asked, near) if near is not None else np.full(len(EMOGEN_NAMES), np.nan)
    nine = list(VALENCE_ONLY)
    published = np.array([one.published for one in ATTRIBUTES])
    told = f"{int(np.isfinite(shares).sum())} asked for, {np.isfinite(asked).mean():.0%} of the time"
    return [
        Figure("control accuracy, mean over EmoGen's attributes", _mean(shares), at_least=0.80, real=_known(real),
               shuffled=_known(lost), published=float(published.mean()), note=f"{told}; published: all, always"),
        Figure("control accuracy, the nine that tell valence only", _mean(shares[nine]), at_least=0.72,
               real=_known(real[nine]), shuffled=_known(lost[nine]), published=float(published[nine].mean()),
               note=f"{int(np.isfinite(shares[nine]).sum())} asked for"),
    ]  # fmt: skip


def real_bits(emotions: ScaledMap, made: Sequence[Made], seed: int) -> NDArray[np.float64]:
    """The bits of a real clip for each piece [pieces, 100], drawn from those near the emotion that the piece was asked
    for."""
    rng = np.random.default_rng(seed)
    weights = [emotions.at(one.piece.asked).weight for one in made]
    return np.stack([emotions.above[rng.choice(len(weight), p=weight)] for weight in weights]).astype(np.float64)


def _shares(asked: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often each of the hundred is found as asked [100], of the pieces [N, 100] that ask for it; nan for none. What
    is not known of a piece is not as asked."""
    there = np.isfinite(asked)
    right = (there & (asked == found)).sum(axis=0)
    return np.where(there.any(axis=0), right / np.maximum(there.sum(axis=0), 1), np.nan)


def _known(shares: NDArray[np.float64]) -> float | None:
    """Their mean, None where nothing is known."""
    value = _mean(shares)
    return value if np.isfinite(value) else None


def _mean(shares: NDArray[np.float64]) -> float:
    """The mean of those that are there, nan for none."""
    there = shares[np.isfinite(shares)]
    return float(there.mean()) if len(there) else np.nan


def _rank_correlation(asked: Sequence[float], found: Sequence[float]) -> float:
    """Spearman's, 0 where nothing moves or a piece has no value."""
    if not np.isfinite(found).all() or len(set(found)) < 2:
        return 0.0
    return float(spearmanr(asked, found).statistic)


def sweeps(generator: Composes, settings: Settings) -> list[Figure]:
    """Spearman of target and measured value for each core attribute, set alone and without an affect, at LEVELS."""
    levels = [level for level in LEVELS for _ in range(settings.sweep)]
    asked = [
        replace(options(settings, None, settings.seed + SWEEP_SEED + 100 * number + place, SWEEP_BARS),
                set=(f"{name}={level:+g}",))
        for number, name in enumerate(CORE_NAMES) for place, level in enumerate(levels)
    ]  # fmt: skip
    pieces = generator.run(asked)  # in one call: several processes would start anew for each
    found = {}
    for number, name in enumerate(CORE_NAMES):
        own = pieces[number * len(levels) : (number + 1) * len(levels)]
        measured = [float(piece.achieved[0, number]) for piece in own]  # type: ignore[attr-defined]
        found[name] = _rank_correlation(levels, measured)
    values = np.array(list(found.values()))
    worst = sorted(found, key=lambda name: found[name])[:6]
    note = "least: " + ", ".join(f"{name} {found[name]:.2f}" for name in worst)
    return [
        Figure("sweeps: Spearman of target and value, median over core attributes", float(np.median(values)),
               at_least=0.80, note=note),
        Figure("sweeps: core attributes with at least .5", float((values >= 0.5).mean())),
    ]  # fmt: skip
