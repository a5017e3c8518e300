"""Numbers as English words: "42", "1455", "3.14", "$5.50", "22nd", "1990s", "10:30", "50%"."""

from __future__ import annotations

import re

UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
GROUPS = ("", "thousand", "million", "billion", "trillion")
ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
MONEY = {"$": ("dollar", "cent"), "£": ("pound", "pence"), "€": ("euro", "cent"), "¥": ("yen", "")}
LONGEST = 15  # digits that are read as one number; longer ones digit by digit


def read_number(text: str) -> list[str]:
    """The words of a number as it is written, empty where the text is none."""
    if re.fullmatch(r"\D*\d{1,3}(,\d{3})+(\.\d+)?\D*", text):
        text = text.replace(",", "")
        if text.isdecimal() and len(text) <= LONGEST:
            return cardinal(int(text))  # no year
    for pattern, reading in _READINGS:
        found = re.fullmatch(pattern, text)
        if found:
            return reading(*found.groups())
    return []


def cardinal(number: int) -> list[str]:
    """A whole number of at most LONGEST digits: 142 is one hundred forty two."""
    if number < 20:
        return [UNITS[number]]
    if number < 100:
        return [TENS[number // 10], *([UNITS[number % 10]] if number % 10 else [])]
    if number < 1000:
        return [UNITS[number // 100], "hundred", *(cardinal(number % 100) if number % 100 else [])]
    words: list[str] = []
    for place in range(len(GROUPS) - 1, -1, -1):
        group = number // 1000**place % 1000
        if group:
            words += [*cardinal(group), *([GROUPS[place]] if place else [])]
    return words


def ordinal(number: int) -> list[str]:
    """first, second, twenty third."""
    *words, last = cardinal(number)
    if last in ORDINALS:
        return [*words, ORDINALS[last]]
    return [*words, last[:-1] + "ieth" if last.endswith("y") else last + "th"]


def year(number: int) -> list[str]:
    """A year from 1100 to 2099 as it is said: fourteen fifty five, nineteen oh five, two thousand one."""
    if 2000 <= number < 2010 or number % 1000 == 0:
        return cardinal(number)
    high, low = divmod(number, 100)
    tail = ["hundred"] if not low else ["oh", UNITS[low]] if low < 10 else cardinal(low)
    return [*cardinal(high), *tail]


def _digits(text: str) -> list[str]:
    return [UNITS[int(digit)] for digit in text]


def _whole(text: str) -> list[str]:
    """A number without separators: a year where it looks like one; with a leading zero, digit by digit."""
    if len(text) > LONGEST or (len(text) > 1 and text[0] == "0"):
        return _digits(text)
    number = int(text)
    return year(number) if len(text) == 4 and 1100 <= number < 2100 else cardinal(number)


def _plural(words: list[str]) -> list[str]:
    *rest, last = words
    return [*rest, last[:-1] + "ies" if last.endswith("y") else last + ("es" if last.endswith("x") else "s")]


def _money(sign: str, whole: str, part: str | None) -> list[str]:
    name, small = MONEY[sign]
    value = int(whole)
    words = cardinal(value) if len(whole) <= LONGEST else _digits(whole)
    words.append(name if value == 1 or name == "yen" else name + "s")
    if part and small and int(part):
        cents = int(part.ljust(2, "0")[:2])
        words += ["and", *cardinal(cents), small if cents == 1 or small == "pence" else small + "s"]
    return words


def _clock(hour: str, minute: str) -> list[str]:
    if int(minute) == 0:
        return [*cardinal(int(hour)), "o'clock"]
    return [*cardinal(int(hour)), *(["oh"] if int(minute) < 10 else []), *cardinal(int(minute))]


def _fraction(over: str, under: str) -> list[str]:
    top, bottom = int(over), int(under)
    if (top, bottom) == (1, 4) or (bottom == 4 and top == 3):
        return [UNITS[top], "quarter" if top == 1 else "quarters"]
    if bottom == 2:
        return [*cardinal(top), "half" if top == 1 else "halves"]
    if not bottom or bottom > 100 or top > 100:
        return [*_whole(over), "over", *_whole(under)]
    words = ordinal(bottom)
    return [*cardinal(top), *(words if top == 1 else _plural(words))]


def _point(whole: str, part: str) -> list[str]:
    return [*(_whole(whole) if whole else []), "point", *_digits(part)]


def _joined(first: str, second: str) -> list[str]:
    return [*_whole(first), *_whole(second)]


_READINGS = (
    (r"\+?(\d+)", _whole),
    (r"[-−](\d[\d.]*%?)", lambda rest: ["minus", *read_number(rest)]),
    (r"(\d*)\.(\d+)", _point),
    (r"(\d{1,12})(?:st|nd|rd|th)", lambda digits: ordinal(int(digits))),
    (r"(\d{1,12})'?s", lambda digits: _plural(_whole(digits))),
    (r"(\d[\d.]*)%", lambda rest: [*read_number(rest), "percent"]),
    (r"([$£€¥])(\d+)(?:\.(\d+))?", _money),
    (r"(\d{1,2}):(\d\d)", _clock),
    (r"(\d+)/(\d+)", _fraction),
    (r"(\d+)[-–](\d+)", _joined),
    (r"#(\d+)", lambda digits: ["number", *_whole(digits)]),
    (r"(\d+)°", lambda digits: [*_whole(digits), "degrees"]),
)
