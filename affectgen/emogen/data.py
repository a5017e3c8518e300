"""Training data: songs as words with a performance of their notes, and windows of them with their own attributes.

Attributes are measured on every window anew, after its tempo and loudness were changed, and on notes as the project's
performer plays them, because that is how composed pieces are heard. No label of any kind is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.emogen.config import STYLES
from affectgen.emogen.masks import MaskRates, draw_targets
from affectgen.emogen.scale import Scale
from affectgen.emogen.vector import NAMES, describe
from affectgen.score.expression import LEAST_SECONDS, WITHIN, room
from affectgen.score.grid import BAR as SIXTEENTHS
from affectgen.score.grid import BEAT, GridScore, Timing
from affectgen.score.stream import BAR, Stream
from affectgen.score.words import Family, Field, decode
from affectgen.writing.decoder import MOST_BARS_LEFT
from affectgen.writing.tables import COLUMNS, cut_table, jitter

BEATS = SIXTEENTHS // BEAT  # in a bar
LONG_SHARE = 0.2  # of batches, whose windows are twice as long
DRAWS = 10
LEAST_NOTES = 8  # in a segment, for its attributes to mean something
SEGMENT_BARS = (2, 4, 8)  # where a window is told in parts, each has about as many bars


@dataclass(frozen=True)
class Song:
    """One piece for training.

    table: int16 [T, 13] (Stream.table); shift: float32 [T], seconds by which a note is played off its place; ratio:
    float32 [T], its played over its written length (both 0 for words that are no notes); style: index into STYLES;
    ending: whether the last bar is a real ending.
    """

    name: str
    table: NDArray[np.int16]
    shift: NDArray[np.float32]
    ratio: NDArray[np.float32]
    style: int
    ending: bool

    @property
    def bars(self) -> int:
        return int(self.table[-1, BAR]) + 1

    @classmethod
    def of(cls, name: str, words: NDArray[np.int64], style: str, ending: bool, played: NDArray[np.float64]) -> Song:
        """From words [T, 8] and how their notes are played [notes, 2]: shifts and ratios."""
        table = Stream.of(words).table().astype(np.int16)
        both = np.zeros((len(words), 2), dtype=np.float32)
        both[words[:, Field.FAMILY] == Family.NOTE] = played
        return cls(name, table, both[:, 0], both[:, 1], STYLES.index(style), ending)


def save_songs(path: Path, songs: Sequence[Song]) -> None:
    """Write songs as one npz without pickles."""
    np.savez_compressed(
        path, names=np.array([song.name for song in songs]), words=np.array([len(song.table) for song in songs]),
        tables=np.concatenate([song.table for song in songs]),
        shift=np.concatenate([song.shift for song in songs]).astype(np.float16),
        ratio=np.concatenate([song.ratio for song in songs]).astype(np.float16),
        style=np.array([song.style for song in songs]), ending=np.array([song.ending for song in songs]),
    )  # fmt: skip


def load_songs(path: Path) -> list[Song]:
    """Read what `save_songs` wrote."""
    with np.load(path, allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}
    words = np.cumsum(data["words"])[:-1]
    rows = zip(
        data["names"].tolist(), np.split(data["tables"], words), np.split(data["shift"].astype(np.float32), words),
        np.split(data["ratio"].astype(np.float32), words), data["style"].tolist(), data["ending"].tolist(), strict=True,
    )  # fmt: skip
    return [Song(*row) for row in rows]


@dataclass(frozen=True)
class Window:
    """Some bars as a piece of their own: table int64 [T, 13], bars to the end of the song int64 [N], the piece as a
    score, and how it is played."""

    table: NDArray[np.int64]
    left: NDArray[np.int64]
    style: int
    ending: bool
    score: GridScore
    played: Timing

    @property
    def bars(self) -> int:
        return len(self.left)

    def describe(self, first: int, stop: int, core_only: bool = False) -> NDArray[np.float64]:
        """The attributes [K] of the bars from `first` up to `stop`, as `describe_bars` measures them."""
        return describe_bars(self.score, self.played, first, stop, core_only)


def cut_window(song: Song, first: int, most_words: int, rng: np.random.Generator | None = None) -> Window:
    """The window from bar `first` of at most `most_words` words, augmented where a generator is given."""
    table, begin = cut_table(song.table, first, most_words)
    if rng is not None:
        jitter(table, rng)
    score = decode(table[:, :8])
    rows = slice(begin, begin + len(table) - 1)
    note = table[1:, Field.FAMILY] == Family.NOTE
    played = play(score, song.shift[rows][note].astype(np.float64), song.ratio[rows][note].astype(np.float64))
    stop = first + int(table[:, BAR].max()) + 1
    left = np.minimum(song.bars - 1 - np.arange(first, stop), MOST_BARS_LEFT)
    return Window(table, left, song.style, song.ending, score, played)


def as_written(score: GridScore) -> Timing:
    """Notes on the grid, as long as they are written."""
    onset = score.seconds_at(score.start)
    return Timing(onset, score.seconds_at(score.start + score.length) - onset)


def play(score: GridScore, shift: NDArray[np.float64], ratio: NDArray[np.float64]) -> Timing:
    """The notes of a score with the shifts and length ratios [N] of another tempo's performance; as written where notes
    were lost on the way, because two of an onset became one pitch."""
    plain = as_written(score)
    if len(shift) != len(score):
        return plain
    sixteenth = 15 / score.tempo[np.minimum(score.start // BEAT, len(score.tempo) - 1)]
    moved = np.maximum(plain.onset + np.clip(shift, -WITHIN * sixteenth, WITHIN * sixteenth), 0.0)
    length = np.maximum(plain.duration * ratio, LEAST_SECONDS)
    return Timing(moved, np.minimum(length, room(score, moved, plain.duration)))


def describe_bars(
    score: GridScore, played: Timing, first: int, stop: int, core_only: bool = False
) -> NDArray[np.float64]:
    """The attributes [K] of bars [first, stop) of a piece as it is played; nan for fewer than LEAST_NOTES notes, and
    for EmoGen's hundred where only the core attributes are wanted."""
    notes = score.bar_notes(first, stop, played)
    if len(notes) < LEAST_NOTES:
        return np.full(len(NAMES), np.nan)
    return describe(notes, float(np.median(score.tempo[BEATS * first : BEATS * stop])), core_only)


@dataclass(frozen=True)
class Batch:
    """Rows of equal length T, padded with family PAD: table int64 [B, T, 13]; targets float32 [B, N, K] in standard
    deviations, nan where free; bars_left int64 [B, N]; style, ending int64 [B]."""

    table: Tensor
    targets: Tensor
    bars_left: Tensor
    style: Tensor
    ending: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(*(getattr(self, name).to(device, non_blocking=True) for name in self.__dataclass_fields__))


def collate(windows: Sequence[Window], targets: Sequence[NDArray[np.float64]]) -> Batch:
    """Stack windows and their targets [bars, K] into a batch."""
    steps, bars = max(len(window.table) for window in windows), max(window.bars for window in windows)
    table = np.zeros((len(windows), steps, COLUMNS), dtype=np.int64)
    asked = np.full((len(windows), bars, len(NAMES)), np.nan, dtype=np.float32)
    left = np.full((len(windows), bars), MOST_BARS_LEFT, dtype=np.int64)
    for row, (window, target) in enumerate(zip(windows, targets, strict=True)):
        table[row, : len(window.table)] = window.table
        asked[row, : window.bars] = target
        left[row, : window.bars] = window.left
    style = np.array([window.style for window in windows])
    ending = np.array([int(window.ending) for window in windows])
    return Batch(*(torch.from_numpy(part) for part in (table, asked, left, style, ending)))


class Windows:
    """Endless random windows: corpora drawn by `share`, songs by their words, a random first bar, augmented.

    Half of the windows are told as a whole, the others in parts of some bars, so that targets may change on the way.
    """

    def __init__(
        self, songs: Sequence[Song], scale: Scale, share: dict[str, float], rows: int, words: int,
        seed: int | Sequence[int], rates: MaskRates | None = None,
    ) -> None:  # fmt: skip
        self.pools = {name: [song for song in songs if STYLES[song.style] == name] for name in share}
        self.weights = {name: _weights(pool) for name, pool in self.pools.items()}
        held = np.array([share[name] if self.pools[name] else 0.0 for name in share])
        self.names, self.share = list(share), held / held.sum()
        self.scale, self.rows, self.words = scale, rows, words
        self.rates = rates if rates is not None else MaskRates()
        self.rng = np.random.default_rng(seed)

    def draw(self) -> Batch:
        """One batch of `rows` windows; one in five has half as many, of twice the length."""
        long = self.rng.random() < LONG_SHARE
        rows, words = (self.rows // 2, 2 * self.words) if long and self.rows > 1 else (self.rows, self.words)
        windows, targets = [], []
        for name in self.rng.choice(self.names, size=rows, p=self.share):
            window = self._cut(str(name), words, self.words if long else 0)
            windows.append(window)
            targets.append(self.targets(window))
        return collate(windows, targets)

    def _cut(self, style: str, words: int, least: int) -> Window:
        """A window of up to `words` words of a song that has more than `least`, if a few draws find one."""
        pool = self.pools[style]
        for _ in range(DRAWS):
            song = pool[self.rng.choice(len(pool), p=self.weights[style])]
            if len(song.table) > least:
                break
        last = int(song.table[max(0, len(song.table) - words // 2), BAR]) if len(song.table) > words else 0
        return cut_window(song, int(self.rng.integers(0, last + 1)), words, self.rng)

    def targets(self, window: Window) -> NDArray[np.float64]:
        """What a window is told of itself, [bars, K]: the attributes of its segments, some of them masked."""
        edges = segment_edges(window.bars, self.rng)
        in_parts = len(edges) > 2  # which are told core attributes only
        parts = np.stack([window.describe(first, stop, core_only=in_parts) for first, stop in pairwise(edges)])
        told = draw_targets(self.scale.to_sd(parts), in_parts, self.rates, self.rng)
        return np.repeat(told, np.diff(edges), axis=0)


def _weights(pool: Sequence[Song]) -> NDArray[np.float64]:
    sizes = np.array([min(len(song.table), 4000) for song in pool], dtype=np.float64)
    return sizes / max(sizes.sum(), 1.0)


def segment_edges(bars: int, rng: np.random.Generator) -> list[int]:
    """The first bars of a window's segments, then its end: one segment, or parts of a drawn number of bars."""
    if rng.random() < 0.5 or bars < 4:
        return [0, bars]
    size = int(rng.choice(SEGMENT_BARS))
    return [*range(0, max(bars - size // 2, 1), size), bars]


def whole_batches(songs: Sequence[Song], scale: Scale, rows: int, words: int) -> list[tuple[Batch, Batch]]:
    """Every song once from its first bar, by length, for validation: told everything, and told nothing."""
    ordered = sorted(songs, key=lambda song: len(song.table))
    windows = [cut_window(song, 0, words) for song in ordered]
    found = []
    for at in range(0, len(windows), rows):
        some = windows[at : at + rows]
        told = [np.repeat(scale.to_sd(one.describe(0, one.bars)[None]), one.bars, axis=0) for one in some]
        found.append((collate(some, told), collate(some, [np.full_like(one, np.nan) for one in told])))
    return found
