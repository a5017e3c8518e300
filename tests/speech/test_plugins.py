"""Programs from outside: how they are found, and whose fault is named when they fail."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from affectgen.errors import AffectgenError, AudioError, UsageError
from affectgen.speech import plugins
from affectgen.speech.plugins import Socket, faults_of

SOCKET = Socket("some.group", "thing", "work")


class Thing:
    name = "thing 1"

    def __init__(self, device: str) -> None:
        if device == "broken":
            raise RuntimeError("no such device")
        self.device = device

    def work(self) -> None:
        """Does nothing."""


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some things of one group, as installed packages would declare them."""
    values = {"mine": f"{__name__}:Thing", "absent": "nowhere_at_all:load", "renamed": f"{__name__}:load",
              "other": "builtins:dict.fromkeys", "ant": f"{__name__}:Thing"}  # fmt: skip
    points = [EntryPoint(name, value, SOCKET.group) for name, value in values.items()]
    monkeypatch.setattr(EntryPoint, "load", load)
    monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == SOCKET.group else [])


def load(point: EntryPoint) -> object:
    """As EntryPoint.load does, for a module that pytest imported."""
    module, _, name = point.value.partition(":")
    if module == "nowhere_at_all":
        raise ModuleNotFoundError("No module named 'nowhere_at_all'", name="nowhere_at_all")
    if name == "load":
        raise AttributeError("module has no attribute 'load'")
    return Thing if name == "Thing" else dict.fromkeys


def test_what_is_declared_is_found_and_called_with_the_device(declared: None) -> None:
    assert SOCKET.names() == ["absent", "ant", "mine", "other", "renamed"]
    assert SOCKET.load("mine", "cuda:1").device == "cuda:1"
    assert Socket("another.group", "thing", "work").names() == []


@pytest.mark.parametrize(
    ("name", "device", "kind", "said"),
    [
        ("none", "cpu", UsageError, "There is no thing 'none'. Known: absent, ant, mine"),
        ("absent", "cpu", AffectgenError, "The thing absent cannot be loaded: No module named 'nowhere_at_all'"),
        ("renamed", "cpu", AffectgenError, "The thing renamed failed: AttributeError: module has no attribute 'load'"),
        ("mine", "broken", AffectgenError, "The thing mine failed: RuntimeError: no such device"),
        ("other", "cpu", AffectgenError, r"was to have a name and work\(\), and dict came"),
    ],
)
def test_what_does_not_load_is_said(
    declared: None, name: str, device: str, kind: type[AffectgenError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        SOCKET.load(name, device)


def test_where_nothing_is_installed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: [])
    with pytest.raises(UsageError, match="No package that brings one is installed"):
        SOCKET.find("mine")


def test_only_other_peoples_errors_are_turned_into_theirs() -> None:
    for kind in (AudioError, MemoryError, ImportError, KeyboardInterrupt):
        with pytest.raises(kind), faults_of("It"):
            raise kind("as it was")
    with pytest.raises(AffectgenError, match="It failed: KeyError: 'x'") as caught, faults_of("It"):
        raise KeyError("x")
    assert isinstance(caught.value.__cause__, KeyError)
