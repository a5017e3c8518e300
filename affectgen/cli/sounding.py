"""The sound beside a piece: what `--audio` adds to every command that makes MIDI."""

from __future__ import annotations

import os
from typing import Any

import click

from affectgen import __version__
from affectgen.errors import UsageError
from affectgen.manifest import Setting

VARIABLES = {"renderer": "AFFECTGEN_RENDERER", "soundfont": "AFFECTGEN_SOUNDFONT", "loudness": "AFFECTGEN_LOUDNESS"}


def plan_sound(ctx: click.Context) -> dict[str, Setting]:
    """What sound beside a piece is made like: the defaults of `render`, the affect and the command as tags, and what
    the environment says. Called before anything is composed: AffectgenError where it cannot be had.
    """
    from affectgen.render.options import RenderOptions
    from affectgen.render.sound import choose_player

    found: dict[str, Setting] = {}
    for name, text in (("title", _title(ctx)), ("comment", f"affectgen {__version__}: {' '.join(ctx.obj['argv'])}")):
        found[name] = Setting(text.encode("utf-8", "replace").decode(), "default")  # a file's name need not be UTF-8
    said = {name: os.environ.get(variable, "") for name, variable in VARIABLES.items()}
    if said["loudness"]:
        found["loudness"] = Setting(_loudness(said["loudness"]), "environment")
    player = choose_player(_renderer(said["renderer"]), said["soundfont"] if said["soundfont"] else None)
    where = {name: "environment" if said[name] else "default" for name in ("renderer", "soundfont")}
    found["renderer"] = Setting(player.name, where["renderer"])
    found["soundfont"] = Setting(None if player.font is None else str(player.font), where["soundfont"])
    RenderOptions((b"",), **{name: setting.value for name, setting in found.items()})  # checks the values
    return found


def _renderer(text: str) -> str:
    from affectgen.audio.options import RENDERERS

    if text and text not in RENDERERS:
        raise UsageError(
            f"{VARIABLES['renderer']} holds {text!r}, which is no renderer.", f"Use one of {', '.join(RENDERERS)}."
        )
    return text if text else "auto"


def _loudness(text: str) -> float | None:
    try:
        return None if text == "off" else float(text)
    except ValueError as error:
        variable = VARIABLES["loudness"]
        raise UsageError(f"{variable} holds {text!r}, which is no loudness.", "Use LUFS, -70 to -5, or off.") from error


def _title(ctx: click.Context) -> str:
    """The affect as it was asked for; as everywhere, two numbers stand above a word of the environment."""
    affect: Any = ctx.params.get("affect")
    point = [ctx.params.get(name) for name in ("valence", "arousal")]
    if None not in point:
        return f"{point[0]:g},{point[1]:g}"
    return "" if affect is None else str(affect)
