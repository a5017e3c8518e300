"""The built-in editor on a voice that anybody has: espeak-ng's plain one is the speaker, another one the donor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.speech.aligning.align import Aligner, AlignSettings
from affectgen.speech.aligning.alignment import Alignment
from affectgen.speech.aligning.stated import stated_alignment
from affectgen.speech.edited_file import Recording
from affectgen.speech.editing import espeak
from affectgen.speech.editing.builtin import BuiltIn
from affectgen.speech.editing.donors import EspeakLibrary
from affectgen.speech.editing.edit import Edited, edited
from affectgen.speech.editing.sources import Speech

pytestmark = pytest.mark.skipif(not espeak.library_there(), reason="the extra tts is not installed")
TEXT = "The weather will be better tomorrow, and the river was rather cold this morning."


@dataclass(frozen=True)
class Case:
    """A recording whose words are where the synthesiser says."""

    recording: Recording
    speech: Speech
    aligner: Aligner

    def edited(self, new: str, synthesiser: object = EspeakLibrary()) -> Edited:
        engine = BuiltIn(self.aligner, synthesiser)  # type: ignore[arg-type]
        return edited(self.recording, TEXT, new, self.aligner, engine, alignment=self.speech.alignment)


@pytest.fixture(scope="module")
def case() -> Case:
    aligner = Aligner(AlignSettings(check=False))
    said = espeak.synthesise(TEXT, "en-us+m3", pitch=40)
    room = np.random.default_rng(0).normal(size=len(said.samples)) * 3e-4
    alignment = stated_alignment(said, TEXT, aligner.pronunciation)
    assert alignment is not None
    samples = said.samples + room
    recording = Recording(samples[:, None].astype(np.float64), said.rate, "DOUBLE")
    return Case(recording, Speech(recording.stored[:, 0], said.rate, alignment), aligner)


@pytest.fixture(scope="module")
def replaced(case: Case) -> Edited:
    return case.edited(TEXT.replace("river", "garden"))


def test_the_new_word_is_heard_and_its_voice_is_the_speakers(case: Case, replaced: Edited) -> None:
    word = replaced.alignment.words[8]
    assert word.text == "garden"
    choices = ["garden", "river", "weather", "morning", "window", "market", "better", "father"]
    mono = replaced.recording.mono()
    assert np.argmax(case.aligner.pick(mono, replaced.recording.rate, choices, (word.start, word.end))) == 0
    made = Speech(replaced.recording.stored[:, 0], replaced.recording.rate, replaced.alignment)
    own = case.speech.middle
    pitch = made.semitones[round(word.start * 100) : round(word.end * 100)]
    assert abs(float(np.nanmedian(pitch)) - own) < 3.0  # the donor's lies some seven semitones higher
    level = made.level_of([word]) - case.speech.level_of(case.speech.alignment.words)
    assert abs(level) < 6.0
    assert 0.2 < word.end - word.start < 0.7


def test_pitch_goes_on_across_the_seams(case: Case, replaced: Edited) -> None:
    from affectgen.evaluate.edits import pitch_step

    made = Speech(replaced.recording.stored[:, 0], replaced.recording.rate, replaced.alignment)
    steps = [pitch_step(made.hertz, at) for at in (replaced.edits[0].start, replaced.edits[0].end)]
    assert all(np.isnan(step) or step < 4.0 for step in steps)


def test_a_seed_gives_the_same_sound(case: Case, replaced: Edited) -> None:
    again = case.edited(TEXT.replace("river", "garden"))
    np.testing.assert_array_equal(again.recording.stored, replaced.recording.stored)


def test_words_that_the_recording_holds_are_its_own(case: Case) -> None:
    made = case.edited(TEXT.replace("this morning", "this cold morning"), None)
    assert made.edits[0].source == "the recording's own words"
    with_donor = case.edited(TEXT.replace("cold", "rather cold"))
    assert with_donor.edits[0].source in ("the recording's own words", EspeakLibrary().name)


def test_without_a_synthesiser_sounds_are_put_together_or_the_remedy_named(case: Case) -> None:
    made = case.edited(TEXT.replace("river", "weaver"), None)
    assert made.edits[0].source == "the recording's own sounds"
    with pytest.raises(AffectgenError, match="joyful") as caught:
        case.edited(TEXT.replace("cold", "joyful"), None)
    assert "pip install espeakng-loader" in caught.value.hint


def test_a_pause_comes_with_a_mark(case: Case) -> None:
    plain = case.edited(TEXT.replace("The weather", "Today the weather"))
    paused = case.edited(TEXT.replace("The weather", "Today, the weather"))
    lengths = [one.edits[0].end - one.edits[0].start for one in (plain, paused)]
    assert lengths[1] > lengths[0] + 0.08


def test_an_edit_late_in_a_long_recording_is_the_same_edit(case: Case) -> None:
    from affectgen.speech.editing.edit import shifted

    rate = case.recording.rate
    lead = np.random.default_rng(1).normal(size=(100 * rate, 1)) * 3e-4
    stored = np.concatenate([lead, case.recording.stored])
    words = tuple(shifted(word, 100.0, word.index) for word in case.speech.alignment.words)
    speech = Speech(stored[:, 0], rate, Alignment(words, len(stored) / rate))
    late = Case(Recording(stored, rate, "DOUBLE"), speech, case.aligner)
    made, plain = late.edited(TEXT.replace("river", "garden")), case.edited(TEXT.replace("river", "garden"))
    word, other = made.alignment.words[8], plain.alignment.words[8]
    assert word.start - 100 == pytest.approx(other.start, abs=0.02)
    assert word.end - word.start == pytest.approx(other.end - other.start, abs=0.03)
    np.testing.assert_array_equal(made.recording.stored[: 101 * rate], stored[: 101 * rate])
