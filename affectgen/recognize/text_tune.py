"""Train a sentence encoder further on labels and ratings together (Liu et al., ACL 2019), in torch, on one thread.

Every pass sees all rated sentences and another share of the comments. Lower layers learn more slowly (Howard & Ruder,
ACL 2018); the word pieces' vectors stay as they are. A training that was cut off goes on from its last kept state.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.text_transformer import HEAD_TINY, LABEL_COUNT, TINY, Transformer

if TYPE_CHECKING:
    import torch

    Weights = dict[str, torch.Tensor]

Floats = NDArray[np.float64]
Look = Callable[[Transformer], str]
TRAINED = ("mix", "mix_bias", "out", "out_bias", "up", "up_bias", "down", "down_bias")  # one of each a layer
KEEP_EVERY = 100  # steps between two kept states


@dataclass(frozen=True)
class Settings:
    """least: texts that a piece must stand in; layers: read of the encoder, from the first on; longest: pieces of a
    text in training; passes: over the rated sentences; comments: seen once in all passes together; rate: of the
    uppermost layer, each lower one's is `fall` times that; rating_weight: of the ratings' squared error (in standard
    deviations) beside the labels' cross-entropy; blank: share of pieces hidden.
    """

    least: int = 5
    layers: int = 6
    longest: int = 56
    passes: int = 4
    comments: int = 14000
    batch: int = 32
    rate: float = 1.2e-4
    fall: float = 0.85
    head_rate: float = 1e-3
    warm: float = 0.06
    decay: float = 0.01
    dropout: float = 0.1
    head_dropout: float = 0.2
    blank: float = 0.04
    rating_weight: float = 1.0
    seed: int = 0


def tune(
    begun: Transformer,
    texts: Sequence[str],
    labels: Floats,
    ratings: Floats,
    settings: Settings,
    cache: Path | None = None,
    look: Look | None = None,
) -> tuple[Transformer, float]:
    """Train on texts [N] with label shares [N, 28] and ratings [N, 3], rows of nan where not known; and how many
    seconds it took, those before it was cut off counted.

    cache: folder in which states are kept; look: what to say of the transformer after a pass.
    """
    import torch

    torch.set_num_threads(1)
    begun = Transformer.of_arrays(begun.arrays())  # the vectors of pieces as they will be stored
    middle, spread = np.nanmean(ratings, axis=0), np.nanstd(ratings, axis=0) + 1e-6
    target = torch.tensor(np.concatenate([labels, (ratings - middle) / spread], axis=1), dtype=torch.float32)
    rows = [begun.pieces.ids(text, settings.longest) for text in texts]
    plan = _plan(np.isfinite(ratings[:, 0]), np.array([len(row) for row in rows]), settings)
    weights = _weights(begun)
    optimiser = torch.optim.AdamW(_groups(weights, settings), weight_decay=settings.decay)
    keep = None if cache is None else cache / f"tune-{_name(texts, settings)}.safetensors"
    done, spent = (0, 0.0) if keep is None else _again(keep, weights, optimiser)
    total, started = sum(len(part) for part in plan), time.perf_counter() - spent
    step = 0
    for number, batches in enumerate(plan):
        for batch in batches:
            step += 1
            if step <= done:
                continue
            torch.manual_seed(settings.seed * 1_000_003 + step)  # a training that goes on draws what it would have
            loss = _step(weights, optimiser, [rows[i] for i in batch], target[batch], step / total, begun, settings)
            if step % KEEP_EVERY == 0 or step == total:
                spent = time.perf_counter() - started
                _say(f"step {step} of {total}, loss {loss:.3f}, {spent:.0f} s")
                if keep is not None:
                    _keep(keep, weights, optimiser, step, spent)
        if look is not None and step > done:
            _say(f"pass {number + 1}: {look(_back(begun, weights, middle, spread))}")
    return _back(begun, weights, middle, spread), spent


def _plan(
    is_rated: NDArray[np.bool_], lengths: NDArray[np.int64], settings: Settings
) -> list[list[NDArray[np.int64]]]:
    """For each pass its batches: rows of like lengths together, in any order."""
    chance = np.random.default_rng(settings.seed)
    comments = chance.permutation(np.flatnonzero(~is_rated))[: settings.comments]
    plan = []
    for share in np.array_split(comments, settings.passes):
        order = chance.permutation(np.concatenate([np.flatnonzero(is_rated), share]))
        batches = []
        for start_at in range(0, len(order), 20 * settings.batch):
            block = order[start_at : start_at + 20 * settings.batch]
            block = block[np.argsort(lengths[block], kind="stable")]
            batches += [block[i : i + settings.batch] for i in range(0, len(block), settings.batch)]
        plan.append([batches[i] for i in chance.permutation(len(batches))])
    return plan


def _weights(begun: Transformer) -> Weights:
    """What is trained, by name; a layer's matrices each for itself."""
    import torch

    found = {"places": begun.places, "norms": begun.norms, "head": begun.head, "offset": begun.offset}
    found |= {f"{name}.{layer}": getattr(begun, name)[layer] for name in TRAINED for layer in range(len(begun.mix))}
    return {name: torch.tensor(value).requires_grad_() for name, value in found.items()}


def _back(begun: Transformer, weights: Weights, middle: Floats, spread: Floats) -> Transformer:
    """The transformer with trained weights, in 8 bits as it will be stored."""
    found = {name: weight.detach().numpy() for name, weight in weights.items()}
    layers = range(len(begun.mix))
    stacked: dict[str, Any] = {name: np.stack([found[f"{name}.{layer}"] for layer in layers]) for name in TRAINED}
    stacked |= {name: found[name] for name in ("places", "norms", "head", "offset")}
    stacked |= {"middle": middle.astype(np.float32), "spread": spread.astype(np.float32)}
    whole = replace(begun, **stacked)
    return Transformer.of_arrays(whole.arrays())


def _groups(weights: Weights, settings: Settings) -> list[dict[str, object]]:
    """Parameters with their learning rates: heads fastest, lower layers slower."""
    layers = 1 + max(int(name.split(".")[1]) for name in weights if "." in name)

    def rate(name: str) -> float:
        if name in ("head", "offset"):
            return settings.head_rate
        below = layers - 1 - int(name.split(".")[1]) if "." in name else layers
        return settings.rate * settings.fall**below

    return [{"params": [weight], "lr": rate(name), "base": rate(name)} for name, weight in weights.items()]


def _step(
    weights: Weights,
    optimiser: torch.optim.Optimizer,
    rows: Sequence[NDArray[np.int64]],
    target: torch.Tensor,
    progress: float,
    begun: Transformer,
    settings: Settings,
) -> float:
    import torch

    pace = min(progress / settings.warm, (1 - progress) / (1 - settings.warm))
    for group in optimiser.param_groups:
        group["lr"] = group["base"] * pace
    ids = torch.zeros(len(rows), max(len(row) for row in rows), dtype=torch.long)
    mask = torch.zeros(ids.shape, dtype=torch.bool)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = True
    words = torch.tensor(begun.words)[ids] * (torch.rand(ids.shape) >= settings.blank)[..., None]
    with torch.autocast("cpu", torch.bfloat16):  # half as long; the weights stay in single precision
        outputs = forward(weights, words, mask, begun.heads, settings.dropout, settings.head_dropout).float()
    loss = _loss(outputs, target, settings.rating_weight)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
    optimiser.step()
    return float(loss.detach())


def forward(
    weights: Weights, words: torch.Tensor, mask: torch.Tensor, heads: int, dropout: float = 0.0, last: float = 0.0
) -> torch.Tensor:
    """Outputs [B, 31] for vectors of pieces [B, T, D] where `mask` [B, T] is true."""
    from torch.nn.functional import dropout as drop
    from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

    batch, count, width = words.shape

    def norm(state: torch.Tensor, at: int) -> torch.Tensor:
        return layer_norm(state, (width,), weights["norms"][at, 0], weights["norms"][at, 1], TINY)

    state = drop(norm(words + weights["places"][:count], 0), dropout)
    for layer in range(max(int(name.split(".")[1]) for name in weights if "." in name) + 1):

        def dense(state: torch.Tensor, name: str, layer: int = layer) -> torch.Tensor:
            return linear(state, weights[f"{name}.{layer}"], weights[f"{name}_bias.{layer}"])

        mixed = dense(state, "mix").view(batch, count, 3, heads, width // heads)
        query, key, value = (mixed[:, :, part].transpose(1, 2) for part in range(3))
        seen = scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
        seen = drop(dense(seen.transpose(1, 2).reshape(batch, count, width), "out"), dropout)
        state = norm(state + seen, 1 + 2 * layer)
        inner = drop(dense(gelu(dense(state, "up")), "down"), dropout)
        state = norm(state + inner, 2 + 2 * layer)
    mean = (state * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
    most = state.masked_fill(~mask[..., None], -1e4).amax(dim=1)
    pooled = _beside([layer_norm(part.float(), (width,), eps=HEAD_TINY) for part in (mean, most)])
    return linear(drop(pooled, last), weights["head"], weights["offset"])


def _beside(parts: list[torch.Tensor]) -> torch.Tensor:
    """Columns of all, side by side."""
    import torch

    return torch.cat(parts, dim=1)


def _loss(outputs: torch.Tensor, target: torch.Tensor, rating_weight: float) -> torch.Tensor:
    """Cross-entropy to label shares where they are known, squared error of ratings where those are; mean over rows."""
    import torch

    labelled, rated = torch.isfinite(target[:, 0]), torch.isfinite(target[:, LABEL_COUNT])
    guess = torch.log_softmax(outputs[labelled, :LABEL_COUNT], dim=1)
    error = ((outputs[rated, LABEL_COUNT:] - target[rated, LABEL_COUNT:]) ** 2).sum()
    return (rating_weight * error - (target[labelled, :LABEL_COUNT] * guess).sum()) / len(outputs)


def _name(texts: Sequence[str], settings: Settings) -> str:
    return sha256(f"{asdict(settings)}{chr(0).join(texts)}".encode()).hexdigest()[:16]


def _keep(path: Path, weights: Weights, optimiser: torch.optim.Optimizer, step: int, spent: float) -> None:
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    found = {f"weight {name}": weight.detach() for name, weight in weights.items()}
    for name, weight in weights.items():
        state = optimiser.state[weight]
        found |= {f"{part} {name}": state[part] for part in ("exp_avg", "exp_avg_sq")}
    part = path.with_suffix(".part")
    save_file(found, part, {"step": str(step), "seconds": f"{spent:.0f}"})
    part.replace(path)


def _again(path: Path, weights: Weights, optimiser: torch.optim.Optimizer) -> tuple[int, float]:
    """Put a kept state back; the steps and seconds that it took, 0 where nothing was kept."""
    import torch
    from safetensors import safe_open

    if not path.is_file():
        return 0, 0.0
    with safe_open(path, "pt") as kept, torch.no_grad():
        step, spent = int(kept.metadata()["step"]), float(kept.metadata()["seconds"])
        for name, weight in weights.items():
            weight.copy_(kept.get_tensor(f"weight {name}"))
            moments = {part: kept.get_tensor(f"{part} {name}") for part in ("exp_avg", "exp_avg_sq")}
            optimiser.state[weight] = {"step": torch.tensor(float(step)), **moments}
    _say(f"going on from step {step}")
    return step, spent


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
