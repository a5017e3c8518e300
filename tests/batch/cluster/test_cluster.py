"""Workers on a real Ray cluster of two nodes, which this module starts on this machine and ends again."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from lacking import missing
from ray_nodes import TOP, Nodes, command_line, offspring, two_nodes, wait_for

from affectgen.batch.cluster.cluster import ClusterPool
from affectgen.batch.job import Job
from affectgen.batch.journal import Journal
from affectgen.batch.local import LocalPool
from affectgen.batch.order import Order, Target, Work
from affectgen.batch.pool import Event, Pool, Share
from affectgen.batch.runner import Entry, Runner, RunSettings
from affectgen.errors import AffectgenError
from affectgen.manifest import Setting, file_hash

MIB = 1 << 20

@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A head with one processor and a second node with two."""
    if find_spec("ray") is None:
        missing("ray is not installed")
    with two_nodes() as cluster:
        yield cluster


@pytest.fixture
def pool(nodes: Nodes) -> Iterator[Callable[..., ClusterPool]]:
    """Pools of that cluster, which are closed in any case."""
    made: list[ClusterPool] = []

    def start(workers: int, **more: Any) -> ClusterPool:
        found = ClusterPool(nodes.address, workers, **more)
        made.append(found)
        until = time.monotonic() + 30
        while found.workers < workers or not all(found.ready(worker) for worker in range(workers)):
            assert found.wait(0.1) == []
            assert time.monotonic() < until
        return found

    yield start
    for each in made:
        each.close()


def share(number: int, folder: Path, name: str = "", **settings: Any) -> Share:
    piece = folder / (name if name else f"p{number}.bin")
    target = Target(piece, piece.with_name(piece.name + ".json"), None, False)
    order = Order({key: Setting(value, "option") for key, value in settings.items()}, target)
    run = {"device": "auto", "threads": 1, "checkpoint": None}
    work = Work("stand in", ("batch",), {key: Setting(value, "default") for key, value in run.items()}, order)
    return Share(number, work, {"key": f"k{number}", "name": piece.stem})


def until_idle(pool: ClusterPool, worker: int = 0) -> list[Event]:
    """What a worker tells until it is idle or lost, without that it has begun."""
    found: list[Event] = []
    stop = time.monotonic() + 40
    while not (found and found[-1].number is None):
        found += [event for event in pool.wait(0.5) if not event.begun]
        assert time.monotonic() < stop
    assert {event.worker for event in found} == {worker}
    return found


def content(size: int) -> bytes:
    return (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]


def test_results_are_sent_and_files_go_as_bytes(pool, tmp_path, monkeypatch):
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spools))
    source = tmp_path / "source.mid"
    source.write_bytes(b"MThd" * 1000)
    big, out = 30 * MIB + 7, tmp_path / "out"
    out.mkdir()
    workers = pool(1)
    workers.give(0, [share(0, out, size=big, spooled=True), share(1, out, size=big + 1), share(2, out, size=0)])
    events = until_idle(workers)
    assert [event.number for event in events] == [0, 1, 2, None]
    assert events[-1].memory > 0
    for number, size in ((0, big), (1, big + 1), (2, 0)):
        assert (out / f"p{number}.bin").read_bytes() == content(size)
    gone = share(4, out, source=tmp_path / "none.mid")
    good = share(3, out, source=source, clips=str(out / "p3.clips"))
    workers.give(0, [good, gone, share(5, out, spooled=True, size=0)])
    events = until_idle(workers)
    assert sorted(event.number for event in events[:-1] if event.fault is None) == [3, 5]
    assert [event.fault.message for event in events if event.fault] == [
        f"{tmp_path}/none.mid cannot be read: No such file or directory."
    ]
    manifest = json.loads((out / "p3.bin.json").read_text())
    assert manifest["settings"]["source"]["value"] == {"path": str(source), "sha256": file_hash(source)}
    assert manifest["settings"]["clips"]["value"] == str(out / "p3.clips")
    assert manifest["details"]["hash"] == file_hash(source)
    assert manifest["details"]["clips"] is None
    assert manifest["details"]["threads"] == "1"
    assert manifest["details"]["job"] == {"key": "k3", "name": "p3", "node": socket.gethostname()}
    assert manifest["run"]["device"]["value"] in ("cpu", "cuda")  # what auto came to
    assert sorted(path.name for path in out.iterdir()) == sorted(
        name for number in (0, 1, 2, 3, 5) for name in (f"p{number}.bin", f"p{number}.bin.json")
    )
    assert list(spools.iterdir()) == []


class Strange:
    """A value of a module that no node has."""


def test_a_job_that_kills_its_worker_is_told_and_the_worker_restarts(pool, tmp_path):
    workers = pool(1)
    workers.give(0, [share(0, tmp_path, what="raise"), share(1, tmp_path)])
    told = {event.number: event for event in until_idle(workers)}
    assert told[0].fault.message == "Unexpected RuntimeError: poisoned"
    assert told[1].made is not None
    workers.give(0, [share(5, tmp_path, odd=Strange())])
    events = until_idle(workers)
    assert [event.number for event in events] == [5, None]
    assert "cannot read the job" in events[0].fault.message
    assert "No module named" in events[0].fault.message
    workers.give(0, [share(2, tmp_path, what="die")])
    assert until_idle(workers) == [Event(0, lost=True)]
    again(workers)
    workers.give(0, [share(3, tmp_path, what="hang")])
    wait_for(lambda: workers.wait(0.1) == [Event(0, begun=True)])
    assert workers.wait(0.5) == []
    again(workers)
    workers.give(0, [share(4, tmp_path)])
    assert [event.number for event in until_idle(workers)] == [4, None]
    assert not (tmp_path / "p3.bin").exists()


def again(workers: ClusterPool) -> None:
    workers.restart(0)
    assert not workers.ready(0)
    wait_for(lambda: workers.wait(0.1) == [] and workers.ready(0))


def test_workers_that_share_a_disk_write_themselves(pool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("source.mid").write_bytes(b"MThd")
    workers = pool(1, shared=True)
    workers.give(0, [share(0, Path("out"), source=Path("source.mid"), clips="c"), share(1, Path("out"), what="raise")])
    told = {event.number: event for event in until_idle(workers)}
    assert told[0].made is not None
    assert told[1].fault is not None
    manifest = json.loads((tmp_path / "out/p0.bin.json").read_text())
    assert (tmp_path / "out/p0.bin").read_bytes() == content(100)
    assert "Path" in manifest["details"]["source"]
    assert manifest["details"]["clips"] == "c"
    assert manifest["details"]["job"]["node"] == socket.gethostname()


def line(seed: int) -> bytes:
    told = {"command": "muser generate", "affect": "calm", "bars": 2, "name": f"j{seed}", "seed": seed}
    return json.dumps(told).encode() + b"\n"


@dataclass(frozen=True)
class Driver:
    """The command line, as somebody on the head node starts it."""

    nodes: Nodes
    folder: Path

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "affectgen", "batch", "-", "--seed", "1", *words]

    def on_cluster(self, jobs: int) -> subprocess.Popen[bytes]:
        with tempfile.TemporaryFile() as given:
            given.write(b"".join(line(seed) for seed in range(jobs)))
            given.seek(0)
            return subprocess.Popen(
                self.command("-o", "out", "--cluster", "auto"), stdin=given, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, cwd=self.folder,
                env={**self.nodes.environment(), "RAY_ADDRESS": self.nodes.address},
            )  # fmt: skip

    def here(self, folder: str, jobs: int) -> bytes:
        """The same without a cluster; what it tells."""
        given = b"".join(line(seed) for seed in range(jobs))
        env = {**self.nodes.environment(), "FAKE_SLEEP": "0"}
        done = subprocess.run(
            self.command("-o", folder, "--jobs", "1"), input=given, cwd=self.folder, env=env, check=True,
            capture_output=True, timeout=60,
        )  # fmt: skip
        return done.stdout

    def count(self) -> int:
        folder = self.folder / "out"
        return sum(name.endswith(".mid") for name in os.listdir(folder)) if folder.is_dir() else 0


def pieces(folder: Path) -> dict[str, str]:
    return {path.name: file_hash(path) for path in sorted(folder.iterdir()) if path.suffix in (".mid", ".bin")}


def actors(nodes: Nodes, *names: str) -> list[int]:
    """The workers' processes that there are on some nodes, or on all."""
    below = [pid for name in (names if names else nodes.running) for pid in offspring(nodes.running[name].pid)]
    return [pid for pid in below if b"ClusterWorker" in command_line(pid)]


def statuses(out: bytes) -> Sequence[tuple[str, str]]:
    return [(told["name"], told["status"]) for told in map(json.loads, out.splitlines())]


def test_an_interrupt_and_a_kill_leave_the_cluster_clean_and_the_next_goes_on(nodes, tmp_path):
    driver = Driver(nodes, tmp_path)
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
        before = driver.count()
        running = driver.on_cluster(36)
        wait_for(lambda before=before: driver.count() > before)
        assert actors(nodes)
        running.send_signal(number)
        out, err = running.communicate(timeout=20)
        assert running.returncode == code, err
        assert b"Traceback" not in err
        assert b"ray" not in err.lower(), err  # nothing of its own
        wait_for(lambda: actors(nodes) == [], 15)
        made = [name for name, status in statuses(out) if status == "done"]
        assert all((tmp_path / f"out/{name}.mid").exists() for name in made)
        if number == signal.SIGINT:
            assert not [name for name in os.listdir(tmp_path / "out") if name.endswith(".part")]
    kept = driver.count()
    assert kept < 36
    out = driver.here("out", 36)
    assert sorted(name for name, _ in statuses(out)) == sorted(f"j{n}" for n in range(36))
    assert [status for _, status in statuses(out)].count("kept") == kept
    assert len(pieces(tmp_path / "out")) == 36
    assert not [name for name in os.listdir(tmp_path / "out") if name.endswith(".part")]


class Counting(ClusterPool):
    """Counts the workers that were started anew."""

    restarts = 0

    def restart(self, worker: int) -> None:
        self.restarts += 1
        super().restart(worker)


def run_all(folder: Path, gate: Path, pool: Callable[[], Pool], lines: list[Mapping[str, Any]]) -> None:
    """Run 40 jobs, of which all but the first nine wait until the gate is open."""
    folder.mkdir()
    gates = [None] * 9 + [str(gate)] * 31
    shares = [share(number, folder, size=1000 + number, gate=each) for number, each in enumerate(gates)]
    entries = [Entry(Job("stand in", {}, f"p{each.number}"), each.work) for each in shares]
    with Journal(folder) as journal:
        journal.enter([entry.job for entry in entries])
        Runner(entries, journal, pool, RunSettings(), lambda line, tally: lines.append(line)).run(range(40))


def test_a_node_is_killed_another_joins_and_nothing_is_lost(nodes, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(nodes.path[0])
    gate, lines, made = tmp_path / "gate", [], []

    def disturb() -> None:
        wait_for(lambda: len(actors(nodes, "second")) == 2 and len(lines) == 9)
        time.sleep(0.5)  # by now each worker is at a job that waits
        nodes.cut("second")
        nodes.start("third", 3)
        try:
            wait_for(lambda: len(actors(nodes, "third")) == 3)  # the two lost ones, and one more
            made.append(len(lines))
        finally:
            gate.touch()

    def pool() -> Pool:
        made.append(Counting(nodes.address))
        return made[0]

    disturber = threading.Thread(target=disturb)
    disturber.start()
    run_all(tmp_path / "out", gate, pool, lines)
    disturber.join()
    assert made[1] == 9
    assert made[0].workers >= 4
    assert made[0].restarts == 2  # each with a job in hand
    assert sorted((line["name"], line["status"]) for line in lines) == sorted((f"p{n}", "done") for n in range(40))
    run_all(tmp_path / "here", gate, lambda: LocalPool(1), [])
    assert pieces(tmp_path / "out") == pieces(tmp_path / "here")
    assert len(pieces(tmp_path / "out")) == 40
    assert sorted(os.listdir(tmp_path / "out")) == sorted(os.listdir(tmp_path / "here"))


def test_an_address_that_is_none_is_refused_before_anything_is_written(tmp_path):
    command = [sys.executable, "-m", "affectgen", "batch", "-", "-o", "out", "--cluster", "head"]
    done = subprocess.run(command, input=line(1), cwd=tmp_path, capture_output=True, timeout=60, check=False,
                          env={**os.environ, "PYTHONPATH": str(TOP)})  # fmt: skip
    assert done.returncode == 2
    assert b"'head' is no address of a Ray cluster" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise ModuleNotFoundError(\"No module named 'affectgen'\")", "A node of the cluster has no affectgen"),
        ("__path__ = [{path!r}]; __version__ = '0.0.1'", "has affectgen 0.0.1, here is"),
    ],
    ids=["missing", "another"],
)
def test_a_node_with_another_affectgen_is_refused(nodes, tmp_path, monkeypatch, code, expected):
    monkeypatch.chdir(tmp_path)  # Ray's workers look for modules in the current folder
    (tmp_path / "affectgen").mkdir()
    (tmp_path / "affectgen" / "__init__.py").write_text(code.format(path=str(TOP / "affectgen")))
    workers = ClusterPool(nodes.address)
    try:
        with pytest.raises(AffectgenError, match=expected):
            wait_for(lambda: workers.wait(0.5) != [])
    finally:
        workers.close()


def test_another_version_of_ray_is_refused(nodes, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "__version__", "2.0.0")
    with pytest.raises(AffectgenError, match=r"another version of Ray or Python: it has Ray \S+ and .* here are 2.0.0"):
        ClusterPool(nodes.address)


def test_more_of_what_is_not_there_is_refused(nodes):
    with pytest.raises(AffectgenError, match="the cluster has no GPU"):
        ClusterPool(nodes.address, device="cuda")


def test_a_client_needs_grpcio_and_works_with_it(nodes, tmp_path):
    address = f"ray://127.0.0.1:{nodes.client_port}"
    if find_spec("grpc") is None:
        with pytest.raises(AffectgenError, match="grpcio, which is not installed"):
            ClusterPool(address)
        return
    wait_for(lambda: nodes.answers(nodes.client_port))
    workers = ClusterPool(address, 1)
    try:
        wait_for(lambda: workers.wait(0.1) == [] and workers.ready(0))
        workers.give(0, [share(0, tmp_path, size=9 * MIB), share(1, tmp_path, what="raise")])
        events = until_idle(workers)
    finally:
        workers.close()
    assert [(event.number, event.fault is None) for event in events] == [(0, True), (1, False), (None, True)]
    assert (tmp_path / "p0.bin").read_bytes() == content(9 * MIB)
