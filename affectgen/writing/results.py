"""What results and manifests say of composed pieces, for every task that makes some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from affectgen.score.grid import GridScore
    from affectgen.writing.hearing import Piece

MIDI = ".mid"


def facts(score: GridScore) -> dict[str, Any]:
    """What a manifest says of a piece."""
    tempo = sorted(score.tempo.tolist())[len(score.tempo) // 2]
    return {
        "bars": score.bars, "notes": len(score), "seconds": round(score.seconds, 3), "key": str(score.key),
        "tempo": round(tempo, 2),
    }  # fmt: skip


def reading(point: Sequence[float]) -> dict[str, Any]:
    """The guide's valence-arousal as results state it."""
    from affectgen.affect import Affect

    affect = Affect(float(point[0]), float(point[1]))
    return {"recogniser": "guide", **affect.to_json(), "quadrant": affect.quadrant}


class Recorded(Protocol):
    """What was read from a checkpoint."""

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        ...

    @property
    def sha256(self) -> str:
        """The checkpoint's hash."""
        ...


def record(loaded: Recorded) -> dict[str, str]:
    """A checkpoint as manifests name it."""
    return {"name": loaded.name, "sha256": loaded.sha256}


def line(details: dict[str, Any]) -> str:
    """One line about a piece for a person; what was measured is said by the command."""
    return f"{details['bars']} bars, {details['seconds']:.1f} s, {details['notes']} notes, {details['key']}"


def midi(score: GridScore) -> bytes:
    """The file."""
    from affectgen.score.midi import write_midi

    return write_midi(score)


def piece_details(piece: Piece, candidates: int) -> dict[str, Any]:
    """The facts of a piece and how it was chosen."""
    from affectgen.writing.pieces import WIDTH

    details = facts(piece.score) | {
        "batch_width": WIDTH, "candidate": piece.candidate, "candidates": candidates, "attempts": piece.attempts,
    }  # fmt: skip
    if piece.measured_path is not None:
        details["measured_path"] = [[round(float(x), 4) for x in point] for point in piece.measured_path]
    return details
