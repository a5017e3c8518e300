"""A Ray cluster on this machine, whose nodes can be killed, and a task for its workers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from affectgen.nn.checkpoint import save_arrays, write_sums

TOP = Path(__file__).resolve().parents[2]
FAKE = TOP / "tests" / "cli" / "fake"

STAND_IN = '''
"""A task whose results are of any size, and which fails in any way."""

import hashlib, os, time
from dataclasses import dataclass
from pathlib import Path
from affectgen.spooled import Spooled
from affectgen.task import Result

@dataclass(frozen=True)
class Options:
    size: int = 100
    spooled: bool = False
    what: str = ""
    source: Path | bytes | None = None
    clips: str | None = None
    gate: str | None = None
    odd: object = None

def content(size):
    return (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]

class Loaded:
    def run(self, options):
        return [self.one(each) for each in options]

    def one(self, options):
        if options.what == "raise":
            raise RuntimeError("poisoned")
        if options.what == "die":
            os._exit(9)
        if options.what == "hang":
            time.sleep(1000)
        while options.gate is not None and not os.path.exists(options.gate):
            time.sleep(0.05)
        data = content(options.size)
        if options.spooled:
            spooled = Spooled.empty(".bin")
            spooled.path.write_bytes(data)
            data = spooled
        told = {"source": type(options.source).__name__, "clips": options.clips}
        told["threads"] = os.environ["MKL_NUM_THREADS"]
        if isinstance(options.source, bytes):
            told["hash"] = hashlib.sha256(options.source).hexdigest()
        return Result(data, ".bin", None, {}, told, {})

class Task:
    name, options, together = "stand in", Options, 1

    def load(self, checkpoint, device):
        return Loaded()

TASK = Task()
'''


@dataclass
class Nodes:
    """A cluster: the processes of its nodes by name. Each node is a process group of its own."""

    home: Path
    port: int
    path: list[str]
    models: Path
    client_port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def environment(self, *first: str) -> dict[str, str]:
        return {
            **os.environ, "PYTHONPATH": os.pathsep.join([*first, *self.path, str(FAKE), str(TOP)]),
            "AFFECTGEN_CHECKPOINTS": str(self.models), "FAKE_SLEEP": "0.5", "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "2",
        }  # fmt: skip

    def start(self, name: str, processors: int, *path: str) -> None:
        """path: where its workers look for modules first."""
        where = [f"--address={self.address}"]
        if name == "head":
            where = ["--head", f"--port={self.port}", "--include-dashboard=false"]
            if find_spec("grpc") is not None:  # else there is nobody to listen
                where.append(f"--ray-client-server-port={self.client_port}")
        command = [
            sys.executable, "-m", "ray.scripts.scripts", "start", "--block", f"--num-cpus={processors}",
            "--object-store-memory=80000000", f"--temp-dir={self.home}", "--node-ip-address=127.0.0.1",
            "--include-log-monitor=false", "--disable-usage-stats", *where,
        ]  # fmt: skip
        with open(self.home / f"{name}.log", "wb") as log:
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environment(*path), start_new_session=True
            )
        if name == "head":
            wait_for(lambda: self.answers(self.port))

    def answers(self, port: int) -> bool:
        """Whether anything listens there."""
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    def cut(self, name: str) -> None:
        """Kill the process that makes a node a part of the cluster."""
        raylets = [pid for pid in offspring(self.running[name].pid) if b"/raylet/raylet" in command_line(pid)]
        assert len(raylets) == 1
        os.kill(raylets[0], signal.SIGKILL)

    def kill(self, name: str) -> None:
        """Kill all processes of a node, at once, as when its plug is pulled."""
        process = self.running.pop(name)
        for pid in (process.pid, *offspring(process.pid)):
            if os.path.exists(f"/proc/{pid}"):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def offspring(pid: int) -> list[int]:
    """The processes below one, all the way down."""
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            below.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
        except OSError:  # it ended meanwhile
            continue
    found = [pid]
    for each in found:
        found.extend(below.get(each, []))
    return found[1:]


def command_line(pid: int) -> bytes:
    """Of a process; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_for(happened: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"it did not happen within {seconds} s"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def save_fake(models: Path) -> None:
    """The checkpoint that the stand-ins of tests/cli/fake find."""
    save_arrays(models / "fake", {"a": np.arange(3)}, {"licence": "CC0-1.0", "about": "nothing at all"})
    write_sums(models)


@contextmanager
def two_nodes() -> Iterator[Nodes]:
    """A head with one processor and a second node with two; all that is left of them is ended afterwards."""
    home = Path(tempfile.mkdtemp(prefix="agr", dir="/tmp"))  # names of sockets are short
    about = home / "lib" / "stand_in-1.dist-info"
    about.mkdir(parents=True)
    (home / "lib" / "stand_in.py").write_text(STAND_IN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stand-in\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[affectgen.tasks]\nstand.in = stand_in:TASK\n")
    save_fake(home / "models")
    cluster = Nodes(home, free_port(), [str(home / "lib")], home / "models", free_port())
    try:
        cluster.start("head", 1)
        cluster.start("second", 2)
        yield cluster
    finally:
        for name in list(cluster.running):
            cluster.kill(name)
        shutil.rmtree(home, ignore_errors=True)
