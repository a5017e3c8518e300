"""Writing sound in every format: what is read back, the same bytes each time, and disks that are full."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectgen.audio import wav, write
from affectgen.audio.formats import FORMATS, QUALITIES, Encoding, Tags, format_named
from affectgen.audio.write import write_sound
from affectgen.errors import AffectgenError, AudioError, UsageError

NAMES = [one.name for one in FORMATS]
ALL = [("wav", "16"), ("wav", "24"), ("wav", "float"), ("flac", "16"), ("flac", "24")]
ALL_KINDS = [*ALL, ("ogg", None), ("opus", None), ("mp3", None)]
STEP = {"16": 1 / 32_768, "24": 1 / 8_388_608, "float": 0.0}


def music(seconds: float = 0.7, channels: int = 2, rate: int = 48_000) -> np.ndarray:
    """Some tones that die away, float32 [N, channels]."""
    time = np.arange(round(seconds * rate)) / rate
    tones = [0.3 * np.sin(2 * np.pi * hertz * time) * np.exp(-3 * time) for hertz in (220, 554.4)]
    return np.stack([tones[at % 2] for at in range(channels)], axis=1).astype(np.float32)


def cut(sound: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for at in range(0, len(sound), size):
        yield sound[at : at + size]


@pytest.mark.parametrize(("name", "bits"), ALL)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_lossless_formats_keep_the_sound(tmp_path: Path, name: str, bits: str, channels: int) -> None:
    sound = music(channels=channels)
    sound[1_000:2_000] = 0.0
    assert write_sound(tmp_path / "x", cut(sound, 1_000), Encoding(format_named(name), bits, 48_000)) == len(sound)
    found, rate = soundfile.read(tmp_path / "x", dtype="float32", always_2d=True)
    assert (rate, found.shape) == (48_000, sound.shape)
    assert np.abs(found - sound).max() <= 1.5 * STEP[bits]
    assert not found[1_000:2_000].any(), "digital silence"


@pytest.mark.parametrize("name", ["ogg", "opus", "mp3"])
@pytest.mark.parametrize("quality", QUALITIES)
def test_lossy_formats_keep_length_place_and_most_of_the_sound(tmp_path: Path, name: str, quality: str) -> None:
    sound = music(1.0)
    write_sound(tmp_path / "x", cut(sound, 5_000), Encoding(format_named(name), None, 48_000, quality))
    found, _ = soundfile.read(tmp_path / "x", dtype="float32")
    assert found.shape == sound.shape
    heard = slice(2_000, 20_000)
    error = np.sqrt(((found - sound)[heard] ** 2).mean() / (sound[heard] ** 2).mean())
    assert 20 * np.log10(error) < -20
    likeness = [float((np.roll(found, shift, axis=0) * sound)[heard].sum()) for shift in range(-30, 31)]
    assert int(np.argmax(likeness)) == 30, "nothing is late or early"


@pytest.mark.parametrize("name", ["ogg", "opus", "mp3"])
def test_better_qualities_take_more_bytes(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (48_000, 2)).astype(np.float32)
    sizes = []
    for quality in QUALITIES:
        write_sound(tmp_path / "x", [noise], Encoding(format_named(name), None, 48_000, quality))
        sizes.append((tmp_path / "x").stat().st_size * 8 / 1000)  # kbit/s: it is one second
    assert sizes == sorted(sizes)
    assert sizes[0] < 160
    assert 240 < sizes[2] < 345


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(ALL_KINDS), size=st.integers(100, 90_000))
def test_the_same_sound_gives_the_same_bytes_in_any_blocks(
    tmp_path: Path, kind: tuple[str, str | None], size: int
) -> None:
    sound = music(1.6)
    encoding = Encoding(format_named(kind[0]), kind[1], 48_000, tags=Tags("T", "A", "C"))
    write_sound(tmp_path / "one", [sound], encoding)
    write_sound(tmp_path / "two", cut(sound, size), encoding)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_files_do_not_tell_the_time(tmp_path: Path) -> None:
    for at, (name, bits) in enumerate(ALL_KINDS):
        write_sound(tmp_path / f"{at}", [music(0.1)], Encoding(format_named(name), bits, 48_000))
    code = f"""
import sys, time; sys.path.insert(0, {str(Path(__file__).parent)!r}); time.sleep(1.1)
from pathlib import Path
from test_write import *
for at, (name, bits) in enumerate(ALL_KINDS):
    write_sound(Path({str(tmp_path)!r}) / f"{{at}}b", [music(0.1)], Encoding(format_named(name), bits, 48_000))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    for at in range(len(ALL_KINDS)):
        assert (tmp_path / f"{at}").read_bytes() == (tmp_path / f"{at}b").read_bytes(), ALL_KINDS[at]


@pytest.mark.parametrize("name", NAMES)
def test_tags_are_read_back(tmp_path: Path, name: str) -> None:
    tags = Tags("Glück – 幸福", "affectgen", '{"asked": [0.7, -0.2]}')
    write_sound(tmp_path / "x", [music(0.1)], Encoding(format_named(name), None, 48_000, tags=tags))
    with soundfile.SoundFile(tmp_path / "x") as file:
        assert Tags(file.title, file.artist, file.comment) == tags


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("frames", [1, 2, 1_151, 1_153, 65_536, 65_537])
def test_any_length_is_kept_to_the_frame(tmp_path: Path, name: str, frames: int) -> None:
    sound = music(2.0)[:frames, :1]
    assert write_sound(tmp_path / "x", [sound], Encoding(format_named(name), None, 48_000)) == frames
    assert len(soundfile.read(tmp_path / "x")[0]) == frames


@pytest.mark.parametrize(("name", "bits"), ALL_KINDS)
def test_loud_sound_never_wraps_around(tmp_path: Path, name: str, bits: str | None) -> None:
    sound = music() * 8
    write_sound(tmp_path / "x", [sound], Encoding(format_named(name), bits, 48_000))
    found, _ = soundfile.read(tmp_path / "x", dtype="float32")
    loud = np.abs(sound) > 1.3
    assert loud.mean() > 0.1
    assert (np.sign(found[loud]) == np.sign(sound[loud])).all()
    assert np.abs(found).max() == pytest.approx(np.abs(sound).max() if bits == "float" else 1.2, rel=0.3)


def test_a_disk_that_takes_a_part_only_gets_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(io.FileIO):
        def write(self, data: Any, /) -> int:
            return super().write(bytes(data)[:1_001])

    encodings = [Encoding(one, None, 48_000) for one in FORMATS]
    for at, encoding in enumerate(encodings):
        write_sound(tmp_path / f"{at}", [music()], encoding)
    monkeypatch.setattr(write, "open", lambda path, mode, buffering: Slow(path, "w+"), raising=False)
    for at, encoding in enumerate(encodings):
        write_sound(tmp_path / "slow", [music()], encoding)
        assert (tmp_path / "slow").read_bytes() == (tmp_path / f"{at}").read_bytes()


def test_a_file_beyond_32_bits_becomes_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = music()
    monkeypatch.setattr(wav, "MOST", 10_000)
    monkeypatch.setattr(write, "_verify", lambda *_: None)  # the sizes are not those of a true RF64 yet
    write_sound(tmp_path / "x", [sound], Encoding(format_named("wav"), "16", 48_000))
    data = (tmp_path / "x").read_bytes()
    assert data[:4] == b"RF64"
    (tmp_path / "x").write_bytes(data.replace(struct.pack("<I", 10_000), struct.pack("<I", 0xFFFFFFFF)))
    with soundfile.SoundFile(tmp_path / "x") as file:
        assert (file.format, file.frames) == ("RF64", len(sound))
        assert np.abs(file.read(dtype="float32") - sound).max() < 2 / 32_768


def test_long_sound_takes_little_memory(tmp_path: Path) -> None:
    block = music(1.0)
    write_sound(tmp_path / "x", [block], Encoding(format_named("flac"), None, 48_000))  # imports what it needs
    for name in ("wav", "flac"):
        tracemalloc.start()
        write_sound(tmp_path / "x", (block for _ in range(120)), Encoding(format_named(name), None, 48_000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12e6, "of 46 MB of samples"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    encoding = Encoding(format_named("mp3"), None, 48_000)
    with pytest.raises(AudioError, match=r"There is no sound to write to .*x"):
        write_sound(tmp_path / "x", [np.zeros((0, 2), np.float32)], encoding)
    with pytest.raises(UsageError, match="mp3 holds 1 to 2 channels; 3 came"):
        write_sound(tmp_path / "x", [music(channels=3)], encoding)
    assert not (tmp_path / "x").exists()
    with pytest.raises(AudioError, match="no numbers"):
        write_sound(tmp_path / "x", [music(), music() * np.nan], encoding)
    with pytest.raises(AffectgenError, match=r"The folder .*none for x is gone"):
        write_sound(tmp_path / "none" / "x", [music()], encoding)


@pytest.mark.parametrize("name", NAMES)
def test_errors_of_what_is_written_are_not_taken_for_the_disks(tmp_path: Path, name: str) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield music(3.0)
        raise OSError(5, "the source failed")

    with pytest.raises(OSError, match="the source failed"):
        write_sound(tmp_path / "x", failing(), Encoding(format_named(name), None, 48_000))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_noticed(name: str) -> None:
    with pytest.raises(AffectgenError, match="No space is left to write /dev/full"):
        write_sound(Path("/dev/full"), [music()], Encoding(format_named(name), None, 48_000))


LIMITED = """
import resource, sys; sys.path.insert(0, {here!r})
from affectgen.output import Outputs
from test_write import *
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sound = np.random.default_rng(0).normal(0, 0.1, (200_000, 2)).astype(np.float32)
for name in NAMES:
    path = Path(sys.argv[1]) / f"out.{{name}}"
    try:
        with Outputs() as outputs:
            write_sound(outputs.stage(path), [sound], Encoding(format_named(name), None, 48_000))
    except AffectgenError as error:
        print(name, error)
    else:
        print(name, "written")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits there")
@pytest.mark.parametrize("limit", [10, 5_000, 60_000])
def test_a_file_that_stops_growing_is_noticed_and_goes(tmp_path: Path, limit: int) -> None:
    code = LIMITED.format(here=str(Path(__file__).parent))
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path), str(limit)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) == len(NAMES)
    for name, line in zip(NAMES, lines, strict=True):
        assert re.search(rf"^{name} .*/out\.{name} became larger than files may be", line)
    assert not list(tmp_path.iterdir())


def test_a_file_that_came_out_short_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_sound(path, [music()], Encoding(format_named("flac"), None, 48_000))
    size = path.stat().st_size
    with pytest.raises(AffectgenError, match=r"came out as \d+ bytes and 33600 frames, not \d+ and 33601"):
        write._verify(path, len(music()) + 1, size)
    with pytest.raises(AffectgenError, match="came out as"):
        write._verify(path, len(music()), size + 1)


INTERRUPTED = """
import os, signal, sys, threading; sys.path.insert(0, {here!r})
from affectgen.output import Outputs
from test_write import *
path = Path(sys.argv[1])
encoding = Encoding(format_named(path.suffix[1:]), None, 48_000)
block = np.random.default_rng(0).normal(0, 0.1, (70_000, 2)).astype(np.float32)
write_sound(path.with_suffix(""), [block], encoding)
path.with_suffix("").unlink()
threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    with Outputs() as outputs:
        write_sound(outputs.stage(path), (block for _ in range(10_000)), encoding)
except KeyboardInterrupt:
    print("stopped", list(path.parent.iterdir()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize("name", ["flac", "mp3"])
def test_ctrl_c_stops_the_writing_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    code = INTERRUPTED.format(here=str(Path(__file__).parent))
    command = [sys.executable, "-c", code, str(tmp_path / f"x.{name}")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("stopped []\n", "")
