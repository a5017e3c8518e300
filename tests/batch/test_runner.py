"""The runner with workers that are told what to do: parcels, blame, retries, time limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from affectgen.batch import order as order_module
from affectgen.batch import parcels as parcels_module
from affectgen.batch import runner as module
from affectgen.batch.job import Job
from affectgen.batch.journal import Journal
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.parcels import ABREAST
from affectgen.batch.pool import Event, Fault, Share
from affectgen.batch.runner import Entry, Runner, RunSettings
from affectgen.errors import NoSpace
from affectgen.manifest import Manifest, Setting

RUN = {"checkpoint": Setting(None, "default"), "device": Setting("cpu", "default"), "threads": Setting(1, "default")}
MANIFEST = Manifest("compose", (), {"seed": Setting(1, "option")}, RUN, {}, {"sha256": "0"}, None, {}, {}, {}, {})


@dataclass
class FakePool:
    """Does jobs at once; `lose` kills the worker that meets one of these numbers, `fail` and `full` let them fail,
    `hang` never answers."""

    workers: int = 2
    feeds: bool = False
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


@dataclass
class FeedingPool(FakePool):
    """Does the jobs of its workers in turn, one at a `wait`; `abreast`: most that one has had at a time."""

    feeds: bool = True
    hands: dict[int, list[Share]] = field(default_factory=dict)
    abreast: int = 0

    def give(self, worker: int, shares: Sequence[Share]) -> None:
        self.given.append(tuple(share.number for share in shares))
        if not self.hands.setdefault(worker, []):
            self.events.append(Event(worker, begun=True))
        self.hands[worker] += shares
        self.abreast = max(self.abreast, len(self.hands[worker]))

    def restart(self, worker: int) -> None:
        super().restart(worker)
        self.hands[worker].clear()

    def wait(self, seconds: float) -> list[Event]:
        found, self.events = self.events, []
        for worker, hand in self.hands.items():
            share = next((share for share in hand if share.number not in self.hang), None)
            if share is None:
                continue
            hand.remove(share)
            if share.number in self.lose:
                found.append(Event(worker, lost=True))
                continue
            share.work.order.target.piece.write_bytes(b"piece")
            found.append(Event(worker, share.number, made=MANIFEST.to_json(), seconds=0.1))
            if not hand:  # it may have been fed by the time that the runner hears this
                found.append(Event(worker, memory=5))
        return found


@pytest.fixture(autouse=True)
def tasks(monkeypatch):
    def task(name: str) -> Any:
        kind = type("Task", (), {"together": 4 if name == "many" else 1, "options": dict})
        if name == "stream":
            kind.alike = staticmethod(lambda options: "alike")
        return kind

    for place in (parcels_module, order_module):
        monkeypatch.setattr(place, "find_task", task)


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


def test_a_flow_is_fed_and_shared(tmp_path):
    pool = FeedingPool()
    made, told = run(tmp_path, pool, [entry(tmp_path, n, "stream") for n in range(100)])
    assert set(states(told).values()) == {"done"}
    assert made.tally.done == 100
    assert pool.given[:2] == [tuple(range(ABREAST)), tuple(range(ABREAST, 2 * ABREAST))]
    assert all(len(numbers) == 1 for numbers in pool.given[2:])
    assert pool.abreast == ABREAST


@pytest.mark.parametrize("count", [1, 3, 30])
def test_every_worker_has_a_part_of_a_short_flow(tmp_path, count):
    pool = FeedingPool(workers=3)
    run(tmp_path, pool, [entry(tmp_path, n, "stream") for n in range(count)])
    first = [len(numbers) for numbers in pool.given[: min(count, 3)]]
    assert max(first) == -(-count // 3)
    assert min(first) >= count // 6
    assert sum(len(numbers) for numbers in pool.given) == count


def test_of_a_flow_that_is_lost_what_was_at_hand_is_tried_alone(tmp_path):
    pool = FeedingPool(lose=frozenset({5}))
    _, told = run(tmp_path, pool, [entry(tmp_path, n, "stream") for n in range(60)])
    assert states(told) == {f"j{n}": "failed" if n == 5 else "done" for n in range(60)}
    assert pool.restarts == 2
    assert pool.given.count((5,)) == 1


def test_workers_that_cannot_be_fed_get_parcels_of_what_flows(tmp_path):
    pool = FakePool()
    run(tmp_path, pool, [entry(tmp_path, n, "stream") for n in range(5)])
    assert [len(numbers) for numbers in pool.given] == [1] * 5


def test_a_job_of_a_flow_that_takes_too_long_is_ended_though_others_are_done(tmp_path, monkeypatch):
    clock = iter(range(0, 1_000_000, 3))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    pool = FeedingPool(workers=1, hang=frozenset({3}))
    _, told = run(tmp_path, pool, [entry(tmp_path, n, "stream") for n in range(200)], timeout=5.0)
    assert states(told)["j3"] == "failed"
    assert [line["error"]["kind"] for line in told if line["status"] == "failed"] == ["Timeout"]
    assert told.index(next(line for line in told if line["name"] == "j3")) < 199


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
