"""The shipped readers of speech: sane answers on made voices, long recordings, baselines, music, and named faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.affect.space import Affect
from affectgen.audio.files import read_mono
from affectgen.audio.spectrum import RATE
from affectgen.errors import AudioError, CheckpointError
from affectgen.recognize import speech
from affectgen.recognize.reading import Reading
from affectgen.recognize.speech import (
    GUIDE,
    JUDGE,
    RECOGNISER,
    SpeechRecogniser,
    hear,
    load_speech_recogniser,
    widened,
    windows,
)
from affectgen.recognize.speech_corpus import JUDGE_SPEAKERS, LABELS
from affectgen.recognize.speech_degraded import UNHEARD, by_telephone, with_noise

NAMES = (RECOGNISER, GUIDE, JUDGE)


def talk(seconds: float = 2.0, pitch: float = 120.0, lively: float = 2.0) -> np.ndarray:
    """Syllables, four a second, of a buzz that glides by `lively` semitones about its pitch, between two vowels."""
    rng = np.random.default_rng(0)
    time = np.arange(int(seconds * RATE)) / RATE
    hertz = pitch * 2 ** (lively / 12 * (np.sin(2 * np.pi * 1.3 * time) + 0.5 * np.sin(2 * np.pi * 3.1 * time)))
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    colour = 0.5 + 0.5 * np.sin(2 * np.pi * 2.3 * time)
    sound = np.zeros(len(time))
    for k in range(1, int(4800 / hertz.max()) + 1):
        low, high = (np.exp(-(((k * pitch - place) / width) ** 2)) for place, width in ((500, 400), (1600, 700)))
        sound += np.sin(k * phase) * (colour * low + (1 - colour) * high + 0.02)
    beat = np.sin(2 * np.pi * 4.1 * time)
    sound = sound * np.maximum(beat, 0.0) + 0.1 * rng.normal(size=len(time)) * np.maximum(-beat - 0.7, 0.0)
    return (0.2 * sound + 1e-4 * rng.normal(size=len(time))).astype(np.float32)


@pytest.fixture(scope="module")
def guide() -> SpeechRecogniser:
    return load_speech_recogniser(GUIDE)


def whole(reading: Reading) -> None:
    """Check what holds of any reading."""
    assert set(reading.labels) == set(LABELS)
    assert sum(reading.labels.values()) == pytest.approx(1.0)
    assert min(reading.labels.values()) >= 0
    assert sum(reading.quadrants) == pytest.approx(1.0)
    point = (reading.affect.valence, reading.affect.arousal)
    for value, low, high in zip(point, reading.low, reading.high, strict=True):
        assert -1 <= low <= value <= high <= 1
    assert 0 < reading.uncertainty <= 1


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_reader_hears_that_a_lively_high_voice_is_more_aroused(name: str) -> None:
    reader = load_speech_recogniser(name)
    dull, lively = reader.read([talk(pitch=95.0, lively=0.3), talk(pitch=190.0, lively=5.0)], RATE)
    whole(dull)
    whole(lively)
    assert lively.affect.arousal > dull.affect.arousal
    assert reader.figures


def test_judge_and_guide_share_no_speaker(top: Path) -> None:
    heard = {
        name: set(json.loads((top / "checkpoints" / name / "config.json").read_text(encoding="utf-8"))["speakers"])
        for name in NAMES
    }
    assert heard[JUDGE] == JUDGE_SPEAKERS
    assert not heard[JUDGE] & heard[GUIDE]
    assert heard[RECOGNISER] == heard[JUDGE] | heard[GUIDE]


@settings(max_examples=5, deadline=None)
@given(st.floats(0.01, 3.0))
def test_level_does_not_matter(gain: float) -> None:
    reader = load_speech_recogniser(GUIDE)
    loud, other = reader.read([talk(), (gain * talk()).astype(np.float32)], RATE)
    assert other.affect.arousal == pytest.approx(loud.affect.arousal, abs=0.03)
    assert other.affect.valence == pytest.approx(loud.affect.valence, abs=0.03)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_the_rate_of_a_file_hardly_matters(guide: SpeechRecogniser, rate: int) -> None:
    import soxr

    plain = talk()
    other = np.asarray(soxr.resample(plain, RATE, rate), dtype=np.float32)
    first, second = guide.read([plain], RATE)[0], guide.read([other], rate)[0]
    assert second.affect.arousal == pytest.approx(first.affect.arousal, abs=0.15)


def test_a_clip_does_not_depend_on_its_neighbours(guide: SpeechRecogniser) -> None:
    both = guide.read([talk(), talk(pitch=220.0)], RATE)
    assert both[0] == guide.read([talk()], RATE)[0]
    assert guide.read([], RATE) == []


def test_a_neutral_recording_of_the_speaker_changes_the_reading(guide: SpeechRecogniser) -> None:
    alone = guide.read([talk(pitch=180.0)], RATE)[0]
    high, low = (guide.read([talk(pitch=180.0)], RATE, talk(4.0, pitch=pitch))[0] for pitch in (190.0, 100.0))
    for reading in (high, low):
        whole(reading)
    assert len({round(reading.affect.arousal, 6) for reading in (alone, high, low)}) == 3


def test_a_neutral_recording_is_heard_once_for_many_clips(guide: SpeechRecogniser) -> None:
    neutral = talk(4.0, pitch=100.0)
    assert guide.read([talk()], RATE, hear(neutral, RATE)) == guide.read([talk()], RATE, neutral)


@pytest.mark.parametrize("seconds", [1.0, 5.9, 6.1, 23.7])
def test_windows_are_the_recording_in_pieces_of_bounded_length(seconds: float) -> None:
    sound = talk(seconds)
    parts = list(windows(iter(np.array_split(sound, 7)), RATE))
    np.testing.assert_array_equal(np.concatenate(parts), sound)
    assert len(parts) == 1 if seconds < speech.WHOLE else len(parts) > 1
    assert all(speech.SHORTEST <= len(part) / RATE <= speech.LONGEST for part in parts[:-1])
    assert len(parts[-1]) <= speech.WHOLE * RATE


def test_windows_are_cut_in_pauses() -> None:
    pause = np.zeros(RATE // 2, dtype=np.float32)
    sound = np.concatenate([talk(3.0), pause, talk(3.0), pause, talk(3.0)])
    first, second = list(windows([sound], RATE))[:2]
    assert 3.0 <= len(first) / RATE <= 3.5
    assert 6.5 <= (len(first) + len(second)) / RATE <= 7.0


def test_pieces_and_the_whole_are_read_alike(guide: SpeechRecogniser) -> None:
    sound = talk(14.0)
    assert guide.read_blocks(iter(np.array_split(sound, 9)), RATE) == guide.read([sound], RATE)[0]
    whole(guide.read([sound], RATE)[0])


def test_silence_around_a_voice_is_passed_over(guide: SpeechRecogniser) -> None:
    silence = np.zeros(8 * RATE, dtype=np.float32)
    alone, reading = guide.read([talk(3.0), np.concatenate([silence, talk(3.0), silence])], RATE)
    whole(reading)
    assert reading.affect.distance(alone.affect) < 0.15


def test_music_is_read_with_wide_intervals(guide: SpeechRecogniser) -> None:
    time = np.arange(RATE // 2) / RATE
    parts = []
    for step in (0, 5, 7, 0, 9, 5):
        tones = [220 * 2 ** ((step + up) / 12) * k for up in (0, 4, 7) for k in (1, 2)]
        parts.append(np.sum([np.sin(2 * np.pi * hertz * time) for hertz in tones], axis=0) * np.exp(-2 * time))
    music = 0.05 * np.concatenate(parts).astype(np.float32)
    reading = guide.read([music], RATE)[0]
    whole(reading)
    assert reading.uncertainty > 0.8
    assert max(reading.quadrants) < 0.4
    assert guide.read([talk()], RATE)[0].uncertainty < reading.uncertainty


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.floats(-0.9, 0.9))
def test_doubt_only_widens(share: float, middle: float) -> None:
    reading = Reading(Affect(middle, 0.0), (0.7, 0.1, 0.1, 0.1), (middle - 0.05, -0.2), (middle + 0.05, 0.2))
    found = widened(reading, share)
    assert found.affect == reading.affect
    assert found.uncertainty >= reading.uncertainty - 1e-12
    assert sum(found.quadrants) == pytest.approx(1.0)
    if share >= speech.MUSIC:
        assert found.low == pytest.approx(reading.low)
    assert widened(reading, 0.0).uncertainty == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (np.zeros(3 * RATE, dtype=np.float32), "silent"),
        (np.full(RATE, np.nan, dtype=np.float32), "no numbers"),
        (talk()[: int(0.05 * RATE)], "0.05 s"),
        (np.zeros(0, dtype=np.float32), "0.00 s"),
        (np.random.default_rng(0).normal(size=RATE).astype(np.float32), "No voice"),
        (np.ones((RATE, 2), dtype=np.float32), "mono"),
    ],
)
def test_what_cannot_be_read_is_refused(guide: SpeechRecogniser, samples: np.ndarray, told: str) -> None:
    with pytest.raises(AudioError, match=told):
        guide.read([samples], RATE)
    with pytest.raises(AudioError, match=told):
        guide.read([talk()], RATE, baseline=samples)


def test_a_late_fault_in_a_long_recording_is_found(guide: SpeechRecogniser) -> None:
    sound = talk(12.0)
    sound[-5] = np.inf
    with pytest.raises(AudioError, match="no numbers"):
        guide.read([sound], RATE)


def test_clipping_is_read(guide: SpeechRecogniser) -> None:
    clean, clipped = guide.read([talk(), np.clip(30 * talk(), -1, 1).astype(np.float32)], RATE)
    whole(clipped)
    assert clipped != clean
    assert abs(clipped.affect.arousal - clean.affect.arousal) < 0.3


def test_each_shipped_reader_has_readers_of_worse_recordings_and_their_figures() -> None:
    for name in NAMES:
        reader = load_speech_recogniser(name)
        assert [one.name for one in reader.model.readers] == ["crema_d", "crema_d_worn", "emo_db", "emo_db_worn"]
        degraded = reader.figures["degraded"]
        assert {"white noise at 20 dB", "telephone", *UNHEARD} <= set(degraded)
        assert all(0.2 < part["emo_db_uar"] < 1.0 for part in degraded.values())


def test_another_kind_of_checkpoint_is_refused() -> None:
    with pytest.raises(CheckpointError, match="recogniser of speech"):
        load_speech_recogniser("midi-judge")


def test_real_anger_and_sadness_are_told_apart(real_data: Path) -> None:
    """Clips of a speaker that the guide has not heard: 09 is the judge's."""
    reader = load_speech_recogniser(GUIDE)
    files = sorted((real_data / "emo_db" / "flac").glob("09*"))
    for sign, order in (("W", 1), ("T", -1)):  # German: Wut (hot anger), Trauer (sadness)
        clips = [read_mono(file, 16000) for file in files if file.stem[5] == sign][:3]
        arousal = np.mean([reading.affect.arousal for reading in reader.read(clips, 16000)])
        assert arousal * order > 0.1


def test_real_anger_and_sadness_are_told_apart_by_telephone_and_in_noise(real_data: Path) -> None:
    reader = load_speech_recogniser(GUIDE)
    files = sorted((real_data / "emo_db" / "flac").glob("09*"))
    for make in (by_telephone, lambda clip: with_noise(clip, 20.0, 1)):
        for sign, order in (("W", 1), ("T", -1)):
            clips = [make(read_mono(file, RATE)) for file in files if file.stem[5] == sign][:3]
            arousal = np.mean([reading.affect.arousal for reading in reader.read(clips, RATE)])
            assert arousal * order > 0.1


def test_noise_and_telephones_are_noticed(real_data: Path) -> None:
    """The readers of worse copies are believed where a recording is worse, and little where it is not."""
    model = load_speech_recogniser(GUIDE).model
    worn = np.array([reader.worn for reader in model.readers])
    clips = [read_mono(file, RATE) for file in sorted((real_data / "emo_db" / "flac").glob("12*"))[::6]]

    def trusted(make: Callable[[np.ndarray], np.ndarray]) -> float:
        return float(np.mean([model.trust(hear(make(clip), RATE).features)[0, worn].sum() for clip in clips]))

    assert trusted(lambda clip: clip) < 0.4
    assert trusted(lambda clip: with_noise(clip, 10.0, 1)) > 0.8
    assert trusted(by_telephone) > 0.8
