"""What a person should know of a recording that is worked on all the same: that it sounds like music, or is clipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from affectgen.speech.edited_file import Recording

FULL = 0.999  # of full scale: samples there are taken for cut off
CLIPPED = 0.001  # share of a channel's samples from which a person is told
MUSIC = 0.5  # probability of speech below which a person is told
BLOCK = 1 << 20  # frames that are looked at at once: long files must not need their size again


def doubts(recording: Recording) -> list[str]:
    """Sentences for a person, one for each doubt; none of a recording that is fine."""
    from affectgen.audio.files import is_silent
    from affectgen.recognize.speechness import LEAST_SECONDS, is_speech

    told, mono = [], recording.mono()
    if recording.seconds >= LEAST_SECONDS and not is_silent(mono) and is_speech(mono, recording.rate) < MUSIC:
        told.append("This sounds like music rather than speech; what was done to it may make no sense.")
    if clipped_share(recording) > CLIPPED:
        told.append("The recording is clipped: what was cut off its peaks is not brought back.")
    return told


def clipped_share(recording: Recording) -> float:
    """The share of samples at full scale, 0 to 1, of the channel that has most of them."""
    frames, channels = recording.stored.shape
    counts = np.zeros(channels, dtype=np.int64)
    for start in range(0, frames, BLOCK):
        counts += (np.abs(recording.floats(start, min(frames, start + BLOCK))) >= FULL).sum(axis=0)
    return float(counts.max(initial=0)) / max(frames, 1)
