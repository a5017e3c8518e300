"""Sentences whose emotion changes with one word: where a word can be changed, and by which.

English only. A place is found by the words around it, not by a grammar: after "a" and before a noun stands an
adjective, after "is" at the end of a clause another, and so on; a place that is not clearly of one kind is left alone.
The words come from a small table; which of them is taken, the text guide's reading of the whole sentence and how usual
the words are side by side (the language model that comes with pocketsphinx) decide together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

EMOTIONS = ("anger", "fear", "happiness", "neutral", "sadness")
ADJECTIVE, NOUN, ADVERB, VERB = "adjective", "noun", "adverb", "verb"

TABLE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    ADJECTIVE: {
        "anger": ("annoying", "infuriating", "outrageous", "disgraceful", "stupid", "damn", "hateful", "idiotic",
                  "unacceptable", "ridiculous", "hostile", "angry"),
        "fear": ("terrifying", "frightening", "scary", "dangerous", "horrifying", "alarming", "threatening", "creepy",
                 "unsafe", "eerie"),
        "happiness": ("wonderful", "lovely", "delightful", "fantastic", "amazing", "beautiful", "joyful", "happy",
                      "excellent", "exciting"),
        "neutral": ("regular", "usual", "ordinary", "standard", "typical", "common", "average", "normal", "everyday",
                    "official"),
        "sadness": ("sad", "lonely", "tragic", "miserable", "heartbreaking", "depressing", "mournful", "sorrowful",
                    "unhappy", "awful"),
    },
    NOUN: {
        "anger": ("insult", "liar", "outrage", "idiot", "fight", "scandal", "fraud", "argument", "traitor", "bastard",
                  "jerk"),
        "fear": ("threat", "danger", "monster", "nightmare", "killer", "ghost", "attack", "horror", "explosion"),
        "happiness": ("party", "gift", "celebration", "holiday", "wedding", "joy", "treasure", "adventure", "award"),
        "neutral": ("table", "office", "report", "list", "building", "desk", "article", "item", "form"),
        "sadness": ("funeral", "grave", "tragedy", "loss", "coffin", "orphan", "accident", "farewell", "sorrow"),
    },
    ADVERB: {
        "anger": ("angrily", "outrageously", "stupidly", "annoyingly", "furiously", "damn"),
        "fear": ("terrifyingly", "frighteningly", "dangerously", "anxiously", "alarmingly"),
        "happiness": ("happily", "wonderfully", "luckily", "joyfully", "amazingly"),
        "neutral": ("usually", "officially", "partly", "typically", "normally"),
        "sadness": ("sadly", "tragically", "miserably", "unfortunately", "unhappily"),
    },
    VERB: {
        "anger": ("hate", "resent", "despise", "detest"),
        "fear": ("fear", "dread"),
        "happiness": ("love", "adore", "enjoy"),
        "neutral": ("know", "remember", "think"),
        "sadness": ("regret", "mourn", "miss"),
    },
}  # fmt: skip
DETERMINERS = frozenset([
    "a", "an", "the", "my", "your", "his", "her", "our", "their", "this", "that", "some", "another", "each", "every",
])  # fmt: skip
LINKS = frozenset([
    "is", "are", "was", "were", "be", "been", "it's", "that's", "he's", "she's", "feel", "feels", "felt", "seem",
    "seems", "seemed", "look", "looks", "looked", "become", "becomes", "became", "sounds", "very", "so", "too",
    "quite", "almost",
])  # fmt: skip
PRONOUNS = frozenset(["i", "we", "you", "they"])
OPINIONS = frozenset([
    "think", "wonder", "know", "believe", "guess", "hope", "see", "say", "like", "love", "hate", "fear", "regret",
    "remember", "enjoy",
])  # fmt: skip
FUNCTION = DETERMINERS | LINKS | PRONOUNS | frozenset([
    "he", "she", "it", "me", "him", "them", "us", "who", "whom", "which", "what", "when", "where", "why", "how",
    "and", "or", "but", "nor", "if", "because", "as", "than", "then", "of", "in", "on", "at", "to", "from", "by",
    "with", "about", "into", "over", "under", "after", "before", "between", "through", "during", "for", "up",
    "down", "out", "off", "not", "don't", "didn't", "won't", "can't", "do", "does", "did", "have", "has", "had",
    "having", "being", "will", "would", "shall", "should", "can", "could", "may", "might", "must", "there", "here",
    "i'm", "i've", "i'll", "we'll", "we've", "you're", "they're", "it'll", "more", "most", "much", "many", "few",
    "little", "own", "same", "such", "only", "just", "also", "all", "any", "no", "both", "yes", "oh", "mr", "mrs",
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "first",
    "second",
])  # fmt: skip
NO_NOUNS = frozenset(["way", "time", "kind", "sort", "part", "fact", "lot", "bit"])  # of phrases that need them
NO_ADVERBS = frozenset([
    "family", "early", "only", "daily", "reply", "supply", "apply", "italy", "ugly", "lovely", "friendly", "likely",
    "holy",
])  # fmt: skip
CLAUSE = frozenset(["and", "but", "or", "because", "when", "while", "that", "if", "as"])
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
FEW = 3  # of the best words among which the seed draws
SHORTLIST = 10  # words of an emotion whose sentences are read
CLEAR = 0.25  # least share of a feeling in a text that is to have it
FEWEST = 2  # emotions that a sentence must have a text for
USUAL = 0.2  # what a natural logarithm of how usual the words are counts against one of the emotion's share


@dataclass(frozen=True)
class Slot:
    """A word that can be changed. start, end: of it in the text, letters; kind: of TABLE's."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Variant:
    """A sentence with one word changed. old, new: the word; place: of it among the words; share: of the emotion among
    EMOTIONS, as the guide reads the text."""

    text: str
    emotion: str
    old: str
    new: str
    place: int
    share: float


Reads = Callable[[Sequence[str]], "np.ndarray[tuple[int, int], np.dtype[np.float64]]"]
Fluent = Callable[[Sequence[str], int], float]


def slots(text: str) -> list[Slot]:
    """The words of a sentence that can be changed, in order."""
    words = list(WORD.finditer(text))
    found = []
    for place, match in enumerate(words):
        word = match.group().lower()
        if word in FUNCTION and word not in OPINIONS:
            continue
        before = words[place - 1].group().lower() if place else ""
        gap = text[words[place - 1].end() : match.start()] if place else ""
        if before and gap.strip():  # a mark lies between: what came before says nothing
            before = ""
        close = text[match.end() : words[place + 1].start()].strip() if place + 1 < len(words) else "."
        after = words[place + 1].group().lower() if not close else ""
        kind = _kind(word, before, after)
        if kind is not None and match.group()[0].islower():
            found.append(Slot(match.start(), match.end(), kind))
    return found


def _kind(word: str, before: str, after: str) -> str | None:
    """What stands there, None where that is not clear. before, after: the words beside it, "" past a mark or an end."""
    if before in PRONOUNS and word in OPINIONS and after:
        return VERB
    if word in FUNCTION:
        return None
    if word.endswith("ly") and word not in NO_ADVERBS and len(word) > 4:
        return ADVERB
    if before in LINKS and not word.endswith(("ing", "ed", "en")) and (not after or after in CLAUSE):
        return ADJECTIVE
    if before not in DETERMINERS:
        return None
    if after and after not in FUNCTION:
        return ADJECTIVE
    plural = word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return None if plural or word in NO_NOUNS or after == "of" else NOUN


def fits(before: str, word: str) -> bool:
    """Whether a word can stand after "a" or "an", if one of them is before it."""
    vowel = word[0] in "aeio" or (word[0] == "u" and not word.startswith("us"))
    return before not in ("a", "an") or vowel == (before == "an")


def variants(text: str, reads: Reads, fluent: Fluent, chance: np.random.Generator) -> dict[str, Variant]:
    """For each emotion the sentence with one word changed, the same word for all; those that the guide does not read as
    their emotion are left out, and all where no word can be changed to FEWEST of them. reads: shares [N, 5] of texts
    over EMOTIONS; fluent: logarithm of how usual words are about a place; chance: draws among the best."""
    best: tuple[float, dict[str, Variant]] = (-np.inf, {})
    for slot in slots(text):
        found = _at(text, slot, reads, fluent, chance)
        worth = len(found) + sum(one.share for one in found.values()) / len(EMOTIONS)
        if len(found) >= FEWEST and worth > best[0]:
            best = worth, found
    return best[1]


def _at(text: str, slot: Slot, reads: Reads, fluent: Fluent, chance: np.random.Generator) -> dict[str, Variant]:
    """Variants by one place."""
    words = [match.group() for match in WORD.finditer(text)]
    place = len(WORD.findall(text[: slot.start]))
    before, old = words[place - 1].lower() if place else "", text[slot.start : slot.end]
    held = {word.lower() for word in words}
    pairs: list[tuple[str, str, float]] = []
    for emotion in EMOTIONS:
        options = [word for word in TABLE[slot.kind][emotion] if fits(before, word) and word not in held]
        rated = [(fluent([*words[:place], word, *words[place + 1 :]], place), word) for word in options]
        pairs += [(emotion, word, usual) for usual, word in sorted(rated, reverse=True)[:SHORTLIST]]
    if not pairs:
        return {}
    texts = [text[: slot.start] + word + text[slot.end :] for _, word, _ in pairs]
    shares = reads(texts)
    found: dict[str, Variant] = {}
    for own, emotion in enumerate(EMOTIONS):
        rows = [row for row, pair in enumerate(pairs) if pair[0] == emotion and _heard(shares[row], own)]
        rows.sort(key=lambda row: -(np.log(shares[row, own]) + USUAL * pairs[row][2]))
        if rows:
            row = rows[int(chance.integers(min(FEW, len(rows))))]
            found[emotion] = Variant(texts[row], emotion, old, pairs[row][1], place, round(float(shares[row, own]), 3))
    return found


def _heard(shares: np.ndarray[tuple[int], np.dtype[np.float64]], own: int) -> bool:
    """Whether shares [5] are of that emotion: the largest, for a feeling among the feelings, of CLEAR at least."""
    if EMOTIONS[own] == "neutral":
        return int(shares.argmax()) == own
    felt = np.where(np.array(EMOTIONS) == "neutral", 0.0, shares)
    return int(felt.argmax()) == own and float(shares[own]) >= CLEAR


def guide_reads() -> Reads:
    """Shares over EMOTIONS as the text guide reads them: of what GoEmotions' labels say of them together."""
    from affectgen.recognize.text import load_text_guide
    from affectgen.speech.space.material import COMMENT_LABELS

    guide = load_text_guide()

    def reads(texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        found = np.zeros((len(texts), len(EMOTIONS)))
        for row, reading in enumerate(guide.read(texts)):
            told = reading.labels if reading.labels is not None else {}
            found[row] = [sum(told[name] for name in COMMENT_LABELS[emotion]) for emotion in EMOTIONS]
        return found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9)

    return reads


@lru_cache(maxsize=1)
def usual_words() -> Fluent:
    """How usual words are in the language model that comes with pocketsphinx: the sum of natural logarithms of the
    probabilities of the word at a place and of the two after it, each after the two before it."""
    from pocketsphinx import Config, LogMath, NGramModel, get_model_path

    logs = LogMath()
    model = NGramModel(Config(), logs, get_model_path("en-us/en-us.lm.bin"))

    def fluent(words: Sequence[str], place: int) -> float:
        lower = [word.lower().replace("’", "'") for word in words]
        spans = [lower[max(0, at - 2) : at + 1] for at in range(place, min(place + 3, len(lower)))]
        return float(sum(logs.log_to_ln(model.prob(span[::-1])) for span in spans))

    return fluent
