"""The task `medicine render` as the upper floors know it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from affectgen.medicine.render_options import MedicineOptions
from affectgen.spooled import Spooled
from affectgen.task import Result

if TYPE_CHECKING:
    from affectgen.medicine.clips import Made
    from affectgen.medicine.plan import Plan


@dataclass(frozen=True)
class MedicineTask:
    """`medicine render`."""

    name: str = "medicine render"
    options: type[Any] = MedicineOptions

    def load(self, checkpoint: str | None, device: str) -> MedicineRunner:
        """checkpoint: of the composer, None for its own; its weights are read by the processes that compose."""
        return MedicineRunner(checkpoint)


@dataclass(frozen=True)
class MedicineRunner:
    """The task with the composer's checkpoint."""

    checkpoint: str | None

    def run(self, options: Sequence[MedicineOptions]) -> list[Result]:
        """One session for each."""
        return [self._one(replace(option, checkpoint=self.checkpoint)) for option in options]

    def _one(self, option: MedicineOptions) -> Result:
        from pathlib import Path

        from affectgen.audio.finish import finish
        from affectgen.medicine.clips import Clips
        from affectgen.medicine.plan import make_plan, read_plan
        from affectgen.medicine.session import make_clips, mixed_session, work_folder

        plan = make_plan(option) if option.plan is None else read_plan(option.plan)
        font = None if option.soundfont is None else Path(option.soundfont)
        data = Spooled.empty(option.encoding.format.suffixes[0])
        with work_folder(option.clips) as home:
            made = make_clips(option, plan, home, font, _progress)
            with mixed_session(option, plan, Clips(home, {})) as spool:
                done = finish(spool, option.level, option.encoding, data.path)
            Clips(home, {}).remove()
        rate = option.encoding.rate
        details = {
            "seconds": round(done.frames / rate, 3), "frames": done.frames, "rate": rate, "channels": 2,
            "engine": option.engine, "plan": plan.to_json(), "clips": [_told(one) for one in made], "level": done.facts,
        }  # fmt: skip
        checkpoint = made[0].details["checkpoint"]
        return Result(
            data=data, suffix=option.encoding.format.suffixes[0], asked=plan.path().to_json(), measured={},
            details=details, checkpoint=checkpoint, summary=(_line(plan, made),),
        )  # fmt: skip


def _told(made: Made) -> dict[str, Any]:
    return {"clip": made.number, "measured": dict(made.measured), **made.details}


def _line(plan: Plan, made: Sequence[Made]) -> str:
    """How many clips there are, and how far the guide hears them from their targets."""
    from affectgen.affect import Affect

    pairs = zip(plan.clips, made, strict=True)
    away = [clip.affect.distance(Affect(one.measured["valence"], one.measured["arousal"])) for clip, one in pairs]
    return f"{plan.seconds:.1f} s, {len(made)} clips, {sum(away) / len(away):.2f} from their targets by the guide"


def _progress(done: int, total: int) -> None:
    """How many clips are done, on one line of a terminal's standard error."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\rclip {done} of {total}" + ("\n" if done == total else ""))
        sys.stderr.flush()


RENDER = MedicineTask()
