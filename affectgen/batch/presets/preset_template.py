"""How a preset names its pieces: text with options between braces, `{preset}-{affect}-{seed}`."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from affectgen.batch.job import LONGEST, default_name, fit_name
from affectgen.batch.spec import SEED, SOURCE, CommandSpec, nearest

PRESET, NUMBER = "preset", "number"  # what a template may name beside options


def check_template(template: str | None, options: Mapping[str, Any], spec: CommandSpec) -> str | None:
    """What is wrong with a template, None where nothing is. options: the preset's."""
    if template is None:
        return None
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"name got {template!r}: {error}. Write options between braces: {{preset}}-{{affect}}-{{seed}}"
    if not fit_name("".join(text + ("x" if name is not None else "") for text, name, _, _ in parts)):
        return f"name got {template!r}, which names nothing. Write for example: {{preset}}-{{seed}}"
    known = {PRESET, NUMBER, SOURCE, *spec.options}
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if form or conversion:
            return f"name got {template!r}; only a name stands between braces, and {name!r} has more."
        if name not in known:
            return f"name holds {{{name}}}, which is no option of {spec.command}. {nearest(name, known)}"
        if name not in (PRESET, NUMBER, SOURCE, SEED) and name not in options:
            return f"name holds {{{name}}}, which the preset does not set. Set it, or leave it out of the name."
        if name == SEED and not spec.seeded:
            return f"name holds {{seed}}, and {spec.command} draws nothing. Leave it out."
    return None


def named(
    template: str | None, preset: str, command: str, values: Mapping[str, Any], axes: Collection[str], number: int
) -> str:
    """The name of a piece. values: a job's; axes: the options that vary within the preset; number: from 1."""
    if template is None:
        name = default_name(preset, command, values)
        more = [f"{axis}-{_text(values[axis])}" for axis in axes if axis not in ("affect", SEED, SOURCE, "files")]
        return fit_name("-".join([name, *more]))
    source = next((values[name] for name in (SOURCE, "files") if name in values), "")
    held = {
        **{name: _text(value) for name, value in values.items()},
        PRESET: preset, NUMBER: str(number), SOURCE: Path(_text(source)).stem,
    }  # fmt: skip
    parts = string.Formatter().parse(template)
    filled = (text + ("" if name is None else fit_name(held.get(name, ""))) for text, name, _, _ in parts)
    made = fit_name("".join(filled))
    return made if made else fit_name(f"{preset}-{number}")


def _text(value: Any) -> str:
    """A value within a name."""
    if isinstance(value, list):
        return "+".join(_text(each) for each in value[:3])
    return str(value).lower() if isinstance(value, bool) else str(value)


def unique(name: str, taken: Collection[str]) -> str:
    """A name that is not taken, upper and lower case told apart by nobody: `calm`, `calm-2`, `calm-3`."""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        end = f"-{number}"
        found = name[: LONGEST - len(end)] + end
    return found

