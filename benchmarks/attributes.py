"""How fast attributes are measured, beside music21's own extractors of the same attributes on the same clips.

    python benchmarks/attributes.py --data ../shared/data            prints the figures
    python benchmarks/attributes.py --data ../shared/data --write    also puts them into docs/results.md

Both read the MIDI files themselves. music21 computes those of EmoGen's hundred attributes that it has (jSymbolic's, as
Cuthbert, Ariza & Friedland, ISMIR 2011, ported them); the project computes all of its own, EmoGen's hundred included.
The first clip of each is left out: it pays for imports.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.emogen.measure import measure_files, measure_piece
from affectgen.emogen.vector import NAMES
from affectgen.errors import AffectgenError
from affectgen.report.blocks import write_block

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results.md"
BLOCK = "attributes"
# music21's class for each group of EmoGen's attributes that it has
EXTRACTORS = (
    "BasicPitchHistogramFeature", "FifthsPitchHistogramFeature", "PitchClassDistributionFeature", "PitchVarietyFeature",
    "RangeFeature", "ImportanceOfBassRegisterFeature", "ImportanceOfMiddleRegisterFeature",
    "ImportanceOfHighRegisterFeature", "PrimaryRegisterFeature", "MostCommonPitchFeature",
    "MelodicIntervalHistogramFeature", "MostCommonMelodicIntervalPrevalenceFeature", "AmountOfArpeggiationFeature",
    "DurationOfMelodicArcsFeature", "DurationFeature", "VariabilityOfTimeBetweenAttacksFeature",
)  # fmt: skip
AT_LEAST = 10.0


def seconds_each(measure: Callable[[Path], Any], files: Sequence[Path]) -> list[float]:
    """Seconds of `measure` on every file but the first."""
    found = []
    for path in files:
        began = time.perf_counter()
        measure(path)
        found.append(time.perf_counter() - began)
    return found[1:]


def by_music21(path: Path) -> list[Any]:
    """The attributes of a file that music21 has. AffectgenError where it is not installed."""
    try:
        from music21 import converter
        from music21.features import DataInstance, jSymbolic
    except ImportError as error:
        raise AffectgenError("music21 is not installed.", "pip install '.[dev]'") from error
    data = DataInstance(converter.parse(str(path), forceSource=True))  # shared, so that nothing is derived twice
    return [getattr(jSymbolic, name)(data).extract().vector for name in EXTRACTORS]


def page(files: Sequence[Path], ours: Sequence[float], theirs: Sequence[float], side_by_side: float) -> str:
    """The figures as a block for docs/results.md."""
    mine, other = statistics.mean(ours), statistics.mean(theirs)
    met = "yes" if other >= AT_LEAST * mine else "no"
    lines = [
        "## Speed of attributes", "",
        f"Measured by `python benchmarks/attributes.py` on {len(files)} performances of EMOPIA, one process, reading "
        "included; mean seconds a clip.", "",
        "| what | measured |", "|---|---|",
        f"| the project: {len(NAMES)} attributes | {1000 * mine:.1f} ms (at most {1000 * max(ours):.1f}) |",
        f"| music21: {len(EXTRACTORS)} extractors of the same kind | {1000 * other:.0f} ms |",
        f"| music21 takes longer by (bar: {AT_LEAST:g}; met: {met}) | {other / mine:.0f} times |",
        f"| `affectgen emogen attributes`, all processors | {len(files) / side_by_side:.0f} clips a second |",
    ]  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and, where asked, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds emopia/")
    parser.add_argument("--clips", type=int, default=41, help="how many clips")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the page that --write changes")
    parser.add_argument("--write", action="store_true", help="put the figures into the page")
    options = parser.parse_args(arguments)
    files = sorted((options.data / "emopia" / "raw").glob("*.mid"))
    files = files[:: max(1, len(files) // options.clips)][: options.clips]
    ours, theirs = seconds_each(measure_piece, files), seconds_each(by_music21, files)
    began = time.perf_counter()
    many = [str(path) for path in files] * 10
    for _ in measure_files(many):
        pass
    block = page(files, ours, theirs, (time.perf_counter() - began) / 10)
    print(block)
    if options.write:
        write_block(options.results, BLOCK, block)
    return 0


if __name__ == "__main__":
    sys.exit(main())
