"""Specs of commands: keys are checked, and the nearest name is told."""

from __future__ import annotations

import pytest

from affectgen.batch.spec import INTEGER, TEXT, CommandSpec, OptionSpec, find_spec, nearest
from affectgen.errors import UsageError

SPEC = CommandSpec("compose", "", ".mid", {n: OptionSpec(n, k) for n, k in (("bars", INTEGER), ("best-of", TEXT))})


def test_an_unknown_key_is_told_with_the_nearest():
    SPEC.check({"bars": 1, "best-of": 2})
    with pytest.raises(UsageError, match="no option 'best_off'") as caught:
        SPEC.check({"bars": 1, "best_off": 2})
    assert caught.value.hint == "Did you mean 'best-of'?"


def test_an_unknown_command_is_told_with_the_nearest():
    assert find_spec({"compose": SPEC}, "compose") is SPEC
    with pytest.raises(UsageError, match="'composer'") as caught:
        find_spec({"compose": SPEC}, "composer")
    assert "compose" in caught.value.hint


def test_without_anything_near_all_are_listed():
    assert nearest("zzz", ["b", "a"]) == "There are: a, b."


def test_only_a_command_with_a_seed_draws():
    assert not SPEC.seeded
    assert CommandSpec("x", "", ".mid", {"seed": OptionSpec("seed", INTEGER)}).seeded
