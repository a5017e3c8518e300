"""Exemplars to choose from: those whose emotion, as it was heard, is nearest to the one that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from affectgen.speech.predictor.pairs import Exemplar

Floats = NDArray[np.float64]

WIDTH = 0.35  # of the plane: exemplars so far from the point asked for count 0.6 of those at it
LABEL_PART = 4.0  # how much a fully heard label counts beside that
OF_ONE = 2  # exemplars of one speaker at most
WIDER = 6  # in training the exemplars are drawn among so many times as many as are shown


@dataclass(frozen=True)
class Bank:
    """exemplars: N of them."""

    exemplars: tuple[Exemplar, ...]

    def __len__(self) -> int:
        return len(self.exemplars)

    def fitting(self, affect: Floats, shares: Floats) -> Floats:
        """How well each fits a point [2] and labels [7] (all 0 for none), float64 [N]; the more, the better."""
        points, heard = self._heard
        far = ((points - affect) ** 2).sum(axis=1)
        return np.asarray(LABEL_PART * (heard @ shares) - far / (2 * WIDTH**2), dtype=np.float64)

    @cached_property
    def _heard(self) -> tuple[Floats, Floats]:
        """Points [N, 2] and shares [N, 7]."""
        return np.stack([one.point for one in self.exemplars]), np.stack([one.shares for one in self.exemplars])

    def choose(
        self, affect: Floats, shares: Floats, count: int, without: str = "", rng: np.random.Generator | None = None
    ) -> list[Exemplar]:
        """The `count` best fitting ones, best first, none of the speaker `without`; with rng, drawn among the best."""
        if not self.exemplars:
            return []
        order = np.argsort(-self.fitting(affect, shares), kind="stable")
        found: list[Exemplar] = []
        seen: dict[str, int] = {}
        wanted = count if rng is None else WIDER * count
        for place in order.tolist():
            one = self.exemplars[place]
            if one.speaker == without or seen.get(one.speaker, 0) >= OF_ONE:
                continue
            seen[one.speaker] = seen.get(one.speaker, 0) + 1
            found.append(one)
            if len(found) == wanted:
                break
        if rng is None or len(found) <= count:
            return found[:count]
        return [found[place] for place in rng.choice(len(found), size=count, replace=False).tolist()]


def thinned(exemplars: Sequence[Exemplar], labels: int, each: int) -> list[Exemplar]:
    """The `each` surest of each of the first `labels` places of shares, the stronger first among equals."""
    kept: dict[str, Exemplar] = {}
    for label in range(labels):
        mine = [one for one in exemplars if one.shares.argmax() == label and one.shares[label] > 0.5]
        mine.sort(key=lambda one: (-float(one.shares[label]), -float(np.hypot(*one.point)), one.name))
        kept |= {one.name: one for one in mine[:each]}
    return list(kept.values())
