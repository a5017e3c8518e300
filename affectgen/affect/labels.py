"""What each corpus says about an emotion, as a point of the plane: the only place that knows their labels and scales.

`LABELS_VERSION` goes into every checkpoint; it changes whenever a point here (or in `words.py`) does that a checkpoint
was trained on, because a model trained on other points means something else by the same request. `docs/affect.md` says
how each scale was anchored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from affectgen.affect.jamendo import place, plain
from affectgen.affect.space import QUADRANTS, Affect, mean
from affectgen.affect.words import find_word
from affectgen.errors import AffectError

# MTG-Jamendo's table (`jamendo.py`) grew from 13 tags to 59 within version 1: no shipped checkpoint was trained on its
# points, and a new version would make `recognize.text` refuse its checkpoints, which it does not concern.
LABELS_VERSION = "1"
CHECK = "Check that the file is the corpus's own and its columns are in the documented order."

EMOBANK_SCALE = (1.0, 5.0)  # self-assessment manikins; 3 is neutral
CREMA_D_FULL = 80.0  # 0-100 slider; only 6 % of the winning votes lie above, so this counts as full intensity
VGMIDI_STRETCH = 2.6  # its median |mean| is .23 on both axes: the typical piece then stands at a quadrant's name
ACTED_LEVELS = {"XX": 1.0, "X": 1.0, "HI": 1.0, "MD": 0.75, "LO": 0.5}  # what the actor was told; XX (X once): nothing

CREMA_D = {
    "anger": "angry",
    "disgust": "disgusted",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
}
CREMA_D_VOTES = {key[0].upper(): word for key, word in CREMA_D.items()}  # the votes' letters: A D F H N S
EMO_DB = {**CREMA_D, "boredom": "bored"}

# GoEmotions' labels in its own order (labels.txt): the nearest word of the table and a share of its intensity.
GO_EMOTIONS: dict[str, tuple[str, float]] = {
    "admiration": ("impressed", 1.0),
    "amusement": ("amused", 1.0),
    "anger": ("angry", 1.0),
    "annoyance": ("annoyed", 0.7),
    "approval": ("pleased", 0.5),
    "caring": ("affectionate", 1.0),
    "confusion": ("confused", 1.0),
    "curiosity": ("curious", 1.0),
    "desire": ("passionate", 1.0),
    "disappointment": ("disappointed", 1.0),
    "disapproval": ("contemptuous", 1.0),
    "disgust": ("disgusted", 1.0),
    "embarrassment": ("embarrassed", 1.0),
    "excitement": ("excited", 1.0),
    "fear": ("fearful", 1.0),
    "gratitude": ("grateful", 1.0),
    "grief": ("desperate", 1.0),
    "joy": ("joyful", 1.0),
    "love": ("in love", 1.0),
    "nervousness": ("anxious", 1.0),
    "optimism": ("hopeful", 1.0),
    "pride": ("proud", 1.0),
    "realization": ("surprised", 0.3),
    "relief": ("at ease", 1.0),
    "remorse": ("guilty", 1.0),
    "sadness": ("sad", 1.0),
    "surprise": ("surprised", 1.0),
    "neutral": ("neutral", 1.0),
}


def quadrant(label: str | int) -> Affect:
    """EMOPIA's quadrant, "Q1" to "Q4" or 1 to 4, at (+-0.6, +-0.6). Raises AffectError for another."""
    name = f"Q{label}" if isinstance(label, int) else label
    if name not in QUADRANTS:
        raise AffectError(f"A quadrant must be Q1, Q2, Q3 or Q4, not {label!r}.", CHECK)
    return Affect.parse(name)


def rater_mean(valence: float, arousal: float) -> Affect:
    """VGMIDI's mean over raters, already in [-1, 1] and kept as it is."""
    return Affect(valence, arousal)


def rater_mean_stretched(valence: float, arousal: float) -> Affect:
    """VGMIDI's mean on the scale of the other labels: thirty raters who differ leave a mean near the middle.

    Multiplied by 2.6, so that half of its pieces lie beyond .6, and kept inside the plane.
    """
    return Affect(*(min(1.0, max(-1.0, VGMIDI_STRETCH * value)) for value in (valence, arousal)))


def emobank(valence: float, arousal: float) -> Affect:
    """EmoBank's ratings 1 to 5 (mean over raters): 1 -> -1, 3 -> 0, 5 -> 1. Raises AffectError outside."""
    return Affect(_rescaled(valence, *EMOBANK_SCALE), _rescaled(arousal, *EMOBANK_SCALE))


def crema_d(emotion: str, level: str = "XX") -> Affect:
    """The emotion a CREMA-D actor was asked for, scaled by the asked level: XX, LO, MD or HI."""
    if level not in ACTED_LEVELS:
        raise AffectError(f"CREMA-D has no level {level!r}.", f"Its levels are {', '.join(ACTED_LEVELS)}.")
    return _point(emotion, CREMA_D, "CREMA-D").scaled(ACTED_LEVELS[level])


def crema_d_votes(votes: str, levels: str = "") -> Affect:
    """What the crowd heard in a CREMA-D clip: the letters that won and the mean intensity (0 to 100) given to each.

    Both as the corpus writes them, ties joined by colons: "A" and "64.2", "A:D" and "64.2:51". Each letter's point is
    scaled by its intensity, full at 80, and ties give the centre; without levels the points stay whole.
    """
    points = [_point(vote, CREMA_D_VOTES, "CREMA-D's votes") for vote in votes.split(":")]
    if not levels:
        return mean(points)
    parts = levels.split(":")
    if len(parts) != len(points):
        raise AffectError(f"{len(points)} winning votes ({votes}) have {len(parts)} intensities ({levels}).", CHECK)
    shares = [min(1.0, _level(part) / CREMA_D_FULL) for part in parts]
    return mean([point.scaled(share) for point, share in zip(points, shares, strict=True)])


def emo_db(emotion: str) -> Affect:
    """The emotion an EMO-DB actor was asked for."""
    return _point(emotion, EMO_DB, "EMO-DB")


def go_emotions(labels: Iterable[str | int]) -> Affect:
    """A comment's GoEmotions labels, by name or by number (0 to 27): the centre of their points; at least one."""
    names = list(GO_EMOTIONS)
    points = []
    for label in labels:
        name = names[label] if isinstance(label, int) and 0 <= label < len(names) else label
        if not isinstance(name, str) or name not in GO_EMOTIONS:
            raise AffectError(f"GoEmotions has no label {label!r}.", "Its labels are numbered 0 to 27.")
        word, share = GO_EMOTIONS[name]
        points.append(Affect.parse(word).scaled(share))
    if not points:
        raise AffectError("A comment of GoEmotions must have at least one label; it has none.", CHECK)
    return mean(points)


def jamendo(tags: Iterable[str]) -> Affect | None:
    """The centre of a track's mood/theme tags ("mood/theme---" in front is ignored); None if it has none of the 59.

    Tags that name an emotion count fully, others less (`affectgen.affect.jamendo.WEIGHTS`). A tag counts once.
    """
    found = [placed for tag in dict.fromkeys(map(plain, tags)) if (placed := place(tag)) is not None]
    total = sum(weight for _, weight in found)
    if not found:
        return None
    valence = sum(weight * point.valence for point, weight in found) / total
    arousal = sum(weight * point.arousal for point, weight in found) / total
    return Affect(*(min(1.0, max(-1.0, value)) for value in (valence, arousal)))  # undoes rounding beyond the edge


def _point(label: str, table: dict[str, str], corpus: str) -> Affect:
    """The point of a corpus's label."""
    if label not in table:
        raise AffectError(f"{corpus} has no label {label!r}.", f"Its labels are {', '.join(table)}.")
    word = find_word(table[label])
    if word is None:
        raise KeyError(table[label])
    return Affect(word.valence, word.arousal)


def _level(text: str) -> float:
    """A mean intensity of CREMA-D's crowd."""
    try:
        level = float(text)
    except ValueError as error:
        raise AffectError(f"An intensity in CREMA-D's votes must be a number, not {text!r}.", CHECK) from error
    if not 0 <= level <= 100:
        raise AffectError(f"An intensity in CREMA-D's votes must be from 0 to 100, not {level}.", CHECK)
    return level


def _rescaled(value: float, low: float, high: float) -> float:
    """low -> -1, high -> 1."""
    if not (math.isfinite(value) and low <= value <= high):
        raise AffectError(f"A rating must be from {low:g} to {high:g}, not {value}.", CHECK)
    return 2 * (value - low) / (high - low) - 1
