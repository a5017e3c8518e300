"""Clips to one session: equal lengths to the sample, a loudness that follows arousal, seams that nobody hears.

Each clip is brought to the loudness of its arousal, CONTOUR LU louder at the most excited than at the most calm, by
EBU R 128 measures it. Gain then bends near the seams only, so that the three seconds before and after each are equally
loud; neighbours are crossfaded by equal power, for they are different music.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames
from affectgen.audio.join import crossfade
from affectgen.audio.loudness import Meter, mean_loudness

CONTOUR = 4.0  # LU between the softest and the loudest clip that can be asked for
BASE = -20.0  # LUFS of a clip of neutral arousal, before the whole session is levelled
EDGE_SECONDS = 3.0  # on either side of a seam, which shall be equally loud
BEND_SECONDS = 6.0  # from a clip's edge, over which its gain bends
MOST_BEND = 9.0  # dB
ROUNDS = 6  # of bending
QUIET = -60.0  # LUFS: an edge softer than this is a rest, which no gain shall lift

Floats = NDArray[np.float64]
Load = Callable[[int], Frames]  # clip's index -> its samples, float32 [N, 2]


@dataclass(frozen=True)
class Grid:
    """Where clips lie, in samples. starts: of each; length: of the session; overlap: of neighbours."""

    starts: tuple[int, ...]
    length: int
    overlap: int

    @classmethod
    def of(cls, count: int, clip_seconds: float, overlap: float, rate: int) -> Grid:
        """The grid of `count` clips of equal length; what rounding leaves over is shared among them."""
        starts = tuple(round(n * (clip_seconds - overlap) * rate) for n in range(count))
        return cls(starts, round((count * clip_seconds - (count - 1) * overlap) * rate), round(overlap * rate))

    def frames(self, index: int) -> int:
        """Length of a clip: up to the end of the overlap with the next one."""
        last = index == len(self.starts) - 1
        return (self.length if last else self.starts[index + 1] + self.overlap) - self.starts[index]


@dataclass
class Gains:
    """Of one clip, dB. level: of the whole; head, tail: more than that at its edges."""

    level: float
    head: float = 0.0
    tail: float = 0.0


def contour(arousal: float) -> float:
    """LUFS of a clip, before the session is levelled."""
    return BASE + CONTOUR / 2 * arousal


def plan_gains(
    load: Load, arousals: Sequence[float], grid: Grid, rate: int, stream: bool = False
) -> list[Gains]:  # fmt: skip
    """The gains that give every clip its loudness and every seam two equal sides. stream: clips go on from each other
    and are one sound: at their seams the gain passes from one level to the next without a step."""
    found: list[Gains] = []
    edges: list[Edges] = []
    for index, arousal in enumerate(arousals):
        sound = load(index)
        meter = Meter(rate, 2)
        meter.add(sound)
        heard = meter.integrated()
        found.append(Gains(0.0 if heard is None else contour(arousal) - heard))
        reach = min(len(sound) // 2, round((EDGE_SECONDS + 1) * rate) + grid.overlap)
        edges.append(Edges(sound[:reach].copy(), sound[len(sound) - reach :].copy(), len(sound)))
    if stream:
        return _continuous(found)
    sounding = [index for index in range(len(found) - 1) if _sounds(found, edges, index, rate)]
    for _ in range(ROUNDS):
        for index in sounding:
            _even_out(found, edges, index, grid, rate)
    return found


@dataclass(frozen=True)
class Edges:
    """Of one clip: its first and last seconds, float32 [N, 2] each, and the samples of the whole."""

    head: Frames
    tail: Frames
    frames: int


def _sounds(gains: Sequence[Gains], edges: Sequence[Edges], index: int, rate: int) -> bool:
    """Whether neither side of a seam is a rest."""
    softer = min(mean_loudness(edges[index].tail, rate), mean_loudness(edges[index + 1].head, rate))
    return softer + min(gains[index].level, gains[index + 1].level) >= QUIET


def _continuous(gains: list[Gains]) -> list[Gains]:
    """Gains that meet halfway at every seam."""
    for one, two in pairwise(gains):
        half = (two.level - one.level) / 2
        one.tail, two.head = half, -half
    return gains


def _even_out(gains: list[Gains], edges: Sequence[Edges], index: int, grid: Grid, rate: int) -> None:
    """Bend the gains at one seam halfway to where both sides are equally loud."""
    one, two = gains[index], gains[index + 1]
    before, after, frames = edges[index].tail, edges[index + 1].head, edges[index].frames
    ends = _curve(one, frames, rate, frames - len(before))
    begins = _curve(two, edges[index + 1].frames, rate, 0, len(after))
    seam = crossfade(before * ends[:, None], after * begins[:, None], min(grid.overlap, len(before), len(after)))
    middle, side = len(before) - grid.overlap // 2, round(EDGE_SECONDS * rate)
    left = mean_loudness(seam[max(middle - side, 0) : middle], rate)
    right = mean_loudness(seam[middle : middle + side], rate)
    move = (right - left) / 2
    one.tail = float(np.clip(one.tail + move * 0.7, -MOST_BEND, MOST_BEND))
    two.head = float(np.clip(two.head - move * 0.7, -MOST_BEND, MOST_BEND))


def _curve(gains: Gains, frames: int, rate: int, first: int = 0, last: int | None = None) -> NDArray[np.float32]:
    """A clip's gain over its samples, or those from first to before last, linear, float32."""
    bend = min(BEND_SECONDS * rate, frames / 2)
    places = (0.0, bend / 2, bend, frames - bend, frames - bend / 2, frames)
    decibels = (gains.head, gains.head, 0.0, 0.0, gains.tail, gains.tail)
    bent = np.interp(np.arange(first, frames if last is None else last, dtype=np.float64), places, decibels)
    return (10 ** ((gains.level + bent) / 20)).astype(np.float32)


def mixed(load: Load, gains: Sequence[Gains], grid: Grid, rate: int, stream: bool = False) -> Iterator[Frames]:
    """The session in blocks of float32 [N, 2], as long as the grid says. Strangers that do not overlap are faded out
    and in over a hundredth of a second."""
    from affectgen.audio.join import joined

    def parts() -> Iterator[Iterator[Frames]]:
        """Each clip under its gain, read when its turn comes."""
        for index, gain in enumerate(gains):
            sound = load(index)
            curve = _curve(gain, len(sound), rate)
            if grid.overlap == 0 and not stream:
                fade = min(rate // 100, len(sound) // 2)
                curve[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
                curve[len(curve) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
            yield iter([sound * curve[:, None]])

    return joined(parts(), grid.overlap)


def fitted(sound: Frames, frames: int, rate: int) -> Frames:
    """A clip cut or filled up with silence to so many samples; a cut end fades out over a tenth of a second."""
    if len(sound) < frames:
        return np.pad(sound, ((0, frames - len(sound)), (0, 0)))
    cut = sound[:frames].copy()
    fade = min(rate // 10, frames)
    cut[frames - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return cut
