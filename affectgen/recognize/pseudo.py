"""Valence-arousal points for music that has only a quadrant, or no label at all. They are predictions, not ratings.

A labelled clip's point is predicted by a guide that never saw its song, read as an intensity (its rank among the clips
of the same sign), and never leaves the labelled quadrant. A window of unlabelled music gets the shipped guide's point.

    python -m affectgen.recognize.pseudo --data ../shared/data -o emopia.csv
    python -m affectgen.recognize.pseudo --midi ../shared/data/pop1k7 -o pop1k7.csv
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError, UsageError
from affectgen.recognize.corpus import (
    Labelled,
    examples_of,
    folds_by_song,
    read_emopia,
    read_vgmidi,
    windows,
    with_parts,
)
from affectgen.recognize.guide import load_guide, velocity_columns
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.mlp import Settings, affect_of, fit
from affectgen.score.midi import read_notes

Floats = NDArray[np.float64]
LEAST = 0.1  # a clip whose prediction contradicts its label lies this far inside the quadrant
SIGNS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])  # valence and arousal of Q1..Q4


def out_of_fold(clips: Sequence[Labelled], folds: int = 5, settings: Settings | None = None) -> Floats:
    """Logits [N, 6] for every clip from a model fitted without its fold; no song is in two folds."""
    more = with_parts(clips)
    examples, fold = examples_of(more), folds_by_song(more, folds)
    logits = np.zeros((len(more), 6))
    for index in range(folds):
        held = fold == index
        model = fit(examples.pick(~held), velocity_columns(), settings if settings is not None else Settings())
        logits[held] = model.logits(examples.statistics[held], examples.dynamics[held])
    return logits[: len(clips)]


def inside_quadrant(readings: Floats, quadrant: NDArray[np.int64]) -> Floats:
    """Points [N, 2] for out-of-fold readings [N, 2]: intensities, kept inside the labelled quadrant (0-3, [N])."""
    signs = SIGNS[quadrant]
    points = Intensity.of(readings, signs)(readings)
    return signs * np.maximum(points * signs, LEAST)


def emopia_points(data: Path, settings: Settings | None = None) -> dict[str, tuple[float, float]]:
    """(valence, arousal) of each clip of EMOPIA's training split under `data`, from raw files, or from beat files where
    there are no raw ones; nothing where no clip has a file of its own name. VGMIDI, where the folder has it, helps to
    fit the predictions. AffectgenError where the clips do not cover both sides of both axes."""
    home = data / "emopia"
    clips = read_emopia(home, "train") or read_emopia(home, "train", kind="beat")
    if not clips:
        return {}
    rated = read_vgmidi(data / "vgmidi") if (data / "vgmidi").is_dir() else []
    logits = out_of_fold([*clips, *rated], settings=settings)[: len(clips)]
    try:
        points = inside_quadrant(affect_of(logits)[0], np.array([clip.quadrant for clip in clips]))
    except ValueError as error:
        raise AffectgenError(
            f"The training clips of {home} cannot be given points: {error}.", "Give clips of all four quadrants."
        ) from error
    return {clip.name: (float(v), float(a)) for clip, (v, a) in zip(clips, points, strict=True)}


def window_points(files: Sequence[Path]) -> list[tuple[str, float, float, float]]:
    """(file stem, start in seconds, valence, arousal) of each 30 s window of the files, by the shipped guide."""
    guide, found = load_guide(), []
    for path in files:
        parts = list(windows(read_notes(path)))
        points = guide.rate([part for _, part in parts])
        found += [(path.stem, start, float(v), float(a)) for (start, _), (v, a) in zip(parts, points, strict=True)]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one CSV of points: of EMOPIA's training split (--data), or of the windows of a folder (--midi)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder that holds emopia/ and vgmidi/")
    parser.add_argument("--midi", type=Path, help="folder of unlabelled MIDI files")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    if (options.data is None) == (options.midi is None):
        raise UsageError("Neither or both of --data and --midi were given.", "Give one of them.")
    if options.data is not None:
        head: tuple[str, ...] = ("clip", "valence", "arousal")
        rows: list[tuple[object, ...]] = [(clip, *point) for clip, point in emopia_points(options.data).items()]
    else:
        head = ("clip", "start", "valence", "arousal")
        rows = [*window_points(sorted(options.midi.glob("*.mid")))]
    with options.output.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        writer.writerows([f"{value:.4f}" if isinstance(value, float) else value for value in row] for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
