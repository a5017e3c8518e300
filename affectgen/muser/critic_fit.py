"""Fit the critic of MusER's pieces: compose one at the point of each real training clip, and learn to tell them apart.

    python -m affectgen.muser.critic_fit --data ../shared/data --run runs/critic -o checkpoints/muser-critic

Pieces are composed at their first try, without a critic. What they are is kept in the run folder, so that fitting again
takes seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.device import choose_threads, use_threads
from affectgen.muser.checkpoint import load_writer
from affectgen.muser.compose import Writer
from affectgen.muser.generate import Generator
from affectgen.muser.options import GenerateOptions
from affectgen.recognize import store
from affectgen.recognize.corpus import Labelled, read_emopia
from affectgen.recognize.critic import CRITIC
from affectgen.recognize.critic_fit import (
    LICENCE,
    Pool,
    critic_parser,
    figure_rows,
    fit_critic,
    kept_pool,
    read_options,
)
from affectgen.recognize.features import feature_table

Floats = NDArray[np.float64]
CHUNK = 64  # pieces composed between two notes of progress


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

    def make() -> Pool:
        clips = read_emopia(data / "emopia", "train")
        made = compose(Generator(composer, criticised=False), clips, seed)
        return Pool(feature_table([clip.notes for clip in clips]), made, np.array([clip.song for clip in clips]))

    return kept_pool(path, f"{composer.sha256} from seed {seed}", make)


def card(options: argparse.Namespace, composer: str, figures: dict[str, float]) -> str:
    """The checkpoint's card in Markdown."""
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

{figure_rows(figures)}
Weak point: it knows nothing but real clips and pieces of this model. What is unlike both, noise for instance, passes.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, compose, fit, write the folder."""
    options = read_options(critic_parser(str(__doc__), CRITIC, "critic"), arguments)
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
    store.save(options.output, critic.arrays, config, card(options, told, figures))
    sys.stderr.write(f"{options.output}: {figures}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
