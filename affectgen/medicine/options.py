"""What can be asked of a session. Frozen dataclasses that check their own values; nothing heavy is imported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from affectgen.affect import Affect, AffectPath
from affectgen.errors import UsageError
from affectgen.writing.options import within

DYNAMICS = ("none", "first", "second")
ROUTES = ("plane", "circle")
LEAST_MINUTES, MOST_MINUTES = 0.5, 240.0
LEAST_CLIP, MOST_CLIP = 5.0, 120.0  # seconds
MOST_OVERLAP = 10.0  # seconds
BACKENDS = ("transformers", "audiocraft")
PRECISIONS = ("auto", "float32", "bfloat16")
TRANSITIONS = ("crossfade", "continue")
MOST_CLIPS = 1000
MOST_BATCH = 256
STRIDE = 7919  # between the seeds of two tries of one clip
MOST_TOP_K = 100_000


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """How MusicGen draws clips.

    model: name or folder of the weights, None for those that are found; backend: what runs them, one of BACKENDS;
    precision: of the arithmetic with transformers, one of PRECISIONS, "auto" for what is fast; adapter: folder of LoRA
    weights; batch: clips drawn at once; transition: one of TRANSITIONS; guidance: how far
    beyond what would be written unasked, 1 for none; temperature: 0 takes the likeliest; top_k: codes to draw among, 0
    for all.
    """

    model: str | None = None
    backend: str = "transformers"
    precision: str = "auto"
    adapter: str | None = None
    batch: int = 4
    transition: str = "crossfade"
    guidance: float = 3.0
    temperature: float = 1.0
    top_k: int = 250

    def __post_init__(self) -> None:
        _among("--backend", self.backend, BACKENDS)
        _among("--precision", self.precision, PRECISIONS)
        if self.precision != "auto" and self.backend == "audiocraft":
            raise UsageError("--precision came with --backend audiocraft, which has its own.", "Leave it out.")
        _among("--transition", self.transition, TRANSITIONS)
        within("--batch", self.batch, 1, MOST_BATCH)
        within("--guidance", self.guidance, 1.0, 20.0)
        within("--temperature", self.temperature, 0.0, 10.0)
        within("--top-k", self.top_k, 0, MOST_TOP_K)


def _among(option: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"{option} got {value!r}.", f"Use one of {', '.join(known)}.")


@dataclass(frozen=True)
class PlanOptions:
    """A session to plan: from one emotion to another on the iso principle, or along a path.

    start, goal: emotions as `Affect.parse` reads them; path: instead, as `AffectPath.parse` reads it; minutes: of the
    whole session; clip: seconds of a clip, at most; overlap: seconds that neighbours share; dwell, match: shares of the
    session at the goal and at the start; bound: longest step from clip to clip, None for none; route: straight
    ("plane") or around neutral ("circle"); dynamics: inertia of the state, one of DYNAMICS; inertia: its time constant
    as a share of the session; style: words that every clip's prompt ends with.
    """

    start: str | None = None
    goal: str | None = None
    path: str | None = None
    minutes: float = 15.0
    clip: float = 30.0
    overlap: float = 2.0
    dwell: float = 0.25
    match: float = 0.1
    bound: float | None = 0.35
    route: str = "plane"
    dynamics: str = "none"
    inertia: float = 0.05
    style: str = "solo piano"

    def __post_init__(self) -> None:
        if self.path is not None and (self.start is not None or self.goal is not None):
            raise UsageError("--path came with --from or --to.", "Give a path, or a start and a goal.")
        if self.path is None and (self.start is None or self.goal is None):
            raise UsageError("A session needs a start and a goal.", "Give --from and --to, or a --path.")
        for text in (self.start, self.goal):
            if text is not None:
                Affect.parse(text)
        if self.path is not None:
            AffectPath.parse(self.path)
        within("--minutes", self.minutes, LEAST_MINUTES, MOST_MINUTES)
        within("--clip", self.clip, LEAST_CLIP, MOST_CLIP)
        within("--overlap", self.overlap, 0.0, min(MOST_OVERLAP, self.clip / 3))
        within("--inertia", self.inertia, 0.001, 0.5)
        _among("--route", self.route, ROUTES)
        _among("--dynamics", self.dynamics, DYNAMICS)
        if self.count > MOST_CLIPS:
            told = f"--minutes {self.minutes:g} takes {self.count} clips of {self.clip:g} s"
            raise UsageError(f"{told}; {MOST_CLIPS} at most are made.", "Take fewer minutes, or a longer --clip.")
        if self.count < 2:
            shortest = 2 * self.clip - self.overlap
            raise UsageError(
                f"--minutes {self.minutes:g} holds no two clips of {self.clip:g} s.",
                f"Give at least {shortest / 60:.2g} minutes, or a shorter --clip.",
            )

    @property
    def seconds(self) -> float:
        """Length of the session."""
        return self.minutes * 60

    @property
    def count(self) -> int:
        """How many clips of at most `clip` seconds fill the session, neighbours overlapping."""
        return math.ceil((self.seconds - self.overlap) / (self.clip - self.overlap) - 1e-9)

    @property
    def clip_seconds(self) -> float:
        """How long each clip is, so that they end exactly with the session."""
        return (self.seconds + self.overlap * (self.count - 1)) / self.count
