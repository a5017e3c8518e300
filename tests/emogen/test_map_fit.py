"""The map from emotions, measured on labelled clips: which clips, which values, which points."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest

from affectgen.emogen import map_fit
from affectgen.emogen.checkpoint import load_map
from affectgen.emogen.map_fit import CENTRES, fit_map, write_map
from affectgen.emogen.vector import NAMES, describe
from affectgen.errors import AffectgenError
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.mlp import Settings
from affectgen.recognize.pseudo import emopia_points
from affectgen.score.midi import read_grid, read_notes, write_notes
from affectgen.score.notes import NoteArray


def rows_of(data):
    with (data / "emopia" / "clips.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def centred(monkeypatch):
    """No points are predicted: every clip stands at the centre of its quadrant."""
    monkeypatch.setattr(map_fit, "emopia_points", lambda data: {})


def test_clips_of_training_and_development_and_none_of_validation(corpus, centred):
    found = fit_map(corpus)
    rows = {row["clip"]: row for row in rows_of(corpus)}
    assert sorted(found.clips) == sorted(name for name, row in rows.items() if row["split"] != "val")
    assert len(found.clips) == 32
    assert [f"Q{quadrant + 1}" for quadrant in found.quadrant] == [rows[clip]["quadrant"] for clip in found.clips]
    assert found.values.shape == (32, len(NAMES))
    assert CENTRES == {"Q1": (0.6, 0.6), "Q2": (-0.6, 0.6), "Q3": (-0.6, -0.6), "Q4": (0.6, -0.6)}
    centres = [CENTRES[rows[clip]["quadrant"]] for clip in found.clips]
    np.testing.assert_array_equal(found.points, centres)


def test_values_are_those_of_the_files(corpus, centred):
    found = fit_map(corpus)
    for number in (0, 13, 31):
        path = corpus / "emopia" / "beat" / f"{found.clips[number]}.mid"
        expected = describe(read_notes(path), float(np.median(read_grid(path).tempo)))
        np.testing.assert_allclose(found.values[number], expected, rtol=1e-4)
    loud = found.values[:, NAMES.index("velocity_mean")]
    assert loud[found.quadrant < 2].min() > loud[found.quadrant >= 2].max() + 20


def test_a_performance_is_measured_where_there_is_one_and_tempo_on_the_beats(corpus, centred, tmp_path):
    data = shutil.copytree(corpus, tmp_path / "data")
    clip = next(row["clip"] for row in rows_of(data) if row["split"] == "train")
    beat = data / "emopia" / "beat" / f"{clip}.mid"
    notes = read_notes(beat)
    (data / "emopia" / "raw").mkdir()
    louder = NoteArray.of(notes.onset + 0.013, notes.duration, notes.pitch, np.minimum(notes.velocity + 10, 127))
    raw = data / "emopia" / "raw" / f"{clip}.mid"
    raw.write_bytes(write_notes(louder))
    found = fit_map(data)
    values = found.values[found.clips.index(clip)]
    np.testing.assert_allclose(values, describe(read_notes(raw), float(np.median(read_grid(beat).tempo))), rtol=1e-6)
    assert values[NAMES.index("velocity_mean")] == pytest.approx(notes.velocity.mean() + 10)
    beat.unlink()
    lone = fit_map(data)
    values = lone.values[lone.clips.index(clip)]
    assert np.isnan(values[NAMES.index("tempo")])
    raw.unlink()
    assert clip not in fit_map(data).clips, "a clip without any file is left out"


def test_points_are_predicted_inside_the_quadrants(corpus, monkeypatch):
    monkeypatch.setattr(map_fit, "emopia_points", lambda data: emopia_points(data, Settings(members=1, steps=20)))
    found = fit_map(corpus)
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])[found.quadrant]
    assert (found.points * signs > 0).all()
    assert len(np.unique(found.points, axis=0)) > 20, "and not all at the centres"


def test_a_predicted_point_beats_the_centre(corpus, monkeypatch):
    clip = "Q1_s05_20"
    monkeypatch.setattr(map_fit, "emopia_points", lambda data: {clip: (0.9, 0.2)})
    found = fit_map(corpus)
    assert found.points[found.clips.index(clip)].tolist() == [0.9, 0.2]
    others = np.delete(found.points, found.clips.index(clip), axis=0)
    assert set(np.abs(others).ravel().tolist()) == {0.6}


def test_a_map_and_its_card_are_written(corpus, centred, tmp_path):
    made = write_map(corpus, tmp_path / "mine-map", "affectgen emogen train -o mine")
    back = load_map(str(tmp_path / "mine-map"))
    assert back.clips == made.clips
    np.testing.assert_array_equal(back.values, made.values.astype(np.float32))
    card = (tmp_path / "mine-map" / "card.md").read_text()
    assert card.startswith("# mine-map\n")
    assert "32 labelled clips (Q1 8, Q2 8, Q3 8, Q4 8)" in card
    assert "Command: `affectgen emogen train -o mine`" in card
    assert "CC-BY-NC-SA-4.0" in card
    config = load_checkpoint(tmp_path / "mine-map").config
    assert config["training"] == {"command": "affectgen emogen train -o mine", "clips": 32}
    assert config["licence"] == "CC-BY-NC-SA-4.0"


def test_without_labelled_clips_there_is_no_map(corpus, centred, tmp_path):
    data = shutil.copytree(corpus, tmp_path / "data")
    for path in (data / "emopia" / "beat").glob("*.mid"):
        path.unlink()
    with pytest.raises(AffectgenError, match="holds no labelled training clip") as caught:
        fit_map(data)
    assert caught.value.hint
