"""Whether a preset's commands would take what it says: each of its jobs is planned, and nothing is made."""

from __future__ import annotations

import os
import re
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affectgen.batch.job import Job
from affectgen.batch.prepare import Plan
from affectgen.batch.presets.preset import Preset
from affectgen.batch.presets.preset_files import FROM_SOURCE, PresetError, Trouble, read_file
from affectgen.batch.presets.preset_grid import jobs_of
from affectgen.batch.spec import FILE
from affectgen.errors import AffectgenError

MOST_PLANNED = 10_000  # jobs of one preset; of a larger grid, so many from its beginning
NAMED = re.compile(r"--([a-z][a-z-]*)")
STAND_IN = "example"  # the file that is worked on where a preset names none
WORDS = ("This is an example.", "This was an example.", "This will be an example.")


def check_preset(preset: Preset, plan: Plan) -> int:
    """How many pieces a preset makes, after each was planned. A preset that works on files gets a short one.

    plan: reads a job as its command would. PresetError with all that the command refuses.
    """
    with tempfile.TemporaryDirectory(prefix="affectgen-") as held:
        folder = Path(held)
        jobs = _jobs(preset, folder)
        refused = dict.fromkeys(_refused(jobs[:MOST_PLANNED], plan, folder))
    if refused:
        raise PresetError(_located(preset, text) for text in refused)
    return len(jobs)


def _jobs(preset: Preset, folder: Path) -> list[Job]:
    try:
        return jobs_of(preset, 0, None, _stand_ins(preset, folder))
    except AffectgenError as error:
        raise PresetError([_located(preset, str(error))]) from error


def _refused(jobs: list[Job], plan: Plan, folder: Path) -> Iterator[str]:
    """What is said against each job."""
    for job in jobs:
        try:
            plan(job, folder)
        except AffectgenError as error:
            yield f"{error.message.removeprefix(f'{job.place}: ')} {error.hint}".strip()


def _located(preset: Preset, text: str) -> Trouble:
    """At the option that a refusal names first, else at one whose value it shows, else at the preset's options."""
    named = [each for each in NAMED.findall(text) if each in preset.origins]
    shown = [name for name, value in preset.options.items() if _shows(text, value)]
    name = next(iter([*named, *shown]), None)
    if name is None:
        return read_file(preset.path).trouble(("options",), text)
    return read_file(preset.origins[name]).trouble(("options", name), text)


def _shows(text: str, value: Any) -> bool:
    """Whether a refusal has a text of an option in it."""
    if isinstance(value, list):
        return any(_shows(text, each) for each in value)
    return isinstance(value, str) and (repr(value) in text or (os.sep in value and value in text))


def _stand_ins(preset: Preset, folder: Path) -> list[str]:
    """Files for a preset that works on some: none that anybody would want to hear, and texts beside them."""
    if preset.source_option is None:
        return []
    wave = preset.command.startswith("speech")
    names = [f"{STAND_IN}-{number}" for number in ((1, 2) if preset.joins else (1,))]
    paths = [folder / f"{name}.{'wav' if wave else 'mid'}" for name in names]
    for path in paths:
        path.write_bytes(_silence() if wave else _note())
    beside = [value for name, value in preset.options.items() if preset.spec.options[name].kind == FILE]
    ends = [value.removeprefix(FROM_SOURCE) for value in beside if isinstance(value, str) and FROM_SOURCE in value]
    for path in paths:
        for end, words in zip(ends, (WORDS * len(ends))[: len(ends)], strict=True):
            Path(f"{path.with_suffix('')}{end}").write_text(f"{words}\n", encoding="utf-8")
    return [str(path) for path in paths]


def _silence() -> bytes:
    """A second of a WAV file, 16 kHz, 16 bits."""
    data = bytes(32_000)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    return b"RIFF" + struct.pack("<I", 4 + len(form) + 8 + len(data)) + b"WAVE" + form + struct.pack(
        "<4sI", b"data", len(data)
    ) + data  # fmt: skip


def _note() -> bytes:
    """A MIDI file with one note."""
    track = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x00\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track
