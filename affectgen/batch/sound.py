"""The sound beside a piece that is MIDI: rendered as `affectgen render` would by itself, with a manifest of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from affectgen.audio.formats import format_of
from affectgen.batch.order import Work
from affectgen.manifest import Manifest, Setting, build_manifest, digest
from affectgen.task import Result, find_task

TASK = "render"


@dataclass(frozen=True)
class Sound:
    """The sound of a piece and how it was made."""

    result: Result
    manifest: Manifest

    @property
    def summary(self) -> tuple[str, ...]:
        """Lines for a person."""
        return tuple(f"sound: {line}" for line in self.result.summary)


def make_sound(work: Work, piece: Result) -> Sound | None:
    """Render a finished piece; None where its target wants no sound."""
    target = work.order.target
    if target.audio is None or not isinstance(piece.data, bytes):
        return None
    settings = {**work.sound, "format": Setting(format_of(target.audio).name, "option")}
    task = find_task(TASK)
    began = time.perf_counter()
    given = {name: setting.value for name, setting in settings.items()}
    made = task.load(None, "cpu").run([task.options(sources=(piece.data,), **given)])[0]
    result = replace(made, asked=piece.asked)
    where = None if target.piece is None else str(target.piece.resolve())
    source = Setting([{"path": where, "sha256": digest(piece.data)}], "option")
    seconds = {"make": round(time.perf_counter() - began, 3)}
    resources = {**work.run, "device": Setting("cpu", "default"), "checkpoint": Setting(None, "default")}
    record = (TASK, work.argv, {"sources": source, **settings}, resources, result, target.audio, seconds)
    return Sound(result, build_manifest(*record))
