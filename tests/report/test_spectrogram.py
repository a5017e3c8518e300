"""The array behind the picture: where tones lie, how loud they are, and that its size is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import AudioError
from affectgen.report import spectrogram as module
from affectgen.report.spectrogram import COLUMNS, OCTAVE, SILENT, band_hertz, colour_range, spectrogram

RATE = 44_100


def tone(hertz, seconds=1.0, rate=RATE, level=1.0):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("hertz", [60, 184, 262, 440, 1000, 1480, 5000, 12_000])
def test_a_tone_lights_its_row(hertz):
    found = spectrogram(tone(hertz), RATE)
    middle = found.levels[:, found.levels.shape[1] // 2]
    assert abs(np.log2(found.hertz[middle.argmax()] / hertz)) <= 1 / OCTAVE  # and with it, the next row at most
    assert middle.max() == pytest.approx(0, abs=2)
    far = np.abs(np.log2(found.hertz / hertz)) > (0.5 if hertz > 150 else 1)
    assert middle[far].max() < middle.max() - 30


def test_a_tone_in_time():
    sound = np.concatenate([np.zeros(RATE, np.float32), tone(1000), np.zeros(RATE, np.float32)])
    found = spectrogram(sound, RATE)
    row = found.levels[np.abs(found.hertz - 1000).argmin()]
    time = (np.arange(len(row)) + 0.5) * found.step
    loud = time[row > -10]
    assert loud[0] == pytest.approx(1, abs=0.04)
    assert loud[-1] == pytest.approx(2, abs=0.04)
    assert row[time < 0.9].max() == row[time > 2.1].max() == SILENT
    np.testing.assert_allclose([found.high.max(), found.low.min()], [1, -1], atol=0.01)
    assert found.seconds == 3


def test_noise_shows_no_seam_between_lengths_of_spectra():
    found = spectrogram(np.random.default_rng(0).normal(0, 0.1, 20 * RATE).astype(np.float32), RATE)
    level = 10 * np.log10((10 ** (found.levels / 10)).mean(axis=1))
    rising = level[found.hertz > 184]  # power of a band is as its width: 3 dB an octave
    slope = 3.01 / OCTAVE * np.arange(len(rising))
    assert np.abs(rising - slope - np.median(rising - slope)).max() < 1.5
    assert np.abs(np.diff(level)).max() < 1.5  # a length of spectra that takes over at once makes a step of 3 dB


def test_a_long_sound_has_bounded_columns(monkeypatch):
    monkeypatch.setattr(module, "COLUMNS", 128)
    pieces = (tone(1000, 0.5, 8000, level=0.5) for _ in range(300))
    found = spectrogram(pieces, 8000)
    assert 64 <= found.levels.shape[1] <= 128
    assert found.seconds == 150
    assert found.levels.shape[1] * found.step == pytest.approx(150, abs=found.step)
    row = found.levels[np.abs(found.hertz - 1000).argmin()]
    assert np.abs(row[:-1] + 6).max() < 2  # the last column may reach beyond the end
    assert row[-1] > -12
    np.testing.assert_allclose(found.high, 0.5, atol=0.01)


def test_blocks_and_frames_give_what_samples_give():
    sound = np.random.default_rng(1).normal(0, 0.1, 70_000).astype(np.float32)
    whole = spectrogram(sound, 16_000)
    parts = spectrogram(np.split(sound, [1, 500, 30_000, 69_999]), 16_000)
    stereo = spectrogram(np.stack([sound * 0.5, sound * 1.5], axis=1), 16_000)
    for other in (parts, stereo):
        np.testing.assert_allclose(other.levels, whole.levels, atol=0.01)
        np.testing.assert_allclose(other.low, whole.low, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60_000), st.sampled_from([1, 31, 8000, 22_050, 48_000]))
def test_any_length_and_rate(length, rate):
    found = spectrogram(np.full(length, 0.25, np.float32), rate)
    bands, columns = found.levels.shape
    assert bands == len(band_hertz(rate)) == len(found.hertz)
    assert columns == len(found.low) == len(found.high) <= COLUMNS
    assert np.isfinite(found.levels).all()
    assert found.seconds == length / rate
    assert (columns - 1) * found.step < found.seconds <= columns * found.step + 1e-9
    assert found.peak == 0.25


def test_silence_and_the_colours():
    found = spectrogram(np.zeros(RATE, np.float32), RATE)
    assert (found.levels == SILENT).all()
    assert colour_range(found.levels)[0] < colour_range(found.levels)[1]
    loud = spectrogram(tone(440, 5), RATE)
    low, high = colour_range(loud.levels)
    assert 0 < high - low <= module.RANGE
    assert high == pytest.approx(0, abs=3)


def test_what_is_no_sound():
    for sound, rate in ((np.zeros(0, np.float32), RATE), ([], RATE), (np.full(10, np.nan, np.float32), RATE),
                        (np.zeros(10, np.float32), 0)):  # fmt: skip
        with pytest.raises(AudioError):
            spectrogram(sound, rate)
