"""Programs from outside that are declared as Python entry points: how they are found and loaded, and whose fault is
named when they fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from affectgen.errors import AffectgenError, UsageError


@dataclass(frozen=True)
class Socket:
    """What can be plugged in in one place. group: of the entry points; what: one is called, for a person; method: that
    it must have."""

    group: str
    what: str
    method: str

    def names(self) -> list[str]:
        """Those that installed packages declare, sorted; none is imported."""
        return sorted(point.name for point in entry_points(group=self.group))

    def find(self, name: str) -> EntryPoint:
        """The declaration of that name. UsageError where no package has it."""
        found: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=self.group)}
        if name not in found:
            known = f"Known: {', '.join(sorted(found))}." if found else "No package that brings one is installed."
            raise UsageError(f"There is no {self.what} {name!r}.", f"{known} Leave --engine out for the built-in one.")
        return found[name]

    def load(self, name: str, device: str) -> Any:
        """What the declared function returns, called with the device.

        UsageError for a name that no package declares; AffectgenError where it does not load or is something else.
        """
        point, who = self.find(name), f"The {self.what} {name}"
        try:
            with faults_of(who):
                plugged = point.load()(device)
        except ImportError as error:
            raise AffectgenError(f"{who} cannot be loaded: {error}.", "Install what it needs.") from error
        if not callable(getattr(plugged, self.method, None)) or not isinstance(getattr(plugged, "name", None), str):
            text = f"{who} is none: it was to have a name and {self.method}(), and {type(plugged).__name__} came."
            raise AffectgenError(text, "Report it to its authors.")
        return plugged


@contextmanager
def faults_of(who: str) -> Iterator[None]:
    """Whatever goes wrong inside is said to be `who`'s: AffectgenError, with the error itself as its cause.

    This project's own errors, missing packages and a full memory stay what they are.
    """
    try:
        yield
    except (AffectgenError, ImportError, MemoryError):
        raise
    except Exception as error:  # other people's code raises what it likes
        text = f"{who} failed: {type(error).__name__}: {error}"
        raise AffectgenError(text, "Report it to its authors; AFFECTGEN_DEBUG=1 shows where.") from error
