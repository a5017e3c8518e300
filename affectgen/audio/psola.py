"""Pitch, length and level of a voice, changed period by period: TD-PSOLA (Moulines & Charpentier 1990).

Pieces of the recording about each pitch mark are set anew at the distances of the pitch that is wanted, each taken
from the moment that is to be heard there. Where there is no voice, the recording is copied, and only when that runs
ahead of or behind the time that is wanted, copying jumps to the best fitting place: so noises neither buzz nor change
their level, and the bursts of stops are neither doubled nor lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.glottal import Voice, analyse
from affectgen.audio.grains import overlapped
from affectgen.audio.placing import Placer, held
from affectgen.audio.timemap import HOP, PITCHES, Change, frame_count, origins, placed
from affectgen.errors import AudioError

__all__ = [
    "HOP", "Change", "Voice", "analyse", "changed", "changed_channels", "contoured", "frame_count", "origins", "placed",
    "towards",
]  # fmt: skip

Floats = NDArray[np.float64]


def changed(voice: Voice, change: Change) -> Floats:
    """The recording with its pitch, length and level changed, float64; `placed` says where its moments then lie.

    Its length is that of `placed` at the end, to a sample. Where pitch and time are 1 and gain is 0 for longer than a
    few periods it is a copy, bit for bit, moved by whole samples; all of it where nothing changes. The result may
    exceed full scale. AudioError where the change has another number of frames than the recording.
    """
    return changed_channels(voice, voice.samples[:, None], change)[:, 0]


def changed_channels(voice: Voice, frames: Floats, change: Change) -> Floats:
    """The same for several channels [N, C] of which `voice` is the mixture: their pieces stay together, [M, C]."""
    frames = np.asarray(frames, dtype=np.float64)
    if frames.ndim != 2 or len(frames) != len(voice.samples) or len(change.time) != len(voice.hertz):
        raise AudioError(
            f"Sound of shape {frames.shape} and a change of {len(change.time)} frames came for a recording of "
            f"{len(voice.samples)} samples, {len(voice.hertz)} frames.",
            "Give one value for each frame of the recording.",
        )
    if change.is_nothing:
        return frames.copy()
    gain = _gain(voice, change.gain)[:, None]
    if (change.pitch == 1).all() and (change.time == 1).all():
        return np.asarray(frames * gain)
    length = round(float(placed(np.array(voice.seconds), change)) * voice.rate)
    grains = Placer(voice, change).grains(length)
    return np.stack([overlapped(channel, grains, length) for channel in (frames * gain).T], axis=1)


def contoured(voice: Voice, hertz: Floats, time: Floats, gain: Floats) -> Floats:
    """The recording with its pitch moved to a contour: `changed` by `towards`."""
    return changed(voice, towards(voice, hertz, time, gain))


def towards(voice: Voice, hertz: Floats, time: Floats, gain: Floats) -> Change:
    """The change that moves the pitch to a contour: hertz float64 [T], Hz wanted of each frame of the recording (not of
    the result), 0 to leave it; time and gain as in `Change`. The small irregularities of the voice stay, and a factor
    beyond PITCHES is brought within them. AudioError where there is not one value for each frame."""
    wanted = np.asarray(hertz, dtype=np.float64)
    if wanted.shape != voice.hertz.shape or not np.isfinite(wanted).all():
        raise AudioError(
            f"A contour of shape {wanted.shape} came for a recording of {len(voice.hertz)} frames.",
            "Give one number of Hz for each frame of the recording.",
        )
    both = (wanted > 0) & (voice.hertz > 0)
    factor = np.where(both, wanted / np.where(both, voice.hertz, 1.0), 1.0)
    return Change(held(factor, voice.hertz > 0).clip(*PITCHES), time, gain)


def _gain(voice: Voice, gain: Floats) -> Floats:
    """The factor of each sample for the gain of each frame in dB, interpolated between them, [N]."""
    at = np.arange(len(voice.samples)) / (voice.rate * HOP)
    return np.asarray(10 ** (np.interp(at, np.arange(len(gain)), gain) / 20))
