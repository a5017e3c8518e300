"""What every generator of pieces is measured by: the judge, the grid, paths, likeness to real music, endings, copying.

Pieces are composed through the same options as the command line's, so the figures are those of its defaults, and read
back from their MIDI files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from affectgen.evaluate.copying import copied_share
from affectgen.evaluate.distance import OverFloor, chosen_statistics, distance_over_floor
from affectgen.evaluate.endings import ending, ending_shares
from affectgen.evaluate.figures import Figure
from affectgen.evaluate.measures import measure
from affectgen.evaluate.muspy import mean_statistics
from affectgen.evaluate.reference import Reference
from affectgen.recognize.judge import Judge
from affectgen.score.grid import BAR
from affectgen.score.midi import read_grid, read_notes
from affectgen.score.notes import NoteArray
from affectgen.writing.heard import Piece
from affectgen.writing.spread import Composes

QUADRANTS = ("Q1", "Q2", "Q3", "Q4")
PATHS = (
    "sad>calm>happy", "calm>tense>sad", "happy>sad>angry", "tense>calm>excited", "angry>sad>calm", "sad>excited>calm",
)  # fmt: skip
GRID = np.linspace(-0.8, 0.8, 9)
PATH_BARS = 32
PATH_WINDOW = 4
REAL = {"pitch_range": 50.9, "pitch_classes": 8.5, "polyphony": 5.9}  # EMOPIA's clips, research notes on MusER
WITHIN = 0.12


@dataclass(frozen=True)
class Bars:
    """What is to be reached: the judge's accuracies and the grid's correlations by name, distance over its floor (at
    most), correlation of arousal along paths (None for no bar)."""

    judge: Mapping[str, float]
    grid: Mapping[str, float]
    distance: float
    path: float | None


@dataclass(frozen=True)
class Plan:
    """What is composed: clips a quadrant, pieces a grid point, paths, from which seed, by which options for (affect,
    seed, bars); the bars; corpora: unlabelled ones in which copied patterns are looked for; more: others that the
    generator has read, for a figure beside."""

    clips: int
    grid: int
    paths: int
    seed: int
    ask: Callable[[str | None, int, int], Any]
    bars: Bars
    corpora: tuple[str, ...] = ("pop1k7",)
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A piece as a listener's machine reads it back from its MIDI file, with the piece itself."""

    piece: Any
    notes: NoteArray


def make(generator: Composes, asked: Sequence[Any]) -> list[Made]:
    """Compose, write as MIDI and read back."""
    pieces = generator.run(asked)
    return [Made(piece, read_notes(piece.midi)) for piece in pieces]


def compose_quadrants(generator: Composes, plan: Plan) -> list[Made]:
    """`clips` pieces of each quadrant in turn, with seeds counted up."""
    asked = [
        plan.ask(quadrant, plan.seed + number, 16)
        for number, quadrant in enumerate(QUADRANTS * plan.clips)
    ]
    return make(generator, asked)


def wanted_quadrants(made: Sequence[Made]) -> NDArray[np.int64]:
    """0-3 as composed by `compose_quadrants`."""
    return np.arange(len(made)) % 4


def heard_and_counted(made: Sequence[Made], judge: Judge, reference: Reference, plan: Plan) -> list[Figure]:
    """What is measured of pieces composed by `compose_quadrants`."""
    return [
        *accuracy(made, judge, plan), *likeness(made, reference, plan), *closings(made),
        *copying(made, reference, plan),
    ]  # fmt: skip


def followed(generator: Composes, judge: Judge, plan: Plan, say: Callable[[str], None]) -> list[Figure]:
    """How pieces follow the point or the path that is asked for, as far as the plan has such pieces."""
    figures = []
    if plan.grid:
        say(f"composing {len(GRID) ** 2 * plan.grid} clips on the grid")
        figures += grid_correlations(generator, judge, plan)
    if plan.paths:
        say(f"composing {plan.paths} pieces along paths")
        figures += path_correlation(generator, judge, plan)
    return figures


def accuracy(made: Sequence[Made], judge: Judge, plan: Plan) -> list[Figure]:
    """How often the judge hears the quadrant, arousal and valence that were asked; the judge's own accuracy beside."""
    verdict, wanted = judge.judge([one.notes for one in made]), wanted_quadrants(made)
    found = verdict.accuracy(wanted)
    lost = verdict.accuracy(np.random.default_rng(plan.seed).permutation(wanted))
    real = judge.figures
    return [
        Figure(f"judge: {name}", found[name], at_least=bar, real=real.get(name), shuffled=lost[name])
        for name, bar in plan.bars.judge.items()
    ]


def likeness(made: Sequence[Made], reference: Reference, plan: Plan) -> list[Figure]:
    """Distance over its floor, and MusPy's statistics, three of them with a bar."""
    over = over_floor([one.notes for one in made], reference)
    rows = [measure(one.notes) for one in made]
    figures = [Figure("distance over floor", over.ratio, at_most=plan.bars.distance, real=1.0, note=f"n {over.n}")]
    for name, real in REAL.items():
        value = float(np.mean([getattr(row, name) for row in rows]))
        low, high = real * (1 - WITHIN), real * (1 + WITHIN)
        figures.append(Figure(name.replace("_", " "), value, at_least=low, at_most=high, real=real))
    return [*figures, *muspy_figures(made, reference)]


def muspy_figures(made: Sequence[Made], reference: Reference) -> list[Figure]:
    """MusPy's other statistics of pitch and rhythm, on the grid, beside real validation clips on theirs."""
    real = mean_statistics([read_grid(path) for path in reference.grids("val")])
    found = mean_statistics([one.piece.score for one in made])
    return [
        Figure(f"MusPy: {name.replace('_', ' ')}", value, real=None if math.isnan(real[name]) else real[name])
        for name, value in found.items()
    ]


def over_floor(pieces: Sequence[NoteArray], reference: Reference) -> OverFloor:
    """The distance of pieces from real training clips over that of real validation clips."""
    train = chosen_statistics([clip.notes for clip in reference.train])
    val = chosen_statistics([clip.notes for clip in reference.val])
    return distance_over_floor(chosen_statistics(pieces), train, val)


def closings(made: Sequence[Made]) -> list[Figure]:
    """Endings, and files that do not hold what they should."""
    shares = ending_shares([ending(one.notes, one.piece.score.seconds, one.piece.score.key) for one in made])
    broken = sum(
        not len(one.notes) or one.piece.score.bars != 16 or len(one.notes) != len(one.piece.score) for one in made
    )
    return [
        Figure("endings that close", shares.closes, at_least=0.8, note=f"cut {shares.cut:.2f}"),
        Figure("files broken, empty or short", float(broken), at_most=0),
    ]


def copying(made: Sequence[Made], reference: Reference, plan: Plan) -> list[Figure]:
    """12-step pitch patterns also found in a training file, beside real validation clips."""
    figures = []
    for more in dict.fromkeys(((), plan.more)):
        index = reference.patterns(plan.corpora + more)
        real = copied_share([clip.notes for clip in reference.val], index)
        value = copied_share([one.notes for one in made], index)
        name = "12-step patterns copied" + "".join(f", {corpus} looked through too" for corpus in more)
        figures.append(Figure(name, value, at_most=real, real=real))
    return figures


def grid_correlations(generator: Composes, judge: Judge, plan: Plan) -> list[Figure]:
    """Spearman of asked and measured over the 9 x 9 grid."""
    points = [(v, a) for v in GRID for a in GRID for _ in range(plan.grid)]
    asked = np.array(points)
    made = make(generator, [
        plan.ask(f"{v:.3f},{a:.3f}", plan.seed + 10_000 + number, 16)
        for number, (v, a) in enumerate(points)
    ])  # fmt: skip
    measured = judge.judge([one.notes for one in made]).points
    shuffled = asked[np.random.default_rng(plan.seed).permutation(len(asked))]
    figures = []
    for axis, name in enumerate(("valence", "arousal")):
        value, lost = (float(spearmanr(wanted[:, axis], measured[:, axis]).statistic) for wanted in (asked, shuffled))
        figures.append(Figure(f"grid: {name}, Spearman", value, at_least=plan.bars.grid[name], shuffled=lost))
    return figures


def path_correlation(generator: Composes, judge: Judge, plan: Plan) -> list[Figure]:
    """Correlation of asked and measured along paths, bar by bar in windows of 4, mean over pieces."""
    asked = [
        plan.ask(PATHS[number % len(PATHS)], plan.seed + 20_000 + number, PATH_BARS)
        for number in range(plan.paths)
    ]
    pieces = generator.run(asked)
    found = np.array([_along(piece, judge) for piece in pieces])
    told = [axis[np.isfinite(axis)] for axis in found.T]  # of pieces that end too soon or never change, nothing is told
    valence, arousal = (float(axis.mean()) if len(axis) else np.nan for axis in told)
    return [
        Figure("path: arousal, correlation", arousal, at_least=plan.bars.path),
        Figure("path: valence, correlation", valence),
    ]


def _along(piece: Piece, judge: Judge) -> tuple[float, float]:
    """Correlations (valence, arousal) over windows that start at every bar; nan for a piece too short to have two."""
    starts = range(piece.score.bars - PATH_WINDOW + 1)
    if len(starts) < 2:
        return np.nan, np.nan
    lines, notes = piece.score.line_seconds()[::BAR], piece.notes
    parts = [notes.between(float(lines[first]), float(lines[first + PATH_WINDOW])) for first in starts]
    measured = judge.judge(parts).points
    points = piece.asked.sample(piece.score.bars)  # type: ignore[union-attr]
    by_bar = np.array([[point.valence, point.arousal] for point in points])
    wanted = np.array([by_bar[first : first + PATH_WINDOW].mean(0) for first in starts])
    both = [float(np.corrcoef(wanted[:, axis], measured[:, axis])[0, 1]) for axis in range(2)]
    return both[0], both[1]
