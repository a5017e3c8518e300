"""From a preset to jobs: a piece for every combination of its lists, with seeds counted up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectgen.batch.job import Job
from affectgen.batch.presets.preset import MOST_JOBS, Preset
from affectgen.batch.presets.preset_files import FROM_SOURCE
from affectgen.batch.presets.preset_template import named, unique
from affectgen.batch.spec import FILE, SEED
from affectgen.errors import UsageError
from affectgen.task import LARGEST_SEED


def jobs_of(preset: Preset, seed: int, count: int | None, sources: Sequence[str] = ()) -> list[Job]:
    """The jobs of a preset, always in the same order: its files, then its lists as they stand, then its seeds.

    seed: the first where the preset names none; count: so many of each instead of the preset's own count, without
    effect on a command that draws nothing; sources: files to work on, for a preset that needs one and names none. No
    two have one name. UsageError where a file is needed and none came, and for too many jobs.
    """
    axes = [name for name in preset.axes if name != SEED]
    seeds = _seeds(preset, seed, count)
    given = _sources(preset, sources)
    size = len(given) * len(seeds) * math.prod(len(preset.options[axis]) for axis in axes)
    if size > MOST_JOBS:
        raise UsageError(f"The preset {preset.name} comes to {size} pieces.", f"Ask for at most {MOST_JOBS}.")
    own = frozenset((*axes, SEED))
    jobs: list[Job] = []
    taken: set[str] = set()
    grid = itertools.product(given, *(preset.options[axis] for axis in axes), seeds)
    for number, (source, *point, drawn) in enumerate(grid, start=1):
        values = _values(preset, source, dict(zip(axes, point, strict=True)), drawn)
        name = unique(named(preset.title, preset.name, preset.command, values, axes, number), taken)
        taken.add(name.casefold())
        jobs.append(Job(preset.command, values, name, preset.name, f"preset {preset.name}, piece {name}", own))
    return jobs


def _values(preset: Preset, source: Any, point: Mapping[str, Any], seed: int | None) -> dict[str, Any]:
    """The options of one job, in the preset's order."""
    values = {name: point.get(name, value) for name, value in preset.options.items() if name != SEED}
    option = preset.source_option
    if option is not None and source is not None:
        values = {option: source, **values}
    for name, value in values.items():
        if preset.spec.options[name].kind == FILE and isinstance(value, str) and FROM_SOURCE in value:
            values[name] = value.replace(FROM_SOURCE, _stem(preset, values))
    if seed is not None:
        values[SEED] = seed
    return values


def _stem(preset: Preset, values: Mapping[str, Any]) -> str:
    """The path of the file that is worked on, without its ending."""
    for name in ("source", "files"):
        if name in values:
            path = values[name][0] if isinstance(values[name], list) else values[name]
            return str(Path(path).with_suffix(""))
    raise UsageError(f"The preset {preset.name} speaks of {FROM_SOURCE}, and no file came.", "Name it: --source FILE")


def _sources(preset: Preset, sources: Sequence[str]) -> list[Any]:
    """What the option for files gets, one after the other; a single None where there is no such option."""
    option = preset.source_option
    if option is None:
        return [None]
    if not sources:
        raise UsageError(f"The preset {preset.name} works on a file, and none came.", "Name it: --source FILE")
    if preset.joins:
        return [list(sources)]
    return [[one] if preset.spec.options[option].several else one for one in dict.fromkeys(sources)]


def _seeds(preset: Preset, seed: int, count: int | None) -> Sequence[int | None]:
    """The seeds, each once; a single None for a command that draws nothing."""
    if not preset.spec.seeded:
        return [None]
    many = preset.count if count is None else count
    own = preset.options.get(SEED, seed)
    first = own if isinstance(own, list) else [own]
    if many * len(first) > MOST_JOBS:
        raise UsageError(f"{many} seeds of the preset {preset.name} were asked for.", f"Ask for at most {MOST_JOBS}.")
    found = list(dict.fromkeys(_counted(first, many)))
    if max(found) > LARGEST_SEED:
        raise UsageError(f"The seeds of {preset.name} reach {max(found)}.", f"The largest is {LARGEST_SEED}.")
    return found


def _counted(first: Sequence[int], many: int) -> Iterator[int]:
    for one in first:
        yield from range(one, one + many)
