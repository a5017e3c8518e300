"""What can be asked of the task `medicine render`. A frozen dataclass that checks its own values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from affectgen.audio.options import SoundOptions, one_of
from affectgen.errors import UsageError
from affectgen.medicine.options import DrawOptions, PlanOptions
from affectgen.task import LARGEST_SEED
from affectgen.writing.options import MOST_CANDIDATES, within

ENGINES = ("symbolic", "musicgen")
COMPOSERS = ("emogen generate", "muser generate")
MOST_JOBS = 64


@dataclass(frozen=True)
class MedicineOptions(PlanOptions, DrawOptions, SoundOptions):
    """One session to render.

    plan: a plan file, instead of the options that make one; seed: of everything that is drawn; engine: what makes the
    clips, one of ENGINES; composer: of the symbolic engine, one of COMPOSERS; checkpoint: of the composer; best_of:
    candidates for a clip; tries: clips made at most for one target; near: distance from the target, as the guide hears
    it, that is near enough; jobs: processes of the symbolic engine; clips: folder that finished clips are kept in and
    stay in, None for a temporary one.
    """

    plan: Path | bytes | None = None
    seed: int = 0
    engine: str = "symbolic"
    composer: str = "emogen generate"
    checkpoint: str | None = None
    best_of: int = 4
    tries: int = 2
    near: float = 0.7
    jobs: int = 1
    clips: str | None = None

    def __post_init__(self) -> None:
        if self.plan is None:
            PlanOptions.__post_init__(self)
        elif self.start is not None or self.goal is not None or self.path is not None:
            raise UsageError("A plan file came with --from, --to or --path.", "Give one of them.")
        SoundOptions.__post_init__(self)
        one_of("engine", self.engine, ENGINES)
        one_of("composer", self.composer, COMPOSERS)
        within("--best-of", self.best_of, 1, MOST_CANDIDATES)
        within("--tries", self.tries, 1, MOST_CANDIDATES)
        within("--jobs", self.jobs, 1, MOST_JOBS)
        within("--near", self.near, 0.0, 3.0)
        within("--seed", self.seed, 0, LARGEST_SEED)
        DrawOptions.__post_init__(self)
        if self.transition == "continue":
            self._check_stream()

    def _check_stream(self) -> None:
        if self.engine != "musicgen":
            raise UsageError("--transition continue came with composed clips.", "It needs --engine musicgen.")
        if self.plan is None and self.overlap > 0:
            raise UsageError("--transition continue came with an --overlap.", "Clips go on without one: --overlap 0.")
