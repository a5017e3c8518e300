"""What writing a piece and reading it again changes: through MIDI and through words.

    python -m affectgen.score.roundtrip ../shared/data/emopia/beat
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from affectgen.errors import UsageError
from affectgen.score.grid import GridScore
from affectgen.score.midi import read_grid, write_midi
from affectgen.score.words import decode, encode


@dataclass(frozen=True)
class RoundTrip:
    """Counts over one or more pieces.

    notes: read. kept: found again in the written MIDI file at the same sixteenth with the same pitch and velocity;
    lengths: of these, with the same length; words: notes found again at the same sixteenth and pitch after words;
    pieces, and of them stable: whose words come out the same when they are decoded and encoded once more.
    """

    notes: int
    kept: int
    lengths: int
    words: int
    pieces: int
    stable: int

    def __add__(self, other: RoundTrip) -> RoundTrip:
        return RoundTrip(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def round_trip(score: GridScore) -> RoundTrip:
    """Write a piece as MIDI and as words, read both again and count what is the same."""
    again = read_grid(write_midi(score), key=score.key)
    words = encode(score)
    spoken = decode(words)
    return RoundTrip(
        notes=len(score),
        kept=_common(score, again, "start", "pitch", "velocity"),
        lengths=_common(score, again, "start", "pitch", "velocity", "length"),
        words=_common(score, spoken, "start", "pitch"),
        pieces=1,
        stable=int(np.array_equal(encode(spoken), words)),
    )


def _common(one: GridScore, other: GridScore, *names: str) -> int:
    """How many notes both hold, looking at the fields named."""
    rows = [set(zip(*(getattr(score, name).tolist() for name in names), strict=True)) for score in (one, other)]
    return len(rows[0] & rows[1])


def measure_folder(folder: Path) -> RoundTrip:
    """The sum over the .mid files of a folder. UsageError if it holds none."""
    paths = sorted(folder.glob("*.mid"))
    if not paths:
        raise UsageError(f"{folder} holds no .mid files.", "Name a folder of files on a beat grid, like emopia/beat.")
    total = RoundTrip(0, 0, 0, 0, 0, 0)
    for path in paths:
        total += round_trip(read_grid(path))
    return total


def main() -> None:
    """Print the figures of one folder."""
    parser = argparse.ArgumentParser(description="What is lost when pieces are written and read again.")
    parser.add_argument("folder", type=Path, help="folder of MIDI files whose beats are those of the music")
    try:
        found = measure_folder(parser.parse_args().folder)
    except UsageError as error:
        parser.error(str(error))
    sys.stdout.write(
        f"{found.pieces} files, {found.notes} notes\n"
        f"MIDI: {found.kept / found.notes:.4%} of the notes the same, {found.lengths / found.notes:.4%} with length\n"
        f"words: {found.words / found.notes:.4%} of the notes at the same sixteenth and pitch; "
        f"{found.stable} of {found.pieces} pieces encode the same again\n"
    )


if __name__ == "__main__":
    main()
