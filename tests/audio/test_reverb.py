"""Rooms around music: what is dry stays as it is, and the tail is what was asked for."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, fftconvolve, sosfiltfilt

from affectgen.audio import reverb
from affectgen.audio.reverb import SPACES, Space, response, reverberant, space_named, tail_frames
from affectgen.errors import AudioError, UsageError

RATE = 44_100
SMALL = Space(0.1, early=0.01)


def cut(sound: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for at in range(0, len(sound), size):
        yield sound[at : at + size]


def heard(sound: np.ndarray, space: Space, size: int = 65_536, wet: float = -12.0) -> np.ndarray:
    return np.concatenate(list(reverberant(cut(sound, size), RATE, space, wet)))


def noise(frames: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (frames, channels)).astype(np.float32)


def pink(frames: int, channels: int) -> np.ndarray:
    """Noise of equal energy an octave from 100 Hz to 10 kHz, unrelated between channels."""
    hertz = np.fft.rfftfreq(frames, 1 / RATE)
    slope = np.where((hertz > 100) & (hertz < 10_000), np.maximum(hertz, 1) ** -0.5, 0)
    return np.fft.irfft(np.fft.rfft(noise(frames, channels), axis=0) * slope[:, None], frames, axis=0).astype(
        np.float32
    )


def decay(tail: np.ndarray) -> tuple[float, float]:
    """Seconds for 60 dB, by Schroeder's backward integration from -5 to -35 dB (ISO 3382), and the largest departure
    from a straight line, dB."""
    energy = np.cumsum((tail.astype(np.float64) ** 2)[::-1])[::-1]
    curve = 10 * np.log10(energy / energy[0] + 1e-12)
    places = np.flatnonzero((curve < -5) & (curve > -35))
    slope, start = np.polyfit(places / RATE, curve[places], 1)
    return -60 / slope, float(np.abs(curve[places] - slope * places / RATE - start).max())


def octave(tail: np.ndarray, hertz: float) -> np.ndarray:
    """Its part in the octave around `hertz`."""
    bands = butter(3, [hertz / 2**0.5, hertz * 2**0.5], "bandpass", fs=RATE, output="sos")
    return sosfiltfilt(bands, np.pad(tail, RATE // 4))[RATE // 4 : -RATE // 4]


@pytest.mark.parametrize("name", SPACES)
def test_the_tail_decays_in_the_time_asked_and_smoothly(name: str) -> None:
    space = space_named(name)
    for side in response(space, RATE).sum(axis=1):
        seconds, bend = decay(side)
        assert seconds == pytest.approx(space.decay, rel=0.1)
        assert bend < 1.0
        middle = [decay(octave(side, hertz))[0] for hertz in (500, 1_000)]
        assert np.mean(middle) == pytest.approx(space.decay, rel=0.07), "as ISO 3382-1 tells it"
        assert decay(octave(side, 8_000))[0] < 0.85 * space.decay, "treble goes first"


@pytest.mark.parametrize("name", SPACES)
def test_the_tail_is_wide_and_does_not_flutter(name: str) -> None:
    space = space_named(name)
    late = response(space, RATE)[:, :, int((space.delay + space.early) * RATE) :]
    ways = late.reshape(4, -1)
    assert np.abs(np.corrcoef(ways) - np.eye(4)).max() < 0.12
    assert abs(np.corrcoef(late.sum(axis=1))[0, 1]) < 0.12, "of a sound in the middle"
    level = np.exp(reverb.FALL * np.arange(ways.shape[1]) / RATE / space.decay)
    flat = (late.sum(axis=1)[0] * level)[: int(0.8 * space.decay * RATE)]
    power = np.abs(np.fft.rfft(flat, 2 * len(flat))) ** 2
    again = np.fft.irfft(power)[: len(flat) // 2]
    assert np.abs(again[RATE // 500 :]).max() < 0.1 * again[0], "nothing comes back after 2 ms and more"


@pytest.mark.parametrize(("wet", "channels"), [(-12.0, 2), (-6.0, 1), (0.0, 2)])
def test_as_much_is_added_as_was_asked(wet: float, channels: int) -> None:
    sound = pink(10 * RATE, channels)
    dry = np.repeat(sound, 3 - channels, axis=1) if channels == 1 else sound
    added = heard(sound, space_named("chamber"), wet=wet)
    added[: len(dry)] -= dry
    for side in range(2):
        found = 10 * np.log10((added[:, side].astype(float) ** 2).sum() / (dry[:, side].astype(float) ** 2).sum())
        assert found == pytest.approx(wet, abs=0.5)


def test_the_dry_sound_is_untouched_until_the_room_answers_and_the_bass_throughout() -> None:
    click = np.zeros((1_000, 2), np.float32)
    click[0] = 0.5, -0.25
    space = space_named("hall")
    found = heard(click, space)
    before = int(space.delay * RATE)
    assert found.shape == (1_000 + tail_frames(space, RATE), 2)
    assert np.abs(found[:before] - click[:before]).max() < 1e-6
    assert np.abs(found[before:]).max() > 1e-3
    low = np.sin(2 * np.pi * 40 * np.arange(4 * RATE) / RATE)[:, None].astype(np.float32) * 0.5
    added = heard(low, space, wet=-6.0)[RATE : 3 * RATE] - low[RATE : 3 * RATE]
    assert 20 * np.log10(np.abs(added).max() / 0.5) < -20


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 3_000), frames=st.integers(1, 3_000), channels=st.integers(1, 2))
def test_blocks_do_not_matter_and_it_is_a_convolution(size: int, frames: int, channels: int) -> None:
    sound = noise(frames, channels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reverb, "FFT", 1 << 14)
        found = heard(sound, SMALL, size, -6.0)
        assert np.array_equal(found, heard(sound, SMALL, frames, -6.0))
    ways = response(SMALL, RATE) * 10 ** (-6 / 20)
    both = np.repeat(sound, 2, axis=1) if channels == 1 else sound
    wanted = np.pad(both, ((0, ways.shape[-1] - 1), (0, 0))).astype(np.float64)
    for out in range(2):
        for way in range(2):
            wanted[:, out] += fftconvolve(both[:, way].astype(float), ways[out, way]) if channels == 2 else 0
        if channels == 1:
            wanted[:, out] += fftconvolve(sound[:, 0].astype(float), ways[out].sum(axis=0))
    assert np.abs(found - wanted).max() < 1e-5


def test_many_blocks_are_one_convolution() -> None:
    sound = noise(60_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reverb, "FFT", 1 << 14)
        short = heard(sound, SMALL)
    assert len(short) == len(sound) + tail_frames(SMALL, RATE)
    assert np.abs(short - heard(sound, SMALL)).max() < 1e-6


def test_silence_stays_silent_and_nothing_stays_nothing() -> None:
    assert not heard(np.zeros((70_000, 2), np.float32), SMALL).any()
    assert list(reverberant([], RATE)) == []
    assert np.array_equal(heard(noise(500), SMALL), heard(noise(500), SMALL))


def test_it_is_fast_and_takes_little_memory() -> None:
    block = noise(RATE)
    for _ in reverberant([block], RATE):  # what is imported once
        pass
    begun = time.process_time()
    total = sum(len(one) for one in reverberant((block for _ in range(60)), RATE))
    assert total > 60 * RATE
    assert time.process_time() - begun < 1.2, "of 60 s of sound; 0.2 to 0.3 where nothing else runs"
    tracemalloc.start()
    for _ in reverberant((block for _ in range(60)), RATE):
        pass
    assert tracemalloc.get_traced_memory()[1] < 40e6
    tracemalloc.stop()


def test_what_makes_no_room_is_refused() -> None:
    with pytest.raises(UsageError, match="'cathedral' is no room") as caught:
        space_named("cathedral")
    assert "chamber" in caught.value.hint
    for given_, words in (
        ({"decay": 0.0}, "decay of 0 s"),
        ({"decay": 1.0, "bass": float("nan")}, "bass was given as nan"),
    ):
        with pytest.raises(UsageError, match=words):
            Space(**given_)
    with pytest.raises(UsageError, match="20 dB"):
        next(reverberant([noise(5)], RATE, SMALL, 20.0))
    with pytest.raises(AudioError, match="3 channels came"):
        list(reverberant([noise(5, 3)], RATE, SMALL))
