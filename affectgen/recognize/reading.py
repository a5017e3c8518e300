"""What a recogniser says of one item, the same for MIDI, music, speech and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from affectgen.affect.space import Affect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = Sequence[Sequence[float]] | NDArray[np.float64]

QUADRANTS = ("Q1", "Q2", "Q3", "Q4")
WORDS = 3  # nearest words that are named
LEVEL = 0.8  # share of unseen items whose label lies inside the stated interval
DIGITS = 4


@dataclass(frozen=True)
class Reading:
    """The emotion of one item.

    affect: the most sensible single point; quadrants: probabilities of Q1-Q4, summing to 1; low, high: (valence,
    arousal), ends of the 80 % intervals, in [-1, 1]; labels: how raters would divide over the labels of the corpus that
    the recogniser learnt from, summing to 1, empty where it has none; dominance: in [-1, 1], None where it is not read.
    """

    affect: Affect
    quadrants: tuple[float, float, float, float]
    low: tuple[float, float]
    high: tuple[float, float]
    labels: Mapping[str, float] = field(default_factory=dict)
    dominance: float | None = None

    @property
    def quadrant(self) -> str:
        """The likeliest quadrant, "Q1" to "Q4"."""
        return QUADRANTS[max(range(4), key=self.quadrants.__getitem__)]

    @property
    def uncertainty(self) -> float:
        """Half the width of the 80 % intervals, mean of valence and arousal: 0 (certain) to 1 (says nothing)."""
        return sum(high - low for low, high in zip(self.low, self.high, strict=True)) / 4

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `affectgen rate --json` and manifests hold them."""
        found: dict[str, Any] = {
            "valence": _short(self.affect.valence),
            "arousal": _short(self.affect.arousal),
            "quadrant": self.quadrant,
            "words": list(self.affect.nearest_words(WORDS)),
            "uncertainty": _short(self.uncertainty),
            "interval": {
                axis: [_short(low), _short(high)]
                for axis, low, high in zip(("valence", "arousal"), self.low, self.high, strict=True)
            },
            "quadrants": {name: _short(share) for name, share in zip(QUADRANTS, self.quadrants, strict=True)},
        }
        if self.labels:
            found["labels"] = {name: _short(share) for name, share in self.labels.items()}
        if self.dominance is not None:
            found["dominance"] = _short(self.dominance)
        return found

    def measured(self) -> dict[str, Any]:
        """Plain values, as manifests hold the emotion of what was made: the point, its quadrant and, where the
        recogniser has them, the shares of labels."""
        point = {"valence": _short(self.affect.valence), "arousal": _short(self.affect.arousal)}
        labels = {name: _short(share) for name, share in self.labels.items()}
        return {"recogniser": "recogniser", **point, "quadrant": self.quadrant} | ({"labels": labels} if labels else {})


def readings(points: Rows, quadrants: Rows, low: Rows, high: Rows) -> list[Reading]:
    """Rows [N, 2], [N, 4], [N, 2], [N, 2] as readings; points are kept inside the plane."""
    rows = zip(points, quadrants, low, high, strict=True)
    return [
        Reading(
            Affect(*(min(1.0, max(-1.0, float(value))) for value in point)),
            tuple(float(share) for share in shares),  # type: ignore[arg-type]
            (float(start[0]), float(start[1])),
            (float(end[0]), float(end[1])),
        )
        for point, shares, start, end in rows
    ]


def mean_reading(parts: Sequence[Reading], weights: Sequence[float] | None = None) -> Reading:
    """The weighted mean of one or more readings of parts of an item, with their mean interval: errors of parts of one
    recording go together, so that more parts do not make it narrower. ValueError for no parts.
    """
    if not parts:
        raise ValueError("the mean of no readings")
    given = [1.0] * len(parts) if weights is None else [float(weight) for weight in weights]
    total = sum(given)
    shares = [weight / total for weight in given] if total > 0 else [1.0 / len(parts)] * len(parts)

    def over(values: Sequence[float]) -> float:
        return sum(share * value for share, value in zip(shares, values, strict=True))

    columns = [over([part.quadrants[place] for part in parts]) for place in range(4)]
    names = list(dict.fromkeys(name for part in parts for name in part.labels))
    dominance = [part.dominance for part in parts if part.dominance is not None]
    return Reading(
        Affect(over([part.affect.valence for part in parts]), over([part.affect.arousal for part in parts])),
        (columns[0], columns[1], columns[2], columns[3]),
        (over([part.low[0] for part in parts]), over([part.low[1] for part in parts])),
        (over([part.high[0] for part in parts]), over([part.high[1] for part in parts])),
        {name: over([part.labels.get(name, 0.0) for part in parts]) for name in names},
        over(dominance) if len(dominance) == len(parts) else None,
    )


def _short(value: float) -> float:
    return round(float(value), DIGITS)
