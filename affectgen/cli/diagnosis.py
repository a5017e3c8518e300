"""What `affectgen doctor` finds out: packages, programs, devices, sound, models, presets, space. Nothing is changed."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from affectgen import __version__
from affectgen.device import choose_threads, cores
from affectgen.errors import AffectgenError
from affectgen.nn.checkpoint import list_checkpoints, load_checkpoint, verify_sums
from affectgen.paths import checkpoint_roots, preset_roots
from affectgen.task import task_names

NEEDED = (
    *("torch", "click", "miditok", "symusic", "librosa", "soundfile", "safetensors"),
    *("soxr", "pyloudnorm", "pyfluidsynth", "numpy", "scipy", "rich", "pydantic", "matplotlib", "pocketsphinx"),
)
INSTALL = "pip install 'affectgen[{}]'"
MUSICGEN = "sessions drawn by MusicGen"
OPTIONAL = {  # package: (what it is for, how it comes)
    "transformers": (MUSICGEN, INSTALL.format("musicgen")), "peft": (MUSICGEN, INSTALL.format("musicgen")),
    "accelerate": (MUSICGEN, INSTALL.format("musicgen")),
    "audiocraft": (
        f"{MUSICGEN}, as published",
        f"{INSTALL.format('audiocraft')} && pip install --no-deps audiocraft==1.3.0",
    ),
    "espeakng-loader": ("new words in edited speech", INSTALL.format("tts")),
    "sentencepiece": ("new words by SpeechT5", INSTALL.format("speecht5")),
    "ray": ("batches on a cluster", INSTALL.format("cluster")),
}  # fmt: skip
PROGRAMS = {  # program: (what it is for, how it comes)
    "sox": ("pipes of sound", "apt install sox"), "ffmpeg": ("pipes of sound", "apt install ffmpeg"),
    "espeak-ng": ("new words in edited speech", "apt install espeak-ng"),
    "flite": ("new words in edited speech", "apt install flite"),
}  # fmt: skip
LITTLE = 1 << 30  # bytes free for temporary files below which a long session may not fit


def examine() -> dict[str, Any]:
    """All there is to say, as JSON. "problems": what is needed and missing or damaged; "warnings": what a person should
    know, though everything works."""
    needed = {name: _version(name) for name in NEEDED}
    presets, temporary, fonts = _presets(), _temporary(), _fonts()
    return {
        "affectgen": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "packages": needed,
        "optional": {
            name: {"version": _version(name), "for": use, "install": how} for name, (use, how) in OPTIONAL.items()
        },
        "programs": {name: shutil.which(name) for name in PROGRAMS},
        "sound": _sound(),
        "soundfonts": fonts,
        "musicgen": _musicgen(),
        "speech": _speech(),
        "cores": cores(),
        "threads": choose_threads(),
        "devices": _devices() if needed["torch"] is not None else [],
        "checkpoint_folders": [str(root) for root in checkpoint_roots()],
        "checkpoints": [folder.name for folder in list_checkpoints()],
        "presets": presets,
        "temporary": temporary,
        "tasks": task_names(),
        "problems": [
            *(f"{name} is not installed" for name, found in needed.items() if found is None), *_damaged(), *_silent(),
            *([temporary["error"]] if temporary["error"] is not None else []),
        ],
        "warnings": [
            *(f"the preset {name} cannot be used: {why}" for name, why in presets["damaged"].items()),
            *(f"{one['path']} cannot be played: {one['error']}" for one in fonts if one["error"] is not None),
            *_tight(temporary),
        ],
    }


def _damaged() -> list[str]:
    """What is wrong with the models."""
    changed = {
        root / name: state
        for root in checkpoint_roots()
        for name, state in verify_sums(root).items()
        if state in ("changed", "missing")
    }
    return [*(f"{path} is {state}" for path, state in changed.items()), *_unreadable({one.parent for one in changed})]


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


def _fonts() -> list[dict[str, Any]]:
    """Every soundfont in the places that are searched, the best known first, and what is wrong with it."""
    from affectgen.audio.fonts import check_font, list_fonts

    found = []
    for path in list_fonts():
        try:
            check_font(path)
            error = None
        except AffectgenError as failure:
            error = failure.message.rstrip(".")
        found.append({"path": str(path), "megabytes": round(path.stat().st_size / 1e6, 1), "error": error})
    return found


def _musicgen() -> str | None:
    """Where MusicGen's weights are that `medicine render` would take, or why they are not; None where none are."""
    from affectgen.medicine.musicgen.folder import known_musicgen

    try:
        found = known_musicgen()
    except AffectgenError as error:  # $AFFECTGEN_MUSICGEN names what is none
        return error.message
    return None if found is None else str(found.folder)


def _speech() -> dict[str, Any]:
    """What could say new words: the built-in synthesiser that `speech edit` would take, and installed engines."""
    from affectgen.speech.editing.engines import engine_names

    says = None
    if _version("espeakng-loader") is not None or shutil.which("espeak-ng") is not None:
        says = "espeak-ng"
    elif shutil.which("flite") is not None:
        says = "flite"
    return {"words": says, "engines": engine_names()}


def _silent() -> list[str]:
    """What is wrong with the built-in piano."""
    from affectgen.audio.bank import Bank

    try:
        Bank()
    except AffectgenError as error:
        return [error.message.rstrip(".")]
    return []


def _presets() -> dict[str, Any]:
    """The presets that can be named, those that cannot be used with the reason, and where they are looked for."""
    from affectgen.batch.presets.preset import Damaged, list_presets
    from affectgen.cli.jobs import command_specs

    good, damaged = [], {}
    for one in list_presets(command_specs()):
        if isinstance(one, Damaged):
            damaged[one.name] = one.error.message.rstrip(".")
        else:
            good.append(one.name)
    return {"folders": [str(root) for root in preset_roots()], "names": good, "damaged": damaged}


def _temporary() -> dict[str, Any]:
    """The folder of temporary files ($TMPDIR), the bytes free there, and why there is none."""
    try:
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return {"folder": None, "free": None, "error": f"no folder for temporary files: {error.strerror or error}"}
    return {"folder": folder, "free": free, "error": None}


def _tight(temporary: dict[str, Any]) -> list[str]:
    """A warning where little space is left."""
    free = temporary["free"]
    if free is None or free >= LITTLE:
        return []
    return [f"{free / 1e6:.0f} MB are free in {temporary['folder']}; name another folder in TMPDIR for long sessions"]


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
