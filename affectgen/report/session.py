"""The plan of a session as a picture: its path through the plane, and its emotions over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from affectgen.medicine.plan import Plan
from affectgen.report.curve import clock, picture_bytes

INCHES = (11.0, 4.6)
COLOURS = {"valence": "tab:blue", "arousal": "tab:orange"}
TIME = matplotlib.colormaps["viridis"]  # first clip dark, last one light


def draw_plan(plan: Plan, measured: Sequence[Mapping[str, Any]] = (), kind: str = "png") -> bytes:
    """The picture of a plan as bytes. measured: of each clip the valence and arousal that were heard, or none at all;
    kind: "png", "svg" or "pdf"."""
    figure = Figure(figsize=INCHES, layout="constrained")
    plane, time = figure.subplots(1, 2, width_ratios=(1, 1.5))
    asked = np.array([(clip.affect.valence, clip.affect.arousal) for clip in plan.clips])
    heard = np.array([(one["valence"], one["arousal"]) for one in measured]).reshape(-1, 2)
    _draw_plane(plane, plan, asked, heard)
    _draw_time(time, plan, asked, heard)
    figure.suptitle(f"{plan.clips[0].word} to {plan.clips[-1].word}: {len(plan.clips)} clips in {clock(plan.seconds)}")
    return picture_bytes(figure, kind)


def _draw_plane(axes: Axes, plan: Plan, asked: Any, heard: Any) -> None:
    axes.add_patch(Circle((0, 0), 1, fill=False, color="0.85"))
    axes.axhline(0, color="0.88", lw=0.8)
    axes.axvline(0, color="0.88", lw=0.8)
    axes.plot(asked[:, 0], asked[:, 1], color="0.6", lw=1, zorder=1)
    colours = TIME(np.linspace(0, 0.95, len(asked)))
    axes.scatter(asked[:, 0], asked[:, 1], c=colours, s=34, zorder=2, edgecolors="white", linewidths=0.6)
    if len(heard):
        axes.scatter(heard[:, 0], heard[:, 1], c=colours, s=26, marker="x", zorder=3, linewidths=1.2)
    falls = asked[0, 1] > asked[-1, 1]
    for clip, place in ((plan.clips[0], 8 if falls else -14), (plan.clips[-1], -14 if falls else 8)):
        point = (clip.affect.valence, clip.affect.arousal)
        axes.annotate(clip.word, point, (0, place), textcoords="offset points", ha="center", fontsize=9)
    for name, x, y in (("Q1", 0.93, 0.93), ("Q2", -0.93, 0.93), ("Q3", -0.93, -0.93), ("Q4", 0.93, -0.93)):
        axes.text(x, y, name, ha="center", va="center", fontsize=7, color="0.6")
    axes.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal", xlabel="valence", ylabel="arousal")
    axes.set_title("asked: dots" + (", measured: crosses" if len(heard) else ""), fontsize=9)


def _draw_time(axes: Axes, plan: Plan, asked: Any, heard: Any) -> None:
    middle = np.array([clip.start + plan.clip_seconds / 2 for clip in plan.clips])
    edges = np.array([*(clip.start + plan.overlap / 2 for clip in plan.clips), plan.seconds])
    edges[0] = 0.0
    for place, (axis, colour) in enumerate(COLOURS.items()):
        axes.stairs(asked[:, place], edges / 60, color=colour, lw=2, label=axis, baseline=None)
        if len(heard):
            axes.plot(middle / 60, heard[:, place], "x", color=colour, ms=5)
    axes.axhline(0, color="0.8", lw=0.8)
    axes.set(xlim=(0, plan.seconds / 60), ylim=(-1.05, 1.05), xlabel="minutes")
    axes.legend(loc="upper right", fontsize=8, ncols=2)
    words = [clip.word for clip in plan.clips]
    last = -plan.seconds
    for n, word in enumerate(words):
        if (n == 0 or word != words[n - 1]) and edges[n] - last > plan.seconds / 9:
            axes.annotate(word, (edges[n] / 60, -1.0), fontsize=7, color="0.35", rotation=0)
            last = edges[n]
