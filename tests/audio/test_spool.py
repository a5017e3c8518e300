"""Sound kept aside: the same samples back, in little memory, and nothing left behind."""

from __future__ import annotations

import tempfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.spool import Spool
from affectgen.errors import AffectgenError, AudioError


def noise(frames: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    """float32 [frames, channels]."""
    return np.random.default_rng(seed).normal(0, 0.1, (frames, channels)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 3_000), max_size=6),
    size=st.integers(1, 4_000),
    channels=st.integers(1, 3),
    in_memory=st.sampled_from([1, 5_000, 1 << 20]),
)
def test_what_goes_in_comes_out_again_and_again(sizes: list[int], size: int, channels: int, in_memory: int) -> None:
    whole = noise(sum(sizes), channels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("affectgen.audio.spool.IN_MEMORY", in_memory)
        with Spool(44_100, channels) as spool:
            for part in np.split(whole, np.cumsum(sizes)[:-1]) if sizes else []:
                spool.write(part)
            assert spool.frames == len(whole)
            for _ in range(2):
                found = list(spool.blocks(size))
                assert all(len(block) == size for block in found[:-1])
                assert np.array_equal(np.concatenate([*found, whole[:0]]), whole)
                assert all(block.dtype == np.float32 and block.flags.writeable for block in found)


def test_two_readers_and_a_writer_take_turns() -> None:
    whole = noise(3_000)
    with Spool(44_100, 2) as spool:
        spool.write(whole[:2_000])
        one, two = spool.blocks(700), spool.blocks(900)
        assert np.array_equal(next(one), whole[:700])
        assert np.array_equal(next(two), whole[:900])
        spool.write(whole[2_000:])
        assert np.array_equal(next(one), whole[700:1_400])
        assert np.array_equal(np.concatenate(list(two)), whole[900:])


def test_float64_and_sliced_blocks_are_taken() -> None:
    whole = noise(500, 4)
    with Spool(44_100, 2) as spool:
        spool.write(whole[:, ::2])
        spool.write(whole[:, ::2].astype(np.float64))
        assert np.array_equal(np.concatenate(list(spool.blocks())), np.concatenate([whole[:, ::2]] * 2))


@pytest.mark.parametrize("failing", [False, True])
def test_the_file_has_no_name_and_is_gone_afterwards(
    failing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("affectgen.audio.spool.IN_MEMORY", 1_000)
    with suppress(KeyboardInterrupt), Spool(8_000, 1) as spool:
        spool.write(noise(100_000, 1))
        assert not list(tmp_path.iterdir())
        if failing:
            raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="closed"):
        next(spool.blocks())


def test_memory_does_not_grow_with_the_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affectgen.audio.spool.IN_MEMORY", 1 << 20)
    block = noise(65_536)
    tracemalloc.start()
    with Spool(44_100, 2) as spool:
        for _ in range(60):
            spool.write(block)
        total = sum(len(part) for part in spool.blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 60 * 65_536
    assert peak < 5e6


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda max_size: open("/dev/full", "r+b"))  # noqa: SIM115
    said = f"No space is left in the temporary folder {tmp_path}"
    with pytest.raises(AffectgenError, match=said) as caught, Spool(8_000, 1) as spool:
        spool.write(noise(10, 1))
    assert "TMPDIR" in caught.value.hint


def test_a_missing_temporary_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    monkeypatch.setattr("affectgen.audio.spool.IN_MEMORY", 1_000)
    with pytest.raises(AffectgenError, match=r"temporary folder .*none failed: No such"), Spool(8_000, 1) as spool:
        spool.write(noise(1_000, 1))


def test_wrong_shapes_and_values_that_are_no_numbers_are_refused() -> None:
    with Spool(8_000, 2) as spool:
        for bad in (noise(10, 1), noise(10, 3), noise(10)[:, 0]):
            with pytest.raises(AudioError, match=r"\[N, 2\] was expected"):
                spool.write(bad)
        for value in (np.nan, np.inf, -np.inf):
            bad = noise(10)
            bad[3, 1] = value
            with pytest.raises(AudioError, match="no numbers"):
                spool.write(bad)
        assert spool.frames == 0
        assert list(spool.blocks()) == []
    with pytest.raises(AudioError, match="0 channels"):
        Spool(8_000, 0)
