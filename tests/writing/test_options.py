"""What cannot be asked of any generator: one sentence with a hint, exit code 2."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from affectgen.errors import UsageError
from affectgen.score import words
from affectgen.writing.options import ELEMENTS, ComposeOptions, whole, within

SOURCE = {"source": b"MThd", "keep": ("pitch",)}


def ask(**values):
    return ComposeOptions(**{"affect": "happy", "seed": 1} | values)


@pytest.mark.parametrize(("values", "sentence"), [
    ({"affect": "blissfull"}, "blissfull"),
    ({"affect": "sad>"}, "without an emotion"),
    ({"affect": "3,0"}, "3"),
    ({"seed": -1}, "--seed got -1"),
    ({"seed": 2**31}, "--seed"),
    ({"bars": 0}, "--bars got 0; expected 1 to 256"),
    ({"bars": 257}, "--bars"),
    ({"bars": 2.5}, "--bars got 2.5; a whole number"),
    ({"bars": math.nan}, "--bars got nan"),
    ({"best_of": 0}, "--best-of"),
    ({"best_of": 65}, "--best-of"),
    ({"tries": 0}, "--tries"),
    ({"tries": 65}, "--tries"),
    ({"temperature": math.nan}, "--temperature got nan"),
    ({"temperature": -0.1}, "--temperature"),
    ({"temperature": math.inf}, "--temperature"),
    ({"top_p": 0.0}, "--top-p"),
    ({"top_p": 1.01}, "--top-p"),
    ({"guidance": -1.0}, "--guidance"),
    ({"guidance": math.nan}, "--guidance"),
    ({"seconds": 3.9}, "--seconds got 3.9; expected 4 to 900"),
    ({"seconds": math.nan}, "--seconds"),
    ({"tempo": 19.0}, "--tempo"),
    ({"tempo": math.inf}, "--tempo"),
    ({"tempo": 20.0, "seconds": 11.0}, "shorter than one bar"),
    ({"key": "H major"}, "H major"),
    ({"source": b"MThd", "keep": ("pitch", "timbre")}, "--keep got 'timbre'"),
    ({"keep": ("pitch",)}, "--keep came without --source"),
    ({"source": b"MThd"}, "--source came without --keep"),
    (SOURCE | {"continue_from": b"MThd"}, "--source and --continue"),
    (SOURCE | {"seconds": 20.0}, "--seconds came with --source"),
])  # fmt: skip
def test_what_composing_refuses(values, sentence):
    with pytest.raises(UsageError) as caught:
        ask(**values)
    assert sentence in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("values", [
    {"affect": None}, {"affect": "sad>calm>happy"}, {"bars": 1}, {"bars": 256}, {"temperature": 0.0}, {"guidance": 0.0},
    {"guidance": 20.0}, {"top_p": 0.01}, {"seconds": 4.0}, {"seconds": 900.0}, {"tempo": 300.0}, {"key": "f# minor"},
    SOURCE, {"continue_from": Path("a.mid")}, {"tempo": 20.0, "seconds": 12.0}, {"seed": 2**31 - 1},
])  # fmt: skip
def test_what_lies_on_the_edge_is_allowed(values):
    asked = ask(**values)
    assert all(getattr(asked, name) == value for name, value in values.items())


def test_options_are_frozen_and_name_the_elements_of_the_words():
    assert words.ELEMENTS == ELEMENTS
    with pytest.raises(dataclasses.FrozenInstanceError):
        ask().source = b"other"


def test_numbers_and_whole_numbers():
    whole("--n", 3, 1, 3)
    within("--x", 0.5, 0.5, 1.0)
    with pytest.raises(UsageError, match=r"--n got 4; expected 1 to 3\."):
        whole("--n", 4, 1, 3)
    with pytest.raises(UsageError, match="a whole number was expected"):
        whole("--n", 1.5, 1, 3)
    with pytest.raises(UsageError, match=r"--x got 0\.4; expected 0\.5 to 1\."):
        within("--x", 0.4, 0.5, 1.0)


@pytest.mark.parametrize("given", [{"source": b"x", "keep": ("pitch",)}, {"continue_from": b"x"}])
def test_a_key_cannot_be_asked_of_a_piece_that_has_one(given):
    with pytest.raises(UsageError, match=r"--key came with --(source|continue), whose key stays"):
        ComposeOptions("happy", 1, key="C", **given)
