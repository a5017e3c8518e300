"""Converters from outside: what they are given, and what is not taken from them."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.affect import Affect
from affectgen.errors import AffectgenError, AudioError
from affectgen.speech.converting.converters import (
    ConvertRequest,
    checked_sound,
    converted_by,
    converter_names,
    load_converter,
)
from affectgen.speech.target import Target

RATE, COUNT = 8000, 4000
PLUGGED = Path(__file__).parents[1] / "plugged"
CYCLES = 2 * np.pi * np.arange(COUNT) / RATE  # of 1 Hz
VOICE = 0.3 * np.sin(200 * CYCLES) + 0.1 * np.sin(1700 * CYCLES)


def request(samples: np.ndarray = VOICE, arousal: float = 0.8, strength: float = 1.0) -> ConvertRequest:
    return ConvertRequest(samples, RATE, Target(Affect(-0.6, arousal), "anger"), strength)


@dataclass(frozen=True)
class Gives:
    """Gives what it was told to."""

    sound: Any
    name: str = "gives 1"

    def convert(self, request: ConvertRequest) -> Any:
        return self.sound(request.samples) if callable(self.sound) else self.sound


@pytest.fixture
def tilt(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example of the documentation, found as an installed package is."""
    monkeypatch.syspath_prepend(str(PLUGGED))
    yield load_converter("tilt")
    sys.modules.pop("tilt_converter", None)


def test_an_installed_converter_is_found(tilt: Any) -> None:
    assert {"tilt", "broken", "unmet"} <= set(converter_names())
    assert tilt.name == "tilt 1"
    with pytest.raises(AffectgenError, match="converter broken failed: AttributeError"):
        load_converter("broken")
    with pytest.raises(AffectgenError, match="converter unmet cannot be loaded"):
        load_converter("unmet")


def test_the_documentation_shows_this_very_converter(top: Path) -> None:
    page = (top / "docs" / "speech_engines.md").read_text()
    shown = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    assert (PLUGGED / "tilt_converter.py").read_text() in shown


@settings(deadline=None, max_examples=25)
@given(low=st.floats(-1, 0.8), step=st.floats(0.1, 1), strength=st.floats(0.3, 2))
def test_emotion_and_strength_reach_it(low: float, step: float, strength: float) -> None:
    sys.path.insert(0, str(PLUGGED))
    try:
        found = load_converter("tilt")
    finally:
        sys.path.remove(str(PLUGGED))
    arousals = (low, min(1.0, low + step))
    balance = []
    for arousal in arousals:
        made, told = converted_by(found, VOICE[:, None], request(arousal=arousal, strength=strength))
        assert made.facts == {"engine": "tilt 1", "strength": strength}
        power = np.abs(np.fft.rfft(made.samples[:, 0])) ** 2
        hertz = np.fft.rfftfreq(COUNT, 1 / RATE)
        balance.append(10 * np.log10(power[hertz > 1000].sum() / power[hertz < 1000].sum()))
    octaves = np.log2(1700 / 250)
    assert balance[1] - balance[0] == pytest.approx(4 * strength * (arousals[1] - arousals[0]) * octaves, abs=0.01)
    assert not any("channels" in text for text in told)


@settings(deadline=None, max_examples=40)
@given(gains=st.lists(st.floats(0.05, 1.0), min_size=1, max_size=5))
def test_one_voice_at_several_levels_keeps_them(gains: list[float]) -> None:
    channels = VOICE[:, None] * gains
    made, told = converted_by(Gives(lambda samples: np.tile(samples, 2)), channels, request(channels.mean(axis=1)))
    assert made.samples == pytest.approx(np.tile(channels, (2, 1)), abs=1e-9)
    assert told == []


def test_channels_that_differ_become_one_voice_and_that_is_said() -> None:
    channels = np.stack([VOICE, 0.5 * VOICE[::-1] + 0.2 * np.cos(np.arange(COUNT))], axis=1)
    made, told = converted_by(Gives(lambda samples: samples), channels, request(channels.mean(axis=1)))
    assert any("channels differ" in text for text in told)
    first, second = made.samples.T
    assert second == pytest.approx(first * (second @ first) / (first @ first), abs=1e-9)


def test_a_sound_above_full_scale_is_turned_down_not_cut_off() -> None:
    made, told = converted_by(Gives(lambda samples: 5 * samples), VOICE[:, None], request())
    assert np.abs(made.samples).max() == pytest.approx(1.0)
    assert made.samples[:, 0] == pytest.approx(VOICE / np.abs(VOICE).max())
    decibels = 20 * np.log10(5 * np.abs(VOICE).max())
    assert told == [f"The converter's sound was {decibels:.1f} dB above full scale; it was turned down."]


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_floats_of_any_width_are_taken(kind: str) -> None:
    sound = checked_sound(VOICE.astype(kind), request(), "it")
    assert sound.dtype == np.float64
    assert sound == pytest.approx(VOICE, abs=1e-3)


@pytest.mark.parametrize(
    ("came", "said"),
    [
        (None, "object of shape ()"),
        (np.zeros(0), "shape (0,)"),
        (np.zeros((COUNT, 2)), f"float64 of shape ({COUNT}, 2)"),
        ((VOICE * 32767).astype(np.int16), "int16"),
        (np.full(COUNT, np.nan), "no numbers"),
        (np.r_[VOICE, np.inf], "no numbers"),
        (np.zeros(COUNT), "silence"),
        (VOICE * 5e-4, "silence"),
        (VOICE * 32767, "1 is full scale"),
        (VOICE[: COUNT // 5], "0.10 s of sound for 0.50 s; 0.25 to 4 times"),
        (np.tile(VOICE, 5), "2.50 s of sound for 0.50 s"),
    ],
)
def test_what_cannot_be_used_is_refused(came: Any, said: str) -> None:
    with pytest.raises(AffectgenError, match=re.escape(said)):
        converted_by(Gives(came), VOICE[:, None], request())


def test_its_own_errors_are_said_to_be_its_own() -> None:
    def fail(samples: np.ndarray) -> None:
        raise RuntimeError("mat1 and mat2 cannot be multiplied")

    def refuse(samples: np.ndarray) -> None:
        raise AudioError("This is a song.", "Give speech.")

    with pytest.raises(AffectgenError, match="The converter gives 1 failed: RuntimeError: mat1 and mat2"):
        converted_by(Gives(fail), VOICE[:, None], request())
    with pytest.raises(AudioError, match="This is a song"):
        converted_by(Gives(refuse), VOICE[:, None], request())


def test_a_converter_may_write_into_what_it_gets() -> None:
    def halve(samples: np.ndarray) -> np.ndarray:
        samples *= 0.5
        return samples

    asked = request()
    made, told = converted_by(Gives(halve), VOICE[:, None], asked)
    assert made.samples[:, 0] == pytest.approx(0.5 * VOICE)
    assert asked.samples is VOICE
    assert told == []


@pytest.mark.parametrize("came", [[[1.0], [1.0, 2.0]], {"sound": VOICE}, "a file", [0.1 + 0.2j] * COUNT])
def test_what_is_no_array_is_refused(came: Any) -> None:
    with pytest.raises(AffectgenError, match="converter gives 1"):
        converted_by(Gives(came), VOICE[:, None], request())


def test_it_is_not_asked_where_there_is_nothing_to_hear() -> None:
    opposite = np.stack([VOICE, -VOICE], axis=1)
    with pytest.raises(AudioError, match="silent"):
        converted_by(Gives(lambda samples: 1 / 0), opposite, request(opposite.mean(axis=1)))
