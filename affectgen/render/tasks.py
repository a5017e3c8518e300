"""The task `render` as the upper floors know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from affectgen.render.options import RenderOptions
from affectgen.spooled import Spooled
from affectgen.task import Result

if TYPE_CHECKING:
    from affectgen.render.sound import Heard


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
        from affectgen.audio.finish import finish, spooled
        from affectgen.audio.spool import Spool
        from affectgen.render.sound import Heard, player_for, sound_of

        player, heard, encoding = player_for(option), Heard(), option.encoding
        data = Spooled.empty(encoding.format.suffixes[0])
        with Spool(encoding.rate, 2) as spool:
            done = finish(spooled(sound_of(option, player, heard), spool), option.level, encoding, data.path)
        measured = _measured(data, heard) if option.measure else {}
        details = {
            "seconds": round(done.frames / encoding.rate, 3), "frames": done.frames, "rate": encoding.rate,
            "channels": 2, "renderer": player.facts() if heard.played else None, "notes": heard.notes,
            "level": done.facts, "warnings": list(heard.warnings),
        }  # fmt: skip
        return Result(
            data=data, suffix=encoding.format.suffixes[0], asked=None, measured=measured, details=details,
            checkpoint={}, summary=tuple(_summary(details, done.facts)),
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


def _measured(data: Spooled, heard: Heard) -> dict[str, Any]:
    """The emotion of the finished sound; empty, with a warning, where none can be read."""
    from affectgen.recognize.measured import measure_result
    from affectgen.recognize.rate import RateSettings

    measured, warnings = measure_result(data.path, "the sound", RateSettings("music"))
    for text in warnings:
        heard.warn(text)
    return measured


RENDER = RenderTask()
