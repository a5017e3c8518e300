"""Looking things up: what was asked for comes first, what is not allowed does not come, shifts are told in words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from talking import RATE, talk, write_space

from affectgen.errors import AffectgenError, AudioError
from affectgen.speech.converting.prosody import BANDS, NAMES, PLACES
from affectgen.speech.index.query import Asked, looked_up, told
from affectgen.speech.index.voices import Voices, load_voices
from affectgen.speech.target import target_of


@pytest.fixture
def voices(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Voices:
    """The made index, beside an emotion space of random numbers."""
    write_space(tmp_path / "emotion-space")
    monkeypatch.setenv("AFFECTGEN_CHECKPOINTS", str(tmp_path))
    return load_voices(filled)


def test_a_recording_is_most_like_itself(voices: Voices, takes: Path) -> None:
    hits = looked_up(voices, Asked(like=takes / "bert_sadness_1.wav"), 12)
    assert hits[0].name == "bert_sadness_1.wav"
    assert hits[0].likeness == pytest.approx(1, abs=0.01)
    likeness = [hit.likeness for hit in hits]
    assert likeness == sorted(likeness, reverse=True)
    assert len(hits) == 12


def test_texts_and_targets_are_put_in_the_space(voices: Voices) -> None:
    for asked in (Asked(text="What a lovely day!"), Asked(target=target_of("sad")), Asked(target=target_of("0.1,0.9"))):
        hits = looked_up(voices, asked, 3)
        assert len(hits) == 3
        assert all(-1 <= hit.likeness <= 1 for hit in hits)
    named = looked_up(voices, Asked(target=target_of("angry")), 12)
    bare = looked_up(voices, Asked(target=replace(target_of("angry"), label=None)), 12)
    assert [hit.likeness for hit in named] != [hit.likeness for hit in bare]


def test_without_vectors_the_point_and_the_label_decide(voices: Voices) -> None:
    plain = replace(voices, heard=None)
    hits = looked_up(plain, Asked(target=target_of("angry")), 12)
    assert {hit.label for hit in hits[:4]} == {"anger"}
    near = looked_up(plain, Asked(target=replace(target_of("sad"), label=None)), 4)
    assert {hit.label for hit in near} == {"sadness"}
    assert near[0].likeness > looked_up(plain, Asked(target=target_of("0.9,0.9")), 1)[0].likeness
    text = looked_up(plain, Asked(text="I am so furious with you, I hate this!"), 4)
    assert {hit.label for hit in text} == {"anger"}


def test_speakers_and_licences_are_left_out(voices: Voices) -> None:
    sad = target_of("sad")
    hits = looked_up(voices, Asked(target=sad, without=("anna",)), 100)
    assert {hit.speaker for hit in hits} == {"bert"}
    assert len(hits) == 6
    assert len(looked_up(voices, Asked(target=sad, licences=("CC0-1.0",)), 100)) == 12
    assert looked_up(voices, Asked(target=sad, without=("anna", "bert")), 5) == []
    with pytest.raises(AffectgenError, match="no licence 'MIT'"):
        looked_up(voices, Asked(target=sad, licences=("MIT",)), 5)
    with pytest.raises(AffectgenError, match="no speaker 'cora'"):
        looked_up(voices, Asked(target=sad, without=("cora",)), 5)


def test_a_hit_says_what_the_emotion_does(voices: Voices) -> None:
    hits = looked_up(voices, Asked(target=target_of("angry")), 12)
    one = next(hit for hit in hits if hit.label == "anger")
    found = re.match(r"pitch ([+-][\d.]+) st, range x[\d.]+, rate [+-]\d+ %, pauses [+-]\d+ %, brightness ", one.shift)
    assert found is not None
    assert float(found[1]) == pytest.approx(5, abs=0.5)
    assert one.to_json()["licence"] == "CC0-1.0"


def test_a_shift_in_words() -> None:
    shift, neutral = np.zeros(len(NAMES)), np.zeros(len(NAMES))
    neutral[PLACES["spread"]], neutral[PLACES["rate"]] = 2.0, 5.0
    shift[PLACES["pitch"]], shift[PLACES["spread"]], shift[PLACES["rate"]] = 4.2, 1.0, -0.5
    shift[PLACES["pauses"]] = 0.03
    shift[BANDS["voiced_mean"]] = np.linspace(-3, 3, 26)
    words = told(shift, neutral)
    assert words.startswith("pitch +4.2 st, range x1.5, rate -10 %, pauses +3 %, brightness +")
    assert told(0 * shift, neutral) == "pitch +0.0 st, range x1.0, rate +0 %, pauses +0 %, brightness +0.0 dB"


def test_speakers_without_a_neutral_voice_have_no_shift(voices: Voices) -> None:
    lone = replace(voices, neutral=np.full_like(voices.neutral, np.nan))
    assert {hit.shift for hit in looked_up(lone, Asked(target=target_of("sad")), 3)} == {""}


def test_recordings_without_a_voice_are_told(voices: Voices, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    with pytest.raises(AudioError, match="silent"):
        looked_up(voices, Asked(like=tmp_path / "silent.wav"), 3)


def test_like_without_vectors_is_by_the_guide(voices: Voices, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", talk(), RATE)
    assert len(looked_up(replace(voices, heard=None), Asked(like=tmp_path / "a.wav"), 3)) == 3


def test_one_thing_is_asked_for() -> None:
    with pytest.raises(ValueError):
        Asked()
    with pytest.raises(ValueError):
        Asked(text="a", target=target_of("sad"))
