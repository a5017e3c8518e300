"""A batch as one page that needs nothing else: a card with a player for each piece, asked against measured emotion on
the plane, filters. Sound lies in the page; what is only MIDI, the page plays by itself.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from affectgen.output import Outputs, explain
from affectgen.report.gallery_card import TYPES, Card, Drawn, clock, draw, player, quoted, relative
from affectgen.report.gallery_plane import plane, points_of, readings
from affectgen.report.gallery_script import SCRIPT
from affectgen.report.gallery_style import STYLE

EMBEDDED = 20 * 2**20  # bytes of sound in a page; further ones are linked
MARK = '<meta name="generator" content="affectgen batch">'  # by which a batch knows its own pages
HEAD_BYTES = 2000  # of a page, within which the mark stands
SORTS = ("order", "name", "distance", "valence", "arousal")


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


def is_gallery(place: Path) -> bool:
    """Whether a page lies there that a batch wrote."""
    try:
        with place.open("rb") as file:
            return MARK.encode() in file.read(HEAD_BYTES)
    except OSError:
        return False


def _page(cards: Sequence[Card], title: str, place: Path, limit: int) -> Iterator[str]:
    """The page in parts; its sounds are read one by one as they are written, so that they are never in memory
    together."""
    drawn = [draw(number, card) for number, card in enumerate(cards)]
    inside = _inside(drawn, limit)
    yield _head(title)
    yield "\n".join((
        f"<header><h1>{html.escape(title)}</h1>", f"<p>{_summary(cards, drawn, inside)}</p></header>",
        _filters(cards), "<aside>", plane(cards),
        '<p class="key"><b>asked</b> (rings) and <b>measured</b> (dots)</p>',
        '<p class="told" id="told" aria-live="polite">a click on a mark shows its piece</p>', "</aside>", "<main>", "",
    ))  # fmt: skip
    for card, one, held in zip(cards, drawn, inside, strict=True):
        yield one.before
        if one.sound is not None:
            yield "\n" + player(card, _source(one.sound) if held else relative(one.sound, place), not held)
        yield "\n" + one.after
    yield "\n".join(("</main>", f"<script>{SCRIPT}</script>", "</body>", "</html>", ""))


def _head(title: str) -> str:
    """What stands before the body. Only this page's own style and script may run, and nothing is loaded from elsewhere
    but a sound beside it."""
    policy = (f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; img-src data:; "
              "media-src data: file: 'self'; base-uri 'none'; form-action 'none'")  # fmt: skip
    return "\n".join((
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">', MARK,
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>", '<link rel="icon" href="data:,">', f"<style>{STYLE}</style>",
        "</head>", "<body>", "",
    ))  # fmt: skip


def _hash(text: str) -> str:
    """What a policy calls an inline style or script by."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


def _inside(drawn: Sequence[Drawn], limit: int) -> list[bool]:
    """Which sounds lie in the page: the first ones that fit."""
    inside, held = [], 0
    for one in drawn:
        inside.append(held + one.size <= limit)
        held += one.size if inside[-1] else 0
    return inside


def _source(sound: Path) -> str:
    """A sound as an address that holds it."""
    try:
        data = sound.read_bytes()
    except OSError as error:
        raise explain(error, sound) from error
    kind = TYPES.get(sound.suffix.lower(), "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _summary(cards: Sequence[Card], drawn: Sequence[Drawn], inside: Sequence[bool]) -> str:
    """How many, how long, when and by what they were made."""
    failed = sum(card.status == "failed" for card in cards)
    made = len(cards) - failed
    told = [f"{made} piece{'' if made == 1 else 's'}" + (f", {failed} failed" if failed else "")]
    lengths = [one.seconds for one in drawn if one.seconds is not None]
    if lengths:
        told.append(f"{clock(sum(lengths))} in all")
    times = [file.stat().st_mtime for card in cards for file in (card.piece,) if file is not None and file.is_file()]
    if times:  # of the files rather than of the clock: the page of a batch that is kept stays the same
        told.append(f"made until {datetime.fromtimestamp(max(times), UTC):%Y-%m-%d %H:%M} UTC")
    versions = sorted({card.version for card in cards if card.version is not None})
    if versions:
        told.append(f"affectgen {', '.join(versions)}")
    linked = sum(one.sound is not None and not held for one, held in zip(drawn, inside, strict=True))
    if linked:
        told.append(f"{linked} sound{' is' if linked == 1 else 's are'} too large for the page: keep the page beside "
                    f"{'it' if linked == 1 else 'them'}")  # fmt: skip
    return html.escape(" · ".join(told))


def _filters(cards: Sequence[Card]) -> str:
    """What chooses and sorts."""
    chosen = [
        ("preset", [card.preset for card in cards if card.preset is not None]),
        ("command", [card.command for card in cards if card.command]),
        ("status", [card.status for card in cards]),
    ]
    rows = ['<form id="filters" role="search">',
            '<label>search <input type="search" id="search" autocomplete="off"></label>']  # fmt: skip
    for name, values in chosen:
        if values:
            options = "".join(f'<option value="{quoted(value)}">{html.escape(value)}</option>'
                              for value in sorted(set(values)))  # fmt: skip
            rows.append(f'<label>{name} <select id="{name}"><option value="">all</option>{options}</select></label>')
    options = "".join(f'<option value="{each}">{each}</option>' for each in SORTS)
    rows.append(f'<label>sort by <select id="sort">{options}</select></label>')
    if any(points_of(readings(card.measured)[1]) for card in cards):
        rows.append('<label>measured by <select id="reader"><option value="">guide</option>'
                    '<option value="judge">judge</option></select></label>')  # fmt: skip
    return "\n".join([*rows, '<output id="count" aria-live="polite"></output>', "</form>"])
