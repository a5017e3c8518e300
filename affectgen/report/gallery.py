"""A batch as one page that needs nothing else: a card with a player for each piece, asked against measured emotion on
the plane, filters. Sound lies in the page; what is only MIDI, the page plays by itself.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import Any
from urllib.parse import quote

from affectgen.errors import AffectgenError
from affectgen.output import Outputs, explain
from affectgen.report.gallery_plane import plane, points_of
from affectgen.report.gallery_roll import Roll, read_roll, roll_svg
from affectgen.report.gallery_script import SCRIPT
from affectgen.report.gallery_style import POLICY, STYLE

EMBEDDED = 48 * 2**20  # bytes of sound in a page; further ones are linked
TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg"}
NOTES = (".mid", ".midi")


@dataclass(frozen=True)
class Card:
    """One job. status: done, kept, skipped or failed; seconds: of work; message: why it failed; line: the command that
    makes it alone; asked, measured: as in manifests; piece, sound: the files, None where there is none."""

    name: str
    command: str
    status: str
    preset: str | None = None
    seed: int | None = None
    seconds: float | None = None
    message: str = ""
    line: str = ""
    asked: Any = None
    measured: Mapping[str, Any] | None = None
    piece: Path | None = None
    sound: Path | None = None


def write_gallery(cards: Sequence[Card], title: str, place: Path, limit: int = EMBEDDED) -> None:
    """Write the page, over one that is there; limit: bytes of sound that it may hold, what is beyond is linked.

    AffectgenError where it cannot be written. The same cards and files give the same bytes.
    """
    with Outputs(force=True) as outputs:
        part = outputs.stage(place)
        try:
            with part.open("wb") as file:
                for text in _page(cards, title, place, limit):
                    file.write(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise explain(error, part) from error


def _page(cards: Sequence[Card], title: str, place: Path, limit: int) -> Iterator[str]:
    """The page in parts, a card at a time, so that its sounds are never in memory together."""
    name = html.escape(title)
    yield "\n".join((
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>{name}</title>",
        '<link rel="icon" href="data:,">', f"<style>{STYLE}</style>", "</head>", "<body>",
        f"<header><h1>{name}</h1>", f"<p>{_counted(cards)}</p></header>", "<aside>", plane(cards),
        '<p class="key"><b>asked</b> and <b>measured</b>; a click shows the piece</p>', "</aside>", _filters(cards),
        "<main>", "",
    ))  # fmt: skip
    held = 0
    for number, card in enumerate(cards):
        size = _size(card.sound)
        inside = held + size <= limit
        held += size if inside else 0
        yield _card(number, card, place, inside)
    yield "\n".join(("</main>", f"<script>{SCRIPT}</script>", "</body>", "</html>", ""))


def _size(path: Path | None) -> int:
    return path.stat().st_size if path is not None and path.is_file() else 0


def _counted(cards: Sequence[Card]) -> str:
    """How many there are, and how many of them failed."""
    failed = sum(card.status == "failed" for card in cards)
    made = f"{len(cards) - failed} piece{'' if len(cards) - failed == 1 else 's'}"
    return f"{made}, {failed} failed" if failed else made


def _filters(cards: Sequence[Card]) -> str:
    """What chooses and sorts."""
    chosen = [
        ("preset", "preset", [card.preset for card in cards if card.preset is not None]),
        ("command", "command", [card.command for card in cards if card.command]),
        ("status", "state", [card.status for card in cards]),
    ]
    rows = ['<form id="filters" role="search" onsubmit="return false">',
            '<label>search <input type="search" id="search" autocomplete="off"></label>']  # fmt: skip
    for name, label, values in chosen:
        options = "".join(f'<option value="{_quoted(value)}">{html.escape(value)}</option>'
                          for value in sorted(set(values)))  # fmt: skip
        rows.append(f'<label>{label} <select id="{name}"><option value="">all</option>{options}</select></label>')
    sorts = ("order", "name", "distance", "valence", "arousal")
    options = "".join(f'<option value="{each}">{each}</option>' for each in sorts)
    rows.append(f'<label>sort by <select id="sort">{options}</select></label>')
    return "\n".join([*rows, '<output id="count" aria-live="polite"></output>', "</form>"])


def _card(number: int, card: Card, place: Path, inside: bool) -> str:
    """One card."""
    asked, measured = points_of(card.asked), points_of(card.measured)
    roll, fault = _roll(card)
    numbers = {"valence": measured[0][0], "arousal": measured[0][1]} if measured else {}
    if len(asked) == 1 and measured:
        numbers["distance"] = ((asked[0][0] - measured[0][0]) ** 2 + (asked[0][1] - measured[0][1]) ** 2) ** 0.5
    held = {"preset": card.preset, "command": card.command, "status": card.status, "name": card.name,
            **{key: f"{value:.4f}" for key, value in numbers.items()}}  # fmt: skip
    data = "".join(f' data-{key}="{_quoted(value)}"' for key, value in held.items() if value is not None)
    facts = [card.command, card.preset, None if card.seed is None else f"seed {card.seed}",
             None if roll is None else f"{roll.seconds:.1f} s long"]  # fmt: skip
    parts = [f'<article id="p{number}" tabindex="0"{data}>', f"<h2>{html.escape(card.name)}</h2>",
             f'<p class="facts">{html.escape(" · ".join(each for each in facts if each is not None))}</p>',
             _affects(asked, measured, card.measured)]  # fmt: skip
    for message in (card.message, fault):
        if message:
            parts.append(f'<p class="fault">{html.escape(message)}</p>')
    if roll is not None:
        parts.append(roll_svg(roll))
    parts.append(_player(card, roll, place, inside))
    if card.line:
        parts.append(f"<details><summary>make it again</summary><code>{html.escape(card.line)}</code></details>")
    return "\n".join([*(part for part in parts if part), "</article>", ""])


def _roll(card: Card) -> tuple[Roll | None, str]:
    """The notes of a piece that is MIDI, and what is wrong with it."""
    if card.piece is None or card.piece.suffix.lower() not in NOTES or not card.piece.is_file():
        return None, ""
    try:
        return read_roll(card.piece), ""
    except AffectgenError as error:
        return None, error.message


def _affects(
    asked: Sequence[tuple[float, float]], measured: Sequence[tuple[float, float]], told: Mapping[str, Any] | None
) -> str:
    """What was asked and what was measured, in numbers."""
    parts = []
    if asked:
        parts.append(f'<b class="a">asked</b> {" → ".join(_point(point) for point in asked)}')
    if measured:
        reader = html.escape(str(told["recogniser"] if told is not None and "recogniser" in told else "recogniser"))
        parts.append(f'<b class="m">measured</b> {_point(measured[0])} <small>by the {reader}</small>')
    return f'<p class="affect">{"<br>".join(parts)}</p>' if parts else ""


def _point(point: tuple[float, float]) -> str:
    return f"{point[0]:+.2f}, {point[1]:+.2f}"


def _player(card: Card, roll: Roll | None, place: Path, inside: bool) -> str:
    """What plays it: the sound, or the page itself for notes alone."""
    name = _quoted(card.name)
    if card.sound is not None and card.sound.is_file():
        kind = TYPES.get(card.sound.suffix.lower(), "application/octet-stream")
        if inside:
            source = f"data:{kind};base64,{base64.b64encode(card.sound.read_bytes()).decode('ascii')}"
            return f'<audio controls preload="none" aria-label="{name}" src="{source}"></audio>'
        link = _quoted(_relative(card.sound, place))
        return (f'<audio controls preload="none" aria-label="{name}" src="{link}"></audio>'
                f'<p class="facts">beside this page: {html.escape(card.sound.name)}</p>')  # fmt: skip
    if roll is None or not roll.rows:
        return ""
    notes = json.dumps([each for row in roll.rows for each in row], separators=(",", ":"))
    return (
        f'<div class="player" data-seconds="{roll.seconds:.2f}" data-notes="{notes}">'
        f'<button type="button" aria-label="Play {name}">▶</button>'
        f'<input type="range" min="0" max="{roll.seconds:.2f}" step="0.1" value="0" aria-label="Place in {name}">'
        "<small>preview by the page</small></div>"
    )


def _relative(path: Path, page: Path) -> str:
    """A link from the page to a file."""
    return quote(Path(relpath(path.resolve(), page.resolve().parent)).as_posix())


def _quoted(text: str) -> str:
    """Text inside a double-quoted attribute."""
    return html.escape(text, quote=True)
