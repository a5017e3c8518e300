"""The attribute vector: its names, how they are found, and one value for each."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.emogen.vector import CORE_NAMES, EMOGEN_NAMES, FIRST_EMOGEN, NAMES, describe, find_attributes
from affectgen.errors import UsageError
from affectgen.score.attributes.core import CORE
from affectgen.score.notes import NoteArray


def value(vector, name):
    return vector[NAMES.index(name)]


def test_names_are_those_of_both_sets_each_once():
    assert len(set(NAMES)) == len(NAMES) == len(CORE) + 100
    assert len(EMOGEN_NAMES) == 100
    assert NAMES[:FIRST_EMOGEN] == CORE_NAMES
    assert all(name == name.lower() and name.isidentifier() for name in NAMES), "they are written on command lines"


def test_every_name_has_its_own_value(score):
    notes = score(3, 8).to_notes()
    vector = describe(notes, 97.0)
    assert vector.shape == (len(NAMES),)
    assert np.isfinite(vector).all()
    assert value(vector, "tempo") == 97.0
    assert value(vector, "velocity_mean") == pytest.approx(notes.velocity.mean())
    assert value(vector, "pitch_mean") == pytest.approx(notes.pitch.mean())
    assert value(vector, "bass_share") == pytest.approx((notes.pitch < 48).mean())
    assert value(vector, "total_number_of_notes") == len(notes)
    assert value(vector, "range") == np.ptp(notes.pitch)
    assert value(vector, "number_of_pitches") == len(set(notes.pitch.tolist()))


def test_tempo_alone_is_not_known_of_notes_in_seconds(score):
    vector = describe(score(0, 4).to_notes())
    assert [NAMES[place] for place in np.flatnonzero(np.isnan(vector))] == ["tempo"]


def test_a_piece_without_notes_has_values_all_the_same():
    vector = describe(NoteArray.of([], [], [], []))
    assert vector.shape == (len(NAMES),)
    assert not np.isinf(vector).any()


def test_a_name_is_found_before_a_group():
    assert find_attributes("tempo", "--set") == [NAMES.index("tempo")]
    assert find_attributes("length", "--free") == [NAMES.index("length")], "and not length_spread"
    assert find_attributes("contrary_motion", "--free") == [NAMES.index("contrary_motion")]


@pytest.mark.parametrize(("group", "names"), [
    ("velocity", ["velocity_mean", "velocity_sd", "velocity_low", "velocity_high"]),
    ("pitch", ["pitch_mean", "pitch_sd", "pitch_low", "pitch_high"]),
    ("key", ["key_mode", "key_clarity"]),
    ("degree", [f"degree_{step}" for step in range(12)]),
    ("melody", ["melody_pitch", "melody_steps", "melody_leaps", "melody_repeats"]),
])  # fmt: skip
def test_a_group_is_of_core_attributes(group, names):
    assert [NAMES[place] for place in find_attributes(group, "--free")] == names


@pytest.mark.parametrize(("name", "near"), [
    ("note_densty", "note_density"), ("keymode", "key_mode"),
])  # fmt: skip
def test_a_near_name_is_suggested(name, near):
    with pytest.raises(UsageError, match=f"--free got '{name}'") as caught:
        find_attributes(name, "--free")
    assert near in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["", "zzzzzzzz", "_", "velo"])
def test_what_is_no_attribute_is_refused_with_a_hint(name):
    with pytest.raises(UsageError, match="which is no attribute") as caught:
        find_attributes(name, "--set")
    assert caught.value.hint


@pytest.mark.parametrize("text", ["note_density", "Note density", "note-density", " NOTE  DENSITY "])
def test_a_name_may_be_written_as_it_is_spoken(text):
    assert [NAMES[place] for place in find_attributes(text, "--free")] == ["note_density"]


@pytest.mark.parametrize(("word", "found"), [("loud", "velocity_mean"), ("tonic", "degree_0")])
def test_an_attribute_is_found_by_what_it_means(word, found):
    with pytest.raises(UsageError) as caught:
        find_attributes(word, "--free")
    assert found in caught.value.hint
