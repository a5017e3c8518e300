"""The card of a tiny MusicGen's checkpoint: what it is, how it was made, what it reached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affectgen.nn.curves import COLUMNS

WARNING = (
    "A toy: a few million parameters, ten seconds of one voice of a piano at 16 kHz and 0.9 kbit/s, as over an old "
    "telephone. It shows that affectgen's conditioning and LoRA training of MusicGen work, end to end, on a model that "
    "anybody can train on one core in an hour. It is not Meta's MusicGen, holds none of its weights, and is nothing to "
    "listen to for relief: use the published weights (docs/musicgen.md) or `--engine symbolic` for that."
)
LICENCE = (
    "Licence: CC BY-NC-SA 4.0, as EMOPIA's, whose training clips (Hung et al., 2021), played by affectgen's own piano, "
    "are all it learned from. Not for commercial use. No clip of EMOPIA's validation split was used."
)


def figures_of(report: Path) -> dict[str, float]:
    """The figures by name of a report that affectgen.evaluate.musicgen_small wrote."""
    held = json.loads(report.read_text(encoding="utf-8"))
    return {row["name"]: row["value"] for row in held["figures"]}


def card_text(name: str, about: Mapping[str, Any]) -> str:
    """The card in Markdown."""
    training = about["training"]
    lines = [f"# {name}", "", WARNING, "", LICENCE, "", "## Parts", ""]
    parts = ", ".join(f"{part} {count:,}" for part, count in training["parameters"].items())
    lines += [f"Parameters of the base: {parts}. With it comes a LoRA adapter and an affect conditioner.", ""]
    lines += ["## Training", "", f"Command: `{training['command']}`", "", f"Hardware: {training['machine']}.", ""]
    clips = training["clips"]
    lines += [f"{clips['train']} clips, and {clips['dev']} of songs held out for validation.", ""]
    lines += ["| stage | steps | weights of step | validation | minutes |", "| --- | --- | --- | --- | --- |"]
    lines += [_stage(stage, held) for stage, held in training["stages"].items()]
    lines += ["", *(f"- {note}" for note in training.get("notes", []))]
    lines += ["", "The validation curves are in curves.csv. Codec, heard by the guide before and after:", ""]
    lines += _table(training.get("codec", {}))
    adapter = training["adapter"]
    lines += ["", "## Adapter", "", f"Command: `{adapter.get('command', '')}`", ""]
    lines += _table({**adapter.get("training", {}), **adapter.get("figures", {})})
    if training["adapter_log"]:
        lines += ["", "Its validation curve:", "", "```csv", *training["adapter_log"], "```"]
    if "figures" in about:
        lines += ["", "## Figures", "", "By `python -m affectgen.evaluate.musicgen_small` (docs/results.md):", ""]
        lines += _table(about["figures"])
    return "\n".join(lines) + "\n"


def _stage(name: str, held: Mapping[str, Any]) -> str:
    cells = [name, *(held[column] for column in COLUMNS)]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _table(values: Mapping[str, Any]) -> list[str]:
    rows = [f"| {name} | {_shown(value)} |" for name, value in values.items()]
    return ["| | |", "| --- | --- |", *rows] if rows else []


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
