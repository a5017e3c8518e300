"""Emotional prosody by rules, for comparison and where no index is at hand: what MARY's synthesiser does.

Schroeder's `emotion-to-mary.xsl` (DFKI; after Schroeder, "Expressive speech synthesis: past, present, and possible
futures", 2009): percentages that are linear in arousal, valence and power, each -100 to 100.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.speech.converting.prosody import NAMES, PLACES
from affectgen.speech.target import Target

Floats = NDArray[np.float64]

# Dominance of the labels (Russell & Mehrabian 1977), for what the rules call power.
POWER = {
    "anger": 0.25, "boredom": -0.33, "disgust": 0.11, "fear": -0.43, "happiness": 0.35, "neutral": 0.0,
    "sadness": -0.33,
}  # fmt: skip
RANGE = 4.0  # semitones: what the rules take for a neutral range


def shift_by_rules(target: Target, own: Floats) -> Floats:
    """The shift [P] of a voice with the prosody `own` [P]; the rules know nothing of the spectrum."""
    arousal, valence = 100 * target.affect.arousal, 100 * target.affect.valence
    power = 100 * POWER[target.label] if target.label is not None else 0.0
    pitch = 0.3 * arousal + 0.1 * valence - 0.1 * power  # %
    moves = {
        "pitch": 12 * float(np.log2(1 + pitch / 100)),
        "spread": own[PLACES["spread"]] * (0.04 * arousal / RANGE),
        "rate": own[PLACES["rate"]] * (0.5 * arousal + 0.2 * valence) / 100,
        "pauses": own[PLACES["pauses"]] * -0.2 * arousal / 100,
    }
    shift = np.zeros(len(NAMES))
    for name, value in moves.items():
        shift[PLACES[name]] = value
    return shift
