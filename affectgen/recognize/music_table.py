"""How well music as sound is read: by the guide, on the validation songs, which it has not heard, as a renderer plays
them that it has not heard either, and under what befalls recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.corpus import read_emopia
from affectgen.recognize.interval import coverage
from affectgen.recognize.music import MusicRecogniser, load_music_guide, load_music_judge
from affectgen.recognize.music_renders import MEASURED, PLAIN, renderings
from affectgen.recognize.music_rows import Rows, rows_of
from affectgen.recognize.reading import QUADRANTS, Reading

Floats = NDArray[np.float64]
HELD_OUT = "musescore"  # the renderer that no fit has heard
CONDITIONS = {  # what the table calls them: (renderer, draw)
    "FluidSynth, MuseScore grand (not heard in fitting)": ("musescore", "plain"),
    "the same, MP3 of 64 kbit/s": ("musescore", "mp3"),
    "the same, noise at 20 dB": ("musescore", "noise"),
    "the same, in a room": ("musescore", "room"),
    "tinysoundfont, FluidR3, any instrument, degraded": ("fluidr3", "0"),
    "tinysoundfont, TimGM6mb, any instrument, degraded": ("timgm", "0"),
    "own synthesiser, any voice, degraded": ("synth", "0"),
}
JUDGED = {
    "judge: training clips, FluidR3 (not heard in fitting), any instrument, degraded": ("fluidr3", "0"),
    "judge: training clips, TimGM6mb (heard in fitting), pianos, degraded": ("timgm", "bright0"),
}


def evaluate(data: Path, cache: Path, guide: MusicRecogniser | None = None) -> list[tuple[str, dict[str, float]]]:
    """(condition, figures) for the table: shares of quadrants, arousal and valence signs read rightly, coverage of the
    80 % intervals, clips. Renders what the folder `cache` does not hold. The judge's rows are the last.
    """
    guide = guide if guide is not None else load_music_guide()
    clips = read_emopia(data / "emopia", "val")
    found = []
    for name, (renderer, draw) in CONDITIONS.items():
        rows = rows_of(renderings(clips, renderer, draw, cache), guide.transcriber, False, cache / "statistics")
        found.append((name, measured(guide, rows)))
    judge, unheard = load_music_judge(), read_emopia(data / "emopia", "train")
    for name, (renderer, draw) in JUDGED.items():
        rows = rows_of(renderings(unheard, renderer, draw, cache), judge.transcriber, False, cache / "statistics")
        found.append((name, measured(judge, rows)))
    return found


def measure(data: Path, cache: Path, most: int | None, say: Callable[[str], None]) -> dict[str, float]:
    """The shipped guide's figures on validation songs, on the first `most` clips where it is given, as the renderer
    plays them that it has not heard; by the keys of its config's "figures". With `most` only the plain rendering.
    """
    guide, clips = load_music_guide(), read_emopia(data / "emopia", "val")[:most]
    found: dict[str, float] = {}
    for draw in MEASURED if most is None else (PLAIN,):
        say(f"rendering {len(clips)} clips, {draw}")
        rows = rows_of(renderings(clips, HELD_OUT, draw, cache), guide.transcriber, False, cache / "statistics")
        found |= {f"{name} {HELD_OUT} {draw}": value for name, value in measured(guide, rows).items()}
    return found


def measured(recogniser: MusicRecogniser, rows: Rows) -> dict[str, float]:
    """Accuracy, coverage and mean distance from neutral of readings of rows that it has not heard."""
    return figures_of(recogniser.judge_statistics(rows.statistics), rows.quadrant, rows.points)


def figures_of(found: list[Reading], quadrant: NDArray[np.int64], labels: Floats) -> dict[str, float]:
    """Figures of readings [N] beside their quadrants (0-3, [N]) and labels [N, 2]."""
    points = np.array([(one.affect.valence, one.affect.arousal) for one in found])
    told = np.array([QUADRANTS.index(one.quadrant) for one in found])
    inside = coverage(np.array([one.low for one in found]), np.array([one.high for one in found]), labels)
    rightly = np.sign(points) == np.sign(labels)
    typical = [float(np.median(np.abs(points[rightly[:, axis], axis]))) for axis in range(2)]
    return {
        "quadrants": float((told == quadrant).mean()),
        "arousal": float(rightly[:, 1].mean()),
        "valence": float(rightly[:, 0].mean()),
        "coverage_valence": float(inside[0]),
        "coverage_arousal": float(inside[1]),
        "typical_valence": typical[0],
        "typical_arousal": typical[1],
        "clips": float(len(found)),
    }
