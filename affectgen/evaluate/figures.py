"""A table of measured figures: each with its bar, what real music shows, and whether the bar is met."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure. at_least, at_most: the bar, None where there is none; real: that of real clips, None if unknown;
    shuffled: the figure if the affects are exchanged among the requests, None where that says nothing; published: that
    of the system's authors, None where it is not known; baseline: that of a plain method on the same items.
    """

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    real: float | None = None
    note: str = ""
    shuffled: float | None = None
    published: float | None = None
    baseline: float | None = None

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
    """All figures of one checkpoint, with what was measured and how; training: what its config says of its making;
    heads: what the columns "baseline" and "real" are called, by field, where they hold something else."""

    title: str
    settings: dict[str, Any]
    figures: Sequence[Figure]
    training: dict[str, Any] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is not finite becomes None."""
        rows = [asdict(figure) | {"met": figure.met} for figure in self.figures]
        for row in rows:
            row |= {key: None for key, value in row.items() if isinstance(value, float) and not math.isfinite(value)}
        heads = {"heads": self.heads} if self.heads else {}
        return {"title": self.title, "settings": self.settings, "figures": rows, "training": self.training, **heads}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Report:
        """Read back what `to_json` gave. KeyError or TypeError where it is no report."""
        fields = [{name: value for name, value in row.items() if name != "met"} for row in values["figures"]]
        rows = [Figure(**row | {"value": math.nan if row["value"] is None else row["value"]}) for row in fields]
        return cls(values["title"], values["settings"], rows, values["training"], values.get("heads", {}))

    def _told(self, columns: dict[str, str]) -> dict[str, str]:
        """Those of some columns (head: field) for which any figure has a value."""
        return {
            head: name for head, name in columns.items()
            if any(getattr(figure, name) is not None for figure in self.figures)
        }  # fmt: skip

    @property
    def name(self) -> str:
        """What was measured, as the head of a column."""
        return str(self.settings.get("checkpoint", self.title))

    @property
    def label(self) -> str:
        """The same, told apart from a report of first tries, which nothing chose, and from ablations."""
        left_out = "first tries" if self.settings.get("tries") == 1 else self.settings.get("ablation")
        told = [left_out] if left_out else []
        return ", ".join([self.name, *told, *(["quick"] if self.settings.get("quick") else [])])

    def to_table(self, beside: Sequence[Report] = ()) -> str:
        """A Markdown table; the figures of other reports stand beside those of the same name. What no figure has gets
        no column."""
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        others = [other.label for other in beside]
        before = self._told({"affects shuffled": "shuffled"})
        names = {"baseline": "baseline", "real": "real music", "published": "published"} | self.heads
        after = self._told({head: name for name, head in names.items()})
        heads = ["figure", self.label, "bar", "met", *before, *others, *after]
        lines = [f"## {self.title}", "", settings, "", _row(heads), _row(["---"] * len(heads))]
        values = [{figure.name: figure.value for figure in other.figures} for other in beside]
        for figure in self.figures:
            met = {True: "yes", False: "no", None: ""}[figure.met]
            name = f"{figure.name} ({figure.note})" if figure.note else figure.name
            columns = [_cell(other.get(figure.name)) for other in values]
            first, last = ([_cell(getattr(figure, name)) for name in told.values()] for told in (before, after))
            cells = [name, _cell(figure.value), figure.bar, met, *first, *columns, *last]
            lines.append(_row(cells))
        return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def _cell(value: float | None) -> str:
    """A figure as the table shows it."""
    return "" if value is None else f"{value:.3f}"
