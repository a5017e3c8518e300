"""The valence-arousal plane of a gallery: for every piece what was asked, what was measured, and the way between."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

SIZE, EDGE = 360, 18  # pixels
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
    if "keys" in told:
        return [(float(valence), float(arousal)) for _, valence, arousal in told["keys"]]
    valence, arousal = told.get("valence"), told.get("arousal")
    if isinstance(valence, int | float) and isinstance(arousal, int | float):
        return [(float(valence), float(arousal))]
    return []


def plane(cards: Sequence[Placed]) -> str:
    """The picture, as SVG; a group for each card that has a point."""
    middle = SIZE / 2
    lines = [
        f'<svg id="plane" viewBox="0 0 {SIZE} {SIZE}" role="group" aria-label="Valence and arousal">',
        f'<path class="grid" d="M{middle} {EDGE}V{SIZE - EDGE}M{EDGE} {middle}H{SIZE - EDGE}"/>',
        f'<circle class="grid" cx="{middle}" cy="{middle}" r="{middle - EDGE}"/>',
        f'<text x="{SIZE - EDGE}" y="{middle - 4}" text-anchor="end">valence</text>',
        f'<text x="{middle + 4}" y="{EDGE - 5}">arousal</text>',
    ]
    lines += [mark for number, card in enumerate(cards) if (mark := _mark(number, card))]
    return "\n".join([*lines, "</svg>"])


def _mark(number: int, card: Placed) -> str:
    """A card's marks: rings for what was asked, a dot for what was measured."""
    asked, measured = [_place(p) for p in points_of(card.asked)], [_place(p) for p in points_of(card.measured)][:1]
    if not asked and not measured:
        return ""
    way = " ".join(f"{x},{y}" for x, y in [*asked, *measured])
    rings = "".join(f'<circle class="ring" cx="{x}" cy="{y}" r="4"/>' for x, y in asked)
    dots = "".join(f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/>' for x, y in measured)
    return (f'<a href="#p{number}" data-card="p{number}"><title>{html.escape(card.name)}</title>'
            f'<polyline points="{way}"/>{rings}{dots}</a>')  # fmt: skip


def _place(point: Point) -> Point:
    """A point of the plane in pixels."""
    half = SIZE / 2 - EDGE
    return round(SIZE / 2 + point[0] * half, 1), round(SIZE / 2 - point[1] * half, 1)
