"""What drawing clips side by side and in turn have in common: what is asked of a clip, how it is heard and kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from affectgen.affect import Affect
from affectgen.audio.files import Frames
from affectgen.errors import AffectgenError
from affectgen.medicine.clips import Clips, Made
from affectgen.medicine.mix import fitted
from affectgen.medicine.musicgen.interface import MusicGen, Row, Sampling
from affectgen.medicine.options import STRIDE
from affectgen.medicine.render_options import MedicineOptions
from affectgen.medicine.sounds import heard, stereo

CONTEXT_SECONDS = 5.0  # of the clip before, that the next one goes on from
SAVE_SECONDS = 20.0  # between two times that a begun batch is kept
SETTINGS = ("precision", "tries", "near", "transition", "temperature", "top_k", "guidance")


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


class Begun:
    """Keeps what is written of a batch, every SAVE_SECONDS, and finds it again after an interrupt.

    clips: with the try that each is at; behind: frames of codes that they start from, which are not kept.
    """

    def __init__(self, clips: Clips, group: Sequence[tuple[Asked, int]], behind: int = 0) -> None:
        self.clips, self.behind = clips, behind
        self.keys = [(one.number, f"{clips.key(one)} {attempt}") for one, attempt in group]
        self.since = time.monotonic()

    def found(self) -> list[Tensor] | None:
        """The first codes [K, T] of every clip, of one length; None where one has none."""
        kept = [self.clips.find_begun(number, key) for number, key in self.keys]
        codes = [torch.from_numpy(one) for one in kept if one is not None]
        if len(codes) < len(kept):
            return None
        shortest = min(one.shape[1] for one in codes)
        return [one[:, :shortest] for one in codes]

    def watch(self, first: int, codes: Tensor) -> None:
        """Of the clips from `first` on, [B, K, T] is written."""
        if time.monotonic() - self.since < SAVE_SECONDS or codes.shape[-1] <= self.behind:
            return
        self.since = time.monotonic()
        for (number, key), own in zip(self.keys[first:], codes[:, :, self.behind :], strict=False):
            self.clips.keep_begun(number, key, own.numpy())


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

    def is_done(self, one: Asked, made: Made, tries: int) -> bool:
        """Whether a clip needs no further draw after so many."""
        return self.miss(made, one) <= self.options.near or tries >= self.options.tries

    def key(self, one: Asked, tries: int | None = None) -> str:
        """What identifies a finished clip, or one that was drawn so often and is not near enough yet."""
        return self.clips.key(one) if tries is None else f"{self.clips.key(one)} after {tries}"

    def kept(self, one: Asked) -> tuple[Made | None, int | None]:
        """A clip of the folder: finished (tries None), or the nearest of so many draws; (None, None) for neither."""
        made = self.clips.find(one.number, self.key(one))
        if made is not None:
            return made, None
        for tries in range(self.options.tries - 1, 0, -1):
            made = self.clips.find(one.number, self.key(one, tries))
            if made is not None:
                return made, tries
        return None, None

    def settle(self, one: Asked, attempt: int, sound: Frames, before: Made | None) -> Made:
        """Keep the nearer of a draw and what was drawn before, and return it."""
        made = self.heard(one, attempt, sound)
        if before is None or self.miss(made, one) < self.miss(before, one):
            at_rate = fitted(stereo(sound, self.model.shape.rate, self.rate), one.frames, self.rate)
            self.clips.keep_sound(one.number, at_rate, self.rate)
        else:
            made = before
        done = self.is_done(one, made, attempt + 1)
        self.clips.mark(made, self.key(one, None if done else attempt + 1))
        return made
