"""How fast the generators compose: notes per second, what the cache saves, and one clip as a whole process.

    python benchmarks/compose.py            prints the figures
    python benchmarks/compose.py --write    also puts them into docs/results.md, between the generator's compose marks
    python benchmarks/compose.py emogen     those of EmoGen; muser where nothing is said

Cached and recomputed decoding use the same weights and the same words: a piece is composed up to so many notes through
the cached sampler, then the decoder is run on its whole prefixes. Every `--every`-th prefix length is timed, from one
word to all, and the sum over all lengths is taken by the trapezoid rule between them; drawing the words costs the same
either way and is added to both.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.device import choose_threads, cores
from affectgen.emogen.checkpoint import load_emogen, map_of
from affectgen.emogen.compose import Request as EmogenRequest
from affectgen.emogen.generate import sampling_of
from affectgen.emogen.options import EmogenOptions
from affectgen.emogen.targets import make_targets
from affectgen.muser.checkpoint import load_composer
from affectgen.muser.compose import Request
from affectgen.report.blocks import write_block
from affectgen.score.keys import Key
from affectgen.score.stream import Stream
from affectgen.score.words import Family
from affectgen.writing.given import affect_by_bar
from affectgen.writing.pieces import WIDTH, Composed
from affectgen.writing.sampler import DecodeRequest, Decoding
from affectgen.writing.stepper import Stepper, Writing

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results.md"
BLOCKS = {"muser": "compose", "emogen": "compose-emogen"}
TITLES = {"muser": "MusER", "emogen": "EmoGen"}
DOUBLED = {"muser": "; guidance other than 1 doubles their rows"}  # EmoGen's moves the condition
# The command as it is, which at its end notes its own memory: a child's ru_maxrss counts its parent's as well.
NOTING = (
    "import atexit, os, pathlib, runpy; "
    "note = pathlib.Path(os.environ.pop('STATUS_NOTE')); "
    "atexit.register(lambda: note.write_text(pathlib.Path('/proc/self/status').read_text())); "
    "runpy.run_module('affectgen', run_name='__main__', alter_sys=True)"
)
CLIP_SECONDS = 5.0  # what one clip may take from start to exit
QUADRANTS = ("Q1", "Q2", "Q3", "Q4")
Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and of this process's CPU."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Prefixes:
    """A piece up to so many notes: seconds of the whole call, of its cached steps, and recomputed by number of rows."""

    notes: int
    words: int
    whole: float
    steps: float
    recomputed: dict[int, float]

    def speedup(self, rows: int) -> float:
        """How much longer the piece takes with every prefix recomputed for that many rows."""
        return (self.whole - self.steps + self.recomputed[rows]) / self.whole


@contextmanager
def timed(found: list[Took], device: torch.device) -> Iterator[None]:
    """Append what the block took; on CUDA, until the device is done."""
    _wait(device)
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    _wait(device)
    found.append(Took(time.perf_counter() - wall, time.process_time() - cpu))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@dataclass(frozen=True)
class Subject:
    """A generator to be timed: its composer, and requests for so many pieces of so many bars."""

    composer: Any
    requests: Callable[[int, int], list[Any]]


def muser(checkpoint: str | None, device: str) -> Subject:
    """MusER: pieces of the four quadrants in turn, with seeds counted up."""

    def requests(count: int, bars: int) -> list[Request]:
        return [Request(affect_by_bar(QUADRANTS[seed % 4], bars), bars, (seed,)) for seed in range(count)]

    return Subject(load_composer(checkpoint, device), requests)


def emogen(checkpoint: str | None, device: str) -> Subject:
    """The same for EmoGen, each piece with the targets and the guidance that its command would take."""
    composer = load_emogen(checkpoint, device)
    emotions = map_of(checkpoint).on(composer.scale)

    def requests(count: int, bars: int) -> list[EmogenRequest]:
        options = [EmogenOptions(QUADRANTS[seed % 4], seed, bars=bars) for seed in range(count)]
        return [
            EmogenRequest(make_targets(option, bars, emotions, composer.scale).by_bar, bars, (option.seed,),
                          Key(option.seed % 12, option.seed % 2), sampling=sampling_of(option))
            for option in options
        ]  # fmt: skip

    return Subject(composer, requests)


SUBJECTS = {"muser": muser, "emogen": emogen}


def count_notes(words: np.ndarray) -> int:
    """Notes among words [T, 8]."""
    return int((words[:, 0] == Family.NOTE).sum())


def notes_per_second(subject: Subject, count: int, bars: int, repeats: int) -> tuple[int, Took]:
    """Notes of `count` pieces composed in one call, and what the fastest of some repeats took."""
    found: list[Took] = []
    pieces: list[Composed] = []
    for _ in range(repeats):
        with timed(found, subject.composer.device):
            pieces = subject.composer.compose(subject.requests(count, bars))
    return sum(count_notes(piece.words) for piece in pieces), min(found, key=lambda one: one.wall)


def stop_after(notes: int, steps: list[Took], kept: list[Decoding]) -> type[Decoding]:
    """A sampler that ends its first piece after so many notes, times its steps and is kept for its words."""

    class Timed(Stepper):
        def step(self, table: np.ndarray, bar: np.ndarray, live: int) -> torch.Tensor:
            with timed(steps, self.device):
                return super().step(table, bar, live)

    class Stopped(Decoding):
        def __init__(self, writing: Writing, request: DecodeRequest, rngs: Sequence[np.random.Generator]) -> None:
            super().__init__(writing, request, rngs)
            self.stepper = Timed(writing, request.condition, self._live(), request.sides)
            kept.append(self)

        def _take(self, word: np.ndarray) -> None:
            super()._take(word)
            self.done[0] |= len(self.words[0]) > 1 and count_notes(np.stack(self.words[0])) >= notes

    return Stopped


def time_prefixes(subject: Subject, notes: int, bars: int, every: int) -> Prefixes:
    """Compose one piece of `notes` notes with the cache, twice, then run the decoder on its whole prefixes."""
    found = min((compose_notes(subject, notes, bars) for _ in range(2)), key=lambda one: one[1])
    decoding, whole, steps = found
    words, condition = np.stack(decoding.words[0]), decoding.request.condition
    own = condition[::WIDTH]  # the piece's own rows: a batch has WIDTH with what is asked, and maybe as many without
    recomputed = {len(rows): recompute(subject.composer, words, rows, every) for rows in (own, condition)}
    return Prefixes(count_notes(words), len(words), whole, steps, recomputed)


def compose_notes(subject: Subject, notes: int, bars: int) -> tuple[Decoding, float, float]:
    """One piece through the cached sampler: the sampler with its words, seconds in all, and seconds of its steps."""
    steps: list[Took] = []
    kept: list[Decoding] = []
    whole: list[Took] = []
    sampler = sys.modules["affectgen.writing.sampler"]
    plain = sampler.Decoding
    sampler.Decoding = stop_after(notes, steps, kept)
    try:
        with timed(whole, subject.composer.device):
            subject.composer.compose([replace(request, ending=False) for request in subject.requests(1, bars)])
    finally:
        sampler.Decoding = plain
    return kept[0], whole[0].wall, sum(step.wall for step in steps)


@torch.no_grad()
def recompute(composer: Any, words: np.ndarray, condition: torch.Tensor, every: int) -> float:
    """Seconds of the decoder on every prefix of words [T, 8], for as many rows as condition [R, N, C] has."""
    table = torch.from_numpy(Stream.of(words).table()).to(composer.device)  # [T, 13]
    table[:, 8].clamp_(max=condition.shape[1] - 1)
    lengths = sorted({*range(1, len(words), every), len(words) - 1})
    seconds = []
    for length in lengths:
        rows = table[None, :length].expand(len(condition), -1, -1)
        found: list[Took] = []
        for _ in range(2 if length * len(condition) < 4000 else 1):
            with timed(found, composer.device):
                composer.model.globally(rows, condition)[:, -1]
        seconds.append(min(one.wall for one in found))
    return float(np.interp(np.arange(1, len(words)), lengths, seconds).sum())


def whole_process(
    name: str, checkpoint: str | None, length: Sequence[str], repeats: int, affects: Sequence[str]
) -> tuple[list[Took], float]:
    """`affectgen NAME generate` of some length (the option and its value) from start to exit, with affects in turn and
    a new seed each time: what each took, shortest first, and the most memory of any run in megabytes. Seeds differ
    because some pieces are tried more often than others.
    """
    found: list[Took] = []
    peak = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(repeats):
            seed, output = str(number + 1), f"{folder}/{number}.mid"
            words = ["-a", affects[number % len(affects)], "--seed", seed, *length, "-q", "-o", output]
            words += [] if checkpoint is None else ["--checkpoint", checkpoint]
            began = time.perf_counter()
            note = Path(folder) / f"{number}.status"
            process = subprocess.Popen(
                [sys.executable, "-c", NOTING, name, "generate", *words], env=os.environ | {"STATUS_NOTE": str(note)}
            )
            _, status, used = os.wait4(process.pid, 0)
            if status:
                raise RuntimeError(f"affectgen {name} generate ended with status {os.waitstatus_to_exitcode(status)}")
            found.append(Took(time.perf_counter() - began, used.ru_utime + used.ru_stime))
            peak = max(peak, _peak_megabytes(note.read_text()))
    return sorted(found, key=lambda one: one.wall), peak


def clip_text(found: Sequence[Took], peak: float) -> str:
    """What whole processes took, in words."""
    wall, cpu = (statistics.median(getattr(one, name) for one in found) for name in ("wall", "cpu"))
    in_time = f"{sum(one.wall < CLIP_SECONDS for one in found)} of {len(found)} under {CLIP_SECONDS:g} s"
    reach = f"{found[0].wall:.2f} to {found[-1].wall:.2f}; {in_time}"
    return f"{wall:.2f} s ({reach}), {cpu:.2f} s of CPU, at most {peak:.0f} MB"


def _peak_megabytes(status: str) -> float:
    """The high-water mark of resident memory in a text of /proc/PID/status."""
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        named = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    load = f"; load average {os.getloadavg()[0]:.1f} from all programs" if hasattr(os, "getloadavg") else ""
    return f"{model}, {cores()} cores{gpu}; torch {torch.__version__} with {torch.get_num_threads()} thread(s){load}"


def measure(subject: Subject, bars: int, notes: int, every: int, repeats: int) -> Rows:
    """The rows of one device."""
    where = subject.composer.device.type
    subject.composer.compose(subject.requests(1, 1))  # the first call pays for what torch sets up
    rows: Rows = []
    for count in (1, 16):
        heard, took = notes_per_second(subject, count, bars, repeats)
        text = f"{heard / took.wall:.0f} notes/s ({heard} notes in {took.wall:.2f} s, {took.cpu:.2f} s of CPU)"
        rows.append((f"{where}: {count} piece{'s' if count > 1 else ''} of {bars} bars", text))
    found = time_prefixes(subject, notes, 2 * notes // 16, every)
    rows.append((f"{where}: {found.notes} notes ({found.words} words), cached", f"{found.whole:.2f} s"))
    for count, seconds in found.recomputed.items():
        what = f"a batch's {count} rows" if count >= WIDTH else "the piece's own row only"
        whole = seconds + found.whole - found.steps
        value = f"{whole:.1f} s, {found.speedup(count):.0f} times longer"
        rows.append((f"{where}: every prefix recomputed, {what}", value))
    return rows


def page(name: str, rows: Rows, facts: str, every: int) -> str:
    """The figures as a block for docs/results.md."""
    lines = [
        f"## Speed of {TITLES[name]}", "", f"Measured by `python benchmarks/compose.py {name}` on: {facts}.", "",
        "| what | measured |", "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows), "",
        f"The sampler always runs batches of {WIDTH} pieces{DOUBLED.get(name, '')}. 16 pieces are {16 // WIDTH} "
        f"batches. Recomputed prefixes: the decoder was timed at every {every}th length and summed over all lengths by "
        "the trapezoid rule; drawing the words is in both figures.",
    ]  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and, where asked, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", nargs="?", choices=tuple(SUBJECTS), default="muser")
    parser.add_argument("--checkpoint", help="name or path; the shipped one by default")
    parser.add_argument("--bars", type=int, default=16, help="of the pieces for notes per second")
    parser.add_argument("--seconds", type=float, default=45, help="of the clips whose length is asked in seconds")
    parser.add_argument("--notes", type=int, default=512, help="of the sequence whose prefixes are recomputed")
    parser.add_argument("--every", type=int, default=64, help="distance of the prefix lengths that are timed")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--clips", type=int, default=12, help="whole processes that are timed, each with its own seed")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the page that --write changes")
    parser.add_argument("--write", action="store_true", help="put the figures into the page")
    options = parser.parse_args(arguments)
    torch.set_num_threads(choose_threads())
    facts = machine()
    rows: Rows = []
    bars, seconds = ("--bars", str(options.bars)), ("--seconds", f"{options.seconds:g}")
    for length, affects in ((bars, ("happy",)), (bars, QUADRANTS), (seconds, QUADRANTS)):
        clip = clip_text(*whole_process(options.generator, options.checkpoint, length, options.clips, affects))
        command = f"`affectgen {options.generator} generate {' '.join(length)}`"
        rows.append((f"{command} of {', '.join(affects)}, start to exit", clip))
    for device in ("cpu", *(("cuda",) if torch.cuda.is_available() else ())):
        subject = SUBJECTS[options.generator](options.checkpoint, device)
        rows += measure(subject, options.bars, options.notes, options.every, options.repeats)
    block = page(options.generator, rows, facts, options.every)
    print(block)
    if options.write:
        write_block(options.results, BLOCKS[options.generator], block)
    return 0


if __name__ == "__main__":
    sys.exit(main())
