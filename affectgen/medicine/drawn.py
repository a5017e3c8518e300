"""The engine with MusicGen: clips drawn from prompts and emotions.

A clip that the guide hears too far from its target is drawn again, with another seed; the nearest is kept. With
"crossfade" the clips are strangers to each other and drawn side by side; with "continue" each goes on from the one
before (`affectgen.medicine.continued`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    """Clips that do not know each other, a batch at once; each is kept as soon as it is near its target or was drawn
    often enough."""
    clips, options = drawer.clips, drawer.options
    found = {one.number: made for one in asked if (made := clips.find(one.number, clips.key(one))) is not None}
    left = [(one, 0) for one in asked if one.number not in found]
    best: dict[int, tuple[Frames, Made]] = {}
    while left:
        group, left = left[: drawer.batch], left[drawer.batch :]
        for (one, attempt), sound in zip(group, _drawn(drawer, group, len(found), len(asked), tell), strict=True):
            best[one.number] = _nearer(drawer, one, (sound, drawer.heard(one, attempt, sound)), best)
            sound, made = best[one.number]
            if drawer.miss(made, one) > options.near and attempt + 1 < options.tries:
                left.append((one, attempt + 1))
                continue
            drawer.keep(one, made, sound)
            found[one.number] = made
            del best[one.number]
    tell(len(found), len(asked))
    return [found[one.number] for one in asked]


def _nearer(
    drawer: Drawer, one: Asked, new: tuple[Frames, Made], best: Mapping[int, tuple[Frames, Made]]
) -> tuple[Frames, Made]:
    """The new draw, or that from before if it is nearer the target."""
    old = best.get(one.number)
    return new if old is None or drawer.miss(new[1], one) < drawer.miss(old[1], one) else old


def _drawn(drawer: Drawer, group: Sequence[tuple[Asked, int]], done: int, total: int, tell: Tell) -> list[Frames]:
    """The sounds of a batch, at the model's rate. done, total: clips, of which the written part of a batch counts."""

    def part(frames: int, of: int) -> None:
        tell(min(done + len(group) * frames / max(of, 1), total - 0.01), total)

    tell(done, total)
    frames = drawer.model.shape.frames(max(one.frames for one, _ in group) / drawer.rate)
    begun = Begun(drawer.clips, group)
    starts = begun.found()
    rows = [one.row(attempt, None if starts is None else starts[n]) for n, (one, attempt) in enumerate(group)]
    codes, drawer.batch = generate_in_batches(
        drawer.model, rows, frames, drawer.sampling, drawer.batch, part, begun.watch
    )
    return drawer.model.decode(codes)
