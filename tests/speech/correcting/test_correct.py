"""Edited words that are said as the rest of the recording, or as an emotion asks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import MORE_TAKES, RATE, talk, write_takes

from affectgen.audio.glottal import contour
from affectgen.errors import AudioError, UsageError
from affectgen.speech.aligning.alignment import Alignment, Phone, Word
from affectgen.speech.converting.prosody import measure
from affectgen.speech.correcting.correct import CorrectSettings, corrected, corrected_recording, together
from affectgen.speech.edited_file import Recording
from affectgen.speech.index.build import fill
from affectgen.speech.index.listing import listed
from affectgen.speech.target import target_of

REACH = 0.015
SPAN = (1.0, 2.0)
RULES = CorrectSettings(share=1.0, method="rules")


def edited(low: float = 120.0, high: float = 180.0, rate: int = RATE) -> np.ndarray:
    """Three seconds at `high` Hz, the second of them said at `low`."""
    sides, middle = (talk(3.0, pitch, 0.0, rate=rate).astype(np.float64) for pitch in (high, low))
    inside = slice(round(SPAN[0] * rate), round(SPAN[1] * rate))
    sides[inside] = middle[inside]
    return sides


def aligned(seconds: float = 3.0, longer: float = 1.0) -> Alignment:
    """A word of a consonant and a vowel each quarter of a second; those in SPAN of sounds that much longer."""
    words = []
    for n, start in enumerate(np.arange(0, seconds, 0.25)):
        ends = [start + part * (longer if SPAN[0] <= start < SPAN[1] else 1.0) for part in (0.06, 0.16)]
        phones = (Phone("M", start, ends[0]), Phone("AA", ends[0], ends[1]))
        words.append(Word("ma", n, start, ends[1], phones))
    return Alignment(tuple(words), seconds)


def tones(sound: np.ndarray, span: tuple[float, float], rate: int = RATE) -> float:
    """The median pitch in a span, semitones."""
    hertz = contour(np.asarray(sound, dtype=np.float64), rate)[round(span[0] * 100) : round(span[1] * 100)]
    return float(np.median(12 * np.log2(hertz[hertz > 0] / 27.5)))


def unchanged(old: np.ndarray, new: np.ndarray, spans: list[tuple[float, float]], rate: int = RATE) -> bool:
    """Whether all that lies farther than REACH before the first and after the last span is the same."""
    first = max(round((min(spans)[0] - REACH) * rate), 0)
    tail = max(len(old) - round((max(spans)[1] + REACH) * rate), 0)
    return np.array_equal(old[:first], new[:first]) and np.array_equal(old[len(old) - tail :], new[len(new) - tail :])


def test_a_low_span_rises_to_its_neighbours() -> None:
    sound = edited()
    found = corrected(sound, RATE, aligned(), [SPAN], None)
    around = tones(sound, (0.0, 1.0))
    assert around - tones(sound, SPAN) > 6
    assert tones(found.samples, found.spans[0]) == pytest.approx(around, abs=2.0)
    assert unchanged(sound, found.samples, [SPAN])
    assert found.facts["follows"] == "context"
    assert found.facts["spans"][0]["pitch"] == pytest.approx(around - tones(sound, SPAN), abs=2.0)


def test_the_pitch_joins_without_steps() -> None:
    sound = edited()
    found = corrected(sound, RATE, aligned(), [SPAN], None)
    for before, edge in zip(SPAN, found.spans[0], strict=True):
        step = {}
        for name, voice, at in (("old", sound, before), ("new", found.samples, edge)):
            step[name] = abs(tones(voice, (at - 0.2, at - 0.02)) - tones(voice, (at + 0.02, at + 0.2)))
        assert step["new"] < 2.0 < step["old"]


def test_half_a_strength_goes_half_the_way() -> None:
    sound = edited()
    whole = corrected(sound, RATE, None, [SPAN], None)
    half = corrected(sound, RATE, None, [SPAN], None, CorrectSettings(strength=0.5))
    ways = [tones(one.samples, one.spans[0]) - tones(sound, SPAN) for one in (half, whole)]
    assert ways[0] == pytest.approx(ways[1] / 2, abs=0.5)


def test_slow_words_become_quicker_where_the_others_are() -> None:
    known = aligned(longer=1.4)
    found = corrected(edited(), RATE, known, [SPAN], None)
    length = found.spans[0][1] - found.spans[0][0]
    assert 0.75 < length < 0.97
    assert found.alignment is not None
    assert found.alignment.seconds == pytest.approx(len(found.samples) / RATE)
    moved = [word.start - old.start for word, old in zip(found.alignment.words, known.words, strict=True)]
    assert moved[:4] == pytest.approx([0.0] * 4, abs=1e-9)
    assert moved[9:] == pytest.approx([length - 1.0] * 3, abs=0.005)
    assert all(after < before + 0.002 for before, after in pairwise(moved))


def test_no_strength_and_no_span_are_a_copy() -> None:
    sound = edited()
    for spans, how in (([SPAN], CorrectSettings(strength=0.0)), ([], CorrectSettings())):
        found = corrected(sound, RATE, aligned(), spans, target_of("sad"), how)
        assert np.array_equal(found.samples, sound)
        assert found.spans == tuple(spans)


def test_colour_is_brought_nearer() -> None:
    sound = talk(3.0, 150.0, 0.0, bright=1.2).astype(np.float64)
    inside = slice(round(SPAN[0] * RATE), round(SPAN[1] * RATE))
    dull = sound.copy()
    dull[inside] = talk(3.0, 150.0, 0.0, bright=0.4)[inside]
    found = corrected(dull, RATE, None, [SPAN], None)

    def tilt(part: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(part)) ** 2
        hertz = np.fft.rfftfreq(len(part), 1 / RATE)
        return float(10 * np.log10(power[hertz > 1500].sum() / power[hertz <= 1500].sum()))

    ends = [round(moment * RATE) for moment in found.spans[0]]
    wanted, before, after = tilt(sound[inside]), tilt(dull[inside]), tilt(found.samples[ends[0] : ends[1]])
    assert before < wanted - 5
    assert before + 0.3 * (wanted - before) < after < wanted + 2


@settings(max_examples=12, deadline=None)
@given(start=st.floats(0.0, 2.7), seconds=st.floats(0.06, 0.9), low=st.floats(90, 240), second=st.booleans())
def test_only_the_spans_change(start: float, seconds: float, low: float, second: bool) -> None:
    sound = edited(low)
    spans = [(start, min(start + seconds, 3.0))]
    if second and spans[0][1] < 2.4:
        spans.append((spans[0][1] + 0.2, 3.0))
    found = corrected(sound, RATE, aligned(), spans, None)
    assert np.isfinite(found.samples).all()
    assert unchanged(sound, found.samples, spans)
    if len(spans) == 2:  # what lies between is there, too, as a whole
        between = sound[round((spans[0][1] + REACH) * RATE) : round((spans[1][0] - REACH) * RATE)]
        moved = round((spans[0][1] + REACH) * RATE) + len(found.patches[0].sound)
        moved -= found.patches[0].end - found.patches[0].start
        assert np.array_equal(found.samples[moved : moved + len(between)], between)
    grown = sum(len(one.sound) - (one.end - one.start) for one in found.patches)
    assert len(found.samples) == len(sound) + grown
    assert found.alignment is not None
    times = [moment for phone in found.alignment.phones for moment in (phone.start, phone.end)]
    assert times == sorted(times)
    assert all(0 <= a < b <= len(found.samples) / RATE + 0.015 for a, b in found.spans)


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_channels_and_bits_stay(rate: int) -> None:
    sound = edited(rate=rate)
    both = np.stack([sound, 0.5 * sound], axis=1)
    stored = np.rint(both * 2**15).astype(np.int32) << 16
    recording = Recording(stored, rate, "PCM_16")
    new, found = corrected_recording(recording, None, [SPAN], None)
    assert new.stored.dtype == np.int32
    assert not (new.stored & 0xFFFF).any()  # 16 bits
    assert unchanged(stored, new.stored, [SPAN], rate)
    inside = slice(*(round(moment * rate) for moment in found.spans[0]))
    left, right = new.floats()[inside].T
    assert tones(left, (0.0, 1.0), rate) - tones(sound, SPAN, rate) > 4
    assert np.abs(right - 0.5 * left).max() < 1e-3


def test_an_emotion_moves_the_span_by_rules() -> None:
    sound = edited(150.0, 150.0)
    for word, sign in (("angry", 1), ("sad", -1)):
        found = corrected(sound, RATE, aligned(), [SPAN], target_of(word), RULES)
        assert sign * (tones(found.samples, found.spans[0]) - tones(sound, SPAN)) > 0.5
        assert unchanged(sound, found.samples, [SPAN])


def test_an_emotion_is_retrieved_and_mixed(tmp_path) -> None:
    write_takes(tmp_path / "takes", {"anna": 210.0, "bert": 140.0}, emotions=MORE_TAKES)
    index = tmp_path / "v.db"
    fill(index, listed(tmp_path / "takes"), jobs=1, added="")
    sound = edited(150.0, 150.0)
    moved = {}
    for share in (0.0, 0.5, 1.0):
        found = corrected(sound, RATE, aligned(), [SPAN], target_of("angry"), CorrectSettings(share=share, index=index))
        moved[share] = tones(found.samples, found.spans[0]) - tones(sound, SPAN)
        assert bool(found.facts["spans"][0].get("exemplars")) == (share > 0)
    assert moved[1.0] == pytest.approx(5.0, abs=1.5)  # what the made voices do
    assert moved[0.0] < moved[0.5] < moved[1.0]
    high = measure(talk(2.0, 150.0 * 2 ** (2 / 12), 0.0), RATE)
    how = CorrectSettings(share=1.0, index=index)
    found = corrected(sound, RATE, aligned(), [SPAN], target_of("angry"), how, baseline=high)
    assert tones(found.samples, found.spans[0]) - tones(sound, SPAN) == pytest.approx(moved[1.0] + 2, abs=1.0)


def test_a_whistle_beside_the_span_is_not_followed() -> None:
    sound = edited(150.0, 150.0)
    whistle = slice(round(SPAN[1] * RATE), round((SPAN[1] + 0.45) * RATE))
    moments = np.arange(whistle.stop - whistle.start) / RATE
    sound[whistle] = 0.2 * np.sin(2 * np.pi * 520 * moments)
    found = corrected(sound, RATE, None, [SPAN], None)
    assert abs(tones(found.samples, found.spans[0]) - tones(sound, SPAN)) < 3


def test_spans_that_touch_are_one() -> None:
    assert together([(2.0, 2.5), (1.0, 1.5), (1.51, 1.8)]) == [(1.0, 1.8), (2.0, 2.5)]
    found = corrected(edited(), RATE, aligned(), [(1.5, 2.0), (1.0, 1.5)], None)
    assert len(found.patches) == 1
    assert found.spans[1][1] == pytest.approx(found.spans[0][0])


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ([(2.0, 1.0)], "2 to 1"), ([(1.0, 4.0)], "outside"), ([(-1.0, 1.0)], "outside"), ([(1.0, 1.01)], "too short"),
        ([(0.5, 1.5), (1.0, 2.0)], "overlap"), ([(float("nan"), 1.0)], "nan"),
    ],
)  # fmt: skip
def test_spans_that_are_none_are_refused(spans, words) -> None:
    with pytest.raises(UsageError, match=words):
        corrected(edited(), RATE, None, spans, None)


def test_silence_and_noise_are_refused() -> None:
    with pytest.raises(AudioError, match="silent"):
        corrected(np.zeros(3 * RATE), RATE, None, [SPAN], None)
    with pytest.raises(AudioError, match="No voice"):
        corrected(0.1 * np.random.default_rng(0).normal(size=3 * RATE), RATE, None, [SPAN], None)


@pytest.mark.parametrize("values", [{"strength": -0.1}, {"strength": np.nan}, {"share": 1.1}, {"method": "magic"}])
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        CorrectSettings(**values)


def test_loud_words_stay_below_full_scale() -> None:
    sound = edited(110.0, 260.0) * 3.2
    found = corrected(sound, RATE, aligned(), [SPAN], target_of("angry"), RULES)
    assert np.abs(found.samples).max() <= max(1.0, np.abs(sound).max())
