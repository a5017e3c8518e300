"""Alignment of real speech and of synthetic speech whose synthesiser states its times."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from affectgen.audio.files import read_mono, resampled
from affectgen.errors import AffectgenError, AudioError
from affectgen.evaluate.word_times import Said, by_espeak, word_times
from affectgen.speech.aligning.align import LONGEST_WHOLE, Aligner, AlignSettings, MismatchError
from affectgen.speech.aligning.align_long import Forward
from affectgen.speech.aligning.alignment import PHONES
from affectgen.speech.editing import espeak

TEXT = "please bring both of your brothers to the garden after lunch"
OTHER = "nobody knew why the river had turned such a deep shade of green"
LJ = (
    "Printing, in the only sense with which we are at present concerned, differs from most if not from all the arts "
    "and crafts represented in the Exhibition"
)
Sound = tuple[NDArray[np.float32], int]


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


@cache
def say(text: str, voice: str = "en-us") -> Said:
    if not espeak.library_there():
        pytest.skip("espeakng-loader is not installed")
    return by_espeak(voice, text)


@pytest.fixture(scope="module")
def reading(real_data: Path) -> Sound:
    """8.4 s of a reader, who says LJ."""
    return read_mono(real_data / "ljspeech" / "flac" / "LJ001-0001.flac", 44100), 44100


def noisy(samples: NDArray[np.float32], decibels: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(0).normal(size=len(samples)) * np.sqrt((samples**2).mean())
    return np.asarray(samples + noise * 10 ** (-decibels / 20), dtype=np.float32)


def test_word_times_are_near_the_true_ones(aligner: Aligner) -> None:
    say(TEXT)
    found = word_times(aligner, {"one": say, "two": lambda text: say(text, "en-us+f2")}, (TEXT, OTHER))
    assert found.median < 0.020
    assert found.within > 0.75
    assert set(found.voices) == {"one", "two"}


def test_an_alignment_is_whole(aligner: Aligner) -> None:
    said = say(TEXT)
    found = aligner.align(said.samples, said.rate, TEXT)
    assert [word.text for word in found.words] == TEXT.split()
    assert [word.index for word in found.words] == list(range(11))
    assert found.seconds == pytest.approx(len(said.samples) / said.rate)
    phones = found.phones
    assert phones[0].start == 0
    assert phones[-1].end == pytest.approx(found.seconds)
    assert all(one.end == next_one.start for one, next_one in pairwise(phones))
    assert all(phone.end > phone.start for phone in phones)
    for word in found.words:
        assert {phone.name for phone in word.phones} <= PHONES
        assert (word.start, word.end) == (word.phones[0].start, word.phones[-1].end)
    assert type(found).from_json(found.to_json()).words[3].text == "of"


def test_a_reader_is_aligned_in_any_form(aligner: Aligner, reading: Sound) -> None:
    samples, rate = reading
    usual = np.array([word.start for word in aligner.align(samples, rate, LJ).words])
    assert usual[0] < 0.1
    assert np.isclose(usual[12], 3.76, atol=0.06)  # "differs", after the pause
    forms: dict[str, tuple[NDArray[np.float32], int, float]] = {
        "8 kHz": (resampled(samples, rate, 8000), 8000, 0.03),
        "96 kHz": (resampled(samples, rate, 96000), 96000, 0.006),
        "clipped": (np.clip(20 * samples, -1, 1), rate, 0.03),
        "quiet": (0.01 * samples, rate, 0.006),
        "offset": ((0.5 * samples + 0.3).astype(np.float32), rate, 0.011),
        "10 dB of noise": (noisy(samples, 10), rate, 0.06),
    }
    for name, (given, at, near) in forms.items():
        found = np.array([word.start for word in aligner.align(given, at, LJ).words])
        assert np.median(np.abs(found - usual)) <= near, name
    late = np.concatenate([np.zeros(rate, np.float32), samples])
    moved = np.array([word.start for word in aligner.align(late, rate, LJ).words])
    assert np.median(np.abs(moved - usual - 1.0)) <= 0.011


def test_it_depends_on_nothing_before(aligner: Aligner) -> None:
    said, other = say(TEXT), say(OTHER)
    first = aligner.align(said.samples, said.rate, TEXT)
    aligner.align(other.samples, other.rate, OTHER)
    assert aligner.align(said.samples, said.rate, TEXT) == first
    assert Aligner().align(said.samples, said.rate, TEXT) == first


@pytest.mark.parametrize(
    ("wrong", "about"),
    [
        (LJ.replace("differs from most if not from all", "fifteen hundred elephants were dancing round"), 3.9),
        (LJ.replace("with which we are at present concerned, differs from most", ""), 1.4),
        (LJ + " and the elephants are dancing in the garden", 7.4),
        ("Hello world", None), (OTHER, None), (TEXT + " " + OTHER, None), (LJ + " " + LJ + " " + LJ + " " + LJ, None),
    ],
)  # fmt: skip
def test_another_text_is_refused_with_its_place(
    aligner: Aligner, reading: Sound, wrong: str, about: float | None
) -> None:
    with pytest.raises(MismatchError, match=r"is not what is heard|cannot be said") as caught:
        aligner.align(*reading, wrong)
    if about is not None:
        assert any(abs(at - about) < 1.2 for at, _ in caught.value.where)


def test_another_text_is_aligned_when_asked_for(reading: Sound) -> None:
    unchecked = Aligner().unchecked()
    assert unchecked.settings == AlignSettings(check=False)
    assert unchecked.unchecked() is unchecked
    assert len(unchecked.align(*reading, LJ.replace("Printing", "Hunting")).words) == 27


def test_unknown_words_and_numbers_are_aligned(aligner: Aligner) -> None:
    text = "the woodcutters of Zemblania made 42 tables in 1455"
    said = say("the woodcutters of Zemblania made forty two tables in fourteen fifty five")
    found = aligner.align(said.samples, said.rate, text)
    assert [word.text for word in found.words] == text.split()
    assert len(found.words[5].phones) == 7  # forty two


def test_a_long_recording_is_aligned_by_windows(aligner: Aligner) -> None:
    said, other, parts, starts, at = say(TEXT), say(OTHER), [], [], 0.0
    rng = np.random.default_rng(0)
    for number in range(12):
        one = (said, other)[number % 2]
        pause = np.zeros(round(rng.uniform(0.2, 0.6) * said.rate), np.float32)
        starts += [at + start for _, start, _ in one.words]
        parts += [one.samples, pause]
        at += (len(one.samples) + len(pause)) / said.rate
    samples = np.concatenate(parts)
    text = " ".join([TEXT, OTHER] * 6)
    found = aligner.align(samples, said.rate, text)
    assert at > LONGEST_WHOLE
    assert [word.text for word in found.words] == text.split()
    stated = [n + 11 * ((i + 1) // 2) + 13 * (i // 2) for i in range(12) for n, _, _ in (said, other)[i % 2].words]
    errors = np.abs([found.words[n].start - start for n, start in zip(stated, starts, strict=True)])
    assert np.median(errors) < 0.03
    assert (errors < 0.5).mean() > 0.98
    assert all(one.end <= two.start + 1e-9 for one, two in pairwise(found.words))
    words = text.split()
    with pytest.raises(MismatchError) as caught:
        aligner.align(samples, said.rate, " ".join(words[:60] + words[108:]))
    place = found.words[60].start
    assert place - 8 < caught.value.where[0][0] < place + 25


def test_the_word_that_is_said_is_picked(aligner: Aligner, reading: Sound) -> None:
    found = aligner.align(*reading, LJ)
    others = ["elephant", "monday", "drafts", "table", "green", "seven", "running", "below", "certain", "paper"]
    right = 0
    for word in found.words:
        if len(word.phones) > 3:
            scores = aligner.pick(*reading, [word.text, *others], span=(word.start, word.end))
            right += int(np.argmax(scores)) == 0
            assert max(scores) < 30
    assert right >= sum(len(word.phones) > 3 for word in found.words) - 1
    assert aligner.pick(reading[0][:4000], 44100, ["incomprehensibilities"]) == [-np.inf]


def test_unknown_speech_is_heard_as_phones(aligner: Aligner, reading: Sound) -> None:
    known, found = aligner.align(*reading, LJ), aligner.heard(*reading)
    assert {word.text for word in found.words} == {""}
    assert [word.index for word in found.words] == list(range(len(found.words)))
    vowels = {phone.name for phone in found.phones} & PHONES
    assert len(vowels) > 20
    times = np.arange(0.0, 8.3, 0.01)

    def at(phones: tuple[object, ...]) -> Callable[[float], str]:
        return lambda t: next(p.name for p in phones if p.start <= t < p.end)  # type: ignore[attr-defined]

    one, two = at(known.phones), at(found.phones)
    assert np.mean([one(t) == two(t) for t in times]) > 0.45


def test_bad_sound_is_refused(aligner: Aligner) -> None:
    tone = np.sin(np.arange(32000) * 0.05).astype(np.float32)
    cases: list[tuple[NDArray[np.float32], int, str]] = [
        (np.zeros(16000, np.float32), 16000, "silent"), (np.full(16000, np.nan, np.float32), 16000, "no numbers"),
        (np.zeros((100, 2), np.float32), 16000, "mono"), (tone[:10], 16000, "too short"),
        (np.zeros(16000 * 50, np.float32), 16000, "silent"),
    ]  # fmt: skip
    for samples, rate, said in cases:
        with pytest.raises(AudioError, match=said):
            aligner.align(samples, rate, "hello")
    with pytest.raises(AffectgenError):
        aligner.align(tone, 16000, "the quick brown fox")
    with pytest.raises(AffectgenError, match="no words"):
        aligner.align(tone, 16000, " ... ")


def test_music_is_called_music(aligner: Aligner) -> None:
    rng = np.random.default_rng(1)
    time = np.arange(16000 * 8) / 16000
    music = np.zeros(len(time))
    for start in np.arange(0, 8, 0.25):
        for pitch in 220 * 2 ** (rng.choice([0, 3, 7, 12], 2) / 12):
            on = (time >= start) * np.exp(-4 * np.maximum(time - start, 0))
            music += 0.1 * on * sum(np.sin(2 * np.pi * k * pitch * time) / k for k in (1, 2, 3))
    with pytest.raises(AudioError, match="music"):
        aligner.align(music.astype(np.float32), 16000, "she had your dark suit in greasy wash water all year")


def test_pronunciations_of_written_words(aligner: Aligner) -> None:
    assert aligner.pronunciation("42") == ("F", "AO", "R", "T", "IY", "T", "UW")
    assert aligner.pronunciation("BBC") == ("B", "IY", "B", "IY", "S", "IY")
    assert aligner.pronunciation("—") == ()


def test_a_file_is_read_forwards_once(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    wave = (np.random.default_rng(0).normal(size=16000 * 20) * 0.1).astype(np.float32)
    soundfile.write(path, wave, 16000, subtype="PCM_24")
    for source in (path, path.read_bytes()):
        part = Forward(source)
        for start, seconds in ((0.0, 8.0), (5.3, 8.0), (5.3, 9.0), (14.0, 3.0), (16.0, 10.0), (30.0, 1.0)):
            wanted = wave[round(start * 16000) : round((start + seconds) * 16000)]
            np.testing.assert_allclose(part(start, seconds), wanted, atol=1e-6)


def test_a_file_and_its_samples_align_alike(aligner: Aligner, reading: Sound, real_data: Path) -> None:
    path = real_data / "ljspeech" / "flac" / "LJ001-0001.flac"
    one, other = aligner.align_file(path, LJ), aligner.align(*reading, LJ)
    assert [word.text for word in one.words] == [word.text for word in other.words]
    assert max(abs(a.start - b.start) for a, b in zip(one.words, other.words, strict=True)) <= 0.011
