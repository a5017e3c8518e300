"""What cannot be asked of EmoGen: one sentence with a hint, exit code 2."""

from __future__ import annotations

import dataclasses

import pytest

from affectgen.emogen.options import GUIDANCE, MAPPINGS, EmogenOptions, Override, pull
from affectgen.errors import UsageError
from affectgen.task import options_from
from affectgen.writing.options import ComposeOptions


def ask(**values):
    return EmogenOptions(**{"affect": "happy", "seed": 1} | values)


@pytest.mark.parametrize(("text", "name", "value", "natural"), [
    ("note_density=+1.5", "note_density", 1.5, False),
    ("key_mode=-1", "key_mode", -1.0, False),
    ("tempo=90", "tempo", 90.0, True),
    ("key_mode==-0.3", "key_mode", -0.3, True),
    ("tempo==+90", "tempo", 90.0, True),
    (" tempo = 90.5 ", "tempo", 90.5, True),
    ("degree_4=.25", "degree_4", 0.25, True),
    ("gap=1e-1", "gap", 0.1, True),
    ("gap=-1e-1", "gap", -0.1, False),
    ("range=+0", "range", 0.0, False),
    ("Note density=+1", "note_density", 1.0, False),
    ("note-density = 3", "note_density", 3.0, True),
])  # fmt: skip
def test_an_override_is_read(text, name, value, natural):
    assert Override.parse(text) == Override(name, value, natural)
    assert ask(set=(text,)).overrides == [Override(name, value, natural)]


@pytest.mark.parametrize("text", [
    "", "tempo", "tempo=", "=90", "tempo=fast", "tempo=1.2.3", "tempo=nan", "tempo=inf", "tempo=1e999", "tempo===3",
    "-tempo=3", "tempo=90 bpm", "tempo=+-3", "tempo=٣", "tempo:90", "tempo=.",
])  # fmt: skip
def test_what_is_no_override_is_refused_when_it_is_asked(text):
    with pytest.raises(UsageError, match="--set got") as caught:
        ask(set=(text,))
    assert repr(text) in caught.value.message
    assert "note_density=+1.5" in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_tempo_is_asked_for_once():
    with pytest.raises(UsageError, match="--tempo came with --set tempo"):
        ask(tempo=120.0, set=("gap=-1", "tempo=90"))


def test_a_mapping_that_is_not_known():
    with pytest.raises(UsageError, match="--mapping got 'guess'") as caught:
        ask(mapping="guess")
    assert all(name in caught.value.hint for name in MAPPINGS)


def test_what_is_composed_by_emogen_is_checked_as_anywhere():
    assert isinstance(ask(), ComposeOptions)
    with pytest.raises(UsageError, match="--bars got 0"):
        ask(bars=0)
    with pytest.raises(UsageError, match="--keep came without --source"):
        ask(keep=("pitch",))


def test_the_guidance_that_options_stand_for():
    assert pull(ask()) == GUIDANCE > 1
    assert (pull(ask(guidance=0.0)), pull(ask(guidance=3.0))) == (0.0, 3.0)


def test_options_come_back_from_a_manifest_and_are_frozen():
    asked = ask(bars=8, set=("tempo=90", "gap=-1"), free=("velocity",), mapping="paper")
    values = {field.name: getattr(asked, field.name) for field in dataclasses.fields(asked)}
    assert options_from(EmogenOptions, values | {"set": ["tempo=90", "gap=-1"], "free": ["velocity"]}) == asked
    with pytest.raises(dataclasses.FrozenInstanceError):
        asked.mapping = "kernel"
