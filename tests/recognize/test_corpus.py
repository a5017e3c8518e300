"""Reading labelled music: a small corpus on disk, and the real one where it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.recognize import corpus
from affectgen.recognize.features import feature_names
from affectgen.score.notes import NoteArray

symusic = pytest.importorskip("symusic")


def write_piece(path: Path, seconds: float = 40.0, velocity: int | None = None) -> None:
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, qpm=120))
    track = symusic.Track("piano")
    for index in range(int(seconds * 2)):
        force = velocity if velocity is not None else 40 + index % 50
        track.notes.append(symusic.Note(index * 480, 400, 60 + index % 12, force))
    score.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    score.dump_midi(str(path))


@pytest.fixture
def emopia(tmp_path: Path) -> Path:
    rows = ["clip,song,quadrant,split", "Q1_a_0,a,Q1,train", "Q3_b_0,b,Q3,val", "Q2_gone_0,gone,Q2,train"]
    (tmp_path / "clips.csv").write_text("\n".join(rows) + "\n")
    for clip in ("Q1_a_0", "Q3_b_0"):
        write_piece(tmp_path / "raw" / f"{clip}.mid")
    return tmp_path


def test_clips_carry_their_labels_and_missing_files_are_passed_over(emopia: Path) -> None:
    clips = corpus.read_emopia(emopia)
    assert [(clip.name, clip.song, clip.split, clip.quadrant) for clip in clips] == [
        ("Q1_a_0", "a", "train", 0),
        ("Q3_b_0", "b", "val", 2),
    ]
    assert all(clip.dynamics for clip in clips)
    assert len(clips[0].notes) == 80


def test_a_split_is_read_alone(emopia: Path) -> None:
    assert [clip.song for clip in corpus.read_emopia(emopia, "val")] == ["b"]
    assert [clip.song for clip in corpus.read_emopia(emopia, "train")] == ["a"]


def test_a_missing_table_and_a_missing_column_are_named(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match=r"clips\.csv is not there"):
        corpus.read_emopia(tmp_path)
    (tmp_path / "clips.csv").write_text("clip,song\nx,y\n")
    with pytest.raises(AffectgenError, match="quadrant, split"):
        corpus.read_emopia(tmp_path)


def test_rated_pieces_become_windows_with_their_rating(tmp_path: Path) -> None:
    table = "piece_id,midi,valence_mean,arousal_mean\np0,x.mid,-0.25,0.5\n"
    (tmp_path / "pieces.csv").write_text(table)
    write_piece(tmp_path / "midi" / "x.mid", seconds=70, velocity=80)
    clips = corpus.read_vgmidi(tmp_path)
    assert [clip.name for clip in clips] == ["x@0", "x@30"]
    assert {clip.rating for clip in clips} == {(-0.25, 0.5)}
    assert {(clip.quadrant, clip.dynamics, clip.song) for clip in clips} == {(-1, False, "x")}


def test_windows_skip_what_is_nearly_empty() -> None:
    notes = NoteArray.of([*np.arange(20), 45.0], [0.5] * 21, [60] * 21, [64] * 21)
    assert [start for start, _ in corpus.windows(notes)] == [0.0]


def steady(name: str, song: str, quadrant: int) -> corpus.Labelled:
    notes = NoteArray.of(np.arange(0, 30, 0.25), [0.2] * 120, [60] * 120, [64] * 120)
    return corpus.Labelled(name, song, "train", quadrant, corpus.UNRATED, True, notes)


def test_parts_keep_label_and_song_and_follow_the_whole_clips() -> None:
    clips = [steady("x", "a", 1), replace(steady("y", "b", -1), rating=(0.1, 0.2))]
    more = corpus.with_parts(clips)
    assert more[:2] == clips
    assert len(more) == 2 + 5  # the rated one has no parts
    assert {(part.song, part.quadrant, part.weight) for part in more[2:]} == {("a", 1, corpus.PART_WEIGHT)}
    assert {round(part.notes.end) for part in more[2:]} == {8, 15}


def test_examples_have_a_row_for_each_clip() -> None:
    examples = corpus.examples_of([steady("x", "a", 1), steady("y", "b", 3)])
    assert examples.statistics.shape == (2, len(feature_names()))
    assert examples.quadrant.tolist() == [1, 3]
    assert examples.weight.tolist() == [1.0, 1.0]
    assert corpus.examples_of([]).statistics.shape == (0, len(feature_names()))


def test_no_song_is_in_two_folds() -> None:
    clips = [steady(f"{song}{take}", f"s{song}", 0) for song in range(17) for take in range(3)]
    fold = corpus.folds_by_song(clips, 5)
    assert all(len(set(fold[[clip.song == song for clip in clips]])) == 1 for song in {clip.song for clip in clips})
    assert sorted(set(fold.tolist())) == [0, 1, 2, 3, 4]


def test_the_real_splits_share_no_song(real_data: Path) -> None:
    rows = corpus._rows(real_data / "emopia" / "clips.csv", ("clip", "song", "quadrant", "split"))
    songs = {split: {row["song"] for row in rows if row["split"] == split} for split in ("train", "val")}
    assert not songs["train"] & songs["val"]
    assert sum(row["split"] == "val" for row in rows) == 201
