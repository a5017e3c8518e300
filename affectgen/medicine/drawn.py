"""The engine with MusicGen: clips drawn from prompts and emotions.

A clip that the guide hears too far from its target is drawn again, with another seed; the nearest is kept. With
"crossfade" the clips are strangers to each other and drawn side by side; with "continue" each goes on from the one
before (`affectgen.medicine.continued`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from affectgen.audio.files import Frames
from affectgen.medicine.clips import Made
from affectgen.medicine.continued import draw_in_turn
from affectgen.medicine.drawer import Asked, Begun, Drawer
from affectgen.medicine.mix import Grid
from affectgen.medicine.musicgen.decoding import generate_in_batches
from affectgen.medicine.musicgen.interface import MusicGen
from affectgen.medicine.plan import Plan
from affectgen.medicine.render_options import MedicineOptions

Tell = Callable[[float, float], None]  # clips done, of how many


def draw_clips(options: MedicineOptions, plan: Plan, home: Path, model: MusicGen, tell: Tell) -> list[Made]:
    """Every clip of the plan, in order; those that the folder `home` holds already are not drawn again.

    AffectgenError where clips are longer than the model can write, or memory does not hold one.
    """
    drawer = Drawer(options, home, model)
    grid = Grid.of(len(plan.clips), plan.clip_seconds, plan.overlap, drawer.rate)
    seeds = np.random.default_rng(options.seed).integers(1 << 31, size=len(plan.clips)).tolist()
    asked = [
        Asked(clip.number, clip.prompt, (clip.affect.valence, clip.affect.arousal), grid.frames(n), seeds[n])
        for n, clip in enumerate(plan.clips)
    ]
    drawer.check(max(one.frames for one in asked))
    draw = draw_in_turn if options.transition == "continue" else draw_side_by_side
    return draw(drawer, asked, tell)


def draw_side_by_side(drawer: Drawer, asked: Sequence[Asked], tell: Tell) -> list[Made]:
    """Clips that do not know each other, a batch at once. Every draw is kept as it is done: a clip is finished when it
    is near its target, or was drawn often enough, and then is the nearest of its draws."""
    found: dict[int, Made] = {}
    left: list[tuple[Asked, int]] = []  # clips and the tries they have had
    best: dict[int, Made] = {}
    for one in asked:
        made, tries = drawer.kept(one)
        if made is not None and tries is None:
            found[one.number] = made
            continue
        left.append((one, 0 if tries is None else tries))
        if made is not None:
            best[one.number] = made
    while left:
        group = _group(drawer, left)
        left = [row for row in left if row not in group]
        again = []
        for (one, attempt), sound in zip(group, _drawn(drawer, group, left, len(asked), tell), strict=True):
            best[one.number] = drawer.settle(one, attempt, sound, best.get(one.number))
            if drawer.is_done(one, best[one.number], attempt + 1):
                found[one.number] = best.pop(one.number)
            else:
                again.append((one, attempt + 1))
        left = again + left  # at once, so that an interrupt never costs more than what is begun
    tell(len(found), len(asked))
    return [found[one.number] for one in asked]


def _group(drawer: Drawer, left: Sequence[tuple[Asked, int]]) -> list[tuple[Asked, int]]:
    """The clips of the next batch: those that were begun before an interrupt by themselves, else the next ones."""
    begun = [row for row in left if Begun(drawer.clips, [row]).found() is not None]
    return list(begun if begun else left)[: drawer.batch]


def _drawn(
    drawer: Drawer, group: Sequence[tuple[Asked, int]], left: Sequence[tuple[Asked, int]], total: int, tell: Tell
) -> list[Frames]:
    """The sounds of a batch, at the model's rate. left: what comes after it; total: clips. A clip counts by the share
    of its tries that it has had."""
    tries = drawer.options.tries
    later = sum(1 - attempt / tries for _, attempt in left)

    def part(frames: int, of: int) -> None:
        now = sum(1 - (attempt + frames / max(of, 1)) / tries for _, attempt in group)
        tell(min(total - later - now, total - 0.01), total)

    frames = drawer.model.shape.frames(max(one.frames for one, _ in group) / drawer.rate)
    part(0, frames)
    begun = Begun(drawer.clips, group)
    starts = begun.found()
    rows = [one.row(attempt, None if starts is None else starts[n]) for n, (one, attempt) in enumerate(group)]
    codes, drawer.batch = generate_in_batches(
        drawer.model, rows, frames, drawer.sampling, drawer.batch, part, begun.watch
    )
    return drawer.model.decode(codes)
