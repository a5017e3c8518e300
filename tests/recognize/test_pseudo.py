"""Pseudo-labels stay inside the labelled quadrant and never come from a model that saw the song."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.errors import UsageError
from affectgen.recognize import pseudo
from affectgen.recognize.corpus import UNRATED, Labelled
from affectgen.recognize.mlp import Examples, Settings
from affectgen.score.notes import NoteArray

QUADRANTS = np.arange(80) % 4
RIGHT = pseudo.SIGNS[QUADRANTS] * np.repeat(np.linspace(0.05, 0.95, 20), 4)[:, None]  # 20 readings a quadrant


@given(st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 3))
def test_points_stay_inside_the_labelled_quadrant(valence: float, arousal: float, quadrant: int) -> None:
    readings = np.vstack([[[valence, arousal]], RIGHT])
    inside = pseudo.SIGNS[np.r_[quadrant, QUADRANTS]] * pseudo.inside_quadrant(readings, np.r_[quadrant, QUADRANTS])
    assert (inside >= pseudo.LEAST).all()
    assert (inside <= 1).all()


def test_points_are_ranks_and_what_contradicts_the_label_lies_near_the_axis() -> None:
    readings = np.vstack([[[-0.9, 1.0], [0.05, 0.5]], RIGHT])
    points = pseudo.inside_quadrant(readings, np.r_[0, 0, QUADRANTS])
    np.testing.assert_allclose(points[0], [pseudo.LEAST, 1.0])
    assert points[1, 0] == pseudo.LEAST  # the least sure of all: rank 0, yet inside
    assert points[1, 1] == pytest.approx(0.6, abs=0.05), "the median"
    assert np.median(np.abs(points)) == pytest.approx(0.6, abs=0.05)


def clip(song: int, quadrant: int) -> Labelled:
    count = 40 + 60 * (quadrant < 2)
    numbers = np.random.default_rng(song)
    scale = (0, 4, 7) if quadrant in (0, 3) else (0, 3, 7)
    onset = np.sort(numbers.uniform(0, 20, count))
    notes = NoteArray.of(onset, [0.3] * count, 60 + numbers.choice(scale, count), numbers.integers(40, 90, count))
    return Labelled(f"c{song}", f"s{song}", "train", quadrant, UNRATED, True, notes)


def test_predictions_are_made_without_the_song(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = [clip(song, song % 4) for song in range(20)]
    seen: list[tuple[Examples, object]] = []
    honest = pseudo.fit

    def spy(examples: Examples, velocity: np.ndarray, settings: Settings) -> object:
        seen.append((examples, None))
        return honest(examples, velocity, settings)

    monkeypatch.setattr(pseudo, "fit", spy)
    logits = pseudo.out_of_fold(clips, folds=4, settings=Settings(members=1, hidden=4, steps=5, batch=64))
    assert logits.shape == (20, 6)
    whole = pseudo.examples_of(clips).statistics
    fold = pseudo.folds_by_song(clips, 4)
    assert len(seen) == 4
    for index, (examples, _) in enumerate(seen):
        for row in whole[fold == index]:
            assert not (examples.statistics == row).all(axis=1).any()
        assert all((examples.statistics == row).all(axis=1).any() for row in whole[fold != index])


def test_one_of_data_and_midi_is_needed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--data and --midi"):
        pseudo.main(["-o", str(tmp_path / "x.csv")])


def test_windows_of_unlabelled_files_are_rated(tmp_path: Path) -> None:
    symusic = pytest.importorskip("symusic")
    score = symusic.Score(480)
    track = symusic.Track("piano")
    for index in range(130):
        track.notes.append(symusic.Note(index * 480, 400, 60 + index % 7, 50 + index % 30))
    score.tracks.append(track)
    (tmp_path / "in").mkdir()
    score.dump_midi(str(tmp_path / "in" / "a.mid"))
    assert pseudo.main(["--midi", str(tmp_path / "in"), "-o", str(tmp_path / "out.csv")]) == 0
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "clip,start,valence,arousal"
    assert [line.split(",")[:2] for line in lines[1:]] == [["a", "0.0000"], ["a", "30.0000"]]
    assert all(-1 <= float(value) <= 1 for line in lines[1:] for value in line.split(",")[2:])


def test_the_points_of_a_corpus_without_performances_and_ratings(corpus: Path) -> None:
    """The hand-made clips have files on the grid only, and there is no VGMIDI beside them."""
    points = pseudo.emopia_points(corpus, Settings(members=1, hidden=4, steps=20, batch=64))
    lines = [line.split(",") for line in (corpus / "emopia" / "clips.csv").read_text().splitlines()[1:]]
    assert list(points) == [line[0] for line in lines if line[4] == "train"]
    for name, point in points.items():
        signs = pseudo.SIGNS[int(name[1]) - 1]
        assert (signs * point >= pseudo.LEAST).all()
        assert np.abs(point).max() <= 1
    assert len(set(points.values())) > 20, "and tell clips of a quadrant apart"


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[list[Labelled]]:
    """What `out_of_fold` was fitted on; its logits say nothing, and every point stands in the middle."""
    seen: list[list[Labelled]] = []

    def middle(readings: np.ndarray, quadrant: np.ndarray) -> np.ndarray:
        return np.full((len(readings), 2), 0.5) * pseudo.SIGNS[quadrant]

    monkeypatch.setattr(pseudo, "inside_quadrant", middle)
    monkeypatch.setattr(pseudo, "out_of_fold", lambda clips, **_: seen.append(clips) or np.zeros((len(clips), 6)))
    return seen


def test_clips_as_performed_come_before_clips_on_the_grid(corpus: Path, tmp_path: Path, fitted) -> None:
    home = shutil.copytree(corpus / "emopia", tmp_path / "emopia")
    names = [path.stem for path in sorted((home / "beat").glob("*.mid"))]
    every = pseudo.emopia_points(tmp_path)
    (home / "raw").mkdir()
    chosen = [name for name in names if name in every][:3]
    for name in chosen:
        shutil.copy(home / "beat" / f"{name}.mid", home / "raw")
    assert set(pseudo.emopia_points(tmp_path)) == set(chosen)
    assert [len(clips) for clips in fitted] == [len(every), 3]


def test_ratings_help_to_fit_and_get_no_points(corpus: Path, tmp_path: Path, fitted) -> None:
    home = shutil.copytree(corpus / "emopia", tmp_path / "emopia")
    (tmp_path / "vgmidi" / "midi").mkdir(parents=True)
    shutil.copy(next((home / "beat").glob("*.mid")), tmp_path / "vgmidi" / "midi" / "a.mid")
    (tmp_path / "vgmidi" / "pieces.csv").write_text("piece_id,midi,valence_mean,arousal_mean\na,a.mid,0.25,-0.5\n")
    points = pseudo.emopia_points(tmp_path)
    (clips,) = fitted
    rated = clips[len(points) :]
    assert rated
    assert {clip.rating for clip in rated} == {(0.25, -0.5)}
    assert [clip.name for clip in clips[: len(points)]] == list(points)


def test_without_clips_there_are_no_points(tmp_path: Path, fitted) -> None:
    (tmp_path / "emopia").mkdir()
    (tmp_path / "emopia" / "clips.csv").write_text("clip,song,quadrant,split\nQ1_a,a,Q1,train\n")
    assert pseudo.emopia_points(tmp_path) == {}
    assert fitted == []
