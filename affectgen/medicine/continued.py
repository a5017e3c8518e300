"""Clips that go on from each other (`--transition continue`): one stream of codes, decoded as one.

The folder of clips keeps the codes of each; when the last is there, all are decoded together and cut into clips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

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
            clip, own = _nearest(drawer, following, codes, end - codes.shape[1])
            drawer.clips.keep_codes(clip, key, own.numpy())
        else:
            clip, own = kept[0], torch.from_numpy(kept[1])
        made.append(clip)
        codes = torch.cat([codes, own], dim=1)
    _keep_sounds(drawer, asked, codes)
    tell(len(asked), len(asked))
    return made


def _nearest(drawer: Drawer, one: Asked, before: Tensor, frames: int) -> tuple[Made, Tensor]:
    """The draw of all tries that the guide hears nearest its target, and its own codes [K, frames]."""
    shape = drawer.model.shape
    context = before[:, max(before.shape[1] - shape.frames(CONTEXT_SECONDS), 0) :]
    skipped = round(context.shape[1] * shape.rate / shape.frame_rate)
    draws: list[tuple[Made, Tensor]] = []
    for attempt in range(drawer.options.tries):
        begun = Begun(drawer.clips, [(one, attempt)], context.shape[1])
        own = begun.found()
        start = context if own is None else torch.cat([context, own[0]], dim=1)
        row = one.row(attempt, start if start.shape[1] else None)
        codes, _ = generate_in_batches(
            drawer.model, [row], context.shape[1] + frames, drawer.sampling, 1, None, begun.watch
        )
        made = drawer.heard(one, attempt, drawer.model.decode(codes)[0][skipped:])
        draws.append((made, codes[0, :, context.shape[1] :]))
        if drawer.miss(made, one) <= drawer.options.near:
            break
    return min(draws, key=lambda draw: drawer.miss(draw[0], one))


def _keep_sounds(drawer: Drawer, asked: Sequence[Asked], codes: Tensor) -> None:
    """All codes as one sound, cut into the clips that the session is mixed from."""
    whole = stereo(decode_joined(drawer.model, codes), drawer.model.shape.rate, drawer.rate)
    whole = fitted(whole, sum(one.frames for one in asked), drawer.rate)
    first = 0
    for one in asked:
        drawer.clips.keep_sound(one.number, whole[first : first + one.frames], drawer.rate)
        first += one.frames
