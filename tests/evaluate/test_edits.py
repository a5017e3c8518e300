"""The figures of speech editing: on sounds whose answer is known, and on a folder that is said here."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.errors import AffectgenError
from affectgen.evaluate.edits import changed_outside, edit_figures, pitch_step, without
from affectgen.speech.editing import espeak

RATE = 16_000


def test_a_pitch_step_is_told_in_semitones_and_one_wrong_frame_is_none() -> None:
    hertz = np.r_[np.full(20, 100.0), np.full(20, 100 * 2 ** (3 / 12))]
    assert pitch_step(hertz, 0.195) == pytest.approx(3.0)
    hertz[19] = 50.0
    assert pitch_step(hertz, 0.195) == pytest.approx(3.0)
    hertz[12:30] = 0
    assert np.isnan(pitch_step(hertz, 0.195))


@pytest.mark.skipif(not espeak.library_there(), reason="the extra tts is not installed")
def test_all_figures_of_a_small_folder(tmp_path: Path) -> None:
    from affectgen.speech.aligning.align import Aligner, AlignSettings
    from affectgen.speech.editing.builtin import BuiltIn
    from affectgen.speech.editing.donors import EspeakLibrary

    texts = [
        "The river behind the village was frozen during that winter.",
        "Nobody could remember such weather in the valley.",
        "Seven children walked across the river every morning.", "Their teacher waited beside the wooden bridge.",
        "After several hours the travellers finally reached another village.",
        "People always wondered whether summer would return.",
        "Mother carried apples, butter, sugar, and coffee from market.",
        "Letters arrived only twice between October and April.",
    ]  # fmt: skip
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "speaker", "text"])
        for number, text in enumerate(texts):
            said = espeak.synthesise(text, "en-us+f4", rate=110, pitch=45)
            room = np.random.default_rng(number).normal(size=len(said.samples)) * 3e-4
            soundfile.write(tmp_path / f"{number}.wav", said.samples + room, said.rate)
            table.writerow([f"{number}.wav", "one", text])
    aligner = Aligner(AlignSettings(check=False))
    figures = edit_figures(aligner, BuiltIn(aligner, EspeakLibrary()), tmp_path, words=2)
    assert (figures.words, figures.replaced) == (2, 2)
    assert figures.pairs >= 1
    assert figures.outside == 0
    assert 0 <= figures.picked <= 1
    assert 0 < figures.distance < 20
    assert figures.repetition > 0
    assert figures.ratio == figures.distance / figures.repetition
    assert 0 < figures.factor < 20
    (tmp_path / "manifest.csv").write_text("file,speaker,text\n")
    with pytest.raises(AffectgenError, match="at least two"):
        edit_figures(aligner, BuiltIn(aligner, EspeakLibrary()), tmp_path, words=2)


def test_samples_beyond_the_edits_are_counted() -> None:
    from dataclasses import replace

    from affectgen.evaluate.edits import Clip
    from affectgen.speech.aligning.alignment import Alignment, Phone, Word
    from affectgen.speech.edited_file import Patch, Recording, patched
    from affectgen.speech.editing.differ import Change, Edit
    from affectgen.speech.editing.edit import Edited, Placed

    old = Recording(np.random.default_rng(0).normal(size=(RATE, 1)), RATE, "DOUBLE")
    patch = Patch(6400, 8000, np.zeros((3000, 1)))
    edit = Edit(Change(0, 1, 0, 1), 0.4, 0.5, ("a",), ("b",))
    alignment = Alignment((), 1.0)
    made = Edited(patched(old, [patch]), alignment, (Placed(edit, 0.4, 0.5875, patch, ""),), alignment)
    assert changed_outside(old, made) == 0
    spoilt = made.recording.stored.copy()
    spoilt[[100, 15_000], 0] += 1e-9
    assert changed_outside(old, replace(made, recording=replace(made.recording, stored=spoilt))) == 2
    words = tuple(Word(str(i), i, 0.2 * i, 0.2 * i + 0.2, (Phone("AH", 0.2 * i, 0.2 * i + 0.2),)) for i in range(3))
    rest, left = without(Clip("", old, Alignment(words, 1.0)), words[1])
    assert len(rest.stored) == RATE - 3200
    assert [(word.text, round(word.start, 6)) for word in left.words] == [("0", 0.0), ("2", 0.2)]
