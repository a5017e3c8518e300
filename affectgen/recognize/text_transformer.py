"""A small transformer that reads a sentence's pieces, evaluated in numpy; `text_tune` fits it, with torch.

BERT's encoder (Devlin et al., NAACL 2019) in the size of MiniLM (Wang et al., NeurIPS 2020), trained further on texts
with labels and ratings. Matrices are kept in 8 bits with a scale a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from affectgen.recognize.text_pieces import Pieces

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
LABEL_COUNT, RATINGS = 28, 3
TINY = 1e-12  # BERT's, under the root of a variance
HEAD_TINY = 1e-5
SMALL = ("words", "mix", "out", "up", "down")  # matrices kept in 8 bits
PREFIX = "encoder_"  # of the names in a checkpoint


@dataclass(frozen=True)
class Transformer:
    """pieces: that rows of words [W, D] stand for; places [P, D]; heads: of attention; for each of L layers: mix
    [L, 3 D, D] (query, key, value), out [L, D, D], up [L, I, D], down [L, D, I] with their biases; norms [1 + 2 L, 2,
    D], scale and shift: of the input, then after attention and after the inner part of each layer; head [31, 2 D],
    offset [31]; middle, spread [3] of the ratings. All float32.
    """

    pieces: Pieces
    heads: int
    words: Singles
    places: Singles
    mix: Singles
    mix_bias: Singles
    out: Singles
    out_bias: Singles
    up: Singles
    up_bias: Singles
    down: Singles
    down_bias: Singles
    norms: Singles
    head: Singles
    offset: Singles
    middle: Singles
    spread: Singles

    def scores(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """(log label shares [N, 28], ratings [N, 3]) of texts; each alone, so that neighbours change nothing."""
        once = {text: self._one(text) for text in dict.fromkeys(texts)}
        outputs = np.array([once[text] for text in texts], dtype=np.float64).reshape(-1, LABEL_COUNT + RATINGS)
        labels = outputs[:, :LABEL_COUNT]
        labels = labels - labels.max(axis=1, keepdims=True)
        labels = labels - np.log(np.exp(labels).sum(axis=1, keepdims=True))
        return labels, self.middle + self.spread * outputs[:, LABEL_COUNT:]

    def _one(self, text: str) -> Singles:
        ids = self.pieces.ids(text, len(self.places))
        state = _norm(self.words[ids] + self.places[: len(ids)], self.norms[0])
        for layer in range(len(self.mix)):
            state = self._layer(state, layer)
        pooled = np.concatenate([_plain(state.mean(axis=0)), _plain(state.max(axis=0))])
        return self.head @ pooled + self.offset

    def _layer(self, state: Singles, layer: int) -> Singles:
        """[T, D] to [T, D]."""
        count, width = state.shape
        each = width // self.heads
        mixed = (state @ self.mix[layer].T + self.mix_bias[layer]).reshape(count, 3, self.heads, each)
        query, key, value = mixed.transpose(1, 2, 0, 3)  # each [H, T, E]
        weight = query @ key.transpose(0, 2, 1) / np.float32(each**0.5)
        weight = np.exp(weight - weight.max(axis=2, keepdims=True))
        weight /= weight.sum(axis=2, keepdims=True)
        seen = (weight @ value).transpose(1, 0, 2).reshape(count, width)
        state = _norm(state + seen @ self.out[layer].T + self.out_bias[layer], self.norms[1 + 2 * layer])
        inner = state @ self.up[layer].T + self.up_bias[layer]
        inner *= 0.5 * (1 + erf(inner * np.float32(0.5**0.5)))  # GELU
        return _norm(state + inner @ self.down[layer].T + self.down_bias[layer], self.norms[2 + 2 * layer])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint stores."""
        found = {"pieces": np.array(["\n".join(self.pieces.rows)]), "heads": np.array([self.heads])}
        for field in fields(self)[2:]:
            value = getattr(self, field.name)
            if field.name in SMALL:
                size = np.maximum(np.abs(value).max(axis=-1), 1e-9) / 127
                found[field.name] = np.round(value / size[..., None]).astype(np.int8)
                found[f"{field.name}_size"] = size.astype(np.float32)
            else:
                found[field.name] = value.astype(np.float32)
        return {PREFIX + name: value for name, value in found.items()}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Transformer:
        """The transformer that `arrays` stored."""
        found = {name.removeprefix(PREFIX): value for name, value in arrays.items() if name.startswith(PREFIX)}
        parts = {field.name: found[field.name].astype(np.float32) for field in fields(cls)[2:]}
        for name in SMALL:
            parts[name] *= found[f"{name}_size"][..., None]
        return cls(Pieces.of(str(found["pieces"][0]).split("\n")), int(found["heads"][0]), **parts)


def _norm(state: Singles, scale: Singles, tiny: float = TINY) -> Singles:
    """Layer norm of rows [T, D] by scale [2, D]: factor and shift."""
    apart = state - state.mean(axis=-1, keepdims=True)
    size = np.sqrt((apart * apart).mean(axis=-1, keepdims=True) + np.float32(tiny))
    return apart / size * scale[0] + scale[1]


def _plain(state: Singles) -> Singles:
    """A vector [D] of mean 0 and deviation 1."""
    apart = state - state.mean()
    return apart / np.sqrt((apart * apart).mean() + np.float32(HEAD_TINY))
