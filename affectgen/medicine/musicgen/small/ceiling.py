"""What survives the codec: the ceiling of all that a language model over its codes can be heard to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from affectgen.audio.files import Samples
from affectgen.audio.mel import STEP, picture
from affectgen.medicine.musicgen.small.data import RATE, Clip
from affectgen.recognize.music import MusicRecogniser
from affectgen.recognize.reading import Reading

HEARD = 100  # levels of 0.3 dB below the loudest band, under which cells of both sounds are left out: 46 dB and more
Floats = NDArray[np.float64]


def spearman(first: Floats, second: Floats) -> float:
    """Rank correlation of two columns; nan where one is constant."""
    from scipy.stats import rankdata

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


@torch.inference_mode()
def through(codec: Any, sound: Samples) -> Samples:
    """A sound at RATE, coded and decoded, float32 [N]."""
    codes = codec.encode(torch.from_numpy(sound)[None, None]).audio_codes
    heard: Samples = codec.decode(codes, [None]).audio_values[0, 0].numpy()
    return heard[: len(sound)]


def mel_distance(first: Samples, second: Samples) -> float:
    """Mean difference in dB of the mel bands of two sounds (`affectgen/audio/mel.py`) where either is heard."""
    one, two = (picture(sound).mel.astype(np.float64) for sound in (first, second))
    length = min(len(one), len(two))
    one, two = one[:length], two[:length]
    heard = (one > HEARD) | (two > HEARD)
    return float(np.abs(one - two)[heard].mean() * STEP)


def points(read: list[Reading]) -> Floats:
    """Valence and arousal [N, 2] of readings."""
    return np.array([(one.affect.valence, one.affect.arousal) for one in read])


def measure_codec(codec: Any, clips: list[tuple[Clip, Samples]], guide: MusicRecogniser) -> dict[str, float]:
    """Figures of a codec on clips [N] of at least half a second: the distance in dB, and how the guide reads what was
    coded and decoded beside what it reads in the original; and how both readings go with the clips' quadrants."""
    sounds = [sound for _, sound in clips]
    coded = [through(codec, sound) for sound in sounds]
    before, after = points(guide.read(sounds, RATE)), points(guide.read(coded, RATE))
    high = np.array([clip.quadrant in ("Q1", "Q2") for clip, _ in clips], dtype=np.float64)
    return {
        "clips": float(len(clips)),
        "mel distance, dB": float(np.mean([mel_distance(*pair) for pair in zip(sounds, coded, strict=True)])),
        "arousal, guide before and after, Spearman": spearman(before[:, 1], after[:, 1]),
        "valence, guide before and after, Spearman": spearman(before[:, 0], after[:, 0]),
        "arousal, guide and quadrant, before": spearman(before[:, 1], high),
        "arousal, guide and quadrant, after": spearman(after[:, 1], high),
    }
