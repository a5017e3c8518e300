"""One answer for every kind of input: which recogniser reads it, its curve, and faults that do not stop the others."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.errors import AffectgenError, AudioError, MidiError, UsageError
from affectgen.recognize.items import Item
from affectgen.recognize.midi import load_recogniser
from affectgen.recognize.rate import Rated, Rater, RateSettings, rate_items
from affectgen.score.midi import read_notes, write_midi

SOUND = 22_050


def piece(score, seed: int = 0, bars: int = 6) -> bytes:
    """A made-up piece as a MIDI file."""
    return write_midi(score(seed, bars))


def chords(seconds: float = 12.0, minor: bool = False) -> np.ndarray:
    """Plucked triads of eight partials, two a second."""
    time = np.arange(round(seconds * SOUND)) / SOUND
    wave = np.zeros(len(time))
    for beat in range(int(2 * seconds)):
        since = time - beat / 2
        sounding = (since >= 0) & (since < 2)
        root = 57 + (0, 5, 7, 0)[beat % 4]
        for step in (0, 3 if minor else 4, 7, 12):
            for partial in range(1, 9):
                tone = np.sin(2 * np.pi * partial * 440 * 2 ** ((root + step - 69) / 12) * since)
                wave += sounding * np.exp(-3 * since.clip(0)) * tone / partial
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def vowel(seconds: float = 3.0) -> np.ndarray:
    """A gliding buzz with formants, opened and closed four times a second."""
    time = np.arange(round(seconds * SOUND)) / SOUND
    pitch = 120 * 2 ** (0.3 * np.sin(2 * np.pi * 0.7 * time) + 0.1 * np.sin(2 * np.pi * 3.1 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SOUND
    wave = sum(np.sin(k * phase) * np.exp(-(((k * 120 - 700) / 500) ** 2)) for k in range(1, 30))
    return (0.2 * np.asarray(wave) * np.clip(np.sin(2 * np.pi * 4 * time), 0, 1)).astype(np.float32)


def sound(samples: np.ndarray, rate: int = SOUND, **more: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", **more)
    return buffer.getvalue()


def rate(source: Path | bytes | str, **settings: object) -> Rated:
    return Rater(RateSettings(**settings)).rate(Item("it", source))


def test_each_kind_is_found_and_read(score) -> None:
    assert rate(piece(score)).kind == "midi"
    assert rate(sound(chords())).kind == "music"
    assert rate(sound(vowel())).kind == "speech"
    assert rate("What a lovely day!").kind == "text"
    assert rate(b"What a lovely day!").reading == rate("What a lovely day!").reading


def test_a_kind_can_be_told() -> None:
    assert rate(sound(vowel()), kind="music").kind == "music"
    assert rate(sound(chords()), kind="speech").kind == "speech"
    with pytest.raises(MidiError):
        rate(sound(chords()), kind="midi")
    with pytest.raises(AudioError):
        rate("words", kind="music")


def test_a_piece_is_read_as_the_recogniser_reads_its_notes(score) -> None:
    data = piece(score)
    assert rate(data).reading == load_recogniser().read([read_notes(data).from_zero()])[0]


def test_loud_and_fast_text_and_music_point_the_right_way() -> None:
    happy, angry = rate("I am so happy, this is wonderful!").reading, rate("I hate this, I am furious!").reading
    assert happy is not None
    assert angry is not None
    assert happy.affect.valence > 0.3
    assert angry.affect.valence < -0.3
    bright, dark = rate(sound(chords())).reading, rate(sound(chords(minor=True))).reading
    assert bright is not None
    assert dark is not None
    assert bright.affect.valence > dark.affect.valence


def test_a_curve_covers_the_recording_and_has_gaps_where_it_is_silent() -> None:
    samples = np.concatenate([chords(5), np.zeros(5 * SOUND, np.float32), chords(5)])
    curve = rate(sound(samples), kind="music", window=5).curve
    assert [(window.start, window.end) for window in curve] == [(0, 5), (5, 10), (10, 15)]
    assert [window.reading is None for window in curve] == [False, True, False]


def test_a_curve_of_a_piece(score) -> None:
    found = rate(piece(score, bars=12), window=4)
    assert len(found.curve) >= 3
    assert all(window.reading is not None for window in found.curve)
    told = found.to_json()
    assert told["curve"][0]["start"] == 0
    assert {"file", "kind", "valence", "arousal", "quadrant", "words", "uncertainty"} <= set(told)


def test_text_has_no_windows_and_windows_have_a_least_length() -> None:
    with pytest.raises(UsageError, match="no windows"):
        rate("well", window=5)
    for window in (0.5, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="window"):
            RateSettings(window=window)
    with pytest.raises(UsageError, match="no kind"):
        RateSettings(kind="video")


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(SOUND, np.float32), "silent"),
        (np.full(SOUND, np.nan, np.float32), "no numbers"),
        (chords(1)[:1100], "too short|at least|silent"),
    ],
    ids=["silence", "nan", "50 ms"],
)
def test_sound_that_cannot_be_judged_is_refused(samples: np.ndarray, said: str) -> None:
    with pytest.raises(AffectgenError, match=said):
        rate(sound(samples, subtype="FLOAT"))


def test_many_channels_at_a_high_rate_are_read() -> None:
    eight = np.repeat(np.repeat(chords(3), 8)[:, None], 8, axis=1)
    assert rate(sound(eight, 8 * SOUND), kind="music").reading is not None


def test_a_long_recording_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes of an hour, never more than 30 s at once."""
    from affectgen.recognize import rate as module

    read: list[float] = []
    real = module.read_mono

    def watched(source, rate, start=0.0, seconds=None):
        read.append(seconds)
        return real(source, rate, start, min(seconds, 2.0))

    monkeypatch.setattr(module, "read_mono", watched)
    data = sound(np.tile(chords(10), 360)[::8], SOUND // 8)
    assert rate(data, kind="music").reading is not None
    assert max(read) <= 30
    assert sum(read) <= 630


def test_one_bad_item_does_not_stop_the_others() -> None:
    items = [Item("a", "fine"), Item("odd.bin", b"\0\1\2"), Item("c", "awful")]
    found = list(rate_items(items, RateSettings()))
    assert [one.name for one in found] == ["a", "odd.bin", "c"]
    assert [bool(one.error) for one in found] == [False, True, False]
    assert found[1].error.startswith("odd.bin: ")


@pytest.mark.slow
def test_processes_say_the_same_as_one() -> None:
    items = [Item(str(number), f"I feel {word}.") for number, word in enumerate(["sad", "glad", "angry", "calm"] * 5)]
    assert list(rate_items(items, RateSettings(), jobs=2)) == list(rate_items(items, RateSettings(), jobs=1))
