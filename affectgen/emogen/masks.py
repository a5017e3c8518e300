"""Which attributes a training window is told: any subset, so that any subset can be asked for afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.emogen.vector import CORE_NAMES, FIRST_EMOGEN, NAMES


@dataclass(frozen=True)
class MaskRates:
    """How often a window is told nothing (for guidance), all, the core attributes only, or EmoGen's hundred only; the
    others keep each attribute with a probability that is drawn for the window."""

    nothing: float = 0.1
    everything: float = 0.15
    core: float = 0.25
    emogen: float = 0.1


def draw_mask(rates: MaskRates, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which attributes are told, [K]."""
    kinds = (rates.nothing, rates.everything, rates.core, rates.emogen)
    kind = int(np.searchsorted(np.cumsum(kinds), rng.random(), side="right"))
    is_core = np.arange(len(NAMES)) < FIRST_EMOGEN
    if kind == 0:
        return np.zeros(len(NAMES), dtype=bool)
    if kind == 1:
        return np.ones(len(NAMES), dtype=bool)
    if kind == 3:
        return ~is_core
    kept: NDArray[np.bool_] = rng.random(len(NAMES)) < rng.random()
    if kind == 2:  # mostly all of them, for that is what an emotion asks for
        return is_core & (kept | (rng.random() < 0.6))
    return kept


def draw_targets(
    parts: NDArray[np.float64], in_parts: bool, rates: MaskRates, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The attributes of a window's segments [S, K] with those that are not told as nan; one mask holds for all.

    Segments of a few bars are told core attributes only: many of the hundred count notes, or seconds, of a whole piece.
    """
    mask = draw_mask(rates, rng)
    if in_parts:
        mask = mask & (np.arange(len(NAMES)) < len(CORE_NAMES))
    return np.where(mask, parts, np.nan)
