"""Expressive timing: from notes on the grid to notes as a pianist would play them, learned from EMOPIA's performances.

A recurrent network reads the written notes in order and draws for each one how far it lies from its place on the grid
(in milliseconds) and how long it really sounds (against its written length). Quantised music is told from played music
by these deviations more than by anything else: real clips on the grid lie twice as far from real clips as played as
other real songs do. The grid stays readable in the file: deviations keep within half a sixteenth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.nn.checkpoint import load_checkpoint
from affectgen.score.grid import BAR, BEAT, GridScore, Timing
from affectgen.score.playing import Player

SHIFTS = np.concatenate([[-120, -95, -75, -60, -48, -38, -30, -24, -19, -15, -12], np.arange(-9, 10, 1.5),
                         [12, 15, 19, 24, 30, 38, 48, 60, 75, 95, 120]]) / 1000  # fmt: skip  # seconds, 35 values
LENGTHS = np.geomspace(0.4, 4.0, 24)  # played over written length
LEAST_SECONDS = 0.03
NEIGHBOURS = 60  # performances from which a style is drawn
WITHIN = 0.45  # of a sixteenth: the farthest a note is played from its place
TOGETHER = 128  # pieces that are played side by side
NUMBERS = 12  # columns of `context` that are plain numbers
STYLES = 2  # how loose a performance is in timing and how much it pedals: two numbers a piece


@dataclass(frozen=True)
class ExpressionConfig:
    """hidden: width of the recurrent layer; layers: how many."""

    hidden: int = 96
    layers: int = 2
    dropout: float = 0.1

    def to_dict(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)


def context(score: GridScore) -> NDArray[np.float32]:
    """What is known of each written note, float32 [N, 12 + 16]: numbers about 0-1, then the position in the bar."""
    beat = np.minimum(score.start // BEAT, len(score.tempo) - 1)
    onsets, place, count = np.unique(score.start, return_inverse=True, return_counts=True)
    rank = np.arange(len(score)) - np.concatenate([[0], np.cumsum(count)[:-1]])[place]
    gap = np.diff(onsets, prepend=onsets[:1] - 4)
    nextgap = np.diff(onsets, append=onsets[-1:] + 4)
    top = rank == count[place] - 1
    seconds = score.length * 60 / score.tempo[beat] / BEAT
    mean = np.bincount(place, weights=score.velocity) / count
    numbers = [
        np.minimum(rank, 8) / 4, count[place] / 4, rank == 0, top, (score.pitch - 60) / 24, (score.velocity - 64) / 24,
        (score.velocity - mean[place]) / 12, np.log(score.tempo[beat] / 110), np.log(score.length) / 2,
        np.log(np.minimum(gap, 32)[place] + 1) / 2, np.log(np.minimum(nextgap, 32)[place] + 1) / 2,
        np.log(seconds + 0.05),
    ]  # fmt: skip
    position = np.eye(BAR)[score.start % BAR]
    return np.concatenate([np.stack(numbers, axis=1), position], axis=1).astype(np.float32)


def style_of(shift: NDArray[np.float64], ratio: NDArray[np.float64]) -> NDArray[np.float32]:
    """How loose and how pedalled a performance is, [2]: log of the spread of shifts in 10 ms, mean log length ratio."""
    return np.array([np.log(np.std(shift) / 0.01 + 0.05), np.log(ratio).mean() * 3], dtype=np.float32)


class Expression(nn.Module):
    """GRU over notes with teacher forcing: logits of shift and length for each note after those of the notes before."""

    def __init__(self, config: ExpressionConfig) -> None:
        super().__init__()
        self.config = config
        inputs = NUMBERS + BAR + STYLES + 2
        self.rnn = nn.GRU(inputs, config.hidden, config.layers, batch_first=True, dropout=config.dropout)
        self.shift = nn.Linear(config.hidden, len(SHIFTS))
        self.length = nn.Linear(config.hidden + 1, len(LENGTHS))

    def forward(self, known: Tensor, style: Tensor, shift: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """known [B, N, 28], style [B, 2], true bins int64 [B, N] -> logits [B, N, 35] and [B, N, 24]."""
        shifts, lengths = _values(shift, length)
        before = torch.stack([shifts, lengths], dim=-1)  # [B, N, 2]
        before = F.pad(before[:, :-1], (0, 0, 1, 0))
        inputs = torch.cat([known, style[:, None].expand(-1, known.shape[1], -1), before], dim=-1)
        hidden, _ = self.rnn(inputs)
        return self.shift(hidden), self.length(torch.cat([hidden, shifts[..., None]], dim=-1))

    def player(self) -> Player:
        """The network made ready to draw, of the weights it has now."""
        return Player.of(self, (SHIFTS / 0.03).astype(np.float32), np.log(LENGTHS).astype(np.float32))


def _values(shift: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
    """Bins as numbers about -1 to 1."""
    shifts = torch.tensor(SHIFTS / 0.03, dtype=torch.float32)[shift]
    return shifts, torch.tensor(np.log(LENGTHS), dtype=torch.float32)[length]


def nearest_bins(values: NDArray[np.float64], bins: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the nearest of sorted bins for each value."""
    return np.searchsorted((bins[1:] + bins[:-1]) / 2, values).astype(np.int64)


def traits_of(score: GridScore) -> NDArray[np.float32]:
    """What a piece's style of playing goes by, [3]: log tempo, mean velocity / 15, log notes per bar."""
    density = np.log(len(score) / max(score.bars, 1) + 1)
    return np.array([np.log(np.median(score.tempo)) * 3, score.velocity.mean() / 15, density * 2], dtype=np.float32)


@dataclass(frozen=True)
class Performer:
    """A trained model, the styles [M, 2] of the performances it learned from, the traits [M, 3] of their pieces."""

    model: Expression
    styles: NDArray[np.float32]
    traits: NDArray[np.float32]

    @cached_property
    def player(self) -> Player:
        """The model made ready to draw when first it is needed: a performer's weights do not change."""
        return self.model.player()

    def perform(self, score: GridScore, seed: int) -> Timing:
        """How the piece is played; same seed, same performance.

        The style is that of a real performance of a piece alike in tempo, loudness and density.
        """
        if not len(score):
            return Timing(np.zeros(0), np.zeros(0))
        rng = np.random.default_rng((seed, len(score)))
        alike = np.argsort(((self.traits - traits_of(score)) ** 2).sum(1))[:NEIGHBOURS]
        style = self.styles[rng.choice(alike)]
        drawn = self.player.play(context(score)[None], style[None], rng.random((1, len(score), 2)))
        shift_bins, length_bins = drawn[0][0], drawn[1][0]
        onset = score.seconds_at(score.start)
        sixteenth = 15 / score.tempo[np.minimum(score.start // BEAT, len(score.tempo) - 1)]
        shift = np.clip(SHIFTS[shift_bins], -WITHIN * sixteenth, WITHIN * sixteenth)
        written = score.seconds_at(score.start + score.length) - onset
        length = np.maximum(written * LENGTHS[length_bins], LEAST_SECONDS)
        start = np.maximum(onset + shift, 0.0)
        return Timing(start, np.minimum(length, room(score, start, written)))

    def perform_many(self, scores: Sequence[GridScore], seed: int) -> list[NDArray[np.float64]]:
        """How far each note is played off its place, in seconds, and its played over its written length, [N, 2] of each
        score: for corpora, many pieces at once, without what `perform` does about tempo and endings.

        A piece is played after its place in the list, whatever stands beside it.
        """
        by_length = np.argsort([len(score) for score in scores], kind="stable").tolist()
        order = [index for index in by_length if len(scores[index])]
        found: dict[int, NDArray[np.float64]] = {index: np.zeros((0, 2)) for index in range(len(scores))}
        for part in _slices(len(order), TOGETHER):
            some = [(index, scores[index]) for index in order[part]]
            steps = max(len(score) for _, score in some)
            known = np.zeros((len(some), steps, NUMBERS + BAR), dtype=np.float32)
            style = np.zeros((len(some), STYLES), dtype=np.float32)
            uniform = np.zeros((len(some), steps, 2))
            for row, (index, score) in enumerate(some):
                rng = np.random.default_rng((seed, index))
                alike = np.argsort(((self.traits - traits_of(score)) ** 2).sum(1))[:NEIGHBOURS]
                style[row] = self.styles[rng.choice(alike)]
                known[row, : len(score)] = context(score)
                uniform[row, : len(score)] = rng.random((len(score), 2)).astype(np.float32)
            shifts, lengths = self.player.play(known, style, uniform)
            drawn = np.stack([SHIFTS[shifts], LENGTHS[lengths]], axis=2)
            found |= {index: drawn[row, : len(score)] for row, (index, score) in enumerate(some)}
        return [found[index] for index in range(len(scores))]


def _slices(count: int, size: int) -> list[slice]:
    return [slice(at, at + size) for at in range(0, count, size)]


def room(score: GridScore, start: NDArray[np.float64], written: NDArray[np.float64]) -> NDArray[np.float64]:
    """The longest each note may sound [N]: notes written to end by the last onset or the final bar line do so."""
    if not len(score):
        return np.zeros(0)
    last = int(score.start.max())
    before = score.start + score.length <= last
    close = float(score.seconds_at(np.array([last]))[0])
    return np.maximum(np.where(before, close, score.seconds) - start, np.minimum(written, LEAST_SECONDS))


def load_performer(name: str = "expression") -> Performer:
    """The shipped model of that name. CheckpointError if it is missing or damaged."""
    found = load_checkpoint(name)
    model = Expression(ExpressionConfig(**found.config["model"]))
    weights = found.weights()
    styles, traits = weights.pop("styles").numpy(), weights.pop("traits").numpy()
    model.load_state_dict(weights)
    return Performer(model, styles, traits)
