"""EmoGen's task as the upper floors know it. Weights are read by `load`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from affectgen.emogen.options import EmogenOptions, pull
from affectgen.task import Give, Loaded, Result, Take
from affectgen.writing.results import MIDI, line, measurements, piece_details, record

if TYPE_CHECKING:
    from affectgen.emogen.compose import Composer
    from affectgen.emogen.generate import Piece
    from affectgen.emogen.mapping import EmotionMap
    from affectgen.recognize.critic import Critic


@dataclass(frozen=True)
class EmogenTask:
    """`emogen generate`."""

    name: str = "emogen generate"
    options: type[Any] = EmogenOptions
    together: int = 64  # many pieces are written in lockstep, and each that ends makes room for the next

    def load(self, checkpoint: str | None, device: str) -> Loaded:
        """Read the generator (the shipped one for None) and its map from emotions."""
        from affectgen.emogen.checkpoint import critic_of, load_emogen, map_of

        return GenerateRunner(load_emogen(checkpoint, device), map_of(checkpoint), critic_of(checkpoint))

    def alike(self, option: EmogenOptions) -> Hashable:
        """How words are drawn. None for what is written otherwise than by candidates that are compared on the way: one
        candidate alone, another's notes; and for a length in seconds, which takes several rounds."""
        if option.seconds is not None or option.source is not None or option.best_of < 2:
            return None
        return pull(option), option.temperature, option.top_p


@dataclass(frozen=True)
class GenerateRunner:
    """The task with its weights."""

    composer: Composer
    emotions: EmotionMap
    critic: Critic | None = None

    def run(self, options: Sequence[EmogenOptions]) -> list[Result]:
        """Compose every request."""
        from affectgen.emogen.generate import Generator

        pieces = Generator(self.composer, self.emotions, self.critic).run(options)
        rows = zip(options, pieces, measurements(options, pieces), strict=True)
        return [self._result(*row) for row in rows]

    def flow(self, take: Take, give: Give) -> None:
        """Compose requests as they come, side by side."""
        from affectgen.emogen.generate import Generator

        def heard(number: int, option: EmogenOptions, piece: Piece) -> None:
            give(number, self._result(option, piece, measurements([option], [piece])[0]))

        Generator(self.composer, self.emotions, self.critic).flow(take, heard)

    def _result(self, option: EmogenOptions, piece: Piece, measured: dict[str, Any]) -> Result:
        details = piece_details(piece, option.best_of)
        details["map"] = record(self.emotions)
        details["critic"] = record(self.critic) if self.critic is not None else None
        details["attribute_error"] = round(piece.error, 4)
        details["doubt"] = round(piece.doubt, 4)
        details["attributes"] = attribute_rows(piece)
        return Result(
            data=piece.midi, suffix=MIDI, asked=None if piece.asked is None else piece.asked.to_json(),
            measured=measured, details=details, checkpoint=record(self.composer),
            summary=(line(details), f"attribute error {piece.error:.2f}"),
        )  # fmt: skip


def attribute_rows(piece: Piece) -> list[dict[str, dict[str, float | None]]]:
    """For each segment every attribute that was asked for: target and measured value, in natural units and in standard
    deviations; None for what too few notes leave unknown."""
    import numpy as np

    from affectgen.emogen.vector import NAMES

    asked, found = piece.wanted, piece.values
    if piece.targets is None or piece.achieved is None or asked is None or found is None:
        return []
    rows = []
    for segment in range(len(asked)):
        places = np.flatnonzero(np.isfinite(asked[segment]))
        rows.append({
            NAMES[place]: {
                "asked": _short(asked[segment, place]), "measured": _short(found[segment, place]),
                "asked_sd": _short(piece.targets.sd[segment, place]),
                "measured_sd": _short(piece.achieved[segment, place]),
            }
            for place in places
        })  # fmt: skip
    return rows


def _short(value: float) -> float | None:
    """Four significant digits; None for nan."""
    return None if math.isnan(value) else float(f"{value:.4g}")


GENERATE = EmogenTask()
