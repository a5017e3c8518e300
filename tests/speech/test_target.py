"""What a request says of a voice."""

from __future__ import annotations

import pytest

from affectgen.affect.words import find_word
from affectgen.errors import AffectError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.speech.target import FAMILIES, Target, target_of, target_of_text


def test_words_name_labels() -> None:
    assert target_of("sad").label == "sadness"
    assert target_of("furious").label == "anger"
    assert target_of("joy").label == "happiness"
    assert target_of("0.5,0.3").label is None
    assert target_of("calm").label is None


def test_half_a_word_keeps_the_label() -> None:
    half, whole = target_of("happy:0.5"), target_of("happy")
    assert half.label == "happiness"
    assert half.affect.intensity == pytest.approx(whole.affect.intensity / 2)


def test_every_word_of_a_family_lies_on_the_plane() -> None:
    assert set(FAMILIES) == set(LABELS)
    assert all(find_word(word) is not None for family in FAMILIES.values() for word in family)


def test_what_is_no_emotion_is_said() -> None:
    with pytest.raises(AffectError):
        target_of("tableish")
    with pytest.raises(ValueError, match="label"):
        Target(target_of("sad").affect, "tired")


def test_sentences_call_for_emotions() -> None:
    assert target_of_text("I am so happy to see you!").label == "happiness"
    assert target_of_text("I am scared of what is behind the door.").label == "fear"
    assert target_of_text("The meeting is at five.").label == "neutral"
    dark = target_of_text("He died alone in the dark.")
    assert dark.label != "neutral"
    assert dark.affect.valence < -0.3
