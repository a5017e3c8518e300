"""Fit the critic of EmoGen's pieces: compose one at the point of each real training clip, and learn to tell them apart.

    python -m affectgen.emogen.critic_fit --data ../shared/data --run runs/emogen-critic -o checkpoints/emogen-critic

Pieces are composed as by default, but without a critic.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from affectgen.device import choose_threads, use_threads
from affectgen.emogen.checkpoint import DEFAULT_CRITIC, load_emogen, map_of
from affectgen.emogen.generate import Generator
from affectgen.emogen.options import EmogenOptions
from affectgen.recognize.critic_fit import make, read_options
from affectgen.score.notes import NoteArray

TOLD = """Tells EMOPIA's training clips from pieces that EmoGen ({composer}) composed at the points where the
guide hears those clips, choosing by attributes alone. It knows nothing of emotions or targets: of candidates that miss
their targets as little, `affectgen emogen generate` keeps the one that it doubts least. It steers, so it never measures
a result."""


def compose(generator: Generator, affects: Sequence[str], seed: int) -> list[NoteArray]:
    """One piece for each affect."""
    asked = [EmogenOptions(affect, seed + number) for number, affect in enumerate(affects)]
    return [piece.notes for piece in generator.run(asked)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, compose, fit, write the folder."""
    options = read_options(str(__doc__), DEFAULT_CRITIC, DEFAULT_CRITIC, arguments)
    use_threads(choose_threads())
    composer = load_emogen(options.checkpoint)
    generator = Generator(composer, map_of(options.checkpoint))
    return make(
        options, composer, TOLD, "affectgen.emogen.critic_fit", lambda affects, seed: compose(generator, affects, seed)
    )


if __name__ == "__main__":
    sys.exit(main())
