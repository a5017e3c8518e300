from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.audio import repack
from affectgen.audio.bank import HOME, Bank, dulled
from affectgen.audio.repack import BANK_RATE, PLANS, RATE, Plan
from affectgen.audio.soundfont import Zone


def noise(seconds: float, fall: float = 0.0, seed: int = 1) -> np.ndarray:
    """Stereo noise that falls by so many dB a second."""
    count = round(seconds * RATE)
    fading = 10 ** (-fall * np.arange(count) / RATE / 20)
    return (np.random.default_rng(seed).normal(0, 0.1, (count, 2)) * fading[:, None]).astype(np.float32)


def test_the_plans_follow_one_another() -> None:
    assert PLANS[-1].top == 127
    for plan in PLANS:
        assert plan.nodes[-1] == plan.top
        assert set(plan.nodes) <= set(repack.MEASURED)
    for lower, upper in pairwise(PLANS):
        assert lower.top < upper.nodes[0]


def test_thinned_zones_cover_the_same_keys() -> None:
    found = [Zone(10 * k, 10 * k + 9, 10 * k + 5) for k in range(6)]
    assert repack._thinned(found, 1) == found
    thin = repack._thinned(found, 2)
    assert [zone.root for zone in thin] == [5, 25, 45, 55]
    assert (thin[0].low, thin[-1].high) == (0, 59)
    assert all(a.high + 1 == b.low for a, b in pairwise(thin))
    for key in range(60):
        own = next(zone for zone in thin if zone.low <= key <= zone.high)
        assert abs(own.root - key) <= min(abs(zone.root - key) for zone in thin) + 1


@pytest.mark.parametrize("bits", [8, 13, 16])
def test_packed_tones_come_back_within_half_a_step(bits: int) -> None:
    time = np.arange(RATE) / RATE
    sine = (0.03 * np.sin(2 * np.pi * 500 * time) * np.exp(-3 * time))[:, None].repeat(2, axis=1).astype(np.float32)
    kept, scale = repack._packed(sine, Plan(127, (127,), 1.0, bits, 1))
    assert kept.dtype == np.int16
    assert not (kept & ((1 << (16 - bits)) - 1)).any()
    assert len(kept) == BANK_RATE
    inside = slice(500, -500)
    wanted = (
        0.03
        * np.sin(2 * np.pi * 500 * np.arange(BANK_RATE) / BANK_RATE)
        * np.exp(-3 * np.arange(BANK_RATE) / BANK_RATE)
    )
    step = scale / (1 << (bits - 1))
    assert np.abs(kept[inside, 0] / 32768 * scale - wanted[inside]).max() < 0.51 * step + 1e-6


def test_what_is_60_db_down_is_not_kept() -> None:
    sound = np.concatenate([noise(1.0), noise(1.0) / 10_000])
    kept, _ = repack._packed(sound, Plan(127, (127,), 2.0, 16, 1))
    assert len(kept) == BANK_RATE


def test_levels_are_of_the_first_second_and_both_channels() -> None:
    sound = np.concatenate([np.full((RATE, 2), 0.1, dtype=np.float32), noise(1.0)])
    assert repack._level(sound) == pytest.approx(-20 + 3.01, abs=0.01)
    assert repack._last(np.concatenate([sound[:RATE], sound[: RATE // 5] / 10])) == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("fall", [4.0, 9.0, 15.0])
def test_the_fall_is_of_what_follows_the_part_that_is_kept(fall: float) -> None:
    kept, after = noise(2.0, 6.0), noise(6.0, fall, 2) * 10 ** (-12 / 20)
    assert repack._fall(np.concatenate([kept, after]), 2.0, 48) == pytest.approx(fall, rel=0.06, abs=0.6)


@pytest.mark.parametrize(("key", "least", "most"), [(30, 2.0, 20.0), (72, 3.5, 30.0), (108, 7.0, 60.0)])
def test_the_fall_has_limits(key: int, least: float, most: float) -> None:
    assert repack._fall(noise(5.0, 0.0), 2.0, key) == least
    assert repack._fall(np.concatenate([noise(2.0), np.zeros((RATE, 2), dtype=np.float32)]), 2.0, key) == most


@pytest.mark.parametrize("hertz", [500.0, 2000.0, 6000.0])
def test_the_cutoff_of_a_dull_note_is_found(hertz: float) -> None:
    bright = noise(1.0)
    found = repack._cutoff(bright, dulled(bright, hertz, RATE))
    assert abs(np.log(found / hertz)) <= np.log(repack.CUTOFFS[1] / repack.CUTOFFS[0])


def test_places_between_nodes_are_found() -> None:
    bright = noise(2.0)
    cutoffs = [1000.0, 4000.0]
    made = [*(dulled(bright, one, RATE) for one in cutoffs), bright]
    notes = {
        20: made[0],
        30: 0.7 * made[0] + 0.3 * made[1],
        60: made[1],
        80: 0.2 * made[1] + 0.8 * made[2],
        127: bright,
    }
    plan = Plan(127, (20, 60, 127), 2.0, 16, 1)
    assert repack._places(notes, plan, cutoffs, tuple(notes)) == pytest.approx([0, 0.3, 1, 1.8, 2], abs=0.01)
    assert repack._places({100: bright, 127: bright}, Plan(127, (127,), 2.0, 16, 1), [], (100, 127)) == [0, 0]


def test_smoothing_takes_outliers_out() -> None:
    assert repack._smooth([1, 2, 3, 90, 5, 6, 7]) == [1, 2, 3, 5, 6, 7, 7]
    assert repack._smooth([4, 4, 4]) == [4, 4, 4]


def test_a_layer_begins_where_the_one_below_ends() -> None:
    lower = {"top": 100, "tones": [{"low": 0, "high": 127, "key": 60, "levels": [-60.0, -40.0]}]}
    upper = {
        "top": 127, "velocities": [101, 114, 127],
        "tones": [{"low": 0, "high": 127, "key": 50, "levels": [-43.0, -40.0, -37.3]}],
    }  # fmt: skip
    repack._join(lower, upper)
    assert upper["tones"][0]["levels"] == pytest.approx([-39.9, -38.45, -37.3], abs=0.01)


def test_the_shipped_bank_is_what_the_plans_say() -> None:
    index = json.loads((HOME / "index.json").read_text())
    assert "public domain" in index["origin"]
    assert index["rate"] == BANK_RATE
    info = soundfile.info(HOME / "samples.flac")
    assert (info.samplerate, info.channels) == (BANK_RATE, 2)
    assert info.frames == sum(tone["frames"] for layer in index["layers"] for tone in layer["tones"])
    for plan, layer in zip(PLANS, index["layers"], strict=True):
        assert tuple(layer["nodes"]) == plan.nodes
        assert max(tone["frames"] for tone in layer["tones"]) == round(plan.seconds * BANK_RATE)
    ends = [
        [tone["levels"][-1] for tone in index["layers"][0]["tones"]],
        [t["levels"][0] for t in index["layers"][1]["tones"]],
    ]
    assert np.all(np.array(ends[1]) > np.array(ends[0]))


def test_a_bank_that_is_written_can_be_read(tmp_path: Path) -> None:
    sound, scale = repack._packed(noise(1.2, 5.0), Plan(127, (127,), 1.2, 16, 1))
    tone = {
        "low": 0, "high": 127, "key": 60, "start": 0, "frames": len(sound), "scale": scale, "fall": 5.0, "last": -5.0,
        "cutoffs": [], "levels": [-20.0], "release": [50.0],
    }  # fmt: skip
    layer = {"top": 127, "nodes": (127,), "velocities": (127,), "places": [0.0], "tones": [tone]}
    repack._write(tmp_path / "bank", {"rate": BANK_RATE, "layers": [layer]}, sound)
    found = Bank(tmp_path / "bank").tone(0, 60, 0, BANK_RATE)
    np.testing.assert_allclose(found[:BANK_RATE], sound[:BANK_RATE] / 32768 * scale, atol=1e-6)
