"""Which songs are for development: a choice that shipped weights were made with may never move."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from affectgen.score.split import dev_songs_in_order, is_dev_song


def test_songs_are_divided_by_a_hash_of_their_names() -> None:
    assert [number for number in range(60) if is_dev_song(f"song{number}")] == [21, 23, 26]
    assert np.mean([is_dev_song(f"song {number}") for number in range(3000)]) == pytest.approx(1 / 14, abs=0.02)


def test_every_fourteenth_in_the_order_of_names() -> None:
    songs = [f"s{number:02d}" for number in range(30)]
    assert dev_songs_in_order([*reversed(songs), "s03"]) == {"s00", "s14", "s28"}


def test_the_shipped_models_development_songs(emopia: Path) -> None:
    with (emopia / "clips.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    held = dev_songs_in_order(row["song"] for row in rows)
    assert sum(row["song"] not in held for row in rows) == 722  # clips in checkpoints/expression's card
    assert sum(is_dev_song(row["song"]) for row in rows) == 48
