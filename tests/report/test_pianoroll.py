"""The piano roll: bars under changing metres, and pictures of odd pieces."""

from __future__ import annotations

import io

import matplotlib.image
import numpy as np
import pytest
import symusic

from affectgen.errors import MidiError
from affectgen.report import pianoroll


def piece(notes, signatures=((0, 4, 4),)):
    score = symusic.Score(480)
    for time, above, below in signatures:
        score.time_signatures.append(symusic.TimeSignature(time, above, below))
    track = symusic.Track("piano", 0, False)
    for time, duration, pitch, velocity in notes:
        track.notes.append(symusic.Note(time, duration, pitch, velocity))
    score.tracks.append(track)
    return score


def test_bar_lines_follow_the_metre():
    score = piece([(0, 480, 60, 80), (1920 + 2 * 1440, 100, 60, 80)], [(0, 4, 4), (1920, 3, 4)])
    np.testing.assert_array_equal(pianoroll._bar_lines(score), [0, 1920, 3360, 4800, 6240])
    np.testing.assert_array_equal(pianoroll._bar_lines(piece([(0, 960, 60, 80)], [(0, 6, 8)])), [0, 1440])


@pytest.mark.parametrize("asked", [
    None, {"valence": 0.7, "arousal": 0.5},
    {"unit": "fraction", "interpolation": "linear", "keys": [[0, -0.5, -0.5], [1, 0.7, 0.5]]},
])  # fmt: skip
def test_a_picture(asked):
    data = piece([(0, 480, 60, 20), (480, 480, 72, 120)]).dumps_midi()
    picture = matplotlib.image.imread(io.BytesIO(pianoroll.draw_piano_roll(data, asked, {})))
    assert min(picture.shape[:2]) > 300
    assert np.ptp(picture[..., :3]) > 0.9  # dark notes on white


def test_louder_is_darker():
    colours = pianoroll.COLOURS([0.0, 0.5, 1.0])[:, :3].mean(axis=1)
    assert colours[0] > colours[1] > colours[2]


def test_an_empty_piece_and_a_long_one():
    with pytest.raises(MidiError):
        pianoroll.draw_piano_roll(piece([]).dumps_midi(), None, {})
    long = [(480 * beat, 400, 40 + beat % 40, 1 + beat % 127) for beat in range(800)]
    assert pianoroll.draw_piano_roll(piece(long).dumps_midi(), None, {"valence": 0.0, "arousal": 0.0})[:4] == b"\x89PNG"


def test_what_is_no_music():
    with pytest.raises(MidiError):
        pianoroll.draw_piano_roll(b"text", None, {})


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_piece_always_gives_the_same_picture(kind):
    data = piece([(0, 480, 60, 20), (480, 480, 72, 120)]).dumps_midi()
    pictures = {pianoroll.draw_piano_roll(data, {"valence": 0.7, "arousal": 0.5}, {}, kind) for _ in range(2)}
    assert len(pictures) == 1
