"""What choosing among N candidates buys, as the judge hears it, which chose nothing: the tables of docs/results.md.

    python -m affectgen.evaluate.steering muser                          prints the table of one generator
    python -m affectgen.evaluate.steering emogen --write docs/results.md and writes it

MusER's guide picks the candidate nearest to what was asked; EmoGen picks by attributes and the guide. Each piece is
composed once, with one try, so that the number of candidates alone differs; the seeds are the same for all numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.affect import Affect
from affectgen.device import choose_threads, cores, use_threads
from affectgen.emogen.build import Build as BuildEmogen
from affectgen.emogen.options import EmogenOptions
from affectgen.errors import AffectgenError
from affectgen.evaluate.pieces import QUADRANTS, Made, make
from affectgen.evaluate.tables import Cell, table
from affectgen.muser.generate import Generator
from affectgen.muser.options import GenerateOptions
from affectgen.recognize.judge import Judge, load_judge
from affectgen.report.blocks import check_document, write_block
from affectgen.writing.options import ComposeOptions
from affectgen.writing.spread import Composes, composing

CANDIDATES = (1, 4, 16)
CLIPS, SEED, BARS = 24, 1000, 16
HEAD = ("candidates", "pieces", "4 quadrants", "arousal", "valence", "judge's distance", "guide's distance")
Say = Callable[[str], None]


def build_muser() -> Generator:
    """The shipped MusER on the CPU."""
    from affectgen.muser.checkpoint import load_writer

    return Generator(load_writer(None, "cpu"))


GENERATORS: dict[str, tuple[Callable[[], Composes], ComposeOptions]] = {
    "muser": (build_muser, GenerateOptions(None, 0, bars=BARS, tries=1)),
    "emogen": (BuildEmogen(None, "cpu"), EmogenOptions(None, 0, bars=BARS, tries=1)),
}


def asked(plain: ComposeOptions, candidates: int, clips: int, seed: int) -> list[ComposeOptions]:
    """`clips` pieces of each quadrant in turn, with seeds counted up, each the best of some candidates."""
    return [
        replace(plain, affect=quadrant, seed=seed + number, best_of=candidates)
        for number, quadrant in enumerate(QUADRANTS * clips)
    ]


def row(candidates: int, made: Sequence[Made], judge: Judge) -> list[Cell]:
    """What judge and guide hear in pieces made for Q1-Q4 in turn: shares heard as asked; distances on the plane."""
    verdict = judge.judge([one.notes for one in made])
    found = verdict.accuracy(np.arange(len(made)) % len(QUADRANTS))
    aims = np.array([_point(one.piece.asked) for one in made])  # [N, 2]
    judged = float(np.hypot(*(verdict.points - aims).T).mean())
    guided = float(np.hypot(*(np.stack([one.piece.measured for one in made]) - aims).T).mean())
    return [candidates, len(made), found["quadrants"], found["arousal"], found["valence"], judged, guided]


def _point(affect: Affect) -> tuple[float, float]:
    return affect.valence, affect.arousal


def measure(generator: Composes, plain: ComposeOptions, judge: Judge, clips: int, seed: int, say: Say) -> str:
    """The table of one generator."""
    rows = []
    for candidates in CANDIDATES:
        say(f"{4 * clips} pieces, the best of {candidates} each")
        rows.append(row(candidates, make(generator, asked(plain, candidates, clips, seed)), judge))
    return f"Seeds from {seed}, {BARS} bars, one try.\n\n{table(HEAD, rows)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", choices=tuple(GENERATORS))
    parser.add_argument("--clips", type=int, default=CLIPS, help=f"pieces a quadrant; default {CLIPS}")
    parser.add_argument("--seed", type=int, default=SEED, help=f"the first; default {SEED}")
    parser.add_argument("--jobs", type=int, default=cores(), help="processes; default all processors")
    parser.add_argument("--write", type=Path, help="also put the table into this Markdown file, between its marks")
    given = parser.parse_args(arguments)
    if given.clips < 1 or given.jobs < 1:
        parser.error("--clips and --jobs must be at least 1")
    build, plain = GENERATORS[given.generator]
    try:
        if given.write is not None:
            check_document(given.write)
        use_threads(choose_threads())
        made = measure(composing(build, given.jobs), plain, load_judge(), given.clips, given.seed, _say)
    except AffectgenError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(made + "\n")
    if given.write is not None:
        write_block(given.write, f"steering-{given.generator}", made)
    return 0


def _say(text: Any) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
