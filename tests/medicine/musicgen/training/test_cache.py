"""The cache of codes: encoded once, by content; damaged recordings noted; nothing pickled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from affectgen.audio.files import Frames
from affectgen.errors import AudioError, CheckpointError
from affectgen.medicine.musicgen.training.cache import Cache, codec_name

HOP = 100


class FakeCodec:
    """Two codebooks of the loudness of 100 samples."""

    rate, channels = 1000, 1

    def __init__(self, name: str = "one") -> None:
        self.name, self.seen = name, 0

    def encode(self, sound: Frames) -> torch.Tensor:
        self.seen += 1
        cut = sound[: len(sound) // HOP * HOP, 0].reshape(-1, HOP)
        level = torch.from_numpy((1000 * np.abs(cut).mean(axis=1)).astype(np.int64))
        return torch.stack([level, level + 1])


class Ears:
    """Hears the length."""

    name = "ears"

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, sound: Frames, rate: int) -> NDArray[np.float32]:
        self.seen += 1
        return np.array([len(sound), rate], dtype=np.float32)


NAMES = [f"s{number}.wav" for number in range(6)]


def filled(folder: Path, audio: Path, codec: FakeCodec, seconds: float = 0.5, listener: Ears | None = None) -> Cache:
    cache = Cache(folder, codec, seconds, listener)
    cache.fill(audio, NAMES, (0, 1), lambda *_: None)
    return cache


def test_pieces_of_a_recording(corpus: Path, tmp_path: Path):
    told: list[tuple[int, int]] = []
    ears = Ears()
    cache = Cache(tmp_path / "codes", FakeCodec(), 0.5, ears)
    cache.fill(corpus / "audio", NAMES, (0, 1), lambda *of: told.append(of))
    assert told == [(number, 6) for number in range(1, 7)]
    kept = cache.kept(corpus / "audio", NAMES)
    assert list(kept) == NAMES
    assert [kept[name].frames for name in NAMES] == [(5,), (5, 3), (5, 5), (5, 5), (5, 5, 4), (5, 5, 5)]
    assert kept["s1.wav"].seconds == 0.8
    one, two = cache.codes(kept["s1.wav"])
    assert (one.shape, two.shape) == ((2, 5), (2, 3))
    assert np.array_equal(one[1], one[0] + 1)
    assert cache.features(kept["s1.wav"]).tolist() == [[500, 1000], [300, 1000]]


def test_encoded_once(corpus: Path, tmp_path: Path):
    first, again, other, longer = FakeCodec(), FakeCodec(), FakeCodec("two"), FakeCodec()
    filled(tmp_path, corpus / "audio", first)
    filled(tmp_path, corpus / "audio", again)
    assert (first.seen, again.seen) == (13, 0)
    filled(tmp_path, corpus / "audio", other)
    filled(tmp_path, corpus / "audio", longer, 1.0)
    assert (other.seen, longer.seen) == (13, 7)
    ears = Ears()
    filled(tmp_path, corpus / "audio", again, listener=ears)
    assert ears.seen == 13


def test_content_counts_and_not_name_or_time(corpus: Path, tmp_path: Path):
    audio, codec = tmp_path / "audio", FakeCodec()
    shutil.copytree(corpus / "audio", audio)
    before = filled(tmp_path / "codes", audio, codec).kept(audio, NAMES)
    codec.seen = 0
    shutil.copyfile(audio / "s0.wav", audio / "copy.wav")
    (audio / "s1.wav").touch()
    cache = Cache(tmp_path / "codes", codec, 0.5)
    cache.fill(audio, [*NAMES, "copy.wav"], (0, 1), lambda *_: None)
    assert codec.seen == 0
    kept = cache.kept(audio, [*NAMES, "copy.wav"])
    assert kept["copy.wav"].key == kept["s0.wav"].key
    assert kept["s1.wav"].frames == before["s1.wav"].frames
    shutil.copyfile(audio / "s2.wav", audio / "s3.wav")  # other content under a known name
    with pytest.raises(AudioError, match=r"s3\.wav changed"):
        cache.kept(audio, NAMES)
    assert filled(tmp_path / "codes", audio, codec).kept(audio, NAMES)["s3.wav"].key == kept["s2.wav"].key


def test_damaged_recordings_are_noted(corpus: Path, tmp_path: Path):
    audio = tmp_path / "audio"
    shutil.copytree(corpus / "audio", audio)
    (audio / "s4.wav").write_bytes(b"RIFF and nothing else")
    kept = filled(tmp_path / "codes", audio, FakeCodec()).kept(audio, NAMES)
    assert "s4.wav is not audio" in kept["s4.wav"].damaged
    assert [name for name in NAMES if kept[name].damaged] == ["s4.wav"]
    shutil.copyfile(corpus / "audio" / "s4.wav", audio / "s4.wav")
    assert not filled(tmp_path / "codes", audio, FakeCodec()).kept(audio, NAMES)["s4.wav"].damaged


def test_several_processes_share_the_work(corpus: Path, tmp_path: Path):
    codecs = [FakeCodec(), FakeCodec()]
    for rank, codec in enumerate(codecs):
        Cache(tmp_path, codec, 0.5).fill(corpus / "audio", NAMES, (rank, 2), lambda *_: None)
    assert [codec.seen for codec in codecs] == [6, 7]
    kept = Cache(tmp_path, codecs[0], 0.5).kept(corpus / "audio", NAMES)
    assert [len(kept[name].frames) for name in NAMES] == [1, 2, 2, 2, 3, 3]
    alone = FakeCodec()
    filled(tmp_path, corpus / "audio", alone)
    assert alone.seen == 0


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no zip", None])
def test_a_damaged_cache_is_made_anew(corpus: Path, tmp_path: Path, damage: bytes | None):
    codec = FakeCodec()
    cache = filled(tmp_path, corpus / "audio", codec)
    kept = cache.kept(corpus / "audio", NAMES)["s5.wav"]
    path = tmp_path / f"{kept.key}.npz"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    with pytest.raises(CheckpointError, match="cannot be read"):
        cache.codes(kept)
    codec.seen = 0
    assert len(filled(tmp_path, corpus / "audio", codec).codes(kept)) == 3
    assert codec.seen == 3


def test_notes_that_are_damaged_or_hostile_count_for_nothing(corpus: Path, tmp_path: Path):
    codec = FakeCodec()
    cache = filled(tmp_path, corpus / "audio", codec)
    kept = cache.kept(corpus / "audio", NAMES)["s0.wav"]
    np.savez(tmp_path / f"{kept.key}.npz", codes=np.array([{"a": 1}], dtype=object))  # a pickle
    with pytest.raises(CheckpointError, match="cannot be read"):
        cache.codes(kept)
    for text in ("[1]", "{", json.dumps({"s0.wav": {"size": 1}})):
        (tmp_path / "files-0-of-1.json").write_text(text)
        codec.seen = 0
        assert len(filled(tmp_path, corpus / "audio", codec).kept(corpus / "audio", NAMES)) == 6
        assert codec.seen <= 1


def test_a_codecs_name_follows_its_weights():
    torch.manual_seed(0)
    one, two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    assert codec_name(one) != codec_name(two)
    two.load_state_dict(one.state_dict())
    assert codec_name(one) == codec_name(two)
