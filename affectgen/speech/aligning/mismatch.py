"""Whether a transcript is what is heard, and where it is not.

In the right place a phone fits about as well as the best of all sounds does there; in a wrong one it lies as far below
that as a middling sound, which is less far in noise: hence contrasts. Speech without words shows in a mean over time;
words without speech in a mean over phones in a row, which are then squeezed into no time; another text altogether in
the means of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples
from affectgen.errors import AffectgenError, AudioError
from affectgen.speech.aligning.acoustic import HOP, RATE, Heard, levels
from affectgen.speech.aligning.aligned import Row, Stretch

WORST = 4.0  # contrasts below the best sound beyond which it is no worse
OVER_TIME, OVER_PHONES = 0.8, 8  # seconds, phones of a mean
LONG_OVER_TIME, LONG_OVER_PHONES = 2.4, 24  # the same in long recordings, where there are more chances of a bad place
SQUEEZED, SHORT = 0.6, 0.015  # contrasts that phones of the least length count for as well; seconds
UNSAID = 1.0  # contrasts that loud sound without words counts for at least
CLEAN, NOISY = 25.0, 12.0  # dB from the quietest tenth of the frames to the loudest
SHOWN = 6  # words that are named
MUSIC = 0.5  # probability of speech below which a recording that does not fit is called music
HINT = "Give the words that are spoken, or --no-check to align it all the same."


class MismatchError(AffectgenError):
    """The transcript is not what is heard. where: (seconds, the words that do not fit) of each such place."""

    def __init__(self, message: str, hint: str, where: Sequence[tuple[float, str]] = ()) -> None:
        super().__init__(message, hint)
        self.where = tuple(where)


def mismatch(
    stretch: Stretch, heard: Heard, rows: Sequence[Row], samples: Samples, long: bool = False
) -> AffectgenError | None:
    """What is wrong with an aligned stretch of `samples`; None where it fits. rows: of the whole transcript."""
    places = _bad_places(stretch, heard, long)
    if not places:
        return None
    if _is_music(samples):
        return AudioError("The recording sounds like music, and speech was expected.", "Give one of speech alone.")
    where = []
    for first, last in places:
        words = dict.fromkeys(
            rows[stretch.first + step.word].index
            for step in stretch.steps
            if step.word >= 0 and step.start < last and step.end > first
        )
        written = {row.index: row.written for row in rows[stretch.first :]}
        text = " ".join(written[index] for index in list(words)[:SHOWN]) + (" ..." if len(words) > SHOWN else "")
        where.append((stretch.start + first * HOP / RATE, text))
    seconds, text = where[0]
    more = "" if len(where) == 1 else f" Nor at {', '.join(f'{at:.1f}' for at, _ in where[1:SHOWN])} s."
    said = f"{text!r} is not what is heard" if text else "something is said that the transcript lacks"
    return MismatchError(f"From {seconds:.1f} s on, {said}.{more}", HINT, where)


def nothing_fits(samples: Samples, rows: Sequence[Row], start: float) -> AffectgenError:
    """What to say of words that there is no room for."""
    seconds = len(samples) / RATE
    written = len({row.index for row in rows})
    what = "1 word" if written == 1 else f"{written} words"
    text = " ".join(dict.fromkeys(row.written for row in rows[:SHOWN]))
    message = f"{what} cannot be said in the {seconds:.1f} s from {start:.1f} s on: {text!r} ..."
    return MismatchError(message, "Give the words that are spoken.", [(start, text)])


@dataclass(frozen=True)
class Limits:
    """In contrasts below the best sound: over time; over phones; means of all, taken together."""

    time: float
    phones: float
    whole: float


    @classmethod
    def of(cls, depth: float) -> Limits:
        """For a recording whose loudest frames lie `depth` dB above its quietest: wider in noise."""
        noise = float(np.clip((CLEAN - depth) / (CLEAN - NOISY), 0.0, 1.0))
        return cls(*((1 - noise) * np.array(IN_QUIET) + noise * np.array(IN_NOISE)))


# set so that hardly any clip of CREMA-D's training speakers is refused
IN_QUIET, IN_NOISE = (0.37, 1.05, 0.97), (0.60, 1.30, 1.60)


def _bad_places(stretch: Stretch, heard: Heard, long: bool) -> list[tuple[int, int]]:
    """(first, last) frames of the worst places, in order of time, overlapping ones joined."""
    relative = np.maximum(stretch.relative / stretch.contrast, -WORST)
    low, high = levels(heard.loud)
    limits = Limits.of(high - low)
    said = np.zeros(len(relative), dtype=bool)
    steps = [step for step in stretch.steps if step.word >= 0]
    for step in steps:
        said[step.start : step.end] = True
    loud = heard.loud > (low + high) / 2
    relative[~said & ~loud] = 0.0  # silence, whatever it sounds like
    relative[~said & loud] = np.minimum(relative[~said & loud], -UNSAID)
    width = round((LONG_OVER_TIME if long else OVER_TIME) * RATE / HOP)
    found = [
        (place, min(place + width, len(relative)))
        for place, value in _means(relative, width)
        if value < -limits.time
    ]  # fmt: skip
    if not steps:
        return _joined(found)
    values = np.array([float(relative[step.start : step.end].mean()) for step in steps])
    lengths = np.array([(step.end - step.start) * HOP / RATE for step in steps])
    count = LONG_OVER_PHONES if long else OVER_PHONES
    worst = 0.0
    for (place, value), (_, length) in zip(_means(values, count), _means(lengths, count), strict=True):
        squeezed = value - SQUEEZED * float(np.exp(-(length - SHORT) / SHORT))
        worst = min(worst, squeezed)
        if squeezed < -limits.phones:
            found.append((steps[place].start, steps[min(place + count, len(steps)) - 1].end))
    if not found and values.mean() + relative[said].mean() + worst / 2 < -limits.whole:
        return [(steps[0].start, steps[-1].end)]
    return _joined(found)


def _means(values: NDArray[np.floating], width: int) -> list[tuple[int, float]]:
    """(first, mean) of every run of `width` values; of all where there are fewer, but not of a few."""
    if len(values) < max(2, width // 2):
        return []
    width = min(width, len(values))
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return list(enumerate(((sums[width:] - sums[:-width]) / width).tolist()))


def _joined(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(places):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _is_music(samples: Samples) -> bool:
    """Whether it is rather music; what cannot be told is speech."""
    from affectgen.recognize.speechness import is_speech

    try:
        return is_speech(samples, RATE) < MUSIC
    except AudioError:
        return False
