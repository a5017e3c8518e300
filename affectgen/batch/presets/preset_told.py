"""Presets for a person and as JSON: lists of them, and one with where each value comes from and what it makes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from affectgen.batch.job import Job
from affectgen.batch.presets.preset import Damaged, Preset
from affectgen.batch.presets.preset_grid import jobs_of

MOST_SHOWN = 20  # pieces named to a person
EXAMPLES = ("FILE", "FILE2")  # sources, where nobody said any


def example_jobs(preset: Preset) -> list[Job]:
    """What a batch would make of a preset, seeds from 0 where it names none, files called FILE."""
    return jobs_of(preset, 0, None, EXAMPLES if preset.joins else EXAMPLES[:1])


def row(preset: Preset) -> dict[str, Any]:
    """A preset in a list, JSON-able."""
    return {
        "name": preset.name, "command": preset.command, "description": preset.description, "tags": list(preset.tags),
        "pieces": len(example_jobs(preset)), "works_on": preset.source_option, "path": str(preset.path),
    }  # fmt: skip


def damaged_row(one: Damaged) -> dict[str, Any]:
    """One that cannot be used, JSON-able."""
    return {"name": one.name, "path": str(one.path), "error": one.error.message}


def table(presets: Sequence[Preset]) -> str:
    """A line for each: name, command, pieces, tags, description."""
    rows = [row(preset) for preset in presets]
    names, commands = (max((len(each[key]) for each in rows), default=0) for key in ("name", "command"))
    lines = [f"{'name':<{names}}  {'command':<{commands}}  pieces  description"] if rows else []
    for each in rows:
        tags = f" [{', '.join(each['tags'])}]" if each["tags"] else ""
        told = f"{each['description']}{tags}"
        lines.append(f"{each['name']:<{names}}  {each['command']:<{commands}}  {each['pieces']:>6}  {told}")
    return "".join(f"{line}\n" for line in lines)


def whole(preset: Preset) -> dict[str, Any]:
    """All of a preset, JSON-able: its values with the file that each stands in, and its pieces."""
    jobs = [{"name": job.name, "values": dict(job.values)} for job in example_jobs(preset)]
    options = {
        name: {"value": value, "from": str(preset.origins[name])} for name, value in preset.options.items()
    }  # fmt: skip
    return {
        **row(preset), "count": preset.count, "title": preset.title, "files": [str(path) for path in preset.files],
        "grid": list(preset.axes), "options": options, "jobs": jobs,
    }  # fmt: skip


def sheet(preset: Preset) -> str:
    """All of a preset for a person."""
    jobs = example_jobs(preset)
    lines = [f"{preset.name}: {preset.description}", f"affectgen {preset.command}"]
    lines += [f"tags: {', '.join(preset.tags)}"] if preset.tags else []
    lines += [f"{'file' if n == 0 else 'extends'}: {path}" for n, path in enumerate(preset.files)]
    width = max((len(name) for name in preset.options), default=0)
    values = {name: json.dumps(value, ensure_ascii=False) for name, value in preset.options.items()}
    wide = max((len(text) for text in values.values()), default=0)
    lines += ["", "options"] if values else []
    for name, text in values.items():
        lines.append(f"  {name:<{width}}  {text:<{wide}}  {preset.origins[name].name}")
    lines += ["", f"{len(jobs)} {'piece' if len(jobs) == 1 else 'pieces'}, seeds from 0 where it names none"]
    lines += [f"  {job.name}" for job in jobs[:MOST_SHOWN]]
    if len(jobs) > MOST_SHOWN:
        lines.append(f"  and {len(jobs) - MOST_SHOWN} more")
    return "".join(f"{line.rstrip()}\n" for line in lines)
