"""The curve over time: its steps and gaps, what was asked, times on the axis, names and the same bytes again."""

from __future__ import annotations

import io
import warnings

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from affectgen.affect.path import AffectPath
from affectgen.affect.space import Affect
from affectgen.errors import AffectgenError
from affectgen.recognize.curves import Window
from affectgen.recognize.reading import Reading
from affectgen.report import curve


def window(start, end, valence=0.0, arousal=0.0):
    low, high = (valence - 0.1, arousal - 0.2), (valence + 0.1, arousal + 0.2)
    return Window(start, end, Reading(Affect(valence, arousal), (0.25,) * 4, low, high))


def axes_of(windows, seconds, asked=None):
    axes = Figure().subplots()
    curve.add_curve(axes, windows, seconds, asked)
    return axes


def test_steps_have_a_gap_where_nothing_is_read():
    time, middle, low, high = curve._steps([window(0, 5, 0.1), window(5, 10, 0.3), Window(10, 15, None),
                                            window(15, 20, 0.5)], 0)  # fmt: skip
    drawn = np.isfinite(middle)
    np.testing.assert_array_equal(time[drawn], [0, 5, 5, 10, 15, 20])
    np.testing.assert_allclose(middle[drawn], [0.1, 0.1, 0.3, 0.3, 0.5, 0.5])
    np.testing.assert_allclose(high[drawn] - low[drawn], 0.2)
    assert not drawn[time.tolist().index(10) + 1 : time.tolist().index(15) + 1].any()
    time, middle, *_ = curve._steps([window(0, 5), window(7, 10)], 1)
    assert np.isnan(middle[(time > 5) & (np.arange(len(time)) < 5)]).any()  # windows that do not touch


def test_a_curve_of_silence_alone():
    assert all(np.isnan(row).all() for row in curve._steps([Window(0, 1, None)], 0)[1:])


@pytest.mark.parametrize(("asked", "seconds", "found"), [
    (Affect(0.5, -0.5), 10, [(0.5, -0.5), (0.5, -0.5), (0.5, -0.5)]),
    ({"valence": 0.5, "arousal": -0.5}, 10, [(0.5, -0.5), (0.5, -0.5), (0.5, -0.5)]),
    (AffectPath.parse("-1,0>1,0.5"), 10, [(-1, 0), (0, 0.25), (1, 0.5)]),
    (AffectPath.parse("-1,0@0>1,0.5@20").to_json(), 10, [(-1, 0), (-0.5, 0.125), (0, 0.25)]),
    (AffectPath.parse("-1,0@0>1,0.5@5"), 10, [(-1, 0), (1, 0.5), (1, 0.5)]),
])  # fmt: skip
def test_what_was_asked(asked, seconds, found):
    time, points = curve._asked(asked, seconds)
    places = np.stack([np.interp([0, seconds / 2, seconds], time, points[:, axis]) for axis in (0, 1)], axis=1)
    np.testing.assert_allclose(places, found, atol=1e-6)
    assert len(axes_of([window(0, 10)], seconds, asked).lines) == len(axes_of([window(0, 10)], seconds).lines) + 3


@pytest.mark.parametrize(("seconds", "first", "last"), [
    (0.4, "0", "0.4"), (3, "0", "3"), (30, "0", "30"), (89, "0", "80"), (192, "0:00", "3:00"), (1213, "0:00", "20:00"),
    (3600, "0:00", "1:00:00"), (36_000, "0:00", "10:00:00"),
])  # fmt: skip
def test_times_are_round_and_few(seconds, first, last):
    axes = Figure().subplots()
    curve.time_axis(axes, seconds)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert (labels[0], labels[-1]) == (first, last)
    assert 4 <= len(set(labels)) == len(labels) <= curve.MOST_TICKS + 1
    assert axes.get_xlim() == (0, seconds)


def test_names_stand_in_one_short_line():
    assert curve.shown_name("a.wav") == "a.wav"
    assert curve.shown_name("a\nb\udcff") == "a?b?"
    long = curve.shown_name("x" * 100 + "/end.wav")
    assert len(long) == curve.NAME_LENGTH
    assert long.endswith("/end.wav")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_pictures_are_the_same_again(kind):
    windows = [window(0, 5, 0.1, -0.4), Window(5, 10, None), window(10, 12)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (curve.draw_curve("音 $x_$.wav", windows, kind, Affect(0.2, 0.2)) for _ in range(2))
    assert first == second
    assert first[:4] == {"png": b"\x89PNG", "svg": b"<?xm", "pdf": b"%PDF"}[kind]
    if kind == "png":
        picture = matplotlib.image.imread(io.BytesIO(first))
        assert picture.shape[:2] == tuple(round(side * curve.DPI) for side in reversed(curve.INCHES))


def test_no_window_is_an_error():
    with pytest.raises(AffectgenError):
        curve.draw_curve("a", [])
