"""`affectgen evaluate medicine`: whether sessions go where they were sent, and whether their seams are heard.

Starts and goals are drawn at random, at least APART from each other. Clips are judged as notes, by the judge, which
chose nothing; seams are measured on the finished sound.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect
from affectgen.audio.files import Frames
from affectgen.audio.level import levelled
from affectgen.audio.loudness import mean_loudness
from affectgen.errors import AffectError
from affectgen.evaluate.figures import Figure, Report
from affectgen.medicine.clips import Clips, Made
from affectgen.medicine.plan import Plan, make_plan
from affectgen.medicine.render_options import MedicineOptions
from affectgen.medicine.session import grid_of, make_clips, mixed_session

Say = Callable[[str], None]
Floats = NDArray[np.float64]
APART = 0.8  # distance of a start from its goal, at least
SIDE_SECONDS = 3.0  # of a seam, whose loudness is compared
RATE = 44_100  # of a session that is measured
FLUX_HOP, FLUX_WINDOW = 441, 1024  # samples
SEAM_SECONDS = 0.05  # around the places of a seam at which a click could be
LOUDEST = 0.95  # rank of spectral flux from which a seam may be heard


@dataclass(frozen=True)
class Settings:
    """pairs: of start and goal; minutes: of each session; seed: the first; best_of, tries: as of the command; quick."""

    pairs: int = 20
    minutes: float = 6.0
    seed: int = 1000
    best_of: int = 4
    tries: int = 2
    composer: str = "emogen generate"
    quick: bool = False


@dataclass(frozen=True)
class Session:
    """What was measured of one session. asked, judged: [clips, 2]; own, start: whether each clip is nearer its target;
    steps: LU between the sides of each seam; ranks: the share of places inside the clips that have less spectral flux
    than each seam; exact: whether the sound has the length asked."""

    asked: Floats
    judged: Floats
    nearer: NDArray[np.bool_]
    steps: Floats
    ranks: Floats
    exact: bool


def run(checkpoint: str | None, settings: Settings, jobs: int, say: Say) -> Report:
    """Render and measure every session."""
    chance = np.random.default_rng(settings.seed)
    sessions = []
    for number in range(settings.pairs):
        options = _drawn(chance, settings, settings.seed + number, checkpoint, jobs)
        say(f"session {number + 1} of {settings.pairs}: {options.start} to {options.goal}")
        sessions.append(_session(options))
    about = {
        "checkpoint": checkpoint if checkpoint is not None else settings.composer, "pairs": settings.pairs,
        "minutes": settings.minutes, "seeds from": settings.seed, "best of": settings.best_of, "tries": settings.tries,
    }  # fmt: skip
    if settings.quick:
        about["quick"] = True
    return Report("Medicine", about, _figures(sessions))


def _drawn(
    chance: np.random.Generator, settings: Settings, seed: int, checkpoint: str | None, jobs: int
) -> MedicineOptions:
    """A session between two random points that is long enough for its steps."""
    while True:
        start, goal = (Affect(*chance.uniform(-0.8, 0.8, 2).round(2).tolist()) for _ in range(2))
        if start.distance(goal) < APART:
            continue
        options = MedicineOptions(
            str(start), str(goal), minutes=settings.minutes, seed=seed, best_of=settings.best_of, tries=settings.tries,
            composer=settings.composer, checkpoint=checkpoint, jobs=jobs, renderer="piano",
        )  # fmt: skip
        try:
            make_plan(options)
        except AffectError:  # too far apart for the session's length
            continue
        return options


def _session(options: MedicineOptions) -> Session:
    plan = make_plan(options)
    with tempfile.TemporaryDirectory(prefix="affectgen-") as folder:
        home = Path(folder) / "clips"
        made = make_clips(options, plan, home, None, lambda done, total: None)
        with mixed_session(options, plan, Clips(home, {})) as spool:
            sound = np.concatenate(list(levelled(spool, options.level).blocks()))
    return _measured(plan, made, sound, options.encoding.rate)


def _measured(plan: Plan, made: Sequence[Made], sound: Frames, rate: int) -> Session:
    asked = np.array([(clip.affect.valence, clip.affect.arousal) for clip in plan.clips])
    judged = np.array([_judged(one) for one in made])
    own, start = np.hypot(*(judged - asked).T), np.hypot(*(judged - asked[0]).T)
    moved = np.hypot(*(asked - asked[0]).T) > 0
    steps, ranks = seams(sound, plan, rate)
    exact = len(sound) == round(plan.seconds * rate)
    return Session(asked, judged, (own < start)[moved], steps, ranks, exact)


def _judged(made: Made) -> tuple[float, float]:
    held: Any = made.measured["judge"]
    return held["valence"], held["arousal"]


def seams(sound: Frames, plan: Plan, rate: int) -> tuple[Floats, Floats]:
    """Of each seam: how many LU its two sides differ by, and the rank, 0 to 1, of its spectral flux among those of all
    places inside the two clips that it joins: of a click 1, of a seam like any other place on average .5.

    The flux of a place is the highest within 50 ms at the start, middle or end of a crossfade that would lie there.
    """
    grid = grid_of(plan, rate)
    half = grid.overlap // 2
    flux = _most_near(spectral_flux(sound), half)
    ends = [*grid.starts, grid.length]
    side = round(SIDE_SECONDS * rate)
    steps, ranks = [], []
    for index in range(1, len(grid.starts)):
        middle = grid.starts[index] + half
        before, after = sound[middle - side : middle], sound[middle : middle + side]
        steps.append(abs(mean_loudness(before, rate) - mean_loudness(after, rate)))
        inside = [_inside(flux, ends[n] + 2 * grid.overlap, ends[n + 1] - grid.overlap) for n in (index - 1, index)]
        own = flux[min(middle // FLUX_HOP, len(flux) - 1)]
        ranks.append(float((np.concatenate(inside) < own).mean()))
    return np.array(steps), np.array(ranks)


def _inside(flux: Floats, first: int, last: int) -> Floats:
    """The flux between two samples."""
    return flux[first // FLUX_HOP : max(last // FLUX_HOP, first // FLUX_HOP + 1)]


def _most_near(flux: Floats, half: int) -> Floats:
    """Of every frame the highest flux within SEAM_SECONDS of it, or of `half` samples before or after it."""
    from scipy.ndimage import maximum_filter1d

    near = round(SEAM_SECONDS * RATE / FLUX_HOP)
    highest: Floats = maximum_filter1d(flux, 2 * near + 1)
    away = half // FLUX_HOP
    if away == 0:
        return highest
    before = np.concatenate([highest[:1].repeat(away), highest[:-away]])
    after = np.concatenate([highest[away:], highest[-1:].repeat(away)])
    return np.maximum(highest, np.maximum(before, after))


def spectral_flux(sound: Frames) -> Floats:
    """How much louder the bands of a sound become from frame to frame, [T], a value every FLUX_HOP samples."""
    mono = sound.mean(axis=1, dtype=np.float32)
    count = max((len(mono) - FLUX_WINDOW) // FLUX_HOP, 1)
    window = np.hanning(FLUX_WINDOW).astype(np.float32)
    found, last = np.zeros(count), np.zeros(FLUX_WINDOW // 2 + 1)
    for first in range(0, count, 4096):
        starts = np.arange(first, min(first + 4096, count)) * FLUX_HOP
        frames = np.lib.stride_tricks.sliding_window_view(mono, FLUX_WINDOW)[starts]
        size = np.sqrt(np.abs(np.fft.rfft(frames * window, axis=1)))  # roots, so that soft bands count as well
        steps = np.diff(np.concatenate([last[None], size]), axis=0)
        found[first : first + len(steps)] = np.maximum(steps, 0).sum(axis=1)
        last = size[-1]
    return found


def _figures(sessions: Sequence[Session]) -> list[Figure]:
    asked, judged = (np.concatenate([getattr(one, name) for one in sessions]) for name in ("asked", "judged"))
    nearer, steps = (np.concatenate([getattr(one, name) for one in sessions]) for name in ("nearer", "steps"))
    ranks = np.concatenate([one.ranks for one in sessions])
    arousal, valence = (float(np.corrcoef(asked[:, k], judged[:, k])[0, 1]) for k in (1, 0))
    return [
        Figure("path: arousal, correlation of asked and judged", arousal, at_least=0.8),
        Figure("path: valence, correlation of asked and judged", valence, at_least=0.5),
        Figure("clips nearer their own target than the start", float(nearer.mean())),
        Figure("seams: loudness 3 s before and after, LU, mean", float(steps.mean())),
        Figure("seams: the same, largest", float(steps.max()), at_most=1.5),
        Figure("seams: share with more spectral flux than 95 % of places inside the clips (chance .05)",
               float((ranks > LOUDEST).mean()), at_most=0.05),
        Figure("seams: mean rank of their flux among such places (chance .5)", float(ranks.mean())),
        Figure("sessions of exactly the length asked", float(np.mean([one.exact for one in sessions])), at_least=1.0),
    ]
