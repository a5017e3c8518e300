"""Corpora in small folders of the documented layout: which rows, which pieces, and what is said of a wrong one."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.score.corpora import check_data, from_first_bar, part_of, read_clip, read_pieces, read_rows
from affectgen.score.grid import BAR, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import read_grid, write_midi, write_notes
from affectgen.score.notes import NoteArray
from affectgen.score.split import is_dev_song

TRAIN, DEV = (next(f"s{n}" for n in range(1000) if is_dev_song(f"s{n}") == held) for held in (False, True))


def row(clip, song=TRAIN, split="train", **values):
    plain = {"clip": clip, "song": song, "quadrant": clip[:2], "split": split, "key": "D", "mode": "minor"}
    return plain | {"beat": f"{clip}.mid"} | values


def lay(folder: Path, rows) -> Path:
    """A folder of EMOPIA's layout with these rows; its pieces are written by the tests."""
    (folder / "beat").mkdir(parents=True)
    with (folder / "clips.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_rows_by_split(tmp_path):
    rows = [row("Q1_a"), row("Q2_b", DEV), row("Q3_c"), row("Q4_d", split="val"), row("Q1_e", DEV, "val"),
            row("Q1_f", split="dev")]  # fmt: skip
    lay(tmp_path, rows)
    found = {split: [one["clip"] for one in read_rows(tmp_path, split)] for split in ("train", "dev", "val")}
    assert found == {"train": ["Q1_a", "Q3_c"], "dev": ["Q2_b", "Q1_f"], "val": ["Q4_d", "Q1_e"]}
    assert [part_of(one) for one in rows] == ["train", "dev", "train", "val", "val", "dev"]


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(AffectgenError, match=r"clips\.csv is missing") as caught:
        read_rows(tmp_path, "train")
    assert caught.value.hint


def test_a_clip_is_read_in_the_key_of_its_row(tmp_path, score):
    one = row("Q1_a", beat="x.mid;;gone.mid;y.mid")
    lay(tmp_path, [one])
    for name, seed in (("x", 1), ("y", 2)):
        (tmp_path / "beat" / f"{name}.mid").write_bytes(write_midi(score(seed, 3)))
    pieces = list(read_clip(tmp_path, one))
    assert [piece.key for piece in pieces] == [Key(2, 1)] * 2, "files that are not there are passed over"
    for seed, piece in enumerate(pieces, start=1):
        assert np.array_equal(piece.pitch, score(seed, 3).pitch)


def test_a_clip_is_as_loud_and_as_long_as_it_was_played(tmp_path):
    rows = np.array([(4 * step, 2, 60 + step, 64) for step in range(8)])
    grid = make_grid(rows, np.full(8, 120.0), (None,) * 8, Key(2, 1))
    one = row("Q1_a")
    lay(tmp_path, [one])
    (tmp_path / "beat" / "Q1_a.mid").write_bytes(write_midi(grid))
    (plain,) = read_clip(tmp_path, one)
    assert plain.velocity.tolist() == [64] * 8
    notes = grid.to_notes()
    loud = NoteArray.of(notes.onset + 1.0, 2 * notes.duration, notes.pitch, np.arange(80, 88))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "Q1_a.mid").write_bytes(write_notes(loud))
    (played,) = read_clip(tmp_path, one)
    assert played.velocity.tolist() == list(range(80, 88))
    assert played.length.tolist() == [4] * 8
    assert np.array_equal(played.start, plain.start)


def test_a_folder_of_files_leaves_out_what_cannot_be_read(tmp_path, score):
    (tmp_path / "c.mid").write_bytes(write_midi(score(1, 6)))
    (tmp_path / "b.mid").write_bytes(b"no MIDI at all")
    (tmp_path / "a.mid").write_bytes(write_midi(score(2, 1)))
    (tmp_path / "notes.txt").write_text("no music")
    found = dict(read_pieces(tmp_path))
    assert list(found) == ["a", "c"]
    assert np.array_equal(found["c"].pitch, score(1, 6).pitch)


def test_a_piece_begins_with_the_bar_of_its_first_note(tmp_path, score):
    source = score(1, 3)
    late = replace(source, start=source.start + 2 * BAR, tempo=np.r_[np.full(8, 50.0), source.tempo],
                   chords=(None,) * 8 + source.chords, bars=5)  # fmt: skip
    found = from_first_bar(late)
    assert (found.bars, len(found.tempo), len(found.chords)) == (3, 12, 12)
    assert np.array_equal(found.start, source.start)
    assert np.array_equal(found.tempo, source.tempo)
    assert np.array_equal(from_first_bar(source).start, source.start), "an upbeat's bar stays"
    empty = replace(late, **{name: getattr(late, name)[:0] for name in ("start", "length", "pitch", "velocity")})
    assert from_first_bar(empty).bars == 5
    (tmp_path / "late.mid").write_bytes(write_midi(late))
    assert read_grid(tmp_path / "late.mid").start.min() >= 2 * BAR
    assert dict(read_pieces(tmp_path))["late"].start.min() < BAR


GOOD = (row("Q1_a"), row("Q2_b", DEV), row("Q3_c", split="val"))


def data_of(tmp_path, rows, there=("Q1_a", "Q2_b", "Q3_c")):
    lay(tmp_path / "emopia", rows)
    for clip in there:
        (tmp_path / "emopia" / "beat" / f"{clip}.mid").write_bytes(b"")
    return tmp_path


def test_data_that_can_be_trained_on(tmp_path):
    check_data(data_of(tmp_path, GOOD))


@pytest.mark.parametrize(("rows", "there", "sentence"), [
    ([{"clip": "Q1_a", "song": TRAIN}], (), "no column quadrant, split, key, mode, beat"),
    ([*GOOD, row("Q1_x", quadrant="sad")], ("Q1_a", "Q2_b"), "gives Q1_x the quadrant 'sad'"),
    (GOOD, (), "names 0 clips whose file is in beat/, and none can be trained on"),
    (GOOD, ("Q2_b", "Q3_c"), "names 2 clips whose file is in beat/, and none can be trained on"),
    (GOOD, ("Q1_a", "Q3_c"), "none can be used for development"),
])  # fmt: skip
def test_data_that_cannot(tmp_path, rows, there, sentence):
    with pytest.raises(AffectgenError) as caught:
        check_data(data_of(tmp_path, rows, there))
    assert sentence in caught.value.message
    assert caught.value.hint


def test_data_that_are_not_there(tmp_path):
    with pytest.raises(AffectgenError, match="nowhere does not exist"):
        check_data(tmp_path / "nowhere")
    with pytest.raises(AffectgenError, match=r"no emopia/clips\.csv"):
        check_data(tmp_path)
    lay(tmp_path / "emopia", [row("Q1_a")])
    (tmp_path / "emopia" / "clips.csv").write_text("clip,song,quadrant,split,key,mode,beat\n")
    with pytest.raises(AffectgenError, match="no column clip"):
        check_data(tmp_path)


def test_one_of_several_files_is_enough(tmp_path):
    rows = [row("Q1_a", beat="gone.mid;Q1_a.mid"), row("Q2_b", split="dev")]
    check_data(data_of(tmp_path, rows, ("Q1_a", "Q2_b")))
