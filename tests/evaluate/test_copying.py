"""Copied patterns: found through transposition, tempo and quantisation; not found where they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.evaluate.copying import (
    STEPS,
    copied_by_piece,
    copied_share,
    index_files,
    index_pieces,
    patterns_of,
    pitch_sequence,
)
from affectgen.score.notes import NoteArray


def tune(seed: int, count: int = 60) -> NoteArray:
    numbers = np.random.default_rng(seed)
    return NoteArray.of(np.arange(count) * 0.25, [0.2] * count, numbers.integers(50, 80, count), [64] * count)


def test_thirteen_notes_make_one_pattern() -> None:
    assert len(patterns_of(tune(0, STEPS))) == 0
    assert len(patterns_of(tune(0, STEPS + 1))) == 1
    assert len(patterns_of(tune(0, 60))) == 60 - STEPS
    assert len(patterns_of(NoteArray.of([], [], [], []))) == 0


def test_the_share_by_hand() -> None:
    source, other = tune(1, 40), tune(2, 40)
    half = NoteArray.of(
        np.arange(40) * 0.25, [0.2] * 40, np.r_[source.pitch[:20], other.pitch[20:]], [64] * 40
    )  # its first 20 notes give 20 - 12 = 8 patterns of the source, out of 28
    assert copied_share([half], index_pieces([source])) == pytest.approx(8 / 28)
    assert copied_share([half], index_pieces([source, other])) == pytest.approx(16 / 28)
    assert copied_by_piece([source, other], index_pieces([source])) == [1.0, 0.0]


@given(st.integers(0, 1000), st.integers(-20, 20), st.floats(0.5, 2.0))
@settings(max_examples=30, deadline=None)
def test_transposition_tempo_and_velocity_do_not_hide_a_copy(seed: int, steps: int, tempo: float) -> None:
    source = tune(seed)
    copy = NoteArray.of(source.onset * tempo + 1, source.duration, source.pitch + steps, [100] * len(source))
    assert copied_share([copy], index_pieces([source])) == 1.0


def test_unrelated_tunes_share_nothing() -> None:
    index = index_pieces(tune(seed) for seed in range(50))
    assert index.files == 50
    assert copied_share([tune(seed) for seed in range(100, 120)], index) == 0.0


def test_a_chord_played_not_quite_together_is_the_same_chord() -> None:
    strict = NoteArray.of([0, 0, 0, 1], [1] * 4, [60, 64, 67, 72], [64] * 4)
    rolled = NoteArray.of([0.04, 0.02, 0.0, 1], [1] * 4, [60, 64, 67, 72], [64] * 4)
    assert pitch_sequence(strict).tolist() == pitch_sequence(rolled).tolist() == [60, 64, 67, 72]
    apart = NoteArray.of([0.2, 0.1, 0.0, 1], [1] * 4, [60, 64, 67, 72], [64] * 4)
    assert pitch_sequence(apart).tolist() == [67, 64, 60, 72]


def test_an_empty_index_finds_nothing() -> None:
    assert copied_share([tune(0)], index_pieces([])) == 0.0
    assert copied_share([], index_pieces([tune(0)])) == 0.0


def test_large_intervals_do_not_collide() -> None:
    low_high = NoteArray.of(np.arange(14), [1] * 14, [0, 127] * 7, [64] * 14)
    high_low = NoteArray.of(np.arange(14), [1] * 14, [127, 0] * 7, [64] * 14)
    assert len(set(patterns_of(low_high)) | set(patterns_of(high_low))) == 2


def files(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{seed}.tune" for seed in range(count)]
    for path in paths:
        path.write_text("x" * (1 + int(path.stem)))
    return paths


def test_the_index_of_files_is_cached_and_renewed(tmp_path: Path) -> None:
    paths, read = files(tmp_path, 3), []

    def reader(path: Path) -> NoteArray:
        read.append(path)
        return tune(int(path.stem))

    cache = tmp_path / "deep" / "index.npz"
    first = index_files(paths, reader, cache)
    assert len(read) == 3
    again = index_files(paths, reader, cache)
    assert len(read) == 3
    np.testing.assert_array_equal(first.hashes, again.hashes)
    assert again.files == 3
    paths[0].write_text("another size altogether")
    index_files(paths, reader, cache)
    assert len(read) == 6
    cache.write_bytes(b"damaged")
    mended = index_files(paths, reader, cache)
    assert len(read) == 9
    np.testing.assert_array_equal(mended.hashes, first.hashes)
    assert sorted(path.name for path in cache.parent.iterdir()) == ["index.npz"]
