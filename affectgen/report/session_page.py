"""A session as one page that needs nothing else: a player, the asked and the measured path, the clips to click on.

The sound is part of the page, as are its few lines of script; it asks no network for anything.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any

from affectgen.task import Result

STATEMENT = (
    "Music for relief between sessions with a therapist. It is not a treatment and claims no effect. Keep the volume "
    "low, and stop when it does not feel right."
)
SIZE, EDGE = 360, 18  # of the plane, pixels
WIDE, HIGH = 560, 180  # of the curves over time

STYLE = """
:root { color-scheme: light dark; --line: #8885; --asked: #e67700; --heard: #1c7ed6; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
audio { width: 100%; margin: 1rem 0; }
figure { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: 0; }
svg { background: #8881; border-radius: 6px; max-width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
.grid { stroke: var(--line); fill: none; }
.asked { stroke: var(--asked); fill: none; stroke-width: 2; }
.heard { stroke: var(--heard); fill: none; stroke-width: 1.5; stroke-dasharray: 4 3; }
.dot { fill: var(--asked); } .cross { fill: var(--heard); }
.now { fill: none; stroke: currentColor; stroke-width: 2; }
ol { list-style: none; padding: 0; columns: 2; }
li button { all: unset; cursor: pointer; display: block; width: 100%; padding: .2rem .5rem; border-radius: 4px; }
li button:hover, li button:focus-visible { background: #8882; outline: 1px solid var(--line); }
li button[aria-current=true] { background: #e6770033; }
.key b:first-child { color: var(--asked); } .key b:last-child { color: var(--heard); }
small { opacity: .8; }
@media (max-width: 40rem) { ol { columns: 1; } }
"""
SCRIPT = """
const player = document.querySelector("audio"), buttons = [...document.querySelectorAll("li button")];
const starts = buttons.map(b => Number(b.dataset.start)), spot = document.querySelector("#spot");
const line = document.querySelector("#line");
function show() {
  let now = 0;
  starts.forEach((start, n) => { if (player.currentTime >= start - 0.01) now = n; });
  buttons.forEach((b, n) => b.setAttribute("aria-current", n === now));
  spot.setAttribute("cx", buttons[now].dataset.x); spot.setAttribute("cy", buttons[now].dataset.y);
  const x = player.duration ? player.currentTime / player.duration * Number(line.dataset.width) : 0;
  line.setAttribute("x1", x); line.setAttribute("x2", x);
}
buttons.forEach((b, n) => b.addEventListener("click", () => { player.currentTime = starts[n]; player.play(); show();
})); player.addEventListener("timeupdate", show); player.addEventListener("seeked", show); show();
"""


def page_of(result: Result, name: str) -> bytes:
    """The page of a finished session; name: of its sound file. The page plays MP3, which every browser does."""
    plan = result.details["plan"]["clips"]
    title = f"From {plan[0]['word']} to {plan[-1]['word']}"
    return session_page(result.details, _as_mp3(result), "audio/mpeg", title)


def _as_mp3(result: Result) -> bytes:
    """The sound of a session, encoded anew unless it is MP3 already."""
    data = result.data
    if result.suffix == ".mp3":
        return data if isinstance(data, bytes) else data.read()
    from affectgen.audio.files import audio_info, frames_of
    from affectgen.audio.formats import Encoding, format_named
    from affectgen.audio.write import write_sound
    from affectgen.spooled import Spooled

    source = data if isinstance(data, bytes) else data.path
    rate = audio_info(source).rate
    with Spooled.empty(".mp3") as held:
        write_sound(held.path, frames_of(source, rate), Encoding(format_named("mp3"), rate=rate))
        return held.read()


def session_page(details: Mapping[str, Any], sound: bytes, kind: str, title: str) -> bytes:
    """The page. details: of the session's manifest (plan, clips); sound: the file that is played; kind: its media type,
    "audio/mpeg"; title: in plain words."""
    clips = details["plan"]["clips"]
    asked = [(clip["valence"], clip["arousal"]) for clip in clips]
    heard = [(one["measured"]["valence"], one["measured"]["arousal"]) for one in details["clips"] if one["measured"]]
    name = html.escape(title)
    source = f"data:{kind};base64,{base64.b64encode(sound).decode('ascii')}"
    parts = [
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>{name}</title>",
        '<link rel="icon" href="data:,">', f"<style>{STYLE}</style>", "</head>", "<body>", f"<h1>{name}</h1>",
        f"<p>{html.escape(STATEMENT)}</p>", f'<audio controls preload="auto" src="{source}"></audio>', "<figure>",
        _plane(asked, heard), _curves(details, asked, heard), "</figure>",
        '<p class="key"><b>asked</b>, and <b>measured</b> by the guide, which had a say in choosing the clips</p>',
        "<ol>", *(_row(clip) for clip in clips), "</ol>", f"<script>{SCRIPT}</script>", "</body>", "</html>", "",
    ]  # fmt: skip
    return "\n".join(parts).encode()


def _place(point: tuple[float, float]) -> tuple[float, float]:
    """A point of the plane in pixels."""
    half = SIZE / 2 - EDGE
    return round(SIZE / 2 + point[0] * half, 1), round(SIZE / 2 - point[1] * half, 1)


def _plane(asked: Sequence[tuple[float, float]], heard: Sequence[tuple[float, float]]) -> str:
    """The valence-arousal plane with both paths."""
    middle = SIZE / 2
    lines = [
        f'<svg viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}" role="img" aria-label="The path">',
        f'<path class="grid" d="M{middle} {EDGE}V{SIZE - EDGE}M{EDGE} {middle}H{SIZE - EDGE}"/>',
        f'<circle class="grid" cx="{middle}" cy="{middle}" r="{middle - EDGE}"/>',
        f'<text x="{SIZE - EDGE}" y="{middle - 4}" text-anchor="end">valence</text>',
        f'<text x="{middle + 4}" y="{EDGE - 5}">arousal</text>',
    ]
    for points, line, mark in ((asked, "asked", "dot"), (heard, "heard", "cross")):
        places = [_place(point) for point in points]
        lines.append(f'<polyline class="{line}" points="{" ".join(f"{x},{y}" for x, y in places)}"/>')
        lines += [f'<circle class="{mark}" cx="{x}" cy="{y}" r="3"/>' for x, y in places]
    x, y = _place(asked[0])
    lines += [f'<circle class="now" id="spot" cx="{x}" cy="{y}" r="8"/>', "</svg>"]
    return "\n".join(lines)


def _curves(
    details: Mapping[str, Any], asked: Sequence[tuple[float, float]], heard: Sequence[tuple[float, float]]
) -> str:
    """Valence and arousal over time, one above the other."""
    plan = details["plan"]
    times = [clip["start"] + plan["clip_seconds"] / 2 for clip in plan["clips"]]
    lines = [f'<svg viewBox="0 0 {WIDE} {2 * HIGH}" width="{WIDE}" height="{2 * HIGH}" role="img" '
             'aria-label="Valence and arousal over time">']  # fmt: skip
    for panel, name in enumerate(("valence", "arousal")):
        top = panel * HIGH
        lines.append(f'<path class="grid" d="M0 {top + HIGH / 2}H{WIDE}"/>')
        lines.append(f'<text x="6" y="{top + 14}">{name}</text>')
        for points, line in ((asked, "asked"), (heard, "heard")):
            if len(points) == len(times):
                pairs = zip(times, points, strict=True)
                places = [f"{t / plan['seconds'] * WIDE:.1f},{top + HIGH / 2 - p[panel] * (HIGH / 2 - 8):.1f}"
                          for t, p in pairs]  # fmt: skip
                lines.append(f'<polyline class="{line}" points="{" ".join(places)}"/>')
    lines.append(f'<line class="now" id="line" data-width="{WIDE}" x1="0" x2="0" y1="0" y2="{2 * HIGH}"/>')
    return "\n".join([*lines, "</svg>"])


def _row(clip: Mapping[str, Any]) -> str:
    """A clip of the list."""
    x, y = _place((clip["valence"], clip["arousal"]))
    minutes, seconds = divmod(int(clip["start"]), 60)
    point = f"{clip['valence']:+.2f}, {clip['arousal']:+.2f}"
    told = f"{minutes}:{seconds:02d} {html.escape(clip['word'])} <small>{point}</small>"
    return f'<li><button data-start="{clip["start"]}" data-x="{x}" data-y="{y}">{told}</button></li>'
