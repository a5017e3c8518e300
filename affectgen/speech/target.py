"""What emotion a voice shall have: a point of the plane and, where the request names it, one of the voices' labels.

A point alone does not tell anger from fear: both are unpleasant and aroused. A word does.
"""

from __future__ import annotations

from dataclasses import dataclass

from affectgen.affect.space import Affect
from affectgen.recognize.speech_corpus import LABELS

# Words that name a label or a shade of it; other words are their points only.
FAMILIES = {
    "anger": ("anger", "angry", "furious", "annoyed", "irritated", "enraged", "frustrated", "hostile", "rage"),
    "boredom": ("boredom", "bored"),
    "disgust": ("disgust", "disgusted"),
    "fear": ("fear", "afraid", "scared", "fearful", "terrified", "anxious", "alarmed"),
    "happiness": (
        "happiness", "happy", "joy", "joyful", "delighted", "elated", "cheerful", "glad", "excited", "amused",
        "enthusiastic",
    ),
    "neutral": ("neutral",),
    "sadness": ("sadness", "sad", "depressed", "gloomy", "miserable", "sorrow", "sorrowful", "lonely"),
}  # fmt: skip
NAMED = 0.25  # share of a label in a text from which the text is said to call for it
CALM = 0.45  # intensity of a text's point below which a text without such a label is neutral


@dataclass(frozen=True)
class Target:
    """affect: the point; label: one of LABELS, None where only the point is known."""

    affect: Affect
    label: str | None = None

    def __post_init__(self) -> None:
        if self.label is not None and self.label not in LABELS:
            raise ValueError(f"label must be one of {LABELS}, not {self.label!r}")


def target_of(text: str) -> Target:
    """A target from what a person wrote: "sad", "happy:0.5", "Q2", "0.5,0.3", or a label. AffectError where it is none.

    A word at part of its intensity keeps its label.
    """
    word = text.split(":")[0].strip().lower()
    label = next((label for label, family in FAMILIES.items() if word in family), None)
    return Target(Affect.parse(text), label)


def target_of_text(sentence: str) -> Target:
    """What the words of a sentence call for, as the text guide reads them. AffectgenError where it is empty."""
    from affectgen.recognize.text import load_text_guide
    from affectgen.speech.space.material import COMMENT_LABELS

    reading = load_text_guide().read([sentence])[0]
    told = reading.labels if reading.labels is not None else {}
    shares = {label: sum(told[name] for name in names) for label, names in COMMENT_LABELS.items()}
    best = max((label for label in shares if label != "neutral"), key=lambda label: shares[label])
    if shares[best] >= NAMED:
        return Target(reading.affect, best)
    return Target(reading.affect, "neutral" if reading.affect.intensity < CALM else None)
