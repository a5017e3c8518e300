"""The picture beside a result: which one, and that it never fails for want of an emotion."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from affectgen.render.options import RenderOptions
from affectgen.report.picture import draw_result
from affectgen.task import Result, find_task

RATE = 44_100
TRACK = bytes([0, 0x90, 60, 80, 0x83, 0x60, 0x80, 60, 0, 0, 0xFF, 0x2F, 0])
MIDI = b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 0xE0]) + b"MTrk" + len(TRACK).to_bytes(4, "big") + TRACK


def sound(seconds: float, level: float) -> Result:
    file = io.BytesIO()
    draw = np.random.default_rng(0)
    soundfile.write(file, draw.normal(size=(round(seconds * RATE), 2)) * level, RATE, format="WAV")
    return find_task("render").load(None, "cpu").run([RenderOptions((file.getvalue(),), loudness=None)])[0]


def test_midi_is_a_piano_roll():
    picture = draw_result(Result(MIDI, ".mid", None, {}, {}, {}), "a.mid", "svg")
    assert b"<svg" in picture[:2000]
    assert b"a.mid" not in picture  # a spectrogram's title


@pytest.mark.parametrize(("seconds", "level"), [(12.0, 0.1), (2.0, 0.1), (2.0, 0.0), (1 / RATE, 0.1)])
def test_sound_is_a_spectrogram_however_short_or_silent(seconds, level):
    picture = draw_result(sound(seconds, level), "a.wav")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    import matplotlib.image

    image = matplotlib.image.imread(io.BytesIO(picture))
    assert image[..., :3].std() > 0.01  # something is drawn


def test_the_same_sound_gives_the_same_picture():
    result = sound(6.0, 0.1)
    assert draw_result(result, "a.wav") == draw_result(result, "a.wav")
