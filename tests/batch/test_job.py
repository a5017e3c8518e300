"""Jobs: keys that tell them apart, names that are files' stems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.batch.job import LONGEST, Job, check_name, default_name, fit_name
from affectgen.batch.spec import TEXT, CommandSpec, OptionSpec
from affectgen.errors import UsageError

SPECS = {
    "compose": CommandSpec("compose", "", ".mid"),
    "sound": CommandSpec("sound", "", ".wav", {"format": OptionSpec("format", TEXT)}),
}


def test_a_key_tells_command_values_and_name_apart_and_nothing_else():
    job = Job("compose", {"seed": 1, "affect": "calm"}, "a", "study", "line 1")
    assert job.key == Job("compose", {"affect": "calm", "seed": 1}, "a", None, "line 9").key
    others = [Job("sound", job.values, "a"), Job("compose", {"seed": 2, "affect": "calm"}, "a"),
              Job("compose", job.values, "b"), Job("compose", {"seed": "1", "affect": "calm"}, "a")]  # fmt: skip
    assert len({job.key, *(other.key for other in others)}) == 5


def test_the_ending_is_the_format_asked_for_or_the_commands():
    assert Job("compose", {}, "a").suffix(SPECS) == ".mid"
    assert Job("sound", {"format": "flac"}, "a").suffix(SPECS) == ".flac"
    with pytest.raises(UsageError, match="no command that makes a piece"):
        Job("sing", {}, "a").suffix(SPECS)


@given(st.text())
def test_a_fitted_name_is_one_files_stem(text):
    name = fit_name(text)
    assert len(name.encode()) <= LONGEST
    assert not set(name) & set("/\\>:*?\"<| \0\n")
    if name:
        assert check_name(name, "here") == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "a\0b", 3, None, "x" * (LONGEST + 1),
                                  "a\ud800", "y\nError: fake", "\x1b[31m", "😀" * 60])  # fmt: skip
def test_what_is_no_files_name_is_refused(name):
    with pytest.raises(UsageError, match="line 4"):
        check_name(name, "line 4")


def test_default_names_say_what_is_asked():
    assert default_name("study", "compose", {"affect": "sad>calm", "seed": 7}) == "study-sad_calm-7"
    assert default_name(None, "speech convert", {"source": "takes/a b.wav"}) == "speech-convert-a_b"
    assert default_name(None, "render", {"files": ["x/one.mid", "two.mid"]}) == "render-one"
