"""Pictures of latent slices: each element's clips on their two main axes, coloured by quadrant, and all on one page."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from affectgen.muser.explore import QUADRANTS, TARGETS, Exploration
from affectgen.report.curve import picture_bytes

# unlike shapes as well as colours: told apart by colour-blind eyes and in grey
STYLES = {"Q1": ("#E69F00", "o"), "Q2": ("#CC3311", "^"), "Q3": ("#0072B2", "s"), "Q4": ("#009E73", "D")}
WORDS = {"Q1": "happy, excited", "Q2": "tense, angry", "Q3": "sad, gloomy", "Q4": "calm, content"}
BAR_COLOURS = {"arousal": "#CC79A7", "valence": "#56B4E9"}


def draw_element(exploration: Exploration, name: str, kind: str = "png") -> bytes:
    """One element's picture as the bytes of a file of `kind` (png, svg, pdf)."""
    figure = Figure(figsize=(6.4, 5.8), layout="constrained")
    axes = figure.subplots()
    _scatter(axes, exploration, name, size=26)
    told = exploration.elements[name]
    probes = ", ".join(f"{target} {told.probe[target]:.2f} ({exploration.majority[target]:.2f})" for target in TARGETS)
    apart = ", ".join(f"{target} {told.silhouette[target]:+.2f}" for target in TARGETS)
    axes.set_title(f"Slices of {name}, mean over each clip's bars", fontsize=12)
    figure.supxlabel(
        f"read by a linear probe on unseen songs (majority): {probes}\nsilhouette of the slices: {apart}", fontsize=8,
    )  # fmt: skip
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=7, columnspacing=1)
    return _bytes(figure, kind)


def draw_overview(exploration: Exploration, kind: str = "png") -> bytes:
    """All elements on one page, and beside them how well each is read, as the bytes of a file of `kind`."""
    figure = Figure(figsize=(15, 8), layout="constrained")
    panels = figure.subplots(2, 4).ravel()
    for axes, name in zip(panels, exploration.elements, strict=False):
        _scatter(axes, exploration, name, size=10)
        axes.set_title(name, fontsize=11)
    _bars(panels[len(exploration.elements)], exploration)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, markerscale=2)
    clips = exploration.clips
    figure.suptitle(
        f"MusER's bar slices by element: {len(clips.names)} clips of {len(set(clips.songs))} songs, "
        "each on the element's two main axes", fontsize=13,
    )  # fmt: skip
    return _bytes(figure, kind)


def _scatter(axes: Axes, exploration: Exploration, name: str, size: float) -> None:
    """The clips on an element's two main axes; a large mark at the mean of each quadrant."""
    shown = exploration.projections[name]
    for quadrant, label in enumerate(QUADRANTS):
        colour, shape = STYLES[label]
        inside = shown.points[exploration.clips.quadrant == quadrant]
        if not len(inside):
            continue
        words = f"{label} {WORDS[label]} ({len(inside)})"
        axes.scatter(inside[:, 0], inside[:, 1], s=size, c=colour, marker=shape, alpha=0.65, linewidths=0, label=words)
        centre = inside.mean(0)
        axes.scatter(
            centre[:1], centre[1:], s=7 * size, c=colour, marker=shape, edgecolors="black", linewidths=1.2, zorder=3
        )
    axes.set_xlabel(f"axis 1, {shown.explained[0]:.0%} of the variance", fontsize=8)
    axes.set_ylabel(f"axis 2, {shown.explained[1]:.0%}", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(0.06)


def _bars(axes: Axes, exploration: Exploration) -> None:
    """Probe accuracy for arousal and valence by element, with a line at the majority share."""
    names = list(exploration.elements)
    place = np.arange(len(names))
    for shift, (target, colour) in zip((-0.2, 0.2), BAR_COLOURS.items(), strict=True):
        values = [exploration.elements[name].probe[target] for name in names]
        axes.barh(place + shift, np.nan_to_num(values), height=0.38, color=colour, label=target)
        axes.axvline(exploration.majority[target], color=colour, linestyle="--", linewidth=1.2)
    axes.set_yticks(place, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("accuracy on unseen songs (dashed: majority)", fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_title("read by a linear probe", fontsize=11)
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)


def _bytes(figure: Figure, kind: str) -> bytes:
    """The figure as a file."""
    return picture_bytes(figure, kind)
