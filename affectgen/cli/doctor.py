"""`affectgen doctor`: what is installed, what it can run on, which models are there."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from affectgen import __version__
from affectgen.device import choose_threads, cores
from affectgen.errors import AffectgenError
from affectgen.nn.checkpoint import list_checkpoints, load_checkpoint, verify_sums
from affectgen.paths import checkpoint_roots
from affectgen.task import task_names

NEEDED = (
    *("torch", "click", "miditok", "symusic", "librosa", "soundfile", "safetensors"),
    *("soxr", "pyloudnorm", "pyfluidsynth", "numpy", "scipy", "rich", "pydantic", "matplotlib", "pocketsphinx"),
)
INSTALL = "pip install 'affectgen[{}]'"
OPTIONAL = {
    "transformers": INSTALL.format("musicgen"), "peft": INSTALL.format("musicgen"),
    "accelerate": INSTALL.format("musicgen"),
    "audiocraft": f"{INSTALL.format('audiocraft')} && pip install --no-deps audiocraft==1.3.0",
    "espeakng-loader": INSTALL.format("tts"), "sentencepiece": INSTALL.format("speecht5"),
    "ray": INSTALL.format("cluster"),
}  # fmt: skip
PROGRAMS = ("sox", "ffmpeg", "espeak-ng", "flite")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Say what is installed and what works here; exit code 1 when something needed is missing or damaged."""
    found = _look()
    click.echo(json.dumps(found, indent=2) if as_json else _page(found))
    if found["problems"]:
        raise AffectgenError("; ".join(found["problems"]) + ".", "Install again: pip install -c constraints.txt .")


def _look() -> dict[str, Any]:
    """All there is to say, as JSON."""
    needed = {name: _version(name) for name in NEEDED}
    changed = {
        root / name: state
        for root in checkpoint_roots()
        for name, state in verify_sums(root).items()
        if state in ("changed", "missing")
    }
    damaged = [f"{path} is {state}" for path, state in changed.items()]
    damaged += _unreadable({path.parent for path in changed})
    return {
        "affectgen": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "packages": needed,
        "optional": {name: {"version": _version(name), "install": remedy} for name, remedy in OPTIONAL.items()},
        "programs": {name: shutil.which(name) for name in PROGRAMS},
        "sound": _sound(),
        "musicgen": _musicgen(),
        "cores": cores(),
        "threads": choose_threads(),
        "devices": _devices() if needed["torch"] is not None else [],
        "checkpoint_folders": [str(root) for root in checkpoint_roots()],
        "checkpoints": [folder.name for folder in list_checkpoints()],
        "tasks": task_names(),
        "problems": [
            *(f"{name} is not installed" for name, found in needed.items() if found is None), *damaged, *_silent(),
        ],
    }


def _unreadable(told: Collection[Path]) -> list[str]:
    """What is wrong with checkpoints that cannot be opened, but for the folders that were told of already."""
    found = []
    for folder in list_checkpoints():
        if folder in told:
            continue
        try:
            load_checkpoint(str(folder))
        except AffectgenError as error:
            found.append(error.message.rstrip("."))
    return found


def _sound() -> dict[str, str | None]:
    """What plays MIDI here: the version of FluidSynth's library, the font it would use, and what --renderer auto is."""
    from affectgen.audio.fluid import fluid_available, fluid_version
    from affectgen.audio.fonts import check_font, find_font

    library = fluid_version() if fluid_available() else None
    try:
        font = find_font(None)
        if font is not None:
            check_font(font)
    except AffectgenError as error:  # $AFFECTGEN_SOUNDFONT names what is not there, or no font
        return {"fluidsynth": library, "font": error.message, "auto": None}
    auto = "piano" if library is None or font is None else "fluidsynth"
    return {"fluidsynth": library, "font": None if font is None else str(font), "auto": auto}


def _musicgen() -> str | None:
    """Where MusicGen's weights are that `medicine render` would take, or why they are not; None where none are."""
    from affectgen.medicine.musicgen.folder import known_musicgen

    try:
        found = known_musicgen()
    except AffectgenError as error:  # $AFFECTGEN_MUSICGEN names what is none
        return error.message
    return None if found is None else str(found.folder)


def _silent() -> list[str]:
    """What is wrong with the built-in piano."""
    from affectgen.audio.bank import Bank

    try:
        Bank()
    except AffectgenError as error:
        return [error.message.rstrip(".")]
    return []


def _version(name: str) -> str | None:
    """The installed version of a package, None where it is not; nothing is imported."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> list[str]:
    """The devices torch sees, with their names."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ["cpu", *(f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(count))]


def _page(found: dict[str, Any]) -> str:
    """The same for a person."""
    lines = [
        f"affectgen {found['affectgen']}, Python {found['python']} on {found['platform']}",
        f"devices: {', '.join(found['devices']) or 'unknown'}; {found['cores']} cores, {found['threads']} threads",
        "",
        *(_row(name, value) for name, value in found["packages"].items()),
        "",
        "optional:",
        *(_row(name, row["version"], f" ({row['install']})") for name, row in found["optional"].items()),
        *(_row(name, path) for name, path in found["programs"].items()),
        "",
        "sound:",
        _row("fluidsynth", found["sound"]["fluidsynth"], " (apt install fluidsynth)"),
        _row("soundfont", found["sound"]["font"], " (apt install musescore-general-soundfont)"),
        f"  {'auto':<16}{found['sound']['auto']}",
        _row("musicgen", found["musicgen"], " (docs/musicgen.md; sessions are composed without it)"),
        "",
        f"checkpoints: {', '.join(found['checkpoints']) or 'none'}",
        *(f"  searched: {folder}" for folder in found["checkpoint_folders"]),
        f"tasks: {', '.join(found['tasks'])}",
    ]
    return "\n".join(lines)


def _row(name: str, value: str | None, remedy: str = "") -> str:
    """A line of the table."""
    return f"  {name:<16}{value if value is not None else f'not installed{remedy}'}"
