"""Fit the critic of MusER's pieces: compose one at the point of each real training clip, and learn to tell them apart.

    python -m affectgen.muser.critic_fit --data ../shared/data --run runs/critic -o checkpoints/muser-critic

Pieces are composed at their first try, without a critic.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from affectgen.device import choose_threads, use_threads
from affectgen.muser.checkpoint import load_writer
from affectgen.muser.generate import Generator
from affectgen.muser.options import GenerateOptions
from affectgen.recognize.critic import CRITIC
from affectgen.recognize.critic_fit import make, read_options
from affectgen.score.notes import NoteArray

TOLD = """Tells EMOPIA's training clips from pieces that MusER ({composer}) composed at the points where the
guide hears those clips. `affectgen muser generate --tries` draws again what it doubts. It steers, so it never
measures a result."""


def compose(generator: Generator, affects: Sequence[str], seed: int) -> list[NoteArray]:
    """One piece for each affect, at its first try."""
    asked = [GenerateOptions(affect, seed + number, tries=1) for number, affect in enumerate(affects)]
    return [piece.notes for piece in generator.run(asked)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, compose, fit, write the folder."""
    options = read_options(str(__doc__), CRITIC, "critic", arguments)
    use_threads(choose_threads())
    composer = load_writer(options.checkpoint, "cpu")
    generator = Generator(composer, criticised=False)
    return make(
        options, composer, TOLD, "affectgen.muser.critic_fit", lambda affects, seed: compose(generator, affects, seed)
    )


if __name__ == "__main__":
    sys.exit(main())
