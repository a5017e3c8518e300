"""The generator of a checkpoint with what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

from affectgen.emogen.checkpoint import critic_of, load_emogen, map_of
from affectgen.emogen.generate import Generator


@dataclass(frozen=True)
class Build:
    """Makes the generator of a checkpoint, for this process or another. criticised: with its critic, if it has one."""

    checkpoint: str | None
    device: str
    criticised: bool = True

    def __call__(self) -> Generator:
        critic = critic_of(self.checkpoint) if self.criticised else None
        return Generator(load_emogen(self.checkpoint, self.device), map_of(self.checkpoint), critic)
