"""Probes, silhouettes and projections against known vectors and scikit-learn; clips in EMOPIA's layout."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import AffectgenError
from affectgen.muser.checkpoint import load_composer
from affectgen.muser.explore import Clips, encode_clips, explore, find_clips
from affectgen.muser.probes import fit_probe, majority_share, predict, probe_accuracy, project, silhouette, song_folds
from affectgen.writing.options import ELEMENTS


def blobs(apart, classes=2, songs=12, clips=8, seed=0):
    """Vectors [N, 5] whose first dimensions tell the class, labels and songs."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=songs * clips)
    vectors = rng.normal(size=(len(labels), 5))
    vectors[:, 0] += apart * labels
    return vectors, labels, [f"song {number // clips}" for number in range(len(labels))]


@given(st.integers(2, 30), st.integers(2, 5), st.integers(0, 9))
def test_no_song_is_in_two_folds(songs, folds, seed):
    names = [f"s{number % songs}" for number in range(3 * songs)]
    fold = song_folds(names, folds, seed)
    assert len({(name, int(where)) for name, where in zip(names, fold, strict=True)}) == songs
    assert set(fold) == set(range(min(folds, songs)))


def test_a_probe_reads_what_is_there_and_nothing_else():
    assert probe_accuracy(*blobs(8.0)) > 0.97
    assert probe_accuracy(*blobs(8.0, classes=3)) > 0.9
    vectors, labels, songs = blobs(0.0)
    assert probe_accuracy(vectors, labels, songs) < majority_share(labels) + 0.12


def test_a_probe_does_not_profit_from_knowing_the_song():
    """Each song has its own place and one label: on other songs that says nothing."""
    rng = np.random.default_rng(1)
    song = np.repeat(np.arange(24), 8)
    labels = rng.permutation(np.arange(24) % 2)[song]
    vectors = 5 * rng.normal(size=(24, 6))[song] + 0.1 * rng.normal(size=(len(song), 6))
    assert (predict(fit_probe(vectors, labels), vectors) == labels).mean() > 0.7
    assert probe_accuracy(vectors, labels, [str(s) for s in song]) < 0.68


def test_a_probe_fits_as_scikit_learn_does():
    linear = pytest.importorskip("sklearn.linear_model")
    vectors, labels, _ = blobs(1.0, classes=3)
    scaled = (vectors - vectors.mean(0)) / vectors.std(0)
    theirs = linear.LogisticRegression(C=1.0, max_iter=1000).fit(scaled, labels)
    ours = predict(fit_probe(vectors, labels), vectors)
    assert (ours == theirs.predict(scaled)).mean() > 0.99


def test_one_song_cannot_be_probed():
    vectors, labels, _ = blobs(3.0)
    assert np.isnan(probe_accuracy(vectors, labels, ["one"] * len(labels)))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(2, 4), st.integers(6, 30))
def test_silhouette_is_scikit_learns(seed, classes, count):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(classes, size=count - classes)])
    vectors = rng.normal(size=(count, 3)) + labels[:, None]
    assert silhouette(vectors, labels) == pytest.approx(metrics.silhouette_score(vectors, labels), abs=1e-6)


def test_silhouette_of_one_class_is_not_a_number():
    assert np.isnan(silhouette(np.zeros((5, 2)), np.zeros(5, dtype=int)))


def test_the_projection_is_of_the_main_axes():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 6)) * np.array([0.1, 5.0, 0.1, 2.0, 0.1, 0.1]) + 7.0
    shown = project(vectors)
    np.testing.assert_allclose(np.abs(shown.axes[:, [1, 3]]), np.eye(2), atol=0.1)
    assert shown.explained[0] > shown.explained[1] > 0.1
    assert shown.explained.sum() > 0.98
    np.testing.assert_allclose((vectors - shown.mean) @ shown.axes.T, shown.points)
    assert project(np.ones((3, 4))).points.shape == (3, 2)
    assert project(np.arange(3.0)[:, None]).explained.tolist() == [1.0, 0.0]


def test_labels_of_the_quadrants():
    clips = Clips(("a",) * 4, ("s",) * 4, np.arange(4), np.zeros((4, 7, 2)))
    assert clips.labels("arousal").tolist() == [1, 1, 0, 0]
    assert clips.labels("valence").tolist() == [1, 0, 0, 1]
    assert clips.labels("quadrant").tolist() == [0, 1, 2, 3]


def test_clips_are_found_by_split(corpus):
    assert len(find_clips(corpus, "val")) == 16
    assert len(find_clips(corpus / "emopia", "train")) == 28
    assert len(find_clips(corpus, "all")) == 48


def test_a_whole_exploration(corpus, tiny_muser):
    files = find_clips(corpus, "all")
    done = []
    clips = encode_clips(load_composer(str(tiny_muser)), files, lambda n, total: done.append((n, total)))
    assert done[-1] == (48, 48)
    assert clips.latents.shape == (48, 7, 16)
    found = explore(clips)
    figures = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert list(figures["elements"]) == list(ELEMENTS)
    assert figures["elements"]["velocity"]["probe"]["arousal"] == 1.0  # the clips' loudness is their arousal
    assert figures["elements"]["chord"]["probe"]["valence"] == 1.0  # and their mode their valence
    assert figures["elements"]["velocity"]["probe"]["valence"] < 0.75
    assert figures["elements"]["velocity"]["silhouette"]["arousal"] > 0.2
    assert figures["majority"] == {"arousal": 0.5, "valence": 0.5, "quadrant": 0.25}
    assert "velocity" in found.to_table()


def changed(corpus, tmp_path, change):
    """A copy of the corpus with another table."""
    home = shutil.copytree(corpus, tmp_path / "copy") / "emopia"
    with (home / "clips.csv").open(newline="") as file:
        rows = change(list(csv.DictReader(file)))
    with (home / "clips.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return home


def without(*columns):
    return lambda rows: [{name: value for name, value in row.items() if name not in columns} for row in rows]


def test_a_table_without_keys_and_beat_files_is_enough(corpus, tmp_path, tiny_muser):
    home = changed(corpus, tmp_path, without("key", "mode", "beat", "split", "annotator"))
    files = find_clips(home, "all")
    clips = encode_clips(load_composer(str(tiny_muser)), files[:8], lambda n, total: None)
    assert np.isfinite(clips.latents).all()


@pytest.mark.parametrize(("change", "said"), [
    (without("split"), "no column split"),
    (without("song", "quadrant"), "no column song, quadrant"),
    (lambda rows: [{**row, "quadrant": "happy"} for row in rows], "'happy'"),
    (lambda rows: [{**row, "clip": "x", "beat": "x.mid"} for row in rows], "0 of the 16 clips"),
    (lambda rows: [{**row, "split": "train"} for row in rows], "no clip of the split 'val'"),
])  # fmt: skip
def test_a_folder_of_another_layout(corpus, tmp_path, change, said):
    home = changed(corpus, tmp_path, change)
    with pytest.raises(AffectgenError) as caught:
        find_clips(home, "val")
    assert said in caught.value.message
    assert caught.value.hint


def test_a_missing_folder(tmp_path):
    for folder, said in ((tmp_path / "nowhere", "does not exist"), (tmp_path, "no clips.csv")):
        with pytest.raises(AffectgenError) as caught:
            find_clips(folder, "val")
        assert said in caught.value.message
