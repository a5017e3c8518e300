"""A point of the valence-arousal plane: what an emotion is to every part of the project."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from affectgen.affect.words import close_words, find_word, words
from affectgen.errors import AffectError

QUADRANT_STEP = 0.6  # a quadrant's name stands for (+-0.6, +-0.6): deep inside, short of the extremes
QUADRANTS = {"Q1": (1, 1), "Q2": (-1, 1), "Q3": (-1, -1), "Q4": (1, -1)}  # Russell (1980), as EMOPIA numbers them
HOW_TO_ASK = "Give a word (happy), a word with an intensity (happy:0.5), a quadrant (Q1 to Q4) or a point (0.7,-0.2)."


@dataclass(frozen=True)
class Affect:
    """Valence (unpleasant -1, pleasant 1) and arousal (calm -1, excited 1); (0, 0) is neutral.

    Both are finite and in [-1, 1]; anything else raises AffectError.
    """

    valence: float
    arousal: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "valence", _coordinate("valence", self.valence))
        object.__setattr__(self, "arousal", _coordinate("arousal", self.arousal))

    @classmethod
    def parse(cls, text: str) -> Affect:
        """Read a word, a quadrant or a point "v,a", each with an optional intensity ":0.5" that scales toward neutral.

        Raises AffectError, with the nearest spellings as the hint, for anything else.
        """
        place, mark, factor = text.strip().partition(":")
        base = cls._parse_place(place.strip(), text)
        return base.scaled(_intensity(factor, text)) if mark else base

    @classmethod
    def _parse_place(cls, place: str, text: str) -> Affect:
        if "," in place:
            return cls._parse_point(place, text)
        if place.upper() in QUADRANTS:
            valence, arousal = QUADRANTS[place.upper()]
            return cls(QUADRANT_STEP * valence, QUADRANT_STEP * arousal)
        word = find_word(place)
        if word is not None:
            return cls(word.valence, word.arousal)
        if any(sign in place for sign in ">~@"):
            raise AffectError(f"'{text}' is a path of emotions; one emotion was expected.", HOW_TO_ASK)
        alike = close_words(place)
        meant = f"Did you mean {' or '.join(alike)}? " if alike else ""
        raise AffectError(f"'{text}' names no emotion that affectgen knows.", meant + HOW_TO_ASK)

    @classmethod
    def _parse_point(cls, place: str, text: str) -> Affect:
        parts = place.split(",")
        try:
            valence, arousal = (float(part) for part in parts)
        except ValueError as error:
            raise AffectError(f"'{text}' is no point: two numbers and a comma were expected.", HOW_TO_ASK) from error
        return cls(valence, arousal)

    @classmethod
    def from_polar(cls, angle: float, intensity: float) -> Affect:
        """The point at `angle` degrees (0 pleasure, 90 arousal) and distance `intensity` (0 or more) from neutral.

        Where the circle leaves the square [-1, 1] x [-1, 1], the point is drawn in along its angle to the edge.
        """
        valence, arousal = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        reach = min(intensity, 1 / max(abs(valence), abs(arousal)))
        return cls(_inside(reach * valence), _inside(reach * arousal))

    @property
    def quadrant(self) -> str:
        """ "Q1" (pleasant, lively) counter-clockwise to "Q4" (pleasant, quiet); a zero counts as positive."""
        if self.valence >= 0:
            return "Q1" if self.arousal >= 0 else "Q4"
        return "Q2" if self.arousal >= 0 else "Q3"

    @property
    def angle(self) -> float:
        """Degrees in [0, 360): 0 pleasure, 90 arousal, 180 displeasure, 270 sleepiness; 0 for neutral."""
        degrees = math.degrees(math.atan2(self.arousal, self.valence)) % 360
        return degrees if degrees < 360 else 0.0  # -1e-20 % 360 rounds to 360

    @property
    def intensity(self) -> float:
        """Distance from neutral, 0 to sqrt(2)."""
        return math.hypot(self.valence, self.arousal)

    def distance(self, other: Affect) -> float:
        """Euclidean distance, 0 to 2 sqrt(2)."""
        return math.hypot(self.valence - other.valence, self.arousal - other.arousal)

    def scaled(self, factor: float) -> Affect:
        """Moved toward neutral: `factor` 1 leaves it, 0 gives neutral."""
        return Affect(self.valence * factor, self.arousal * factor)

    def toward(self, other: Affect, share: float) -> Affect:
        """The point `share` (0 to 1) of the straight way to `other`."""
        return Affect(
            _inside(self.valence + share * (other.valence - self.valence)),
            _inside(self.arousal + share * (other.arousal - self.arousal)),
        )

    def nearest_words(self, count: int = 3) -> tuple[str, ...]:
        """The `count` table words nearest to this point, nearest first."""
        ranked = sorted(words(), key=lambda word: self.distance(Affect(word.valence, word.arousal)))
        return tuple(word.name for word in ranked[:count])

    def to_json(self) -> dict[str, float]:
        """{"valence": v, "arousal": a}, as manifests keep it."""
        return {"valence": self.valence, "arousal": self.arousal}

    @classmethod
    def from_json(cls, data: object) -> Affect:
        """What `to_json` wrote. Raises AffectError for anything else."""
        if not isinstance(data, Mapping) or set(data) != {"valence", "arousal"}:
            raise AffectError(f"An emotion in JSON must hold valence and arousal, not {data!r}.", "Check the file.")
        return cls(data["valence"], data["arousal"])

    def __str__(self) -> str:
        """ "0.7,-0.2": what `parse` reads back as the same point."""
        return f"{self.valence!r},{self.arousal!r}"


def mean(points: list[Affect]) -> Affect:
    """The centre of one or more points, as for votes that tie."""
    if not points:
        raise ValueError("the mean of no points")
    return Affect(
        _inside(sum(point.valence for point in points) / len(points)),
        _inside(sum(point.arousal for point in points) / len(points)),
    )


def _inside(value: float) -> float:
    """Undo rounding beyond the edge."""
    return min(1.0, max(-1.0, value))


def _coordinate(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise AffectError(f"{name} must be a number from -1 to 1, not {value!r}.", HOW_TO_ASK) from error
    if not -1 <= number <= 1:  # false for nan too
        raise AffectError(f"{name} must be a number from -1 to 1, not {number}.", HOW_TO_ASK)
    return number + 0.0  # -0.0 becomes 0.0, so that equal points print alike


def _intensity(text: str, whole: str) -> float:
    try:
        factor = float(text)
    except ValueError as error:
        raise AffectError(f"'{text}' in '{whole}' is no intensity: a number was expected.", HOW_TO_ASK) from error
    if not 0 <= factor <= 1:
        raise AffectError(f"An intensity must be from 0 to 1, not {factor} as in '{whole}'.", HOW_TO_ASK)
    return factor
