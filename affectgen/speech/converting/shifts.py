"""What an emotion does to a voice, learnt from those who have it: shifts of retrieved recordings.

Exemplars are clips in which listeners heard the emotion, of speakers whose neutral voice is near the one at hand; each
counts by its shift, the difference to its own speaker's neutral voice. The mean shift is then drawn away from those of
the other emotions (a caricature; Brennan 1985), because what listeners tell emotions by is what parts them: the
arousal that anger, joy and fear have in common says little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import emo_db
from affectgen.errors import AffectgenError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.speech.converting.prosody import BANDS, NAMES, PLACES
from affectgen.speech.index.voices import Voices
from affectgen.speech.target import Target

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Alike = Callable[[Target], Floats]

RIVALS = ("anger", "fear", "happiness", "sadness")
LEAST_SHARE = 0.3  # of those who heard a clip: fewer, and it is no exemplar of the emotion
REACH = 0.25  # of the plane: how far from a point its exemplars' weight falls to .6


@dataclass(frozen=True)
class Retrieval:
    """How a shift is found. exemplars: how many; typical: what a clip gains by how near it is to what is asked for in
    the emotion space, and likeness: what a speaker a standard deviation away costs, both in shares of listeners;
    caricature: how far beyond the mean shift, away from the other emotions."""

    exemplars: int = 30
    typical: float = 1.0
    likeness: float = 0.1
    caricature: float = 0.5

    def __post_init__(self) -> None:
        if self.exemplars < 1:
            raise ValueError(f"exemplars must be at least 1, not {self.exemplars}")


@dataclass(frozen=True)
class Taken:
    """How much of each part of a shift is taken. pitch; course: of the pitch, its spread and slope; voiced, unvoiced:
    the bands' levels; voiced_movement, unvoiced_movement: how far they move. What bands do tells who speaks, too."""

    pitch: float = 1.0
    course: float = 1.0
    voiced: float = 1.0
    unvoiced: float = 1.0
    voiced_movement: float = 0.5
    unvoiced_movement: float = 0.5

    def of(self, shift: Floats) -> Floats:
        """That much of a shift [P]."""
        shares = np.ones(len(NAMES))
        shares[PLACES["pitch"]] = self.pitch
        shares[[PLACES["spread"], PLACES["slope"]]] = self.course
        shares[BANDS["voiced_mean"]], shares[BANDS["unvoiced_mean"]] = self.voiced, self.unvoiced
        shares[BANDS["voiced_spread"]] = self.voiced_movement
        shares[BANDS["unvoiced_spread"]] = self.unvoiced_movement
        return shares * shift


@dataclass(frozen=True)
class Found:
    """shift: of a speaker's neutral voice, float64 [P]; exemplars: their places in the index, best first."""

    shift: Floats
    exemplars: Places


def find_shift(target: Target, voices: Voices, own: Floats, how: Retrieval, alike: Alike) -> Found:
    """The shift for a target, for a speaker whose neutral voice has the prosody `own` [P]. alike: tells how near each
    clip is to a target in an emotion space, -1 to 1, [N].

    AffectgenError where the index holds no exemplar.
    """
    shifts = voices.shifts
    usable = np.isfinite(shifts).all(axis=1)
    unlike = how.likeness * distances(voices, own)
    if target.label is None:
        score = _near(voices, target) + how.typical * alike(target) - unlike
        best = _best(np.where(usable, score, -np.inf), how.exemplars)
        return Found(shifts[best].mean(axis=0), best)
    found = {}
    for label in (*RIVALS, *({target.label} - set(RIVALS))):
        scores = _scores(voices, label, usable) + how.typical * alike(Target(emo_db(label), label)) - unlike
        if label == target.label or np.isfinite(scores).any():
            found[label] = _best(scores, how.exemplars)
    means = {label: shifts[places].mean(axis=0) for label, places in found.items()}
    mean = means.pop(target.label)
    if means and target.label != "neutral":
        mean = mean + how.caricature * (mean - np.mean(list(means.values()), axis=0))
    return Found(_intensity(target) * mean, found[target.label])


def distances(voices: Voices, own: Floats) -> Floats:
    """How unlike the speakers' neutral voices are to one, in standard deviations, [N]: pitch and bands."""
    kept = np.r_[PLACES["pitch"], np.arange(BANDS["voiced_mean"].start, BANDS["voiced_mean"].stop)]
    weight = np.r_[1.0, np.full(len(kept) - 1, 1.0 / (len(kept) - 1))]  # the pitch counts as all bands together
    spread = np.nanstd(voices.neutral[:, kept], axis=0) + 1e-6
    away = (np.nan_to_num(voices.neutral[:, kept]) - own[kept]) / spread
    return np.asarray(np.sqrt((weight * away**2).sum(axis=1) / 2))


def _scores(voices: Voices, label: str, usable: NDArray[np.bool_] | np.bool_) -> Floats:
    """How well each clip shows a label, -inf where it does not, [N]."""
    share = voices.shares[:, LABELS.index(label)]
    return np.where(usable & (share >= LEAST_SHARE), share, -np.inf)


def _near(voices: Voices, target: Target) -> Floats:
    """How near each clip is to the target's point, 0 to 1, [N]."""
    away = voices.points - [target.affect.valence, target.affect.arousal]
    return np.asarray(np.exp(-(away**2).sum(axis=1) / (2 * REACH**2)))


def _best(scores: Floats, count: int) -> Places:
    """The places of the highest scores, best first. AffectgenError where none is finite."""
    order = np.argsort(-scores, kind="stable")[:count]
    order = order[np.isfinite(scores[order])]
    if not len(order):
        raise AffectgenError(
            "The index holds no voice with this emotion beside its own neutral voice.",
            "Add such recordings, or use the shipped index.",
        )
    return order


def _intensity(target: Target) -> float:
    """How strong the emotion is asked for, beside the label's own point: "happy:0.5" is half of it."""
    usual = emo_db(str(target.label)).intensity
    return float(np.clip(target.affect.intensity / usual, 0.0, 1.25)) if usual > 0 else 1.0
