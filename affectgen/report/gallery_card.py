"""One job of a gallery: its card, with the piano roll, a player, what was asked and what was measured."""

from __future__ import annotations

import html
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from affectgen.affect.space import Affect
from affectgen.errors import AffectgenError
from affectgen.report.gallery_plane import Point, points_of, readings
from affectgen.report.gallery_roll import Roll, read_roll, roll_svg
from affectgen.report.gallery_wave import wave_svg

TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg"}
NOTES = (".mid", ".midi")
STAYS = "\u00a0"  # a space at which no line breaks
USUAL = ("done", "kept")  # statuses that a card need not tell
LONGEST = 4  # points of a path that a card shows; of a longer one, its ends


@dataclass(frozen=True)
class Card:
    """One job. status: done, kept, skipped or failed; seconds: of work; message: why it failed; line: the command that
    makes it alone; asked, measured: as in manifests; piece, sound: the files, None where there is none; version: of the
    affectgen that made it."""

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
    version: str | None = None


@dataclass(frozen=True)
class Drawn:
    """A card as HTML but for its sound, which goes between the halves; seconds: how long the piece is, if it is known;
    size: bytes of the sound."""

    before: str
    after: str
    seconds: float | None
    sound: Path | None = None
    size: int = 0


def draw(number: int, card: Card) -> Drawn:
    """Read the files of a card and draw it. What cannot be read is told on the card."""
    roll, sound, seconds, picture = None, None, None, ""
    faults = [card.message]
    try:
        roll = _roll(card.piece)
        if roll is not None:
            seconds, picture = roll.seconds, roll_svg(roll)
    except AffectgenError as error:
        faults.append(error.message)
    try:
        if card.sound is not None and card.sound.is_file():
            seconds = _length(card.sound)
            picture = wave_svg(card.sound, seconds) if roll is None else picture
            sound = card.sound
    except AffectgenError as error:
        faults.append(error.message)
    parts = [
        f'<article id="p{number}" tabindex="0" aria-label="{quoted(card.name)}"{_data(card)}>',
        f"<h2>{html.escape(card.name)}</h2>", f'<p class="facts">{html.escape(" · ".join(_facts(card, seconds)))}</p>',
        _affects(card), *(f'<p class="fault">{html.escape(fault)}</p>' for fault in faults if fault), picture,
        _synthesiser(card.name, roll) if sound is None and roll is not None else "",
    ]  # fmt: skip
    again = f"<details><summary>make it again</summary><code>{html.escape(card.line)}</code></details>"
    size = 0 if sound is None else sound.stat().st_size
    return Drawn("\n".join(filter(None, parts)), f"{again if card.line else ''}\n</article>\n", seconds, sound, size)


def player(card: Card, source: str, linked: bool) -> str:
    """The player of a sound; source: its address; linked: it lies beside the page."""
    name = "" if card.sound is None else card.sound.name
    told = f'<p class="facts">beside this page: {html.escape(name)}</p>' if linked else ""
    early = "none" if linked else "metadata"
    return f'<audio controls preload="{early}" aria-label="{quoted(card.name)}" src="{quoted(source)}"></audio>{told}'


def relative(path: Path, page: Path) -> str:
    """A link from the page to a file, whatever the bytes of its name."""
    way = Path(os.path.relpath(path.resolve(), page.resolve().parent)).as_posix()
    return quote(os.fsencode(way))


def quoted(text: str) -> str:
    """Text inside a double-quoted attribute."""
    return html.escape(text, quote=True)


def clock(seconds: float) -> str:
    """A length as 1:05:09, 5:09 or 9.5 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def _roll(piece: Path | None) -> Roll | None:
    """The notes of a piece that is MIDI."""
    if piece is None or piece.suffix.lower() not in NOTES or not piece.is_file():
        return None
    return read_roll(piece)


def _length(sound: Path) -> float:
    """Seconds of a sound. AudioError where it is none."""
    from affectgen.audio.files import audio_info

    return audio_info(sound).seconds


def _facts(card: Card, seconds: float | None) -> list[str]:
    """What is said in a line under the name."""
    told = [card.command, card.preset, None if card.seed is None else f"seed {card.seed}",
            None if seconds is None else f"{clock(seconds)} long".replace(" ", STAYS),
            None if card.seconds is None else f"made in {card.seconds:.1f} s".replace(" ", STAYS),
            card.status if card.status not in USUAL else None]  # fmt: skip
    return [each for each in told if each]


def _data(card: Card) -> str:
    """What filters and sorting go by. The distance is that of a point: a path is not measured along its way."""
    held: dict[str, str | None] = {"preset": card.preset, "command": card.command, "status": card.status,
                                   "name": card.name}  # fmt: skip
    asked = points_of(card.asked)
    for ending, reading in zip(("", "-judge"), readings(card.measured), strict=True):
        for point in points_of(reading):
            held |= {f"valence{ending}": f"{point[0]:.4f}", f"arousal{ending}": f"{point[1]:.4f}"}
            if len(asked) == 1:
                held[f"distance{ending}"] = f"{math.dist(asked[0], point):.4f}"
    return "".join(f' data-{key}="{quoted(value)}"' for key, value in held.items() if value is not None)


def _affects(card: Card) -> str:
    """What was asked and what was measured, in words and numbers."""
    parts = []
    asked = points_of(card.asked)
    if asked:
        shown = [_told(point) for point in asked]
        if len(shown) > LONGEST:
            shown = [shown[0], f"<small>{len(shown) - 2} steps</small>", shown[-1]]
        parts.append(f'<div><b class="a">asked</b> {" → ".join(shown)}</div>')
    for number, reading in enumerate(readings(card.measured)):
        for point in points_of(reading):
            reader = html.escape(str(reading.get("recogniser", "recogniser")))
            away = f", {math.dist(asked[0], point):.2f} away" if len(asked) == 1 else ""
            parts.append(f'<div class="by{number}"><b class="m">measured</b> {_numbers(point)} '
                         f"<small>by the {reader}{away}</small></div>")  # fmt: skip
    return f'<div class="affect">{"".join(parts)}</div>' if parts else ""


def _told(point: Point) -> str:
    """A point with the word that is nearest to it."""
    word = Affect(*(min(max(each, -1.0), 1.0) for each in point)).nearest_words(1)[0]
    return f"{html.escape(word)} <small>({_numbers(point)})</small>"


def _numbers(point: Sequence[float]) -> str:
    return ", ".join(f"{each:+.2f}" for each in point)


def _synthesiser(name: str, roll: Roll) -> str:
    """What the page plays by itself: notes alone."""
    if not roll.rows:
        return ""
    notes = json.dumps([each for row in roll.rows for each in row], separators=(",", ":"))
    return (
        f'<div class="player" data-seconds="{roll.seconds:.2f}" data-notes="{notes}">'
        f'<button type="button" aria-label="Play {quoted(name)}">▶</button>'
        f'<input type="range" min="0" max="{roll.seconds:.2f}" step="0.1" value="0" '
        f'aria-label="Place in {quoted(name)}">'
        '<small title="The page plays the notes by plain tones; the piece itself is MIDI.">preview</small></div>'
    )
