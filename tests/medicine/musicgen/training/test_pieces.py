"""Cutting recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectgen.errors import AudioError
from affectgen.medicine.musicgen.training.pieces import pieces

RATE = 1000


def recording(folder: Path, frames: int, channels: int = 1) -> tuple[Path, np.ndarray]:
    made = (np.arange(frames)[:, None] % 199 / 256 + np.arange(channels) / 8).astype(np.float32)
    path = folder / "x.wav"
    soundfile.write(path, made, RATE, subtype="FLOAT")
    return path, made


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(250, 200_000), st.integers(500, 40_000))
def test_pieces_follow_one_another_and_only_a_short_end_is_left_out(tmp_path: Path, frames: int, size: int):
    path, made = recording(tmp_path, frames)
    found = list(pieces(path, RATE, 1, size / RATE))
    joined = np.concatenate(found)
    assert np.array_equal(joined, made[: len(joined)])
    assert all(len(piece) == size for piece in found[:-1])
    left = frames - len(joined)
    assert 2 * left < size
    assert not left or len(found[-1]) == size
    assert len(found) == 1 or 2 * len(found[-1]) >= size


def test_rate_and_channels_become_the_codecs(tmp_path: Path):
    path, _ = recording(tmp_path, 3000, channels=2)
    (piece,) = pieces(path, 2 * RATE, 1, 30.0)
    assert piece.dtype == np.float32
    assert piece.shape == (6000, 1)
    (wide,) = pieces(recording(tmp_path, 3000)[0], RATE, 2, 30.0)
    assert wide.shape == (3000, 2)


def test_too_short_and_no_audio(tmp_path: Path):
    path, _ = recording(tmp_path, 200)
    with pytest.raises(AudioError, match=r"holds 0.20 s of sound"):
        list(pieces(path, RATE, 1, 30.0))
    (tmp_path / "y.wav").write_text("no audio")
    with pytest.raises(AudioError, match="not audio that can be read"):
        list(pieces(tmp_path / "y.wav", RATE, 1, 30.0))
