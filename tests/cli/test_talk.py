"""The bar of one long piece of work."""

from __future__ import annotations

import time

import pytest

from affectgen.cli.talk import Bar, Talk


def lines(capsys):
    said = capsys.readouterr()
    assert said.out == ""
    return [line.rstrip() for line in said.err.replace("\n", "\r").split("\r") if line.strip()]


def test_the_bar_fills_and_tells_the_time_left(capsys, monkeypatch):
    now = iter([100.0, 110.0, 130.0, 150.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    bar = Bar(True)
    for done in (0, 1, 2.5, 4):
        bar("clip", done, 4)
    first, second, third, last = lines(capsys)
    assert first == f"[{'.' * 30}] clip 0 of 4"
    assert second == f"[{'#' * 8}{'.' * 22}] clip 1 of 4, 0:30 left"
    assert third.endswith("clip 2 of 4, 0:18 left"), "two whole clips are done"
    assert last == f"[{'#' * 30}] clip 4 of 4"


def test_what_was_done_before_costs_no_time(capsys, monkeypatch):
    now = iter([0.0, 60.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    bar = Bar(True)
    bar("clip", 30, 33)
    bar("clip", 31, 33)
    assert lines(capsys)[1].endswith("clip 31 of 33, 2:00 left")


@pytest.mark.parametrize("talk", [Talk(), Talk(quiet=True)])
def test_nothing_is_shown_but_on_a_terminal(capsys, talk):
    talk.bar()("clip", 1, 2)
    assert lines(capsys) == []
