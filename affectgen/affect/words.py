"""Emotion words and where they stand in the plane: published figures, each with its source.

The tables disagree, because they asked different people different questions. The rule here: of the figures for a word,
the one that lies deepest inside its quadrant (the largest smaller coordinate) is used, since whoever asks for "sad"
asks for something clearly sad. `docs/affect.md` says how each source was read and how far it can be trusted.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

SOURCES = {
    "russell-1980": "Russell, J. A. (1980). A circumplex model of affect. Journal of Personality and Social "
    "Psychology, 39(6), 1161-1178, figure 4: pleasure and arousal scaled one at a time.",
    "russell-1980-circle": "Russell (1980), figure 2: the word's angle on the circle. The figure has no radius; it is "
    "0.8 here.",
    "russell-mehrabian-1977": "Russell, J. A., & Mehrabian, A. (1977). Evidence for a three-factor theory of "
    "emotions. Journal of Research in Personality, 11(3), 273-294, table 4: mean pleasure and arousal ratings.",
    "paltoglou-thelwall-2013": "Paltoglou, G., & Thelwall, M. (2013). Seeing stars of valence and arousal in blog "
    "posts. IEEE Transactions on Affective Computing, 4(1), 116-123: moods placed after Russell and Scherer.",
    "scherer-2005": "Scherer, K. R. (2005). What are emotions? And how can they be measured? Social Science "
    "Information, 44(4), 695-729, figure 1. It prints no numbers: the quadrant is Scherer's, the rest is rough.",
    "affectgen": "Placed by this project, for the reason that docs/affect.md gives for the word.",
}

CIRCLE, RATED, MOODS = "russell-1980-circle", "russell-mehrabian-1977", "paltoglou-thelwall-2013"
SCALED, WHEEL, OURS = "russell-1980", "scherer-2005", "affectgen"

_TABLE: dict[str, tuple[float, float, str]] = {
    "neutral": (0.0, 0.0, OURS),
    # pleasant and lively
    "happy": (0.83, 0.53, SCALED),
    "excited": (0.70, 0.71, MOODS),
    "joyful": (0.76, 0.48, RATED),
    "delighted": (0.73, 0.34, CIRCLE),
    "elated": (0.50, 0.42, RATED),
    "enthusiastic": (0.5, 0.6, WHEEL),
    "passionate": (0.4, 0.6, WHEEL),
    "light-hearted": (0.5, 0.3, WHEEL),
    "triumphant": (0.69, 0.57, RATED),
    "inspired": (0.71, 0.63, RATED),
    "proud": (0.77, 0.38, RATED),
    "in love": (0.82, 0.65, RATED),
    "affectionate": (0.64, 0.35, RATED),
    "friendly": (0.69, 0.35, RATED),
    "vigorous": (0.58, 0.61, RATED),
    "powerful": (0.54, 0.45, RATED),
    "determined": (0.89, 0.35, MOODS),
    "hopeful": (0.61, 0.40, MOODS),
    "interested": (0.64, 0.51, RATED),
    "fascinated": (0.55, 0.51, RATED),
    "curious": (0.22, 0.62, RATED),
    "impressed": (0.41, 0.30, RATED),
    "grateful": (0.64, 0.16, RATED),
    "pleased": (0.77, 0.19, SCALED),
    "surprised": (0.40, 0.67, RATED),
    "astonished": (0.16, 0.89, SCALED),
    "aroused": (0.22, 0.77, CIRCLE),
    # unpleasant and lively
    "angry": (-0.52, 0.58, SCALED),
    "enraged": (-0.44, 0.72, RATED),
    "hostile": (-0.42, 0.53, RATED),
    "hateful": (-0.56, 0.59, RATED),
    "annoyed": (-0.44, 0.76, MOODS),
    "frustrated": (-0.65, 0.51, SCALED),
    "defiant": (-0.16, 0.54, RATED),
    "contemptuous": (-0.24, 0.31, RATED),
    "disgusted": (-0.60, 0.35, RATED),
    "fearful": (-0.64, 0.60, RATED),
    "afraid": (-0.35, 0.72, CIRCLE),
    "terrified": (-0.62, 0.82, RATED),
    "anxious": (-0.49, 0.59, OURS),
    "tense": (-0.33, 0.58, RATED),
    "alarmed": (-0.09, 0.79, CIRCLE),
    "startled": (-0.09, 0.65, RATED),
    "distressed": (-0.76, 0.83, MOODS),
    "upset": (-0.63, 0.30, RATED),
    "worried": (-0.07, 0.32, MOODS),
    "suspicious": (-0.25, 0.42, RATED),
    "confused": (-0.53, 0.27, RATED),
    "embarrassed": (-0.46, 0.54, RATED),
    "guilty": (-0.57, 0.28, RATED),
    # unpleasant and quiet
    "sad": (-0.81, -0.40, MOODS),
    "melancholy": (-0.65, -0.65, MOODS),
    "depressed": (-0.81, -0.48, MOODS),
    "gloomy": (-0.70, -0.39, CIRCLE),
    "desperate": (-0.8, -0.5, WHEEL),
    "dejected": (-0.5, -0.6, WHEEL),
    "lonely": (-0.66, -0.43, RATED),
    "miserable": (-0.79, -0.12, CIRCLE),
    "disappointed": (-0.80, -0.03, MOODS),
    "discontent": (-0.68, -0.32, MOODS),
    "uncomfortable": (-0.68, -0.37, MOODS),
    "bored": (-0.66, -0.63, SCALED),
    "listless": (-0.45, -0.59, RATED),
    "apathetic": (-0.20, -0.12, MOODS),
    "droopy": (-0.19, -0.78, CIRCLE),
    "fatigued": (-0.18, -0.57, RATED),
    # pleasant and quiet
    "calm": (0.78, -0.67, MOODS),
    "relaxed": (0.71, -0.65, MOODS),
    "peaceful": (0.55, -0.60, MOODS),
    "serene": (0.68, -0.42, CIRCLE),
    "content": (0.81, -0.55, MOODS),
    "satisfied": (0.77, -0.63, MOODS),
    "at ease": (0.62, -0.50, CIRCLE),
    "contemplative": (0.58, -0.60, MOODS),
    "secure": (0.74, -0.13, RATED),
    "glad": (0.79, -0.15, CIRCLE),
    "amused": (0.55, -0.02, MOODS),
    "blissful": (0.90, 0.0, OURS),
    "quiet": (0.19, -0.40, RATED),
    "sleepy": (0.28, -0.67, SCALED),
    "pensive": (0.03, -0.60, MOODS),
    "solemn": (0.03, -0.32, RATED),
    "tired": (0.04, -0.63, SCALED),
}

ALIASES = {
    "anger": "angry",
    "anxiety": "anxious",
    "nervous": "anxious",
    "bliss": "blissful",
    "boredom": "bored",
    "calmness": "calm",
    "tranquil": "calm",
    "cheerful": "joyful",
    "joy": "joyful",
    "happiness": "happy",
    "delight": "delighted",
    "depression": "depressed",
    "despair": "desperate",
    "disgust": "disgusted",
    "energetic": "vigorous",
    "excitement": "excited",
    "fear": "fearful",
    "scared": "afraid",
    "furious": "enraged",
    "rage": "enraged",
    "frustration": "frustrated",
    "gratitude": "grateful",
    "hate": "hateful",
    "hope": "hopeful",
    "hopefulness": "hopeful",
    "interest": "interested",
    "irritated": "annoyed",
    "loneliness": "lonely",
    "love": "in love",
    "melancholic": "melancholy",
    "peace": "peaceful",
    "pride": "proud",
    "relaxation": "relaxed",
    "sadness": "sad",
    "sorrow": "sad",
    "sorrowful": "sad",
    "serenity": "serene",
    "stressed": "tense",
    "surprise": "surprised",
    "tension": "tense",
    "thankful": "grateful",
}


@dataclass(frozen=True)
class EmotionWord:
    """A word of the table: coordinates in [-1, 1], and the key of its source in `SOURCES`."""

    name: str
    valence: float
    arousal: float
    source: str

    @property
    def citation(self) -> str:
        """The source in full."""
        return SOURCES[self.source]


def words() -> tuple[EmotionWord, ...]:
    """All words of the table, in its order, without aliases."""
    return tuple(EmotionWord(name, *place) for name, place in _TABLE.items())


def find_word(text: str) -> EmotionWord | None:
    """The word that `text` names, in any case and with any of space, hyphen or underscore between its parts."""
    name = _plain(text)
    for spelling in (name, name.replace(" ", "-")):
        entry = ALIASES.get(spelling, spelling)
        if entry in _TABLE:
            return EmotionWord(entry, *_TABLE[entry])
    return None


def close_words(text: str, count: int = 3) -> tuple[str, ...]:
    """Up to `count` known words or aliases spelt like `text`, most alike first; none if nothing is near."""
    return tuple(difflib.get_close_matches(_plain(text), [*_TABLE, *ALIASES], n=count, cutoff=0.6))


def _plain(text: str) -> str:
    """Lower case, one space between parts."""
    return " ".join(text.lower().replace("-", " ").replace("_", " ").split())
