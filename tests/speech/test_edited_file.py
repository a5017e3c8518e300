"""Files come back as they were: what is not edited to the bit, in their own rate, channels and bits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.formats import format_named
from affectgen.errors import AudioError
from affectgen.speech.edited_file import Patch, Recording, encoded, format_of_file, patched, read_recording

COMMENT = "edited with a test"


def written(path: Path, subtype: str, channels: int = 1, rate: int = 16_000, count: int = 4001, **tags: str) -> Path:
    sound = np.random.default_rng(0).normal(size=(count, channels)) * 0.2
    with soundfile.SoundFile(str(path), "w", rate, channels, subtype) as file:
        for name, text in tags.items():
            setattr(file, name, text)
        file.write(sound)
    return path


@pytest.mark.parametrize(
    ("name", "subtype", "channels", "rate"),
    [("a.wav", "PCM_16", 1, 8000), ("a.wav", "PCM_24", 2, 96_000), ("a.wav", "PCM_32", 1, 22_050),
     ("a.wav", "FLOAT", 2, 44_100), ("a.wav", "DOUBLE", 1, 48_000), ("a.wav", "PCM_U8", 1, 11_025),
     ("a.flac", "PCM_16", 2, 44_100), ("a.flac", "PCM_24", 1, 16_000)],
)  # fmt: skip
def test_a_file_is_written_again_with_the_same_samples(
    tmp_path: Path, name: str, subtype: str, channels: int, rate: int
) -> None:
    path = written(tmp_path / name, subtype, channels, rate)
    data, notes = encoded(read_recording(path), format_named(path.suffix[1:]), COMMENT)
    whole = subtype.startswith("PCM")
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.samplerate, file.channels, file.subtype) == (rate, channels, subtype)
        assert file.copy_metadata()["comment"] == COMMENT
        new = file.read(dtype="int32" if whole else "float64", always_2d=True)
    old = soundfile.read(path, dtype="int32" if whole else "float64", always_2d=True)[0]
    np.testing.assert_array_equal(new, old)
    assert notes == []


def test_the_same_bytes_come_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = read_recording(written(tmp_path / "a.wav", "FLOAT"))
    first = encoded(recording, format_named("wav"), COMMENT)[0]
    import time

    time.sleep(1.1)  # libsndfile writes the second into files of floats
    assert encoded(recording, format_named("wav"), COMMENT)[0] == first
    ogg = [encoded(recording, format_named("ogg"), COMMENT)[0] for _ in range(2)]
    assert ogg[0] == ogg[1]


def test_the_files_own_tags_stay(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", "PCM_16", title="Take 7", comment="in the hall")
    data, _ = encoded(read_recording(path), format_named("flac"), COMMENT)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        tags = file.copy_metadata()
    assert tags["title"] == "Take 7"
    assert tags["comment"] == f"in the hall; {COMMENT}"


def test_what_a_format_cannot_hold_is_said(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path / "a.wav", "FLOAT"))
    assert "24 bits" in encoded(recording, format_named("flac"), COMMENT)[1][0]
    assert "lossy" in encoded(recording, format_named("ogg"), COMMENT)[1][0]
    lossy = tmp_path / "a.ogg"
    lossy.write_bytes(encoded(recording, format_named("ogg"), COMMENT)[0])
    again = read_recording(lossy)
    data, notes = encoded(again, format_named("wav"), COMMENT)  # decoded samples, exactly
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)[0], again.stored)
    assert notes == []


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.sampled_from(["PCM_16", "PCM_24", "FLOAT"]), st.data())
def test_nothing_outside_a_patch_changes(channels: int, subtype: str, data: st.DataObject) -> None:
    rng = np.random.default_rng(1)
    floats = rng.normal(size=(200, channels)) * 0.3
    empty = Recording(np.zeros((0, channels)), 8000, subtype)
    recording = Recording(empty.rounded(floats), 8000, subtype)
    start = data.draw(st.integers(0, 200))
    end = data.draw(st.integers(start, 200))
    length = data.draw(st.integers(0, 50))
    new = patched(recording, [Patch(start, end, rng.normal(size=(length, channels)))])
    assert len(new.stored) == 200 + length - (end - start)
    np.testing.assert_array_equal(new.stored[:start], recording.stored[:start])
    np.testing.assert_array_equal(new.stored[start + length :], recording.stored[end:])
    assert new.stored.dtype == recording.stored.dtype


def test_new_sound_is_cut_off_at_full_scale_and_not_wrapped_round() -> None:
    recording = Recording(np.zeros((10, 1), dtype=np.int32), 8000, "PCM_16")
    new = patched(recording, [Patch(2, 4, np.array([[3.0], [-3.0]]))]).floats()
    assert new[2, 0] == pytest.approx(1.0, abs=1e-4)
    assert new[3, 0] == -1.0


def test_patches_that_overlap_are_a_fault() -> None:
    recording = Recording(np.zeros((10, 1)), 8000, "DOUBLE")
    with pytest.raises(ValueError, match="overlaps"):
        patched(recording, [Patch(2, 5, np.zeros((1, 1))), Patch(4, 6, np.zeros((1, 1)))])


def test_what_is_no_audio_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"no sound at all")
    with pytest.raises(AudioError, match="not audio"):
        read_recording(path)
    nan = tmp_path / "nan.wav"
    soundfile.write(nan, np.full(100, np.nan, dtype=np.float32), 8000, "FLOAT")
    with pytest.raises(AudioError, match="no numbers"):
        read_recording(nan)
    assert format_of_file(nan) == "WAV"
