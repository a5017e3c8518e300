"""A donor's frames take the envelopes of the speaker's frames of the same sounds."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.editing.matching import Matching, in_voice, neighbours_of, smoothed, targets_for
from affectgen.speech.editing.sources import Speech
from affectgen.speech.editing.voice_frames import NAMES, STEP, VoiceFrames, labels_at

RATE = 16_000
VOWELS = {"AA": (700, 1100), "IY": (300, 2300), "UW": (320, 900)}


def voice(scale: float, hertz: float, order: tuple[str, ...] = ("AA", "IY", "UW", "IY", "AA", "UW")) -> Speech:
    """Pulses through two resonances a sound of .25 s; scale: of the resonances' frequencies."""
    rng = np.random.default_rng(int(hertz))
    parts, phones = [], []
    for place, name in enumerate(order):
        pulses = np.zeros(4000)
        pulses[:: round(RATE / hertz)] = 1
        pulses += rng.normal(size=4000) * 1e-3
        for centre in VOWELS[name]:
            radius, angle = np.exp(-np.pi * 90 / RATE), 2 * np.pi * centre * scale / RATE
            out = np.zeros(4002)
            for i, value in enumerate(pulses):
                out[i + 2] = value + 2 * radius * np.cos(angle) * out[i + 1] - radius**2 * out[i]
            pulses = out[2:]
        parts.append(pulses / np.abs(pulses).max() * 0.3)
        phones.append(Phone(name, place * 0.25, (place + 1) * 0.25))
    words = tuple(Word(one.name, i, one.start, one.end, (one,)) for i, one in enumerate(phones))
    return Speech(np.concatenate(parts), RATE, Alignment(words, 0.25 * len(order)))


@pytest.fixture(scope="module")
def speaker() -> Speech:
    return voice(1.0, 110)


@pytest.fixture(scope="module")
def donor() -> Speech:
    return voice(1.25, 180, ("IY", "UW", "AA"))


def test_a_voice_is_its_own_nearest_neighbour(speaker: Speech) -> None:
    frames = speaker.frames
    best, weight = neighbours_of(frames, frames, frames, Matching(neighbours=1))
    assert (best[:, 0] == np.arange(len(frames.phone))).mean() > 0.98
    np.testing.assert_allclose(weight, 1.0)


def test_neighbours_are_of_the_same_sound(speaker: Speech, donor: Speech) -> None:
    best, weight = neighbours_of(donor.frames, donor.frames, speaker.frames, Matching())
    same = speaker.frames.phone[best] == donor.frames.phone[:, None]
    assert (same * weight).sum(axis=1).mean() > 0.9
    np.testing.assert_allclose(weight.sum(axis=1), 1.0)


def test_the_result_has_the_speakers_resonances_and_the_donors_words(speaker: Speech, donor: Speech) -> None:
    target = targets_for(donor.frames, donor.frames, speaker.frames, Matching())
    made = Speech(in_voice(donor.samples, RATE, donor.frames, target), RATE, donor.alignment)
    truth = voice(1.0, 180, ("IY", "UW", "AA"))
    middle = (donor.frames.place > 0.2) & (donor.frames.place < 0.8)

    def apart(one: VoiceFrames) -> float:
        return float(np.abs(one.cepstra - truth.frames.cepstra)[middle].mean())

    assert apart(made.frames) < 0.5 * apart(donor.frames)
    half = in_voice(donor.samples, RATE, donor.frames, target, 0.5)
    nothing = in_voice(donor.samples, RATE, donor.frames, target, 0.0)
    np.testing.assert_array_equal(nothing, donor.samples)
    assert apart(made.frames) < apart(Speech(half, RATE, donor.alignment).frames) < apart(donor.frames)


def test_a_sound_the_speaker_lacks_is_taken_from_one_of_its_sort(donor: Speech) -> None:
    poor = voice(1.0, 110, ("AA", "UW", "AA"))
    best, _ = neighbours_of(donor.frames, donor.frames, poor.frames, Matching())
    assert np.isfinite(targets_for(donor.frames, donor.frames, poor.frames, Matching())).all()
    assert best.max() < len(poor.frames.phone)


def test_labels_say_the_sound_its_place_and_what_is_beside_it(speaker: Speech) -> None:
    phone, place, left, right = labels_at(speaker.alignment, np.array([0.0, 0.3, 0.375, 1.49]))
    assert [NAMES[i] for i in phone] == ["AA", "IY", "IY", "UW"]
    np.testing.assert_allclose(place, [0.0, 0.2, 0.5, 0.96], atol=1e-6)
    assert [NAMES[i] for i in left] == ["SIL", "AA", "AA", "AA"]
    assert [NAMES[i] for i in right] == ["IY", "UW", "UW", "SIL"]


@pytest.mark.parametrize("width", [1, 3, 4])
def test_smoothing_keeps_what_does_not_change(width: int) -> None:
    np.testing.assert_allclose(smoothed(np.full((7, 2), 3.0), width), 3.0)
    assert smoothed(np.arange(20.0).reshape(10, 2), width).shape == (10, 2)
    assert STEP == 0.005
