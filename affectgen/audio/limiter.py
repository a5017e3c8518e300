"""A look-ahead limiter for blocks of any size: true peaks stay at or below a ceiling, and nothing else is touched.

Where the sound passes the ceiling the gain of all channels goes down smoothly from 5 ms before the peak, and is back
within about 150 ms after it. The output is as long as the input and not delayed. A changing gain moves the values
between the samples, but by less than MARGIN_DB, as it is smooth over at least 2 * LEAST_HALF frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames
from affectgen.audio.loudness import AFTER, BEFORE, frame_peaks

LOOKAHEAD = 0.005  # seconds
RELEASE = 0.15  # seconds until 95 % of a reduction is gone
LEAST_HALF = 64  # frames of half the look-ahead, at low rates
MARGIN_DB = 0.02  # what passes the ceiling is brought this far below it
NOTHING = 1e-5  # a smaller reduction (0.0001 dB) is none, so that the gain comes back to exactly 1
CHUNK = 1 << 14  # frames worked on at a time, whatever comes, so that block sizes change nothing

Curve = NDArray[np.float64]  # [N], by how much the gain is lower than 1


class Limiter:
    """`gain_db`, then limiting to `ceiling_db` (dBTP), of one piece of sound.

    `reduction_db` says afterwards by how much the gain went down at most: 0 where nothing passed the ceiling.
    """

    def __init__(self, rate: int, gain_db: float, ceiling_db: float) -> None:
        """rate: samples a second; gain_db: any number; ceiling_db: dB of full scale."""
        self._gain = np.float32(10 ** (gain_db / 20))
        self._ceiling = 10 ** (ceiling_db / 20)
        self._target = 10 ** ((ceiling_db - MARGIN_DB) / 20)
        self._smoother = _Smoother(rate)
        self._delay = self._smoother.delay + AFTER  # frames by which the output of `_push` lags
        self._held: Frames | None = None  # the frames that lag
        self._largest = 0.0

    @property
    def reduction_db(self) -> float:
        """The largest reduction so far, in dB, from 0 up."""
        return 20 * math.log10(1 / (1 - self._largest)) if self._largest < 1 else math.inf

    def run(self, blocks: Iterable[Frames]) -> Iterator[Frames]:
        """The limited sound, float32 [<= CHUNK, C], as many frames as come. Samples must be numbers."""
        given = done = 0
        skip = self._delay
        for chunk, frames in _chunks(blocks):
            given += frames
            out = self._push(chunk * self._gain)
            late = min(skip, len(out))
            skip -= late
            out = out[late : late + given - done]
            done += len(out)
            if len(out):
                yield out

    def _push(self, chunk: Frames) -> Frames:
        """float32 [CHUNK, C] in, and what was `delay` frames before it out."""
        held = self._held if self._held is not None else np.zeros((self._delay, chunk.shape[1]), dtype=np.float32)
        sound = np.concatenate([held, chunk])
        self._held = sound[len(chunk) :]
        curve = self._smoother.push(self._needed(sound[self._delay - BEFORE - AFTER :]))
        out = sound[: len(chunk)]
        if curve is None:
            return out
        self._largest = max(self._largest, float(curve.max()))
        return out * (1 - curve).astype(np.float32)[:, None]

    def _needed(self, padded: Frames) -> Curve:
        """By how much each frame's gain has to go down, for itself and what lies between it and the next."""
        peaks = frame_peaks(padded, self._ceiling)
        needed = np.zeros(len(peaks))
        over = peaks > self._ceiling
        needed[over] = 1 - self._target / peaks[over]
        return needed


def limited(blocks: Iterable[Frames], rate: int, gain_db: float, ceiling_db: float) -> Iterator[Frames]:
    """Blocks [N, C] at `rate`, `gain_db` louder and limited to `ceiling_db` (dBTP); as many frames as come, undelayed.

    Where nothing passes the ceiling the output is the input times the gain, to the bit.
    """
    return Limiter(rate, gain_db, ceiling_db).run(blocks)


class _Smoother:
    """Turns reductions that are needed into a curve without steps that nowhere falls short of them.

    The largest within half the look-ahead on either side, then a release, then a mean over the same span with
    triangular weights: each value that enters the mean is at least what is needed in its middle.
    """

    def __init__(self, rate: int) -> None:
        self._half = max(LEAST_HALF, round(LOOKAHEAD / 2 * rate))
        self.delay = 2 * self._half  # half of it by looking for the largest, half by the mean
        decay = math.exp(-math.log(20) / (RELEASE * rate))
        self._decay = decay ** np.arange(1, CHUNK + 1)
        self._needed: Curve = np.zeros(2 * self._half)
        self._held: Curve = np.zeros(2 * self._half)
        self._level = 0.0  # of the release, after the last frame
        self._idle = True

    def push(self, needed: Curve) -> Curve | None:
        """The curve for the frames `delay` before these; None where it is 0 throughout."""
        if self._idle and not needed.any():
            return None
        held = self._released(self._widened(needed))
        whole = np.concatenate([self._held, held])
        self._held = whole[len(held) :]
        self._idle = not self._held.any()
        return _mean(_mean(whole, self._half + 1), self._half + 1)

    def _widened(self, needed: Curve) -> Curve:
        """The largest of the last `2 half + 1` values."""
        from scipy.ndimage import maximum_filter1d

        whole = np.concatenate([self._needed, needed])
        self._needed = whole[len(needed) :]
        return maximum_filter1d(whole, 2 * self._half + 1)[self._half : self._half + len(needed)]

    def _released(self, wanted: Curve) -> Curve:
        """Falls no faster than the release: level[n] = max(wanted[n], decay * level[n - 1]), for all n at once."""
        decay = self._decay[: len(wanted)]
        level = np.maximum(np.maximum.accumulate(wanted / decay), self._level) * decay
        level[level < NOTHING] = 0.0
        self._level = float(level[-1])
        return level


def _mean(values: Curve, width: int) -> Curve:
    """Running mean of `width` values, [N - width + 1]; exactly 0 where all of them are."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return (total[width:] - total[:-width]) / width


def _chunks(blocks: Iterable[Frames]) -> Iterator[tuple[Frames, int]]:
    """The same sound in pieces of CHUNK frames, then more silence than any delay; how many frames are real."""
    parts: list[Frames] = []
    have, channels = 0, 0
    for block in blocks:
        channels, rest = block.shape[1], block
        while have + len(rest) >= CHUNK:
            parts.append(rest[: CHUNK - have])
            rest = rest[CHUNK - have :]
            yield np.concatenate(parts), CHUNK
            parts, have = [], 0
        if len(rest):
            parts.append(rest)
            have += len(rest)
    if not channels:
        return
    end = np.concatenate([*parts, np.zeros((2 * CHUNK - have, channels), dtype=np.float32)])
    yield end[:CHUNK], have
    yield end[CHUNK:], 0
