"""Levelling: the loudness asked is reached, no peak passes the ceiling, and what cannot be measured is let be."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from affectgen.audio.level import PEAKS, SHORT, SILENT, TURNED_DOWN, Level, Levelled, levelled
from affectgen.audio.spool import Spool
from affectgen.errors import UsageError

RATE = 44_100


def notes(seconds: float, seed: int = 0, channels: int = 2) -> np.ndarray:
    """Struck tones with overtones, about ten a second, some 15 dB from loudness to peak; float32 [N, channels]."""
    rng = np.random.default_rng(seed)
    sound = np.zeros((round(RATE * seconds), channels))
    t = np.arange(RATE) / RATE
    for _ in range(round(10 * seconds) + 1):
        start, hertz = rng.integers(len(sound)), 110 * 2 ** (rng.integers(36) / 12)
        tone = sum(np.sin(2 * np.pi * hertz * k * t) / k for k in (1, 2, 3)) * np.exp(-rng.uniform(3, 8) * t)
        tone = (rng.uniform(0.02, 0.1) * tone)[: len(sound) - start]
        sound[start : start + RATE] += tone[:, None] * rng.uniform(0.3, 1, channels)
    return sound.astype(np.float32)


@contextmanager
def at_level(sound: np.ndarray, level: Level) -> Iterator[tuple[Levelled, np.ndarray]]:
    """What levelling says of the sound, and the sound levelled."""
    with Spool(RATE, sound.shape[1]) as spool:
        for start in range(0, len(sound), 50_000):
            spool.write(sound[start : start + 50_000])
        done = levelled(spool, level)
        out = np.concatenate([*done.blocks(), sound[:0]])
        assert out.shape == sound.shape
        assert np.array_equal(np.concatenate([*done.blocks(), sound[:0]]), out), "the same every time"
        yield done, out


def loudness(sound: np.ndarray) -> float:
    """By pyloudnorm, LUFS."""
    return float(pyloudnorm.Meter(RATE).integrated_loudness(sound.astype(np.float64)))


def peak(sound: np.ndarray) -> float:
    """By scipy, dBTP."""
    return float(20 * np.log10(np.abs(resample_poly(sound.astype(np.float64), 4, 1, axis=0)).max()))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    channels=st.integers(1, 2),
    asked=st.floats(-40, -10),
    ceiling=st.floats(-3, 0),
    given_db=st.floats(-30, 20),
)
def test_the_loudness_asked_is_reached(seed: int, channels: int, asked: float, ceiling: float, given_db: float) -> None:
    sound = notes(3, seed, channels) * np.float32(10 ** (given_db / 20))
    with at_level(sound, Level(asked, ceiling)) as (done, out):
        assert peak(out) <= ceiling + 0.05
        assert done.loudness_before == pytest.approx(loudness(sound), abs=0.01)
        assert done.loudness == pytest.approx(loudness(out), abs=0.01)
        assert done.true_peak == pytest.approx(peak(out), abs=0.05)
        if done.note is None:
            assert loudness(out) == pytest.approx(asked, abs=0.1)
        else:
            assert done.note == PEAKS
            assert done.limited_db == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize("asked", [-14.0, -12.0, -9.0, -8.0])
def test_limiting_is_made_up_for_in_few_passes(asked: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affectgen.audio.level.SHORT_SECONDS", 0.0)
    sound = notes(8)
    with at_level(sound, Level(asked)) as (done, out):
        assert done.note is None
        assert loudness(out) == pytest.approx(asked, abs=0.1)
        assert peak(out) <= -0.95
        assert done.limited_db > 0
        if asked >= -9:
            assert done.gain_db > asked - loudness(sound) + 0.1


def test_without_peaks_too_high_it_is_one_gain() -> None:
    sound = notes(3)
    with at_level(sound, Level(-30.0)) as (done, out):
        assert done.limited_db == 0
        assert np.array_equal(out, sound * np.float32(10 ** (done.gain_db / 20)))
        assert done.true_peak == pytest.approx(peak(sound) + done.gain_db, abs=0.05)


def test_without_a_loudness_only_the_ceiling_counts() -> None:
    sound = notes(3)
    with at_level(sound, Level(None)) as (done, out):
        assert np.array_equal(out, sound)
        assert (done.gain_db, done.limited_db, done.note) == (0, 0, None)
        assert done.loudness == done.loudness_before
    with at_level(sound * np.float32(10), Level(None)) as (done, out):
        assert peak(out) <= -0.95
        assert (done.gain_db, done.note) == (0, None)
        assert done.limited_db > 3
        quiet = np.abs(sound[:, 0]).argmin()
        assert out[quiet, 0] == pytest.approx(0, abs=1e-3)
    with at_level(sound * np.float32(100), Level(None, 0.0)) as (done, out):
        assert peak(out) <= 0.05
        assert done.note == TURNED_DOWN
        assert done.limited_db == pytest.approx(12, abs=0.1)


def test_peaks_far_above_the_rest_keep_it_quieter() -> None:
    sound = np.random.default_rng(0).normal(0, 1e-3, (3 * RATE, 2)).astype(np.float32)
    sound[::RATE] = 0.9
    with at_level(sound, Level(-10.0)) as (done, out):
        assert done.note == PEAKS
        assert done.limited_db == pytest.approx(12, abs=0.1)
        assert done.loudness == pytest.approx(loudness(out), abs=0.01)
        assert loudness(out) < -20
        assert peak(out) <= -0.95


def bursts() -> np.ndarray:
    """Short bursts of noise, which lose much to a limiter, and not evenly; float32 [N, 2]."""
    fall = np.exp(-(np.arange(3 * RATE) % 20_000) / 800)[:, None]
    return (0.2 * fall * np.random.default_rng(0).normal(0, 1, (3 * RATE, 2))).astype(np.float32)


@pytest.mark.parametrize("asked", [-22.0, -21.0, -20.5, -20.0])
def test_short_sound_on_which_few_passes_fail_gets_more(asked: float) -> None:
    with at_level(bursts(), Level(asked)) as (done, out):
        assert done.note is None
        assert loudness(out) == pytest.approx(asked, abs=0.1)


def test_the_search_itself_never_limits_more_than_it_may() -> None:
    """The first gain is allowed here, and does not do."""
    with at_level(bursts(), Level(-16.0)) as (done, out):
        assert done.note == PEAKS
        assert done.limited_db == pytest.approx(12, abs=0.1)
        assert peak(out) <= -0.95


@pytest.mark.parametrize("frames", [0, 1, 100, 5 * RATE])
@pytest.mark.parametrize("asked", [-16.0, None])
def test_silence_stays_silent(frames: int, asked: float | None) -> None:
    with at_level(np.zeros((frames, 2), np.float32), Level(asked)) as (done, out):
        assert not out.any()
        assert (done.gain_db, done.loudness, done.true_peak, done.limited_db) == (0, None, None, 0)
        assert done.note == (None if asked is None else SHORT if 0 < frames <= 100 else SILENT)


def test_what_is_too_short_or_too_quiet_is_let_be_but_for_its_peaks() -> None:
    short = notes(0.3)
    with at_level(short, Level(-16.0)) as (done, out):
        assert np.array_equal(out, short)
        assert (done.note, done.loudness, done.gain_db) == (SHORT, None, 0)
        assert done.true_peak == pytest.approx(peak(short), abs=0.05)
    with at_level(short * np.float32(20), Level(-16.0)) as (done, out):
        assert done.note == SHORT
        assert peak(out) <= -0.95
    quiet = notes(1) * np.float32(1e-4)
    with at_level(quiet, Level(-16.0)) as (done, out):
        assert np.array_equal(out, quiet)
        assert done.note == SILENT


def test_very_quiet_sound_near_the_gate_is_brought_up_right() -> None:
    sound = notes(5) * np.geomspace(1, 0.1, 5 * RATE, dtype=np.float32)[:, None]
    sound *= np.float32(10 ** ((-62 - loudness(sound)) / 20))
    with at_level(sound, Level(-25.0)) as (_, out):
        assert loudness(out) == pytest.approx(-25, abs=0.05)


@pytest.mark.parametrize("loudness", [-70.1, -4.9, float("nan"), float("inf"), 16.0])
def test_a_loudness_out_of_range_is_refused(loudness: float) -> None:
    with pytest.raises(UsageError, match="LUFS was asked for"):
        Level(loudness)


@pytest.mark.parametrize("ceiling", [-20.1, 0.1, float("nan"), float("-inf")])
def test_a_ceiling_out_of_range_is_refused(ceiling: float) -> None:
    with pytest.raises(UsageError, match="dBTP was asked for"):
        Level(ceiling=ceiling)


def test_the_ends_of_the_ranges_are_taken() -> None:
    sound = notes(1)
    for asked, ceiling in ((-70.0, -20.0), (-5.0, 0.0), (-70.0, 0.0), (-5.0, -20.0)):
        with at_level(sound, Level(asked, ceiling)) as (done, out):
            assert peak(out) <= ceiling + 0.05
            assert (done.note is None) == (asked == -70)


def test_the_facts_are_plain_json() -> None:
    with at_level(notes(1), Level(-16.0)) as (done, _):
        facts = json.loads(json.dumps(done.to_json(), allow_nan=False))
    assert facts["loudness"] == pytest.approx(-16, abs=0.1)
    assert set(facts) == {
        *("loudness_asked", "ceiling", "loudness_before", "gain_db", "loudness", "true_peak", "limited_db", "note")
    }
    with at_level(np.zeros((10, 1), np.float32), Level(-16.0)) as (done, _):
        assert done.to_json()["true_peak"] is None


@pytest.mark.parametrize(("asked", "bar"), [(-30.0, 1.0), (-10.0, 3.0)])
def test_half_a_minute_is_levelled_fast_in_little_memory(asked: float, bar: float) -> None:
    """The bars are for three minutes, so six times what is asked here stays free for a slow machine."""
    sound = notes(30)
    with Spool(RATE, 2) as spool:
        spool.write(sound)
        levelled(spool, Level(asked))  # imports
        start = time.process_time()
        sum(len(block) for block in levelled(spool, Level(asked)).blocks())
        assert time.process_time() - start < bar
        tracemalloc.start()
        sum(len(block) for block in levelled(spool, Level(asked)).blocks())
        peak_memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak_memory < 2e7
