"""Made voices come out with the pitch, the length and the level that were asked for, and untouched where none was."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_voices import response, sentence, vowel

from affectgen.audio.envelope import bin_hertz, envelopes
from affectgen.audio.glottal import contour
from affectgen.audio.placing import Placer, held, onsets
from affectgen.audio.psola import (
    HOP,
    Change,
    Voice,
    analyse,
    changed,
    changed_channels,
    contoured,
    frame_count,
    placed,
    towards,
)
from affectgen.errors import AudioError

RATES = [8000, 11025, 44100]


@lru_cache(maxsize=3)
def broken(seed: int) -> Voice:
    """Short voices with short pauses between them."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(8):
        parts.append(vowel(np.full(int(rng.integers(400, 1500)), rng.uniform(80, 400)), 8000))
        parts.append(0.02 * rng.normal(size=int(rng.integers(80, 500))))
    return analyse(np.concatenate(parts), 8000)



def cents(found: np.ndarray, wanted: np.ndarray | float) -> np.ndarray:
    return np.abs(1200 * np.log2(found / wanted))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("factor", [0.6, 0.9, 1.25, 2.0])
def test_the_pitch_is_multiplied_and_the_formants_stay(rate: int, factor: float) -> None:
    sound = vowel(np.linspace(120, 150, rate), rate)
    voice = analyse(sound, rate)
    result = changed(voice, Change.even(len(voice.hertz), pitch=factor))
    assert len(result) == len(sound)
    inner = slice(8, 92)
    found = contour(result, rate)[inner]
    assert np.median(cents(found, factor * np.linspace(120, 150, 101)[inner])) < 10
    at = np.arange(20, 80) * HOP
    hertz = bin_hertz(rate)
    band = (hertz > 250) & (hertz < 3000)
    level = (envelopes(result, rate, at, contour(result, rate)[20:80]).mean(axis=0) - response(hertz, rate))[band]
    assert np.sqrt(((level - level.mean()) ** 2).mean()) < (2.5 if factor < 1.9 else 4.0)
    assert abs(10 * np.log10((result**2).mean() / (sound**2).mean())) < 3


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("factor", [0.5, 0.8, 1.2, 1.9])
def test_the_length_is_multiplied_and_pitch_and_level_stay(rate: int, factor: float) -> None:
    sound = sentence(rate)
    voice = analyse(sound, rate)
    change = Change.even(len(voice.hertz), time=factor)
    result = changed(voice, change)
    assert abs(len(result) - factor * len(sound)) <= 1
    at = np.array([0.4, 0.5, 0.6, 1.0, 1.1, 1.2])
    before, after = (
        hertz[np.rint(where / HOP).astype(int)]
        for hertz, where in ((voice.hertz, at), (contour(result, rate), placed(at, change)))
    )
    assert cents(after, before).max() < 40  # a glide of 13 semitones a second, read 5 ms aside
    for start, stop in ((0.17, 0.28), (0.35, 0.7), (0.95, 1.3)):  # the hiss and the vowels: no dips
        first, last = (placed(np.array([start, stop]), change) * rate).astype(int)
        level = (result[first:last] ** 2).mean() / (sound[int(start * rate) : int(stop * rate)] ** 2).mean()
        assert abs(10 * np.log10(level)) < 1.2


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([8000, 11025, 22050, 48000, 96000]), st.integers(0, 3000), st.integers(0, 999), st.booleans(),
)  # fmt: skip
def test_anything_goes_and_the_length_is_that_of_the_map(rate: int, count: int, seed: int, even: bool) -> None:
    rng = np.random.default_rng(seed)
    hum = np.sin(2 * np.pi * rng.uniform(40, 700) / rate * np.arange(count))
    sound = hum * rng.integers(0, 2) + rng.uniform(0, 0.3) * rng.normal(size=count)
    voice = analyse(sound, rate)
    frames = len(voice.hertz)
    change = Change(rng.uniform(0.2, 5, frames), rng.uniform(0.1, 10, frames), rng.uniform(-20, 20, frames))
    if even:
        change = Change.even(frames, *(float(part[0]) for part in (change.pitch, change.time, change.gain)))
    result = changed(voice, change)
    assert len(result) == round(float(placed(np.array(voice.seconds), change)) * rate)
    assert np.isfinite(result).all()
    assert np.abs(result).max(initial=0) <= 60 * np.abs(sound).max(initial=0)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.3, 3), st.floats(0.3, 3))
def test_silence_stays_silence(pitch: float, time: float) -> None:
    voice = analyse(np.zeros(4000), 16000)
    assert not changed(voice, Change.even(len(voice.hertz), pitch, time, 12.0)).any()


def test_no_change_is_a_copy_bit_for_bit() -> None:
    sound = sentence(22050)
    voice = analyse(sound, 22050)
    result = changed(voice, Change.even(len(voice.hertz)))
    assert (result == sound).all()
    assert result is not sound


def test_a_gain_alone_is_a_gain_to_the_sample() -> None:
    sound = sentence(16000)
    voice = analyse(sound, 16000)
    result = changed(voice, Change.even(len(voice.hertz), gain=-6.0))
    assert np.allclose(result, sound * 10 ** (-6 / 20), atol=1e-15)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_before_and_after_a_change_the_recording_is_copied(rate: int, seed: int) -> None:
    """Before it in place, after it moved by one whole number of samples, about that which the map of time says."""
    sound = sentence(rate, seed)
    voice = analyse(sound, rate)
    frames, start, stop = np.arange(len(voice.hertz)) * HOP, 0.45, 0.6
    inside = (frames >= start) & (frames <= stop)
    change = Change(np.where(inside, 1.3, 1.0), np.where(inside, 1.4, 1.0), np.where(inside, 3.0, 0.0))
    result = changed(voice, change)
    first = int((start - 0.02) * rate)
    assert (result[:first] == sound[:first]).all()
    assert not (result[first : int(stop * rate)] == sound[first : int(stop * rate)]).all()
    begin = int((stop + 0.04) * rate)
    moved = int(float(placed(np.array(stop), change) - stop) * rate)
    reach = int(0.012 * rate)
    last = len(sound) - int(0.05 * rate)
    copies = [
        shift for shift in range(moved - reach, moved + reach)
        if (result[begin + shift : last + shift] == sound[begin:last]).all()
    ]  # fmt: skip
    assert len(copies) == 1


def test_a_burst_is_neither_doubled_nor_lost() -> None:
    rate = 16000
    for seed in range(4):
        sound = 0.01 * np.random.default_rng(seed).normal(size=rate)
        spots = np.array([0.2, 0.41, 0.63, 0.8])
        for spot in (spots * rate).astype(int):
            sound[spot : spot + 60] += np.hanning(60) * (-1) ** np.arange(60)
        voice = analyse(sound, rate)
        for factor in (0.6, 0.8, 1.3, 1.9):
            change = Change.even(len(voice.hertz), time=factor)
            loud = np.flatnonzero(np.abs(changed(voice, change)) > 0.5)
            groups = np.split(loud, np.flatnonzero(np.diff(loud) > 0.004 * rate) + 1)
            assert len(groups) == len(spots)
            found = np.array([group.mean() for group in groups]) / rate
            assert np.abs(found - placed(spots + 30 / rate, change)).max() < 0.04


def test_a_stretched_noise_does_not_buzz() -> None:
    """Its autocorrelation has no peak at the distance of its pieces, as it has where each is said twice."""
    rate = 16000
    sound = np.random.default_rng(3).normal(size=2 * rate)
    voice = analyse(sound, rate)
    result = changed(voice, Change.even(len(voice.hertz), time=1.8))
    spectrum = np.abs(np.fft.rfft(result, 2 * len(result))) ** 2
    likeness = np.fft.irfft(spectrum)[: int(0.05 * rate)]
    assert np.abs(likeness[int(0.0008 * rate) :] / likeness[0]).max() < 0.35
    level = (result[: len(result) // 800 * 800].reshape(-1, 800) ** 2).mean(axis=1)
    assert 10 * np.log10(level.min() / level.max()) > -2.5


def test_a_contour_is_reached_and_zero_leaves_the_pitch() -> None:
    rate = 16000
    voice = analyse(vowel(np.linspace(100, 140, rate), rate), rate)
    wanted = np.full(len(voice.hertz), 180.0)
    wanted[60:] = 0.0
    even = np.ones(len(wanted))
    result = contour(contoured(voice, wanted, even, 0 * even), rate)
    assert np.median(cents(result[8:52], 180.0)) < 10
    assert np.median(cents(result[68:92], voice.hertz[68:92])) < 10


def test_a_contour_keeps_within_what_a_pitch_can_be_multiplied_by() -> None:
    voice = Voice(np.zeros(160), 16000, np.array([100.0, 0.0]), np.array([0.0]), np.array([True]))
    change = towards(voice, np.array([5000.0, 0.0]), np.ones(2), np.zeros(2))
    assert change.pitch.tolist() == [5.0, 5.0]  # the frame without a voice goes with its neighbour


def test_channels_stay_together() -> None:
    rate = 16000
    left = sentence(rate)
    both = np.stack([left, np.r_[np.zeros(8), 0.5 * left[:-8]]], axis=1)
    voice = analyse(both.mean(axis=1), rate)
    result = changed_channels(voice, both, Change.even(len(voice.hertz), 1.2, 1.3, 2.0))
    one, other = result[:, 0], result[:, 1]
    assert np.abs(np.corrcoef(one[:-8], other[8:])[0, 1]) > 0.98
    alone = changed(Voice(left, rate, voice.hertz, voice.places, voice.voiced), Change.even(len(voice.hertz), gain=1.0))
    assert alone.shape == left.shape


@pytest.mark.parametrize("frames", [3, 5])
def test_a_change_of_another_length_is_refused(frames: int) -> None:
    voice = analyse(np.zeros(frame_count(0, 8000) + 300), 8000)
    with pytest.raises(AudioError, match="frames"):
        changed(voice, Change.even(frames))
    with pytest.raises(AudioError, match="contour"):
        contoured(voice, np.ones(frames), np.ones(frames), np.zeros(frames))


def test_values_are_held_where_there_is_no_voice() -> None:
    values = np.array([9.0, 1.0, 9.0, 9.0, 2.0, 9.0])
    assert held(values, values < 5).tolist() == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    assert held(values, values > 10).tolist() == values.tolist()
    assert held(values, values == 2).tolist() == [2.0] * 6


def test_onsets_are_found_and_hisses_have_none() -> None:
    rng = np.random.default_rng(0)
    hiss = 0.1 * rng.normal(size=16000)
    assert len(onsets(hiss, 16000)) == 0
    assert len(onsets(np.zeros(16000), 16000)) == 0
    hiss[5000:5100] += 3 * rng.normal(size=100)
    found = onsets(hiss, 16000)
    assert len(found)
    assert np.abs(found - 5000).max() < 0.006 * 16000


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2), st.integers(0, 999), st.booleans())
def test_pieces_follow_one_another(seed: int, chance: int, even: bool) -> None:
    """Also where a change hurries over a pause between two voices, or dwells on it."""
    voice, rng = broken(seed), np.random.default_rng(chance)
    count = len(voice.hertz)
    time = np.full(count, rng.uniform(0.1, 10)) if even else rng.uniform(0.1, 10, count)
    change = Change(rng.uniform(0.2, 5, count), time, np.zeros(count))
    grains = Placer(voice, change).grains(3 * count * voice.rate // 100)
    assert (np.diff(grains.at) > 0).all()
    assert (grains.rise > 0).all()
    assert (grains.fall > 0).all()
    assert ((grains.source >= -1) & (grains.source < 11 * len(voice.samples))).all()
