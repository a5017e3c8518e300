"""What the audio guide knows of a piece: the features that hidden states are aligned with (`align.py`).

The guide may steer; the judge, which measures results, is never asked here.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames, is_silent, resampled
from affectgen.audio.mel import RATE, picture
from affectgen.score.notes import CLIP_SECONDS


class Listener(Protocol):
    """Features of a piece of sound."""

    @property
    def name(self) -> str:
        """Changes with what it would say: part of the name its features are kept under."""
        ...

    def __call__(self, sound: Frames, rate: int) -> NDArray[np.float32]:
        """sound [N, C] -> features [F], nan where it hears nothing."""
        ...


class Guide:
    """The statistics that the shipped guide of music reads: of the sound, and of the notes heard in it."""

    def __init__(self) -> None:
        from affectgen.nn.checkpoint import load_checkpoint
        from affectgen.recognize.music import load_music_guide, music_names

        self.guide, self.size = load_music_guide(), len(music_names())
        self.name = load_checkpoint("music-guide").sha256[:12]

    def __call__(self, sound: Frames, rate: int) -> NDArray[np.float32]:
        """The first 30 s of a piece count, as the guide's windows have no more."""
        mono = sound.mean(axis=1)[: round(CLIP_SECONDS * rate)]
        if is_silent(mono):
            return np.full(self.size, np.nan, dtype=np.float32)
        return self.guide.statistics(picture(resampled(mono, rate, RATE))).astype(np.float32)
