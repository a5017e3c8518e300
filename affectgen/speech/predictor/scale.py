"""Units of the predictor: takes and exemplars as standardised rows, and changes back as semitones and dB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.speech.predictor.model import EXTRA
from affectgen.speech.predictor.pairs import Exemplar, Pair
from affectgen.speech.predictor.phones import LEVEL, NAMES, Take

Floats = NDArray[np.float64]
FAR = 4.0  # standard deviations: beyond, numbers are faults of measurement more often than not


@dataclass(frozen=True)
class Scale:
    """middle, spread [13] of takes' phones (pitch relative to the take's median), shown_middle, shown_spread [13] of
    exemplars', change [13]: the spread of changes about 0; level: (middle, spread) of takes' median pitches.
    """

    middle: Floats
    spread: Floats
    shown_middle: Floats
    shown_spread: Floats
    change: Floats
    level: Floats

    @classmethod
    def of(cls, pairs: Sequence[Pair], exemplars: Sequence[Exemplar]) -> Scale:
        """From what is trained on."""
        own = np.concatenate([centred(pair.source) for pair in pairs])
        shown = np.concatenate([one.values for one in exemplars])
        change = np.concatenate([pair.delta for pair in pairs])
        level = np.array([pair.source.middle for pair in pairs])
        parts = [own, shown]
        middles = [np.nanmean(part, axis=0) for part in parts]
        spreads = [np.maximum(np.nanstd(part, axis=0), 1e-3) for part in parts]
        size = np.sqrt(np.nanmean(change**2, axis=0))
        return cls(middles[0], spreads[0], middles[1], spreads[1], size, np.array([level.mean(), level.std()]))

    def take(self, take: Take) -> Floats:
        """A neutral take's phones, float32 [P, 13 + EXTRA]."""
        return _with_extra((centred(take) - self.middle) / self.spread, take.last)

    def exemplar(self, one: Exemplar) -> Floats:
        """An exemplar's phones, float32 [E, 13 + EXTRA]."""
        return _with_extra((one.values - self.shown_middle) / self.shown_spread, np.isfinite(one.values[:, -1]))

    def arrays(self) -> dict[str, Floats]:
        """What a checkpoint stores."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def centred(take: Take) -> Floats:
    """A take's numbers with its pitch relative to its median, float64 [P, 13]."""
    found = take.values.copy()
    found[:, LEVEL] -= take.middle
    return found


def phone_places(names: Sequence[str]) -> NDArray[np.int64]:
    """Places in NAMES; sounds that are none of them count as silences."""
    return np.array([NAMES.index(name) if name in NAMES else 0 for name in names], dtype=np.int64)


def _with_extra(values: Floats, last: NDArray[np.bool_]) -> Floats:
    """Standardised numbers [P, 13], 0 where not known, with what stands beside them."""
    extra = np.zeros((len(values), EXTRA))
    extra[:, 0] = np.linspace(-1, 1, len(values)) if len(values) > 1 else 0.0
    extra[:, 1] = np.isfinite(values[:, LEVEL])
    extra[:, 2] = last
    extra[:, 3] = np.log(max(len(values), 1)) - 3.0
    known = np.clip(np.nan_to_num(values), -FAR, FAR)
    return np.concatenate([known, extra], axis=1).astype(np.float32)


