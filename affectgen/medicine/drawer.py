"""What drawing clips side by side and in turn have in common: what is asked of a clip, how it is heard and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from affectgen.affect import Affect
from affectgen.audio.files import Frames
from affectgen.errors import AffectgenError
from affectgen.medicine.clips import Clips, Made
from affectgen.medicine.mix import fitted
from affectgen.medicine.musicgen.interface import MusicGen, Row, Sampling
from affectgen.medicine.render_options import MedicineOptions
from affectgen.medicine.sounds import heard, stereo

STRIDE = 7919  # between the seeds of two tries of one clip
CONTEXT_SECONDS = 5.0  # of the clip before, that the next one goes on from
SETTINGS = ("tries", "near", "transition", "temperature", "top_k", "guidance")


@dataclass(frozen=True)
class Asked:
    """A clip to be drawn. number: from 1; prompt: in words; affect: (valence, arousal); frames: samples that it shall
    have; seed; after: the key of the clip that it goes on from, "" for none."""

    number: int
    prompt: str
    affect: tuple[float, float]
    frames: int
    seed: int
    after: str = ""

    def row(self, attempt: int, start: Tensor | None = None) -> Row:
        """What the model is asked for, the first time (0) or again."""
        return Row(self.prompt, self.affect, self.seed + STRIDE * attempt, start)


class Drawer:
    """A model and the folder of one session's clips. batch: clips that are drawn at once; halved when memory runs
    out."""

    def __init__(self, options: MedicineOptions, home: Path, model: MusicGen) -> None:
        self.options, self.model = options, model
        self.rate = options.encoding.rate
        self.sampling = Sampling(options.temperature, options.top_k, options.guidance)
        settings = {"engine": "musicgen", "rate": self.rate, "backend": model.backend, **model.identity}
        self.clips = Clips(home, {**settings, **{name: getattr(options, name) for name in SETTINGS}})
        self.batch = options.batch

    def check(self, frames: int) -> None:
        """AffectgenError where a clip of so many samples is more than the model writes at once."""
        shape = self.model.shape
        more = CONTEXT_SECONDS if self.options.transition == "continue" else 0.0
        if shape.frames(frames / self.rate + more) > shape.most_frames:
            longest = int(shape.most_frames / shape.frame_rate - more)
            text = f"Clips of {frames / self.rate:.1f} s are longer than this model writes at once"
            raise AffectgenError(f"{text} ({longest} s).", f"Use --clip {longest} or less.")

    def heard(self, one: Asked, attempt: int, sound: Frames) -> Made:
        """What a draw became; sound: at the model's rate."""
        details: dict[str, Any] = {"seed": one.seed + STRIDE * attempt, "tries": attempt + 1, "batch": self.batch}
        return Made(one.number, heard(sound, self.model.shape.rate), details)

    def miss(self, made: Made, one: Asked) -> float:
        """How far the guide hears it from its target."""
        return Affect(*one.affect).distance(Affect(made.measured["valence"], made.measured["arousal"]))

    def keep(self, one: Asked, made: Made, sound: Frames) -> None:
        """Put a finished clip into the folder."""
        at_rate = fitted(stereo(sound, self.model.shape.rate, self.rate), one.frames, self.rate)
        self.clips.keep(made, self.clips.key(one), at_rate, self.rate, None)
