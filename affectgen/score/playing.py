"""Drawing performances note by note, for pieces side by side: `affectgen.score.expression`'s network at speed.

What is known of the notes goes through the first layer at once; then each note is arithmetic on a few rows, which numpy
does with less ado than torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from affectgen.nn.packed import Product, pack

if TYPE_CHECKING:
    from affectgen.score.expression import Expression

Floats = NDArray[np.float32]
Bins = NDArray[np.int64]
DRAWN = 2  # of the first layer's inputs: the values of the note before, which come last


@dataclass(frozen=True)
class Layer:
    """A layer of torch's GRU, its gates in the order reset, update, new: weights of its inputs [D, 3H] and of its state
    [H, 3H], bias of the inputs' product [3H], to which that of the state's is added but for new, which has its own
    [H]."""

    inputs: Floats
    state: Floats
    bias: Floats
    state_bias: Floats

    @classmethod
    def of(cls, rnn: nn.GRU, number: int) -> Layer:
        """The layer of a network, its weights copied."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        inputs, state, bias, state_bias = (_array(getattr(rnn, f"{name}_l{number}")) for name in names)
        shares = 2 * len(bias) // 3
        bias[:shares] += state_bias[:shares]
        return cls(np.ascontiguousarray(inputs.T), np.ascontiguousarray(state.T), bias, state_bias[shares:])

    def step(self, given: Floats, state: Floats) -> None:
        """Change the state [B, H] by what the inputs gave [B, 3H] (Cho et al., 2014, as torch has it)."""
        width = state.shape[1]
        held = state @ self.state
        share = held[:, : 2 * width]
        share += given[:, : 2 * width]
        share *= 0.5
        np.tanh(share, out=share)
        share *= 0.5
        share += 0.5  # the logistic function
        new = held[:, 2 * width :]
        new += self.state_bias
        new *= share[:, :width]
        new += given[:, 2 * width :]
        np.tanh(new, out=new)
        state -= new
        state *= share[:, width:]
        state += new


@dataclass(frozen=True)
class Player:
    """A trained network made ready to draw, of the weights it has now.

    known: what is known of a note as the first layer's gates; layers: of which the first is given only what is drawn;
    heads: logits of both values [H, 35 + 24] and their bias; pull: what a shift adds to the logits of lengths; values:
    shifts and lengths as the network reads them.
    """

    known: Product
    layers: tuple[Layer, ...]
    heads: tuple[Floats, Floats]
    pull: Floats
    values: tuple[Floats, Floats]

    @classmethod
    @torch.no_grad()
    def of(cls, model: Expression, shifts: Floats, lengths: Floats) -> Player:
        """Read a network."""
        layers = [Layer.of(model.rnn, number) for number in range(model.config.layers)]
        first = layers[0].inputs
        known = nn.Linear(len(first) - DRAWN, first.shape[1])
        known.weight.data = torch.from_numpy(first[:-DRAWN].T.copy())
        known.bias.data = torch.from_numpy(layers[0].bias)
        layers[0] = replace(layers[0], inputs=layers[0].inputs[-DRAWN:])
        width = model.config.hidden
        heads = _array(torch.cat([model.shift.weight, model.length.weight[:, :width]]))
        bias = _array(torch.cat([model.shift.bias, model.length.bias]))
        pull = _array(model.length.weight[:, width])
        return cls(pack(known), tuple(layers), (np.ascontiguousarray(heads.T), bias), pull, (shifts, lengths))

    @torch.inference_mode()
    def play(self, known: Floats, style: Floats, uniform: NDArray[np.float64]) -> tuple[Bins, Bins]:
        """Bins of shifts and lengths [B, N] of pieces side by side: known [B, N, K], style [B, 2], uniform [B, N, 2]
        from [0, 1). What is drawn for a row does not depend on its padding, which comes last."""
        rows, notes = known.shape[:2]
        both = np.concatenate([known, np.repeat(style[:, None], notes, axis=1)], axis=2)
        given = self.known(torch.from_numpy(both)).numpy()  # [B, N, 3H]
        states = [np.zeros((rows, len(layer.state)), dtype=np.float32) for layer in self.layers]
        before = np.zeros((rows, DRAWN), dtype=np.float32)
        bins = np.zeros((2, rows, notes), dtype=np.int64)
        split = len(self.values[0])
        for note in range(notes):
            self._listen(given[:, note], before, states)
            logits = states[-1] @ self.heads[0]
            logits += self.heads[1]
            shift = pick_rows(logits[:, :split], uniform[:, note, 0])
            before[:, 0] = self.values[0][shift]
            length = pick_rows(logits[:, split:] + before[:, :1] * self.pull, uniform[:, note, 1])
            before[:, 1] = self.values[1][length]
            bins[0, :, note], bins[1, :, note] = shift, length
        return bins[0], bins[1]

    def _listen(self, given: Floats, before: Floats, states: list[Floats]) -> None:
        """One note through the layers: what is known of it [B, 3H], and what was drawn for the one before [B, 2]."""
        self.layers[0].step(before @ self.layers[0].inputs + given, states[0])
        for layer, below, state in zip(self.layers[1:], states, states[1:], strict=False):
            layer.step(below @ layer.inputs + layer.bias, state)


def _array(tensor: Tensor) -> Floats:
    return tensor.detach().numpy().copy()


def pick_rows(logits: Floats, uniform: NDArray[np.float64]) -> Bins:
    """For rows of logits [B, V] the values whose share of the cumulative distribution holds `uniform` [B]."""
    shares = logits.astype(np.float64)
    shares -= np.maximum.reduce(shares, axis=1, keepdims=True)
    np.exp(shares, out=shares)
    np.add.accumulate(shares, axis=1, out=shares)
    below = shares < uniform[:, None] * shares[:, -1:]
    below[:, -1] = False
    found: Bins = np.add.reduce(below, axis=1, dtype=np.int64)
    return found
