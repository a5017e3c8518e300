"""Training the codec: some steps without its quantiser, a k-means start of all books, then to the end with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from affectgen.medicine.musicgen.small.codec import CodecConfig, Coder, SpectralLoss
from affectgen.medicine.musicgen.small.data import RATE, Crops, Say, load_part, whole_numbers
from affectgen.nn.runs import claim, plain
from affectgen.nn.training import BEST, Trainer, Training, TrainingConfig, resumed_step

COMMITMENT = 0.03  # weight beside the spectral loss, which is about a tenth
HELD_CROPS, HELD_FRAMES = 24, 64  # of the held-out songs, that validation hears
START_CROPS = 64  # that the k-means start sees


@dataclass(frozen=True)
class CodecTraining:
    """steps; batch: crops of `frames` frames a step; rate: peak learning rate; before: steps without the quantiser;
    waveform: weight of the waveform in the loss; aligned: whether crops begin where frames do; seed; validate_every:
    steps."""

    steps: int = 2800
    batch: int = 8
    frames: int = 32
    rate: float = 1e-3
    before: int = 200
    waveform: float = 0.2
    aligned: bool = False
    seed: int = 0
    validate_every: int = 200


def train_codec(
    home: Path, run: Path, config: CodecConfig, options: CodecTraining, say: Say, start: Path | None = None
) -> Training:
    """Train a codec on the sounds that `render` left in `home`; what is learned stays in `run`, and goes on from there.
    start: of an earlier run, whose end is this one's beginning."""
    claim(run, plain({"codec": asdict(config), "training": asdict(options)}), {})
    torch.manual_seed(options.seed)
    coder, loss = Coder(config), SpectralLoss(options.waveform)
    if start is not None:
        coder.load_state_dict(torch.load(start / BEST, weights_only=True, map_location="cpu"))
    sounds = {part: [whole_numbers(sound) for _, sound in load_part(home, part)] for part in ("train", "dev")}
    hours = {part: sum(map(len, group)) / RATE / 3600 for part, group in sounds.items()}
    say(f"{len(sounds['train'])} clips, {hours['train']:.2f} h; {len(sounds['dev'])} held out, {hours['dev']:.2f} h")
    torch.manual_seed(options.seed + resumed_step(run))
    crops = Crops(sounds["train"], options.frames * config.frame, options.seed + resumed_step(run),
                  config.frame if options.aligned else 1)  # fmt: skip
    held = held_crops(sounds["dev"], HELD_FRAMES * config.frame, config.frame)

    def one(sound: Tensor) -> Tensor:
        quantised = trainer.step >= options.before
        if quantised and not coder.books[0].started:
            with torch.no_grad():
                coder.quantise(coder.model.encoder(crops.draw(START_CROPS)))
        heard, commitment = coder(sound, quantised)
        found: Tensor = loss(heard, sound) + COMMITMENT * commitment
        return found

    def validate() -> dict[str, float]:
        heard, _ = coder(held, bool(coder.books[0].started))
        used = coder.usage()
        return {"loss": float(loss(heard, held))} | {f"used_{book}": share for book, share in enumerate(used)}

    how = TrainingConfig(
        steps=options.steps, rate=options.rate, warmup=100, weight_decay=0.0, validate_every=options.validate_every,
        autocast=False, keep="last",
    )  # fmt: skip
    trainer = Trainer(coder, lambda: crops.draw(options.batch), one, validate, how, run)
    return trainer.run()


def held_crops(sounds: list[Any], size: int, step: int) -> Tensor:
    """The middle of held-out clips, float32 [B, 1, size]: the same ones every time."""
    long = [sound for sound in sounds if len(sound) >= size]
    picked = [long[index] for index in np.linspace(0, len(long) - 1, HELD_CROPS).round().astype(int)]
    rows = [sound[(len(sound) - size) // 2 // step * step :][:size] for sound in picked]
    return torch.from_numpy(np.stack(rows).astype(np.float32) / 32768)[:, None]


def trained_codec(run: Path, config: CodecConfig) -> Any:
    """The EncodecModel that a run ended with, for inference."""
    coder = Coder(config)
    coder.load_state_dict(torch.load(run / BEST, weights_only=True, map_location="cpu"))
    return coder.eval().finished()
