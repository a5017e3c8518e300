"""Reading audio of any kind as mono samples; files made here with soundfile, whole and broken."""

from __future__ import annotations

import io
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.files import audio_info, blocks, frames_of, is_audio_name, is_silent, read_mono, resampled
from affectgen.errors import AudioError


def tone(rate: int, seconds: float = 1.0, channels: int = 1, hertz: float = 440.0) -> np.ndarray:
    """A sine of amplitude 0.5, float32 [N, channels]."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def as_bytes(samples: np.ndarray, rate: int, kind: str = "WAV", subtype: str | None = None) -> bytes:
    """The samples as a file in memory."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def loudest(samples: np.ndarray, rate: int) -> float:
    """The frequency with the most energy, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


@pytest.mark.parametrize(
    ("kind", "rate", "channels"),
    [("WAV", 192_000, 8), ("WAV", 8_000, 1), ("FLAC", 44_100, 2), ("OGG", 48_000, 2), ("MP3", 44_100, 2)],
)
def test_a_tone_stays_the_same_tone(kind: str, rate: int, channels: int) -> None:
    data = as_bytes(tone(rate, channels=channels), rate, kind)
    found = read_mono(data, 22_050)
    assert len(found) == pytest.approx(22_050, rel=0.06)  # MP3 pads
    assert loudest(found, 22_050) == pytest.approx(440, abs=2)
    middle = found[5_000:15_000]
    assert np.abs(middle).max() == pytest.approx(0.5, rel=0.06)


@settings(max_examples=20, deadline=None)
@given(rate=st.integers(4_000, 192_000), wanted=st.integers(4_000, 96_000), seconds=st.floats(0.01, 2.0))
def test_the_length_is_kept_at_any_rate(rate: int, wanted: int, seconds: float) -> None:
    data = as_bytes(tone(rate, seconds), rate)
    assert abs(len(read_mono(data, wanted)) - seconds * wanted) <= 2 + wanted / rate


def test_a_part_is_that_part() -> None:
    rate = 16_000
    both = np.concatenate([tone(rate, 2.0, hertz=300), tone(rate, 2.0, hertz=1_000)])
    data = as_bytes(both, rate)
    assert loudest(read_mono(data, rate, 2.5, 1.0), rate) == pytest.approx(1_000, abs=2)
    assert len(read_mono(data, rate, 3.5, 9.0)) == rate // 2, "what there is"
    with pytest.raises(AudioError, match="no sound from 7 s on"):
        read_mono(data, rate, start=7.0)


def test_an_hour_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(60):
            file.write(tone(8_000, 60.0))
    tracemalloc.start()
    total = sum(len(piece) for piece in blocks(path, 22_050))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == pytest.approx(3_600 * 22_050, rel=1e-5)
    assert peak < 8e6


@pytest.mark.parametrize("data", [b"", b"RIFF", b"no sound at all" * 100])
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(AudioError, match="standard input is not audio"):
        read_mono(data, 22_050)


def test_files_that_are_not_there_or_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="is not there"):
        audio_info(tmp_path / "none.wav")
    with pytest.raises(AudioError, match="is not audio"):
        audio_info(tmp_path)


def test_samples_that_are_no_numbers_are_refused() -> None:
    bad = tone(8_000)
    bad[4_000] = np.nan
    with pytest.raises(AudioError, match="no numbers"):
        read_mono(as_bytes(bad, 8_000, subtype="FLOAT"), 8_000)


def test_a_file_without_samples_is_refused() -> None:
    with pytest.raises(AudioError, match="no sound"):
        read_mono(as_bytes(np.zeros((0, 1), np.float32), 8_000), 8_000)


def test_a_cut_wav_gives_what_is_there_and_a_cut_flac_is_refused() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (3 * 44_100, 1)).astype(np.float32)
    wav, flac = (as_bytes(noise, 44_100, kind) for kind in ("WAV", "FLAC"))
    assert len(read_mono(wav[: len(wav) // 2], 44_100)) == pytest.approx(1.5 * 44_100, rel=0.01)
    with pytest.raises(AudioError, match="damaged"):
        read_mono(flac[: len(flac) // 2], 44_100)


def test_resampling_keeps_tone_and_length_and_what_fits_already() -> None:
    samples = tone(16_000)[:, 0]
    assert resampled(samples, 16_000, 16_000) is samples
    found = resampled(samples, 16_000, 22_050)
    assert found.dtype == np.float32
    assert len(found) == 22_050
    assert loudest(found, 22_050) == pytest.approx(440, abs=2)


def test_silence_is_told() -> None:
    assert is_silent(np.zeros(100, np.float32))
    assert is_silent(np.zeros(0, np.float32))
    assert not is_silent(tone(8_000)[:, 0])


def test_names_of_audio() -> None:
    assert is_audio_name(Path("a/B.FLAC"))
    assert not is_audio_name(Path("a.mid"))


@pytest.mark.parametrize("wanted", [44_100, 32_000])
def test_stereo_stays_stereo_and_mono_is_doubled(wanted: int) -> None:
    both = np.concatenate([tone(44_100, 4.0, hertz=300), tone(44_100, 4.0, hertz=1_000)], axis=1)
    found = np.concatenate(list(frames_of(as_bytes(both, 44_100, subtype="FLOAT"), wanted)))
    assert found.shape == (4 * wanted, 2)
    assert found.dtype == np.float32
    assert [loudest(found[:, at], wanted) for at in (0, 1)] == pytest.approx([300, 1_000], abs=1)
    mono = as_bytes(both[:, :1], 44_100, subtype="FLOAT")
    doubled = np.concatenate(list(frames_of(mono, wanted)))
    assert np.array_equal(doubled[:, 0], doubled[:, 1])
    assert np.array_equal(doubled[:, 0], read_mono(mono, wanted))
    assert np.array_equal(np.concatenate(list(frames_of(mono, wanted, 1))), doubled[:, :1])


@settings(max_examples=20, deadline=None)
@given(rate=st.integers(8_000, 96_000), wanted=st.sampled_from([44_100, 48_000]), frames=st.integers(1, 200_000))
def test_the_length_in_frames_is_kept_at_any_rate(rate: int, wanted: int, frames: int) -> None:
    data = as_bytes(np.zeros((frames, 2), np.float32), rate)
    assert abs(sum(map(len, frames_of(data, wanted))) - frames * wanted / rate) <= 2 + wanted / rate


def test_surround_is_mixed_down_by_its_places() -> None:
    def heard(channels: int, channel: int) -> np.ndarray:
        sound = np.zeros((100, channels), np.float32)
        sound[:, channel] = 0.5
        return np.concatenate(list(frames_of(as_bytes(sound, 44_100, subtype="FLOAT"), 44_100)))[0]

    left, right, centre, bass, back_left, back_right = (heard(6, channel) for channel in range(6))
    assert left[0] == pytest.approx(right[1])
    assert left[1] == right[0] == bass.max() == back_left[1] == back_right[0] == 0
    assert centre.tolist() == pytest.approx([left[0] * 0.7071] * 2)
    assert back_left[0] == back_right[1] == pytest.approx(left[0] * 0.7071)
    for channels in (3, 4, 5, 6, 7, 8, 9):
        total = sum(heard(channels, channel) for channel in range(channels))
        assert total == pytest.approx([0.5, 0.5]), "no louder than the loudest"
    with pytest.raises(AudioError, match="standard input holds 2 channels; 3 were expected"):
        list(frames_of(as_bytes(tone(8_000, channels=2), 8_000), 8_000, 3))


def test_reading_channels_fails_as_reading_mono_does() -> None:
    bad = tone(8_000)
    bad[4_000] = np.inf
    with pytest.raises(AudioError, match="no numbers"):
        list(frames_of(as_bytes(bad, 8_000, subtype="FLOAT"), 8_000))
    with pytest.raises(AudioError, match="is not audio"):
        list(frames_of(b"no sound at all" * 100, 8_000))


INTERRUPTED = """
import io, os, signal, sys, threading
import numpy as np, soundfile
from affectgen.audio.files import blocks
file = io.BytesIO()
soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, (44_100 * 20, 1)), 44_100, format="MP3")
data = file.getvalue()
sum(map(len, blocks(data, 44_100)))  # imports what it needs
for trial in range(5):
    threading.Timer(0.01 + 0.005 * trial, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    try:
        while True:
            if sum(map(len, blocks(data, 44_100))) < 44_100 * 20:
                print("shortened")
    except KeyboardInterrupt:
        print("stopped")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_ctrl_c_stops_the_reading_of_a_pipe_and_never_shortens_the_sound() -> None:
    run = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("stopped\n" * 5, "")
