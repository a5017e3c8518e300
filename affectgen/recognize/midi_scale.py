"""From what the two experts say of pieces to points, quadrants and intervals on one scale, weighed by the gate.

The labelled expert's reading becomes an intensity, its rank among labelled clips (intensity.py). The rated expert's is
stretched until unheard pieces spread as much as their ratings do, on the scale of labels.py. Each has its intervals.
All of this is taken from opinions on pieces that the experts had not heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import labels
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.interval import Intervals
from affectgen.recognize.midi_labelled import SIDES, points_of
from affectgen.recognize.reading import QUADRANTS

Floats = NDArray[np.float64]
LOGISTIC = 1.7  # a logistic curve of this slope is close to the normal distribution


@dataclass(frozen=True)
class Opinions:
    """Of N pieces. quadrants: the labelled expert's probabilities, [N, 4]; ratings: the rated expert's, [N, 2];
    rated: the gate's probability that a piece is of the rated kind, [N].
    """

    quadrants: Floats
    ratings: Floats
    rated: Floats

    def pick(self, chosen: NDArray[np.bool_]) -> Opinions:
        """The pieces where `chosen` [N] is true."""
        return Opinions(self.quadrants[chosen], self.ratings[chosen], self.rated[chosen])


@dataclass(frozen=True)
class Heard:
    """points: valence and arousal, [N, 2]; quadrants: probabilities, [N, 4]; low, high: ends of the 80 % intervals,
    [N, 2].
    """

    points: Floats
    quadrants: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Scale:
    """intensity: of the labelled expert's readings; stretch: float64 [2], of the rated expert's ratings; spread:
    float64 [2], the root mean square error of the rated expert's points; labelled, rated: intervals around the points
    of the experts.
    """

    intensity: Intensity
    stretch: Floats
    spread: Floats
    labelled: Intervals
    rated: Intervals

    def __call__(self, opinions: Opinions) -> Heard:
        """The gate's mean of the two experts."""
        share = opinions.rated[:, None]
        first, second = self.intensity(points_of(opinions.quadrants)), _stretched(opinions.ratings, self.stretch)
        high = 0.5 + 0.5 * np.tanh(LOGISTIC / 2 * second / self.spread)  # [N, 2], probabilities
        sides = np.where(SIDES[None] == 1, high[:, None], 1 - high[:, None])  # [N, 4, 2]
        quadrants = (1 - share) * opinions.quadrants + share * sides.prod(axis=2)
        points = (1 - share) * first + share * second
        half = (1 - share) * self.labelled.halves(first) + share * self.rated.halves(second)
        return Heard(points, quadrants, np.clip(points - half, -1.0, 1.0), np.clip(points + half, -1.0, 1.0))

    @classmethod
    def fit(cls, opinions: Opinions, quadrant: NDArray[np.int64], wanted: Floats) -> Scale:
        """From opinions on unheard pieces. quadrant: [N], 0-3, or -1 for a rated piece; wanted: points [N, 2].

        ValueError where one kind has fewer than 20 pieces, or a side of an axis has no clip that is read rightly.
        """
        labelled, rated = quadrant >= 0, quadrant < 0
        readings = points_of(opinions.quadrants[labelled])
        intensity = Intensity.of(readings, 2 * SIDES[quadrant[labelled]] - 1)
        ratings = opinions.ratings[rated]
        stretch = np.sqrt((wanted[rated] ** 2).mean(axis=0) / (ratings**2).mean(axis=0))
        points = _stretched(ratings, stretch)
        spread = np.sqrt(((points - wanted[rated]) ** 2).mean(axis=0))
        inner = Intervals.fit(intensity(readings), wanted[labelled])
        return cls(intensity, stretch, spread, inner, Intervals.fit(points, wanted[rated]))

    def to_json(self) -> dict[str, Any]:
        """Plain values for a checkpoint's config; `of_json` is the way back."""
        return {
            "intensity": self.intensity.knots.tolist(),
            "stretch": self.stretch.tolist(),
            "spread": self.spread.tolist(),
            "intervals": {"labelled": self.labelled.half.tolist(), "rated": self.rated.half.tolist()},
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Scale:
        """The scale that a config holds. KeyError where a part is missing."""
        halves = stored["intervals"]
        return cls(
            Intensity(np.array(stored["intensity"], dtype=np.float64)),
            np.array(stored["stretch"], dtype=np.float64),
            np.array(stored["spread"], dtype=np.float64),
            Intervals(np.array(halves["labelled"], dtype=np.float64)),
            Intervals(np.array(halves["rated"], dtype=np.float64)),
        )


def label_points(quadrant: NDArray[np.int64], rating: Floats) -> Floats:
    """The labels as points [N, 2]: quadrants (0-3, [N]) at their names' places; where there is none, -1, the rater
    means [N, 2], stretched to the same scale.
    """
    corners = np.array([[point.valence, point.arousal] for point in map(labels.quadrant, QUADRANTS)])
    rated = [labels.rater_mean_stretched(*row) for row in rating.tolist()]
    means = np.array([[point.valence, point.arousal] for point in rated]).reshape(-1, 2)
    return np.where(quadrant[:, None] >= 0, corners[quadrant], means)


def _stretched(ratings: Floats, stretch: Floats) -> Floats:
    return np.clip(ratings * stretch, -1.0, 1.0)
