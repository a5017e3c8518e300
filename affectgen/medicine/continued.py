"""Clips that go on from each other (`--transition continue`): one stream of codes, decoded as one.

The folder of clips keeps the codes of each; when the last is there, all are decoded together and cut into clips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from affectgen.medicine.clips import Made
from affectgen.medicine.drawer import CONTEXT_SECONDS, Asked, Begun, Drawer
from affectgen.medicine.mix import fitted
from affectgen.medicine.musicgen.decoding import generate_in_batches
from affectgen.medicine.sounds import decode_joined, stereo

Tell = Callable[[float, float], None]  # clips done, of how many


def draw_in_turn(drawer: Drawer, asked: Sequence[Asked], tell: Tell) -> list[Made]:
    """Every clip, in order; one whose codes are kept, with the same clips before it, is not drawn again."""
    codes = torch.zeros(drawer.model.shape.books, 0, dtype=torch.long)  # [K, T]
    made: list[Made] = []
    key, frames = "", 0
    for one in asked:
        tell(len(made), len(asked))
        frames += one.frames
        following = replace(one, after=key)
        key = drawer.clips.key(following)
        kept = drawer.clips.find_codes(one.number, key)
        if kept is None:
            end = drawer.model.shape.frames(frames / drawer.rate)
            share = partial(_part_of, tell, len(made), len(asked))
            clip, own = _nearest(drawer, following, codes, end - codes.shape[1], share)
            drawer.clips.keep_codes(clip, key, own.numpy())
        else:
            clip, own = kept[0], torch.from_numpy(kept[1])
        made.append(clip)
        codes = torch.cat([codes, own], dim=1)
    _keep_sounds(drawer, asked, codes)
    tell(len(asked), len(asked))
    return made


def _part_of(tell: Tell, done: int, total: int, share: float) -> None:
    """Tell that so many clips are done, and a share of the next one."""
    tell(min(done + share, total - 0.01), total)


def _nearest(
    drawer: Drawer, one: Asked, before: Tensor, frames: int, tell: Callable[[float], None]
) -> tuple[Made, Tensor]:
    """The draw of all tries that the guide hears nearest its target, and its own codes [K, frames]; the nearest so far
    is kept after each."""
    context = before[:, max(before.shape[1] - drawer.model.shape.frames(CONTEXT_SECONDS), 0) :]
    best, tries = _so_far(drawer, one)
    while best is None or not drawer.is_done(one, best[0], tries):
        codes = _draw(drawer, one, tries, context, frames, tell)
        skipped = round(context.shape[1] * drawer.model.shape.rate / drawer.model.shape.frame_rate)
        made = drawer.heard(one, tries, drawer.model.decode(codes[None])[0][skipped:])
        if best is None or drawer.miss(made, one) < drawer.miss(best[0], one):
            best = made, codes[:, context.shape[1] :]
        tries += 1
        drawer.clips.keep_codes(best[0], drawer.key(one, tries), best[1].numpy())
    return best


def _so_far(drawer: Drawer, one: Asked) -> tuple[tuple[Made, Tensor] | None, int]:
    """What an interrupted command had drawn of a clip, and in how many tries."""
    for tries in range(drawer.options.tries, 0, -1):
        kept = drawer.clips.find_codes(one.number, drawer.key(one, tries))
        if kept is not None:
            return (kept[0], torch.from_numpy(kept[1])), tries
    return None, 0


def _draw(
    drawer: Drawer, one: Asked, attempt: int, context: Tensor, frames: int, tell: Callable[[float], None]
) -> Tensor:
    """The codes of the context and a clip that goes on from it, [K, T + frames]."""

    def part(written: int, of: int) -> None:
        tell((attempt + written / of) / drawer.options.tries)

    begun = Begun(drawer.clips, [(one, attempt)], context.shape[1])
    own = begun.found()
    start = context if own is None else torch.cat([context, own[0]], dim=1)
    row = one.row(attempt, start if start.shape[1] else None)
    codes, _ = generate_in_batches(
        drawer.model, [row], context.shape[1] + frames, drawer.sampling, 1, part, begun.watch
    )
    return codes[0]


def _keep_sounds(drawer: Drawer, asked: Sequence[Asked], codes: Tensor) -> None:
    """All codes as one sound, cut into the clips that the session is mixed from."""
    whole = stereo(decode_joined(drawer.model, codes), drawer.model.shape.rate, drawer.rate)
    whole = fitted(whole, sum(one.frames for one in asked), drawer.rate)
    first = 0
    for one in asked:
        drawer.clips.keep_sound(one.number, whole[first : first + one.frames], drawer.rate)
        first += one.frames
