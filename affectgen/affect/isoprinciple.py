"""The iso principle: begin where the listener is, then lead in small steps to where the listener wants to be.

Altshuler (1948) gave music therapy the principle; here it is a plan of equal stages in the plane.
"""

from __future__ import annotations

import itertools
import math
from typing import Literal

from affectgen.affect.path import AffectPath, Keyframe
from affectgen.affect.space import Affect
from affectgen.errors import AffectError

Route = Literal["plane", "circle"]
MOST_STEPS = 1000
NEAR_NEUTRAL = 0.05  # a point this close to the centre has no meaningful angle
ROUNDING = 1e-9


def iso(
    start: Affect, goal: Affect, steps: int = 12, dwell: float = 0.25, bound: float | None = 0.35,
    route: Route = "plane", match: float = 0.1,
) -> AffectPath:  # fmt: skip
    """Plan a path in fractions of `steps` equal stages (clips, bars): match the start, move, dwell at the goal.

    dwell: share of the length at its end that is the goal. match: share at its beginning that is the start.
    bound: longest step between neighbouring stages (and so at most that far between any two moments a stage apart);
    None for none. route: "plane" goes straight; "circle" turns the shorter way around neutral, so that a lively
    emotion becomes another one without passing through none. `path.sample(steps)` gives the stages themselves.
    Raises AffectError if the steps do not suffice, and says how many would.
    """
    _check(steps, dwell, match, bound, route)
    moves = _moves(steps, dwell, match)
    if moves < 1 or not _short_enough(start, goal, moves, bound, route):
        raise _too_few(start, goal, steps, dwell, bound, route, match)
    first = _stages(match, steps) - 1  # the last stage that is the start
    keys = [Keyframe(0.0, start)]
    for move in range(moves + 1):
        keys.append(Keyframe((first + move + 0.5) / steps, _along(start, goal, move / moves, route)))
    return AffectPath((*keys, Keyframe(1.0, goal)))


def _stages(share: float, steps: int) -> int:
    """Stages that must rest so that the path, bent at the centres of stages, rests for `share` of its length."""
    return max(1, math.ceil(share * steps + 0.5 - ROUNDING))


def _moves(steps: int, dwell: float, match: float) -> int:
    """Moves from the last matching stage to the first dwelling one."""
    return steps - _stages(dwell, steps) - _stages(match, steps) + 1


def _along(start: Affect, goal: Affect, share: float, route: Route) -> Affect:
    """The point at `share` of the way."""
    if share in (0, 1):
        return goal if share else start  # exactly, not but for rounding
    if route == "plane" or min(start.intensity, goal.intensity) < NEAR_NEUTRAL:
        return start.toward(goal, share)
    turn = (goal.angle - start.angle + 180) % 360 - 180  # the shorter way, -180 to 180 degrees
    intensity = start.intensity + share * (goal.intensity - start.intensity)
    return Affect.from_polar(start.angle + share * turn, intensity)


def _short_enough(start: Affect, goal: Affect, moves: int, bound: float | None, route: Route) -> bool:
    """Whether no move is longer than the bound."""
    if bound is None:
        return True
    points = [_along(start, goal, move / moves, route) for move in range(moves + 1)]
    return all(a.distance(b) <= bound + ROUNDING for a, b in itertools.pairwise(points))


def _check(steps: int, dwell: float, match: float, bound: float | None, route: Route) -> None:
    if not 2 <= steps <= MOST_STEPS:
        raise AffectError(f"An iso path must have 2 to {MOST_STEPS} steps, not {steps}.", "Choose more or fewer steps.")
    if not (0 <= dwell < 1 and 0 <= match < 1 and dwell + match < 1):
        raise AffectError(
            f"Dwell and match must be shares from 0 to below 1 and leave time to move, not {dwell} and {match}.",
            "Lower one of them.",
        )
    if bound is not None and not 0 < bound < math.inf:
        raise AffectError(f"The longest step of an iso path must be above 0, not {bound}.", "0.35 is the default.")
    if route not in ("plane", "circle"):
        raise AffectError(f"An iso path has no route {route!r}.", "Choose plane or circle.")


def _too_few(
    start: Affect, goal: Affect, steps: int, dwell: float, bound: float | None, route: Route, match: float
) -> AffectError:
    """The error that names the fewest steps that would do."""
    for enough in range(steps + 1, MOST_STEPS + 1):
        moves = _moves(enough, dwell, match)
        if moves >= 1 and _short_enough(start, goal, moves, bound, route):
            hint = f"Take at least {enough} steps, a longer bound, or a shorter dwell."
            break
    else:
        hint = "Take a longer bound or a shorter dwell."
    limit = "" if bound is None else f" in moves of at most {bound:g}"
    return AffectError(f"{steps} steps do not lead from {start} to {goal}{limit}, dwelling for {dwell:.0%}.", hint)
