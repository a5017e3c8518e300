"""Parcels and flows: every job once, of one model, and something for every worker."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.batch import order, parcels
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.parcels import ABREAST, Parcel
from affectgen.manifest import Setting

RUN = {"checkpoint": Setting(None, "default"), "device": Setting("cpu", "default"), "threads": Setting(1, "default")}
TOGETHER = {"many": 4, "single": 1, "stream": 4}


@pytest.fixture(autouse=True)
def tasks(monkeypatch):
    def task(name: str) -> Any:
        kind = type("Task", (), {"together": TOGETHER[name], "options": dict})
        if name == "stream":  # what is asked for by itself is None
            kind.alike = staticmethod(lambda options: options.get("sampling"))
        return kind

    for place in (parcels, order):
        monkeypatch.setattr(place, "find_task", task)


def work(task: str, sampling: str | None = None) -> Work:
    settings = {} if sampling is None else {"sampling": Setting(sampling, "option")}
    return Work(task, (), RUN, Order(settings, Target(Path("x.mid"), None, None, True)))


WORKS = st.tuples(st.sampled_from(["many", "single", "stream"]), st.sampled_from([None, "a", "b"]))


@settings(max_examples=100)
@given(st.lists(WORKS, max_size=60), st.integers(1, 5), st.booleans())
def test_every_job_is_in_one_parcel_with_others_like_it(kinds, workers, feeds):
    found = parcels.parcels(range(len(kinds)), lambda number: work(*kinds[number]), workers, feeds)
    assert sorted(n for parcel in found for n in parcel.numbers) == list(range(len(kinds)))
    for parcel in found:
        assert len({kinds[n][0] for n in parcel.numbers}) == 1
        task, sampling = kinds[parcel.numbers[0]]
        assert parcel.flows == (feeds and task == "stream" and sampling is not None)
        if parcel.flows:
            assert {kinds[n] for n in parcel.numbers} == {(task, sampling)}
            assert len(parcel.numbers) == kinds.count((task, sampling))
        else:
            assert len(parcel.numbers) <= TOGETHER[task]
    many = [parcel for parcel in found if kinds[parcel.numbers[0]][0] == "many"]
    assert len(many) >= min(workers, sum(task == "many" for task, _ in kinds))


@settings(max_examples=100)
@given(st.integers(1, 200), st.integers(1, 9))
def test_a_flow_begins_with_a_part_that_leaves_something_for_the_others(count, workers):
    flow = Parcel(deque(range(count)), ("m",), True)
    first = flow.begin(workers)
    assert first == list(range(len(first)))
    assert 1 <= len(first) <= ABREAST
    assert len(first) + len(flow.numbers) == count
    if count > workers * ABREAST:
        assert len(first) == ABREAST
    else:
        assert len(flow.numbers) <= (workers - 1) * len(first)
    assert Parcel(deque(range(count)), ("m",)).begin(workers) == list(range(count))


def test_jobs_without_work_are_in_no_parcel():
    assert parcels.parcels(range(3), lambda number: None, 2, True) == []
