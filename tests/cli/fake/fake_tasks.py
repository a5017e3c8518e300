"""Stand-ins for MusER's tasks, installed as another package would install its own: a tiny composer without weights.

`FAKE_SLEEP` (seconds) makes it slow, `FAKE_BARS` its pieces long, `FAKE_FAIL` makes it raise, `FAKE_OTHER` makes it
compose something else, `FAKE_FLOW` lets jobs flow. `FAKE_POISON` says what becomes of some seeds: "13:raise,14:die,
15:hang,16:full".
"""

from __future__ import annotations

import os
import random
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.errors import MidiError
from affectgen.muser.options import GenerateOptions, ReconstructOptions, TransferOptions
from affectgen.nn.checkpoint import Checkpoint, load_checkpoint
from affectgen.spooled import Spooled
from affectgen.task import Give, Result, Take

TICKS = 480


def midi(seed: int, bars: int) -> bytes:
    """Four random crotchets a bar, as a type-0 MIDI file."""
    draw = random.Random(seed)
    track = bytearray(b"\x00\xff\x51\x03\x07\xa1\x20")
    for _ in range(4 * bars):
        pitch, force = draw.randrange(48, 84), draw.randrange(40, 110)
        track += bytes([0, 0x90, pitch, force, 0x83, 0x60, 0x80, pitch, 0])
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def read(source: Path | bytes | None) -> bytes:
    data = b"MThd" if source is None else source if isinstance(source, bytes) else source.read_bytes()
    if data[:4] != b"MThd":
        raise MidiError(f"{source!r} is no MIDI file.", "Give a .mid file.")
    return data


def poisons() -> set[tuple[str, int]]:
    """What becomes of which seed."""
    pairs = [pair.partition(":") for pair in os.environ.get("FAKE_POISON", "").split(",") if pair]
    return {(what, int(seed)) for seed, _, what in pairs}


def poison(seed: int | None) -> None:
    """Fail in the way that a seed is told to."""
    if ("raise", seed) in poisons():
        raise RuntimeError(f"seed {seed} is poisoned")
    if ("die", seed) in poisons():
        os._exit(9)
    if ("hang", seed) in poisons():
        time.sleep(1000)


class FullDisk(Spooled):
    """A result that no disk has room for."""

    def chunks(self) -> Iterator[bytes]:
        raise OSError(28, "No space left on device")

    def sha256(self) -> str:
        return "0" * 64


@dataclass(frozen=True)
class Loaded:
    checkpoint: Checkpoint

    def run(self, options: Sequence[Any]) -> list[Result]:
        if "FAKE_FAIL" in os.environ:
            raise RuntimeError("the fake was told to fail")
        time.sleep(float(os.environ.get("FAKE_SLEEP", "0")))
        return [self.one(item) for item in options]

    def flow(self, take: Take, give: Give) -> None:
        """Three at a time; the one that came last is done first."""
        hand: list[tuple[int, Any]] = []
        while True:
            while len(hand) < 3 and (more := take()) is not None:
                hand.append(more)
            if not hand:
                return
            number, options = hand[-1]
            result = self.run([options])[0]
            hand.pop()
            give(number, result)

    def one(self, options: Any) -> Result:
        poison(getattr(options, "seed", None))
        inputs = [getattr(options, n, None) for n in ("source", "donor", "continue_from")]
        mixed = sum(sum(read(item)) for item in inputs) + getattr(options, "seed", 0)
        mixed += len(os.environ.get("FAKE_OTHER", ""))
        asked = {"valence": 0.7, "arousal": 0.5} if getattr(options, "affect", None) else None
        measured = {"recogniser": "judge", "valence": 0.61, "arousal": 0.42, "quadrant": "Q1"}
        details = {"bars": getattr(options, "bars", 1), "options": {k: repr(v)[:60] for k, v in vars(options).items()}}
        data = midi(mixed, int(os.environ.get("FAKE_BARS", getattr(options, "bars", 1))))
        if ("full", getattr(options, "seed", None)) in poisons():
            return Result(FullDisk.empty(), ".mid", asked, measured, details, self.checkpoint.record())
        return Result(data, ".mid", asked, measured, details, self.checkpoint.record(), ("note F1 0.98",))


@dataclass(frozen=True)
class Task:
    name: str
    options: type[Any]
    together: int = 4

    def alike(self, options: Any) -> int | None:
        """The length that is asked for, where jobs flow."""
        return getattr(options, "bars", 0) if "FAKE_FLOW" in os.environ else None

    def load(self, checkpoint: str | None, device: str) -> Loaded:
        return Loaded(load_checkpoint("fake" if checkpoint is None else checkpoint))


GENERATE = Task("muser generate", GenerateOptions)
TRANSFER = Task("muser transfer", TransferOptions)
RECONSTRUCT = Task("muser reconstruct", ReconstructOptions)
