"""Inertia: how a state follows an emotion that is asked for, so that a path has no jumps and no corners.

Both filters see what is asked as a staircase of points a fixed time apart, rest on the first point before they start,
and are solved exactly between the stairs, so the result does not depend on how fine an integrator was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from affectgen.affect.space import Affect


def first_order(asked: Sequence[Affect], step: float, time_constant: float) -> tuple[Affect, ...]:
    """Exponential smoothing: after each `time_constant` 63 % of what is left of the way is done.

    asked: one point a `step` (same unit as `time_constant`, both above 0). Returns as many points; the first is the
    first asked. Every result lies between the points asked so far, so it never leaves the plane.
    """
    _check(step, time_constant)
    share = -math.expm1(-step / time_constant)
    state, followed = asked[0], [asked[0]]
    for target in asked[1:]:
        state = state.toward(target, share)
        followed.append(state)
    return tuple(followed)


def second_order(
    asked: Sequence[Affect], step: float, time_constant: float, damping: float = 1.0
) -> tuple[Affect, ...]:
    """A mass on a spring: starts slowly, keeps its momentum through a turn.

    asked, step, time_constant: as `first_order`; the spring's own frequency is 1 / `time_constant` radians.
    damping: above 0, up to 1. At 1 (critical) it never swings past what was asked; below, it does, and stops dead where
    it would leave the plane.
    """
    _check(step, time_constant)
    if not 0 < damping <= 1:
        raise ValueError(f"damping must be above 0 and at most 1, not {damping}")
    valences = _spring([point.valence for point in asked], step, 1 / time_constant, damping)
    arousals = _spring([point.arousal for point in asked], step, 1 / time_constant, damping)
    return tuple(Affect(valence, arousal) for valence, arousal in zip(valences, arousals, strict=True))


def _spring(targets: list[float], step: float, frequency: float, damping: float) -> list[float]:
    """One axis: positions [n] for targets [n], from rest on the first."""
    position, speed, followed = targets[0], 0.0, [targets[0]]
    for target in targets[1:]:
        away, speed = _swing(position - target, speed, step, frequency, damping)
        position = target + away
        if abs(position) > 1:
            position, speed = math.copysign(1.0, position), 0.0
        followed.append(position)
    return followed


def _swing(away: float, speed: float, step: float, frequency: float, damping: float) -> tuple[float, float]:
    """Exact distance from the target and speed after `step`, of x'' + 2 d w x' + w^2 x = 0."""
    decay = math.exp(-damping * frequency * step)
    push = speed + damping * frequency * away
    if damping == 1:
        return (away + push * step) * decay, (speed - frequency * push * step) * decay
    turn = frequency * math.sqrt(1 - damping * damping)
    cosine, sine = math.cos(turn * step), math.sin(turn * step) / turn
    pull = frequency * frequency * away + damping * frequency * speed
    return (away * cosine + push * sine) * decay, (speed * cosine - pull * sine) * decay


def _check(step: float, time_constant: float) -> None:
    if not (0 < step < math.inf and 0 < time_constant < math.inf):
        raise ValueError(f"step and time constant must be positive, not {step} and {time_constant}")
