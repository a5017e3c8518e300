"""Jobs as lines of JSON: {"command": "emogen generate", "affect": "calm", "bars": 8, "seed": 1, "name": "j1"}."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from affectgen.batch.job import Job, check_name, default_name
from affectgen.batch.pool import Fault
from affectgen.batch.spec import SEED, Specs, find_spec
from affectgen.errors import AffectgenError, UsageError

COMMAND, NAME = "command", "name"
Line = tuple[Job, Fault | None]


def read_lines(text: bytes, specs: Specs, seed: int, where: str) -> list[Line]:
    """A job for each line that is not empty; one that cannot be understood comes with its fault.

    seed: the n-th line, from 0, without a seed gets seed + n where its command draws. where: the text came from.
    UsageError for text of which no line is UTF-8, and for two lines of one name.
    """
    lines = text.decode("utf-8-sig", "surrogateescape").split("\n")
    numbered = [(n, line) for n, line in enumerate(lines) if line.strip()]
    if numbered and not any(_is_text(line) for _, line in numbered):
        raise UsageError(f"{where} is no text in UTF-8.", "Write one JSON object a line.")
    found = [_line(line, specs, seed + n, f"line {n + 1} of {where}", n + 1) for n, line in numbered]
    check_unique(job for job, fault in found if fault is None)
    return found


def _is_text(line: str) -> bool:
    """Whether all bytes of a line were UTF-8; others came as surrogates."""
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _line(text: str, specs: Specs, seed: int, place: str, number: int) -> Line:
    """One line's job."""
    try:
        return _job(text, specs, seed, place, number), None
    except AffectgenError as error:
        return Job(*_asked(text, number), None, place), Fault.of(error)


def _asked(text: str, number: int) -> tuple[str, dict[str, Any], str]:
    """What a faulty line says of itself all the same: its command, nothing, and its name."""
    try:
        held = _parsed(text, "")
        command = held.get(COMMAND)
        return str(command) if isinstance(command, str) else "", {}, check_name(held.get(NAME), "")
    except AffectgenError:
        return "", {}, f"line-{number}"


def _job(text: str, specs: Specs, seed: int, place: str, number: int) -> Job:
    held = _parsed(text, place)
    command = held.pop(COMMAND, None)
    if not isinstance(command, str):
        raise UsageError(f"{place} names no command.", f'Write for example "{COMMAND}": "emogen generate".')
    given = held.pop(NAME, None)
    values = {key.replace("_", "-"): value for key, value in held.items() if value is not None}
    if len({key.replace("_", "-") for key in held}) < len(held):
        raise UsageError(f"{place}: an option stands twice, with - and with _.", "Say it once.")
    try:
        spec = find_spec(specs, command)
        spec.check(values)
    except UsageError as error:
        raise UsageError(f"{place}: {error.message}", error.hint) from error
    if spec.seeded and SEED not in values:
        values[SEED] = seed
    name = f"{default_name(None, command, values)}-{number}" if given is None else check_name(given, place)
    return Job(command, values, name, None, place)


def _parsed(text: str, place: str) -> dict[str, Any]:
    if not _is_text(text):
        raise UsageError(f"{place} is no text in UTF-8.", "Write it in that encoding.")
    try:
        held = json.loads(text, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place} is no JSON: {error}.", "Write one object a line.") from error
    if not isinstance(held, dict):
        raise UsageError(f"{place} holds no object.", 'Write for example {"command": "emogen generate"}.')
    return held


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def check_unique(jobs: Iterable[Job]) -> None:
    """UsageError where two jobs have one name, which would be the same file."""
    places: dict[str, str] = {}
    for job in jobs:
        folded = job.name.casefold()  # some disks do not tell a from A
        if folded in places:
            raise UsageError(
                f"Two jobs have the name {job.name!r}: {places[folded]} and {job.place}.", "Give each its own."
            )
        places[folded] = job.place
