"""MusER's tasks as the upper floors know them: generate, transfer, reconstruct. Weights are read by `load`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from affectgen.muser.options import GenerateOptions, ReconstructOptions, TransferOptions
from affectgen.task import Loaded, Result
from affectgen.writing.options import ELEMENTS
from affectgen.writing.results import MIDI, facts, line, measurements, midi, piece_details, reading, record

if TYPE_CHECKING:
    from affectgen.muser.compose import Composer, Writer
    from affectgen.muser.generate import Piece


@dataclass(frozen=True)
class MuserTask:
    """One of the three. `make` turns a loaded composer into a runner."""

    name: str
    options: type[Any]
    make: Callable[[Any], Loaded]
    any_structure: bool = False  # whether a checkpoint of the paper's structure will do
    together: int = 16  # options that a batch hands over at once

    def load(self, checkpoint: str | None, device: str) -> Loaded:
        """Read the checkpoint (the shipped one for None)."""
        from affectgen.muser.checkpoint import load_composer, load_writer

        return self.make((load_writer if self.any_structure else load_composer)(checkpoint, device))


@dataclass(frozen=True)
class GenerateRunner:
    """`muser generate` with its weights."""

    composer: Writer

    def run(self, options: Sequence[GenerateOptions]) -> list[Result]:
        """Compose every request."""
        from affectgen.muser.generate import Generator

        pieces = Generator(self.composer).run(options)
        rows = zip(options, pieces, measurements(options, pieces), strict=True)
        return [self._result(*row) for row in rows]

    def _result(self, option: GenerateOptions, piece: Piece, measured: dict[str, Any]) -> Result:
        details = piece_details(piece, option.best_of)
        details["critic"] = None if piece.belief is None else round(piece.belief, 4)
        return Result(
            data=piece.midi, suffix=MIDI, asked=None if piece.asked is None else piece.asked.to_json(),
            measured=measured, details=details, checkpoint=record(self.composer), summary=(line(details),),
        )  # fmt: skip


@dataclass(frozen=True)
class TransferRunner:
    """`muser transfer` with its weights."""

    composer: Composer

    def run(self, options: Sequence[TransferOptions]) -> list[Result]:
        """Transfer for every request."""
        return [self._one(option) for option in options]

    def _one(self, option: TransferOptions) -> Result:
        import numpy as np

        from affectgen.muser.transfer import measure_moves, transfer
        from affectgen.recognize.guide import load_guide
        from affectgen.score.beats import read_score
        from affectgen.score.words import encode
        from affectgen.writing.pieces import WIDTH

        source, donor = read_score(option.source), read_score(option.donor)
        made = transfer(self.composer, source, donor, option.elements, option.seed, option.temperature)
        spread = np.array(self.composer.attribute_spread)
        moves = measure_moves(encode(source), encode(donor), made.words, spread)
        points = load_guide().rate([score.to_notes() for score in (source, donor, made.score)])
        rows = {
            name: {"source": moves.source[e], "donor": moves.donor[e], "result": moves.result[e], "sd": moves.shift[e]}
            for e, name in enumerate(ELEMENTS)
        }
        lines = [f"{'element':10}{'source':>9}{'donor':>9}{'result':>9}{'moved by (sd)':>15}"]
        for name, row in rows.items():
            mark = " *" if name in option.elements else ""
            lines.append(f"{name:10}" + "".join(f"{row[k]:9.2f}" for k in ("source", "donor", "result"))
                         + f"{row['sd']:15.2f}{mark}")  # fmt: skip
        for index, name in enumerate(("valence", "arousal")):
            values = points[:, index]
            lines.append(f"{name:10}" + "".join(f"{value:9.2f}" for value in values) + f"{values[2] - values[0]:15.2f}")
        details = facts(made.score) | {"elements": list(option.elements), "moves": _plain(rows), "batch_width": WIDTH}
        details["source_affect"] = reading(points[0].tolist())
        return Result(
            data=midi(made.score), suffix=MIDI, asked=None, measured=reading(points[2].tolist()), details=details,
            checkpoint=record(self.composer), summary=tuple(lines),
        )  # fmt: skip


@dataclass(frozen=True)
class ReconstructRunner:
    """`muser reconstruct` with its weights."""

    composer: Composer

    def run(self, options: Sequence[ReconstructOptions]) -> list[Result]:
        """Reconstruct every source."""
        return [self._one(option) for option in options]

    def _one(self, option: ReconstructOptions) -> Result:
        from affectgen.muser.transfer import note_f1, reconstruct
        from affectgen.recognize.guide import load_guide
        from affectgen.score.beats import read_score

        source = read_score(option.source)
        rebuilt = reconstruct(self.composer, source)
        score = note_f1(source, rebuilt)
        point = load_guide().rate([rebuilt.to_notes()])[0]
        return Result(
            data=midi(rebuilt), suffix=MIDI, asked=None, measured=reading(point.tolist()),
            details=facts(rebuilt) | {"note_f1": round(score, 4)}, checkpoint=record(self.composer),
            summary=(f"note F1 {score:.3f} ({len(source)} notes in, {len(rebuilt)} out)",),
        )  # fmt: skip


GENERATE = MuserTask("muser generate", GenerateOptions, GenerateRunner, any_structure=True)
TRANSFER = MuserTask("muser transfer", TransferOptions, TransferRunner)
RECONSTRUCT = MuserTask("muser reconstruct", ReconstructOptions, ReconstructRunner)


def _plain(rows: dict[str, dict[str, float]]) -> dict[str, dict[str, float | None]]:
    """JSON-able numbers; what is not finite (of an element that a piece or the corpus lacks) becomes None."""
    return {
        name: {key: round(float(value), 4) if math.isfinite(value) else None for key, value in row.items()}
        for name, row in rows.items()
    }
