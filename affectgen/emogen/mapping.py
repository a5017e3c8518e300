"""EmoGen's first stage: from an emotion to attributes.

`draw` is continuous over the plane. Labelled clips near the point asked for, by a Gaussian kernel (Nadaraya 1964), say
what each attribute tends to be there and how much it may vary; a target is one real neighbour moved some way to that
mean, so attributes go together as they do in real music and two draws differ. A linear reading of the clips says what
emotion a target tells; as far as it tells another than was asked, it moves, in the direction in which attributes vary
together (the mean of a normal distribution given the reading). Attributes about which the point says nothing are left
open: they vary there as much as anywhere, about the same mean.

`paper` is the published mapping: of each quadrant the real clip nearest the mean of its clips stands for the emotion,
by the side of its published threshold on which each of EmoGen's hundred attributes lies; one command for all degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect
from affectgen.emogen.scale import FARTHEST, Scale
from affectgen.emogen.vector import FIRST_EMOGEN, NAMES
from affectgen.errors import UsageError
from affectgen.score.attributes import ATTRIBUTES, emogen_bits

Floats = NDArray[np.float64]
WIDTH = 0.3  # of the kernel on the plane: about how far raters differ
SHRINK = 0.35  # how far a drawn neighbour moves to the mean
OPEN = 0.9  # an attribute is left open if its spread near the point is above this share of its spread everywhere,
SHIFTED = 0.3  # and its mean there differs by less than this share of it from the mean everywhere
MAJORITY = 0.65  # one of the hundred is open, too, where fewer than so many clips are on one side of its threshold
TOLD = 0.5  # how far a target's reading moves from what is usual at the point to the point itself
LEAST_TOLD = 1e-9  # variance of the reading below which it moves nothing
NOISE = 0.2  # added to the attributes' covariances, so that none follows the reading too far
RIDGE = 30.0  # penalty of the linear reading, in clips
QUADRANTS = ("Q1", "Q2", "Q3", "Q4")


@dataclass(frozen=True)
class Tendency:
    """What the attributes tend to be at a point, in standard deviations: mean [K], spread [K], open [K], and the share
    of each clip in them [M]."""

    mean: Floats
    spread: Floats
    open: NDArray[np.bool_]
    weight: Floats


@dataclass(frozen=True)
class EmotionMap:
    """Labelled clips: values [M, K] of their attributes in natural units, nan where one has none; points [M, 2] of the
    plane; quadrant int64 [M], 0-3; clips: their names. name, sha256: the checkpoint's."""

    values: Floats
    points: Floats
    quadrant: NDArray[np.int64]
    clips: tuple[str, ...]
    name: str = ""
    sha256: str = ""

    def on(self, scale: Scale) -> ScaledMap:
        """The map in a generator's own scale."""
        sd = scale.to_sd(self.values)
        there = np.isfinite(sd)
        missing: NDArray[np.bool_] = np.asarray(~there.any(axis=0))
        above: NDArray[np.bool_] = emogen_bits(self.values[:, FIRST_EMOGEN:]) > 0
        thresholds = np.full(len(NAMES), np.nan)
        thresholds[FIRST_EMOGEN:] = [attribute.threshold for attribute in ATTRIBUTES]
        return ScaledMap(
            np.where(there, sd, 0.0), missing, self.points, self.quadrant, above, scale.to_sd(thresholds)[FIRST_EMOGEN:]
        )


@dataclass(frozen=True)
class ScaledMap:
    """The map in standard deviations: sd [M, K]; missing [K]: attributes that are not computed; points, quadrant; above
    [M, 100]: which of EmoGen's hundred lie above their published thresholds; thresholds [100]: those."""

    sd: Floats
    missing: NDArray[np.bool_]
    points: Floats
    quadrant: NDArray[np.int64]
    above: NDArray[np.bool_]
    thresholds: Floats

    @cached_property
    def spread(self) -> Floats:
        """Spread of each attribute over all labelled clips [K]."""
        return self.sd.std(axis=0)

    @cached_property
    def reading(self) -> Floats:
        """Ridge regression from the attributes of a clip, less their mean, to its point: [K, 2].

        It says which attributes tell the emotion, and is what distances between targets and pieces are weighed by.
        """
        centred = self.sd - self.sd.mean(axis=0)
        points = self.points - self.points.mean(axis=0)
        gram = centred.T @ centred + RIDGE * np.eye(centred.shape[1])
        found: Floats = np.linalg.solve(gram, centred.T @ points)
        return found

    @cached_property
    def covariance(self) -> Floats:
        """Covariances of all attributes over the clips [K, K], with a little of each attribute's own."""
        centred = self.sd - self.sd.mean(axis=0)
        return centred.T @ centred / max(len(centred) - 1, 1) + NOISE * np.eye(centred.shape[1])

    @cached_property
    def leaning(self) -> Floats:
        """How all attributes move if the reading moves by one on each axis, [2, K]."""
        both = self.covariance @ self.reading  # [K, 2]
        floor = LEAST_TOLD * np.eye(2)  # clips that all stand on one side of an axis tell nothing along it
        found: Floats = np.linalg.solve(self.reading.T @ both + floor, both.T).astype(np.float64)
        return found

    def read(self, sd: Floats) -> Floats:
        """The linear reading of attributes [..., K]: valence and arousal [..., 2]."""
        found: Floats = (sd - self.sd.mean(axis=0)) @ self.reading + self.points.mean(axis=0)
        return found

    def at(self, affect: Affect) -> Tendency:
        """What the attributes tend to be at a point of the plane."""
        away = ((self.points - np.array([affect.valence, affect.arousal])) ** 2).sum(axis=1)
        weight = np.exp(-(away - away.min()) / (2 * WIDTH**2))  # the nearest always counts
        weight /= weight.sum()
        mean = weight @ self.sd
        spread = np.sqrt(weight @ (self.sd - mean) ** 2)
        shifted = np.abs(mean - self.sd.mean(axis=0)) >= SHIFTED * self.spread
        is_open = self.missing | ((spread > OPEN * self.spread) & ~shifted)
        is_open[FIRST_EMOGEN:] |= np.abs(weight @ self.above - 0.5) < MAJORITY - 0.5
        return Tendency(mean, spread, is_open, weight)

    def draw(self, affect: Affect, rng: np.random.Generator) -> Floats:
        """Attributes [K] to expect of a piece for a point, in standard deviations; those open there are in it, too, and
        nan for those that are not computed."""
        tendency = self.at(affect)
        neighbour = self.sd[rng.choice(len(self.sd), p=tendency.weight)]
        target = self.telling(neighbour + SHRINK * (tendency.mean - neighbour), affect, tendency)
        return np.where(self.missing, np.nan, target)

    def telling(self, sd: Floats, affect: Affect, tendency: Tendency) -> Floats:
        """Attributes [K], moved so that they tell the affect asked more than is usual near it."""
        usual = self.read(tendency.mean)
        wanted = usual + TOLD * (np.array([affect.valence, affect.arousal]) - usual)
        moved = sd + (wanted - self.read(sd)) @ self.leaning
        found: Floats = np.clip(moved, -FARTHEST, FARTHEST)
        return found

    def following(self, sd: Floats, places: Sequence[int], values: Floats) -> Floats:
        """Targets [S, K] in which attributes at `places` become `values` [P], and the others move with them as they do
        in real music; what is nan stays nan."""
        chosen = list(places)
        usual = np.where(np.isfinite(sd), sd, self.sd.mean(axis=0))[:, chosen]  # [S, P]
        own = self.covariance[np.ix_(chosen, chosen)]
        gain = np.linalg.solve(own, self.covariance[chosen])  # [P, K]
        moved: Floats = np.clip(sd + (values - usual) @ gain, -FARTHEST, FARTHEST)
        moved[:, chosen] = values
        return moved

    def paper(self, quadrant: int) -> Floats:
        """The target of the published mapping for a quadrant 0-3 [K]: each of EmoGen's hundred on the side of its
        threshold on which the clip in the middle has it, at the median of clips on that side; the core open."""
        own = self.sd[self.quadrant == quadrant]
        if not len(own):
            raise UsageError(f"The map has no clip of {QUADRANTS[quadrant]}.", "Leave --mapping paper out.")
        hundred = own[:, FIRST_EMOGEN:]
        middle = int(((hundred - hundred.mean(axis=0)) ** 2).sum(axis=1).argmin())
        bits = self.above[np.flatnonzero(self.quadrant == quadrant)[middle]]
        target = np.full(self.sd.shape[1], np.nan)
        for k, bit in enumerate(bits.tolist()):
            alike = self.above[:, k] == bit
            target[FIRST_EMOGEN + k] = np.median(self.sd[alike, FIRST_EMOGEN + k])
        target[self.missing] = np.nan
        return target


def quadrant_index(affect: Affect) -> int:
    """0-3 for Q1-Q4."""
    return QUADRANTS.index(affect.quadrant)


