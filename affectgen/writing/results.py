"""What results and manifests say of composed pieces, for every task that makes some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from affectgen.score.grid import GridScore
    from affectgen.writing.heard import Candidate, Piece
    from affectgen.writing.options import ComposeOptions

MIDI = ".mid"
QUADRANTS = ("Q1", "Q2", "Q3", "Q4")


def facts(score: GridScore) -> dict[str, Any]:
    """What a manifest says of a piece."""
    tempo = sorted(score.tempo.tolist())[len(score.tempo) // 2]
    return {
        "bars": score.bars, "notes": len(score), "seconds": round(score.seconds, 3), "key": str(score.key),
        "tempo": round(tempo, 2),
    }  # fmt: skip


def reading(point: Sequence[float], recogniser: str = "guide") -> dict[str, Any]:
    """A recogniser's valence-arousal as results state it."""
    from affectgen.affect import Affect

    affect = Affect(float(point[0]), float(point[1]))
    return {"recogniser": recogniser, **affect.to_json(), "quadrant": affect.quadrant}


def measurements(options: Sequence[ComposeOptions], pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    """What finished pieces were heard as: by the guide, which may have chosen them, and by the judge, which chose
    nothing. Of a continued piece, what was composed."""
    from affectgen.recognize.judge import load_judge
    from affectgen.writing.given import composed_notes

    if not pieces:
        return []
    pairs = zip(options, pieces, strict=True)
    verdict = load_judge().judge([composed_notes(option, one.score, one.bars, one.played) for option, one in pairs])
    judged = [reading(point, "judge") for point in verdict.points.tolist()]
    for one, shares in zip(judged, verdict.quadrants.tolist(), strict=True):
        one["quadrant"] = QUADRANTS[shares.index(max(shares))]
    return [reading(piece.measured.tolist()) | {"judge": one} for piece, one in zip(pieces, judged, strict=True)]


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


def _guessed(one: Candidate) -> dict[str, float]:
    """The guide's valence and arousal of a candidate."""
    return {axis: round(float(x), 4) for axis, x in zip(("valence", "arousal"), one.measured, strict=True)}


def piece_details(piece: Piece, candidates: int) -> dict[str, Any]:
    """The facts of a piece and how it was chosen: "heard" has the guide's reading of every candidate and what the
    choice went by: the least cost among the good ones, or among all where none is good."""
    from affectgen.writing.pieces import WIDTH

    details = facts(piece.score) | {
        "batch_width": WIDTH, "candidate": piece.candidate, "candidates": candidates, "attempts": piece.attempts,
        "heard": [
            {"candidate": one.number, **_guessed(one), "good": bool(one.good), "cost": round(float(one.cost), 4)}
            for one in piece.heard
        ],
    }  # fmt: skip
    if piece.measured_path is not None:
        details["measured_path"] = [[round(float(x), 4) for x in point] for point in piece.measured_path]
    return details
