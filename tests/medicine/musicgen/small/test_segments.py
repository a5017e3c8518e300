"""Pieces of clips, with the notes that are heard in them and what the guide reads."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.medicine.musicgen.small.data import RATE, read_table
from affectgen.medicine.musicgen.small.segments import pieces, write_segments
from affectgen.medicine.musicgen.training.table import read_labels


class Counting:
    """A guide that reads how many notes there are, and how loud."""

    def rate(self, heard):
        return np.array([(len(notes) / 200, notes.velocity.mean() / 127) for notes in heard])


def test_pieces_are_whole_and_their_notes_begin_in_them(played, sounds):
    found = list(pieces(played, sounds, "train", 3.0))
    assert len({name for name, _, _ in found}) == len(found) > sum(clip.part == "train" for clip in read_table(sounds))
    for name, sound, notes in found:
        assert len(sound) == 3 * RATE
        assert 0 <= notes.onset.min() <= notes.onset.max() < 3.0
        if name.endswith("-0.wav"):
            struck = round(0.04 * RATE)
            assert notes.onset[0] == pytest.approx(0.04)
            assert np.abs(sound[: struck - 100]).max() < 0.02 * np.abs(sound[struck : struck + 2000]).max()


def test_the_table_says_what_the_guide_reads(played, sounds, tmp_path):
    count = write_segments(played, sounds, tmp_path, Counting(), lambda text: None, 3.0)
    tracks = read_labels(tmp_path / "labels.csv")
    assert len(tracks) == count == len(list(tmp_path.glob("*.wav"))) > 0
    assert {track.split for track in tracks} == {"train", "valid"}
    loud = [track.affect.arousal for track in tracks if track.name.startswith(("Q1", "Q2"))]
    soft = [track.affect.arousal for track in tracks if track.name.startswith(("Q3", "Q4"))]
    assert min(loud) > 0.6 > 0.5 > max(soft)
    assert {track.caption for track in tracks} == {"solo piano"}
