"""The emotion of a piece or recording over time: valence and arousal as curves in their intervals."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.figure import Figure

from affectgen.recognize.curves import Window

COLOURS = {"valence": "tab:blue", "arousal": "tab:orange"}
INCHES = (9.0, 3.6)


def draw_curve(name: str, windows: Sequence[Window], kind: str = "png") -> bytes:
    """The curve of `windows` as the bytes of a picture (png, svg, pdf); silent windows leave a gap."""
    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.subplots()
    for place, (axis, colour) in enumerate(COLOURS.items()):
        for number, window in enumerate(windows):
            if window.reading is None:
                continue
            value = (window.reading.affect.valence, window.reading.affect.arousal)[place]
            span = [window.start, window.end]
            low, high = window.reading.low[place], window.reading.high[place]
            axes.fill_between(span, low, high, color=colour, alpha=0.13, lw=0)
            axes.plot(span, [value, value], color=colour, lw=2, solid_capstyle="butt")
            before = windows[number - 1].reading if number else None
            if before is not None:
                last = (before.affect.valence, before.affect.arousal)[place]
                axes.plot([window.start] * 2, [last, value], color=colour, lw=0.8)
        axes.plot([], [], color=colour, lw=2, label=axis)
    axes.axhline(0, color="0.7", lw=0.8)
    axes.set(xlim=(0, windows[-1].end), ylim=(-1.02, 1.02), xlabel="seconds", ylabel="-1 to 1", title=name)
    axes.title.set_fontsize(10)
    axes.legend(loc="upper right", fontsize=8, ncols=2, title="shaded: 80 % interval", title_fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()
