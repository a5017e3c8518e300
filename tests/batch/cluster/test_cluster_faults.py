"""What a pool makes of workers that Ray loses, cannot place or cannot start; with a stand-in for Ray."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from affectgen.batch.cluster import cluster
from affectgen.batch.cluster.cluster import ESCAPES, ClusterPool
from affectgen.batch.cluster.cluster_worker import Hello
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.pool import Event, Share
from affectgen.errors import AffectgenError
from affectgen.manifest import versions


class RayError(Exception):
    pass


class TaskError(RayError):
    pass


class Unavailable(RayError):
    pass


class Died(RayError):
    pass


class Method:
    """A method of an actor: called, it gives a reference, to which `Ray.answers` may know an answer."""

    def __init__(self, ray: Ray, name: str) -> None:
        self.ray, self.name = ray, name

    def remote(self, *_: Any) -> str:
        self.ray.calls += 1
        return f"{self.name}-{self.ray.calls}"


class Ray:
    """Answers calls by the method's name: a value, an exception, or nothing yet."""

    def __init__(self, places: int) -> None:
        self.places, self.calls, self.killed, self.alive = places, 0, 0, True
        self.answers: dict[str, Any] = {}
        self.exceptions = types.SimpleNamespace(
            RayError=RayError, RayTaskError=TaskError, ActorUnavailableError=Unavailable, ActorDiedError=Died
        )

    def remote(self, **options: Any) -> Callable[[Any], Any]:
        assert options["max_restarts"] == options["max_task_retries"] == 0
        made = types.SimpleNamespace(**{name: Method(self, name) for name in ("hello", "take", "more")})
        return lambda _: types.SimpleNamespace(remote=lambda *_: made)

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self.places)}

    def nodes(self) -> list[dict[str, Any]]:
        return [{"NodeID": "n", "Alive": self.alive}]

    def wait(self, refs: Sequence[str], num_returns: int, timeout: float) -> tuple[list[str], list[str]]:
        ready = [ref for ref in refs if ref.partition("-")[0] in self.answers][:num_returns]
        return ready, [ref for ref in refs if ref not in ready]

    def get(self, ref: str) -> Any:
        answer = self.answers[ref.partition("-")[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self, actor: Any, no_restart: bool) -> None:
        self.killed += 1

    def shutdown(self) -> None:
        self.answers.clear()


@pytest.fixture
def pool_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Ray], ClusterPool]:
    for name, value in (("PROBE", 0.0), ("GRACE", 0.0), ("LOOK", 0.0)):
        monkeypatch.setattr(cluster, name, value)

    def start(ray: Ray) -> ClusterPool:
        monkeypatch.setattr(cluster, "connect", lambda address: ray)
        return ClusterPool("auto")

    return start


HELLO = Hello("n", "node", versions())


def share(number: int) -> Share:
    return Share(number, Work("stand in", (), {}, Order({}, Target(Path("x"), None, None, False))))


def at_work(pool: ClusterPool, ray: Ray) -> None:
    """Let worker 0 begin a job."""
    ray.answers = {"hello": HELLO}
    assert pool.wait(0) == []
    assert pool.ready(0)
    pool.give(0, [share(7)])
    ray.answers = {}


def test_workers_without_a_place_are_not_ready_and_are_waited_for(pool_of, monkeypatch):
    ray = Ray(2)
    pool = pool_of(ray)
    assert pool.wait(0) == []
    assert (pool.workers, pool.ready(0), pool.ready(1)) == (2, False, False)
    ray.places = 4
    assert pool.wait(0) == []
    assert pool.workers == 4
    monkeypatch.setattr(cluster, "PATIENCE", -1.0)
    with pytest.raises(AffectgenError, match="No processor of the cluster was free"):
        pool.wait(0)
    pool.close()
    assert ray.killed == 4


def test_a_dead_worker_is_to_blame_where_its_node_lives(pool_of):
    ray = Ray(1)
    pool = pool_of(ray)
    for alive in (True, False):
        at_work(pool, ray)
        ray.alive, ray.answers = alive, {"take": Died()}
        assert pool.wait(0) == [Event(0, lost=True, blameless=not alive)]
        pool.restart(0)
        assert not pool.ready(0)


def test_a_job_under_which_node_after_node_dies_is_to_blame(pool_of):
    ray = Ray(1)
    pool = pool_of(ray)
    blameless = []
    for _ in range(ESCAPES + 1):
        at_work(pool, ray)
        ray.alive, ray.answers = False, {"take": Died()}
        blameless += [event.blameless for event in pool.wait(0)]
        pool.restart(0)
    assert blameless == [True] * ESCAPES + [False]


def test_a_worker_out_of_reach_is_asked_until_it_is_known_what_became_of_it(pool_of):
    ray = Ray(1)
    pool = pool_of(ray)
    at_work(pool, ray)
    ray.answers = {"take": Unavailable(), "hello": Unavailable()}
    for _ in range(5):
        assert pool.wait(0) == []
    ray.alive, ray.answers = False, {"hello": Died()}
    told = [event for _ in range(3) for event in pool.wait(0)]
    assert told == [Event(0, lost=True, blameless=True)]


@pytest.mark.parametrize("back", [True, False])
def test_a_worker_that_comes_back_or_stays_away_is_lost_without_blame(pool_of, monkeypatch, back):
    ray = Ray(1)
    pool = pool_of(ray)
    at_work(pool, ray)
    ray.answers = {"take": Unavailable()}
    assert pool.wait(0) == []
    if back:
        ray.answers = {"hello": HELLO}
    else:
        monkeypatch.setattr(cluster, "MISSING", -1.0)
    told = [event for _ in range(3) for event in pool.wait(0)]
    assert told == [Event(0, lost=True, blameless=True)]


def test_workers_that_end_before_they_begin_end_the_batch(pool_of):
    ray = Ray(1)
    pool = pool_of(ray)
    ray.answers = {"hello": Died("first line\nno room on the disk")}
    with pytest.raises(AffectgenError, match="Workers end before they begin: no room on the disk"):
        for _ in range(20):
            pool.wait(0)
