from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.audio import fluid
from affectgen.audio.files import Frames
from affectgen.audio.fluid import fluid_available, fluid_version, play_fluid
from affectgen.audio.fonts import check_font, find_font
from affectgen.errors import AffectgenError
from affectgen.score.messages import Timeline, read_timeline
from affectgen.score.midi import write_notes
from affectgen.score.notes import NoteArray

RATE = 44100
needs_library = pytest.mark.skipif(not fluid_available(), reason="FluidSynth is not installed")


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def sine_font(vorbis: bool = False) -> bytes:
    """A font of one looped sine (441 Hz at key 69, corrected by -4 cents) that stays level, as program 0 and drums.

    `vorbis`: an .sf3 of one second of loud noise, its place counted in bytes and its loop from its start.
    """
    wave = (12000 * np.sin(2 * np.pi * np.arange(4410) / 100)).astype("<i2").tobytes() + bytes(92)
    stop, loop, kind = 4410, 4400, 1
    if vorbis:
        store, noise = io.BytesIO(), np.random.default_rng(0).standard_normal(RATE)
        soundfile.write(store, 2.0 * noise, RATE, format="OGG", subtype="VORBIS")
        wave, stop, loop, kind = store.getvalue(), len(store.getvalue()), RATE - 10, 0x11
    presets = [(b"sine", 0, 0, 0), (b"drum", 0, 128, 1), (b"EOP", 0, 0, 2)]
    tables = {
        b"phdr": b"".join(struct.pack("<20sHHHIII", *row, 0, 0, 0) for row in presets),
        b"pbag": struct.pack("<6H", 0, 0, 1, 0, 2, 0), b"pmod": bytes(10),
        b"pgen": struct.pack("<6H", 41, 0, 41, 0, 0, 0),
        b"inst": struct.pack("<20sH20sH", b"sine", 0, b"EOI", 1), b"ibag": struct.pack("<4H", 0, 0, 3, 0),
        b"imod": bytes(10), b"igen": struct.pack("<HhHhHhHh", 54, 1, 38, -3986, 53, 0, 0, 0),
        b"shdr": struct.pack("<20sIIIIIBbHH", b"sine", 0, stop, 100, loop, RATE, 69, -4, 0, kind)
        + struct.pack("<20s26x", b"EOS"),
    }  # fmt: skip
    info = b"INFO" + chunk(b"ifil", struct.pack("<HH", 2, 1)) + chunk(b"isng", b"EMU8000\0")
    info += chunk(b"INAM", b"sine\0\0")
    pdta = b"pdta" + b"".join(chunk(name, data) for name, data in tables.items())
    lists = [info, b"sdta" + chunk(b"smpl", wave), pdta]
    return chunk(b"RIFF", b"sfbk" + b"".join(chunk(b"LIST", part) for part in lists))


@pytest.fixture(scope="session")
def font(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("font") / "sine.sf2"
    path.write_bytes(sine_font())
    return path


def timeline_of(events: Iterable[tuple[float, int, int, int]], end: float, channel: int = 0) -> Timeline:
    rows = sorted(events, key=lambda row: row[0])
    times, status, first, second = (np.array([row[k] for row in rows]) for k in range(4))
    return Timeline(times.astype(float), status, np.full(len(rows), channel), first, second, end)


def note(key: int, velocity: int = 80, start: float = 0.0, stop: float = 1.0) -> list[tuple[float, int, int, int]]:
    return [(start, 0x90, key, velocity), (stop, 0x80, key, 0)]


def played(events, font: Path, end: float = 1.0, rate: int = RATE, channel: int = 0) -> Frames:
    return np.concatenate(list(play_fluid(timeline_of(events, end, channel), font, rate)))


def pitch(samples: np.ndarray, rate: int) -> float:
    """Frequency of a steady tone, from the phase between two windows of its spectrum's peak."""
    size = len(samples) // 2
    window = np.hanning(size)
    early, late = (np.fft.rfft(samples[at : at + size] * window) for at in (0, size // 8))
    peak = int(np.abs(early).argmax())
    rough = peak * rate / size
    turns = np.angle(late[peak] / early[peak]) / (2 * np.pi)
    step = size // 8 / rate
    return float((turns + np.round(rough * step - turns)) / step)


def level(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.asarray(sound, dtype=float) ** 2) + 1e-20))


@needs_library
@pytest.mark.parametrize("key", [21, 45, 60, 69, 84, 108])
@pytest.mark.parametrize("rate", [22050, RATE])
def test_keys_sound_at_equal_temperament(font: Path, key: int, rate: int) -> None:
    sound = played(note(key), font, rate=rate)[int(0.1 * rate) : int(0.9 * rate), 0]
    cents = 1200 * np.log2(pitch(sound, rate) / (440 * 2 ** ((key - 69) / 12)))
    assert abs(cents) < 2


@needs_library
@pytest.mark.parametrize("rate", [16000, 22050, RATE, 96000, 192000])
def test_notes_begin_at_their_time_and_silence_stays_silent(font: Path, rate: int) -> None:
    starts = [0.0101, 1.2345, 2.5004]
    events = [event for start in starts for event in note(81, 100, start, start + 0.1)]
    sound = np.abs(played(events, font, 3.0, rate)[:, 0])
    heard = np.flatnonzero(sound > 0.02 * sound.max())
    begun = heard[np.flatnonzero(np.diff(heard, prepend=-rate) > rate // 4)] / rate
    np.testing.assert_allclose(begun, starts, atol=0.002)
    assert sound[int(0.5 * rate) : int(1.2 * rate)].max() < 1e-4


@needs_library
def test_the_pedal_keeps_notes_and_lets_them_go(font: Path) -> None:
    pedal = [(0.0, 0xB0, 64, 127), *note(69, 80, 0.1, 0.3), (1.0, 0xB0, 64, 0)]
    sound = played(pedal, font, 2.0)
    assert abs(level(sound[int(0.8 * RATE) : int(0.9 * RATE)]) - level(sound[int(0.2 * RATE) : int(0.3 * RATE)])) < 0.5
    assert level(sound[int(1.6 * RATE) : int(1.9 * RATE)]) < -80
    without = played(note(69, 80, 0.1, 0.3), font, 2.0)
    assert level(without[int(0.8 * RATE) : int(0.9 * RATE)]) < -80


@needs_library
def test_resetting_the_controllers_lifts_the_pedal(font: Path) -> None:
    events = [(0.0, 0xB0, 64, 127), *note(69, 80, 0.1, 0.3), (0.6, 0xB0, 121, 0)]
    assert level(played(events, font, 2.0)[int(1.4 * RATE) : int(1.9 * RATE)]) < -80


@needs_library
@pytest.mark.parametrize("number", [124, 125, 126, 127])
def test_mode_messages_leave_all_channels_playing(font: Path, number: int) -> None:
    for channel in (0, 5):
        sound = played([(0.0, 0xB0, number, 1), *note(60, 80, 0.1), *note(64, 80, 0.1)], font, channel=channel)
        spectrum = np.abs(np.fft.rfft(sound[int(0.2 * RATE) : int(0.9 * RATE), 0]))
        both = [spectrum[round(440 * 2 ** ((key - 69) / 12) * 0.7)] for key in (60, 64)]
        assert min(both) > 0.2 * spectrum.max()


@needs_library
def test_loudness_rises_with_velocity_volume_and_expression(font: Path) -> None:
    levels = [level(played(note(69, velocity), font)) for velocity in (10, 30, 60, 90, 127)]
    assert (np.diff(levels) > 2).all()
    for controller in (7, 11):
        changed = [level(played([(0.0, 0xB0, controller, value), *note(69)], font)) for value in (50, 100)]
        assert changed[1] - changed[0] == pytest.approx(20 * np.log10(4), abs=0.5)


@needs_library
def test_a_bend_bends_and_channel_10_plays_drums(font: Path) -> None:
    bent = played([(0.0, 0xE0, 0, 96), *note(69)], font)[int(0.1 * RATE) : int(0.9 * RATE), 0]
    assert 1200 * np.log2(pitch(bent, RATE) / 440) == pytest.approx(100, abs=2)
    assert level(played(note(69), font, channel=9)) > -40


@needs_library
def test_long_silence_between_notes(font: Path) -> None:
    sound = played([*note(69, 80, 0.0, 0.5), *note(72, 80, 90.0, 90.5)], font, 90.5)
    assert np.abs(sound[2 * RATE : int(89.9 * RATE)]).max() == 0
    assert np.abs(sound[int(90.1 * RATE) : int(90.4 * RATE)]).max() > 0.01


@needs_library
def test_keys_left_down_are_let_go_at_the_end_and_the_tail_is_short(font: Path) -> None:
    sound = played([(0.0, 0xB0, 64, 127), (0.0, 0x90, 69, 100)], font, 1.0)
    assert RATE < len(sound) < 2 * RATE
    assert np.abs(sound[-64:]).max() < 1e-4


@needs_library
def test_many_loud_notes_are_not_clipped(font: Path) -> None:
    sound = played([event for key in range(30, 110) for event in note(key, 127)], font)
    assert np.abs(sound).max() > 1.2
    assert sound.dtype == np.float32


@needs_library
def test_blocks_are_bounded_and_add_up(font: Path) -> None:
    blocks = list(play_fluid(timeline_of(note(69, 80, 5.0, 6.0), 6.0), font, RATE))
    assert max(len(block) for block in blocks) <= 1 << 16
    assert sum(len(block) for block in blocks) >= 6 * RATE - 64


SCRIPT = """
import hashlib, sys
from pathlib import Path
from affectgen.audio.fluid import play_fluid
from affectgen.score.messages import read_timeline
sound = hashlib.sha256()
for block in play_fluid(read_timeline(Path(sys.argv[1])), Path(sys.argv[2]), 44100):
    sound.update(block.tobytes())
print(sound.hexdigest())
"""


@needs_library
def test_two_runs_and_two_processes_give_the_same_bytes_and_nothing_else_is_printed(font: Path, tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    onset = chance.uniform(0, 3, 80)
    notes = NoteArray.of(onset, np.full(80, 0.4), chance.integers(30, 100, 80), chance.integers(20, 127, 80))
    path = tmp_path / "piece.mid"
    path.write_bytes(write_notes(notes))
    used = find_font() or font
    digests = []
    for _ in range(2):
        sound = hashlib.sha256()
        for block in play_fluid(read_timeline(path), used, RATE):
            sound.update(block.tobytes())
        digests.append(sound.hexdigest())
    line = [sys.executable, "-c", SCRIPT, str(path), str(used)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env={**os.environ, "CI": "1"})
    assert digests[0] == digests[1]
    assert done.stdout.split() == [digests[0]]
    assert done.stderr == ""


@needs_library
def test_a_font_of_vorbis_samples_sounds_the_same_whichever_library_was_loaded_first(tmp_path: Path) -> None:
    """FluidSynth takes the libsndfile that the process has: soundfile's own, or the system's, of another version."""
    font, path = tmp_path / "noise.sf3", tmp_path / "piece.mid"
    font.write_bytes(sine_font(vorbis=True))
    path.write_bytes(write_notes(NoteArray.of([0.0, 0.1], [0.9, 0.8], [69, 76], [100, 80])))
    digests = set()
    for first in ("", "import soundfile"):
        line = [sys.executable, "-c", first + SCRIPT, str(path), str(font)]
        digests.add(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    assert len(digests) == 1
    sound = np.concatenate(list(play_fluid(read_timeline(path), font, RATE)))
    assert np.abs(sound).max() > 0.01


@needs_library
@pytest.mark.skipif(find_font() is None, reason="no SoundFont is installed")
def test_a_real_font_plays_its_piano_in_tune() -> None:
    used = find_font()
    assert used is not None
    check_font(used)
    sound = played(note(69, 90, 0.0, 2.0), used, 2.0)[int(0.2 * RATE) : int(1.8 * RATE)].mean(axis=1)
    assert abs(1200 * np.log2(pitch(sound, RATE) / 440)) < 5


@needs_library
def test_a_font_that_is_damaged_inside_is_refused_in_silence(font: Path, tmp_path: Path, capfd) -> None:
    data = font.read_bytes()
    broken = tmp_path / "broken.sf2"
    at = data.index(b"phdr") + 8 + 24
    broken.write_bytes(data[:at] + b"\xff\xff" + data[at + 2 :])
    with pytest.raises(AffectgenError, match=r"broken\.sf2"):
        played(note(60), broken)
    broken.write_bytes(data[:-40])
    with pytest.raises(AffectgenError, match="cut short"):
        played(note(60), broken)
    assert capfd.readouterr() == ("", "")


@needs_library
def test_the_version_has_three_numbers() -> None:
    assert [part.isdigit() for part in fluid_version().split(".")] == [True] * 3


@pytest.mark.parametrize("error", [ImportError("Couldn't find the FluidSynth library."), OSError("cannot open")])
def test_a_missing_library_is_told_with_its_remedy(monkeypatch, tmp_path: Path, error: Exception) -> None:
    def refuse(name: str) -> None:
        raise error

    monkeypatch.setattr(fluid, "importlib", type("Module", (), {"import_module": staticmethod(refuse)}))
    assert not fluid_available()
    with pytest.raises(AffectgenError, match="pip install pyfluidsynth"):
        play_fluid(timeline_of(note(60), 1.0), tmp_path / "any.sf2", RATE)


def test_importing_the_module_loads_no_library() -> None:
    code = "import sys, affectgen.audio.fluid; print([m for m in ('fluidsynth', 'soxr', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
