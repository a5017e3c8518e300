"""A whole recording with another emotion."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import RATE, talk, write_space, write_takes

from affectgen.errors import AudioError
from affectgen.speech.converting.convert import LONGEST, MOST_TRIES, SHORTEST, ConvertSettings, converted, pieces
from affectgen.speech.converting.prosody import PLACES, measure
from affectgen.speech.target import target_of

RULES = ConvertSettings(method="rules")
PITCH = PLACES["pitch"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of made-up speakers and an emotion space of made-up numbers."""
    from affectgen.speech.index.build import fill
    from affectgen.speech.index.listing import listed

    folder = tmp_path_factory.mktemp("voices")
    write_takes(folder / "takes", {"a": 110.0, "b": 140.0, "c": 200.0})
    fill(folder / "voices.db", listed(folder / "takes"))
    write_space(folder / "emotion-space")
    return folder


def test_no_strength_is_a_copy() -> None:
    sound = talk().astype(np.float64)
    made = converted(sound, RATE, target_of("angry"), ConvertSettings(strength=0.0))
    assert np.array_equal(made.samples, sound)


def test_rules_lift_and_lower_the_pitch() -> None:
    sound = talk(seconds=2.0).astype(np.float64)
    own = measure(sound, RATE)[PITCH]
    joy, sadness = (measure(converted(sound, RATE, target_of(word), RULES).samples, RATE) for word in ("joy", "sad"))
    assert joy[PITCH] > own + 1 > own > sadness[PITCH]


def test_exemplars_show_the_way(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTGEN_CHECKPOINTS", str(home))
    sound = talk(seconds=2.0).astype(np.float64)
    own = measure(sound, RATE)[PITCH]
    how = ConvertSettings(index=home / "voices.db")
    made = converted(sound, RATE, target_of("angry"), how)
    assert measure(made.samples, RATE)[PITCH] > own + 2  # made-up anger is 5 semitones up
    told = made.facts["pieces"][0]
    assert 1 <= told["grade"] <= MOST_TRIES
    assert all("anger" in name for name in told["exemplars"])
    gentle = converted(sound, RATE, target_of("angry"), ConvertSettings(index=home / "voices.db", tries=1))
    assert gentle.facts["pieces"][0]["grade"] == 1
    again = converted(sound, RATE, target_of("angry"), how)
    assert np.array_equal(made.samples, again.samples)


def test_speakers_can_be_left_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTGEN_CHECKPOINTS", str(home))
    how = ConvertSettings(index=home / "voices.db", without=frozenset({"a", "b"}))
    made = converted(talk().astype(np.float64), RATE, target_of("sad"), how)
    assert made.facts["pieces"][0]["exemplars"] == ["c_sadness_0.wav"]


def test_a_baseline_says_what_is_neutral() -> None:
    sound = talk(seconds=2.0, pitch=180.0).astype(np.float64)
    low = talk(seconds=2.0, pitch=120.0).astype(np.float64)
    made = converted(sound, RATE, target_of("0,0"), RULES, baseline=low)
    assert measure(made.samples, RATE)[PITCH] == pytest.approx(measure(low, RATE)[PITCH], abs=0.5)


def test_channels_and_pauses_stay() -> None:
    sound = talk(seconds=LONGEST + 4).astype(np.float64)
    sound[: 9 * RATE] = 0.0  # a piece without a voice
    both = np.stack([sound, 0.5 * sound], axis=1)
    made = converted(both, RATE, target_of("joy"), RULES).samples
    assert made.shape[1] == 2
    np.testing.assert_allclose(made[:, 1], 0.5 * made[:, 0], atol=1e-9)
    assert not made[: 5 * RATE].any()


def test_no_voice_at_all_is_said() -> None:
    with pytest.raises(AudioError):
        converted(np.zeros(RATE), RATE, target_of("sad"), RULES)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 130.0), st.integers(0, 9))
def test_pieces_cover_a_recording(seconds: float, seed: int) -> None:
    rate = 400
    sound = np.random.default_rng(seed).normal(size=round(seconds * rate))
    cut = list(pieces(sound, rate))
    assert cut[0][0] == 0
    assert cut[-1][1] == len(sound)
    assert all(one[1] == two[0] for one, two in pairwise(cut))
    assert all(end - start <= LONGEST * rate for start, end in cut)
    assert all(end - start >= SHORTEST * rate for start, end in cut[:-1])
