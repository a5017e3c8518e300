"""Which moment of the donor says what a moment of the recording says: both say the words beside the new ones.

With them, the donor's new frames can be compared with the donor's own of other words, in one voice, and the recording's
frames at the same moments taken: no difference between the voices is in the way.
"""

from __future__ import annotations

from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from affectgen.speech.aligning.alignment import Word
from affectgen.speech.editing.sources import Source, Speech
from affectgen.speech.editing.voice_frames import STEP

NONE = -1


def twins_of(source: Source, speaker: Speech) -> NDArray[np.int64]:
    """For each frame of the speaker's (`Speech.frames`) the frame of the source's at the same place of the same sound
    of the same word, NONE where there is none; the new words themselves have none. int64 [K]."""
    theirs, own = speaker.alignment.words, source.speech.alignment.words
    found = np.full(len(speaker.frames.phone), NONE, dtype=np.int64)
    count = len(source.speech.frames.phone)
    texts = [[word.text.casefold() for word in words] for words in (own, theirs)]
    matcher = SequenceMatcher(None, texts[0], texts[1], autojunk=False)
    for first, other, size in matcher.get_matching_blocks():
        for place in range(size):
            mine, its = own[first + place], theirs[other + place]
            if not source.first <= mine.index < source.last and _alike(mine, its):
                _pair(found, mine, its, count)
    return found


def _alike(one: Word, other: Word) -> bool:
    """Whether both are said with the same sounds."""
    return [phone.name for phone in one.phones] == [phone.name for phone in other.phones]


def _pair(found: NDArray[np.int64], mine: Word, its: Word, count: int) -> None:
    """Write the twins of one word's frames into `found`."""
    for one, other in zip(mine.phones, its.phones, strict=True):
        first, last = (int(np.ceil(edge / STEP - 1e-6)) for edge in (other.start, other.end))
        frames = np.arange(first, min(last, len(found)))
        place = (frames * STEP - other.start) / max(other.seconds, STEP)
        found[frames] = np.clip(np.rint((one.start + place * one.seconds) / STEP), 0, count - 1)
