"""Notes from sound: the stack lays overtones on their key, peaks become notes, and a short fit learns to hear."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.audio.mel import LOWEST, MELS, RATE, SEMITONES, Picture, picture
from affectgen.audio.synth import Voice, render
from affectgen.recognize.corpus import Labelled
from affectgen.recognize.music_notes import KEYS, OVERTONES, Transcriber, _convolved, harmonic_stack, notes_of
from affectgen.recognize.music_notes_fit import NoteSettings, answers, fit_notes, note_accuracy
from affectgen.recognize.music_renders import Rendering
from affectgen.score.notes import NoteArray


def piece(seed: int, count: int = 24) -> NoteArray:
    chance = np.random.default_rng(seed)
    onset = np.sort(chance.uniform(0.0, 7.0, count))
    return NoteArray.of(onset, np.full(count, 0.4), chance.integers(45, 85, count), chance.integers(40, 110, count))


def rendering(seed: int, lead: float = 0.0) -> Rendering:
    notes = piece(seed)
    sound = np.pad(render(notes.from_zero(), Voice(), RATE), (round(lead * RATE), 0))
    clip = Labelled(f"c{seed}", f"s{seed}", "train", 0, (0.0, 0.0), True, notes)
    return Rendering(clip, lead, picture(sound))


def test_the_stack_lays_overtones_on_their_key() -> None:
    levels = np.zeros((10, SEMITONES), dtype=np.uint8)
    key = 60 - LOWEST
    for shift in OVERTONES[1:]:
        levels[:, key + shift] = 255
    stack = harmonic_stack(Picture(levels, np.zeros((10, MELS), dtype=np.uint8)))
    assert stack.shape == (len(OVERTONES), 10, KEYS)
    assert (stack[1:, :, key] == stack.max()).all()
    assert (stack[0, :, key] == stack.min()).all()


def test_peaks_become_notes_that_end_with_the_sound_or_the_next_onset() -> None:
    out = np.zeros((3, 100, KEYS), dtype=np.float32)
    out[2] = 0.5
    for frame, level in ((10, 0.9), (11, 0.5), (30, 0.8)):
        out[0, frame, 39] = level
    out[1, 10:36, 39] = 1.0
    found = notes_of(out)
    assert found.pitch.tolist() == [60, 60]
    assert found.onset.tolist() == pytest.approx([0.5, 1.5])
    assert found.duration.tolist() == pytest.approx([1.0, 0.3])
    assert found.velocity.tolist() == [64, 64]


def test_nothing_struck_gives_no_notes() -> None:
    assert len(notes_of(np.zeros((3, 20, KEYS), dtype=np.float32))) == 0


def test_the_convolution_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    chance = np.random.default_rng(0)
    values = chance.normal(size=(4, 9, 11)).astype(np.float32)
    kernel, bias = chance.normal(size=(5, 4, 5, 3)).astype(np.float32), chance.normal(size=5).astype(np.float32)
    theirs = torch.nn.functional.conv2d(torch.tensor(values), torch.tensor(kernel), torch.tensor(bias), padding="same")
    np.testing.assert_allclose(_convolved(values, kernel, bias), theirs.numpy(), atol=1e-4)


def test_answers_stand_where_the_notes_are() -> None:
    one = rendering(1, lead=0.2)
    target = answers(one)
    notes = one.clip.notes.from_zero()
    for onset, pitch in zip(notes.onset, notes.pitch, strict=True):
        frame = int((onset + 0.2) / 0.05 + 1e-9)
        assert target[0, frame : frame + 2, pitch - LOWEST].sum() > 0.9
    assert np.isnan(target[2]).mean() > 0.9


def test_a_short_fit_hears_notes_and_comes_back_from_its_arrays() -> None:
    settings = NoteSettings(hidden=8, second=8, steps=150, batch=2, frames=60)
    transcriber = fit_notes([rendering(seed) for seed in range(6)], settings)
    unseen = [rendering(seed, lead=0.1) for seed in (50, 51)]
    assert note_accuracy(transcriber, unseen)["note_f"] > 0.5
    again = Transcriber.of_arrays(transcriber.arrays())
    first, second = (one.activations(unseen[0].picture) for one in (transcriber, again))
    np.testing.assert_allclose(first, second, atol=0.02)
