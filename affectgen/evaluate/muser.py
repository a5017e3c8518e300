"""`affectgen evaluate muser`: the table of what MusER shows, by the judge, on fixed seeds, beside real music.

The judge read validation songs only; no generator and no guide has seen them. Pieces are composed through the same
options as the command line's, so the figures are those of its defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from affectgen.evaluate import muser_latents
from affectgen.evaluate.copying import copied_share
from affectgen.evaluate.distance import OverFloor, chosen_statistics, distance_over_floor
from affectgen.evaluate.endings import ending, ending_shares
from affectgen.evaluate.figures import Figure, Report
from affectgen.evaluate.measures import measure
from affectgen.evaluate.reference import Reference, load_reference
from affectgen.muser.checkpoint import DEFAULT, load_writer
from affectgen.muser.generate import Generator, Piece
from affectgen.muser.options import GenerateOptions, pull
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.judge import Judge, load_judge
from affectgen.score.grid import BAR
from affectgen.score.midi import read_notes
from affectgen.score.notes import NoteArray

QUADRANTS = ("Q1", "Q2", "Q3", "Q4")
PATHS = (
    "sad>calm>happy", "calm>tense>sad", "happy>sad>angry", "tense>calm>excited", "angry>sad>calm", "sad>excited>calm",
)  # fmt: skip
GRID = np.linspace(-0.8, 0.8, 9)
PATH_BARS = 32
PATH_WINDOW = 4
REAL = {"pitch_range": 50.9, "pitch_classes": 8.5, "polyphony": 5.9}  # EMOPIA's clips, research notes on MusER
WITHIN = 0.12
Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """clips a quadrant; pieces a grid point; paths; pairs for transfer; clips for reconstruction; first seed."""

    clips: int = 60
    grid: int = 2
    paths: int = 24
    pairs: int = 24
    reconstructions: int = 24
    seed: int = 1000
    best_of: int = 1
    tries: int = GenerateOptions.tries
    guidance: float | None = None


@dataclass(frozen=True)
class Made:
    """A piece as a listener's machine reads it back from its MIDI file, with the piece itself."""

    piece: Piece
    notes: NoteArray


def run(
    checkpoint: str | None, clips: int, data: Path | None, seed: int | None, device: str, say: Say,
    settings: Settings | None = None,
) -> Report:  # fmt: skip
    """Compose, judge, and gather every figure."""
    chosen = settings if settings is not None else Settings()
    chosen = replace(chosen, clips=clips, seed=seed if seed is not None else chosen.seed)
    reference, judge = load_reference(data), load_judge()
    composer = load_writer(checkpoint, device)
    generator = Generator(composer)
    say(f"composing {4 * clips} clips for the quadrants")
    made = compose_quadrants(generator, chosen)
    figures = [*accuracy(made, judge, chosen), *likeness(made, reference), *closings(made), *copying(made, reference)]
    say(f"composing {81 * chosen.grid} clips on the grid")
    figures += grid_correlations(generator, judge, chosen)
    say(f"composing {chosen.paths} pieces along paths")
    figures += path_correlation(generator, judge, chosen)
    say("reconstructing and transferring")
    figures += muser_latents.figures(composer, reference, chosen.reconstructions, chosen.pairs, chosen.seed)
    about = {
        "checkpoint": composer.name, "clips a quadrant": clips, "seeds from": chosen.seed, "best of": chosen.best_of,
        "tries": chosen.tries,
        "guidance": pull(options(chosen, None, 0, 16)), "along paths": pull(options(chosen, PATHS[0], 0, 16)),
    }  # fmt: skip
    config = load_checkpoint(checkpoint if checkpoint is not None else DEFAULT).config
    return Report("MusER", about, figures, {"model": config["model"], **config["training"]})


def options(settings: Settings, affect: str | None, seed: int, bars: int) -> GenerateOptions:
    """The command line's options with the settings' best-of and guidance."""
    plain = GenerateOptions(affect, seed, bars=bars, best_of=settings.best_of, tries=settings.tries)
    return plain if settings.guidance is None else replace(plain, guidance=settings.guidance)


def make(generator: Generator, asked: Sequence[GenerateOptions]) -> list[Made]:
    """Compose, write as MIDI and read back."""
    pieces = generator.run(asked)
    return [Made(piece, read_notes(piece.midi)) for piece in pieces]


def compose_quadrants(generator: Generator, settings: Settings) -> list[Made]:
    """`clips` pieces of each quadrant in turn, with seeds counted up."""
    asked = [
        options(settings, quadrant, settings.seed + number, 16)
        for number, quadrant in enumerate(QUADRANTS * settings.clips)
    ]
    return make(generator, asked)


def wanted_quadrants(made: Sequence[Made]) -> NDArray[np.int64]:
    """0-3 as composed by `compose_quadrants`."""
    return np.arange(len(made)) % 4


def accuracy(made: Sequence[Made], judge: Judge, settings: Settings) -> list[Figure]:
    """How often the judge hears the quadrant, arousal and valence that were asked; the judge's own accuracy beside."""
    verdict, wanted = judge.judge([one.notes for one in made]), wanted_quadrants(made)
    found = verdict.accuracy(wanted)
    lost = verdict.accuracy(np.random.default_rng(settings.seed).permutation(wanted))
    real = judge.figures
    bars = {"quadrants": 0.75, "arousal": 0.96, "valence": 0.78}
    return [
        Figure(f"judge: {name}", found[name], at_least=bar, real=real.get(name), shuffled=lost[name])
        for name, bar in bars.items()
    ]


def likeness(made: Sequence[Made], reference: Reference) -> list[Figure]:
    """Distance over its floor, and MusPy's three measures."""
    over = over_floor([one.notes for one in made], reference)
    rows = [measure(one.notes) for one in made]
    figures = [Figure("distance over floor", over.ratio, at_most=1.7, real=1.0, note=f"n {over.n}")]
    for name, real in REAL.items():
        value = float(np.mean([getattr(row, name) for row in rows]))
        low, high = real * (1 - WITHIN), real * (1 + WITHIN)
        figures.append(Figure(name.replace("_", " "), value, at_least=low, at_most=high, real=real))
    return figures


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


def copying(made: Sequence[Made], reference: Reference) -> list[Figure]:
    """12-step pitch patterns also found in a training file, beside real validation clips."""
    index = reference.patterns()
    real = copied_share([clip.notes for clip in reference.val], index)
    value = copied_share([one.notes for one in made], index)
    return [Figure("12-step patterns copied", value, at_most=real, real=real)]


def grid_correlations(generator: Generator, judge: Judge, settings: Settings) -> list[Figure]:
    """Spearman of asked and measured over the 9 x 9 grid."""
    points = [(v, a) for v in GRID for a in GRID for _ in range(settings.grid)]
    asked = np.array(points)
    made = make(generator, [
        options(settings, f"{v:.3f},{a:.3f}", settings.seed + 10_000 + number, 16)
        for number, (v, a) in enumerate(points)
    ])  # fmt: skip
    measured = judge.judge([one.notes for one in made]).points
    shuffled = asked[np.random.default_rng(settings.seed).permutation(len(asked))]
    bars = {"valence": 0.62, "arousal": 0.88}
    figures = []
    for axis, (name, bar) in enumerate(bars.items()):
        value, lost = (float(spearmanr(wanted[:, axis], measured[:, axis]).statistic) for wanted in (asked, shuffled))
        figures.append(Figure(f"grid: {name}, Spearman", value, at_least=bar, shuffled=lost))
    return figures


def path_correlation(generator: Generator, judge: Judge, settings: Settings) -> list[Figure]:
    """Correlation of asked and measured along paths, bar by bar in windows of 4, mean over pieces."""
    asked = [
        options(settings, PATHS[number % len(PATHS)], settings.seed + 20_000 + number, PATH_BARS)
        for number in range(settings.paths)
    ]
    pieces = generator.run(asked)
    found = np.array([_along(piece, judge) for piece in pieces])
    told = [axis[np.isfinite(axis)] for axis in found.T]  # of pieces that end too soon or never change, nothing is told
    valence, arousal = (float(axis.mean()) if len(axis) else np.nan for axis in told)
    return [
        Figure("path: arousal, correlation", arousal, at_least=0.7),
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
