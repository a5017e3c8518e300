"""Lines of JSON become jobs; what cannot be understood is told with its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.batch.job import Job
from affectgen.batch.lines import check_unique, read_lines
from affectgen.batch.spec import INTEGER, TEXT, CommandSpec, OptionSpec
from affectgen.errors import UsageError

OPTIONS = {name: OptionSpec(name, kind) for name, kind in (("seed", INTEGER), ("affect", TEXT), ("best-of", INTEGER))}
SPECS = {"compose": CommandSpec("compose", "", ".mid", OPTIONS), "join": CommandSpec("join", "", ".wav")}


def read(*lines, seed=100):
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    return read_lines(text.encode(), SPECS, seed, "standard input")


def test_keys_are_long_options_and_name_is_the_stem():
    (job, fault), *_ = read({"command": "compose", "affect": "calm", "best_of": 2, "seed": 5, "name": "j1"})
    assert fault is None
    assert job == Job("compose", {"affect": "calm", "best-of": 2, "seed": 5}, "j1")


def test_seeds_that_are_not_named_are_counted_by_line_where_the_command_draws():
    found = read({"command": "compose"}, "", {"command": "compose", "seed": 0}, {"command": "join"})
    assert [job.values for job, _ in found] == [{"seed": 100}, {"seed": 0}, {}]
    assert len({job.name for job, _ in found}) == 3


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{oops", "line 2 of standard input is no JSON"),
        ("[1]", "line 2 of standard input holds no object"),
        ('{"affect": "calm"}', "line 2 of standard input names no command"),
        ('{"command": "compos"}', "line 2 of standard input: 'compos' is no command"),
        ('{"command": "compose", "sed": 1}', "line 2 of standard input: `compose` has no option 'sed'"),
        ('{"command": "compose", "name": "a/b"}', "line 2 of standard input: the name"),
        ('{"command": "compose", "best_of": 1, "best-of": 2}', "line 2 of standard input: an option stands twice"),
        ('{"command": "compose", "seed": 1, "seed": 2}', "line 2 of standard input is no JSON: a key stands twice"),
        ("[" * 100_000, "line 2 of standard input is no JSON"),
    ],
)  # fmt: skip
def test_a_line_that_is_wrong_is_told_and_the_others_are_read(line, expected):
    (good, none), (_, fault), (last, no_fault) = read({"command": "compose"}, line, {"command": "join"})
    assert none is None
    assert no_fault is None
    assert (good.command, last.command) == ("compose", "join")
    assert fault is not None
    assert fault.message.startswith(expected)


def test_a_faulty_line_keeps_its_name_and_is_in_nobodys_way():
    found = read({"command": "compose", "name": "j7", "affectt": "calm"}, {"command": "compose", "name": "j7"})
    assert [(job.name, job.command, fault is None) for job, fault in found] == [
        ("j7", "compose", False), ("j7", "compose", True)
    ]  # fmt: skip


def test_two_jobs_of_one_name_are_refused_even_in_other_letters():
    with pytest.raises(UsageError, match="Two jobs have the name"):
        read({"command": "compose", "name": "a"}, {"command": "compose", "name": "A"})


def test_text_that_is_not_utf8_is_refused():
    with pytest.raises(UsageError, match="UTF-8"):
        read_lines(b"\xff", SPECS, 0, "standard input")


@given(st.lists(st.dictionaries(st.text().filter(lambda key: key != "name"), st.integers() | st.text() | st.none())))
def test_any_objects_come_back_as_jobs_or_faults(objects):
    found = read(*objects)
    assert len(found) == len(objects)
    check_unique(job for job, _ in found)
    for held, (job, fault) in zip(objects, found, strict=True):
        assert fault is not None or job.command in SPECS
        assert job.command in ("", held.get("command"))
