"""How far a piece is heard from what was asked of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect, AffectPath

Floats = NDArray[np.float64]


def miss(asked: Affect | AffectPath | None, point: Floats, path: Floats | None) -> float:
    """How far a piece is heard from what was asked, on the plane; 0 if nothing was.

    point: valence and arousal of the whole [2]; path: those of its windows [W, 2], by which a path is measured.
    """
    if asked is None:
        return 0.0
    if isinstance(asked, AffectPath) and path is not None:
        wanted = np.array([[p.valence, p.arousal] for p in asked.sample(len(path))])
        return float(np.sqrt(((path - wanted) ** 2).sum(1)).mean())
    aim = asked.at_fraction(0.5) if isinstance(asked, AffectPath) else asked
    return float(np.hypot(point[0] - aim.valence, point[1] - aim.arousal))
