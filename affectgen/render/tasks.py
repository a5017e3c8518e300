"""The task `render` as the upper floors know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from affectgen.render.options import RenderOptions
from affectgen.spooled import Spooled
from affectgen.task import Result


@dataclass(frozen=True)
class RenderTask:
    """`render`. It needs no checkpoint and runs on the CPU."""

    name: str = "render"
    options: type[Any] = RenderOptions

    def load(self, checkpoint: str | None, device: str) -> RenderRunner:
        """Nothing is read before the first file."""
        return RenderRunner()


@dataclass(frozen=True)
class RenderRunner:
    """Renders one request after the other."""

    def run(self, options: Sequence[RenderOptions]) -> list[Result]:
        """One file for each."""
        return [self._one(option) for option in options]

    def _one(self, option: RenderOptions) -> Result:
        from affectgen.audio.level import levelled
        from affectgen.audio.spool import Spool
        from affectgen.audio.write import write_sound
        from affectgen.render.sound import Heard, player_for, sound_of

        player, heard, encoding = player_for(option), Heard(), option.encoding
        data = Spooled.empty(encoding.format.suffixes[0])
        with Spool(encoding.rate, 2) as spool:
            for block in sound_of(option, player, heard):
                spool.write(block)
            level = levelled(spool, option.level)
            frames = write_sound(data.path, level.blocks(), encoding)
        details = {
            "seconds": round(frames / encoding.rate, 3), "frames": frames, "rate": encoding.rate, "channels": 2,
            "renderer": player.facts() if heard.played else None, "notes": heard.notes, "level": level.to_json(),
            "warnings": list(heard.warnings),
        }  # fmt: skip
        measured = _measured(data) if option.measure else {}
        return Result(
            data=data, suffix=encoding.format.suffixes[0], asked=None, measured=measured, details=details,
            checkpoint={}, summary=tuple(_summary(details, level.to_json())),
        )  # fmt: skip


def _summary(details: dict[str, Any], level: dict[str, Any]) -> list[str]:
    """Lines for a person."""
    player = details["renderer"]["name"] if details["renderer"] is not None else None
    loudness = "silent" if level["true_peak"] is None else f"{level['true_peak']:.1f} dBTP"
    if level["loudness"] is not None:
        loudness = f"{level['loudness']:.1f} LUFS, {loudness}"
    parts = [f"{details['seconds']:.1f} s", loudness, *([_played(details["notes"], player)] if player else [])]
    lines = [", ".join(parts)]
    if level["note"] is not None:
        lines.append(f"loudness: {level['note']}")
    return lines + [f"Warning: {text}" for text in details["warnings"]]


def _played(notes: int, player: str) -> str:
    return f"{notes} {'note' if notes == 1 else 'notes'} by {player}"


def _measured(data: Spooled) -> dict[str, Any]:
    """The emotion of the finished sound, as `affectgen rate` reads it; empty where it is silent."""
    from affectgen.errors import AudioError
    from affectgen.recognize.items import Item
    from affectgen.recognize.rate import Rater, RateSettings

    try:
        reading = Rater(RateSettings("music")).rate(Item("the sound", data.path)).reading
    except AudioError:  # silence, which carries no emotion to be read
        return {}
    if reading is None:
        return {}
    affect = reading.affect
    point = {"valence": round(affect.valence, 4), "arousal": round(affect.arousal, 4), "quadrant": reading.quadrant}
    return {"recogniser": "recogniser", **point}


RENDER = RenderTask()
