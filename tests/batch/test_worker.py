"""A worker's place: what flows is told at once and fed on the way, what fails is found out alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from affectgen.batch import order, worker
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.pool import Event, Share
from affectgen.batch.worker import Bench
from affectgen.manifest import Setting
from affectgen.task import Flowing, Give, Result, Take

RUN = {"checkpoint": Setting(None, "default"), "device": Setting("cpu", "default"), "threads": Setting(1, "default")}


@dataclass(frozen=True)
class Options:
    """seed: below 0 nothing can be made; alike: of the flow, None for none."""

    seed: int
    alike: str | None = "a"


@dataclass
class Loaded:
    """Two at a time. runs: the seeds of each call of run; taken: in turn."""

    runs: list[list[int]] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)

    def run(self, options: Sequence[Options]) -> list[Result]:
        self.runs.append([each.seed for each in options])
        return [self.one(each) for each in options]

    def one(self, options: Options) -> Result:
        if options.seed < 0:
            raise RuntimeError(f"nothing can be made of {options.seed}")
        return Result(bytes([options.seed]), ".mid", None, {}, {}, {})

    def flow(self, take: Take, give: Give) -> None:
        hand: list[tuple[int, Any]] = []
        while True:
            while len(hand) < 2 and (more := take()) is not None:
                hand.append(more)
                self.taken.append(more[1].seed)
            if not hand:
                return
            number, options = hand.pop(0)
            give(number, self.one(options))


@pytest.fixture
def loaded(monkeypatch):
    """The one model there is; `find_task` finds its task, and a result is written as its bytes alone."""
    made = Loaded()

    class Task:
        options = Options

        @staticmethod
        def alike(options: Options) -> str | None:
            return options.alike

    for place in (order, worker):
        monkeypatch.setattr(place, "find_task", lambda name: Task)
    monkeypatch.setattr(Bench, "loaded", lambda self, work: made)

    def deliver(work: Work, result: Result, seconds: dict[str, float]) -> Any:
        work.order.target.piece.write_bytes(result.data)
        manifest = type("Manifest", (), {"to_json": lambda self: {"made": result.data[0], **seconds}})()
        return type("Made", (), {"manifest": manifest})()

    monkeypatch.setattr(worker, "deliver", deliver)
    return made


def share(folder: Path, number: int, seed: int | None = None, alike: str | None = "a") -> Share:
    values = {"seed": number if seed is None else seed, "alike": alike}
    settings = {name: Setting(value, "option") for name, value in values.items()}
    return Share(number, Work("t", (), RUN, Order(settings, Target(folder / f"{number}", None, None, True))))


def run(shares: list[Share], more: Any = tuple) -> list[Event]:
    told: list[Event] = []
    Bench(3).run(shares, told.append, more)
    assert all(event.worker == 3 for event in told)
    assert (told[0].begun, told[-1].number) == (True, None)
    assert [event.number is None for event in told].count(True) == 2
    return told[1:-1]


def test_the_kinds(loaded):
    assert isinstance(loaded, Flowing)
    assert not isinstance(type("Plain", (), {"run": None})(), Flowing)


def test_what_flows_is_told_when_it_is_done_not_at_the_end(tmp_path, loaded):
    files: list[int] = []

    def tell(event: Event) -> None:
        if event.number is not None:
            files.append(len(list(tmp_path.iterdir())))

    Bench(0).run([share(tmp_path, number) for number in range(5)], tell)
    assert files == [1, 2, 3, 4, 5]
    assert loaded.runs == []


def test_more_is_taken_on_the_way_and_after_what_was_there(tmp_path, loaded):
    coming = [[], [], [share(tmp_path, 7), share(tmp_path, 8)], [], [share(tmp_path, 9)]]
    told = run([share(tmp_path, number) for number in range(3)], lambda: coming.pop(0) if coming else [])
    assert [event.number for event in told] == [0, 1, 2, 7, 8, 9]
    assert loaded.taken == [0, 1, 2, 7, 8, 9]
    assert all(event.made["made"] == event.number for event in told)
    assert all(event.seconds >= 0 for event in told)


def test_seconds_of_what_flows_add_up(tmp_path, loaded, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(worker.time, "perf_counter", lambda: float(next(clock)))
    told = run([share(tmp_path, number) for number in range(4)])
    assert sum(event.seconds for event in told) == pytest.approx(next(clock) - 1, abs=len(told))
    assert all(event.seconds > 0 for event in told)


@pytest.mark.parametrize("alike", ["a", None])
def test_one_that_fails_is_found_alone_and_the_others_are_done(tmp_path, loaded, alike):
    shares = [share(tmp_path, number, -1 if number == 2 else None, alike) for number in range(6)]
    told = run(shares)
    assert sorted(event.number for event in told) == list(range(6))
    assert [event.number for event in told if event.fault is not None] == [2]
    alone = [seeds for seeds in loaded.runs if len(seeds) == 1]
    done_before = 2 if alike else 0
    assert len(alone) == 6 - done_before, "what was done is not done again"


@pytest.mark.parametrize("alike", ["a", None])
def test_one_that_is_alone_fails_once(tmp_path, loaded, alike):
    (event,) = run([share(tmp_path, 0, -1, alike)])
    assert "nothing can be made of -1" in event.fault.message
    assert len(loaded.runs) == (0 if alike else 1)


def test_what_does_not_flow_is_done_together(tmp_path, loaded):
    told = run([share(tmp_path, number, alike=None) for number in range(3)], lambda: pytest.fail("nothing is asked"))
    assert [event.number for event in told] == [0, 1, 2]
    assert loaded.runs == [[0, 1, 2]]


def test_a_file_that_cannot_be_written_fails_alone_and_the_flow_goes_on(tmp_path, loaded):
    (tmp_path / "1").mkdir()
    told = run([share(tmp_path, number) for number in range(4)])
    assert [event.number for event in told if event.fault is not None] == [1]
    assert [event.number for event in told] == [0, 1, 2, 3]
