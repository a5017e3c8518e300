"""An emotion that moves: keyframes in seconds, or in fractions of a length yet to be chosen, and what lies between."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Literal, cast

from affectgen.affect import dynamics
from affectgen.affect.space import Affect
from affectgen.errors import AffectError

Unit = Literal["fraction", "seconds"]
Interpolation = Literal["linear", "smooth"]
SEPARATORS: dict[str, Interpolation] = {">": "linear", "~": "smooth"}
HOW_TO_PATH = (
    "Give emotions with > between them (sad>calm>happy), each with its second (sad@0>calm@60>happy@120) or its share "
    "of the length (sad@0%>calm@30%>happy@100%); ~ in place of > rounds the corners."
)


@dataclass(frozen=True)
class Keyframe:
    """The emotion at a time: seconds, or a fraction of the length, as the path's unit says."""

    time: float
    affect: Affect


@dataclass(frozen=True)
class AffectPath:
    """Keyframes in rising time, held before the first and after the last.

    unit "fraction": times in [0, 1], of a length given later; "seconds": times of 0 or more. interpolation "linear",
    or "smooth" (each part starts and ends at rest). Raises AffectError if the times do not rise or leave their range.
    """

    keys: tuple[Keyframe, ...]
    unit: Unit = "fraction"
    interpolation: Interpolation = "linear"

    def __post_init__(self) -> None:
        if not self.keys:
            raise AffectError("A path must have at least one emotion; it has none.", HOW_TO_PATH)
        if self.unit not in ("fraction", "seconds") or self.interpolation not in SEPARATORS.values():
            raise AffectError(f"A path has no unit {self.unit!r} or interpolation {self.interpolation!r}.", HOW_TO_PATH)
        times = [key.time for key in self.keys]
        latest = 1.0 if self.unit == "fraction" else math.inf
        for time in times:
            if not (math.isfinite(time) and 0 <= time <= latest):
                limit = "from 0 to 100 %" if self.unit == "fraction" else "0 s or more"
                raise AffectError(f"A time in a path must be {limit}, not {_clock(time, self.unit)}.", HOW_TO_PATH)
        for before, after in itertools.pairwise(times):
            if after <= before:
                shown = f"{_clock(after, self.unit)} follows {_clock(before, self.unit)}"
                raise AffectError(f"The times of a path must rise; {shown}.", HOW_TO_PATH)

    @classmethod
    def of(cls, points: Sequence[Affect], interpolation: Interpolation = "linear") -> AffectPath:
        """Points at equal distances over the whole length; one point stays throughout."""
        last = max(len(points) - 1, 1)
        return cls(tuple(Keyframe(i / last, point) for i, point in enumerate(points)), "fraction", interpolation)

    @classmethod
    def parse(cls, text: str) -> AffectPath:
        """Read "sad>calm>happy" (equal parts), "sad@0>happy@90" (seconds) or "sad@0%>happy@80%" (fractions).

        Each emotion may be whatever `Affect.parse` reads. With ~ in place of > the path is smooth. Raises AffectError.
        """
        if ">" in text and "~" in text:
            raise AffectError(f"'{text}' mixes > and ~; one of them was expected throughout.", HOW_TO_PATH)
        separator = "~" if "~" in text else ">"
        parts = [part.strip() for part in text.split(separator)]
        if not all(parts):
            raise AffectError(f"'{text}' has a place without an emotion.", HOW_TO_PATH)
        points = [Affect.parse(part.partition("@")[0]) for part in parts]
        clocks = [part.partition("@")[2].strip() for part in parts if "@" in part]
        if not clocks:
            return cls.of(points, SEPARATORS[separator])
        shares = [clock.endswith("%") for clock in clocks]
        if len(clocks) != len(parts) or len(set(shares)) > 1:
            raise AffectError(f"'{text}' must give every emotion a time, all in seconds or all in %.", HOW_TO_PATH)
        times = [_read_time(clock, text) for clock in clocks]
        unit: Unit = "fraction" if shares[0] else "seconds"
        keys = tuple(Keyframe(time, point) for time, point in zip(times, points, strict=True))
        return cls(keys, unit, SEPARATORS[separator])

    @property
    def duration(self) -> float:
        """The length in its own unit: 1 for fractions, the last keyframe's time for seconds."""
        return 1.0 if self.unit == "fraction" else self.keys[-1].time

    def at(self, time: float) -> Affect:
        """The emotion at `time`, in the path's own unit; the ends hold beyond the ends."""
        after = bisect_right([key.time for key in self.keys], time)
        if after == 0:
            return self.keys[0].affect
        if after == len(self.keys):
            return self.keys[-1].affect
        left, right = self.keys[after - 1], self.keys[after]
        share = (time - left.time) / (right.time - left.time)
        if self.interpolation == "smooth":
            share = share * share * (3 - 2 * share)
        return left.affect.toward(right.affect, share)

    def at_fraction(self, share: float) -> Affect:
        """The emotion at `share` (0 to 1) of the duration."""
        return self.at(share * self.duration)

    def sample(self, count: int, seconds: float | None = None) -> tuple[Affect, ...]:
        """The emotions at the centres of `count` equal parts (bars, clips) of the duration.

        seconds: the length of the piece, where a path in seconds shall be read by the clock; a path in fractions
        always spans the piece.
        """
        if count < 1:
            raise ValueError(f"a path is sampled at 1 place or more, not {count}")
        length = self.duration if seconds is None or self.unit == "fraction" else seconds
        return tuple(self.at((i + 0.5) / count * length) for i in range(count))

    def scaled(self, seconds: float) -> AffectPath:
        """The same path in seconds, stretched or squeezed to last `seconds` (above 0)."""
        if not (math.isfinite(seconds) and seconds > 0):
            raise AffectError(f"The length of a path must be above 0 s, not {seconds}.", "Give it in seconds.")
        if self.duration == 0:  # one keyframe at 0 s
            return replace(self, unit="seconds", keys=(*self.keys, Keyframe(seconds, self.keys[0].affect)))
        keys = [Keyframe(key.time / self.duration * seconds, key.affect) for key in self.keys]
        if keys[-1].time < seconds:
            keys.append(Keyframe(seconds, keys[-1].affect))
        return replace(self, unit="seconds", keys=tuple(keys))

    def with_inertia(
        self, time_constant: float, order: int = 1, damping: float = 1.0, count: int = 64
    ) -> AffectPath:  # fmt: skip
        """What a state with inertia makes of this path: `count` straight parts over the same duration.

        time_constant: in the path's unit, above 0. order 1: exponential smoothing; 2: momentum (`damping` as in
        `dynamics.second_order`). The state lags, so it nears the last emotion only as far as the path dwells on it.
        """
        if order not in (1, 2):
            raise AffectError(f"The order of a path's dynamics must be 1 or 2, not {order}.", "1 smooths, 2 swings.")
        if not (math.isfinite(time_constant) and time_constant > 0 and 0 < damping <= 1 and count >= 1):
            shown = f"time constant {time_constant}, damping {damping}, count {count}"
            raise AffectError(f"A path's inertia cannot have {shown}.", "Both must be above 0, damping at most 1.")
        if self.duration == 0:
            return self
        step = self.duration / count
        asked = [self.at(i * step) for i in range(count + 1)]
        if order == 1:
            followed = dynamics.first_order(asked, step, time_constant)
        else:
            followed = dynamics.second_order(asked, step, time_constant, damping)
        keys = tuple(Keyframe(i / count * self.duration, point) for i, point in enumerate(followed))
        return AffectPath(keys, self.unit)

    def to_json(self) -> dict[str, object]:
        """{"unit", "interpolation", "keys": [[time, valence, arousal], ...]}, as manifests keep it."""
        keys = [[key.time, key.affect.valence, key.affect.arousal] for key in self.keys]
        return {"unit": self.unit, "interpolation": self.interpolation, "keys": keys}

    @classmethod
    def from_json(cls, data: object) -> AffectPath:
        """What `to_json` wrote. Raises AffectError for anything else."""
        if not isinstance(data, Mapping) or set(data) != {"unit", "interpolation", "keys"}:
            raise AffectError(f"A path in JSON holds unit, interpolation and keys, not {data!r}.", "Check the file.")
        try:
            keys = tuple(Keyframe(float(time), Affect(valence, arousal)) for time, valence, arousal in data["keys"])
        except (TypeError, ValueError) as error:
            hint = "Each must be [time, valence, arousal]."
            raise AffectError(f"{data['keys']!r} are no keyframes.", hint) from error
        return cls(keys, cast(Unit, data["unit"]), cast(Interpolation, data["interpolation"]))

    def __str__(self) -> str:
        """What `parse` reads back as the same path."""
        separator = next(mark for mark, meaning in SEPARATORS.items() if meaning == self.interpolation)
        points = [key.affect for key in self.keys]
        if len(points) > 1 and self == AffectPath.of(points, self.interpolation):
            return separator.join(str(point) for point in points)
        return separator.join(f"{key.affect}@{_exact(key.time, self.unit)}" for key in self.keys)


def parse_affect(text: str) -> Affect | AffectPath:
    """Read what `--affect` takes: a path if it holds >, ~ or @, else a point. Raises AffectError."""
    return AffectPath.parse(text) if any(sign in text for sign in ">~@") else Affect.parse(text)


def read_json(data: object) -> Affect | AffectPath:
    """The point or path that a manifest's JSON holds. Raises AffectError for anything else."""
    return AffectPath.from_json(data) if isinstance(data, Mapping) and "keys" in data else Affect.from_json(data)


def _read_time(clock: str, text: str) -> float:
    """Seconds, or a fraction where a percent sign stands."""
    try:
        # Decimal, since not every float is a float divided by 100
        return float(Decimal(clock[:-1].strip()).scaleb(-2)) if clock.endswith("%") else float(clock.removesuffix("s"))
    except (ValueError, InvalidOperation) as error:
        raise AffectError(f"'{clock}' in '{text}' is no time.", HOW_TO_PATH) from error


def _exact(time: float, unit: Unit) -> str:
    """The time as `_read_time` reads it back, to the last bit."""
    return repr(time) if unit == "seconds" else f"{Decimal(repr(time)).scaleb(2).normalize():f}%"


def _clock(time: float, unit: Unit) -> str:
    return f"{time:g} s" if unit == "seconds" else f"{100 * time:g} %"
