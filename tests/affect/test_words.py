"""The word table: size, sources, and that every word stands where its meaning says."""

from __future__ import annotations

import pytest

from affectgen.affect.words import ALIASES, SOURCES, close_words, find_word, words

PLEASANT_LIVELY = """happy excited joyful delighted elated enthusiastic passionate light-hearted triumphant inspired
    proud in_love affectionate friendly vigorous powerful determined hopeful interested fascinated curious impressed
    grateful pleased surprised astonished aroused"""
UNPLEASANT_LIVELY = """angry enraged hostile hateful annoyed frustrated defiant contemptuous disgusted fearful afraid
    terrified anxious tense alarmed startled distressed upset worried suspicious confused embarrassed guilty"""
UNPLEASANT_QUIET = """sad melancholy depressed gloomy desperate dejected lonely miserable disappointed discontent
    uncomfortable bored listless apathetic droopy fatigued"""
PLEASANT_QUIET = """calm relaxed peaceful serene content satisfied at_ease contemplative secure glad amused quiet sleepy
    pensive solemn tired"""


@pytest.mark.parametrize(
    ("group", "valence", "arousal"),
    [(PLEASANT_LIVELY, 1, 1), (UNPLEASANT_LIVELY, -1, 1), (UNPLEASANT_QUIET, -1, -1), (PLEASANT_QUIET, 1, -1)],
)
def test_each_word_stands_in_its_quadrant(group: str, valence: int, arousal: int) -> None:
    for name in group.split():
        word = find_word(name)
        assert word is not None, name
        assert word.valence * valence > 0, word
        assert word.arousal * arousal > 0, word


def test_every_word_is_in_one_of_the_groups() -> None:
    grouped = " ".join([PLEASANT_LIVELY, UNPLEASANT_LIVELY, UNPLEASANT_QUIET, PLEASANT_QUIET]).replace("_", " ").split()
    named = {word.name for word in words()} - {"neutral", "blissful", "in love", "at ease"}
    assert named == set(grouped) - {"in", "love", "at", "ease"}


def test_there_are_at_least_sixty_words_with_a_published_source() -> None:
    published = [word for word in words() if word.source != "affectgen"]
    assert len(published) >= 60
    assert {word.source for word in words()} == set(SOURCES)
    assert all(len(word.citation) > 20 for word in words())


def test_coordinates_are_inside_the_plane_and_no_two_words_are_the_same() -> None:
    places = [(word.valence, word.arousal) for word in words()]
    assert all(-1 <= value <= 1 for place in places for value in place)
    assert len(set(places)) == len(places)
    assert len({word.name for word in words()}) == len(words())


def test_neutral_is_the_origin() -> None:
    word = find_word("neutral")
    assert word is not None
    assert (word.valence, word.arousal) == (0, 0)


def test_the_circle_words_are_eight_tenths_from_neutral() -> None:
    circle = [word for word in words() if word.source == "russell-1980-circle"]
    assert len(circle) >= 8
    assert all(abs((word.valence**2 + word.arousal**2) ** 0.5 - 0.8) < 0.01 for word in circle)


def test_aliases_lead_to_words_and_hide_none() -> None:
    names = {word.name for word in words()}
    assert set(ALIASES.values()) <= names
    assert not set(ALIASES) & names


def test_opposites_are_far_apart() -> None:
    for one, other in (("happy", "sad"), ("excited", "bored"), ("calm", "angry"), ("relaxed", "tense")):
        a, b = find_word(one), find_word(other)
        assert a is not None
        assert b is not None
        assert (a.valence - b.valence) ** 2 + (a.arousal - b.arousal) ** 2 > 1


@pytest.mark.parametrize("spelling", ["Light-Hearted", "light hearted", "LIGHT_HEARTED", " light  hearted "])
def test_spelling_does_not_matter(spelling: str) -> None:
    word = find_word(spelling)
    assert word is not None
    assert word.name == "light-hearted"


def test_unknown_words_are_not_found_but_near_ones_are_named() -> None:
    assert find_word("blissfull") is None
    assert close_words("blissfull")[0] == "blissful"
    assert close_words("Angrry")[0] == "angry"
    assert close_words("xyzzy") == ()
