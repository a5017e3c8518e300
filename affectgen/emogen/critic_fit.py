"""Fit the critic of EmoGen's pieces: compose some at points where labelled clips stand, and learn to tell them from the
clips by their attributes.

    python -m affectgen.emogen.critic_fit --data ../shared/data --run runs/emogen-critic -o checkpoints/emogen-critic

Pieces are composed as by default, but without a critic.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.device import choose_threads, cores, use_threads
from affectgen.emogen.build import Build
from affectgen.emogen.checkpoint import DEFAULT_CRITIC, load_emogen, map_of, save_critic
from affectgen.emogen.options import EmogenOptions
from affectgen.recognize.critic_fit import (
    LICENCE,
    Pool,
    critic_parser,
    figure_rows,
    fit_critic,
    kept_pool,
    read_options,
)
from affectgen.score.corpora import read_rows
from affectgen.writing.spread import Composes, composing

Floats = NDArray[np.float64]
PIECES = 320
LEVEL = 0.5  # what passes as well as the middle one of real clips is not doubted
CHUNK = 40  # pieces composed between two notes of progress


def make_pool(build: Build, data: Path, pieces: int, seed: int, jobs: int) -> Pool:
    """Attributes in standard deviations [N, K] of labelled clips drawn from the generator's map, and of one piece for
    each, asked for at the clip's point. What a piece has too few notes for counts as usual."""
    scale, emotions = load_emogen(build.checkpoint).scale, map_of(build.checkpoint)
    count = min(pieces, len(emotions.clips))
    drawn = np.sort(np.random.default_rng(seed).choice(len(emotions.clips), count, replace=False))
    song = {row["clip"]: row["song"] for part in ("train", "dev") for row in read_rows(data / "emopia", part)}
    real = np.nan_to_num(scale.to_sd(emotions.values[drawn]))
    made = compose(composing(build, jobs), emotions.points[drawn], seed)
    return Pool(real, made, np.array([song[emotions.clips[place]] for place in drawn]))


def compose(generator: Composes, points: Floats, seed: int) -> Floats:
    """The attributes [N, K] of one piece for each point of the plane, as pieces measure themselves."""
    asked = [
        EmogenOptions(f"{valence:.3f},{arousal:.3f}", seed + number)
        for number, (valence, arousal) in enumerate(points.tolist())
    ]
    rows = []
    for at in range(0, len(asked), CHUNK):
        pieces = generator.run(asked[at : at + CHUNK])
        rows += [np.nan_to_num(piece.achieved[0]) for piece in pieces]  # type: ignore[attr-defined]
        sys.stderr.write(f"composed {len(rows)} of {len(asked)}\n")
    return np.stack(rows)


def card(options: argparse.Namespace, composer: str, figures: dict[str, float]) -> str:
    """The checkpoint's card in Markdown."""
    name = options.output.name
    return f"""# {name}

Tells EMOPIA's training clips by their attributes from pieces that EmoGen ({composer}) composed at the
clips' points, choosing by attribute errors alone. It knows nothing of emotions or targets: of candidates that miss
their targets as little, `affectgen emogen generate` keeps the one that it doubts least. It steers, so it never measures
a result.

Logistic regression over all attributes in standard deviations and their squares, with an L2 penalty (C
{options.strength:g}). What reads higher than the lowest {options.level:.0%} of real clips is not doubted. The distance
in docs/results.md reads other statistics of the same training clips, some of which mean the same: `affectgen evaluate
emogen --no-critic` measures pieces that no critic chose.

- Command: `python -m affectgen.emogen.critic_fit --data ../shared/data --pieces {options.pieces} --seed {options.seed}
  -o checkpoints/{name}`
- Nearly all of its time goes into composing; pieces are kept in the run folder.
- Licence of the weights: {LICENCE} (EMOPIA's); not for commercial use.

{figure_rows(figures)}
Weak point: it knows nothing but real clips and pieces of this model. What is unlike both passes.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = critic_parser(str(__doc__), DEFAULT_CRITIC, DEFAULT_CRITIC)
    found.set_defaults(level=LEVEL)
    found.add_argument("--pieces", type=int, default=PIECES, help="how many clips are answered by a piece, at most")
    found.add_argument("--jobs", type=int, default=cores(), help="processes that compose")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, compose, fit, write the folder."""
    options = read_options(parser(), arguments)
    use_threads(choose_threads())
    composer = load_emogen(options.checkpoint)
    build = Build(options.checkpoint, "cpu", criticised=False)
    origin = f"{options.pieces} of {composer.sha256} from seed {options.seed}"
    pool = kept_pool(
        options.run / "pool.npz", origin,
        lambda: make_pool(build, options.data, options.pieces, options.seed, options.jobs),
    )  # fmt: skip
    critic, figures = fit_critic(pool, options.strength, options.level)
    told = f"{composer.name}, sha256 {composer.sha256[:12]}"
    about = {
        "figures": figures, "licence": LICENCE,
        "trained_on": f"EMOPIA's training split, and as many pieces by {told}",
        "settings": {"strength": options.strength, "level": options.level, "seed": options.seed,
                     "pieces": options.pieces},
    }  # fmt: skip
    save_critic(options.output, critic, about, card(options, told, figures))
    sys.stderr.write(f"{options.output}: {figures}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
