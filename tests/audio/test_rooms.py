"""Rooms: they ring as long as they say, keep length and peak, and are the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.audio.rooms import Room, in_room

RATE = 16000


@pytest.mark.parametrize("decay", [0.3, 1.2])
def test_the_tail_falls_by_sixty_decibels_in_its_time(decay: float) -> None:
    tail = Room(decay=decay, wet=0.0, dull=0.3).response(RATE)[int(0.06 * RATE) :].astype(float)
    time = np.arange(len(tail)) / RATE
    blocks = len(tail) // 800
    level = 10 * np.log10((tail[: blocks * 800] ** 2).reshape(blocks, 800).mean(axis=1))
    slope = np.polyfit(time[: blocks * 800 : 800], level, 1)[0]
    assert slope * decay == pytest.approx(-60, rel=0.1)


def test_wet_is_the_energy_of_the_tail() -> None:
    response = Room(wet=-9.0, seed=4).response(RATE).astype(float)
    assert response[0] == 1
    assert 10 * np.log10((response[1:] ** 2).sum()) == pytest.approx(-9, abs=0.01)


def test_length_and_peak_stay() -> None:
    sound = np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    heard = in_room(sound, Room(wet=0.0), RATE)
    assert heard.shape == sound.shape
    assert np.abs(heard).max() == pytest.approx(np.abs(sound).max(), rel=1e-5)
    assert np.corrcoef(heard, sound)[0, 1] < 0.95  # yet it sounds otherwise


def test_a_dull_room_loses_treble() -> None:
    def share(dull: float) -> float:
        power = np.abs(np.fft.rfft(Room(dull=dull, seed=1).response(RATE)[1:])) ** 2
        return float(power[len(power) // 2 :].sum() / power.sum())

    assert share(0.8) < share(0.2)


def test_silence_and_nothing_stay() -> None:
    assert not in_room(np.zeros(100, dtype=np.float32), Room(), RATE).any()
    assert len(in_room(np.zeros(0, dtype=np.float32), Room(), RATE)) == 0


def test_drawn_rooms_are_repeatable_and_differ() -> None:
    first, second = (Room.drawn(np.random.default_rng(seed)) for seed in (1, 2))
    assert first != second
    assert first == Room.drawn(np.random.default_rng(1))
