"""Corpora as songs: which sets, how they are played, and the scale that is made from them."""

from __future__ import annotations

import shutil
from statistics import NormalDist

import numpy as np
import pytest

from affectgen.emogen.corpora import LEAST_WORDS, make_scale, perform_songs, read_corpora
from affectgen.emogen.data import Song
from affectgen.emogen.vector import NAMES
from affectgen.errors import AffectgenError
from affectgen.nn.distributed import Workers
from affectgen.score.expression import LENGTHS, SHIFTS
from affectgen.score.words import Family, Field, encode

LOUD = NAMES.index("velocity_mean")


def test_sets_are_read_and_kept_in_the_run_folder(data, tmp_path, capsys, monkeypatch):
    songs = read_corpora(data, tmp_path / "run")
    assert set(songs) == {"train", "dev", "pop1k7", "pop909"}
    assert [len(songs[name]) > 0 for name in ("train", "dev", "pop1k7", "pop909")] == [True, True, True, False]
    held = {song.name.split("_")[1] for song in songs["train"]} & {song.name.split("_")[1] for song in songs["dev"]}
    assert not held, "no song is in both"
    named = {song.name.split("_")[1] for name in ("train", "dev") for song in songs[name]}
    assert not named & {"s00", "s01", "s02", "s03"}, "validation songs are not read"
    assert {(song.style, song.ending) for song in (*songs["train"], *songs["dev"])} == {(0, False)}
    assert {(song.style, song.ending) for song in songs["pop1k7"]} == {(1, True)}
    assert f"pop1k7: {len(songs['pop1k7'])} songs" in capsys.readouterr().err
    monkeypatch.setattr("affectgen.emogen.corpora.perform_songs", lambda pieces, *more: [])
    again = read_corpora(data, tmp_path / "run")
    for name in ("train", "dev", "pop1k7"):
        assert [song.name for song in again[name]] == [song.name for song in songs[name]]
        np.testing.assert_array_equal(again[name][0].table, songs[name][0].table)


def test_songs_that_were_cut_short_are_named(data, tmp_path):
    read_corpora(data, tmp_path)
    path = tmp_path / "songs-train.npz"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(AffectgenError, match=r"songs-train\.npz is damaged") as caught:
        read_corpora(data, tmp_path)
    assert "Delete it" in caught.value.hint
    path.unlink()
    assert len(read_corpora(data, tmp_path)["train"]) > 0


def test_the_first_of_several_processes_prepares(data, tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(Workers, "from_environment", lambda: Workers(1, 2))
    monkeypatch.setattr(Workers, "wait", lambda self: waited.append(self.rank))
    assert read_corpora(data, tmp_path / "run") == {"train": [], "dev": [], "pop1k7": [], "pop909": []}
    assert waited == [1]
    assert not list((tmp_path / "run").iterdir()), "it writes nothing"


def test_no_label_is_read(data, tmp_path):
    """Clips with all their quadrants exchanged are the same songs."""
    other = shutil.copytree(data, tmp_path / "other")
    table = other / "emopia" / "clips.csv"
    text = table.read_text()
    changed = text.replace(",Q1,", ",Q9,").replace(",Q2,", ",Q1,").replace(",Q9,", ",Q2,")
    assert changed != text
    table.write_text(changed)
    ours, theirs = (read_corpora(folder, tmp_path / name)["train"] for folder, name in ((data, "a"), (other, "b")))
    assert [song.name for song in ours] == [song.name for song in theirs]
    for one, two in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.table, two.table)
        np.testing.assert_array_equal(one.shift, two.shift)


def test_songs_are_played_by_the_performer(score):
    pieces = [("long", score(1, 12)), ("short", score(2, 2)), ("dense", score(3, 8, dense=True))]
    assert len(encode(pieces[1][1])) < LEAST_WORDS
    first, again, other = (perform_songs(pieces, "pop909", seed) for seed in (0, 0, 1))
    assert [song.name for song in first] == ["long", "dense"], "a piece of a few words is left out"
    for song in first:
        note = song.table[:, Field.FAMILY] == Family.NOTE
        assert np.isin(np.round(song.shift[note], 5), np.round(SHIFTS, 5).astype(np.float32)).all()
        assert LENGTHS.min() - 1e-6 <= song.ratio[note].min() < song.ratio[note].max() <= LENGTHS.max() + 1e-6
    np.testing.assert_array_equal(first[0].shift, again[0].shift)
    assert not np.array_equal(first[0].shift, other[0].shift)


def of_velocity(score, seed, velocity, style):
    """A piece of one velocity, played as written."""
    words = encode(score(seed, 8))
    notes = words[:, Field.FAMILY] == Family.NOTE
    words[notes, Field.VELOCITY] = velocity // 3
    return Song.of(f"{style} {seed}", words, style, False, np.tile([0.0, 1.0], (int(notes.sum()), 1)))


@pytest.mark.parametrize(("clips", "others"), [(40, 5), (15, 12)])
def test_half_of_the_scale_is_clips_and_half_songs(score, clips, others):
    songs = {"train": [of_velocity(score, n, 30, "emopia") for n in range(clips)], "dev": [],
             "pop1k7": [of_velocity(score, n, 90, "pop1k7") for n in range(others)], "pop909": []}  # fmt: skip
    values = np.full((2, len(NAMES)), np.nan)
    values[:, LOUD] = (30, 90)
    low, high = make_scale(songs).to_sd(values)[:, LOUD]
    quarter = NormalDist().inv_cdf(0.25)  # the middle of the lower half
    assert (low, high) == (pytest.approx(quarter, abs=0.07), pytest.approx(-quarter, abs=0.07))


def test_a_scale_of_clips_alone(score):
    songs = {"train": [of_velocity(score, n, 30 + 3 * n, "emopia") for n in range(9)], "dev": [], "pop1k7": [],
             "pop909": []}  # fmt: skip
    values = np.full((1, len(NAMES)), np.nan)
    values[0, LOUD] = 42
    assert make_scale(songs).to_sd(values)[0, LOUD] == pytest.approx(0, abs=1e-6)
