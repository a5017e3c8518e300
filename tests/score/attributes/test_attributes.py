"""The hundred together: their order, what they do to odd pieces, and what must not change them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.score.attributes import ATTRIBUTES, emogen_attributes, emogen_bits
from affectgen.score.attributes.melody import melody_attributes
from affectgen.score.attributes.pitch import pitch_attributes
from affectgen.score.attributes.pulse import pulse_attributes
from affectgen.score.attributes.rhythm import rhythm_attributes
from affectgen.score.attributes.texture import texture_attributes
from affectgen.score.attributes.vertical import vertical_attributes
from affectgen.score.notes import NoteArray

NAMES = [a.name for a in ATTRIBUTES]
SHARES = [
    k
    for k, name in enumerate(NAMES)
    if any(word in name for word in ("histogram", "prevalence", "importance", "sixths", "arpeggi", "embell", "perfect"))
    or name in ("contrary_motion", "seventh_chords")
]
OCTAVE_FREE = [
    k
    for k, name in enumerate(NAMES)
    if name.startswith(
        ("melodic", "vertical", "wrapped", "chord", "rhythmic", "pitch_class", "amount", "mean_pitch_class")
    )
]
GROUPS = {
    pitch_attributes: range(16),
    melody_attributes: range(16, 30),
    vertical_attributes: range(30, 58),
    rhythm_attributes: [*range(58, 88), 94, 95],
    pulse_attributes: range(88, 94),
    texture_attributes: range(96, 100),
}


@st.composite
def music(draw: st.DrawFn) -> NoteArray:
    """Up to 40 notes, many struck together, over the whole of MIDI's pitches and velocities."""
    moment = st.one_of(st.integers(0, 40).map(lambda step: step / 8), st.floats(0.0, 30.0))
    note = st.tuples(moment, st.floats(0.001, 4.0), st.integers(0, 127), st.integers(1, 127))
    rows = draw(st.lists(note, max_size=40))
    return NoteArray.of(*zip(*rows, strict=True)) if rows else NoteArray.of([], [], [], [])


def shifted(notes: NoteArray, semitones: int) -> NoteArray:
    return NoteArray.of(notes.onset, notes.duration, notes.pitch + semitones, notes.velocity)


def test_each_module_gives_its_part_of_the_catalogue(ticks) -> None:
    notes = ticks([(0, 1, 60)])
    for group, indexes in GROUPS.items():
        assert sorted(group(notes)) == sorted(NAMES[k] for k in indexes)
    assert sorted(k for indexes in GROUPS.values() for k in indexes) == list(range(100))


def test_values_stand_in_the_catalogues_order(play) -> None:
    # C and E, a half note together, velocities 50 and 70
    values = dict(zip(NAMES, emogen_attributes(play([(0, 2, 60, 50), (0, 2, 64, 70)])), strict=True))
    assert values["range"] == 4
    assert values["total_number_of_notes"] == 2
    assert values["duration_in_seconds"] == 1
    assert values["rhythmic_value_histogram_6"] == 1
    assert values["average_number_of_simultaneous_pitches"] == 2
    assert values["average_note_to_note_change_in_dynamics"] == 20


def test_an_empty_piece_has_zeros(play) -> None:
    values = emogen_attributes(play([]))
    assert (values.shape, values.dtype) == ((100,), np.float64)
    assert not values.any()


def test_a_single_note(play) -> None:
    # a half note on C4 at the beginning: one second
    values = dict(zip(NAMES, emogen_attributes(play([(0, 2, 60)])), strict=True))
    assert {name: value for name, value in values.items() if value} == {
        "number_of_pitches": 1,
        "importance_of_middle_register": 1,
        "mean_pitch": 60,
        "most_common_pitch": 60,
        "average_number_of_simultaneous_pitches": 1,
        "total_number_of_notes": 1,
        "note_density_per_quarter_note": 0.5,
        # windows of eight quarters: the first tick's holds the note, those of the other 767 do not
        "note_density_per_quarter_note_variability": pytest.approx(np.std([1, *[0] * 767], ddof=1) / 8),
        "rhythmic_value_histogram_6": 1,
        "prevalence_of_medium_rhythmic_values": 1,
        "prevalence_of_long_rhythmic_values": 1,
        "most_common_rhythmic_value": 2,
        "prevalence_of_most_common_rhythmic_value": 1,
        "mean_rhythmic_value_run_length": 1,
        "duration_in_seconds": 1,
        "relative_note_density_of_highest_line": 60,
    }


@given(music())
@settings(max_examples=60, deadline=None)
def test_values_are_finite_and_shares_are_shares(notes: NoteArray) -> None:
    values = emogen_attributes(notes)
    assert np.isfinite(values).all()
    assert (values[SHARES] >= 0).all()
    assert (values[SHARES] <= 1 + 1e-9).all()
    for prefix in ("pitch_class", "melodic_interval", "vertical_interval", "chord_type", "rhythmic_value_histogram"):
        assert values[[k for k, name in enumerate(NAMES) if name.startswith(prefix)]].sum() <= 1 + 1e-9


@given(music(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_notes_is_no_matter(notes: NoteArray, random) -> None:
    order = list(range(len(notes)))
    random.shuffle(order)
    mixed = NoteArray(notes.onset[order], notes.duration[order], notes.pitch[order], notes.velocity[order])
    np.testing.assert_array_equal(emogen_attributes(mixed), emogen_attributes(notes))


@given(music(), st.sampled_from([-12, 12]))
@settings(max_examples=40, deadline=None)
def test_an_octave_changes_no_pitch_class_and_no_interval(notes: NoteArray, octave: int) -> None:
    inner = NoteArray.of(notes.onset, notes.duration, notes.pitch % 96 + 16, notes.velocity)
    before, after = emogen_attributes(inner), emogen_attributes(shifted(inner, octave))
    np.testing.assert_allclose(after[OCTAVE_FREE], before[OCTAVE_FREE], atol=1e-12)
    if len(notes):
        names = ["mean_pitch", "most_common_pitch"]
        assert [after[NAMES.index(n)] - before[NAMES.index(n)] for n in names] == [octave, octave]


@given(music(), st.integers(1, 11))
@settings(max_examples=40, deadline=None)
def test_another_key_changes_no_interval_and_no_rhythm(notes: NoteArray, semitones: int) -> None:
    inner = NoteArray.of(notes.onset, notes.duration, notes.pitch % 96 + 16, notes.velocity)
    before, after = emogen_attributes(inner), emogen_attributes(shifted(inner, semitones))
    same = [*range(16, 96), 97, 98, 99]
    np.testing.assert_allclose(after[same], before[same], atol=1e-12)


def test_a_far_note_costs_no_memory(play) -> None:
    values = emogen_attributes(play([(0, 1, 60), (10_000_000, 1, 62)]))
    assert np.isfinite(values).all()


def test_bits_are_strictly_above_the_threshold() -> None:
    thresholds = np.array([a.threshold for a in ATTRIBUTES])
    values = np.stack([thresholds, thresholds + 1e-9, np.full(100, np.nan)])
    bits = emogen_bits(values)
    assert bits.dtype == np.int8
    assert (bits == np.array([[0], [1], [-1]])).all()
    assert emogen_bits(values[0]).shape == (100,)


def test_a_clip_takes_less_than_thirty_milliseconds() -> None:
    rng = np.random.default_rng(0)
    count = 300  # notes of 40 s; EMOPIA's clips have 229 in the middle
    notes = NoteArray.of(
        rng.uniform(0, 40, count), rng.uniform(0.1, 2, count), rng.integers(30, 90, count), rng.integers(30, 100, count)
    )
    spent = []
    for _ in range(5):
        begin = time.process_time()
        emogen_attributes(notes)
        spent.append(time.process_time() - begin)
    assert min(spent) < 0.03
