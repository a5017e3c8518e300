"""A predicted shift on a recording: frames change where phones are, and a made voice comes out as was asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectgen.affect.space import Affect
from affectgen.audio.spectrum import MEL_BANDS, cepstra
from affectgen.audio.timemap import HOP, frame_count, placed
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.predictor.apply import MOST_PITCH, frames_of, learned, learned_change
from affectgen.speech.predictor.phones import COLUMNS, ENERGY, LENGTH, LEVEL, PAUSE, SHAPE, SLOPE, measure
from affectgen.speech.predictor.ready import PhoneShift

RATE = 16000
PHONES = ["AA", "IY", "AA", "UW"]


def plan() -> Alignment:
    """Two words of two vowels, 0.2 s each, 0.2 s between the words, 0.2 s of silence at either end."""
    starts = [0.2, 0.4, 0.8, 1.0]
    phones = [Phone(name, start, start + 0.2) for name, start in zip(PHONES, starts, strict=True)]
    words = [Word("one", 0, 0.2, 0.6, tuple(phones[:2])), Word("two", 1, 0.8, 1.2, tuple(phones[2:]))]
    return Alignment(tuple(words), 1.4)


def voice() -> np.ndarray:
    time = np.arange(round(1.4 * RATE)) / RATE
    spoken = ((time >= 0.2) & (time < 0.6)) | ((time >= 0.8) & (time < 1.2))
    phase = 2 * np.pi * 140 * time
    return 0.2 * spoken * sum(np.sin(k * phase) / k for k in range(1, 30))


class Fixed:
    """A predictor that says the same of every phone."""

    def __init__(self, **columns: float) -> None:
        self.columns = columns

    def predict(self, take: object, affect: Affect, label: str | None = None, exemplars: object = None) -> PhoneShift:
        rows = np.zeros((len(PHONES), len(COLUMNS)))
        for name, value in self.columns.items():
            rows[:, COLUMNS.index(name)] = value
        return PhoneShift.of_rows(rows)


def frames(**columns: float) -> tuple:
    sound = voice()
    return learned_change(sound, RATE, plan(), Affect(0, 0), predictor=Fixed(**columns))  # type: ignore[arg-type]


def test_no_strength_is_an_exact_copy_and_no_shift_is_none() -> None:
    sound = voice()
    done, change = learned(sound, RATE, plan(), Affect(0.5, 0.5), strength=0.0)
    np.testing.assert_array_equal(done, sound)
    assert change.is_nothing
    change, gains = frames()
    assert change.is_nothing
    assert gains.shape == (frame_count(len(sound), RATE), MEL_BANDS)
    assert not gains.any()


def test_time_and_level_change_within_phones_only() -> None:
    change, _ = frames(length=float(np.log(1.5)), energy=4.0)
    at = np.arange(len(change.time)) * HOP
    inside = ((at > 0.25) & (at < 0.55)) | ((at > 0.85) & (at < 1.15))
    outside = (at < 0.15) | ((at > 0.65) & (at < 0.75)) | (at > 1.25)
    np.testing.assert_allclose(change.time[inside], 1.5)
    np.testing.assert_allclose(change.gain[inside], 4.0)
    np.testing.assert_array_equal(change.time[outside], 1.0)
    np.testing.assert_array_equal(change.gain[outside], 0.0)


def test_a_pause_between_words_is_stretched_and_those_at_the_ends_are_not() -> None:
    change, _ = frames(pause=float(np.log((0.3 + 0.05) / (0.2 + 0.05))))
    at = np.arange(len(change.time)) * HOP
    np.testing.assert_allclose(change.time[(at > 0.65) & (at < 0.75)], 1.5, atol=1e-6)
    np.testing.assert_array_equal(change.time[(at < 0.55) | (at > 0.85)], 1.0)


def test_pitch_goes_through_levels_and_stays_a_voice() -> None:
    change, _ = frames(level=3.0)
    np.testing.assert_allclose(change.pitch, 2 ** (3 / 12))
    change, _ = frames(level=40.0)
    assert change.pitch.max() <= 2 ** (MOST_PITCH / 12) + 1e-9
    sloped, _ = frames(slope=4.0)
    at = np.arange(len(sloped.pitch)) * HOP
    tones = 12 * np.log2(sloped.pitch)
    assert tones[(at > 0.33) & (at < 0.36)].mean() - tones[(at > 0.24) & (at < 0.27)].mean() > 1.0


def test_gains_have_the_cepstrum_that_was_asked_for() -> None:
    _, gains = frames(shape2=6.0)
    middle = gains[round(0.4 / HOP)]
    found = cepstra(middle[None])[0]
    assert found[2] == pytest.approx(6.0, abs=1e-6)
    np.testing.assert_allclose(np.delete(found, 2), 0.0, atol=1e-6)


def changed_voice(**columns: float) -> np.ndarray:
    """What is measured of the voice under a shift of all its phones, [4, 13]."""
    sound = voice()
    done, change = learned(sound, RATE, plan(), Affect(0, 0), predictor=Fixed(**columns))  # type: ignore[arg-type]
    words = []
    for word in plan().words:
        ends = [placed(np.array([phone.start, phone.end]), change).tolist() for phone in word.phones]
        phones = tuple(Phone(phone.name, *pair) for phone, pair in zip(word.phones, ends, strict=True))
        words.append(Word(word.text, word.index, phones[0].start, phones[-1].end, phones))
    return measure(done.astype(np.float32), RATE, Alignment(tuple(words), len(done) / RATE)).values


def test_a_made_voice_comes_out_as_was_asked() -> None:
    before = measure(voice().astype(np.float32), RATE, plan()).values
    after = changed_voice(level=4.0, length=float(np.log(1.25)))
    change = np.nanmean(after - before, axis=0)
    assert change[LEVEL] == pytest.approx(4.0, abs=0.3)
    assert change[LENGTH] == pytest.approx(np.log(1.25), abs=0.03)
    assert abs(change[SLOPE]) < 1.0
    assert abs(change[ENERGY]) < 2.0
    assert abs(change[PAUSE]) < 0.3
    duller = np.nanmean(changed_voice(shape1=8.0) - before, axis=0)
    assert duller[SHAPE] == pytest.approx(8.0, abs=2.0)
    assert abs(duller[LEVEL]) < 0.1


def test_frames_of_a_take_with_an_unvoiced_phone_glide_over_it() -> None:
    sound = voice()
    time = np.arange(len(sound)) / RATE
    hiss = (time >= 0.4) & (time < 0.6)
    sound[hiss] = 0.02 * np.random.default_rng(0).normal(size=int(hiss.sum()))
    take = measure(sound.astype(np.float32), RATE, plan())
    assert np.isnan(take.values[1, LEVEL])
    rows = np.zeros((4, len(COLUMNS)))
    rows[:, LEVEL] = [2.0, 100.0, 4.0, 4.0]  # what is said of the unvoiced one is not heard
    change, _ = frames_of(PhoneShift.of_rows(rows), take, plan(), frame_count(len(sound), RATE))
    tones = 12 * np.log2(change.pitch)
    assert tones.min() > 1.9
    assert tones.max() < 4.1


def test_the_shipped_predictor_lifts_and_brightens_an_angry_or_happy_voice_more_than_a_sad_one() -> None:
    from affectgen.affect import labels

    found = {}
    for label in ("anger", "happiness", "sadness"):
        change, gains = learned_change(voice(), RATE, plan(), labels.emo_db(label), label)
        inside = (np.arange(len(change.pitch)) * HOP > 0.25) & (np.arange(len(change.pitch)) * HOP < 0.55)
        tilt = gains[inside, 13:].mean() - gains[inside, :13].mean()
        found[label] = float(np.mean(12 * np.log2(change.pitch[inside]))), float(tilt)
    for label in ("anger", "happiness"):
        assert found[label][0] > max(found["sadness"][0], 2.0)
        assert found[label][1] > found["sadness"][1] + 1.0


def test_the_shipped_predictor_heard_nobody_who_tests_or_judges_and_follows_what_is_asked(top: Path) -> None:
    from affectgen.speech.split import part_of

    folder = top / "checkpoints" / "prosody"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    everyone = {*config["speakers"], *(one["speaker"] for one in config["bank"])}
    assert {part_of(speaker) for speaker in everyone} == {"training"}
    figures = config["figures"]
    assert figures["errors"]["learned"]["pitch_st"] < figures["errors"]["mean shift of the label"]["pitch_st"]
    assert figures["followed"]["arousal_r"] > 0.6
    assert abs(figures["followed"]["shuffled_arousal_r"]) < 0.25
    assert f"{figures['errors']['learned']['pitch_st']:.2f}" in (folder / "card.md").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000
