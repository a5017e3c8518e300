"""Batches: every piece once an epoch, neighbours in length together, the same in every process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect
from affectgen.medicine.musicgen.training.cache import Kept
from affectgen.medicine.musicgen.training.data import Piece, Reader, Standard, batches_of, pieces_of
from affectgen.medicine.musicgen.training.table import Track

CARD = 9


def made(*lengths: int) -> list[Piece]:
    return [Piece(Track(f"{n}"), Kept(0, 0, "", f"{n}", (length,)), 0) for n, length in enumerate(lengths)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=200), st.integers(1, 7), st.integers(0, 3), st.integers(0, 3))
def test_every_piece_once_an_epoch(lengths: list[int], size: int, seed: int, epoch: int):
    pieces = made(*lengths)
    batches = batches_of(pieces, size, seed, epoch)
    assert sorted(piece.kept.key for batch in batches for piece in batch) == sorted(p.kept.key for p in pieces)
    assert len(batches) == -(-len(pieces) // size)
    assert batches == batches_of(pieces, size, seed, epoch)


def test_batches_are_of_like_length_and_new_in_each_epoch():
    pieces = made(*[5, 50] * 32)
    batches = batches_of(pieces, 4, 0, 0)
    assert all(len({piece.frames for piece in batch}) == 1 for batch in batches)
    orders = [[piece.kept.key for batch in batches_of(pieces, 4, 0, epoch) for piece in batch] for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2]


def test_pieces_of_a_split():
    tracks = [Track("a", split="train"), Track("b", split="valid"), Track("damaged", split="train")]
    kept = {"a": Kept(0, 0, "", "k", (5, 3)), "b": Kept(0, 0, "", "l", (4,))}
    assert [(piece.track.name, piece.frames) for piece in pieces_of(tracks, kept, "train")] == [("a", 5), ("a", 3)]
    assert [(piece.track.name, piece.frames) for piece in pieces_of(tracks, kept, "valid")] == [("b", 4)]


class Held:
    """A cache that holds codes and features of any recording."""

    def codes(self, kept: Kept) -> list[np.ndarray]:
        ends = np.cumsum(kept.frames)
        whole = np.arange(2 * ends[-1]).reshape(2, -1).astype(np.uint16) % CARD
        return [whole[:, end - count : end] for end, count in zip(ends, kept.frames, strict=True)]

    def features(self, kept: Kept) -> np.ndarray:
        return np.arange(2 * len(kept.frames), dtype=np.float32).reshape(-1, 2)


def test_a_batch_is_filled_up_with_what_is_no_code():
    track, kept = Track("a", Affect(0.5, -0.25)), Kept(0, 0, "", "k", (3, 2))
    standard = Standard(np.zeros(2, np.float32), np.full(2, 2.0, np.float32))
    batch = Reader(Held(), CARD, "cpu", standard)(  # type: ignore[arg-type]
        [Piece(track, kept, 0), Piece(Track("b"), kept, 1)], ["x", ""]
    )
    assert batch.codes.dtype == torch.long
    assert batch.codes.tolist() == [[[0, 1, 2], [5, 6, 7]], [[3, 4, CARD], [8, 0, CARD]]]
    assert batch.captions == ("x", "")
    assert batch.points.tolist() == [[0.5, -0.25], [0, 0]]
    assert batch.known.tolist() == [True, False]
    assert batch.features is not None
    assert batch.features.tolist() == [[0, 0.5], [1, 1.5]]


def test_features_in_standard_deviations():
    drawn = np.random.default_rng(0).normal(3, 2, (500, 3)).astype(np.float32)
    drawn[:, 2] = 7  # never changes: says nothing
    drawn[0] = np.nan  # the guide heard nothing
    drawn[1, 0] = 1e6
    standard = Standard.of(drawn)
    found = standard(drawn).numpy()
    assert found[2:, 1].mean() == pytest.approx(0, abs=0.05)
    assert found[2:, 1].std() == pytest.approx(1, abs=0.05)
    assert (found[1:, 2] == 0).all()
    assert np.isnan(found[0]).all()
    assert found[1, 0] == 4
    assert np.isfinite(Standard.of(np.full((2, 3), np.nan, np.float32)).mean).all()


def test_paths_are_not_read_twice(tmp_path: Path):
    calls: list[str] = []

    class Counting(Held):
        def codes(self, kept: Kept) -> list[np.ndarray]:
            calls.append(kept.key)
            return super().codes(kept)

    reader = Reader(Counting(), CARD, "cpu")  # type: ignore[arg-type]
    for _ in range(3):
        assert reader(made(3, 4), ["", ""]).features is None
    assert calls == ["0", "1"]
