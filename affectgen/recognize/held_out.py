"""How well the recogniser of MIDI reads what it has not heard, by fits with its own settings that leave the test out.

EMOPIA's validation songs are read by a fit on the training songs; those by five fits that each leave a fifth of the
training songs out, and the validation songs too. VGMIDI is read in five folds by game series. The gate, the scale and
the intervals by which a piece is read come from other folds than its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from affectgen.recognize import midi_labelled, midi_rated
from affectgen.recognize.corpus import Labelled, folds_by_song, read_emopia, read_vgmidi
from affectgen.recognize.interval import coverage
from affectgen.recognize.judge import Verdict
from affectgen.recognize.midi_gate import Gate
from affectgen.recognize.midi_labelled import LabelledExpert
from affectgen.recognize.midi_rated import RatedExpert
from affectgen.recognize.midi_rows import Rows, rows_of
from affectgen.recognize.midi_scale import Heard, Opinions, Scale, label_points

Floats = NDArray[np.float64]
Figures = dict[str, float]
FOLDS = 5
VALIDATION = FOLDS  # the fold of EMOPIA's validation songs


@dataclass(frozen=True)
class Settings:
    """labelled, rated: of the experts; penalty: of the gate; seed: of the labelled expert."""

    labelled: midi_labelled.Settings = field(default_factory=midi_labelled.Settings)
    rated: midi_rated.Settings = field(default_factory=midi_rated.Settings)
    penalty: float = 0.02
    seed: int = 0


@dataclass(frozen=True)
class Material:
    """Clips of both corpora. rows: what is read of them; quadrant: [N], 0-3, or -1 where there is a rating; rating:
    [N, 2]; song: [N]; fold: [N], 0-4, and VALIDATION for EMOPIA's validation songs.
    """

    rows: Rows
    quadrant: NDArray[np.int64]
    rating: Floats
    song: NDArray[np.str_]
    fold: NDArray[np.int64]

    @property
    def rated(self) -> NDArray[np.bool_]:
        """Which clips have a rating, [N]."""
        return self.quadrant < 0

    @property
    def wanted(self) -> Floats:
        """The labels as points, [N, 2]."""
        return label_points(self.quadrant, self.rating)

    @classmethod
    def of(cls, clips: Sequence[Labelled]) -> Material:
        """Of labelled and rated clips."""
        rated = np.array([clip.quadrant < 0 for clip in clips])
        fold = np.full(len(clips), VALIDATION, dtype=np.int64)
        training = np.array([clip.quadrant >= 0 and clip.split != "val" for clip in clips])
        fold[training] = folds_by_song([clip for clip in clips if clip.quadrant >= 0 and clip.split != "val"], FOLDS)
        fold[rated] = folds_by_series([clip.song for clip in clips if clip.quadrant < 0])
        dynamics = np.array([clip.dynamics for clip in clips], dtype=bool)
        quadrant = np.array([clip.quadrant for clip in clips], dtype=np.int64)
        rating = np.array([clip.rating for clip in clips], dtype=np.float64).reshape(len(clips), 2)
        song = np.array([clip.song for clip in clips])
        return cls(rows_of([clip.notes for clip in clips], dynamics), quadrant, rating, song, fold)

    def fit_labelled(self, chosen: NDArray[np.bool_], settings: Settings) -> LabelledExpert:
        """The expert for labels fitted on the labelled ones of the chosen clips."""
        chosen = chosen & ~self.rated
        expert = replace(settings.labelled, seed=settings.seed)
        return LabelledExpert.fit(self.rows.pick(chosen), self.quadrant[chosen], expert)

    def fit_rated(self, chosen: NDArray[np.bool_], settings: Settings) -> RatedExpert:
        """The expert for ratings fitted on the rated ones of the chosen clips."""
        chosen = chosen & self.rated
        return RatedExpert.fit(self.rows.pick(chosen), self.rating[chosen], self.song[chosen], settings.rated)

    def fit_gate(self, chosen: NDArray[np.bool_], settings: Settings) -> Gate:
        """The gate fitted on the chosen clips."""
        return Gate.fit(self.rows.pick(chosen), self.rated[chosen], settings.penalty)


def read_material(data: Path) -> Material:
    """Both corpora in the folder `data`."""
    return Material.of([*read_emopia(data / "emopia"), *read_vgmidi(data / "vgmidi")])


def series_of(name: str) -> str:
    """The game series of a VGMIDI piece, as its file names it: "Super Mario_NES_..."."""
    return name.partition("_")[0]


def folds_by_series(names: Sequence[str], folds: int = FOLDS) -> NDArray[np.int64]:
    """A fold for each piece, int64 [N]: the largest series first, each to the fold with the fewest pieces so far."""
    series, index, counts = np.unique([series_of(name) for name in names], return_inverse=True, return_counts=True)
    fold, sizes = np.zeros(len(series), dtype=np.int64), np.zeros(folds, dtype=np.int64)
    for place in np.argsort(-counts, kind="stable"):
        fold[place] = sizes.argmin()
        sizes[fold[place]] += counts[place]
    return fold[index]


def unheard(material: Material, settings: Settings, say: Callable[[str], None]) -> Opinions:
    """Opinions on every clip by experts and a gate that have heard no clip of its fold."""
    known = material.fold != VALIDATION  # the validation songs take no part in any fit
    labelled = material.fit_labelled(known, settings).quadrants(material.rows)
    rated = material.fit_rated(known, settings).ratings(material.rows)
    gate = material.fit_gate(known, settings)(material.rows)
    for fold in range(FOLDS):
        say(f"fold {fold + 1} of {FOLDS}")
        held, rest = material.fold == fold, known & (material.fold != fold)
        rows, is_rated = material.rows.pick(held), material.rated[held]
        if not is_rated.all():
            found = material.fit_labelled(rest, settings).quadrants(rows)
            labelled[held & ~material.rated] = found[~is_rated]
        if is_rated.any():
            rated[held & material.rated] = material.fit_rated(rest, settings).ratings(rows)[is_rated]
        if held.any():
            gate[held] = material.fit_gate(rest, settings)(rows)
    return Opinions(labelled, rated, gate)


def heard_across(material: Material, opinions: Opinions) -> Heard:
    """Every clip on a scale, with intervals, that were fitted on opinions on the other folds."""
    wanted, count = material.wanted, len(material.fold)
    found = Heard(np.zeros((count, 2)), np.zeros((count, 4)), np.zeros((count, 2)), np.zeros((count, 2)))
    for fold in np.unique(material.fold):
        held, rest = material.fold == fold, material.fold != fold
        heard = Scale.fit(opinions.pick(rest), material.quadrant[rest], wanted[rest])(opinions.pick(held))
        for name in Heard.__dataclass_fields__:
            getattr(found, name)[held] = getattr(heard, name)
    return found


def figures_of(material: Material, opinions: Opinions) -> Figures:
    """All figures of opinions on unheard clips, by the names that the checkpoint's config gives them."""
    heard, rated, wanted = heard_across(material, opinions), material.rated, material.wanted
    figures = _shares(heard, material, ~rated)
    for axis, name in ((0, "valence"), (1, "arousal")):
        figures[f"spearman_{name}"] = rank_correlation(heard.points[rated, axis], material.rating[rated, axis])
    figures["rated_windows"] = float(rated.sum())
    for corpus, chosen in (("emopia", ~rated), ("vgmidi", rated)):
        inside = coverage(heard.low[chosen], heard.high[chosen], wanted[chosen])
        figures |= {f"covered_{corpus}_valence": float(inside[0]), f"covered_{corpus}_arousal": float(inside[1])}
    held = material.fold == VALIDATION
    if held.any():
        figures |= {f"validation_{name}": value for name, value in _shares(heard, material, held).items()}
    figures |= series_figures(heard.points[rated], material.rating[rated], material.song[rated])
    return figures | {"gate_right": float(((opinions.rated > 0.5) == rated).mean())}


def series_figures(points: Floats, ratings: Floats, songs: NDArray[np.str_]) -> Figures:
    """Rank correlations, piece by piece, of the mean of a piece's windows [N, 2] with its ratings [N, 2]."""
    pieces, first = np.unique(songs, return_index=True)
    means = np.array([points[songs == piece].mean(axis=0) for piece in pieces])
    valence, arousal = (rank_correlation(means[:, axis], ratings[first, axis]) for axis in range(2))
    return {"series_spearman_arousal": arousal, "series_spearman_valence": valence, "series_pieces": float(len(pieces))}


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's correlation of two series; ties share their mean rank."""
    return float(spearmanr(first, second).statistic)


def _shares(heard: Heard, material: Material, chosen: NDArray[np.bool_]) -> Figures:
    """Shares read rightly of the chosen clips, and how many those are."""
    verdict = Verdict(heard.points[chosen], heard.quadrants[chosen])
    return verdict.accuracy(material.quadrant[chosen]) | {"clips": float(chosen.sum())}


def measure(data: Path, say: Callable[[str], None], quick: bool = False) -> Figures:
    """The figures that the fit leaves in the checkpoint's config, measured anew on the corpora in `data`; some minutes.

    quick: by smaller experts, which read a little worse. AffectgenError without the corpora.
    """
    settings = Settings()
    if quick:
        few = midi_labelled.Settings(
            replace(settings.labelled.perceptrons, members=2), replace(settings.labelled.trees, stages=20)
        )
        settings = replace(settings, labelled=few)
    material = read_material(data)
    return figures_of(material, unheard(material, settings, say))
