"""A sentence encoder (all-MiniLM-L6-v2, Apache-2.0) as a teacher: used in fitting, never to read a text.

Runs BERT's forward pass (Devlin et al., NAACL 2019) in torch on the weights that the folder of a sentence-transformers
model holds (`model.safetensors`, `tokenizer.json`, `config.json`); a text is the mean over its tokens' last states.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError

if TYPE_CHECKING:
    import torch

LONGEST = 96  # tokens read of one text
BATCH = 64


@dataclass(frozen=True)
class Encoder:
    """weights: by the released file's names; tokenizer: of the package `tokenizers`; layers, heads: how many."""

    weights: dict[str, torch.Tensor]
    tokenizer: Any
    layers: int
    heads: int

    @classmethod
    def load(cls, folder: Path) -> Encoder:
        """From a model's folder. AffectgenError where a file of it is missing."""
        import torch
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        for name in ("model.safetensors", "tokenizer.json", "config.json"):
            if not (folder / name).is_file():
                raise AffectgenError(f"{folder} has no {name}.", "Give the folder of all-MiniLM-L6-v2.")
        torch.set_num_threads(1)
        stored = load_file(folder / "model.safetensors")
        weights = {name: tensor.float() for name, tensor in stored.items() if tensor.is_floating_point()}
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return cls(weights, tokenizer, config["num_hidden_layers"], config["num_attention_heads"])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts [N] as vectors [N, D]."""
        import torch

        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        order = np.argsort([len(row) for row in rows], kind="stable")  # like lengths together: little padding
        width = self.weights["embeddings.word_embeddings.weight"].shape[1]
        found = np.zeros((len(rows), width), dtype=np.float32)
        with torch.no_grad():
            for start in range(0, len(order), BATCH):
                part = order[start : start + BATCH]
                longest = max(len(rows[i]) for i in part)
                ids = torch.zeros(len(part), longest, dtype=torch.long)
                mask = torch.zeros(len(part), longest)
                for place, i in enumerate(part):
                    ids[place, : len(rows[i])] = torch.tensor(rows[i])
                    mask[place, : len(rows[i])] = 1
                states = self._states(ids, mask)
                mean = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
                found[part] = mean.numpy()
        return found

    def _states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The last layer's states [B, T, D]."""
        from torch.nn.functional import gelu, scaled_dot_product_attention

        weights = self.weights
        state = weights["embeddings.word_embeddings.weight"][ids]
        state = state + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        state = self._norm(state + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        batch, count, width = state.shape
        for layer in range(self.layers):
            at = f"encoder.layer.{layer}"
            query, key, value = (
                self._linear(state, f"{at}.attention.self.{name}")
                .view(batch, count, self.heads, width // self.heads)
                .transpose(1, 2)
                for name in ("query", "key", "value")
            )
            seen = scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :].bool())
            seen = self._linear(seen.transpose(1, 2).reshape(state.shape), f"{at}.attention.output.dense")
            state = self._norm(seen + state, f"{at}.attention.output.LayerNorm")
            inner = gelu(self._linear(state, f"{at}.intermediate.dense"))
            state = self._norm(self._linear(inner, f"{at}.output.dense") + state, f"{at}.output.LayerNorm")
        return state

    def _linear(self, state: torch.Tensor, name: str) -> torch.Tensor:
        return state @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, state: torch.Tensor, name: str) -> torch.Tensor:
        from torch.nn.functional import layer_norm

        width = state.shape[-1]
        return layer_norm(state, (width,), self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], 1e-12)
