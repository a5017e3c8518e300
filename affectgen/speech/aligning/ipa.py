"""From espeak-ng's IPA to the phones of the CMU dictionary (ARPAbet without stress)."""

from __future__ import annotations

# longest first where one begins another; what is not here is left out (stress, length, ties, syllable marks)
ARPABET = {
    "aɪɚ": "AY ER", "aɪə": "AY AH", "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY",
    "ɔːɹ": "AO R", "ɑːɹ": "AA R", "ɛɹ": "EH R", "ɪɹ": "IH R", "ʊɹ": "UH R", "eə": "EH R", "ɪə": "IH R", "ʊə": "UH R",
    "oːɹ": "AO R", "tʃ": "CH", "dʒ": "JH", "əl": "AH L", "ɜː": "ER", "ɜ": "ER", "ɚ": "ER", "ɝ": "ER",
    "iː": "IY", "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ɨ": "IH", "e": "EH", "ɛ": "EH", "æ": "AE", "a": "AE", "aː": "AA",
    "ɑː": "AA", "ɑ": "AA", "ɒ": "AA", "ɔː": "AO", "ɔ": "AO", "o": "OW", "oː": "AO", "ʊ": "UH", "uː": "UW", "u": "UW",
    "ʌ": "AH", "ə": "AH", "ɐ": "AH", "p": "P", "b": "B", "t": "T", "d": "D", "k": "K", "g": "G", "ɡ": "G", "ɾ": "T",
    "ʔ": "T", "f": "F", "v": "V", "θ": "TH", "ð": "DH", "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH", "h": "HH",
    "x": "K", "ç": "HH", "m": "M", "n": "N", "ŋ": "NG", "l": "L", "ɫ": "L", "ɬ": "L", "ɹ": "R", "r": "R", "ʁ": "R",
    "j": "Y", "w": "W", "y": "UW", "ø": "ER", "œ": "ER", "ɲ": "N Y", "ʎ": "L Y", "ɣ": "G", "β": "V", "ɸ": "F",
}  # fmt: skip
LONGEST = max(map(len, ARPABET))
MARKS = str.maketrans("", "", "ˈˌ͡‿̩̃̈̍ʲ'-_|")


def arpabet(ipa: str) -> tuple[str, ...]:
    """The phones of one word in IPA: the longest known piece at each place; what is unknown is passed over."""
    text, place, found = ipa.translate(MARKS), 0, list[str]()
    while place < len(text):
        for size in range(LONGEST, 0, -1):
            known = ARPABET.get(text[place : place + size])
            if known is not None:
                found += known.split()
                break
        place += size
    return tuple(found)
