"""Pictures of sound and notes over the curve: their size, their parts, and odd input."""

from __future__ import annotations

import io
import warnings

import matplotlib.image
import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure

from affectgen.affect.path import AffectPath
from affectgen.affect.space import Affect
from affectgen.errors import AudioError
from affectgen.recognize.curves import Window
from affectgen.recognize.rate import Rated
from affectgen.recognize.reading import Reading
from affectgen.report import sound
from affectgen.report.sound import draw_rated, draw_sound
from affectgen.score.midi import write_notes
from affectgen.score.notes import NoteArray

RATE = 16_000
READING = Reading(Affect(0.4, -0.3), (0.1, 0.2, 0.3, 0.4), (0.1, -0.5), (0.7, -0.1))
CURVE = [Window(0, 1, READING), Window(1, 2, None), Window(2, 3, READING)]
NOTES = NoteArray.of([0, 1, 2], [1, 1, 0.01], [60, 64, 67], [20, 80, 120])


def noise(seconds=3.0):
    return np.random.default_rng(0).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)


def pixels(data):
    return matplotlib.image.imread(io.BytesIO(data))[..., :3]


def strictly(*args, **kwargs):
    """The picture, with warnings as errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return draw_sound(*args, **kwargs)


def test_a_picture_has_its_size_and_colours():
    picture = pixels(strictly("a.wav", noise(), RATE, CURVE))
    assert picture.shape[:2] == (round((1 + 0.45 + 3.3 + 2.5) * 120), round(sound.WIDTH * 120))
    dark = (picture.max(axis=-1) - picture.min(axis=-1) > 0.3).mean()
    assert dark > 0.25  # noise colours the whole spectrogram


def test_parts_add_up():
    heights = [
        pixels(strictly("a", *given)).shape[0] / 120
        for given in ((noise(), RATE, []), (None, 0, CURVE), (noise(), RATE, CURVE, None, "png", NOTES))
    ]
    np.testing.assert_allclose(heights, [4.75, 3.5, 9.95], atol=0.01)
    with pytest.raises(AudioError):
        draw_sound("a", None, 0, [])


def test_silence_is_drawn_without_warnings():
    picture = pixels(strictly("a", np.zeros(RATE, np.float32), RATE, [Window(0, 1, None)]))
    assert (picture.max(axis=-1) < 0.05).mean() > 0.3


@pytest.mark.parametrize("length", [1, 50, 400])
def test_very_short_sounds(length):
    assert strictly("a", np.full(length, 0.5, np.float32), RATE, [])[:4] == b"\x89PNG"


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_bytes_again(kind):
    asked = AffectPath.parse("sad>happy").to_json()
    first, second = (strictly("a", [noise(1), noise(2)], RATE, CURVE, asked, kind, NOTES) for _ in range(2))
    assert first == second
    assert first[:4] == {"png": b"\x89PNG", "svg": b"<?xm", "pdf": b"%PDF"}[kind]


def test_the_headline():
    told = sound._headline("a.wav", 61.25, CURVE, None)
    assert told.splitlines()[0] == "a.wav"
    assert "61.2 s" in told
    assert "mean valence +0.40, arousal -0.30" in told
    assert "(Q4)" in told
    assert "overall valence" in sound._headline("a.wav", 3.0, CURVE, READING)
    assert "1:00:05" in sound._headline("a.wav", 3605.0, [], None)
    assert "nothing to read" in sound._headline("a.wav", 3.0, [CURVE[1]], None)


def test_frequencies_and_notes_stand_at_their_rows():
    shown = sound.spectrogram(noise(), 44_100)
    axes = Figure().subplots()
    sound._draw_levels(axes, shown)
    labels = {label.get_text(): row for label, row in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    for name, hertz in (("100", 100), ("1k", 1000), ("10k", 10_000)):
        assert np.interp(labels[name], np.arange(len(shown.hertz)), shown.hertz) == pytest.approx(hertz, rel=0.002)
    right = axes.child_axes[0]
    names = {label.get_text(): row for label, row in zip(right.get_yticklabels(), right.get_yticks(), strict=True)}
    assert list(names) == ["C2", "C3", "C4", "C5", "C6", "C7"]
    assert np.interp(names["C4"], np.arange(len(shown.hertz)), shown.hertz) == pytest.approx(261.63, rel=0.002)


def test_notes_lie_at_their_seconds():
    axes = Figure().subplots()
    sound._draw_roll(axes, NOTES, 3.0)
    boxes = [path.get_extents() for path in axes.collections[0].get_paths()]
    assert [box.x0 for box in boxes] == [0, 1, 2]
    np.testing.assert_allclose([box.x1 for box in boxes], [1, 2, 2.01])
    np.testing.assert_allclose([(box.y0 + box.y1) / 2 for box in boxes], [60, 64, 67])


def test_what_was_rated_is_drawn(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([noise(), noise()], axis=1), RATE)
    curve = tuple(CURVE)
    heard = draw_rated(Rated("a.wav", "music", READING, curve), tmp_path / "a.wav")
    assert pixels(heard).shape[0] == 870
    assert draw_rated(Rated("a.wav", "music", READING, curve), (tmp_path / "a.wav").read_bytes()) == heard
    piece = draw_rated(Rated("a.mid", "midi", READING, curve), write_notes(NOTES))
    assert pixels(piece).shape[0] == 744
    assert pixels(draw_rated(Rated("words", "text", READING, curve), "some words")).shape[0] == 432
