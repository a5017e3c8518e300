"""The task `render`: a finished file and the facts about it."""

from __future__ import annotations

import io
import tempfile

import numpy as np
import pytest
import soundfile

from affectgen.errors import AudioError
from affectgen.render.options import RenderOptions
from affectgen.task import find_task

RATE = 44_100


def wav(sound: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, "FLOAT", format="WAV")
    return file.getvalue()


def noise(seconds: float, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(0).normal(size=(round(seconds * RATE), 2)) * level).astype(np.float32)


def run(*options: RenderOptions):
    return find_task("render").load(None, "cpu").run(options)


def test_one_result_for_each_in_order_and_none_depends_on_the_others():
    first, second = RenderOptions((wav(noise(1.0)),)), RenderOptions((wav(noise(2.0)),), format="flac")
    both = run(first, second)
    assert [result.suffix for result in both] == [".wav", ".flac"]
    assert [result.details["frames"] for result in both] == [RATE, 2 * RATE]
    assert both[1].data.read() == run(second)[0].data.read()
    assert both[0].details["renderer"] is None
    assert both[0].checkpoint == {}


def test_the_file_goes_with_its_result(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = run(RenderOptions((wav(noise(1.0)),)))[0]
    assert [result.data.path] == list(tmp_path.iterdir())
    result.data.close()
    assert list(tmp_path.iterdir()) == []
    broken = noise(1.0)
    broken[-1] = np.inf
    with pytest.raises(AudioError, match="no numbers"):
        run(RenderOptions((wav(broken),)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sound", "line"), [
    (noise(1.0), "1.0 s, -16.0 LUFS"), (noise(0.1), "too short to measure"), (np.zeros((RATE, 2)), "1.0 s, silent"),
])  # fmt: skip
def test_the_summary_says_length_and_level(sound, line):
    assert line in "\n".join(run(RenderOptions((wav(sound),)))[0].summary)


def test_peaks_that_keep_it_from_its_loudness_are_told():
    clicks = np.zeros((3 * RATE, 2), np.float32)
    clicks[:: RATE // 4] = 0.9
    result = run(RenderOptions((wav(clicks),), loudness=-6.0))[0]
    assert any("peaks far above the rest" in line for line in result.summary)
    assert result.details["level"]["true_peak"] <= -0.9
    assert np.abs(soundfile.read(result.data.path)[0]).max() < 1.0


def test_silence_carries_no_emotion():
    assert run(RenderOptions((wav(np.zeros((RATE, 2))),), measure=True))[0].measured == {}
    measured = run(RenderOptions((wav(noise(6.0)),), measure=True))[0].measured
    assert set(measured) == {"recogniser", "valence", "arousal", "quadrant"}
