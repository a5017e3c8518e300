"""Training the language model on random stretches of codes, with captions that say nothing of affect or tempo.

So the base model reads its prompt, but nothing in one can tell it how music shall feel: that is left to an adapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from affectgen.errors import AffectgenError
from affectgen.medicine.musicgen.small.data import RATE, Clip, Say, caption, load_part
from affectgen.medicine.musicgen.small.language import (
    LanguageConfig,
    build_language,
    code_logits,
    code_loss,
    text_states,
)
from affectgen.medicine.musicgen.small.words import make_tokenizer
from affectgen.nn.runs import claim, plain
from affectgen.nn.training import BEST, Trainer, Training, TrainingConfig, resumed_step

PLAIN = "solo piano"
CODES = "codes.npz"
HELD_BATCH = 8


@dataclass(frozen=True)
class LanguageTraining:
    """steps; batch: rows a step; rate: peak learning rate; plain: share of captions without a key;
    silent: share without any words; longest: seconds of a clip, from its beginning, that are learned; seed;
    validate_every: steps."""

    steps: int = 1600
    batch: int = 8
    rate: float = 1.5e-3
    plain: float = 0.4
    silent: float = 0.1
    longest: float = 20.0
    seed: int = 0
    validate_every: int = 100


@torch.inference_mode()
def encode_all(codec: Any, home: Path, path: Path, longest: float, say: Say) -> None:
    """The codes of every clip in `home`, int16 [K, T], of its first `longest` seconds, kept in `path` (npz); not done
    again where that is there."""
    if path.is_file():
        return
    found: dict[str, Any] = {}
    for part in ("train", "dev"):
        for clip, sound in load_part(home, part):
            codes = codec.encode(torch.from_numpy(sound[: round(longest * RATE)])[None, None]).audio_codes[0, 0]
            found[clip.name] = codes.numpy().astype(np.int16)
            if len(found) % 100 == 0:
                say(f"{len(found)} clips encoded")
    part_path = path.with_suffix(".part.npz")
    np.savez_compressed(part_path, allow_pickle=False, **found)
    part_path.replace(path)


class CodeCrops:
    """Random stretches of codes with captions, from one seed."""

    def __init__(self, clips: Sequence[tuple[Clip, Any]], frames: int, options: LanguageTraining, seed: int) -> None:
        """clips: with codes [K, T] each; those shorter than a row of `frames` are left out."""
        self._clips = [(clip, codes) for clip, codes in clips if codes.shape[1] >= frames]
        if not self._clips:
            raise AffectgenError(f"No clip is {frames} frames long.", "Give longer clips.")
        room = np.array([codes.shape[1] - frames + 1 for _, codes in self._clips], dtype=np.float64)
        self._shares, self._frames, self._options = room / room.sum(), frames, options
        self._chance = np.random.default_rng(seed)

    def draw(self, count: int) -> tuple[Tensor, list[str]]:
        """(codes int64 [B, K, T], captions)."""
        rows, captions, size = [], [], self._frames
        for index in self._chance.choice(len(self._clips), size=count, p=self._shares):
            clip, codes = self._clips[index]
            start = int(self._chance.integers(codes.shape[1] - size + 1))
            rows.append(codes[:, start : start + size])
            lot = self._chance.random()
            short = PLAIN if lot < self._options.silent + self._options.plain else caption(clip)
            captions.append("" if lot < self._options.silent else short)
        return torch.from_numpy(np.stack(rows).astype(np.int64)), captions


def train_language(
    home: Path, run: Path, codec: Any, config: LanguageConfig, options: LanguageTraining, say: Say
) -> tuple[Any, Training]:
    """Train on the codes of the sounds in `home`; returns (the model, how it went). What is learned stays in `run`, and
    goes on from there."""
    claim(run, plain({"language": asdict(config), "training": asdict(options)}), {})
    encode_all(codec, home, run / CODES, options.longest, say)
    torch.manual_seed(options.seed)
    tokenizer = make_tokenizer()
    model = build_language(config, codec, len(tokenizer))
    parts = {part: clips_of(home, run, part) for part in ("train", "dev")}
    crops = CodeCrops(parts["train"], config.frames, options, options.seed + resumed_step(run))
    held = [CodeCrops(parts["dev"], config.frames, options, number).draw(HELD_BATCH) for number in range(4)]

    def one(batch: tuple[Tensor, list[str]]) -> Tensor:
        codes, captions = batch
        return code_loss(code_logits(model, codes, *text_states(model, tokenizer, captions)), codes)

    def validate() -> dict[str, float]:
        found = [code_logits(model, codes, *text_states(model, tokenizer, said)) for codes, said in held]
        books = [
            float(np.mean([float(code_loss(logits[:, [book]], codes[:, [book]]))
                           for logits, (codes, _) in zip(found, held, strict=True)]))
            for book in range(held[0][0].shape[1])
        ]  # fmt: skip
        return {"loss": float(np.mean(books))} | {f"book_{number}": value for number, value in enumerate(books)}

    how = TrainingConfig(
        steps=options.steps, rate=options.rate, warmup=100, weight_decay=0.02, validate_every=options.validate_every
    )
    trainer = Trainer(model, lambda: crops.draw(options.batch), one, validate, how, run)
    return model.eval(), trainer.run()


def clips_of(home: Path, run: Path, part: str) -> list[tuple[Clip, Any]]:
    """The clips of one part with their codes."""
    from affectgen.medicine.musicgen.small.data import read_table

    with np.load(run / CODES, allow_pickle=False) as held:
        return [(clip, held[clip.name]) for clip in read_table(home) if clip.part == part]


def trained_language(run: Path, codec: Any, config: LanguageConfig) -> Any:
    """The model that a run ended with, for inference."""
    model = build_language(config, codec, len(make_tokenizer()))
    model.load_state_dict(torch.load(run / BEST, weights_only=True, map_location="cpu"))
    return model.eval()
