"""The runner with workers that are told what to do: parcels, blame, retries, time limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.batch import runner as module
from affectgen.batch.job import Job
from affectgen.batch.journal import Journal
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.pool import Event, Fault, Share
from affectgen.batch.runner import Entry, Runner, RunSettings, parcels
from affectgen.errors import NoSpace
from affectgen.manifest import Manifest, Setting

RUN = {"checkpoint": Setting(None, "default"), "device": Setting("cpu", "default"), "threads": Setting(1, "default")}
MANIFEST = Manifest("compose", (), {"seed": Setting(1, "option")}, RUN, {}, {"sha256": "0"}, None, {}, {}, {}, {})


@dataclass
class FakePool:
    """Does jobs at once; `lose` kills the worker that meets one of these numbers, `fail` and `full` let them fail,
    `hang` never answers."""

    workers: int = 2
    lose: frozenset[int] = frozenset()
    fail: dict[int, int] = field(default_factory=dict)
    full: frozenset[int] = frozenset()
    hang: frozenset[int] = frozenset()
    given: list[tuple[int, ...]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    restarts: int = 0
    closed: bool = False

    def ready(self, worker: int) -> bool:
        return True

    def give(self, worker: int, shares: Sequence[Share]) -> None:
        self.events.append(Event(worker, begun=True))
        self.given.append(tuple(share.number for share in shares))
        for share in shares:
            number = share.number
            if number in self.hang:
                return
            if number in self.lose:
                self.events.append(Event(worker, lost=True))
                return
            if self.fail.get(number, 0) > 0:
                self.fail[number] -= 1
                self.events.append(Event(worker, number, fault=Fault("AffectgenError", "no")))
            elif number in self.full:
                self.events.append(Event(worker, number, fault=Fault("NoSpace", "No space is left.")))
            else:
                share.work.order.target.piece.write_bytes(b"piece")
                self.events.append(Event(worker, number, made=MANIFEST.to_json(), seconds=0.1))
        self.events.append(Event(worker, memory=5))

    def wait(self, seconds: float) -> list[Event]:
        found, self.events = self.events[:1], self.events[1:]
        return found

    def restart(self, worker: int) -> None:
        self.restarts += 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def together(monkeypatch):
    monkeypatch.setattr(module, "find_task", lambda name: type("Task", (), {"together": 4 if name == "many" else 1}))


def entry(folder: Path, number: int, task: str = "many") -> Entry:
    target = Target(folder / f"j{number}.mid", None, None, True)
    return Entry(Job(task, {"seed": number}, f"j{number}"), Work(task, (), RUN, Order({}, target)))


def run(folder: Path, pool: FakePool, entries: list[Entry], **how: Any) -> tuple[Runner, list[Any]]:
    told: list[Any] = []
    with Journal(folder) as journal:
        journal.enter([each.job for each in entries])
        made = Runner(entries, journal, lambda: pool, RunSettings(**how), lambda line, tally: told.append(dict(line)))
        made.run(range(len(entries)))
        assert {row.name: row.state for row in journal.rows()} == {line["name"]: line["status"] for line in told}
    assert pool.closed
    return made, told


def states(told: list[Any]) -> dict[str, str]:
    assert len({line["name"] for line in told}) == len(told)
    return {line["name"]: line["status"] for line in told}


def test_all_are_done_in_parcels_of_one_task(tmp_path):
    entries = [entry(tmp_path, n, "many" if n % 3 else "single") for n in range(12)]
    pool = FakePool()
    made, told = run(tmp_path, pool, entries)
    assert set(states(told).values()) == {"done"}
    assert made.tally.done == 12
    assert made.tally.memory == 5
    assert sorted(n for parcel in pool.given for n in parcel) == list(range(12))
    for parcel in pool.given:
        assert len({entries[n].job.command for n in parcel}) == 1
        assert len(parcel) <= (4 if entries[parcel[0]].job.command == "many" else 1)


def test_a_job_that_kills_its_worker_is_found_and_the_others_are_done(tmp_path):
    pool = FakePool(lose=frozenset({2}))
    _, told = run(tmp_path, pool, [entry(tmp_path, n) for n in range(8)])
    assert states(told) == {f"j{n}": "failed" if n == 2 else "done" for n in range(8)}
    assert pool.restarts == 2  # among others, and alone
    assert pool.given.count((2,)) == 1


def test_retries_are_counted_and_what_cannot_be_is_not_tried_again(tmp_path):
    pool = FakePool(fail={0: 2, 1: 9})
    _, told = run(tmp_path, pool, [entry(tmp_path, n) for n in range(3)], retry=2)
    assert states(told) == {"j0": "done", "j1": "failed", "j2": "done"}
    assert sum(1 in parcel for parcel in pool.given) == 3
    assert Fault("UsageError", "").for_good
    assert not Fault("AffectgenError", "").for_good


def test_a_job_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    clock = iter(range(0, 10_000, 3))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    pool = FakePool(hang=frozenset({1}))
    _, told = run(tmp_path, pool, [entry(tmp_path, n) for n in range(3)], timeout=50.0)
    assert states(told) == {"j0": "done", "j1": "failed", "j2": "done"}
    assert [line["error"]["kind"] for line in told if line["status"] == "failed"] == ["Timeout"]


def test_a_full_disk_stops_everything(tmp_path):
    pool = FakePool(workers=1, full=frozenset({4}))
    entries = [entry(tmp_path, n) for n in range(12)]
    with pytest.raises(NoSpace, match="No space is left"):
        run(tmp_path, pool, entries)
    assert pool.closed
    with Journal(tmp_path) as journal:
        found = {row.name: row.state for row in journal.rows()}
    assert found == {f"j{n}": "done" if n < 4 else "todo" for n in range(12)}


def test_an_entry_without_work_fails_without_a_pool(tmp_path):
    pool = FakePool()
    with Journal(tmp_path) as journal:
        entries = [Entry(Job("many", {}, "bad"), fault=Fault("UsageError", "no such thing"))]
        journal.enter([entries[0].job])
        told: list[Any] = []
        Runner(entries, journal, lambda: pool, RunSettings(), lambda line, tally: told.append(line)).run([0])
    assert states(told) == {"bad": "failed"}
    assert not pool.given


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["many", "single"]), max_size=40), st.integers(1, 5))
def test_parcels_hold_every_job_once(tasks, workers):
    entries = [entry(Path("x"), n, task) for n, task in enumerate(tasks)]
    found = parcels(range(len(tasks)), entries, workers)
    assert sorted(n for parcel in found for n in parcel) == list(range(len(tasks)))
    assert all(len({tasks[n] for n in parcel}) == 1 for parcel in found)
    many = [parcel for parcel in found if tasks[parcel[0]] == "many"]
    assert len(many) >= min(workers, tasks.count("many"))
    assert all(len(parcel) <= 4 for parcel in many)
