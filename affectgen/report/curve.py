"""The emotion of a piece or recording over time: valence and arousal as curves in their intervals, and what was asked.

`add_curve` draws into any axes, so that a curve looks the same alone and under a spectrogram or a piano roll.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter
from numpy.typing import NDArray

from affectgen.affect.path import AffectPath, read_json
from affectgen.affect.space import Affect
from affectgen.errors import AffectgenError
from affectgen.recognize.curves import Window

Floats = NDArray[np.float64]

COLOURS = {"valence": "tab:blue", "arousal": "tab:orange"}
INCHES = (9.0, 3.6)
DPI = 120
NAME_LENGTH = 90  # letters of a name that fit above a picture
TICK_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18_000)
MOST_TICKS = 13
IN_SECONDS = 90.0  # shorter ones are marked in seconds, longer ones in m:ss
PATH_POINTS = 400  # of a path asked for that are drawn


def draw_curve(name: str, windows: Sequence[Window], kind: str = "png", asked: Any = None) -> bytes:
    """The curve of one or more windows as the bytes of a picture; windows without a reading leave a gap.

    kind: "png", "svg" or "pdf"; asked: as `add_curve` takes it. AffectgenError for no window.
    """
    if not windows:
        raise AffectgenError("There is no curve to draw: no window was read.", "Ask for windows in time.")
    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.subplots()
    add_curve(axes, windows, windows[-1].end, asked)
    figure.suptitle(shown_name(name), fontsize=10, parse_math=False)
    return picture_bytes(figure, kind)


def add_curve(axes: Axes, windows: Sequence[Window], seconds: float, asked: Any = None) -> None:
    """Draw valence and arousal over time with their 80 % intervals, and dashed what was asked.

    windows: in rising time; seconds: how far the time axis goes; asked: an Affect or AffectPath, either as JSON (as
    manifests hold it), or None. A path in fractions spans the `seconds`, one in seconds goes by the clock.
    """
    for place, (axis, colour) in enumerate(COLOURS.items()):
        time, middle, low, high = _steps(windows, place)
        axes.fill_between(time, low, high, color=colour, alpha=0.13, lw=0)
        for end in (low, high):
            axes.plot(time, end, color=colour, lw=0.6, alpha=0.45)
        axes.plot(time, middle, color=colour, lw=2, solid_capstyle="butt", solid_joinstyle="miter", label=axis)
    time, points = _asked(asked, seconds)
    for place, colour in enumerate(COLOURS.values()):
        if len(time):
            axes.plot(time, points[:, place], color=colour, lw=1.4, ls=(place * 3, (4, 3)))
    if len(time):
        axes.plot([], [], color="0.3", lw=1.4, ls=(0, (4, 3)), label="asked")
    axes.plot([], [], lw=0, label="shaded: 80 % intervals")
    axes.axhline(0, color="0.7", lw=0.8, zorder=0)
    axes.set(ylim=(-1.02, 1.02), ylabel="valence, arousal")
    axes.set_yticks([-1, -0.5, 0, 0.5, 1], ["−1", "−0.5", "0", "0.5", "1"])
    axes.grid(axis="x", color="0.9", lw=0.7)
    axes.set_axisbelow(True)
    time_axis(axes, seconds)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 0.985), fontsize=8, ncols=4, frameon=False, columnspacing=1.4, borderpad=0
    )


def time_axis(axes: Axes, seconds: float) -> None:
    """Limit the x axis to 0..seconds and mark it at round times: in seconds, or as m:ss or h:mm:ss where it is long."""
    length = seconds if seconds > 0 else 1.0
    step = next((step for step in TICK_STEPS if length / step <= MOST_TICKS), length / MOST_TICKS)
    axes.set_xlim(0, length)
    axes.xaxis.set_major_locator(FixedLocator((np.arange(math.floor(length / step + 1e-6) + 1) * step).tolist()))
    if length < IN_SECONDS:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: f"{time:.6g}"))
        axes.set_xlabel("seconds")
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: clock(time)))
        axes.set_xlabel("minutes : seconds" if length < 3600 else "hours : minutes : seconds")


def clock(seconds: float) -> str:
    """Whole seconds as m:ss, from an hour on as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def shown_name(name: str) -> str:
    """A name as it can stand above a picture: in one line, not too long, without signs that no font has."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in name)
    half = NAME_LENGTH // 2
    return plain if len(plain) <= NAME_LENGTH else f"{plain[: half - 1]}…{plain[-half:]}"


def picture_bytes(figure: Figure, kind: str) -> bytes:
    """The figure as a file of `kind` (png, svg, pdf): the same figure gives the same bytes, at any time of day."""
    buffer = io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with matplotlib.rc_context({"svg.hashsalt": "affectgen"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # a name in a script that the font lacks: boxes
        _settle(figure)
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
    return buffer.getvalue()


def _settle(figure: Figure) -> None:
    """Lay the figure out once and for all: the solver's last digits differ from run to run, and svg names by them."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = np.round(axes.get_position(original=True).bounds, 6).tolist()
        axes.set_position((left, bottom, width, height), which="original")


def _steps(windows: Sequence[Window], place: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Time, value and the interval's ends at the start and end of each window, nan between those that do not touch."""
    rows, last = [(math.nan,) * 4], math.nan
    for window in windows:
        if window.reading is None:
            rows.append((window.start, math.nan, math.nan, math.nan))
            continue
        if window.start != last:
            rows.append((window.start, math.nan, math.nan, math.nan))
        affect = window.reading.affect
        held = ((affect.valence, affect.arousal)[place], window.reading.low[place], window.reading.high[place])
        rows += [(window.start, *held), (window.end, *held)]
        last = window.end
    time, middle, low, high = np.array(rows[1:], dtype=np.float64).reshape(-1, 4).T
    return time, middle, low, high


def _asked(asked: Any, seconds: float) -> tuple[Floats, Floats]:
    """Times [N] and points [N, 2] of what was asked, over the whole length; empty where nothing was."""
    if asked is None:
        return np.zeros(0), np.zeros((0, 2))
    emotion = read_json(asked) if isinstance(asked, Mapping) else asked
    if isinstance(emotion, Affect):
        return np.array([0.0, seconds]), np.array([[emotion.valence, emotion.arousal]] * 2)
    path: AffectPath = emotion if emotion.unit == "seconds" else emotion.scaled(seconds)
    keys = [key.time for key in path.keys if key.time <= seconds]  # so that corners stay sharp
    time = np.unique(np.r_[np.linspace(0, seconds, PATH_POINTS), keys])
    return time, np.array([(point.valence, point.arousal) for point in map(path.at, time.tolist())])
