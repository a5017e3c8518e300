"""Sounds that a model drew: what is heard in them, their form in a session, and codes too long to decode at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from affectgen.audio.files import Frames, Samples, resampled
from affectgen.errors import AudioError
from affectgen.medicine.musicgen.interface import MusicGen

if TYPE_CHECKING:
    from affectgen.recognize.music import MusicRecogniser

WINDOW_SECONDS, MARGIN_SECONDS = 30.0, 2.0  # of codes that are decoded at once, and more on either side


def heard(sound: Frames, rate: int) -> dict[str, Any]:
    """What guide and judge hear in a sound; silence is neutral to both."""
    mono: Samples = sound.mean(axis=1, dtype=np.float32)
    guide, judge = (_reading(name, mono, rate) for name in ("guide", "judge"))
    return {**guide, "judge": judge}


def _reading(name: str, mono: Samples, rate: int) -> dict[str, Any]:
    try:
        reading = _recogniser(name).read([mono], rate)[0]
    except AudioError:  # silent: a model can draw that
        return {"recogniser": name, "valence": 0.0, "arousal": 0.0, "quadrant": "", "silent": True}
    return {"recogniser": name, **reading.affect.to_json(), "quadrant": reading.quadrant}


@lru_cache(maxsize=2)
def _recogniser(name: str) -> MusicRecogniser:
    from affectgen.recognize.music import load_music_guide, load_music_judge

    return load_music_guide() if name == "guide" else load_music_judge()


def stereo(sound: Frames, given: int, wanted: int) -> Frames:
    """A sound of one or two channels as one of two, at another rate."""
    sides = [resampled(np.ascontiguousarray(sound[:, side]), given, wanted) for side in range(sound.shape[1])]
    return np.stack([sides[0], sides[-1]], axis=1)


def decode_joined(model: MusicGen, codes: Tensor) -> Frames:
    """Codes [K, T] of any length as one sound, float32 [N, C].

    Decoded in windows that reach over each other by more than the decoder looks around itself, so that a session of an
    hour needs no more memory than a minute; only the middle of each is used.
    """
    shape = model.shape
    size, margin = shape.frames(WINDOW_SECONDS), shape.frames(MARGIN_SECONDS)
    hop = shape.rate / shape.frame_rate
    parts = []
    for first in range(0, codes.shape[1], size):
        begin, end = max(first - margin, 0), min(first + size + margin, codes.shape[1])
        sound = model.decode(codes[None, :, begin:end])[0]
        last = min(first + size, codes.shape[1])
        parts.append(sound[round((first - begin) * hop) : round((last - begin) * hop)])
    return np.concatenate(parts)
