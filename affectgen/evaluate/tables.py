"""Measured tables in documents: rows as Markdown, and the command that prints them or writes them into a page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from affectgen.errors import AffectgenError
from affectgen.report.blocks import write_block

Cell = str | int | float | None
Blocks = Iterator[tuple[str, str]]  # (name of the block, Markdown) in the page's order


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A Markdown table: counts as they are, other numbers with three decimals, nothing for None."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(_text, row)) + " |" for row in rows)])


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def run(about: str | None, measure: Callable[[Path | None], Blocks], arguments: Sequence[str] | None) -> int:
    """Print the blocks that `measure` gives for --data, each as it is done; with --write put them into a page as well.

    The exit code: 0, or that of the error, which is said on stderr.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of corpora as docs/training.md shows")
    parser.add_argument("--write", type=Path, help="also put the tables into this Markdown file, between their marks")
    given = parser.parse_args(arguments)
    try:
        for name, block in measure(given.data):
            sys.stdout.write(f"{block}\n\n")
            sys.stdout.flush()
            if given.write is not None:
                write_block(given.write, name, block)
    except AffectgenError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0
