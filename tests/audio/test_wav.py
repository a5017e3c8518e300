"""WAV headers, of files and of streams, as libsndfile, the standard library and other programs read them."""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import threading
import wave
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from lacking import missing

from affectgen.audio import wav
from affectgen.audio.files import frames_of
from affectgen.audio.formats import Tags
from affectgen.audio.wav import stream_wav, wav_header
from affectgen.errors import AffectgenError

SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}


def noise(frames: int, channels: int = 2, level: float = 0.1) -> np.ndarray:
    """float32 [frames, channels]."""
    return np.random.default_rng(frames).normal(0, level, (frames, channels)).astype(np.float32)


def streamed(sound: np.ndarray, bits: str, known: bool, size: int = 777) -> bytes:
    """What `stream_wav` writes."""
    file = io.BytesIO()
    parts = (sound[at : at + size] for at in range(0, len(sound), size))
    count = stream_wav(file, parts, 48_000, sound.shape[1], bits, len(sound) if known else None)
    assert count == len(sound)
    return file.getvalue()


def test_the_plain_header_is_the_one_everybody_knows() -> None:
    header = wav_header(44_100, 2, "16", 100)
    assert header == struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 436, b"WAVE", b"fmt ", 16, 1, 2, 44_100, 176_400, 4, 16, b"data", 400
    )
    assert len(wav_header(44_100, 2, "16", None)) == 44


@settings(max_examples=40, deadline=None)
@given(
    bits=st.sampled_from(["16", "24", "float"]),
    channels=st.integers(1, 8),
    frames=st.integers(0, 50),
    known=st.booleans(),
)
def test_every_stream_is_read_back_whole(bits: str, channels: int, frames: int, known: bool) -> None:
    sound = noise(frames, channels)
    data = streamed(sound, bits, known)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.samplerate, file.channels, file.subtype) == (48_000, channels, SUBTYPES[bits])
        found = file.read(dtype="float32", always_2d=True)
    assert found.shape == sound.shape
    assert np.abs(found - sound).max(initial=0.0) <= {"16": 1.5 / 32_768, "24": 0.5 / 8_388_608, "float": 0.0}[bits]
    if known:
        assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
        assert len(data) % 2 == 0


def test_the_standard_library_reads_16_bits() -> None:
    with wave.open(io.BytesIO(streamed(noise(1_000), "16", True))) as file:
        assert (file.getnframes(), file.getnchannels(), file.getframerate()) == (1_000, 2, 48_000)


def test_a_stream_of_unknown_length_is_read_by_our_own_reader() -> None:
    sound = noise(100_000)
    found = np.concatenate(list(frames_of(streamed(sound, "float", False, 9_000), 48_000)))
    assert np.array_equal(found, sound)


def test_tags_and_rf64_are_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = noise(3_000)
    for most in (wav.MOST, 5_000):
        monkeypatch.setattr(wav, "MOST", most)
        for room in (True, False):
            header = wav_header(48_000, 2, "float", len(sound), Tags("Tüte", "me", '{"a": 1}'), room)
            header = header.replace(struct.pack("<I", 5_000), struct.pack("<I", 0xFFFFFFFF))
            with soundfile.SoundFile(io.BytesIO(header + sound.tobytes())) as file:
                assert file.format == ("WAV" if most > 5_000 else "RF64")
                assert (file.title, file.artist, file.comment) == ("Tüte", "me", '{"a": 1}')
                assert np.array_equal(file.read(dtype="float32"), sound)


@pytest.mark.parametrize("bits", ["16", "24", "float"])
def test_headers_of_any_length_take_the_same_room(bits: str) -> None:
    small, large = (wav_header(48_000, 2, bits, frames, Tags("T"), room=True) for frames in (1, 1 << 31))
    assert len(small) == len(large)
    assert small[:4] + large[:4] == b"RIFFRF64"
    data = (1 << 31) * 2 * wav.WIDTHS[bits]
    assert struct.unpack_from("<QQQ", large, 20) == (len(large) - 8 + data, data, 1 << 31)
    assert wav_header(48_000, 2, bits, 1 << 31, Tags("T")) == large, "RF64 needs no room kept for it"


def test_sound_that_is_not_what_was_announced_is_refused() -> None:
    with pytest.raises(AffectgenError, match="5 frames came where 6 were announced"):
        stream_wav(io.BytesIO(), [noise(5)], 48_000, 2, "16", 6)
    with pytest.raises(AffectgenError, match="1 channels came where 2"):
        stream_wav(io.BytesIO(), [noise(5, 1)], 48_000, 2)


def test_a_pipe_gets_each_block_at_once_and_its_end_is_noticed() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)  # what is not there yet is an error
    heard: list[int] = []

    def blocks() -> Iterator[np.ndarray]:
        yield noise(100)
        heard.append(reads(reading))
        for count in (5000, 200, 100):
            yield noise(count)
            heard.append(reads(reading))
        os.close(reading)
        while True:
            yield noise(10_000)

    file = os.fdopen(writing, "wb")
    with pytest.raises(BrokenPipeError):
        stream_wav(file, blocks(), 48_000, 2)
    with suppress(BrokenPipeError):  # what it still holds
        file.close()
    # the header and the first blocks go together: sox wants more than a header at its first look
    assert heard == [0, 44 + 400 + 20_000, 800, 400]


def reads(pipe: int) -> int:
    """How many bytes lie in a pipe that does not wait."""
    try:
        return len(os.read(pipe, 100_000))
    except BlockingIOError:
        return 0


def test_a_raw_pipe_that_takes_a_part_only_gets_the_rest() -> None:
    class Slow(io.BytesIO):
        def write(self, data: memoryview, /) -> int:  # type: ignore[override]
            return super().write(data[:7])

    slow, sound = Slow(), noise(100)
    stream_wav(slow, [sound], 48_000, 2, "float", len(sound))
    assert slow.getvalue() == streamed(sound, "float", True)


@pytest.mark.external
@pytest.mark.parametrize("bits", ["16", "24", "float"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("program", ["sox", "ffmpeg"])
def test_other_programs_read_our_streams_from_a_pipe(program: str, known: bool, bits: str) -> None:
    if shutil.which(program) is None:
        missing(f"{program} is not installed")
    sound = noise(100_001)
    commands = {
        "sox": ["sox", "-V1", "-t", "wav", "-", "-t", "raw", "-e", "float", "-b", "32", "-"],
        "ffmpeg": ["ffmpeg", "-v", "error", "-f", "wav", "-i", "-", "-f", "f32le", "-"],
    }
    process = subprocess.Popen(commands[program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    out = process.stdout
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(out.read()))
    reader.start()
    stream_wav(process.stdin, [sound[:40_000], sound[40_000:]], 48_000, 2, bits, len(sound) if known else None)
    process.stdin.close()
    reader.join()
    assert process.wait() == 0
    found = np.frombuffer(heard[0], "<f4").reshape(-1, 2)
    assert len(found) == len(sound)
    assert np.abs(found - sound).max() <= 2 / 32_768
