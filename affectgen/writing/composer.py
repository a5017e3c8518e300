"""What composers of words have in common: where their weights are, and composing every request of a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import torch

from affectgen.writing.lockstep import Ready
from affectgen.writing.pieces import Finished
from affectgen.writing.stepper import Writing

Request = TypeVar("Request")
Made = TypeVar("Made")


class WordComposer(ABC, Generic[Request, Made]):
    """A model that writes requests. `model` is an nn.Module with a global decoder and element decoders."""

    model: Any

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        place: torch.device = next(self.model.parameters()).device
        return place

    @cached_property
    def writing(self) -> Writing:
        """The model packed for writing, when first it is needed: a composer's weights do not change."""
        return Writing.of(self.model)

    @cached_property
    def ready(self) -> Ready:
        """The same for pieces side by side."""
        return Ready.of(self.writing)

    def compose(self, requests: Sequence[Request]) -> list[Made]:
        """Write every request. ValueError unless requests of one call share their Sampling."""
        done: dict[int, Made] = {}

        def keep(number: int, piece: Made) -> Collection[int]:
            done[number] = piece
            return ()

        self.compose_until(requests, keep)
        return [done[number] for number in range(len(requests))]

    @abstractmethod
    def compose_until(self, requests: Sequence[Request], finished: Finished) -> None:
        """Write requests, each told to `finished` as soon as it ends; those that this answers with are written no
        further. ValueError unless requests of one call share their Sampling."""
