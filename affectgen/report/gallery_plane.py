"""The valence-arousal plane of a gallery: for every piece what was asked, what was measured, and the way between."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeGuard

SIZE, EDGE = 360, 18  # pixels
MANY = 80  # more pieces than that have smaller marks
Point = tuple[float, float]


class Placed(Protocol):
    """What the plane needs of a card."""

    @property
    def name(self) -> str: ...
    @property
    def asked(self) -> Any: ...
    @property
    def measured(self) -> Mapping[str, Any] | None: ...


def points_of(told: Any) -> list[Point]:
    """The points of an affect or a path as manifests hold them; none where there is none."""
    if not isinstance(told, Mapping):
        return []
    pairs = [key[1:] for key in told["keys"]] if "keys" in told else [(told.get("valence"), told.get("arousal"))]
    return [(float(valence), float(arousal)) for valence, arousal in pairs if _number(valence) and _number(arousal)]


def readings(measured: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a piece was measured to be: as its maker told, and by the judge, which had no say in choosing it."""
    told = {} if measured is None else measured
    judge = told.get("judge")
    return told, judge if isinstance(judge, Mapping) else {}


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def plane(cards: Sequence[Placed]) -> str:
    """The picture, as SVG; a group for each card that has a point."""
    middle = SIZE / 2
    marks = [mark for number, card in enumerate(cards) if (mark := _mark(number, card))]
    lines = [
        f'<svg id="plane" class="{"many" if len(marks) > MANY else "few"}" viewBox="0 0 {SIZE} {SIZE}" '
        'role="group" tabindex="0" '
        'aria-label="Valence and arousal; arrow keys go from piece to piece, Enter to its card">',
        f'<path class="grid" d="M{middle} {EDGE}V{SIZE - EDGE}M{EDGE} {middle}H{SIZE - EDGE}"/>',
        f'<circle class="grid" cx="{middle}" cy="{middle}" r="{middle - EDGE}"/>',
        f'<text x="{SIZE - EDGE}" y="{middle - 4}" text-anchor="end">valence</text>',
        f'<text x="{middle + 4}" y="{EDGE - 5}">arousal</text>',
    ]
    return "\n".join([*lines, *marks, "</svg>"])


def _mark(number: int, card: Placed) -> str:
    """A card's marks: rings for what was asked, dots for what was measured, a line between."""
    asked = [_place(point) for point in points_of(card.asked)]
    parts = []
    for reader, reading in enumerate(readings(card.measured)):
        for x, y in [_place(point) for point in points_of(reading)][:1]:
            way = " ".join(f"{x},{y}" for x, y in [*asked[-1:], (x, y)])
            parts.append(f'<polyline class="by{reader}" points="{way}"/>'
                         f'<circle class="dot by{reader}" cx="{x}" cy="{y}" r="3.5"/>')  # fmt: skip
    if len(asked) > 1:
        parts.append(f'<polyline class="path" points="{" ".join(f"{x},{y}" for x, y in asked)}"/>')
    parts += [f'<circle class="ring" cx="{x}" cy="{y}" r="4"/>' for x, y in asked]
    if not parts:
        return ""
    return (f'<a href="#p{number}" tabindex="-1" data-card="p{number}"><title>{html.escape(card.name)}</title>'
            f'{"".join(parts)}</a>')  # fmt: skip


def _place(point: Point) -> Point:
    """A point of the plane in pixels."""
    half = SIZE / 2 - EDGE
    return round(SIZE / 2 + point[0] * half, 1), round(SIZE / 2 - point[1] * half, 1)
