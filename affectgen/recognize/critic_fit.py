"""Fitting the critic of a generator's pieces: one is composed for each real training clip, and the critic learns to
tell them apart. What is composed is kept in a run folder, so that fitting again takes seconds.

A generator's own command says how its pieces are composed and what of them is read: `python -m
affectgen.muser.critic_fit`, `python -m affectgen.emogen.critic_fit`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import UsageError
from affectgen.recognize.critic import Critic, fit

Floats = NDArray[np.float64]
FOLDS = 5
STRENGTH = 0.003
LEVEL = 0.03  # share of real clips, read out of fold, that lie below the level
FIRST_SEED = 500_000  # far from the seeds that results are measured on
LICENCE = "CC-BY-NC-SA-4.0"


@dataclass(frozen=True)
class Pool:
    """Statistics of real clips and of the pieces composed in answer, [N, F] each; song: of each clip, [N]."""

    real: Floats
    made: Floats
    song: NDArray[np.str_]


def kept_pool(path: Path, origin: str, make: Callable[[], Pool]) -> Pool:
    """The pool in a file, or made anew and kept there. UsageError for a file of another origin (model and seed)."""
    if not path.is_file():
        pool = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, real=pool.real, made=pool.made, song=pool.song, origin=np.array(origin))
    with np.load(path, allow_pickle=False) as file:
        if str(file["origin"]) != origin:
            raise UsageError(f"{path} holds pieces of {file['origin']}, not of {origin}.", "Give another --run folder.")
        return Pool(file["real"], file["made"], file["song"])


def out_of_fold(pool: Pool, strength: float, seed: int = 0) -> tuple[Floats, Floats]:
    """Log odds [N] of real clips and [N] of composed pieces, by critics that saw neither the song nor its answers."""
    songs, place = np.unique(pool.song, return_inverse=True)
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(songs))[place]
    real, made = np.zeros(len(fold)), np.zeros(len(fold))
    for number in range(FOLDS):
        unseen = fold == number
        critic = fit(pool.real[~unseen], pool.made[~unseen], strength)
        real[unseen], made[unseen] = critic.log_odds(pool.real[unseen]), critic.log_odds(pool.made[unseen])
    return real, made


def told_apart(real: Floats, made: Floats) -> float:
    """Area under the ROC curve: how often a real clip reads higher than a composed one."""
    below = np.searchsorted(np.sort(made), real, side="left") + np.searchsorted(np.sort(made), real, side="right")
    return float(below.mean() / (2 * len(made)))


def fit_critic(pool: Pool, strength: float, level: float) -> tuple[Critic, dict[str, float]]:
    """The critic of all rows with its level, and its figures out of fold."""
    real, made = out_of_fold(pool, strength)
    threshold = float(np.quantile(real, level))
    critic = replace(fit(pool.real, pool.made, strength), level=threshold)
    figures = {
        "clips": float(len(real)), "area under the ROC curve": told_apart(real, made),
        "real clips that pass": float((real >= threshold).mean()),
        "composed pieces that pass": float((made >= threshold).mean()),
    }  # fmt: skip
    return critic, {name: round(value, 3) for name, value in figures.items()}


def critic_parser(document: str, output: str, run: str) -> argparse.ArgumentParser:
    """The options that every generator's fit takes."""
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds emopia/")
    parser.add_argument("--checkpoint", help="the model whose pieces are criticised; the shipped one by default")
    parser.add_argument("--run", type=Path, default=Path("runs") / run, help="where composed pieces are kept")
    parser.add_argument("--strength", type=float, default=STRENGTH, help="inverse of the L2 penalty")
    parser.add_argument("--level", type=float, default=LEVEL, help="share of real clips below the level")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="the first piece's")
    parser.add_argument("-o", "--output", type=Path, default=Path("checkpoints") / output)
    return parser


def read_options(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says. UsageError for a level that is no share."""
    options = parser.parse_args(arguments)
    if not 0 < options.level < 1:
        raise UsageError(f"--level got {options.level}; expected a share between 0 and 1.", "Give for example 0.03.")
    return options


def figure_rows(figures: dict[str, float]) -> str:
    """The figures as a card's table, with how they were measured."""
    rows = "\n".join(f"| {name} | {value:g} |" for name, value in figures.items())
    return f"Out of fold, {FOLDS} folds by song:\n\n| figure | value |\n|---|---|\n{rows}\n"
