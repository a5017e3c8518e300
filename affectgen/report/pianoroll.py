"""A piano roll one can read at a glance: pitch over bars, velocity as colour, the emotion asked and measured."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import matplotlib
import numpy as np
import symusic
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from affectgen.affect.path import AffectPath, read_json
from affectgen.affect.space import Affect
from affectgen.report.curve import picture_bytes
from affectgen.score.midi import open_midi

COLOURS = matplotlib.colormaps["viridis_r"]  # dark is loud; readable in grey and by colour-blind eyes
BLACK_KEYS = (1, 3, 6, 8, 10)
SOFT, LOUD = 20, 115  # velocities at the ends of the colours: pianists seldom leave this range
BARS_PER_INCH = 1.6
PLANE_INCHES = 2.7
PITCH_MARGIN = 3


def draw_piano_roll(midi: bytes, asked: Any, measured: Mapping[str, Any], kind: str = "png") -> bytes:
    """The piano roll of a MIDI file as the bytes of a picture.

    asked: {"valence", "arousal"}, a path as `AffectPath.to_json` writes it, or None; measured: with "valence" and
    "arousal", or empty; kind: "png", "svg" or "pdf". MidiError when `midi` is no MIDI file.
    """
    score = open_midi(midi)
    bars = _bar_lines(score)  # [M+1], ticks
    rows = _notes(score)  # [N, 4]: start, end in bars, pitch, velocity
    rows[:, :2] = np.interp(rows[:, :2], bars, np.arange(len(bars)))
    width = float(np.clip((len(bars) - 1) / BARS_PER_INCH, 7, 40))
    figure = Figure(figsize=(width + PLANE_INCHES, 4.6), layout="constrained")
    roll, side = figure.subplots(1, 2, width_ratios=(width, PLANE_INCHES))
    _draw_notes(roll, rows, len(bars) - 1)
    _draw_chords(roll, score, bars)
    loudness = ScalarMappable(Normalize(SOFT, LOUD), COLOURS)
    figure.colorbar(loudness, ax=roll, label="velocity", pad=0.01, fraction=0.03)
    _draw_plane(side, asked, measured)
    figure.suptitle(_title(score, len(rows), asked, measured), fontsize=10)
    return picture_bytes(figure, kind)


def _notes(score: symusic.Score) -> NDArray[np.float64]:
    """Start, end (ticks), pitch, velocity of every note, [N, 4]."""
    rows = [(n.time, n.time + n.duration, n.pitch, n.velocity) for track in score.tracks for n in track.notes]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def _bar_lines(score: symusic.Score) -> NDArray[np.float64]:
    """The ticks at which bars begin, under the file's own time signatures (4/4 before the first), to past the end."""
    quarter = score.ticks_per_quarter
    changes = sorted((t.time, t.numerator * quarter * 4 / t.denominator) for t in score.time_signatures)
    lines, length, last = [0.0], 4.0 * quarter, score.end()
    while lines[-1] < last or len(lines) < 2:
        while changes and changes[0][0] <= lines[-1]:
            length = changes.pop(0)[1]
        lines.append(lines[-1] + length)
    return np.array(lines)


def _draw_notes(axes: Axes, rows: NDArray[np.float64], bars: int) -> None:
    """The notes as boxes over the keyboard's stripes, a line at every bar and a stronger one at every fourth."""
    for bar in range(bars + 1):
        axes.axvline(bar, color="0.6" if bar % 4 == 0 else "0.85", linewidth=1.0 if bar % 4 == 0 else 0.6, zorder=1)
    add_notes(axes, rows, narrowest=0.02)
    axes.set(xlim=(0, bars), xlabel="bar")
    shown = range(0, bars, 1 if bars <= 24 else 4)
    axes.set_xticks(list(shown), [str(bar + 1) for bar in shown])


def add_notes(axes: Axes, rows: NDArray[np.float64], narrowest: float, edge: float = 0.3) -> None:
    """Draw notes as boxes over the keyboard's stripes, louder ones darker, and mark the octaves.

    rows: start, end, pitch, velocity of each, [N, 4], starts and ends in any unit; narrowest: least width of a box, in
    that unit; edge: width of the boxes' white edges, points.
    """
    low = int(rows[:, 2].min()) - PITCH_MARGIN if len(rows) else 57
    high = int(rows[:, 2].max()) + PITCH_MARGIN if len(rows) else 75
    for pitch in range(low, high + 1):
        if pitch % 12 in BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="0.94", zorder=0)
    left, right = rows[:, 0], np.maximum(rows[:, 1], rows[:, 0] + narrowest)
    under, over = rows[:, 2] - 0.42, rows[:, 2] + 0.42
    boxes = np.stack([left, under, right, under, right, over, left, over], axis=1).reshape(-1, 4, 2)
    colours = COLOURS(Normalize(SOFT, LOUD, clip=True)(rows[:, 3]))
    # an array is drawn faster than the list that matplotlib's stubs ask for
    drawn = PolyCollection(boxes, facecolors=colours, edgecolors="white", linewidths=edge, zorder=2)  # type: ignore[arg-type]
    axes.add_collection(drawn)
    axes.set_ylim(low - 0.5, high + 0.5)
    octaves = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    axes.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves])


def _draw_chords(axes: Axes, score: symusic.Score, bars: NDArray[np.float64]) -> None:
    """Chord markers (`A_m7`) above the roll, where the piece has few enough to be read."""
    markers = [(float(np.interp(m.time, bars, np.arange(len(bars)))), m.text) for m in score.markers]
    places = [(place, text) for place, text in markers if "_" in text and "N_N" not in text]
    last = -1.0
    for place, text in places:
        if place - last < 0.45:  # nearer ones would run into each other
            continue
        label = text.replace("_M", "").replace("_m", "m").replace("_", "")
        axes.text(place, 1.01, label, transform=axes.get_xaxis_transform(), fontsize=6, color="0.35")
        last = place


def _draw_plane(axes: Axes, asked: Any, measured: Mapping[str, Any]) -> None:
    """The valence-arousal plane: what was asked (ring, or a path with an arrow), what was measured (dot)."""
    axes.add_patch(Circle((0, 0), 1, fill=False, color="0.85"))
    axes.axhline(0, color="0.85", linewidth=0.8)
    axes.axvline(0, color="0.85", linewidth=0.8)
    points = [(point.valence, point.arousal) for point in _points(asked)]
    for start, end in pairwise(points):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "tab:orange"})
    if points:
        across, up = zip(*points, strict=True)
        axes.plot(across, up, "o", color="tab:orange", markerfacecolor="none", markersize=8, label="asked")
    if "valence" in measured and "arousal" in measured:
        axes.plot([measured["valence"]], [measured["arousal"]], "o", color="tab:blue", markersize=5, label="measured")
    for name, x, y in (("Q1", 0.9, 0.9), ("Q2", -0.9, 0.9), ("Q3", -0.9, -0.9), ("Q4", 0.9, -0.9)):
        axes.text(x, y, name, ha="center", va="center", fontsize=7, color="0.6")
    axes.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal", xlabel="valence", ylabel="arousal")
    axes.set_xticks([-1, 0, 1])
    axes.set_yticks([-1, 0, 1])
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), fontsize=7, frameon=False)


def _points(asked: Any) -> list[Affect]:
    """The asked point, or the places of the asked path; empty where none was asked."""
    if asked is None:
        return []
    emotion = read_json(asked)
    return [key.affect for key in emotion.keys] if isinstance(emotion, AffectPath) else [emotion]


def _title(score: symusic.Score, notes: int, asked: Any, measured: Mapping[str, Any]) -> str:
    """One line: what was asked, what was measured, how long the piece is."""
    places = [f"{_word(point)} ({point.valence:+.2f}, {point.arousal:+.2f})" for point in _points(asked)]
    parts = [f"asked {' > '.join(places)}"] if places else []
    if "valence" in measured and "arousal" in measured:
        judge = measured.get("recogniser", "recogniser")
        parts.append(f"measured ({measured['valence']:+.2f}, {measured['arousal']:+.2f}) by the {judge}")
    tempo = score.tempos[0].qpm if len(score.tempos) else 120.0
    parts.append(f"{notes} notes, {score.to('second').end():.0f} s, from {tempo:.0f} beats a minute")
    return "   ·   ".join(parts)


def _word(point: Affect) -> str:
    """The emotion word nearest to a point."""
    return str(point.nearest_words(1)[0])
