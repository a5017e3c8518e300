"""How much faster a batch is than single commands: EmoGen clips of 16 bars, on 1 and on 2 workers.

    python benchmarks/batch.py            prints the table; some 12 minutes on 2 cores
    python benchmarks/batch.py --write    also puts it into docs/results.md, between the batch marks
    python benchmarks/batch.py --singles 200    times every single command, not every so-manieth: 15 minutes more

Jobs go through eight emotions. Single commands run one after the other, each a process of its own, spread over the
batch's runs; their bytes are compared with the batch's. Each process computes with one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.report.blocks import write_block

TOP = Path(__file__).resolve().parent.parent
RESULTS, BLOCK = TOP / "docs" / "results.md", "batch"
AFFECTS = ("happy", "sad", "calm", "angry", "tense", "excited", "bored", "0.2,0.1")
WORKERS = (1, 2)
BAR = 8.0
MEMORY = re.compile(rb"most memory of a worker (\d+) MiB")


@dataclass(frozen=True)
class Timed:
    """A batch. seconds: of the whole command; memory: most that a worker held, MiB."""

    seconds: float
    memory: float


def jobs(count: int, bars: int = 16, best_of: int | None = None) -> list[dict[str, object]]:
    """Jobs that go through the emotions."""
    more = {} if best_of is None else {"best-of": best_of}
    return [{"command": "emogen generate", "affect": AFFECTS[n % len(AFFECTS)], "bars": bars, "seed": 1 + n // 8,
             "name": f"j{n}", **more} for n in range(count)]  # fmt: skip


def spread(found: Sequence[dict[str, object]], count: int) -> list[dict[str, object]]:
    """So many of the jobs, of every emotion alike."""
    groups = [[one for one in found if one["affect"] == affect] for affect in AFFECTS]
    each = -(-count // len(groups))
    taken = [group[:: max(len(group) // each, 1)][:each] for group in groups]
    return [one for row in zip(*taken, strict=False) for one in row][:count] if all(taken) else list(found[:count])


def environment() -> dict[str, str]:
    """One thread a process, and this checkout."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(TOP)}


def run_batch(found: Sequence[dict[str, object]], workers: int, folder: Path) -> Timed:
    """The time of `affectgen batch` for all jobs."""
    command = [sys.executable, "-m", "affectgen", "batch", "-", "-o", str(folder), "--jobs", str(workers)]
    lines = "".join(json.dumps(one) + "\n" for one in found).encode()
    began = time.perf_counter()
    done = subprocess.run(command, input=lines, capture_output=True, check=True, env=environment())
    seconds = time.perf_counter() - began
    memory = MEMORY.search(done.stderr)
    return Timed(seconds, float(memory[1]) if memory else 0.0)


def run_single(job: dict[str, object], place: Path) -> float:
    """The time of the single command."""
    words = [f"--{key}={value}" for key, value in job.items() if key not in ("command", "name")]
    command = [sys.executable, "-m", "affectgen", *str(job["command"]).split(), *words, "-q", "-o", str(place)]
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment())
    return time.perf_counter() - began


def measure(count: int, singles: int, bars: int = 16, best_of: int | None = None) -> str:
    """Run all, and the page of it. Half of the single commands run before the batches and half after them."""
    found = jobs(count, bars, best_of)
    alone = spread(found, singles)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        half = len(alone) // 2
        times = [run_single(job, folder / f"{job['name']}.mid") for job in alone[:half]]
        timed = {workers: run_batch(found, workers, folder / f"out{workers}") for workers in WORKERS}
        times += [run_single(job, folder / f"{job['name']}.mid") for job in alone[half:]]
        names = [f"{job['name']}.mid" for job in alone]
        same = sum(len({(folder / place / file).read_bytes() for place in (".", "out1", "out2")}) == 1
                   for file in names)  # fmt: skip
    return page(count, times, timed, same)


def page(count: int, singles: Sequence[float], timed: dict[int, Timed], same: int) -> str:
    """The block in docs/results.md. same: of how many single commands the bytes were the batches'."""
    single = mean(singles)
    lines = [
        "## Batches", "",
        f"`python benchmarks/batch.py --write`, Python {platform.python_version()}, {os.cpu_count()} cores: {count} "
        f"clips of EmoGen, {len(singles)} single commands of them timed (median {median(singles):.2f} s). Bytes of "
        f"single and batched clips are equal for {same} of {len(singles)}.", "",
        "| | seconds a clip | clips a minute | times as fast | MiB a worker |", "|---|---|---|---|---|",
        f"| single commands | {single:.2f} | {60 / single:.1f} | 1.0 | |",
    ]  # fmt: skip
    for workers, one in timed.items():
        each = one.seconds / count
        name = f"batch, {workers} worker{'s' if workers > 1 else ''}"
        lines.append(f"| {name} | {each:.2f} | {60 / each:.1f} | {single / each:.1f} | {one.memory:.0f} |")
    best = single * count / timed[WORKERS[-1]].seconds
    verdict = "met" if best >= BAR else "missed"
    lines += ["", f"On {WORKERS[-1]} workers {best:.1f} times as fast (bar {BAR:g}: {verdict})."]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--singles", type=int, default=24)
    parser.add_argument("--write", action="store_true", help="put the table into docs/results.md")
    options = parser.parse_args()
    body = measure(options.count, min(options.singles, options.count))
    print(body)
    if options.write:
        write_block(RESULTS, BLOCK, body)


if __name__ == "__main__":
    main()
