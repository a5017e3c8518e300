"""What cannot be asked of MusER's tasks: one sentence with a hint, exit code 2."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from affectgen.errors import UsageError
from affectgen.muser.options import (
    PATH_GUIDANCE,
    POINT_GUIDANCE,
    GenerateOptions,
    ReconstructOptions,
    TransferOptions,
    pull,
)
from affectgen.task import options_from
from affectgen.writing.options import ComposeOptions


def ask(**values):
    return GenerateOptions(**{"affect": "happy", "seed": 1} | values)


@pytest.mark.parametrize(("values", "sentence"), [
    ({"elements": ()}, "names no element"),
    ({"elements": ("loudness",)}, "--elements got 'loudness'"),
    ({"elements": ("pitch",), "temperature": math.nan}, "--temperature"),
    ({"elements": ("pitch",), "seed": -3}, "--seed"),
])  # fmt: skip
def test_what_transfer_refuses(values, sentence):
    with pytest.raises(UsageError) as caught:
        TransferOptions(Path("a.mid"), Path("b.mid"), **values)
    assert sentence in caught.value.message
    assert caught.value.exit_code == 2


def test_options_come_back_from_a_manifest():
    asked = ask(bars=8, tempo=90.0, key="C")
    values = {field.name: getattr(asked, field.name) for field in dataclasses.fields(asked)}
    assert options_from(GenerateOptions, values | {"keep": []}) == asked


def test_options_are_frozen():
    for one in (ask(), TransferOptions(b"", b"", ("pitch",)), ReconstructOptions(b"")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.source = b"other"


def test_what_is_composed_by_muser_is_checked_as_anywhere():
    assert isinstance(ask(), ComposeOptions)
    with pytest.raises(UsageError, match="--bars got 0") as caught:
        ask(bars=0)
    assert caught.value.exit_code == 2


def test_the_guidance_that_options_stand_for():
    assert pull(ask()) == pull(ask(affect=None)) == POINT_GUIDANCE
    assert pull(ask(affect="sad>happy")) == PATH_GUIDANCE > POINT_GUIDANCE
    assert pull(ask(affect="sad>happy", guidance=0.5)) == pull(ask(guidance=0.5)) == 0.5
