"""Loudness and true peak in blocks, against pyloudnorm and scipy on the whole, and against the standards' signals."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from affectgen.audio.loudness import Meter, PeakMeter, frame_peaks, true_peak
from affectgen.errors import AudioError


def sine(rate: int, seconds: float, hertz: float, decibels: float, channels: int = 2) -> np.ndarray:
    """A sine whose peak is at `decibels` of full scale, float32 [N, channels]."""
    wave = 10 ** (decibels / 20) * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def notes(rate: int, seconds: float, seed: int, channels: int = 2) -> np.ndarray:
    """Struck tones of random pitch, strength and place, float32 [N, channels]."""
    rng = np.random.default_rng(seed)
    sound = np.zeros((round(rate * seconds), channels))
    for _ in range(round(4 * seconds) + 1):
        start, hertz = rng.integers(len(sound)), 110 * 2 ** (rng.integers(48) / 12)
        t = np.arange(len(sound) - start) / rate
        tone = rng.uniform(0.01, 0.3) * np.exp(-4 * t) * np.sin(2 * np.pi * hertz * t)
        sound[start:] += tone[:, None] * rng.uniform(0.2, 1, channels)
    return sound.astype(np.float32)


def parts(sound: np.ndarray, seed: int, most: int = 20_000) -> list[np.ndarray]:
    """The sound in blocks of random sizes."""
    rng, at, found = np.random.default_rng(seed), 0, []
    while at < len(sound):
        size = int(rng.integers(1, most))
        found.append(sound[at : at + size])
        at += size
    return found


def loudness(sound: np.ndarray, rate: int, seed: int = 0) -> float | None:
    """Measured in blocks of random sizes."""
    meter = Meter(rate, sound.shape[1])
    for part in parts(sound, seed):
        meter.add(part)
    return meter.integrated()


def oversampled(sound: np.ndarray) -> float:
    """The true peak by scipy on the whole, dBTP."""
    return float(20 * np.log10(np.abs(resample_poly(sound.astype(np.float64), 4, 1, axis=0)).max()))


@settings(max_examples=30, deadline=None)
@given(
    rate=st.sampled_from([44_100, 48_000, 22_050, 11_025]),
    channels=st.integers(1, 5),
    seconds=st.floats(0.41, 6.0),
    seed=st.integers(0, 1_000),
    musical=st.booleans(),
)
def test_loudness_agrees_with_pyloudnorm(rate: int, channels: int, seconds: float, seed: int, musical: bool) -> None:
    if musical:
        sound = notes(rate, seconds, seed, channels)
    else:
        sound = np.random.default_rng(seed).normal(0, 0.1, (round(rate * seconds), channels)).astype(np.float32)
    sound *= np.geomspace(1e-3, 1, len(sound), dtype=np.float32)[:, None]  # so that both gates have work
    expected = pyloudnorm.Meter(rate).integrated_loudness(sound.astype(np.float64))
    assert loudness(sound, rate, seed) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_standards_signals_read_what_they_should(rate: int) -> None:
    """EBU Tech 3341: cases 1 to 3 within 0.1 LU. BS.1770-4: a 997 Hz sine at full scale in one channel, -3.01 LKFS."""
    assert loudness(sine(rate, 20, 1_000, -23), rate) == pytest.approx(-23, abs=0.1)
    assert loudness(sine(rate, 20, 1_000, -33), rate) == pytest.approx(-33, abs=0.1)
    steps = [sine(rate, 10, 1_000, -36), sine(rate, 60, 1_000, -23), sine(rate, 10, 1_000, -36)]
    assert loudness(np.concatenate(steps), rate) == pytest.approx(-23, abs=0.1)
    assert loudness(sine(rate, 5, 997, 0, channels=1), rate) == pytest.approx(-3.01, abs=0.1)


def test_a_gain_is_reckoned_as_if_it_were_in_the_sound() -> None:
    sound = notes(44_100, 5, 3) * np.float32(10 ** (-42 / 20))  # near the absolute gate, where a gain is no mere sum
    meter = Meter(44_100, 2)
    meter.add(sound)
    plain = meter.integrated()
    louder = loudness(sound * np.float32(10), 44_100)
    assert meter.integrated(20.0) == pytest.approx(louder, abs=1e-3)
    assert plain is not None
    assert abs(plain + 20 - louder) > 0.01, "the gate let more through"


def test_silence_and_what_is_too_quiet_or_too_short_have_no_loudness() -> None:
    assert Meter(44_100, 2).integrated() is None
    assert loudness(np.zeros((100_000, 2), np.float32), 44_100) is None
    assert loudness(sine(44_100, 2, 1_000, -75), 44_100) is None
    assert loudness(sine(44_100, 0.399, 1_000, -20), 44_100) is None
    assert loudness(sine(44_100, 0.4, 1_000, -20), 44_100) == pytest.approx(-20, abs=0.2)


def test_six_channels_are_refused() -> None:
    with pytest.raises(AudioError, match="6 channels"):
        Meter(44_100, 6)


def test_the_filters_come_to_rest_in_silence() -> None:
    """Numbers below 1e-308, with which many processors are slow, never circulate in them."""
    meter = Meter(8_000, 1)
    meter.add(np.random.default_rng(0).normal(0, 0.1, (8_000, 1)).astype(np.float32))
    assert meter._state.any()
    meter.add(np.zeros((1 << 18, 1), np.float32))
    assert not meter._state.any()


def test_an_hour_takes_little_memory() -> None:
    meter, block = Meter(8_000, 1), np.full((1 << 16, 1), 0.01, np.float32)
    tracemalloc.start()
    for _ in range(8_000 * 3_600 // len(block)):
        meter.add(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1_000), kind=st.sampled_from(["noise", "notes", "clicks"]), channels=st.integers(1, 3))
def test_true_peak_agrees_with_scipy_whatever_the_blocks(seed: int, kind: str, channels: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(100, 40_000)), channels)
    if kind == "noise":
        sound = rng.normal(0, 0.3, shape).astype(np.float32)
    elif kind == "notes":
        sound = notes(44_100, 0.5, seed, channels)
    else:
        sound = np.where(rng.random(shape) < 0.01, rng.normal(0, 1, shape), 0).astype(np.float32)
        sound[50] = 0.5
    meter = PeakMeter(channels)
    for part in parts(sound, seed):
        meter.add(part)
    assert meter.decibels() == pytest.approx(oversampled(sound), abs=0.1)
    assert true_peak(sound) == pytest.approx(meter.decibels(), abs=1e-4)


def test_a_peak_between_the_samples_is_found() -> None:
    """A sine of a quarter of the rate, 45 degrees off: its samples lie 3.01 dB below its peak."""
    sound = np.sin(np.pi / 2 * np.arange(4_000) + np.pi / 4)
    sound *= np.clip(np.arange(4_000) / 1_000, 0, 1) * np.clip((4_000 - np.arange(4_000)) / 1_000, 0, 1)
    sound = sound[:, None].astype(np.float32)
    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak(sound) == pytest.approx(0, abs=0.05)


def test_silence_has_no_peak_and_a_last_sample_has_one() -> None:
    silent = np.zeros((1_000, 2), np.float32)
    assert true_peak(silent) is None
    assert true_peak(silent[:0]) is None
    silent[-1, 1] = -0.5
    assert true_peak(silent) == pytest.approx(20 * np.log10(0.5), abs=1e-3)


def test_a_peak_between_two_frames_is_found_wherever_it_lies() -> None:
    for place in range(9, 80):
        padded = np.zeros((19 + 80, 1), np.float32)
        padded[place : place + 2] = 1.0
        peaks = frame_peaks(padded, 1.1)
        assert peaks.argmax() == place - 9
        assert peaks.max() > 1.2


def test_frames_that_cannot_pass_the_bound_keep_their_own_peak() -> None:
    padded = np.random.default_rng(0).normal(0, 0.1, (19 + 1_000, 2)).astype(np.float32)
    exact, cheap = frame_peaks(padded, 0.0), frame_peaks(padded, 0.3)
    over = exact > 0.3
    assert over.any()
    assert np.allclose(exact[over], cheap[over], atol=1e-6)
    assert (cheap[~over] <= exact[~over] + 1e-6).all()
    assert (frame_peaks(padded, 10.0) == np.abs(padded[9:-10]).max(axis=1)).all()
