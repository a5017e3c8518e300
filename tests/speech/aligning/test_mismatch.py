"""Whether a text is what is heard: on features drawn from the model itself."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.speech.aligning.acoustic import HOP, Heard
from affectgen.speech.aligning.acoustic_files import load_model
from affectgen.speech.aligning.aligned import fitted, rows_of
from affectgen.speech.aligning.mismatch import IN_NOISE, IN_QUIET, Limits, MismatchError, mismatch, nothing_fits
from affectgen.speech.aligning.pronounce import pronunciations

FRAMES = 6  # of each state
TEXT = "seven old sailors carried the heavy boxes down to the harbor"


def drawn(text: str) -> Heard:
    """What the words' sounds would give, each alone, half a second of silence before and after."""
    model = load_model()
    names = ["SIL"] * 6 + [name for word in text.split() for name in pronunciations(word)[0]] + ["SIL"] * 6
    rows = []
    for name in names:
        for state in model.states[model.sequence[model.number(name)]]:
            best = model.weight[:, :, state].argmin(axis=1)
            rows += [np.stack([model.mean[model.number(name), s, best[s]] for s in range(3)])] * FRAMES
    loud = np.repeat([-70.0 if name == "SIL" else -20.0 for name in names], 3 * FRAMES)
    return Heard(np.stack(rows).astype(np.float32), loud.astype(np.float32))


def found(said: str, text: str, long: bool = False) -> AffectgenError | None:
    heard, rows = drawn(said), rows_of(text.split())
    stretch = fitted(load_model(), heard, rows, 10.0)
    assert stretch is not None
    return mismatch(stretch, heard, rows, np.zeros(heard.frames * HOP, np.float32), long)


def test_the_right_text_fits() -> None:
    assert found(TEXT, TEXT) is None
    assert found(TEXT, TEXT, long=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "my sister plays the violin but would rather sing",
        TEXT.replace("heavy boxes", "fifteen hundred little elephants"),
        TEXT.replace("old sailors carried the heavy", ""), TEXT + " and nobody knew where they had come from",
    ],
)  # fmt: skip
def test_another_text_does_not(text: str) -> None:
    error = found(TEXT, text)
    assert isinstance(error, MismatchError)
    assert error.where
    assert all(at >= 10 for at, _ in error.where)
    assert "is not what is heard" in error.message or "lacks" in error.message


def test_limits_widen_in_noise() -> None:
    assert Limits.of(40.0) == Limits(*IN_QUIET)
    assert Limits.of(5.0) == Limits(*IN_NOISE)
    assert IN_QUIET[0] < Limits.of(18.0).time < IN_NOISE[0]


def test_no_room_is_said_with_the_place() -> None:
    error = nothing_fits(np.zeros(8000, np.float32), rows_of(["hello", "42"]), 3.0)
    assert isinstance(error, MismatchError)
    assert error.where == ((3.0, "hello 42"),)
    assert "2 words" in error.message
    assert "0.5 s from 3.0 s on" in error.message
