"""What is to change in a recording of a voice, frame by frame, and where each moment of it then lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AudioError

Floats = NDArray[np.float64]

HOP = 0.01  # seconds between the frames of a change
PITCHES = (0.2, 5.0)  # factors that a pitch can be multiplied by
TIMES = (0.1, 10.0)  # factors that a length can be multiplied by
GAINS = (-120.0, 60.0)  # dB


def frame_count(samples: int, rate: int) -> int:
    """How many frames a recording of so many samples has: they stand at 0, HOP, 2 HOP, ... seconds, the last of them
    not after its end."""
    return 1 + int(samples / rate / HOP + 1e-9)


@dataclass(frozen=True)
class Change:
    """Of each frame of a recording, float64 [T] each. pitch: the factor on its fundamental frequency, PITCHES; time:
    how many times longer it lasts, TIMES; gain: dB, GAINS. AudioError where a value is no number or out of its range,
    or the lengths differ."""

    pitch: Floats
    time: Floats
    gain: Floats

    def __post_init__(self) -> None:
        count = len(self.time)
        for name, values, (low, high) in (
            ("pitch", self.pitch, PITCHES), ("time", self.time, TIMES), ("gain", self.gain, GAINS),
        ):  # fmt: skip
            if values.shape != (count,) or not count:
                raise AudioError(
                    f"A change has {np.shape(values)} values of {name}; one for each of {count} frames was expected.",
                    "Give one value for each frame of the recording.",
                )
            if not (np.isfinite(values).all() and low <= values.min() and values.max() <= high):
                raise AudioError(
                    f"A change of {name} from {np.min(values):g} to {np.max(values):g} was asked for.",
                    f"It can be {low:g} to {high:g}.",
                )

    @classmethod
    def even(cls, count: int, pitch: float = 1.0, time: float = 1.0, gain: float = 0.0) -> Change:
        """The same for each of `count` frames."""
        return cls(np.full(count, float(pitch)), np.full(count, float(time)), np.full(count, float(gain)))

    @property
    def is_nothing(self) -> bool:
        """Whether it leaves everything as it is."""
        return bool((self.pitch == 1).all() and (self.time == 1).all() and (self.gain == 0).all())


def placed(seconds_in: Floats, change: Change) -> Floats:
    """Where moments of the recording, in seconds, lie after the change, seconds, any shape: monotone, 0 stays 0.

    A frame's factor holds from half a HOP before it to half a HOP after; the first and last frame's go on beyond them.
    """
    edges, times = corners(change)
    moments = np.asarray(seconds_in, dtype=np.float64)
    inside = np.interp(moments, edges, times)
    before = np.minimum(moments, 0.0) * change.time[0]
    after = np.maximum(moments - edges[-1], 0.0) * change.time[-1]
    return np.asarray(inside + before + after, dtype=np.float64)


def origins(seconds_out: Floats, change: Change) -> Floats:
    """Which moment of the recording, in seconds, lies at each of these moments after the change: undoes `placed`."""
    edges, times = corners(change)
    moments = np.asarray(seconds_out, dtype=np.float64)
    inside = np.interp(moments, times, edges)
    before = np.minimum(moments, 0.0) / change.time[0]
    after = np.maximum(moments - times[-1], 0.0) / change.time[-1]
    return np.asarray(inside + before + after, dtype=np.float64)


def corners(change: Change) -> tuple[Floats, Floats]:
    """Where the factor on time can change, in seconds of the recording and after the change, [T] each, from 0 on."""
    edges = np.maximum((np.arange(len(change.time)) - 0.5) * HOP, 0.0)
    lengths = np.diff(edges) * change.time[:-1]
    return edges, np.r_[0.0, np.cumsum(lengths)]
