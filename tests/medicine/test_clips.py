"""Finished clips on disk: found again, told apart, removed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.medicine.clips import Clips, Made


@dataclass(frozen=True)
class Wanted:
    number: int
    seed: int


SOUND = np.random.default_rng(0).uniform(-1.5, 1.5, (500, 2)).astype(np.float32)
MADE = Made(3, {"valence": 0.5, "arousal": 0.1}, {"key": "C major"})


def kept(tmp_path, settings=None):
    clips = Clips(tmp_path / "s.clips", settings if settings is not None else {"a": 1})
    clips.keep(MADE, clips.key(Wanted(3, 7)), SOUND, 44_100, b"MThd")
    return clips


def test_a_clip_is_found_again_with_its_sound_and_facts(tmp_path):
    clips = kept(tmp_path)
    assert clips.find(3, clips.key(Wanted(3, 7))) == MADE
    assert np.array_equal(clips.load(3, 44_100), SOUND)
    assert clips.find(4, clips.key(Wanted(3, 7))) is None


def test_a_clip_of_other_settings_or_another_seed_does_not_count(tmp_path):
    clips = kept(tmp_path)
    assert clips.find(3, clips.key(Wanted(3, 8))) is None
    other = Clips(clips.home, {"a": 2})
    assert other.find(3, other.key(Wanted(3, 7))) is None


@pytest.mark.parametrize("left", ["003.wav", "003.json", ""])
def test_half_a_clip_is_none(tmp_path, left):
    clips = kept(tmp_path)
    for path in clips.home.iterdir():
        if path.name != left:
            path.unlink()
    assert clips.find(3, clips.key(Wanted(3, 7))) is None
    clips.home.joinpath("003.json").write_text("{")
    assert clips.find(3, clips.key(Wanted(3, 7))) is None


def test_removing_leaves_what_is_not_a_clip(tmp_path):
    clips = kept(tmp_path)
    clips.remove(3)
    assert not clips.home.exists()
    clips = kept(tmp_path)
    clips.keep(replace(MADE, number=9), "of a longer session", SOUND, 44_100, None)
    for name in ("mine.txt", "001.jpg", "123.wav"):
        clips.home.joinpath(name).write_text("keep")
    clips.remove(3)
    assert sorted(path.name for path in clips.home.iterdir()) == ["001.jpg", "123.wav", "mine.txt"]


def test_clips_beyond_999_are_removed_as_well(tmp_path):
    clips = Clips(tmp_path / "s.clips", {})
    clips.keep(replace(MADE, number=1000), "k", SOUND, 44_100, None)
    assert clips.find(1000, "k") is not None
    clips.remove(1000)
    assert not clips.home.exists()


def test_a_clip_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    clips = Clips(tmp_path / "s.clips", {})

    def full(part, *_):
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("affectgen.medicine.clips.write_sound", full)
    with pytest.raises(AffectgenError, match="No space is left"):
        clips.keep_sound(1, SOUND, 44_100)
    assert list(clips.home.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    tmp_path.joinpath("file").write_text("")
    with pytest.raises(AffectgenError, match="cannot be written"):
        Clips(tmp_path / "file" / "clips", {})


@pytest.mark.parametrize("facts", [b"[]", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"key": 1}'])
def test_damaged_facts_are_none(tmp_path, facts):
    clips = kept(tmp_path)
    (clips.home / "003.json").write_bytes(facts)
    assert clips.find(3, clips.key(Wanted(3, 7))) is None


def test_a_sound_that_was_cut_is_none(tmp_path):
    clips = kept(tmp_path)
    path = clips.home / "003.wav"
    path.write_bytes(path.read_bytes()[:-100])
    assert clips.find(3, clips.key(Wanted(3, 7))) is None


def test_codes_are_found_again_and_damaged_ones_are_not(tmp_path):
    clips = Clips(tmp_path / "s.clips", {})
    codes = np.arange(12).reshape(2, 6)
    clips.keep_codes(MADE, "k", codes)
    found = clips.find_codes(3, "k")
    assert found is not None
    assert found[0] == MADE
    assert np.array_equal(found[1], codes)
    assert clips.find_codes(3, "other") is None
    assert clips.find(3, "k") is None, "codes are no sound"
    path = clips.home / "003.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert clips.find_codes(3, "k") is None or np.array_equal(clips.find_codes(3, "k")[1], codes)
    path.write_bytes(b"PK")
    assert clips.find_codes(3, "k") is None
