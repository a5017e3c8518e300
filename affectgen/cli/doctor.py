"""`affectgen doctor`: what is installed, what it can run on, which models are there."""

from __future__ import annotations

import json
from typing import Any

import click

from affectgen.errors import AffectgenError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Say what is installed and what works here: packages and what to install for more, devices, sound and soundfonts,
    models, presets, space for temporary files. Exit code 1 when something needed is missing or damaged.
    """
    from affectgen.cli.diagnosis import examine

    found = examine()
    click.echo(json.dumps(found, indent=2) if as_json else _page(found))
    for text in found["warnings"]:
        click.echo(f"Warning: {text}", err=True)
    if found["problems"]:
        raise AffectgenError("; ".join(found["problems"]) + ".", "Install again: pip install -c constraints.txt .")


def _page(found: dict[str, Any]) -> str:
    """The same for a person."""
    from affectgen.cli.diagnosis import PROGRAMS

    optional = found["optional"].items()
    lines = [
        f"affectgen {found['affectgen']}, Python {found['python']} on {found['platform']}",
        f"devices: {', '.join(found['devices']) or 'unknown'}; {found['cores']} cores, {found['threads']} threads",
        "",
        *(_row(name, value) for name, value in found["packages"].items()),
        "",
        "optional:",
        *(_row(name, row["version"], f"; for {row['for']}: {row['install']}") for name, row in optional),
        *(_row(name, path, f"; for {PROGRAMS[name][0]}: {PROGRAMS[name][1]}")
          for name, path in found["programs"].items()),
        "",
        *_sound_lines(found),
        "",
        f"checkpoints: {', '.join(found['checkpoints']) or 'none'}",
        *(f"  searched: {folder}" for folder in found["checkpoint_folders"]),
        f"presets: {', '.join(found['presets']['names']) or 'none'}",
        *(f"  searched: {folder}" for folder in found["presets"]["folders"]),
        f"tasks: {', '.join(found['tasks'])}",
        _temporary(found["temporary"]),
    ]  # fmt: skip
    return "\n".join(lines)


def _sound_lines(found: dict[str, Any]) -> list[str]:
    """What plays and what speaks."""
    engines = ", ".join(found["speech"]["engines"])
    return [
        "sound:",
        _row("fluidsynth", found["sound"]["fluidsynth"], "; apt install fluidsynth"),
        _row("soundfont", found["sound"]["font"], "; apt install musescore-general-soundfont"),
        *(_row("also there", one["path"]) for one in found["soundfonts"] if one["path"] != found["sound"]["font"]),
        _row("auto", found["sound"]["auto"]),
        _row("musicgen", found["musicgen"], "; docs/musicgen.md; sessions are composed without it"),
        _row("new words", found["speech"]["words"], "; pip install 'affectgen[tts]'"),
        _row("engines", engines if engines else "none"),
    ]


def _temporary(found: dict[str, Any]) -> str:
    if found["folder"] is None:
        return f"temporary files: {found['error']}"
    return f"temporary files: {found['folder']}, {found['free'] / 1e9:.1f} GB free"


def _row(name: str, value: str | None, remedy: str = "") -> str:
    """A line of the table."""
    return f"  {name:<16}{value if value is not None else f'not installed{remedy}'}"
