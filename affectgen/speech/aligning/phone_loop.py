"""Which phones are heard where no text is known: any phone may follow any, each alone, without its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from affectgen.speech.aligning.acoustic import CENTRE, HOP, RATE, USUAL, Heard, score
from affectgen.speech.aligning.acoustic_files import STATES, AcousticModel
from affectgen.speech.aligning.aligned import LEAST_PAUSE
from affectgen.speech.aligning.alignment import Phone, Word
from affectgen.speech.aligning.lattice import WEIGHT, Step

NEXT = -4.0  # log chance of another phone, each


def loop(model: AcousticModel, heard: Heard) -> list[Step]:
    """The most likely phones; silence and noises are silence (word -1), others of word 0."""
    count = len(model.names)
    columns = model.states[model.sequence[:count]]  # [phones, 3]
    fit = WEIGHT * score(model, heard, columns.reshape(-1).tolist()).reshape(heard.frames, count, STATES)
    expected = 1 / (1 - model.stay.astype(np.float64)) * USUAL / HOP
    stay, leave = np.log(1 - 1 / expected), np.log(1 / expected)
    total = np.full((count, STATES), -1e30)
    total[:, 0] = fit[0, :, 0]
    entered = np.full((heard.frames, count), -1, dtype=np.int16)
    moved = np.zeros((heard.frames, count, STATES - 1), dtype=bool)
    for frame in range(1, heard.frames):
        out = total[:, -1] + leave[:, -1]
        source = int(out.argmax())
        kept, onward = total + stay, total[:, :-1] + leave[:, :-1]
        moved[frame] = onward > kept[:, 1:]
        kept[:, 1:] = np.maximum(kept[:, 1:], onward)
        better = out[source] + NEXT > kept[:, 0]
        entered[frame] = np.where(better, source, -1)
        kept[:, 0] = np.where(better, out[source] + NEXT, kept[:, 0])
        total = kept + fit[frame]
    return _trace(model, fit, entered, moved, int(total[:, -1].argmax()))


def _trace(model: AcousticModel, fit, entered, moved, phone: int) -> list[Step]:  # type: ignore[no-untyped-def]
    steps, state, end, total = [], STATES - 1, len(fit), 0.0
    for frame in range(len(fit) - 1, -1, -1):
        total += float(fit[frame, phone, state])
        if state and moved[frame, phone, state - 1]:
            state -= 1
        elif not state and (entered[frame, phone] >= 0 or frame == 0):
            quiet = phone == model.silence or model.names[phone].startswith("+")
            steps.append(Step(-1 if quiet else 0, phone, 0, frame, end, total))
            phone, state, end, total = int(entered[frame, phone]), STATES - 1, frame, 0.0
    return steps[::-1]


def stretches(model: AcousticModel, steps: Sequence[Step], start: float, first: int) -> list[Word]:
    """Words of the text "" for the phones between silences. start: seconds of the first frame; first: index."""
    found: list[list[Phone]] = [[]]
    for step in steps:
        begin, end = (start + (frame * HOP / RATE + CENTRE if frame else 0.0) for frame in (step.start, step.end))
        if step.word < 0:
            if end - begin >= LEAST_PAUSE and found[-1]:
                found.append([])
            continue
        if found[-1]:
            last = found[-1][-1]
            found[-1][-1] = Phone(last.name, last.start, begin)
        found[-1].append(Phone(model.names[step.phone], begin, end))
    groups = [phones for phones in found if phones]
    return [
        Word("", first + place, own[0].start, own[-1].end, tuple(own)) for place, own in enumerate(groups)
    ]  # fmt: skip
