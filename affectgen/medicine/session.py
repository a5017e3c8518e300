"""A session from its plan: every clip made, or found finished, then mixed into one sound."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from affectgen.audio.reverb import reverberant, space_named
from affectgen.audio.spool import Spool
from affectgen.device import use_threads
from affectgen.errors import AffectgenError
from affectgen.medicine.clips import SEED, Clips, Made
from affectgen.medicine.mix import Grid, mixed, plan_gains
from affectgen.medicine.plan import Plan
from affectgen.medicine.render_options import MedicineOptions
from affectgen.medicine.symbolic import Composing, Wanted, compose, play, session_seeds, sounding, tempo
from affectgen.output import drop_empty, explain
from affectgen.processes import map_in_processes

LOCK = ".lock"  # a file in the folder of clips
Tell = Callable[[int, int], None]  # clips done, of how many


@dataclass(frozen=True)
class Work:
    """What a process needs to make a clip."""

    home: str
    settings: dict[str, Any]
    wanted: Wanted
    composing: Composing
    font: str | None
    rate: int


def make_clips(options: MedicineOptions, plan: Plan, home: Path, font: Path | None, tell: Tell) -> list[Made]:
    """Every clip of the plan, in order; those that the folder `home` holds already are not made again.

    AffectgenError where one cannot be composed or written.
    """
    rate = options.encoding.rate
    composing = Composing(options.composer, options.checkpoint, "cpu", options.best_of, options.tries, options.near)
    settings = {**asdict(composing), "font": None if font is None else str(font), "rate": rate}
    clips, grid = Clips(home, settings), grid_of(plan, rate)
    tonic, seeds = session_seeds(options.seed, len(plan.clips))
    wanted = [
        Wanted(clip.number, clip.affect, grid.frames(n) / rate, seeds[n], tonic) for n, clip in enumerate(plan.clips)
    ]
    found = {one.number: clips.find(one.number, clips.key(one)) for one in wanted}
    missing = [one for one in wanted if found[one.number] is None]
    done = len(wanted) - len(missing)
    tell(done, len(wanted))
    name = None if font is None else str(font)
    works = [Work(str(home), settings, one, composing, name, rate) for one in missing]
    for made in _run(works, options.jobs):
        found[made.number] = made
        done += 1
        tell(done, len(wanted))
    return [made for made in found.values() if made is not None]


def _run(works: Sequence[Work], jobs: int) -> Iterator[Made]:
    if jobs == 1 or len(works) < 2:
        yield from map(_make, works)
    else:
        yield from map_in_processes(_make, works, min(jobs, len(works)))


def _make(work: Work) -> Made:
    """A clip, composed, played and kept."""
    use_threads(1)
    clips = Clips(Path(work.home), work.settings)
    font = None if work.font is None else Path(work.font)
    piece = compose(work.wanted, work.composing)
    midi = piece.data if isinstance(piece.data, bytes) else piece.data.read()
    sound = play(midi, work.wanted.seconds, font, work.rate)
    details = {
        "key": work.wanted.key, "tempo": tempo(work.wanted.affect), "composed_seconds": round(sounding(midi), 2),
        "checkpoint": dict(piece.checkpoint),
    }  # fmt: skip
    made = Made(work.wanted.number, piece.measured, details)
    clips.keep(made, clips.key(work.wanted), sound, work.rate, midi)
    return made


def grid_of(plan: Plan, rate: int) -> Grid:
    """Where the plan's clips lie in samples."""
    return Grid.of(len(plan.clips), plan.clip_seconds, plan.overlap, rate)


@contextmanager
def mixed_session(options: MedicineOptions, plan: Plan, clips: Clips) -> Iterator[Spool]:
    """The whole session before it is levelled, while the block lasts."""
    rate = options.encoding.rate
    grid = grid_of(plan, rate)
    load = partial(_load, clips, rate)
    stream = options.transition == "continue"
    gains = plan_gains(load, [clip.affect.arousal for clip in plan.clips], grid, rate, stream)
    sound = mixed(load, gains, grid, rate, stream)
    with Spool(rate, 2) as spool:
        for block in sound if options.reverb == "none" else _in_room(sound, options.reverb, grid.length, rate):
            spool.write(block)
        yield spool


def _load(clips: Clips, rate: int, index: int) -> Any:
    return clips.load(index + 1, rate)


def _in_room(sound: Iterator[Any], name: str, length: int, rate: int) -> Iterator[Any]:
    """In a room, cut to the session's length: its tail must not make it longer."""
    left = length
    for block in reverberant(sound, rate, space_named(name)):
        if left > 0:
            yield block[:left]
        left -= len(block)


@contextmanager
def work_folder(given: str | None, seed: int) -> Iterator[Path]:
    """The folder that clips are kept in: the one given, which stays for whoever gave it to remove, or a temporary one.

    The session's seed is kept with them (`kept_seed`), so that a command without one can go on. AffectgenError where
    the folder cannot be made, or another command works in it.
    """
    if given is None:
        with tempfile.TemporaryDirectory(prefix="affectgen-") as folder:
            yield Path(folder) / "clips"
        return
    home = Path(given)
    with _lock(home):
        try:
            (home / SEED).write_text(f"{seed}\n")
            yield home
        finally:
            (home / LOCK).unlink(missing_ok=True)
            if [path.name for path in home.iterdir()] == [SEED]:
                (home / SEED).unlink()
            drop_empty(home)


def _lock(folder: Path) -> IO[str]:
    """An open file that keeps others from working in the folder; the system lets go of it whatever ends the process."""
    lock = folder / LOCK
    try:
        folder.mkdir(exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise explain(error, lock) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise AffectgenError(
            f"Another command is making the clips in {folder}.", "Wait for it, or give another -o."
        ) from error
    return file
