"""The map from emotions to attributes, measured on labelled clips: the only place where EmoGen reads a label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import LABELS_VERSION
from affectgen.emogen.checkpoint import save_map
from affectgen.emogen.mapping import QUADRANTS, EmotionMap
from affectgen.emogen.vector import NAMES, describe
from affectgen.errors import AffectgenError
from affectgen.recognize.pseudo import emopia_points
from affectgen.score.corpora import read_clip, read_rows
from affectgen.score.midi import read_notes

LICENCE = "CC-BY-NC-SA-4.0"
CENTRES = {"Q1": (0.6, 0.6), "Q2": (-0.6, 0.6), "Q3": (-0.6, -0.6), "Q4": (0.6, -0.6)}


def fit_map(data: Path) -> EmotionMap:
    """The clips of EMOPIA's training split (development songs included) with their attributes and points.

    Attributes are measured on the performance, tempo is the median of the beat file's. Points inside the quadrants are
    predicted out of fold by song (recognize.pseudo); where none can be, a clip stands at the centre of its quadrant.
    """
    points = emopia_points(data)
    values, placed, quadrant, clips = [], [], [], []
    for row in [*read_rows(data / "emopia", "train"), *read_rows(data / "emopia", "dev")]:
        found = _attributes(data / "emopia", row)
        if found is None:
            continue
        values.append(found)
        placed.append(points.get(row["clip"], CENTRES[row["quadrant"]]))
        quadrant.append(QUADRANTS.index(row["quadrant"]))
        clips.append(row["clip"])
    if not clips:
        raise AffectgenError(f"{data} holds no labelled training clip.", "docs/training.md shows the layout.")
    return EmotionMap(np.stack(values), np.array(placed), np.array(quadrant), tuple(clips))


def _attributes(folder: Path, row: dict[str, str]) -> NDArray[np.float64] | None:
    """The attributes of a clip [K]; None where it has no file."""
    scores = list(read_clip(folder, row))
    raw = folder / "raw" / f"{row['clip']}.mid"
    if not scores and not raw.is_file():
        return None
    tempo = float(np.median(np.concatenate([score.tempo for score in scores]))) if scores else np.nan
    return describe(read_notes(raw) if raw.is_file() else scores[0].to_notes(), tempo)


def write_map(data: Path, folder: Path, command: str) -> EmotionMap:
    """Fit the map and write its checkpoint folder."""
    emotions = fit_map(data)
    about = {
        "licence": LICENCE, "labels_version": LABELS_VERSION,
        "training": {"command": command, "clips": len(emotions.clips)},
    }  # fmt: skip
    save_map(folder, emotions, about, card_text(folder.name, emotions, command))
    return emotions


def card_text(name: str, emotions: EmotionMap, command: str) -> str:
    """The card: what it is, what made it, what it may be used for."""
    counts = np.bincount(emotions.quadrant, minlength=4)
    shares = ", ".join(f"{quadrant} {count}" for quadrant, count in zip(QUADRANTS, counts, strict=True))
    return "\n".join([
        f"# {name}", "",
        f"EmoGen's first stage: {len(NAMES)} musical attributes of {len(emotions.clips)} labelled clips ({shares}) "
        "with their points in the valence-arousal plane. A kernel over them turns an emotion into attribute targets "
        "(docs/emogen.md). No note of any clip is in it.", "",
        f"Licence: {LICENCE}, which EMOPIA asks of what is derived from it. No clip of the validation split was used. "
        "Points inside the quadrants are predicted out of fold by song.", "",
        f"Command: `{command}`", "",
    ])  # fmt: skip
