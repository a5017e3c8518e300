"""What is read off a sentence: its words as rows of a table, and cues such as negated or intensified feeling words.

A lexicon of word valences (VADER's, Hutto & Gilbert, ICWSM 2014, MIT licence) travels in the checkpoint. The rules
that turn it into cues follow the paper: a negation turns a word around, a booster strengthens it, "but" shifts weight
to what follows, capitals and exclamation marks raise the voice.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
MAX_TOKENS = 64  # of one sentence; a longer one is cut into pieces of this length
MAX_SENTENCES = 400  # of one text; a longer one is read at this many, spread evenly
MAX_PASSAGES = 120  # likewise where sentences are joined
UNKNOWN = 0  # the row of words that the table does not hold

_TOKEN = re.compile(
    r"[:;=][-'^]?[)(\]\[dDpP/\\|*](?!\w)|<3|[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[^\s\w]", re.UNICODE
)  # emoticons, words with their apostrophes, numbers, single signs
_MARKUP = re.compile(r"<[^<>\n]{1,200}>|https?://\S{1,2000}|&[a-z]{2,6};")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")
_SENTENCE = re.compile(r"(?<=[.!?…。！？])[\"')\]]*\s+|\n+")

NEGATIONS = frozenset(
    (
        "ain't", "aren't", "barely", "can't", "cannot", "cant", "couldn't", "didn't", "didnt", "doesn't", "doesnt",
        "don't", "dont", "hadn't", "hardly", "hasn't", "haven't", "isn't", "isnt", "mightn't", "mustn't", "needn't",
        "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "nowhere", "rarely", "scarcely", "seldom",
        "shan't", "shouldn't", "wasn't", "wasnt", "weren't", "without", "won't", "wont", "wouldn't",
    )
)
BOOSTERS = frozenset(
    (
        "absolutely", "completely", "damn", "deeply", "especially", "extremely", "freaking", "fucking", "hella",
        "highly", "incredibly", "more", "most", "quite", "really", "so", "such", "super", "too", "totally", "truly",
        "utterly", "very",
    )
)
DAMPERS = frozenset(
    (
        "almost", "barely", "kinda", "less", "little", "marginally", "occasionally", "partly", "slightly", "somewhat",
        "sorta",
    )
)
REACH = 3  # words before a feeling word in which a negation or booster counts
TURNED, BOOSTED = -0.74, 0.3  # VADER's constants
CUES = (
    "sum",
    "compound",
    "positive",
    "negative",
    "strongest positive",
    "strongest negative",
    "negations",
    "boosters",
    "exclamations",
    "questions",
    "quotes",
    "capitals",
    "first person",
    "length",
    "positive share",
    "negative share",
    "balance",
    "positive by root",
    "negative by root",
)


@dataclass(frozen=True)
class Sentence:
    """A piece of text to read. tokens: lower-case; ids: int64 [T], rows of the table; cues: float64 [19], CUES;
    text: as it was written, as far as the tokens reach.
    """

    tokens: tuple[str, ...]
    ids: Ids
    cues: Floats
    text: str = ""


@dataclass(frozen=True)
class Table:
    """rows: a word's row (from 1 on; 0 is UNKNOWN); valence: VADER's mean rating of a word or emoticon, -4 to 4."""

    rows: Mapping[str, int]
    valence: Mapping[str, float]

    def sentence(self, text: str) -> Sentence:
        """One sentence as rows and cues."""
        spans = [match.span() for match in islice(_TOKEN.finditer(text), MAX_TOKENS)]
        raw = [text[start:end] for start, end in spans]
        tokens = tuple(token.lower() for token in raw)
        ids = np.array([self.rows.get(token, UNKNOWN) for token in tokens], dtype=np.int64)
        return Sentence(tokens, ids, self._cues(raw, tokens), text[: spans[-1][1]] if spans else "")

    def known(self, sentences: Iterable[Sentence]) -> float:
        """The share of the words that the table or the lexicon holds, 0 to 1; 0 where there are no words."""
        tokens = [token for sentence in sentences for token in sentence.tokens]
        words = [token for token in tokens if token[0].isalpha() or token in self.valence or not token.isascii()]
        return sum(word in self.rows or word in self.valence for word in words) / len(words) if words else 0.0

    def _cues(self, raw: list[str], tokens: tuple[str, ...]) -> Floats:
        loud = [len(token) > 1 and token.isupper() for token in raw]
        shouting = any(loud) and not all(loud)  # a word in capitals stands out only among others
        felt = np.array([self._felt(tokens, place, shouting and loud[place]) for place in range(len(tokens))])
        if "but" in tokens and len(felt):
            turn = tokens.index("but")
            felt = np.where(np.arange(len(felt)) < turn, 0.5 * felt, 1.5 * felt)
        total = float(felt.sum()) if len(felt) else 0.0
        count = len(tokens)
        gain, loss = (float(felt[felt > 0].sum()), -float(felt[felt < 0].sum())) if count else (0.0, 0.0)
        letters = [word for word in raw if word[0].isalpha()]
        return np.array(
            [
                np.tanh(total / 6),
                total / np.sqrt(total * total + 15),  # VADER's compound
                np.log1p(gain),
                np.log1p(loss),
                max(0.0, felt.max()) if len(felt) else 0.0,
                max(0.0, -felt.min()) if len(felt) else 0.0,
                np.log1p(sum(token in NEGATIONS for token in tokens)),
                np.log1p(sum(token in BOOSTERS for token in tokens)),
                np.log1p(tokens.count("!")),
                np.log1p(tokens.count("?")),
                float(any(token in '"“”' for token in tokens)),
                sum(word.isupper() and len(word) > 1 for word in letters) / max(1, len(letters)),
                float(any(token in ("i", "i'm", "me", "my") for token in tokens)),
                np.log1p(count),
                gain / (count + 3),
                loss / (count + 3),
                (gain - loss) / (count + 5),
                np.log1p(gain) / np.sqrt(count + 1),
                np.log1p(loss) / np.sqrt(count + 1),
            ]
        )

    def _felt(self, tokens: tuple[str, ...], place: int, loud: bool) -> float:
        """The valence of one word where it stands, -4 to 4 and somewhat beyond."""
        value = self.valence.get(tokens[place], 0.0)
        if value == 0.0:
            return 0.0
        before = tokens[max(0, place - REACH) : place]
        strength = sum((token in BOOSTERS) - (token in DAMPERS) for token in before) + (2.5 if loud else 0.0)
        value += np.sign(value) * BOOSTED * strength
        return float(value * TURNED if any(token in NEGATIONS for token in before) else value)


def sentences_of(text: str, most: int = MAX_SENTENCES) -> list[str]:
    """The sentences of a text, none empty nor longer than MAX_TOKENS words; at most `most`, spread evenly over it.

    Markup, links and control characters are left out. AffectgenError when nothing that can be read is left.
    """
    if not isinstance(text, str):
        raise AffectgenError(f"A text was expected, not {type(text).__name__}.", "Give a string.")
    plain = _CONTROL.sub(" ", _MARKUP.sub(" ", text)).replace("’", "'")
    pieces = [piece for part in _SENTENCE.split(plain) if part and not part.isspace() for piece in _short(part)]
    if not pieces:
        raise AffectgenError("The text is empty; at least one word was expected.", "Give a sentence.")
    return _spread(pieces, most)


def passages_of(text: str, most: int = MAX_PASSAGES) -> list[str]:
    """The sentences of a text, neighbours joined as long as MAX_TOKENS words allow; at most `most`, spread evenly.

    AffectgenError as `sentences_of`.
    """
    found: list[str] = []
    count = MAX_TOKENS
    for piece in sentences_of(text, sys.maxsize):
        words = sum(1 for _ in _TOKEN.finditer(piece))
        if count + words <= MAX_TOKENS:
            found[-1] += f" {piece}"
            count += words
        else:
            found.append(piece)
            count = words
    return _spread(found, most)


def _spread(pieces: list[str], most: int) -> list[str]:
    if len(pieces) <= most:
        return pieces
    return [pieces[i] for i in np.linspace(0, len(pieces) - 1, most).round().astype(int)]


def _short(part: str) -> list[str]:
    """A sentence cut into pieces of at most MAX_TOKENS tokens."""
    spans = [match.span() for match in _TOKEN.finditer(part)]
    starts = range(0, len(spans), MAX_TOKENS)
    return [part[spans[i][0] : spans[min(i + MAX_TOKENS, len(spans)) - 1][1]] for i in starts]
