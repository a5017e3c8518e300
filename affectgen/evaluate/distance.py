"""How far a set of generated pieces lies from real music: the Frechet distance over note statistics, over its floor.

Both sides are brought to the judging form (30 s, 50 ms grid), standardised by the real training clips, and drawn in
equal numbers, because the distance between two samples of the same music is not 0 and shrinks with their size: that
floor is measured between real training and real validation clips. A figure of 1 means no farther from training clips
than other real songs are. The distance itself is Frechet's between two normal distributions (Dowson and Landau 1982),
as in the Frechet inception distance (Heusel et al., NeurIPS 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import UsageError
from affectgen.recognize.features import feature_names, feature_table
from affectgen.score.notes import NoteArray

Floats = NDArray[np.float64]
RIDGE = 0.05  # added to each variance (of standardised statistics), so that few clips still give a stable figure
DRAWS = 10
LEAST = 20  # pieces a side

# Forty statistics: those of every musical side once, without the ones that are nearly functions of another.
STATISTICS = (
    "velocity_mean", "velocity_sd", "velocity_change_mean", "velocity_top_accent", "velocity_by_pitch",
    "onsets_per_second", "notes_per_second", "notes_per_onset_mean", "notes_per_onset_sd", "single_onsets",
    "gap_mean", "gap_sd", "gap_change", "length_mean", "length_sd", "legato_mean", "density_sd",
    "pitch_mean", "pitch_sd", "pitch_range", "pitch_skew", "register_low", "pitch_classes_used",
    "polyphony_mean", "polyphony_sd", "silence", "chord_major", "chord_minor", "dissonance",
    "major_score", "key_fit", "pitch_class_entropy", "triad_changes", "triads_tonic",
    "melody_pitch_mean", "melody_interval_mean", "melody_repeats", "melody_steps", "melody_share", "pulse_clarity",
)  # fmt: skip


@dataclass(frozen=True)
class OverFloor:
    """distance: generated to real training clips; floor: real validation to real training clips; n: clips a side."""

    distance: float
    floor: float
    n: int

    @property
    def ratio(self) -> float:
        """How many times farther than other real songs."""
        return self.distance / self.floor


@dataclass(frozen=True)
class Difference:
    """One statistic of a set against the real training clips. shift: of the mean, in the real standard deviations;
    spread: the standard deviation over the real one.
    """

    name: str
    shift: float
    spread: float


def chosen_statistics(pieces: Sequence[NoteArray]) -> Floats:
    """The distance's statistics of pieces, float64 [N, 40], not standardised."""
    return choose_columns(feature_table(pieces))


def choose_columns(table: Floats) -> Floats:
    """The columns of the distance, float64 [N, 40], out of a full `feature_table` [N, F]."""
    names = feature_names()
    return table[:, [names.index(name) for name in STATISTICS]]


def frechet(first: Floats, second: Floats, ridge: float = RIDGE) -> float:
    """Squared Frechet distance of the normal distributions fitted to rows [N, F] and [M, F]; at least 2 rows each."""
    if len(first) < 2 or len(second) < 2:
        raise UsageError(
            f"{min(len(first), len(second))} pieces were given, at least 2 a side are needed.", "Add more."
        )
    shift = first.mean(axis=0) - second.mean(axis=0)
    extra = ridge * np.eye(first.shape[1])
    covariances = [np.atleast_2d(np.cov(side, rowvar=False)) + extra for side in (first, second)]
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ covariances[1] @ root)  # same eigenvalues as the product of the covariances
    traces = float(np.trace(covariances[0]) + np.trace(covariances[1]))
    return float(max(0.0, shift @ shift + traces - 2.0 * np.sqrt(np.clip(cross, 0.0, None)).sum()))


def _standardised(real: Floats, *sides: Floats) -> list[Floats]:
    mean, scale = real.mean(axis=0), real.std(axis=0)
    return [(side - mean) / np.where(scale > 1e-9, scale, 1.0) for side in sides]


def distance_over_floor(
    generated: Floats, real_train: Floats, real_val: Floats, draws: int = DRAWS, seed: int = 0
) -> OverFloor:
    """Distances of `generated` and of `real_val` from `real_train`, from statistics as `chosen_statistics` gives them.

    Each draw takes n clips of every side, n being the smallest side's size; the figures are means over the draws.
    """
    n = min(len(generated), len(real_train), len(real_val))
    if n < LEAST:
        raise UsageError(f"Only {n} pieces a side; the distance needs at least {LEAST}.", "Generate more pieces.")
    made, train, held = _standardised(real_train, generated, real_train, real_val)
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        some = train[chance.choice(len(train), n, replace=False)]
        sides = [side[chance.choice(len(side), n, replace=False)] for side in (made, held)]
        found.append([frechet(side, some) for side in sides])
    distance, floor = np.mean(found, axis=0)
    return OverFloor(float(distance), float(floor), n)


def differences(generated: Floats, real_train: Floats) -> list[Difference]:
    """Every statistic's shift and spread against the real training clips, the farthest (in mean or spread) first."""
    made, _ = _standardised(real_train, generated, real_train)
    shift, spread = made.mean(axis=0), made.std(axis=0)
    found = [Difference(*row) for row in zip(STATISTICS, shift.tolist(), spread.tolist(), strict=True)]
    return sorted(found, key=lambda one: -(one.shift**2 + (one.spread - 1.0) ** 2))
