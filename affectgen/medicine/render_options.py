"""What can be asked of the task `medicine render`. A frozen dataclass that checks its own values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from affectgen.audio.formats import Encoding, Tags, format_named
from affectgen.audio.level import Level
from affectgen.audio.reverb import SPACES
from affectgen.errors import UsageError
from affectgen.medicine.options import PlanOptions

ENGINES = ("symbolic",)
COMPOSERS = ("emogen generate", "muser generate")
RENDERERS = ("auto", "fluidsynth", "piano")
REVERBS = ("none", *SPACES)
MOST_JOBS = 64


@dataclass(frozen=True)
class MedicineOptions(PlanOptions):
    """One session to render.

    plan: a plan file, instead of the options that make one; seed: of everything that is drawn; engine: what makes the
    clips, one of ENGINES; composer: of the symbolic engine, one of COMPOSERS; checkpoint: of the composer; best_of:
    candidates for a clip; tries: clips made at most for one target; near: distance from the target, as the guide hears
    it, that is near enough; jobs: processes; clips: folder that finished clips are kept in, None for a temporary one;
    renderer, soundfont, format, bits, rate, quality, loudness, ceiling, reverb, title, artist, comment: as of `render`.
    """

    plan: Path | bytes | None = None
    seed: int = 0
    engine: str = "symbolic"
    composer: str = "emogen generate"
    checkpoint: str | None = None
    best_of: int = 4
    tries: int = 2
    near: float = 0.5
    jobs: int = 1
    clips: str | None = None
    renderer: str = "auto"
    soundfont: str | None = None
    format: str = "wav"
    bits: str | None = None
    rate: int | None = None
    quality: str = "normal"
    loudness: float | None = -16.0
    ceiling: float = -1.0
    reverb: str = "none"
    title: str = ""
    artist: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        if self.plan is None:
            super().__post_init__()
        elif self.start is not None or self.goal is not None or self.path is not None:
            raise UsageError("A plan file came with --from, --to or --path.", "Give one of them.")
        for name, value, known in (
            ("engine", self.engine, ENGINES), ("composer", self.composer, COMPOSERS),
            ("renderer", self.renderer, RENDERERS), ("reverb", self.reverb, REVERBS),
        ):  # fmt: skip
            if value not in known:
                raise UsageError(f"{value!r} is no {name}.", f"Use one of {', '.join(known)}.")
        for option, number, low, high in (
            ("--best-of", self.best_of, 1, 64), ("--tries", self.tries, 1, 64), ("--jobs", self.jobs, 1, MOST_JOBS),
            ("--near", self.near, 0.0, 3.0), ("--seed", self.seed, 0, 2**31 - 1),
        ):  # fmt: skip
            if not low <= number <= high:
                raise UsageError(f"{option} got {number:g}; expected {low:g} to {high:g}.", "Give one in that range.")
        self.encoding  # noqa: B018 - checks its own values, as does the level
        self.level  # noqa: B018

    @property
    def encoding(self) -> Encoding:
        """How the file is written. UsageError for bits, rate or quality that the format lacks."""
        kind = format_named(self.format)
        rate = self.rate if self.rate is not None else kind.rates[0]
        return Encoding(kind, self.bits, rate, self.quality, Tags(self.title, self.artist, self.comment))

    @property
    def level(self) -> Level:
        """The loudness and the ceiling. UsageError out of range."""
        return Level(self.loudness, self.ceiling)
