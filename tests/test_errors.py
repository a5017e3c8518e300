"""Every error carries its sentence, its hint and its exit code."""

from __future__ import annotations

import pytest

from affectgen import errors


@pytest.mark.parametrize(("kind", "code"), [
    (errors.AffectgenError, 1), (errors.CheckpointError, 1), (errors.MidiError, 1),
    (errors.UsageError, 2), (errors.AffectError, 2), (errors.PartlyFailed, 3),
])  # fmt: skip
def test_exit_codes_and_words(kind, code):
    error = kind("What came.", "What to do.")
    assert isinstance(error, errors.AffectgenError)
    assert error.exit_code == code
    assert str(error) == "What came. What to do."
    assert str(kind("What came.")) == "What came."


LONG = "x" * 5000


@pytest.mark.parametrize("form", [
    "'{}' is no word.", '--set got "{}"; a name was expected.', "`{}` is unknown.",
    "affect got [{}]; a text was expected.", "{{{}}} came.", "{} is not in range 1<=x<=9.",
])  # fmt: skip
def test_long_values_are_shortened_and_the_sentence_stays(form):
    told = errors.shortened(form.format(LONG))
    assert len(told) < len(form) + 100
    before, after = form.format("\0").split("\0")
    assert told.startswith(f"{before}xxx")
    assert told.endswith(f"xxx{after}")
    assert "xxx...xxx" in told


def test_of_several_values_the_long_one_is_shortened():
    told = errors.shortened(f"Invalid value for '--seed': '{LONG}' is not 'a' or 'b'. Don't give the others' words.")
    assert told.startswith("Invalid value for '--seed': 'xxx")
    assert told.endswith("xxx' is not 'a' or 'b'. Don't give the others' words.")
    assert len(told) < 200


def test_what_is_not_long_stays():
    path = "/a folder/" + "/".join(["sub" * 20] * 8) + "/piece.mid"
    name = "n" * 240 + ".mid"
    for told in (
        f"{path} exists already.", f"mkdir -p '{path}'", f"{name} exists already.", "'" + "x" * 100 + "' came.",
        "Use one of " + ", ".join(f"'{number}'" for number in range(300)) + ".", "A sentence. " * 100, "",
        "It's the speaker's voice that isn't heard" + ", and one can't tell why" * 20 + ".",
    ):
        assert errors.shortened(told) == told


def test_what_cannot_be_a_path_is_shortened_although_it_has_a_slash():
    assert len(errors.shortened(f"folder/{LONG}.mid: File name too long.")) < 150
    assert len(errors.shortened("'" + "a/b " * 2000 + "' came.")) < 150
