"""The words of a transcript, and how they are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.errors import AffectgenError
from affectgen.speech.aligning.numerals import cardinal, ordinal, read_number, year
from affectgen.speech.aligning.transcript import check_english, spoken, words_of


def test_words_keep_what_is_theirs() -> None:
    text = "\"Don't\" -- he said, 42 co-ops; $5.50, -3.5% of U.S.A. 'twas and/or 1/2 & the ’90s — café… 'quoted'"
    assert words_of(text) == [
        "Don't", "he", "said", "42", "co-ops", "$5.50", "-3.5%", "of", "U.S.A", "'twas", "and", "or", "1/2", "&", "the",
        "90s", "café", "quoted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("42", "forty two"), ("1,234", "one thousand two hundred thirty four"), ("1455", "fourteen fifty five"),
        ("1905", "nineteen oh five"), ("2001", "two thousand one"), ("3.14", "three point one four"),
        ("$5.50", "five dollars and fifty cents"), ("$1", "one dollar"), ("22nd", "twenty second"),
        ("1990s", "nineteen nineties"), ("10:05", "ten oh five"), ("9:00", "nine o'clock"), ("50%", "fifty percent"),
        ("1/2", "one half"), ("3/4", "three quarters"), ("007", "zero zero seven"), ("-3", "minus three"),
        ("forty-two", "forty two"), ("Don’t", "don't"), ("Mr", "mister"), ("BBC", "b b c"), ("U.S.A", "u s a"),
        ("café", "cafe"), ("straße", "strasse"), ("Q&A", "q and a"), ("5kg", "five kilograms"), ("&", "and"),
    ],
)  # fmt: skip
def test_words_are_read_as_they_are_said(word: str, read: str) -> None:
    assert spoken(word) == read.split()


@given(st.integers(0, 10**15 - 1))
def test_a_number_is_read_as_its_value(number: int) -> None:
    small = {cardinal(value)[0]: value for value in [*range(20), *range(20, 100, 10)]}
    total = group = 0
    for word in cardinal(number):
        if word in small:
            group += small[word]
        elif word == "hundred":
            group *= 100
        else:
            total += group * {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}[word]
            group = 0
    assert total + group == number


def test_ordinals_and_years() -> None:
    assert [" ".join(ordinal(n)) for n in (1, 12, 20, 33, 100)] == [
        "first", "twelfth", "twentieth", "thirty third", "one hundredth"
    ]  # fmt: skip
    assert [" ".join(year(n)) for n in (1066 + 100, 1500, 2000, 2024)] == [
        "eleven sixty six", "fifteen hundred", "two thousand", "twenty twenty four"
    ]  # fmt: skip
    assert read_number("twelve") == []


@given(st.text(max_size=60))
def test_any_text_gives_words_of_letters(text: str) -> None:
    for word in words_of(text):
        assert word == word.strip() != ""
        for piece in spoken(word):
            assert piece
            assert set(piece) <= set("abcdefghijklmnopqrstuvwxyz'")


@given(st.lists(st.from_regex(r"[a-z]{1,8}('[a-z]{1,2})?", fullmatch=True), max_size=8))
def test_plain_words_come_back(words: list[str]) -> None:
    assert words_of(" ".join(words)) == words
    assert words_of("“" + ", ".join(words) + "!”") == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no words"), (" ... !", "no words"), ("Привет, мир", "Cyrillic"), ("今日は", "letters"),
        ("Das will sie am Mittwoch abgeben und das ist gut", "German"),
        ("Je ne sais pas ce que vous avez dans la tête", "French"),
    ],
)  # fmt: skip
def test_what_is_not_english_is_refused(text: str, said: str) -> None:
    with pytest.raises(AffectgenError, match=said):
        check_english(text)


def test_english_with_names_is_english() -> None:
    check_english("Herr Muller met Madame Dubois in the Rue de la Paix")
    check_english("I want to go to a zoo")
