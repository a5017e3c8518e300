"""Training data: corpora as songs of words, stored in one file, and random windows of them as batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.muser.config import STYLES
from affectgen.score.stream import Stream, bar_attributes
from affectgen.score.words import Family, Field, key_of
from affectgen.writing.decoder import MOST_BARS_LEFT
from affectgen.writing.tables import COLUMNS, cut_table, first_onset, jitter


@dataclass(frozen=True)
class Song:
    """One piece for training.

    table: int16 [T, 13] (Stream.table); attributes: float32 [bars, 7]; affect: float32 [bars, 2], nan if unknown;
    style: index into STYLES; ending: whether the last bar is a real ending.
    """

    name: str
    table: NDArray[np.int16]
    attributes: NDArray[np.float32]
    affect: NDArray[np.float32]
    style: int
    ending: bool

    @property
    def bars(self) -> int:
        return len(self.attributes)

    @classmethod
    def of(
        cls, name: str, words: NDArray[np.int64], affect: NDArray[np.float32], style: str, ending: bool
    ) -> Song:
        """Build from words [T, 8] and affect [bars, 2] or [2]."""
        stream = Stream.of(words)
        bars = int(stream.bar.max()) + 1
        spread = np.broadcast_to(affect, (bars, 2)).astype(np.float32)
        attributes = bar_attributes(stream, bars).astype(np.float32)
        return cls(name, stream.table().astype(np.int16), attributes, spread, STYLES.index(style), ending)


def save_songs(path: Path, songs: Sequence[Song]) -> None:
    """Write songs as one npz without pickles."""
    np.savez_compressed(
        path, names=np.array([song.name for song in songs]), tables=np.concatenate([song.table for song in songs]),
        words=np.array([len(song.table) for song in songs]), bars=np.array([song.bars for song in songs]),
        attributes=np.concatenate([song.attributes for song in songs]),
        affect=np.concatenate([song.affect for song in songs]),
        style=np.array([song.style for song in songs]), ending=np.array([song.ending for song in songs]),
    )  # fmt: skip


def load_songs(path: Path) -> list[Song]:
    """Read what `save_songs` wrote."""
    with np.load(path, allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}
    words, bars = np.cumsum(data["words"])[:-1], np.cumsum(data["bars"])[:-1]
    rows = zip(
        data["names"].tolist(), np.split(data["tables"], words), np.split(data["attributes"], bars),
        np.split(data["affect"], bars), data["style"].tolist(), data["ending"].tolist(), strict=True,
    )  # fmt: skip
    return [Song(*row) for row in rows]


@dataclass(frozen=True)
class Batch:
    """Rows of equal length T, padded with family PAD.

    table: int64 [B, T, 13]; attributes: float32 [B, N, 7] with nan; affect: float32 [B, N, 2], 0 where unknown;
    known: bool [B]; bars_left: int64 [B, N]; style, ending: int64 [B]. N is the most bars of any row.
    """

    table: Tensor
    attributes: Tensor
    affect: Tensor
    known: Tensor
    bars_left: Tensor
    style: Tensor
    ending: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(*(getattr(self, name).to(device, non_blocking=True) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Window:
    """Some bars as a piece of their own: opened by the key event, tempo and chord stated at once.

    table: int64 [T, 13]; attributes [N, 7], affect [N, 2] and bars to the end of the song int64 [N] by bar.
    """

    table: NDArray[np.int64]
    attributes: NDArray[np.float32]
    affect: NDArray[np.float32]
    left: NDArray[np.int64]
    style: int
    ending: bool

    @property
    def bars(self) -> int:
        return len(self.left)


def cut_window(song: Song, first: int, most_words: int) -> Window:
    """The window from bar `first` of at most `most_words` words; it ends with END if the song does."""
    cut, _ = cut_table(song.table, first, most_words)
    stop = first + int(cut[:, 8].max()) + 1
    left = np.minimum(song.bars - 1 - np.arange(first, stop), MOST_BARS_LEFT)
    return Window(cut, song.attributes[first:stop], song.affect[first:stop], left, song.style, song.ending)


def whole_bars(window: Window) -> Window:
    """The window without END and, if it was cut short of it, without its last bar."""
    table = window.table
    if table[-1, Field.FAMILY] == Family.END:
        return replace(window, table=table[:-1])
    last = window.bars - 1
    kept = table[table[:, 8] < last]
    return replace(
        window, table=kept, attributes=window.attributes[:last], affect=window.affect[:last], left=window.left[:last]
    )


def join(first: Window, second: Window) -> Window:
    """Two windows of one mode and style as one piece: the whole bars of the first, then the second.

    Clips hold one emotion each; two of them make a piece whose emotion moves. The second's own tempo and chord are
    stated where they begin, unless they are in force already.
    """
    head, tail = whole_bars(first), second.table[1:].copy()
    tail[:, 8] += head.bars
    tempo, chord = head.table[-1, 10:12]
    opening = first_onset(tail)
    until = int(opening[0]) if len(opening) else len(tail)
    tail[:until, 10:12] = tempo, chord
    tail[opening, Field.TEMPO] *= tail[opening, 10] != tempo
    tail[opening, Field.CHORD] *= tail[opening, 11] != chord
    left = np.minimum(second.left[0] + head.bars - np.arange(head.bars), MOST_BARS_LEFT)
    return Window(
        np.concatenate([head.table, tail]), np.concatenate([head.attributes, second.attributes]),
        np.concatenate([head.affect, second.affect]), np.concatenate([left, second.left]), second.style, second.ending,
    )  # fmt: skip


def collate(windows: Sequence[Window], affect_noise: float = 0.0, rng: np.random.Generator | None = None) -> Batch:
    """Stack windows into a batch; `affect_noise` is the standard deviation added to known affects."""
    steps = max(len(window.table) for window in windows)
    bars = max(window.bars for window in windows)
    table = np.zeros((len(windows), steps, COLUMNS), dtype=np.int64)
    attributes = np.full((len(windows), bars, 7), np.nan, dtype=np.float32)
    affect = np.zeros((len(windows), bars, 2), dtype=np.float32)
    left = np.full((len(windows), bars), MOST_BARS_LEFT, dtype=np.int64)
    known = np.zeros(len(windows), dtype=bool)
    for row, window in enumerate(windows):
        table[row, : len(window.table)] = window.table
        attributes[row, : window.bars] = window.attributes
        known[row] = bool(np.isfinite(window.affect).all())
        if known[row]:
            noise = rng.normal(0, affect_noise, 2) if rng is not None else 0.0
            affect[row, : window.bars] = np.clip(window.affect + noise, -1, 1)
        left[row, : window.bars] = window.left
    style = np.array([window.style for window in windows])
    ending = np.array([int(window.ending) for window in windows])
    parts = (table, attributes, affect, known, left, style, ending)
    return Batch(*(torch.from_numpy(part) for part in parts))


class Windows:
    """Endless random windows: songs drawn by weight, a random first bar, augmented.

    share: for each style, how often a row comes from it. Within a style songs are drawn by their number of words.
    medley: how often a row that starts in a song joins a window of another song of its style and mode to it.
    """

    def __init__(
        self, songs: Sequence[Song], share: dict[str, float], rows: int, words: int, seed: int | Sequence[int],
        noise: float = 0.1, medley: float = 0.0,
    ) -> None:  # fmt: skip
        self.pools = {name: [song for song in songs if STYLES[song.style] == name] for name in share}
        self.weights = {}
        for name, pool in self.pools.items():
            sizes = np.array([min(len(song.table), 4000) for song in pool], dtype=np.float64)
            self.weights[name] = sizes / max(sizes.sum(), 1.0)
        held = np.array([share[name] if self.pools[name] else 0.0 for name in share])
        self.names, self.share = list(share), held / held.sum()
        self.rows, self.words, self.noise, self.medley = rows, words, noise, medley
        self.rng = np.random.default_rng(seed)

    def draw(self) -> Batch:
        """One batch of `rows` windows."""
        windows = []
        for name in self.rng.choice(self.names, size=self.rows, p=self.share):
            window = self._medley(name) if self.rng.random() < self.medley else self._cut(name, self.words)
            jitter(window.table, self.rng)
            windows.append(window)
        return collate(windows, self.noise, self.rng)

    def _cut(self, style: str, words: int, mode: int | None = None) -> Window:
        """A window of up to `words` words of a song of this style, and of this mode if one is given."""
        pool = self.pools[style]
        song = pool[self.rng.choice(len(pool), p=self.weights[style])]
        while mode is not None and _mode(song.table) != mode:
            song = pool[self.rng.choice(len(pool), p=self.weights[style])]
        last = int(np.searchsorted(song.table[:, 8], song.bars - 1)) if len(song.table) > words else 0
        reach = int(song.table[max(0, min(last, len(song.table) - words // 2)), 8]) if last else 0
        return cut_window(song, int(self.rng.integers(0, reach + 1)), words)

    def _medley(self, style: str) -> Window:
        """Two windows as one, where the first leaves whole bars; it takes a random share of the row."""
        room = int(self.words * self.rng.uniform(0.3, 0.7))
        first = self._cut(style, room)
        if not whole_bars(first).bars:
            return first
        mode = _mode(first.table)
        return join(first, self._cut(style, self.words - len(first.table), mode))


def _mode(table: NDArray[Any]) -> int:
    """0 for a piece in major, 1 for minor."""
    return key_of(int(table[0, Field.KEY])).mode


def whole_batches(songs: Sequence[Song], rows: int, words: int) -> list[Batch]:
    """Every song once from its first bar, by length, for validation."""
    ordered = sorted(songs, key=lambda song: len(song.table))
    windows = [cut_window(song, 0, words) for song in ordered]
    return [collate(windows[at : at + rows]) for at in range(0, len(windows), rows)]
