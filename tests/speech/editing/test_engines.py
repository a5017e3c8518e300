"""Editors from outside: how they are found, and what is not taken from them."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from affectgen.errors import AffectgenError, UsageError
from affectgen.speech import plugins
from affectgen.speech.aligning.alignment import Alignment
from affectgen.speech.editing.differ import Change, Edit
from affectgen.speech.editing.engines import SOCKET, Filling, Request, checked_fillings, engine_names, load_engine

EDIT = Edit(Change(0, 1, 0, 1), 0.1, 0.2, ("one",), ("two",))
REQUEST = Request(np.zeros(8000), 8000, Alignment((), 1.0), "one", "two", (EDIT,))


class Speaks:
    """Says nothing, in as many pieces as there are edits."""

    name = "speaks 1"

    def fill(self, request: Request) -> list[Filling]:
        if request.seed:
            raise RuntimeError("no more memory on the device")
        return [Filling(np.ones(80)) for _ in request.edits]


def declared(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    points = [EntryPoint("mine", value, SOCKET.group)]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == SOCKET.group else [])


def test_an_engine_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, "some_module:load")
    monkeypatch.setattr(EntryPoint, "load", lambda point: lambda device: Speaks())
    assert engine_names() == ["mine"]
    engine = load_engine("mine")
    assert engine.name == "speaks 1"
    assert len(checked_fillings(engine.fill(REQUEST), REQUEST)) == 1
    with pytest.raises(AffectgenError, match="The speech engine speaks 1 failed: RuntimeError: no more memory"):
        engine.fill(replace(REQUEST, seed=1))


def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, "nowhere_at_all:load")
    with pytest.raises(UsageError, match="no speech engine 'other'"):
        load_engine("other")
    with pytest.raises(AffectgenError, match="cannot be loaded"):
        load_engine("mine")


@pytest.mark.parametrize(
    "fillings",
    [[], [Filling(np.zeros(10)), Filling(np.zeros(10))], [Filling(np.zeros(0))], [Filling(np.zeros((10, 2)))],
     [Filling(np.full(10, np.nan))], [Filling(np.zeros(80), 0.5, 0.2)], [Filling(np.zeros(80), 0.0, 2.0)]],
)  # fmt: skip
def test_sound_that_cannot_be_used_is_refused(fillings: list[Filling]) -> None:
    with pytest.raises(AffectgenError, match="engine gave"):
        checked_fillings(fillings, REQUEST)


def test_a_whole_sound_is_taken_as_it_is() -> None:
    filling = Filling(np.ones(80))
    assert checked_fillings([filling], REQUEST) == [filling]
    assert filling.stop(8000) == 0.01
