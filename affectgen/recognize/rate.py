"""What `affectgen rate` says of a MIDI file: the recogniser fitted on everything there is, EMOPIA and VGMIDI.

It is the best single reading of an unknown piece, and therefore unfit to measure this project's own generators, which
have learned from the same clips: that is the judge's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affectgen.recognize import store
from affectgen.recognize.guide import Guide
from affectgen.recognize.mlp import Perceptrons
from affectgen.score.midi import read_notes
from affectgen.score.notes import NoteArray

RECOGNISER = "midi-recogniser"
QUADRANTS = ("Q1", "Q2", "Q3", "Q4")


@dataclass(frozen=True)
class Rating:
    """valence, arousal in [-1, 1], 0 undecided; quadrant: the likeliest; probabilities: of Q1-Q4, summing to 1."""

    valence: float
    arousal: float
    quadrant: str
    probabilities: dict[str, float]


def load_recogniser(name: str | Path = RECOGNISER) -> Guide:
    """The shipped recogniser, or the one in the folder `name`. CheckpointError if it is missing or damaged."""
    arrays, _ = store.load(name, "recogniser")
    return Guide(Perceptrons(**arrays))


def rate_notes(pieces: Sequence[NoteArray], name: str | Path = RECOGNISER) -> list[Rating]:
    """Rate pieces by their first 30 s."""
    recogniser = load_recogniser(name)
    points, quadrants = recogniser.rate(pieces), recogniser.quadrants(pieces)
    return [
        Rating(
            valence=float(point[0]),
            arousal=float(point[1]),
            quadrant=QUADRANTS[int(shares.argmax())],
            probabilities={key: float(share) for key, share in zip(QUADRANTS, shares, strict=True)},
        )
        for point, shares in zip(points, quadrants, strict=True)
    ]


def rate_file(source: Path | bytes, name: str | Path = RECOGNISER) -> Rating:
    """Rate a MIDI file, or the bytes of one. MidiError if it is none or has no notes."""
    return rate_notes([read_notes(source)], name)[0]
