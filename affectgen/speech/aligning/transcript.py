"""The words of a transcript: as they are written, and as they are read aloud."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from affectgen.errors import AffectgenError
from affectgen.speech.aligning.numerals import read_number

# what may stand about a word without being of it
AROUND = "\"'“”‘’‚„`´.,;:!?¡¿()[]{}<>«»‹›*_~^|=+\\/-‐‑‒–—−…•·"
APART = re.compile(r"\s+|[—―–…]+|--+|\.{2,}|(?<=\D)/|/(?=\D)")
CLIPPED = frozenset(("'em", "'tis", "'twas", "'cause", "'til", "'bout", "'round", "'n"))
SIGNS = {"&": "and", "%": "percent", "@": "at", "+": "plus", "=": "equals", "#": "number", "°": "degrees"}
ABBREVIATIONS = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "st": "saint", "prof": "professor", "vs": "versus",
    "etc": "et cetera", "jr": "junior", "sr": "senior", "rev": "reverend", "gen": "general", "capt": "captain",
    "lt": "lieutenant", "col": "colonel", "sgt": "sergeant", "hon": "honorable", "gov": "governor", "messrs": "messers",
    "ltd": "limited", "dept": "department", "approx": "approximately", "kg": "kilograms", "km": "kilometers",
    "cm": "centimeters", "mm": "millimeters",
}  # fmt: skip
LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ð": "th", "þ": "th", "ł": "l", "đ": "d", "ı": "i"})
APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ´`′", "'"))
# usual words of other languages that are none of English
FOREIGN = {
    "German": "der das und ist nicht ein eine einen dem den mit sich auf für auch wird sie ich wir hat aus zu zum zur",
    "French": "le la les des est et une dans pour qui que pas sur avec ce cette vous nous je il elle sont du au aux",
    "Spanish": "el los las una es en por con para que y del se lo como pero más muy está su al",
    "Italian": "il lo gli una di che è per non sono con del della nel si ma anche più questo",
    "Dutch": "het een van en dat niet zijn op met voor ook maar wordt aan er naar heeft",
    "Portuguese": "os as uma em não para com por que do da dos das mais como mas ele ela",
    "Swedish": "och att det som en på är av för med den inte har jag ett om",
    "Polish": "i nie w na z się do że jest to jak ale po co",
}
ENGLISH = (
    "the of and to a in is that it was for on are as with his they at be this from have or by one had not but what all "
    "were when we there can an your which their said if do will each about how up out them then she many some so these "
    "would other into has more her two like him see time could no my than been who its now did you he i me our"
)
MOST_FOREIGN = 0.2  # of the words
FEWEST = 4  # words that a language can be told by


def words_of(text: str) -> list[str]:
    """The words as written ("Don't", "42", "co-op", "$5"), what stands around them stripped; empty where none is."""
    found = []
    for piece in APART.split(unicodedata.normalize("NFC", text)):
        word = _stripped(piece)
        if any(letter.isalnum() for letter in word) or word in SIGNS:
            found.append(word)
    return found


def _stripped(piece: str) -> str:
    """A piece of text without what stands around it; signs before a number and clipped words' apostrophes stay."""
    if piece in SIGNS:
        return piece
    plain = piece.translate(APOSTROPHES)
    word = piece.lstrip(AROUND)
    lead = plain[: len(plain) - len(word)]
    word = word.rstrip(AROUND)
    if word[:1].isdigit() and lead[-1:] in ("-", "−", ".") and not lead[-2:-1].isalnum():
        return lead[-1] + word
    if lead[-1:] == "'" and f"'{word.lower()}" in CLIPPED:
        return piece[len(lead) - 1 : len(lead) + len(word)]
    return word


def spoken(word: str) -> list[str]:
    """How a written word is read: lower-case words of letters and apostrophes ("42" is forty, two; "BBC" b, b, c).

    Empty where nothing in it can be read in English.
    """
    if word in SIGNS:
        return [SIGNS[word]]
    text = unicodedata.normalize("NFKC", word).translate(APOSTROPHES)
    number = read_number(text)
    if number:
        return number
    if text.lower().rstrip(".") in ABBREVIATIONS:
        return ABBREVIATIONS[text.lower().rstrip(".")].split()
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]?|[B-DF-HJ-NP-TV-Z]{2,5}", text):
        return [letter for letter in text.lower() if letter.isalpha()]
    found: list[str] = []
    for part in re.findall(r"[$£€¥#]?\d[\d.,:]*\d%?|\d%?|[^\W\d_]+(?:'[^\W\d_]+)*'?|[&%@]|'[^\W\d_]+", text):
        plain = ABBREVIATIONS.get(part.lower(), _plain(part))
        found += read_number(part.strip(".,:")) or ([plain] if plain else [SIGNS[part]] if part in SIGNS else [])
    return found


def _plain(word: str) -> str:
    """A word in the letters that English has: without accents, lower case."""
    bare = unicodedata.normalize("NFKD", word.lower().translate(LETTERS))
    return re.sub(r"[^a-z']", "", bare) if re.search(r"[a-z]", bare) else ""


def check_english(text: str, name: str = "The transcript") -> list[str]:
    """The words of an English text, which errors call `name`. AffectgenError where it has none, is in other letters or
    in another language."""
    words = words_of(text)
    if not words:
        raise AffectgenError(f"{name} holds no words.", "Write what is said in the recording.")
    script = _script(text)
    if script != "LATIN":
        raise AffectgenError(f"{name} is in {script.capitalize()} letters, and English was expected.", SAY)
    language = _language(words)
    if language:
        raise AffectgenError(f"{name} reads as {language}, and English was expected.", SAY)
    for word in words:
        if not spoken(word):
            raise AffectgenError(f"{name} holds {word!r}, which cannot be read as English.", "Write it as it is said.")
    return words


SAY = "Only English can be aligned."


def _script(text: str) -> str:
    """The script of most letters, by Unicode's names; LATIN where there are none."""
    counts = Counter(unicodedata.name(letter, "OTHER").split()[0] for letter in text if letter.isalpha())
    return counts.most_common(1)[0][0] if counts else "LATIN"


def _language(words: list[str]) -> str:
    """The other language whose usual words are more than English ones, "" where there is none."""
    lower = [word.lower() for word in words]
    own = sum(word in ENGLISH.split() for word in lower)
    counts = {name: sum(word in usual.split() for word in lower) for name, usual in FOREIGN.items()}
    name = max(counts, key=lambda key: counts[key])
    many = len(lower) >= FEWEST and counts[name] >= max(2, MOST_FOREIGN * len(lower))
    return name if many and counts[name] > own else ""
