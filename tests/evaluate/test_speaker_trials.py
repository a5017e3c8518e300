"""Trials of recordings against voices, by vectors whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.evaluate.speaker_trials import equal_error, kept, pair_error, split_neutral, trials, voices_of
from affectgen.recognize.speaker import unit
from affectgen.recognize.speech_corpus import Clip

SCORES = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=30)


def clips_of(speakers=("a", "b", "c"), neutral=4, angry=3):
    return [
        Clip(f"{name}{n}", "crema_d", f"crema_d/{name}", "fm"[place % 2], acted, np.zeros(7), np.zeros(2), Path())
        for place, name in enumerate(speakers)
        for acted, count in (("neutral", neutral), ("anger", angry)) for n in range(count)
    ]  # fmt: skip


def vectors_of(clips, spread, seed=0):
    rng = np.random.default_rng(seed)
    homes = {name: rng.normal(size=8) for name in sorted({clip.speaker for clip in clips})}
    return unit(np.stack([homes[clip.speaker] + spread * rng.normal(size=8) for clip in clips]))


def test_equal_error_of_what_is_apart_alike_and_the_wrong_way_round():
    assert equal_error(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 0
    assert equal_error(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == pytest.approx(1)
    assert equal_error(np.array([1.0, 3.0]), np.array([2.0, 0.0])) == pytest.approx(0.5)
    assert np.isnan(equal_error(np.array([]), np.array([1.0])))


@given(SCORES, SCORES, st.floats(0.1, 5), st.floats(-3, 3))
def test_equal_error_lies_in_0_to_1_and_does_not_see_scale_or_place(own, others, scale, place):
    one, two = np.array(own), np.array(others)
    error = equal_error(one, two)
    assert 0 <= error <= 1
    assert equal_error(scale * one + place, scale * two + place) == pytest.approx(error)


def test_voices_that_lie_apart_are_all_found():
    clips = clips_of()
    vectors = vectors_of(clips, 0.01)
    _, enrolled = split_neutral(clips, 5, 0)
    found = trials(clips, vectors, enrolled)
    assert (found.error, found.error_alike, found.found) == (0, 0, 1)
    assert pair_error(clips, vectors, 0) == 0
    assert set(found.acted) == {"neutral", "anger"}
    assert set(found.pick(np.array([acted == "anger" for acted in found.acted])).acted) == {"anger"}


def test_vectors_that_say_nothing_are_told_by_chance():
    clips = clips_of(tuple("abcdefgh"), 8, 30)
    vectors = unit(np.random.default_rng(0).normal(size=(len(clips), 8)))
    found = trials(clips, vectors, split_neutral(clips, 4, 0)[1])
    assert found.error == pytest.approx(0.5, abs=0.06)
    assert found.found == pytest.approx(1 / 8, abs=0.06)


def test_no_clip_both_enrols_and_is_converted_and_all_that_enrol_are_neutral():
    clips = clips_of(neutral=5)
    sources, enrolled = split_neutral(clips, 5, 3)
    for speaker, own in enrolled.items():
        assert len(sources[speaker]) == 2
        assert len(own) == 3
        assert not set(own) & set(sources[speaker])
        used = [clips[place] for place in (*own, *sources[speaker])]
        assert {(clip.speaker, clip.acted) for clip in used} == {(speaker, "neutral")}
    assert split_neutral(clips, 5, 3) == (sources, enrolled)
    assert any(split_neutral(clips, 5, seed)[0] != sources for seed in range(4, 9))


def test_only_the_clips_of_those_tested_are_tried():
    clips = clips_of()
    _, enrolled = split_neutral(clips, 5, 0)
    found = trials(clips, vectors_of(clips, 0.01), enrolled, frozenset(["crema_d/b"]))
    assert found.scores.shape == (5, 3)
    assert found.own.argmax(axis=1).tolist() == [1] * 5


def test_a_vector_at_another_voice_is_not_kept():
    clips = clips_of()
    vectors = vectors_of(clips, 0.01)
    names, voices = voices_of(vectors, split_neutral(clips, 5, 0)[1])
    assert kept(voices[[0, 2]], ["crema_d/a", "crema_d/b"], names, voices).tolist() == [True, False]
