"""A released sentence encoder (all-MiniLM-L6-v2, Apache-2.0) with a cut vocabulary: where training begins.

The folder of a sentence-transformers model holds it: `model.safetensors`, `vocab.txt`, `config.json`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError
from affectgen.recognize.text_pieces import MOST_PIECES, Pieces
from affectgen.recognize.text_transformer import LABEL_COUNT, RATINGS, Transformer

DENSE = {"out": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense"}


def start(folder: Path, texts: Sequence[str], least: int, layers: int) -> Transformer:
    """The first layers of the encoder in a model's folder, with the pieces that `least` texts hold and heads of zeros.

    AffectgenError where a file is missing.
    """
    from safetensors.torch import load_file

    for name in ("model.safetensors", "vocab.txt", "config.json"):
        if not (folder / name).is_file():
            raise AffectgenError(f"{folder} has no {name}.", "Give the folder of all-MiniLM-L6-v2.")
    stored = {name: tensor.float().numpy() for name, tensor in load_file(folder / "model.safetensors").items()}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    whole = Pieces.of((folder / "vocab.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n"))
    names = whole.cut_down(texts, least)
    words = stored["embeddings.word_embeddings.weight"][[whole.rows[name] for name in names]]
    places = stored["embeddings.position_embeddings.weight"][:MOST_PIECES]
    places = places + stored["embeddings.token_type_embeddings.weight"][0]
    width = words.shape[1]

    def stack(name: str) -> NDArray[np.float32]:
        return np.stack([stored[f"encoder.layer.{layer}.{name}"] for layer in range(layers)])

    def mixed(part: str) -> NDArray[np.float32]:
        return np.concatenate([stack(f"attention.self.{name}.{part}") for name in ("query", "key", "value")], axis=1)

    norms = ["embeddings.LayerNorm"]
    for layer in range(layers):
        norms += [f"encoder.layer.{layer}.{name}.LayerNorm" for name in ("attention.output", "output")]
    dense: dict[str, NDArray[np.float32]] = {}
    for short, name in DENSE.items():
        dense |= {short: stack(f"{name}.weight"), f"{short}_bias": stack(f"{name}.bias")}
    return Transformer(
        pieces=Pieces.of(names),
        heads=config["num_attention_heads"],
        words=words,
        places=places,
        mix=mixed("weight"),
        mix_bias=mixed("bias"),
        norms=np.stack([np.stack([stored[f"{name}.weight"], stored[f"{name}.bias"]]) for name in norms]),
        head=np.zeros((LABEL_COUNT + RATINGS, 2 * width), dtype=np.float32),
        offset=np.zeros(LABEL_COUNT + RATINGS, dtype=np.float32),
        middle=np.zeros(RATINGS, dtype=np.float32),
        spread=np.ones(RATINGS, dtype=np.float32),
        **dense,
    )
