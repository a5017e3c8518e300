"""From words to rows of pronunciations, and from the path through them back to words with times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.speech.aligning.acoustic import CENTRE, HOP, RATE, Fits, Heard, levels, usual_fit
from affectgen.speech.aligning.acoustic_files import AcousticModel, load_model
from affectgen.speech.aligning.alignment import Phone, Word
from affectgen.speech.aligning.lattice import WEIGHT, Step, build, search
from affectgen.speech.aligning.pronounce import pronunciations
from affectgen.speech.aligning.transcript import spoken

SECOND = RATE / HOP  # frames
LEAST_PAUSE = 0.03  # seconds: a shorter silence between phones is the closure of one of them
FAR_BELOW, JUST_ABOVE, NEAR = 35.0, 3.0, 8.0  # dB: below the loudest frames; above the quietest; below the loudest
SILENT_FIT = 3.0  # nats below the best sound
MOST_WAYS = 12  # of saying one word


@dataclass(frozen=True)
class Row:
    """One spoken word. written: as the transcript has it; index: its place there; variants: its pronunciations, as
    numbers of the model's phones."""

    written: str
    index: int
    variants: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Stretch:
    """A part of a recording, aligned. start: seconds; steps: of its path, whose words count from `first` of all rows;
    relative: float32 [T], how each frame fits, in nats over what the best fitting sound of all reaches there, mostly
    below 0; contrast: how far the middling sound lies below that."""

    start: float
    first: int
    steps: tuple[Step, ...]
    relative: NDArray[np.float32]
    contrast: float


def rows_of(words: Sequence[str]) -> list[Row]:
    """The spoken words of written ones; one that is read as several gives several rows."""
    number = load_model().number
    found = []
    for index, written in enumerate(words):
        for piece in spoken(written):
            ways = pronunciations(piece)[:MOST_WAYS]
            found.append(Row(written, index, tuple(tuple(number(name) for name in way) for way in ways)))
    return found


def fitted(
    model: AcousticModel, heard: Heard, rows: Sequence[Row], start: float, first: int = 0, open_end: bool = False
) -> Stretch | None:
    """The rows aligned with what is heard from `start` on; None where there is no room for them."""
    graph = build(model, [row.variants for row in rows], open_end)
    usual, contrast = usual_fit(model, heard)
    found = search(model, Fits(model, heard), graph, _silence(heard, usual))
    if found is None:
        return None
    relative = np.empty(heard.frames, dtype=np.float32)
    for step in found[0]:
        mean = step.fit / (step.end - step.start) / WEIGHT
        relative[step.start : step.end] = mean - usual[step.start : step.end].mean()
    return Stretch(start, first, tuple(found[0]), relative, contrast)


def _silence(heard: Heard, usual: NDArray[np.float32]) -> NDArray[np.float32]:
    """What silence fits at least, float32 [T]: nearly as well as any sound where hardly anything is heard, whatever the
    model, which knows the silence of studios, makes of it."""
    low, high = levels(heard.loud, 5.0)
    quiet = heard.loud < max(high - FAR_BELOW, low + JUST_ABOVE)
    return np.where(quiet & (heard.loud < high - NEAR), usual - SILENT_FIT, -np.inf).astype(np.float32)


def words_at(stretches: Sequence[Stretch], rows: Sequence[Row], seconds: float) -> list[Word]:
    """The words of stretches in order of time, none beyond the recording's end."""
    model = load_model()
    phones: dict[int, list[Phone]] = {}
    scores: dict[int, list[float]] = {}
    last: tuple[int, Phone] | None = None
    for stretch in stretches:
        for step in stretch.steps:
            if step.word < 0:
                continue
            start, end = (_time(stretch, frame, seconds) for frame in (step.start, step.end))
            index = rows[stretch.first + step.word].index
            if last is not None and 0 < start - last[1].end < LEAST_PAUSE:
                phones[last[0]][-1] = Phone(last[1].name, last[1].start, start)
            last = (index, Phone(model.names[step.phone], start, end))
            phones.setdefault(index, []).append(last[1])
            scores.setdefault(index, []).append(float(stretch.relative[step.start : step.end].mean()))
    written = {row.index: row.written for row in rows}
    return [
        Word(written[index], index, own[0].start, own[-1].end, tuple(own), _mean(scores[index], own))
        for index, own in phones.items()
    ]


def _time(stretch: Stretch, frame: int, seconds: float) -> float:
    """Where a frame begins, in seconds of the recording: in the middle between its own middle and that before."""
    found = stretch.start + frame / SECOND + CENTRE
    return 0.0 if found <= CENTRE else min(found, seconds)


def _mean(values: Sequence[float], phones: Sequence[Phone]) -> float:
    lengths = [phone.seconds for phone in phones]
    return float(np.average(values, weights=lengths)) if sum(lengths) > 0 else float(np.mean(values))


