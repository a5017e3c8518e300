"""Where new sound is cut into a recording: at quiet or alike moments near the edges of the words, with short fades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.f0 import Floats
from affectgen.audio.files import Samples
from affectgen.speech.edited_file import Patch

REACH = 0.015  # seconds from an edited span beyond which nothing is touched
FADE = 0.006  # seconds of a fade
SEARCH = 0.0115  # seconds to either side in which a cut is looked for: with half a fade it stays within REACH
STEP = 0.0005  # seconds between the cuts that are tried
WINDOW = 0.008  # seconds over which two sounds are compared
FARTHER = 0.02  # what a cut at the end of the search costs, in units of the loudness


@dataclass(frozen=True)
class Joint:
    """One edit, cut. left, right: samples of the recording; first, last: samples of the new sound, equal to each other
    where nothing is put in; fade: samples, even."""

    left: int
    right: int
    first: int
    last: int
    fade: int


def joint(
    recording: Floats | Samples, rate: int, start: float, end: float, sound: Floats | None, first: float = 0.0,
    last: float = 0.0, search: tuple[float, float] = (SEARCH, SEARCH),
) -> Joint:
    """The cuts for one edit. recording: mono [N]; start, end: seconds of what is taken out; sound: what is put in, mono
    [M], None for nothing; first, last: seconds of it between which its words are.

    The recording's cuts lie within `search` seconds of `start` and `end`.
    """  # fmt: skip
    fade = 2 * max(round(FADE * rate / 2), 1)
    scale = float(np.dot(recording, recording)) / max(len(recording), 1) + 1e-12
    a, b = _inside(start, rate, len(recording), fade), _inside(end, rate, len(recording), fade)
    if sound is None:
        left, right = _best(recording, a, recording, b, rate, scale, min(search))
        left, right = (_inside(cut / rate, rate, len(recording), fade) for cut in (left, right))
        return Joint(left, max(right, left), 0, 0, fade)
    left, begin = _best(recording, a, sound, round(first * rate), rate, scale, search[0])
    right, finish = _best(recording, b, sound, round(last * rate), rate, scale, search[1])
    left, right = (_inside(cut / rate, rate, len(recording), fade) for cut in (left, right))
    return Joint(left, max(right, left), begin, max(finish, begin), fade)


def _inside(seconds: float, rate: int, count: int, fade: int) -> int:
    """The sample at that moment, far enough from both ends for half a fade."""
    return int(np.clip(round(seconds * rate), min(fade // 2, count // 2), max(count - fade // 2, count // 2)))


def _best(
    one: Floats | Samples, at: int, other: Floats | Samples, place: int, rate: int, scale: float, search: float
) -> tuple[int, int]:
    """(sample of the one, of the other) near the places given about which the two sound most alike, or least loud."""
    step, reach, width = max(round(STEP * rate), 1), round(search * rate), max(round(WINDOW * rate), 4)
    shifts = np.arange(-(reach // step), reach // step + 1) * step  # [S]
    mine, its = (_windows(sound, at_ + shifts, width) for sound, at_ in ((one, at), (other, place)))  # [S, W]
    apart = (mine**2).mean(axis=1)[:, None] + (its**2).mean(axis=1) - 2 * mine @ its.T / width
    far = FARTHER * (shifts / max(reach, 1)) ** 2
    cost = apart / scale + far[:, None] + far
    row, column = np.unravel_index(int(cost.argmin()), cost.shape)
    return at + int(shifts[row]), place + int(shifts[column])


def _windows(sound: Floats | Samples, centres: NDArray[np.int64], width: int) -> Floats:
    """Stretches of `width` samples about each centre, zeros beyond the ends, [S, W]."""
    rows = centres[:, None] + np.arange(width) - width // 2
    inside = (rows >= 0) & (rows < len(sound))
    return np.asarray(np.where(inside, sound[np.clip(rows, 0, max(len(sound) - 1, 0))], 0.0))


def patch_for(cut: Joint, channels: Floats, offset: int, sound: Floats | None, gains: Floats) -> Patch:
    """The patch of one edit for all channels. channels: the recording's frames [K, C] from sample `offset` on, as far
    as the fades reach; sound: as for `joint`; gains: of the new sound in each channel [C]."""
    half = cut.fade // 2
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(cut.fade) + 0.5) / cut.fade))[:, None]
    before = _frames(channels, cut.left - half - offset, cut.fade)
    after = _frames(channels, cut.right - half - offset, cut.fade)
    if sound is None:
        return Patch(cut.left - half, cut.right + half, before * (1 - rise) + after * rise)
    new = sound[:, None] * gains  # [M, C]
    head, tail = _frames(new, cut.first - half, cut.fade), _frames(new, cut.last - half, cut.fade)
    middle = _frames(new, cut.first + half, max(cut.last - cut.first - cut.fade, 0))
    parts = (before * (1 - rise) + head * rise, middle, tail * (1 - rise) + after * rise)
    return Patch(cut.left - half, cut.right + half, np.concatenate(parts))


def _frames(channels: Floats, start: int, count: int) -> Floats:
    """`count` frames from `start` on, zeros beyond the ends, [count, C]."""
    rows = start + np.arange(count)
    inside = (rows >= 0) & (rows < len(channels))
    return np.where(inside[:, None], channels[np.clip(rows, 0, max(len(channels) - 1, 0))], 0.0)


def channel_gains(channels: Floats) -> Floats:
    """How loud a voice in the middle is to be in each channel: the regression of each one on their mean, [C]. 1 for
    silence."""
    mono = channels.mean(axis=1)
    power = float(mono @ mono)
    return channels.T @ mono / power if power > 1e-12 else np.ones(channels.shape[1])
