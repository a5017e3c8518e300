"""The paper's words: the project's compound words without the key event, pitches and chords absolute; and back.

In the paper row 0 of a piece is its emotion; here that stands where the project's stream has the key event. Every word
has the seven fields of ELEMENTS, 0 for "does not apply".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.affect import Affect
from affectgen.muser.data import Batch, Song, collate, cut_window
from affectgen.muser.paper.config import QUADRANTS, UNKNOWN
from affectgen.score.grid import GridScore
from affectgen.score.keys import estimate_key
from affectgen.score.stream import Stream
from affectgen.score.words import BAR_LINE, ELEMENTS, NO_CHORD, QUALITY_NAMES, SIZES, Family, Field, decode, encode

Words = NDArray[np.int64]
POOL = 8  # batches of clips that are sorted by length together, so that rows of one batch are of a length
SHARP_SIDE = 6  # tonics up to this many semitones above C are written down to it, the others up (Key.offset)


@dataclass(frozen=True)
class PaperBatch:
    """words: int64 [B, T, 7] in the order of ELEMENTS, padded with family PAD; quadrant: int64 [B], 0-3 or UNKNOWN."""

    words: Tensor
    quadrant: Tensor

    @property
    def inside(self) -> Tensor:
        """Which places hold words, bool [B, T]."""
        return self.words[..., Field.FAMILY] > Family.PAD

    def to(self, device: torch.device) -> PaperBatch:
        """The same batch on a device."""
        return PaperBatch(self.words.to(device), self.quadrant.to(device))


def quadrant_of(points: NDArray[np.float64]) -> int:
    """The quadrant 0-3 in which the mean of valence-arousal points [N, 2] lies; UNKNOWN if any is nan."""
    if not np.isfinite(points).all():
        return UNKNOWN
    valence, arousal = np.clip(points.mean(axis=0), -1, 1).tolist()
    return QUADRANTS.index(Affect(valence, arousal).quadrant)


def absolute(tables: Tensor) -> Tensor:
    """Tables [B, T, 8 or more], opened by their key event -> words [B, T - 1, 7] with absolute pitches and chord roots.

    The indices are those of a piece in C, so that pitches keep the project's vocabulary.
    """
    tonic = ((tables[:, 0, Field.KEY] - 1) % 12)[:, None]  # [B, 1]
    words = tables[:, 1:, : len(ELEMENTS)].clone()
    pitch, chord = words[..., Field.PITCH], words[..., Field.CHORD]
    high = pitch + torch.where(tonic <= SHARP_SIDE, tonic, tonic - 12)
    high = torch.where(high < 1, high + 12, torch.where(high >= SIZES["pitch"], high - 12, high))
    words[..., Field.PITCH] = torch.where(pitch > 0, high, pitch)
    degree = (chord - NO_CHORD - 1).clamp_min(0)
    count = len(QUALITY_NAMES)
    turned = NO_CHORD + 1 + (degree // count + tonic) % 12 * count + degree % count
    words[..., Field.CHORD] = torch.where(chord > NO_CHORD, turned, chord)
    return words


def paper_batch(batch: Batch) -> PaperBatch:
    """The project's batch as the paper's: each row's emotion is the quadrant of its mean affect."""
    bars = batch.table[:, :, 8].amax(1) + 1  # [B]
    rows = zip(batch.affect.cpu().double().numpy(), bars.tolist(), batch.known.tolist(), strict=True)
    found = [quadrant_of(affect[:count]) if known else UNKNOWN for affect, count, known in rows]
    return PaperBatch(absolute(batch.table), torch.tensor(found, device=batch.table.device))


class Clips:
    """Endless epochs of whole clips from their first bar, shuffled, not augmented (as published)."""

    def __init__(self, songs: Sequence[Song], rows: int, words: int, seed: int) -> None:
        if not songs:
            raise ValueError("no songs to draw from")
        self.songs, self.rows, self.words = list(songs), rows, words
        self.rng = np.random.default_rng(seed)
        self.waiting: list[list[Song]] = []
        self.order: list[int] = []

    def draw(self) -> PaperBatch:
        """One batch of `rows` clips."""
        if not self.waiting:
            self._refill()
        return paper_batch(collate([cut_window(song, 0, self.words) for song in self.waiting.pop()]))

    def _refill(self) -> None:
        """The next POOL batches, each of clips that are alike in length."""
        while len(self.order) < POOL * self.rows:
            self.order += self.rng.permutation(len(self.songs)).tolist()
        pool = [self.songs[index] for index in self.order[: POOL * self.rows]]
        self.order = self.order[POOL * self.rows :]
        pool.sort(key=lambda song: len(song.table))
        batches = [pool[at : at + self.rows] for at in range(0, len(pool), self.rows)]
        self.waiting = [batches[index] for index in self.rng.permutation(len(batches))]


def words_of(score: GridScore) -> Words:
    """A score as the paper's words, int64 [T, 7], END last."""
    table = torch.from_numpy(Stream.of(encode(score)).table())[None]
    return absolute(table)[0].numpy()


def playable(words: Words) -> Words:
    """Words [T, 7] as drawn -> the project's words [T', 8] that `decode` reads.

    The fields of a word are drawn apart from each other, so some words say nothing that can be played. As in the
    published MIDI writer these are left out and nothing else is mended: notes that lack a field, metrical words
    without a beat, words of other families; also notes before the first beat of their bar, which that writer strikes
    at the beat before. A beat before the first bar line opens the first bar; a beat earlier than the one before it in
    its bar is played there.
    """
    kept: list[tuple[int, ...]] = []
    bars, onset = 0, False
    for family, beat, tempo, chord, pitch, duration, velocity in words.tolist():
        if family == Family.END:
            break
        if family == Family.METRICAL and beat >= BAR_LINE:
            if beat == BAR_LINE or not bars:
                kept.append((Family.METRICAL, BAR_LINE, 0, 0, 0, 0, 0, 0))
                bars, onset = bars + 1, False
            if beat > BAR_LINE:
                kept.append((Family.METRICAL, beat, tempo, chord, 0, 0, 0, 0))
                onset = True
        elif family == Family.NOTE and onset and pitch and duration and velocity:
            kept.append((Family.NOTE, 0, 0, 0, pitch, duration, velocity, 0))
    kept.append((Family.END, 0, 0, 0, 0, 0, 0, 0))
    return np.array(kept, dtype=np.int64)


def score_of(words: Words) -> GridScore:
    """The score that words [T, 7] play, in the key that its pitches fit best (the paper's stream names none)."""
    score = decode(playable(words))
    return replace(score, key=estimate_key(score.pitch, score.length.astype(np.float64))) if len(score) else score
