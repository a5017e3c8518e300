"""Long recordings, window by window: as many words as fit into each, of which those before its last pauses are kept.

The next window begins in the middle of the pause after the last word that was kept, so nothing depends on where the
windows end, and an error does not spread. Only one window is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from affectgen.audio.files import Samples, blocks, is_silent
from affectgen.errors import AudioError
from affectgen.progress import tell
from affectgen.speech.aligning.acoustic import HOP, RATE, Heard, listen
from affectgen.speech.aligning.acoustic_files import AcousticModel
from affectgen.speech.aligning.aligned import SECOND, Row, Stretch, fitted, words_at
from affectgen.speech.aligning.alignment import Word
from affectgen.speech.aligning.lattice import Step
from affectgen.speech.aligning.mismatch import mismatch, nothing_fits

WINDOW = 30.0  # seconds
LAST = 45.0  # seconds that are left and then aligned at once
FASTEST = 5.0  # words a second
EARLIEST, LATEST = 0.4, 0.92  # shares of a window between which its last pause is looked for

Part = Callable[[float, float], Samples]


class Forward:
    """Parts of a file at RATE, asked for in order of time; each sample is read once. AudioError as `blocks`."""

    def __init__(self, source: Path | bytes) -> None:
        self._blocks = blocks(source, RATE)
        self._held = np.zeros(0, dtype=np.float32)
        self._first = 0  # the number of the first sample held

    def __call__(self, start: float, seconds: float) -> Samples:
        """Those from `start` on, `seconds` long, fewer at the end; never before what was asked for last."""
        first, count = round(start * RATE), round(seconds * RATE)
        while self._first + len(self._held) < first + count:
            block = next(self._blocks, None)
            if block is None:
                break
            drop = min(max(first - self._first, 0), len(self._held))
            self._held = np.concatenate([self._held[drop:], block])
            self._first += drop
        return self._held[first - self._first : first - self._first + count]


def align_windows(
    model: AcousticModel, part: Part, seconds: float, rows: Sequence[Row], check: bool
) -> list[Word]:
    """The words of a recording of `seconds`, of which `part` gives samples at RATE (start, seconds).

    check: MismatchError at the first window whose words are not what is heard.
    """
    kept: list[Stretch] = []
    start, first, sounding = 0.0, 0, False
    while start < seconds:
        final = seconds - start <= LAST
        samples = part(start, seconds - start if final else WINDOW)
        if len(samples) < HOP:  # the file holds less than it says
            break
        sounding = sounding or not is_silent(samples)
        heard = listen(samples)
        most = len(rows) if final else first + round(FASTEST * WINDOW)
        stretch = fitted(model, heard, rows[first:most], start, first, open_end=not final)
        if stretch is None:
            raise nothing_fits(samples, rows[first:], start) if sounding else SILENT
        if not final:
            stretch = _cut(stretch)
        if check and not is_silent(samples):
            _checked(stretch, heard, rows, samples)
        kept.append(stretch)
        first += len({step.word for step in stretch.steps if step.word >= 0})
        start += seconds - start if final else stretch.steps[-1].end / SECOND
        tell("second", min(start, seconds), seconds)
    if not sounding:
        raise SILENT
    if first < len(rows):
        raise nothing_fits(samples, rows[first:], start)
    return words_at(kept, rows, seconds)


SILENT = AudioError("The recording is silent.", "Give one of speech.")


def _checked(stretch: Stretch, heard: Heard, rows: Sequence[Row], samples: Samples) -> None:
    used = stretch.steps[-1].end
    heard = Heard(heard.features[:used], heard.loud[:used])
    error = mismatch(replace(stretch, relative=stretch.relative[:used]), heard, rows, samples, long=True)
    if error is not None:
        raise error


def _cut(stretch: Stretch) -> Stretch:
    """The steps up to the middle of the longest pause in the later part of a window; up to a word's end where there is
    none; all of them where nothing is said."""
    steps, total = stretch.steps, stretch.steps[-1].end
    low, high = EARLIEST * total, LATEST * total
    ends = [place for place in range(1, len(steps)) if low <= steps[place].start <= high and _begins(steps, place)]
    pauses = [place for place in ends if steps[place].word < 0 and steps[place].end <= total - SECOND]
    if pauses:
        longest = max(pauses, key=lambda place: steps[place].end - steps[place].start)
        pause = steps[longest]
        half = replace(pause, end=(pause.start + pause.end) // 2)
        return replace(stretch, steps=(*steps[:longest], half))
    if ends:
        return replace(stretch, steps=steps[: ends[-1]])
    return stretch


def _begins(steps: Sequence[Step], place: int) -> bool:
    """Whether a silence or a word begins at a step."""
    return steps[place].word != steps[place - 1].word
