"""The task `medicine render` as the upper floors know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectgen.medicine.render_options import MedicineOptions
from affectgen.progress import tell
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
        """checkpoint: of the composer, None for its own; its weights are read by the processes that compose. device: of
        MusicGen."""
        return MedicineRunner(checkpoint, device)


@dataclass(frozen=True)
class MedicineRunner:
    """The task with the composer's checkpoint. device: of MusicGen, which is loaded when it is wanted."""

    checkpoint: str | None
    device: str = "cpu"

    def run(self, options: Sequence[MedicineOptions]) -> list[Result]:
        """One session for each."""
        return [self._one(replace(option, checkpoint=self.checkpoint)) for option in options]

    def _one(self, option: MedicineOptions) -> Result:
        from affectgen.audio.finish import finish
        from affectgen.medicine.clips import Clips
        from affectgen.medicine.plan import check_stream, make_plan, read_plan
        from affectgen.medicine.session import mixed_session, work_folder

        plan = make_plan(option) if option.plan is None else read_plan(option.plan)
        check_stream(plan, option.transition)
        data = Spooled.empty(option.encoding.format.suffixes[0])
        with work_folder(option.clips, option.seed) as home:
            made, engine, warnings = self._clips(option, plan, home)
            with mixed_session(option, plan, Clips(home, {})) as spool:
                done = finish(spool, option.level, option.encoding, data.path)
        rate = option.encoding.rate
        details = {
            "seconds": round(done.frames / rate, 3), "frames": done.frames, "rate": rate, "channels": 2,
            "engine": option.engine, **engine, "plan": plan.to_json(), "clips": [_told(one) for one in made],
            "level": done.facts,
        }  # fmt: skip
        checkpoint = made[0].details.get("checkpoint", {})
        return Result(
            data=data, suffix=option.encoding.format.suffixes[0], asked=plan.path().to_json(), measured={},
            details=details, checkpoint=checkpoint,
            summary=(_line(plan, made), *(f"note: {warning}" for warning in warnings)),
        )  # fmt: skip

    def _clips(
        self, option: MedicineOptions, plan: Plan, home: Path
    ) -> tuple[list[Made], dict[str, Any], Sequence[str]]:
        """The clips by the engine asked for, what the manifest says of it, and what a person should know of it."""
        from functools import partial

        if option.engine == "symbolic":
            from affectgen.medicine.session import make_clips

            font = None if option.soundfont is None else Path(option.soundfont)
            return make_clips(option, plan, home, font, partial(tell, "clip")), {}, ()
        from affectgen.medicine.drawn import draw_clips
        from affectgen.medicine.musicgen.backend import load_musicgen

        adapter = None if option.adapter is None else Path(option.adapter)
        model = load_musicgen(option.model, option.backend, self.device, adapter, precision=option.precision)
        made = draw_clips(option, plan, home, model, partial(tell, "clip"))
        return made, {"musicgen": {"backend": model.backend, **model.identity}}, model.warnings


def _told(made: Made) -> dict[str, Any]:
    return {"clip": made.number, "measured": dict(made.measured), **made.details}


def _line(plan: Plan, made: Sequence[Made]) -> str:
    """How many clips there are, and how far the guide hears them from their targets."""
    from affectgen.affect import Affect

    pairs = zip(plan.clips, made, strict=True)
    away = [clip.affect.distance(Affect(one.measured["valence"], one.measured["arousal"])) for clip, one in pairs]
    return f"{plan.seconds:.1f} s, {len(made)} clips, {sum(away) / len(away):.2f} from their targets by the guide"


RENDER = MedicineTask()
