"""How an hour of speech is aligned: time, memory, and how far its words lie from those of each sentence by itself.

    python benchmarks/align.py            prints the figures; some 6 minutes on one core
    python benchmarks/align.py --write    also puts them into docs/speech_align.md, between the hour marks
    python benchmarks/align.py --minutes 2    less than an hour: that it runs

The sentences of LJSpeech in ../shared/data whose sound holds all of their text, shuffled anew each round, half a second
of silence between them.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.errors import AffectgenError
from affectgen.report.blocks import write_block
from affectgen.speech.aligning.align import Aligner
from affectgen.speech.aligning.alignment import Word

TOP = Path(__file__).resolve().parent.parent
PAGE, DATA, BLOCK = TOP / "docs" / "speech_align.md", TOP.parent / "shared" / "data", "hour"
PAUSE = 0.5  # seconds between sentences
MEGABYTE = 1024.0  # in the unit of ru_maxrss on Linux
LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


@dataclass(frozen=True)
class Sentence:
    """A recording: samples [N] at rate, its text, and its words by itself."""

    samples: np.ndarray
    rate: int
    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Hour:
    """What was measured. apart: seconds between each word's start in the whole and by itself, float64 [N]."""

    seconds: float
    took: float
    memory: float
    apart: np.ndarray
    sentences: int
    left_out: int


def sentences(data: Path) -> tuple[list[Sentence], int]:
    """Those that are aligned without doubt, and how many are not."""
    aligner = Aligner()
    with (data / "ljspeech" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found: list[Sentence] = []
    for row in rows:
        samples, rate = soundfile.read(data / "ljspeech" / row["file"], dtype="float64")
        try:
            words = aligner.align(samples, rate, row["text"]).words
        except AffectgenError:  # shorter than its text
            continue
        found.append(Sentence(samples, rate, row["text"], tuple(words)))
    return found, len(rows) - len(found)


def joined(chosen: list[Sentence], seconds: float, folder: Path) -> tuple[float, list[float]]:
    """Write long.flac and long.txt of at least so many seconds; (their length, where each word should start)."""
    draw, rate = np.random.default_rng(0), chosen[0].rate
    parts, texts, starts, reached = [], [], [], 0.0
    while reached < seconds:
        for number in draw.permutation(len(chosen)):
            one = chosen[number]
            starts += [reached + word.start for word in one.words]
            parts += [one.samples, np.zeros(round(PAUSE * rate))]
            texts.append(one.text)
            reached += (len(one.samples) + round(PAUSE * rate)) / rate
            if reached >= seconds:
                break
    soundfile.write(folder / "long.flac", np.concatenate(parts), rate)
    (folder / "long.txt").write_text("\n".join(texts), encoding="utf-8")
    return reached, starts


def measure(data: Path, minutes: float) -> Hour:
    """Align the joined sentences by the command, in a process of its own."""
    chosen, left_out = sentences(data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds, starts = joined(chosen, 60 * minutes, folder)
        command = [sys.executable, "-m", "affectgen", "speech", "align", "long.flac", "--text-file", "long.txt",
                   "-o", "words.json", "-q"]  # fmt: skip
        took, memory = timed(command, folder)
        found = json.loads((folder / "words.json").read_text(encoding="utf-8"))["words"]
    apart = np.abs(np.array([word["start"] for word in found]) - np.array(starts))
    return Hour(seconds, took, memory, apart, len(chosen), left_out)


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """(seconds, most memory in MiB) of a command. A small process starts it: what is started by a large one counts as
    large as that."""
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run([sys.executable, "-c", LAUNCHER, *command], cwd=folder, check=True, env=environment,
                          stdout=subprocess.PIPE)  # fmt: skip
    seconds, used = json.loads(done.stdout)
    return seconds, used / MEGABYTE


def page(hour: Hour) -> str:
    """The block."""
    near = [f"{(hour.apart <= bound).mean():.2%} within {1000 * bound:.0f} ms" for bound in (0.02, 0.05)]
    return "\n".join((
        "## An hour", "",
        f"`python benchmarks/align.py --write`, Python {platform.python_version()}, one thread: {hour.sentences} "
        f"sentences of LJSpeech ({hour.left_out} more do not hold all of their text), again and again, "
        f"{hour.seconds / 60:.1f} minutes and {len(hour.apart)} words in all.", "",
        "| real-time factor | peak memory | words' starts against each sentence by itself |", "|---|---|---|",
        f"| {hour.took / hour.seconds:.3f} | {hour.memory:.0f} MiB | median {1000 * np.median(hour.apart):.1f} ms "
        f"apart, {', '.join(near)}, at most {hour.apart.max():.2f} s |",
    ))  # fmt: skip


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/speech_align.md")
    options = parser.parse_args()
    body = page(measure(options.data, options.minutes))
    print(body)
    if options.write:
        write_block(PAGE, BLOCK, body)


if __name__ == "__main__":
    main()
