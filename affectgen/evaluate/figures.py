"""A table of measured figures: each with its bar, what real music shows, and whether the bar is met."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure. at_least, at_most: the bar, None where there is none; real: that of real clips, None if unknown."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    real: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        if math.isnan(self.value):
            return False
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    @property
    def bar(self) -> str:
        """The bar in words."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:.3g} to {self.at_most:.3g}"
        if self.at_least is not None:
            return f">= {self.at_least:.3g}"
        return "" if self.at_most is None else f"<= {self.at_most:.3g}"


@dataclass(frozen=True)
class Report:
    """All figures of one checkpoint, with what was measured and how."""

    title: str
    settings: dict[str, Any]
    figures: Sequence[Figure]

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is not finite becomes None."""
        rows = [asdict(figure) | {"met": figure.met} for figure in self.figures]
        for row in rows:
            row |= {key: None for key, value in row.items() if isinstance(value, float) and not math.isfinite(value)}
        return {"title": self.title, "settings": self.settings, "figures": rows}

    def to_table(self) -> str:
        """A Markdown table."""
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        head = ["| figure | measured | bar | met | real music |", "|---|---|---|---|---|"]
        lines = [f"## {self.title}", "", settings, "", *head]
        for figure in self.figures:
            met = {True: "yes", False: "no", None: ""}[figure.met]
            real = "" if figure.real is None else f"{figure.real:.3f}"
            name = f"{figure.name} ({figure.note})" if figure.note else figure.name
            lines.append(f"| {name} | {figure.value:.3f} | {figure.bar} | {met} | {real} |")
        return "\n".join(lines) + "\n"
