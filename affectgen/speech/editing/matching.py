"""A donor's words in the speaker's voice: nearest neighbours among the speaker's own frames of the same sounds.

For each frame of the donor the speaker's nearest frames of the same sound are looked up, their envelopes averaged, and
the donor filtered so that it has that envelope: a kNN conversion (compare Baas et al., "Voice Conversion With Just
Nearest Neighbors", 2023) whose source stays the donor's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.envelope import shaped
from affectgen.audio.f0 import Floats
from affectgen.speech.editing.voice_frames import KINDS, STEP, VoiceFrames

FEWEST = 50  # frames with twins from which they are of use
MOST = 36.0  # dB that a filter may add or take


@dataclass(frozen=True)
class Matching:
    """How neighbours are found. neighbours: how many are averaged; place: what a whole sound's length of difference in
    place costs, around: a differing sound on either side, other: another sound, sort: one of another sort, all in units
    of the spread of a cepstral coefficient; twins: how much the comparison in the donor's own voice counts, single:
    what a frame without a twin costs, squared units; smooth: frames that targets are averaged over; shares: how far of
    the way to the target may be gone, the best of which is taken."""

    neighbours: int = 12
    place: float = 4.0
    around: float = 0.5
    other: float = 1.0
    sort: float = 10.0
    twins: float = 0.5
    single: float = 0.3
    smooth: int = 3
    shares: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.5)


def neighbours_of(
    donor: VoiceFrames, voice: VoiceFrames, speaker: VoiceFrames, how: Matching,
    twins: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], Floats]:
    """(indices of the speaker's frames [K, n], their weights [K, n], which sum to 1) for each donor frame.

    voice: all of the donor, by which it is known what its voice is like; twins: for each of the speaker's frames the
    one of `voice` that says the same, -1 for none (`affectgen.speech.editing.twins`).
    """  # fmt: skip
    own = _normal(donor, voice)
    cost = _apart(own, _normal(speaker, speaker))
    if twins is not None and (twins >= 0).sum() >= FEWEST:
        by_twin = _apart(own, _normal(voice, voice)[np.maximum(twins, 0)])
        cost = np.where(twins >= 0, (1 - how.twins) * cost + how.twins * by_twin, cost + how.single)
    cost += (how.place * (donor.place[:, None] - speaker.place)) ** 2
    for side in ("left", "right"):
        cost += how.around**2 * (getattr(donor, side)[:, None] != getattr(speaker, side))
    cost += how.other**2 * (donor.phone[:, None] != speaker.phone)
    cost += how.sort**2 * (KINDS[donor.phone][:, None] != KINDS[speaker.phone])
    count = min(how.neighbours, cost.shape[1])
    best = np.argpartition(cost, count - 1, axis=1)[:, :count]
    weight = np.exp(-0.5 * (np.take_along_axis(cost, best, axis=1) - cost.min(axis=1, keepdims=True)))
    return best, weight / weight.sum(axis=1, keepdims=True)


def _apart(one: Floats, other: Floats) -> Floats:
    """Mean squared differences of each row of one [K, C] to each of the other [L, C], [K, L]."""
    return ((one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T) / one.shape[1]


def _normal(frames: VoiceFrames, voice: VoiceFrames) -> Floats:
    """Cepstra relative to the voice's mean and spread over what is no silence, [K, C]."""
    spoken = voice.cepstra[voice.phone != 0]
    spoken = spoken if len(spoken) > 1 else voice.cepstra
    return (frames.cepstra - spoken.mean(axis=0)) / np.maximum(spoken.std(axis=0), 1e-3)


def targets_for(
    donor: VoiceFrames, voice: VoiceFrames, speaker: VoiceFrames, how: Matching,
    twins: NDArray[np.int64] | None = None,
) -> Floats:
    """The envelope in dB that each donor frame is to have, [K, bins], level included; see `neighbours_of`.
    """  # fmt: skip
    best, weight = neighbours_of(donor, voice, speaker, how, twins)
    found = np.einsum("kn,knb->kb", weight, speaker.envelopes[best])
    return smoothed(found, how.smooth)


def smoothed(values: Floats, width: int) -> Floats:
    """Means over `width` frames around each, [K, ...]."""
    if width < 2 or len(values) < 2:
        return values
    before, after = width // 2, (width - 1) // 2
    padded = np.concatenate([np.repeat(values[:1], before, 0), values, np.repeat(values[-1:], after, 0)])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).mean(axis=-1))


def in_voice(samples: Floats, rate: int, donor: VoiceFrames, target: Floats, share: float = 1.0) -> Floats:
    """The donor's samples [N] with the target envelopes [K, bins]; the donor's frames [K] begin with the samples.
    share: how much of the way to the target is gone, 0 to 1."""
    return shaped(samples, rate, np.clip(share * (target - donor.envelopes), -MOST, MOST), STEP)
