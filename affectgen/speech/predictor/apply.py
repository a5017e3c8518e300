"""A predicted shift given to a recording: what each frame's pitch, length, level and colour change by.

`learned_change` is what `affectgen speech convert --method learned` asks; `affectgen.audio.psola` and
`affectgen.audio.envelope` carry it out (`learned`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.space import Affect
from affectgen.audio.band_filter import filtered
from affectgen.audio.psola import analyse, changed
from affectgen.audio.spectrum import BAND, MEL_BANDS, cepstra
from affectgen.audio.timemap import HOP, Change, frame_count
from affectgen.speech.aligning.alignment import Alignment
from affectgen.speech.predictor.pairs import Exemplar
from affectgen.speech.predictor.phones import LEAST_PAUSE, SHAPES, Take, measure

if TYPE_CHECKING:
    from affectgen.speech.predictor.ready import PhoneShift, ProsodyPredictor

Floats = NDArray[np.float64]

SOFT = 0.03  # seconds: half the width of the window that changes are smoothed over between phones
# Within which a voice stays a voice: semitones, log of time, dB of level and of a band.
MOST_PITCH, MOST_TIME, MOST_GAIN, MOST_BAND = 12.0, 0.7, 10.0, 15.0


def learned_change(
    samples: Floats, rate: int, alignment: Alignment, affect: Affect, label: str | None = None,
    exemplars: Sequence[Exemplar] | None = None, strength: float = 1.0, predictor: ProsodyPredictor | None = None,
) -> tuple[Change, Floats]:  # fmt: skip
    """(change, gains in dB [T, 26] of the mel bands of `spectrum.BAND`) of each HOP of mono samples [N], full scale 1.

    alignment: when its phones are said; affect, label, exemplars: see `ProsodyPredictor.predict`; strength: how many
    times as much as predicted, 0 for nothing; predictor: the shipped one if not given. AffectgenError where nothing
    voiced is said.
    """
    count = frame_count(len(samples), rate)
    if strength == 0:
        return Change.even(count), np.zeros((count, MEL_BANDS))
    take = measure(np.asarray(samples, dtype=np.float32), rate, alignment)
    model = _shipped() if predictor is None else predictor
    return frames_of(model.predict(take, affect, label, exemplars).scaled(strength), take, alignment, count)


def learned(
    samples: Floats, rate: int, alignment: Alignment, affect: Affect, label: str | None = None,
    exemplars: Sequence[Exemplar] | None = None, strength: float = 1.0, predictor: ProsodyPredictor | None = None,
) -> tuple[Floats, Change]:  # fmt: skip
    """The samples as `learned_change` would have them, float64 [M], and the change; an exact copy for strength 0."""
    change, gains = learned_change(samples, rate, alignment, affect, label, exemplars, strength, predictor)
    plain = np.asarray(samples, dtype=np.float64)
    if gains.any():
        plain = filtered(plain, rate, gains, HOP, BAND)
    return changed(analyse(plain, rate), change), change


def frames_of(shift: PhoneShift, take: Take, alignment: Alignment, count: int) -> tuple[Change, Floats]:
    """A shift of phones as a change of `count` frames and gains [count, 26], gliding from phone to phone.

    The pitch goes on level over silences and between phones; silences between words are stretched, those before the
    first and after the last word stay as they are.
    """
    phones = [phone for word in alignment.words for phone in word.phones]
    at = np.arange(count, dtype=np.float64) * HOP
    starts, ends = np.array([phone.start for phone in phones]), np.array([phone.end for phone in phones])
    place = np.clip(np.searchsorted(starts, at, side="right") - 1, 0, len(phones) - 1)
    inside = (at >= starts[0]) & (at < ends[place])
    pitch = _pitch(shift, take, starts, ends, at)
    time = np.where(inside, np.clip(shift.length[place], -MOST_TIME, MOST_TIME), 0.0)
    gain = np.where(inside, np.clip(shift.energy[place], -MOST_GAIN, MOST_GAIN), 0.0)
    bands = np.where(inside[:, None], np.clip(shift.shape[place] @ _bands(), -MOST_BAND, MOST_BAND), 0.0)
    for number in np.flatnonzero(take.last[:-1]):
        silence = (at >= ends[number]) & (at < starts[number + 1])
        time[silence] = _pause_time(starts[number + 1] - ends[number], float(shift.pause[number]))
    change = Change(2 ** (_soft(pitch) / 12), np.exp(_soft(time)), _soft(gain))
    return change, _soft(bands)


def _pitch(shift: PhoneShift, take: Take, starts: Floats, ends: Floats, at: Floats) -> Floats:
    """Semitones of each frame: through each voiced phone's level with its slope, straight between them."""
    voiced = np.isfinite(take.values[:, 0])
    level, slope = shift.level[voiced], shift.slope[voiced]
    first, last = starts[voiced], ends[voiced]
    quarter = (last - first) / 4  # the slope is believed in the middle half, so that neighbours meet
    times = np.stack([first + quarter, last - quarter], axis=1).ravel()
    values = np.stack([level - slope / 4, level + slope / 4], axis=1).ravel()
    return np.clip(np.interp(at, times, values), -MOST_PITCH, MOST_PITCH)


def _pause_time(seconds: float, change: float) -> float:
    """The log of the factor on a silence of so many seconds, of which with LEAST_PAUSE the log changes by `change`."""
    if seconds <= 0:
        return 0.0
    wanted = (seconds + LEAST_PAUSE) * np.exp(change) - LEAST_PAUSE
    return float(np.clip(np.log(max(wanted, 0.02) / max(seconds, 0.02)), -MOST_TIME, MOST_TIME))


def _soft(values: Floats) -> Floats:
    """Smoothed along the frames [T, ...] by a triangle."""
    width = round(SOFT / HOP)
    window = np.r_[np.arange(1, width + 2), np.arange(width, 0, -1)].astype(np.float64)
    window /= window.sum()
    flat = np.pad(values.reshape(len(values), -1), ((width, width), (0, 0)), mode="edge")
    found = sum(part * flat[step : step + len(values)] for step, part in enumerate(window))
    return np.asarray(found, dtype=np.float64).reshape(values.shape)


@cache
def _bands() -> Floats:
    """From the first cepstra to mel bands in dB, float64 [8, 26]: the transform is orthonormal."""
    return cepstra(np.eye(MEL_BANDS))[:, 1 : 1 + SHAPES].T


@cache
def _shipped() -> ProsodyPredictor:
    """The shipped predictor, loaded once."""
    from affectgen.speech.predictor.ready import load_predictor

    return load_predictor()
