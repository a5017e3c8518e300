"""What the two backends have in common: all that sessions, training and measurements know of a MusicGen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from affectgen.audio.files import Frames


@dataclass(frozen=True)
class Shape:
    """Of a model. rate: samples a second; frame_rate: frames of codes a second; books: codebooks, delayed by one frame
    each; card: codes of each, and the number that stands where no code does; channels: 1 or 2; dim: of the decoder;
    most_frames: that it was trained to write at once."""

    rate: int
    frame_rate: float
    books: int
    card: int
    channels: int
    dim: int
    most_frames: int

    def frames(self, seconds: float) -> int:
        """Frames of codes that hold so many seconds."""
        return -int(-seconds * self.frame_rate // 1)


@dataclass(frozen=True)
class Sampling:
    """How codes are drawn. temperature: 0 takes the likeliest; top_k: codes to draw among, 0 for all; guidance: how far
    beyond the unconditional logits (Ho & Salimans, 2022), 1 for none."""

    temperature: float = 1.0
    top_k: int = 250
    guidance: float = 3.0


@dataclass(frozen=True)
class Row:
    """One piece of a batch. prompt: in words; affect: (valence, arousal), None where only the words count; seed: of
    what is drawn; start: codes [K, T] that it goes on from, which become its beginning."""

    prompt: str
    affect: tuple[float, float] | None
    seed: int
    start: Tensor | None = None


class Stepper(Protocol):
    """A batch being written. It keeps what it has read, so every position is read once."""

    def step(self, tokens: Tensor) -> Tensor:
        """Read tokens [B, K, S], which follow those read before, and return the logits of what comes next,
        [B, K, card], already guided, float32 on the model's device."""
        ...


class MusicGen(Protocol):
    """A language model over codes, its text encoder, and the codec that turns codes into sound."""

    @property
    def backend(self) -> str:
        """ "transformers" or "audiocraft"."""
        ...

    @property
    def shape(self) -> Shape:
        """Its sizes."""
        ...

    @property
    def identity(self) -> dict[str, str]:
        """{"name", "sha256"} of the language model's weights as read, and "adapter", "adapter_sha256" where one was
        added."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """What a person should know of how it was put together: an adapter that was trained on other weights."""
        ...

    def begin(self, rows: Sequence[Row], guidance: float, length: int) -> Stepper:
        """Read prompts and affects; length: positions that will be read at most."""
        ...

    def decode(self, codes: Tensor) -> list[Frames]:
        """codes [B, K, T] -> B sounds, float32 [N, C]."""
        ...

    def encode(self, sound: Frames, rate: int) -> Tensor:
        """A sound, float32 [N, C], at any rate -> codes [K, T] on the CPU."""
        ...

    def add_adapter(self, folder: Path) -> None:
        """Add a LoRA adapter in peft's format and its affect conditioner. CheckpointError where it is none, or was
        trained on a model of another shape."""
        ...
