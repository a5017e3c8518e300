"""EmoGen's hundred attributes of a piece, computed from its notes.

The attributes are a selection of jSymbolic 2.2's features, written here from their musical definitions
(McKay et al., ISMIR 2018). `python -m affectgen.score.attributes.check` compares their medians over EMOPIA with the
thresholds that EmoGen published.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.score.attributes.catalogue import ATTRIBUTES, VALENCE_ONLY, Attribute
from affectgen.score.attributes.melody import melody_attributes
from affectgen.score.attributes.pitch import pitch_attributes
from affectgen.score.attributes.pulse import pulse_attributes
from affectgen.score.attributes.rhythm import rhythm_attributes
from affectgen.score.attributes.texture import texture_attributes
from affectgen.score.attributes.ticks import to_ticks
from affectgen.score.attributes.vertical import vertical_attributes
from affectgen.score.notes import NoteArray

__all__ = ["ATTRIBUTES", "VALENCE_ONLY", "Attribute", "emogen_attributes", "emogen_bits"]

_GROUPS = (
    pitch_attributes,
    melody_attributes,
    vertical_attributes,
    rhythm_attributes,
    pulse_attributes,
    texture_attributes,
)
_NAMES = tuple(one.name for one in ATTRIBUTES)


def emogen_attributes(notes: NoteArray) -> NDArray[np.float64]:
    """The attributes of one piece, float64 [100], in the order of ATTRIBUTES.

    Finite for any piece down to an empty one, 0 where a piece leaves an attribute undefined. Quarter notes are half
    seconds (`ticks`).
    """
    ticks = to_ticks(notes)
    values: dict[str, float] = {}
    for group in _GROUPS:
        values |= group(ticks)
    return np.array([values[name] for name in _NAMES])


def emogen_bits(values: NDArray[np.float64]) -> NDArray[np.int8]:
    """EmoGen's bits of attributes [..., 100]: 1 strictly above the published threshold, else 0; -1 for nan."""
    thresholds = np.array([a.threshold for a in ATTRIBUTES])
    return np.where(np.isnan(values), -1, values > thresholds).astype(np.int8)
