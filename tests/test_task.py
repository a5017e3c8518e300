"""Tasks are found by entry points, and options survive JSON."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from affectgen import task
from affectgen.errors import UsageError


@dataclass(frozen=True)
class Options:
    seed: int
    source: Path | bytes | None = None
    keep: tuple[str, ...] = ()
    name: str | None = None
    guidance: float = 2.0
    parts: tuple[Path | bytes, ...] = ()


class Fake:
    name = "sing"
    options = Options


FAKE = Fake()


@pytest.fixture(autouse=True)
def unknown():
    """What is declared is looked up once: here it changes from test to test."""
    task._points_on.cache_clear()
    yield
    task._points_on.cache_clear()


@pytest.fixture
def declared(monkeypatch):
    monkeypatch.setattr(task, "_checkout_points", list)

    def declare(*points):
        monkeypatch.setattr(task, "entry_points", lambda group: [EntryPoint(*point, group) for point in points])

    return declare


def test_a_dot_stands_for_the_space(declared):
    declared(("choir.sing", "a:B"), ("hum", "c:D"))
    assert task.task_names() == ["choir sing", "hum"]


def test_the_first_on_the_path_wins_and_is_loaded_only_when_asked_for(declared, monkeypatch, tmp_path):
    (tmp_path / "songs_for_this_test.py").write_text("SING = 'the task'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    declared(("sing", "songs_for_this_test:SING"), ("sing", "no.such.module:X"), ("hum", "no.such.module:X"))
    assert task.find_task("sing") == "the task"
    with pytest.raises(ModuleNotFoundError):
        task.find_task("hum")


def test_an_unknown_task_lists_the_known_ones(declared):
    declared(("sing", "a:B"), ("hum", "a:B"))
    with pytest.raises(UsageError, match="'dance'") as caught:
        task.find_task("dance")
    assert "hum, sing" in caught.value.hint


def test_a_checkout_declares_its_tasks_without_being_installed(monkeypatch):
    monkeypatch.setattr(task, "entry_points", lambda group: [])
    assert {"muser generate", "muser transfer", "muser reconstruct", "render"} <= set(task.task_names())


def test_options_from_json_values():
    made = task.options_from(Options, {"seed": 0, "source": "a/b.mid", "keep": ["pitch", "tempo"], "name": "x"})
    assert made == Options(0, Path("a/b.mid"), ("pitch", "tempo"), "x")
    piped = task.options_from(Options, {"seed": 1, "source": b"MThd", "guidance": 0.0})
    assert piped == Options(1, b"MThd", guidance=0.0)
    several = task.options_from(Options, {"seed": 1, "parts": ["a.mid", b"MThd", Path("b.mid")]})
    assert several.parts == (Path("a.mid"), b"MThd", Path("b.mid"))


def test_unknown_and_missing_options():
    with pytest.raises(UsageError, match="Unknown settings: colour"):
        task.options_from(Options, {"seed": 1, "colour": "red"})
    with pytest.raises(UsageError, match="Missing settings: seed"):
        task.options_from(Options, {"keep": []})
