"""A training's run folder: it holds to the settings it was begun with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affectgen.errors import UsageError

SETTINGS = "settings.json"


def claim(folder: Path, settings: Mapping[str, Any], assumed: Mapping[str, Any]) -> None:
    """Note the settings in a run folder; UsageError where it was begun with other ones.

    assumed: what older runs did not write. If the first setting differs, all else does, and it alone is named.
    """
    path = folder / SETTINGS
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        return
    before = {**assumed, **dict(flat(json.loads(path.read_text(encoding="utf-8"))))}
    now = flat(settings)
    differ = [(name, value) for name, value in now if before.get(name) != value]
    if differ and differ[0][0] == now[0][0]:
        differ = differ[:1]
    changed = [f"{name} {before.get(name)} (now {value})" for name, value in differ]
    if changed:
        raise UsageError(
            f"The run {folder} was begun with {', '.join(changed)}.", "Give the same, or another --run folder."
        )


def plain(values: Any) -> Any:
    """Settings as JSON holds them."""
    return json.loads(json.dumps(values, default=str))


def flat(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The settings of a nested mapping by their own names."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        found.extend(flat(value) if isinstance(value, Mapping) else [(name, value)])
    return found
