"""Fits that leave the test out: folds, and that no fit and no scale sees anything of what it is tested on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectgen.recognize import held_out, midi_labelled, mlp, trees
from affectgen.recognize.corpus import Labelled
from affectgen.recognize.held_out import FOLDS, VALIDATION, Material, Settings
from affectgen.recognize.midi_scale import Opinions, Scale
from affectgen.score.notes import NoteArray

BRIEF = mlp.Settings(members=1, hidden=8, steps=50, batch=64)
QUICK = Settings(labelled=midi_labelled.Settings(BRIEF, trees.Settings(stages=4, forests=1)))
SERIES = ("Mario", "Zelda", "Xeno", "Doom", "Tetris", "Myst")


def clip(number: int, quadrant: int, song: str, split: str = "train") -> Labelled:
    """Loud and fast where aroused, major where pleasant; rated pieces say the same."""
    rng = np.random.default_rng(number)
    loud, bright = quadrant in (0, 1), quadrant in (0, 3)
    onset = np.arange(0, 20, 0.15 if loud else 0.6) + rng.uniform(0, 0.02)
    pitch = rng.choice([60, 64 if bright else 63, 67, 72], len(onset))
    force = np.clip((100 if loud else 45) + rng.integers(-8, 9, len(onset)), 1, 127)
    notes = NoteArray.of(onset, np.full(len(onset), 0.4), pitch, force)
    rating = ((0.4 if bright else -0.4) + 0.01 * rng.normal(), (0.4 if loud else -0.4) + 0.01 * rng.normal())
    kind = -1 if split == "" else quadrant
    return Labelled(f"{song}{number}", song, split, kind, rating, True, notes)


def corpus() -> list[Labelled]:
    labelled = [clip(n, n % 4, f"s{n // 4}", "val" if n >= 24 else "train") for n in range(32)]
    rated = [clip(100 + n, n % 4, f"{SERIES[n % 6]}_NES_{n}", "") for n in range(36)]
    return labelled + rated


def test_series_stay_together_and_folds_are_even() -> None:
    names = ["A_x"] * 5 + ["B_x"] * 4 + ["C_x"] * 3 + ["D_y"] * 3 + ["E_z"] * 2 + ["F_q"]
    fold = held_out.folds_by_series(names, 3)
    assert all(len(set(fold[[n[0] == letter for n in names]])) == 1 for letter in "ABCDEF")
    assert sorted(np.bincount(fold)) == [6, 6, 6]


@pytest.fixture(scope="module")
def material() -> Material:
    return Material.of(corpus())


@pytest.fixture(scope="module")
def opinions(material: Material) -> Opinions:
    return held_out.unheard(material, QUICK, lambda line: None)


def test_folds_keep_songs_series_and_the_validation_songs_together(material: Material) -> None:
    labelled = ~material.rated
    assert set(material.fold[labelled & (np.arange(len(material.fold)) >= 24)]) == {VALIDATION}
    assert set(material.fold[:24]) | set(material.fold[material.rated]) == set(range(FOLDS))
    for song in np.unique(material.song):
        assert len(set(material.fold[material.song == song])) == 1
    series = np.array([held_out.series_of(song) for song in material.song])
    for one in SERIES:
        assert len(set(material.fold[series == one])) == 1


def test_plain_music_is_read_rightly_when_unheard(material: Material, opinions: Opinions) -> None:
    found = held_out.figures_of(material, opinions)
    assert found["clips"] == 32
    assert found["validation_clips"] == 8
    assert found["validation_arousal"] == 1.0
    assert found["series_pieces"] == found["rated_windows"] == 36
    assert found["series_spearman_arousal"] > 0.6  # two levels with noise: .87 at best
    assert 0.3 < found["gate_right"] < 0.7  # both kinds sound the same here


def test_no_fit_has_heard_what_it_is_tested_on(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each expert and each gate is noted with the folds of the clips that it was fitted on, and then read."""
    fitted: list[tuple[str, set[tuple[bool, int]]]] = []
    read: list[tuple[str, set[tuple[bool, int]], set[tuple[bool, int]]]] = []
    key = {row.tobytes(): (bool(r), int(f)) for row, r, f in
           zip(material.rows.whole, material.rated, material.fold, strict=True)}  # fmt: skip

    class Spy:
        def __init__(self, kind: str, chosen: np.ndarray) -> None:
            kinds = {"labelled": ~material.rated, "rated": material.rated, "gate": material.rated | True}[kind]
            used = chosen & kinds
            self.kind = kind
            self.seen = set(zip(material.rated[used].tolist(), material.fold[used].tolist(), strict=True))
            fitted.append((kind, self.seen))

        def answer(self, rows, width):
            places = np.array([key[row.tobytes()] for row in rows.whole])
            read.append((self.kind, self.seen, {(bool(r), int(f)) for r, f in places}))
            fresh = [tuple(place) not in self.seen for place in places.tolist()]
            out = np.where(fresh, 0.25, np.nan)  # nan where it has heard the clip
            return out if width == 0 else np.repeat(out[:, None], width, axis=1)

        def quadrants(self, rows):
            return self.answer(rows, 4)

        def ratings(self, rows):
            return self.answer(rows, 2)

        def __call__(self, rows):
            return self.answer(rows, 0)

    for kind in ("labelled", "rated", "gate"):
        monkeypatch.setattr(Material, f"fit_{kind}", lambda self, chosen, settings, kind=kind: Spy(kind, chosen))
    opinions = held_out.unheard(material, QUICK, lambda line: None)
    for values in (opinions.quadrants, opinions.ratings, opinions.rated):
        assert np.isfinite(values).all()
    assert all((False, VALIDATION) not in seen for _, seen in fitted)
    assert {kind for kind, *_ in read} == {"labelled", "rated", "gate"}


def test_a_scale_comes_from_other_folds(
    material: Material, opinions: Opinions, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[np.ndarray] = []
    real = Scale.fit

    def fit(opinions, quadrant, wanted):
        used.append(wanted)
        return real(opinions, quadrant, wanted)

    monkeypatch.setattr(Scale, "fit", fit)
    held_out.heard_across(material, opinions)
    folds = np.unique(material.fold)
    assert len(used) == len(folds)
    for fold, wanted in zip(folds, used, strict=True):
        np.testing.assert_array_equal(wanted, material.wanted[material.fold != fold])


def test_a_pieces_reading_is_the_mean_of_its_windows() -> None:
    points = np.array([[0.1, 0.9], [0.3, -0.9], [0.5, 0.1], [-0.5, -0.2]])  # pieces read .2, .5, -.5 and 0, .1, -.2
    ratings = np.array([[0.0, 0.2], [0.0, 0.2], [0.4, 0.3], [-0.3, 0.1]])
    found = held_out.series_figures(points, ratings, np.array(["a", "a", "b", "c"]))
    assert found["series_spearman_valence"] == pytest.approx(1.0)
    assert found["series_spearman_arousal"] == pytest.approx(1.0)
    assert found["series_pieces"] == 3


def test_measuring_anew_gives_the_keys_of_the_checkpoint(
    material: Material, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, top: Path
) -> None:
    said: list[str] = []
    monkeypatch.setattr(held_out, "read_material", lambda data: material)
    monkeypatch.setattr(held_out, "Settings", lambda: QUICK)
    found = held_out.measure(tmp_path, said.append, quick=True)
    assert len(said) == FOLDS
    stored = json.loads((top / "checkpoints" / "midi-recogniser" / "config.json").read_text())["figures"]
    assert set(found) == set(stored)
