"""How long `affectgen medicine render` takes, and how much memory all of its processes together.

    python benchmarks/medicine.py            prints the figures; 3 minutes on two cores
    python benchmarks/medicine.py --write    also puts them into docs/results.md, between the medicine-speed marks
    python benchmarks/medicine.py --quick    one minute of session: that it runs, not how fast

A session of 15 minutes by the symbolic engine and the built-in piano, from the command's start to its exit. Memory is
what the kernel counts as the processes' own (proportional set size: shared pages are divided), once a second.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.device import cores
from affectgen.report.blocks import write_block

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results.md"
BLOCK = "medicine-speed"
SESSIONS = (("anxious", "calm"), ("sad", "happy"))
EVERY = 1.0  # seconds between two looks at the memory
MOST_SECONDS, MOST_MEMORY = 120.0, 1500.0  # the bars: of 15 minutes on two cores; MB


@dataclass(frozen=True)
class Run:
    """One session. seconds: from start to exit; cpu: of all processes; memory: the most at once, MB."""

    words: str
    seconds: float
    cpu: float
    memory: float


def session(start: str, goal: str, minutes: float, jobs: int) -> Run:
    """Render one. CalledProcessError where the command fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "affectgen", "medicine", "render", "--from", start, "--to", goal, "--minutes",
            str(minutes), "--seed", "1", "--jobs", str(jobs), "--engine", "symbolic", "--renderer", "piano", "-q", "-o",
            str(Path(folder) / "session.wav"),
        ]  # fmt: skip
        before, began, most = os.times(), time.monotonic(), 0.0
        with subprocess.Popen(command) as process:
            while process.poll() is None:
                most = max(most, sum(own_memory(one) for one in family(process.pid)))
                time.sleep(EVERY)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return Run(f"{start} to {goal}", time.monotonic() - began, cpu, most)


def family(process: int) -> list[int]:
    """A process and all that descend from it; Linux only."""
    found = [process]
    for one in found:
        try:
            tasks = Path(f"/proc/{one}/task").iterdir()
            found += [int(word) for task in tasks for word in (task / "children").read_text().split()]
        except OSError:  # it has ended
            continue
    return found


def own_memory(process: int) -> float:
    """MB that a process takes, its share of what it shares included; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def page(runs: list[Run], minutes: float, jobs: int, load: float) -> str:
    """The block in docs/results.md."""
    rows = [
        f"| {run.words} | {run.seconds:.0f}{'*' if run.seconds > MOST_SECONDS else ''} | {run.cpu:.0f} "
        f"| {run.memory:.0f}{'*' if run.memory > MOST_MEMORY else ''} | {minutes * 60 / run.seconds:.1f} |"
        for run in runs
    ]
    return "\n".join([
        "## How long a session takes", "",
        f"`python benchmarks/medicine.py`, Python {platform.python_version()}: sessions of {minutes:g} minutes by "
        f"`--engine symbolic --renderer piano`, {jobs} processes on {cores()} cores, load average before {load:.1f}. "
        f"Bars for 15 minutes on two cores: {MOST_SECONDS:.0f} s, {MOST_MEMORY:.0f} MB; what misses one has a *.", "",
        "| session | seconds | of processors | MB, all processes | times real time |", "|---|---|---|---|---|", *rows,
    ])  # fmt: skip


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/results.md")
    parser.add_argument("--quick", action="store_true", help="a short session")
    chosen = parser.parse_args()
    minutes, jobs, load = (1.5 if chosen.quick else 15.0), cores(), os.getloadavg()[0]
    sessions = SESSIONS[:1] if chosen.quick else SESSIONS
    text = page([session(start, goal, minutes, jobs) for start, goal in sessions], minutes, jobs, load)
    print(text)
    if chosen.write:
        write_block(RESULTS, BLOCK, text)


if __name__ == "__main__":
    main()
