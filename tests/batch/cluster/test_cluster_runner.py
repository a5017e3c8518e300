"""The runner with workers that come and go, as those of a cluster do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from affectgen.batch import parcels as parcels_module
from affectgen.batch.job import Job
from affectgen.batch.journal import Journal
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.pool import Event, Fault, Share
from affectgen.batch.runner import Entry, Runner, RunSettings, Tally
from affectgen.manifest import Setting


class Flock:
    """Workers that lose their machine with the first job each, are gone for a while, and then fail whatever comes."""

    def __init__(self, blameless: bool) -> None:
        self.blameless = blameless
        self.away = [0]
        self.losses = 0
        self.given: list[int] = []
        self.events: list[Event] = []

    @property
    def workers(self) -> int:
        return len(self.away)

    @property
    def feeds(self) -> bool:
        return False

    def ready(self, worker: int) -> bool:
        return self.away[worker] == 0

    def give(self, worker: int, shares: Sequence[Share]) -> None:
        assert self.ready(worker)
        self.given += [share.number for share in shares]
        if self.losses < 2:
            self.losses += 1
            self.events.append(Event(worker, lost=True, blameless=self.blameless))
            return
        for share in shares:
            self.events.append(Event(worker, share.number, fault=Fault("AffectError", "no", "")))
        self.events.append(Event(worker))

    def wait(self, seconds: float) -> list[Event]:
        found, self.events = self.events, []
        self.away = [max(0, left - 1) for left in self.away]
        if not found and len(self.away) < 2:
            self.away.append(0)  # another one joins
        return found

    def restart(self, worker: int) -> None:
        self.away[worker] = 3

    def close(self) -> None:
        return


@pytest.mark.parametrize("blameless", [True, False])
def test_a_job_is_not_to_blame_for_its_machine(tmp_path: Path, monkeypatch, blameless):
    class Alone:
        together = 1

    monkeypatch.setattr(parcels_module, "find_task", lambda name: Alone())
    told: list[tuple[str, str]] = []

    def hear(line: Mapping[str, Any], tally: Tally) -> None:
        told.append((line["name"], line["error"]["message"]))

    run = {name: Setting(None, "default") for name in ("checkpoint", "device", "threads")}
    entries = [
        Entry(Job("muser generate", {}, f"j{number}"),
              Work("muser generate", (), run, Order({}, Target(tmp_path / f"j{number}.mid", None, None, False))))
        for number in range(4)
    ]  # fmt: skip
    flock = Flock(blameless)
    with Journal(tmp_path) as journal:
        journal.enter([entry.job for entry in entries])
        Runner(entries, journal, lambda: flock, RunSettings(), hear).run(range(4))
    lost = "The process that made it ended."
    expected = {f"j{number}": "no" if blameless or number > 1 else lost for number in range(4)}
    assert dict(told) == expected
    assert len(told) == 4
    # two machines went: their jobs are tried again where no job is to blame
    assert flock.given == ([0, 0, 0, 1, 2, 3] if blameless else [0, 1, 2, 3])
