"""Fit the critic of MusER's pieces: compose one at the point of each real training clip, and learn to tell them apart.

    python -m affectgen.muser.critic_fit --data ../shared/data --run runs/critic -o checkpoints/muser-critic

Pieces are composed at their first try, without a critic. What they are is kept in the run folder, so that fitting again
takes seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.device import choose_threads, use_threads
from affectgen.errors import UsageError
from affectgen.muser.checkpoint import load_writer
from affectgen.muser.compose import Writer
from affectgen.muser.generate import Generator
from affectgen.muser.options import GenerateOptions
from affectgen.recognize import store
from affectgen.recognize.corpus import Labelled, read_emopia
from affectgen.recognize.critic import CRITIC, Critic, fit
from affectgen.recognize.features import feature_table

Floats = NDArray[np.float64]
FOLDS = 5
STRENGTH = 0.003
LEVEL = 0.03  # share of real clips, read out of fold, that lie below the level
FIRST_SEED = 500_000  # far from the seeds that results are measured on
CHUNK = 64  # pieces composed between two notes of progress
LICENCE = "CC-BY-NC-SA-4.0"


@dataclass(frozen=True)
class Pool:
    """Statistics of real clips and of the pieces composed in answer, [N, F] each; song: of each clip, [N]."""

    real: Floats
    made: Floats
    song: NDArray[np.str_]


def compose(generator: Generator, clips: Sequence[Labelled], seed: int) -> Floats:
    """Statistics [N, F] of one piece for each clip, asked for at the point where the guide hears the clip."""
    points = generator.guide.rate([clip.notes for clip in clips])
    asked = [
        GenerateOptions(f"{valence:.3f},{arousal:.3f}", seed + number, tries=1)
        for number, (valence, arousal) in enumerate(points.tolist())
    ]
    rows = []
    for at in range(0, len(asked), CHUNK):
        pieces = generator.run(asked[at : at + CHUNK])
        rows.append(feature_table([piece.notes for piece in pieces]))
        sys.stderr.write(f"composed {at + len(pieces)} of {len(asked)}\n")
    return np.concatenate(rows)


def read_pool(data: Path, path: Path, composer: Writer, seed: int) -> Pool:
    """The pool in a file, or composed anew and kept there. UsageError for a file of another model or seed."""
    origin = f"{composer.sha256} from seed {seed}"
    if not path.is_file():
        clips = read_emopia(data / "emopia", "train")
        made = compose(Generator(composer, criticised=False), clips, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        songs = np.array([clip.song for clip in clips])
        real = feature_table([clip.notes for clip in clips])
        np.savez_compressed(path, real=real, made=made, song=songs, origin=np.array(origin))
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


def card(options: argparse.Namespace, composer: str, figures: dict[str, float]) -> str:
    """The checkpoint's card in Markdown."""
    rows = "\n".join(f"| {name} | {value:g} |" for name, value in figures.items())
    return f"""# {CRITIC}

Tells EMOPIA's training clips from pieces that MusER ({composer}) composed at the points where the
guide hears those clips. `affectgen muser generate --tries` draws again what it doubts. It steers, so it never
measures a result.

Logistic regression over the note statistics of `affectgen/recognize/features.py` and their squares, with an L2 penalty
(C {options.strength:g}).
The level is that of the lowest {options.level:.0%} of real clips. The distance in docs/results.md reads forty of the
same statistics and the same training clips; the table there therefore also shows first tries, which no critic chose.

- Command: `python -m affectgen.muser.critic_fit --data ../shared/data --seed {options.seed} -o checkpoints/{CRITIC}`
- Nearly all of its time goes into composing; pieces are kept in the run folder.
- Licence of the weights: {LICENCE} (EMOPIA's); not for commercial use.

Out of fold, {FOLDS} folds by song:

| figure | value |
|---|---|
{rows}

Weak point: it knows nothing but real clips and pieces of this model. What is unlike both, noise for instance, passes.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, compose, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds emopia/")
    parser.add_argument("--checkpoint", help="the MusER whose pieces are criticised; the shipped one by default")
    parser.add_argument("--run", type=Path, default=Path("runs") / "critic", help="where composed pieces are kept")
    parser.add_argument("--strength", type=float, default=STRENGTH, help="inverse of the L2 penalty")
    parser.add_argument("--level", type=float, default=LEVEL, help="share of real clips below the level")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="the first piece's")
    parser.add_argument("-o", "--output", type=Path, default=Path("checkpoints") / CRITIC)
    options = parser.parse_args(arguments)
    if not 0 < options.level < 1:
        raise UsageError(f"--level got {options.level}; expected a share between 0 and 1.", "Give for example 0.03.")
    use_threads(choose_threads())
    composer = load_writer(options.checkpoint, "cpu")
    pool = read_pool(options.data, options.run / "pool.npz", composer, options.seed)
    critic, figures = fit_critic(pool, options.strength, options.level)
    told = f"{composer.name}, sha256 {composer.sha256[:12]}"
    config = {
        "kind": "critic", "bias": critic.bias, "level": critic.level, "figures": figures, "licence": LICENCE,
        "trained_on": f"EMOPIA's training split, and as many pieces by {told}",
        "settings": {"strength": options.strength, "level": options.level, "seed": options.seed},
    }  # fmt: skip
    arrays = {name: getattr(critic, name).astype(np.float32) for name in ("mean", "scale", "weight")}
    store.save(options.output, arrays, config, card(options, told, figures))
    sys.stderr.write(f"{options.output}: {figures}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
