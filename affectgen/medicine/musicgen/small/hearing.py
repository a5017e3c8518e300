"""Clips for many requests at once, and how a recogniser reads them: the judge for the proof, the guide for choosing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.affect import Affect
from affectgen.audio.files import Samples, is_silent
from affectgen.medicine.musicgen.decoding import generate
from affectgen.medicine.musicgen.interface import MusicGen, Row, Sampling
from affectgen.medicine.musicgen.small.ceiling import points
from affectgen.medicine.plan import prompt_for
from affectgen.recognize.music import MusicRecogniser

REACH = 0.8  # of valence and arousal that are asked for, either way
CONSTANT = "solo piano"
Floats = NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """requests: how many; seconds: of a clip; guidance, temperature, top_k: of sampling; seed: the first; batch: clips
    at once."""

    requests: int = 56
    seconds: float = 10.24
    guidance: float = 5.0
    temperature: float = 1.0
    top_k: int = 250
    seed: int = 1000
    batch: int = 28


@dataclass(frozen=True)
class Heard:
    """One set of clips. read: valence and arousal [N, 2]; silent: clips in which nothing sounds, which read neutral;
    codes [N, K, T]."""

    read: Floats
    silent: int
    codes: Tensor


def requests(settings: Settings) -> Floats:
    """What is asked for, (valence, arousal) [N, 2]: arousal evenly spread, valence as evenly and independent of it."""
    even = np.linspace(-REACH, REACH, settings.requests)
    return np.stack([np.random.default_rng(settings.seed).permutation(even), even], axis=1).round(4)


def play(
    model: MusicGen, asked: Floats, words: bool, settings: Settings, recogniser: MusicRecogniser, say: Say
) -> Heard:
    """Generate a clip for every request and read it. words: whether prompts speak of the emotion, too."""
    frames = model.shape.frames(settings.seconds)
    how = Sampling(settings.temperature, settings.top_k, settings.guidance)
    rows = [
        Row(prompt_for(Affect(*point), CONSTANT) if words else CONSTANT, tuple(point), settings.seed + number)
        for number, point in enumerate(asked.tolist())
    ]
    parts = []
    for first in range(0, len(rows), settings.batch):
        parts.append(generate(model, rows[first : first + settings.batch], frames, how, None))
        say(f"{min(first + settings.batch, len(rows))} of {len(rows)} clips")
    codes = torch.cat(parts)
    sounds = [sound.mean(axis=1, dtype=np.float32) for sound in model.decode(codes)]
    return Heard(*_read(sounds, model.shape.rate, recogniser), codes)


def _read(sounds: Sequence[Samples], rate: int, recogniser: MusicRecogniser) -> tuple[Floats, int]:
    sounding = [number for number, sound in enumerate(sounds) if not is_silent(sound)]
    read = np.zeros((len(sounds), 2))
    if sounding:
        read[sounding] = points(recogniser.read([sounds[number] for number in sounding], rate))
    return read, len(sounds) - len(sounding)
