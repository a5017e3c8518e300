"""The shipped readers of text: plain cases, faults, speed, and what does not change a reading."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.recognize.text import (
    TextRecogniser,
    load_text_guide,
    load_text_judge,
    load_text_recogniser,
    quadrant_shares,
)
from affectgen.recognize.text_corpus import LABELS
from affectgen.recognize.text_deep import TextDeep
from affectgen.recognize.text_features import _MARKUP as MARKUP

LOADERS = {"recogniser": load_text_recogniser, "guide": load_text_guide, "judge": load_text_judge}
GLAD, ANGRY = "I love this so much, thank you, it is wonderful!", "I hate you, this is disgusting and makes me furious."
SORRY, PLAIN = "I miss her, I am so sad and lonely.", "The bus stops at the corner of the street."
FOREIGN = (
    "Heute Morgen ging der Hund mit seinem Herrchen langsam durch den verschneiten Wald.",
    "Вчера вечером мы смотрели интересный фильм.",
    "今日はとても嬉しいです。",
)


@pytest.fixture(scope="module", params=LOADERS)
def reader(request: pytest.FixtureRequest) -> TextRecogniser:
    return LOADERS[request.param]()


@pytest.fixture(scope="module")
def recogniser() -> TextRecogniser:
    return load_text_recogniser()


def test_all_three_tell_glad_from_angry(reader: TextRecogniser) -> None:
    glad, angry, sorry, plain = reader.read([GLAD, ANGRY, SORRY, PLAIN])
    assert glad.affect.valence > 0.4
    assert angry.affect.valence < -0.4
    assert sorry.affect.valence < -0.2
    assert abs(plain.affect.valence) < 0.25
    assert glad.quadrants[0] + glad.quadrants[3] > 0.7
    assert plain.labels["neutral"] == max(plain.labels.values())


def test_labels_are_shares_and_dominance_is_read(reader: TextRecogniser) -> None:
    for reading in reader.read([GLAD, ANGRY, FOREIGN[1]]):
        assert tuple(reading.labels) == LABELS
        assert sum(reading.labels.values()) == pytest.approx(1)
        assert min(reading.labels.values()) >= 0
        assert reading.dominance is not None
        assert -1 <= reading.dominance <= 1
        json.dumps(reading.to_json())


def test_a_negation_turns_the_reading(recogniser: TextRecogniser) -> None:
    good, bad = recogniser.read(["This is good.", "This is not good."])
    assert good.affect.valence > bad.affect.valence + 0.2


@pytest.mark.parametrize("text", FOREIGN)
def test_another_language_is_not_guessed_at(reader: TextRecogniser, text: str) -> None:
    foreign, plain = reader.read([text, PLAIN])
    assert foreign.affect.intensity < 0.25
    assert foreign.uncertainty > plain.uncertainty + 0.2


@pytest.mark.parametrize("text", ["", " ", "\n\t \n", "\u200b", "\x00\x01", "<br/>"])
def test_an_empty_text_is_named(recogniser: TextRecogniser, text: str) -> None:
    with pytest.raises(AffectgenError, match="The text is empty"):
        recogniser.read([text])


def test_no_texts_give_no_readings(recogniser: TextRecogniser) -> None:
    assert recogniser.read([]) == []


def test_what_is_no_text_is_named(recogniser: TextRecogniser) -> None:
    with pytest.raises(AffectgenError, match="not bytes"):
        recogniser.read([b"happy"])  # type: ignore[list-item]


def test_neighbours_and_order_do_not_matter(reader: TextRecogniser) -> None:
    together, alone = reader.read([GLAD, ANGRY, PLAIN]), reader.read([ANGRY])
    assert together[1].affect.distance(alone[0].affect) < 1e-6
    assert reader.read([PLAIN, GLAD])[1].affect.distance(together[0].affect) < 1e-6


def test_markup_and_control_characters_do_not_matter(recogniser: TextRecogniser) -> None:
    plain, marked = recogniser.read(["I love it", "<b>I love</b>\x07 it\u200b"])
    assert plain.affect.distance(marked.affect) < 1e-9


def test_loud_texts_and_emoji_are_read(recogniser: TextRecogniser) -> None:
    for reading in recogniser.read(["I LOVE THIS!!!", "🎉🎉 😀", ":)", "?!?!", "a" * 5000]):
        assert np.isfinite((*reading.low, *reading.high)).all()
    loud, smile, frown = recogniser.read(["I LOVE THIS!!!", "I saw him today :)", "I saw him today :("])
    assert loud.affect.valence > 0.4
    assert smile.affect.valence > frown.affect.valence


def test_a_long_text_is_read_in_bounded_time(recogniser: TextRecogniser) -> None:
    started = time.perf_counter()
    long, endless = recogniser.read([f"{GLAD} " * 20_000, "love " * 200_000])
    assert time.perf_counter() - started < 12
    assert long.affect.valence > 0.4
    assert endless.affect.valence > 0


def test_a_text_of_two_moods_lies_between_them(recogniser: TextRecogniser) -> None:
    glad, angry, both = recogniser.read([GLAD, ANGRY, f"{GLAD} {ANGRY}"])
    assert angry.affect.valence < both.affect.valence < glad.affect.valence


@settings(max_examples=60, deadline=None)
@given(text=st.text(min_size=1, max_size=80))
def test_any_text_gives_a_reading_or_a_clear_error(text: str) -> None:
    reader = load_once()
    try:
        (reading,) = reader.read([text])
    except AffectgenError:  # nothing but spaces and what is left out
        assert not any(sign.isalnum() for sign in MARKUP.sub("", text))
        return
    assert sum(reading.quadrants) == pytest.approx(1)
    for low, high in zip(reading.low, reading.high, strict=True):
        assert -1 - 1e-9 <= low <= high <= 1 + 1e-9


_ONCE: list[TextRecogniser] = []


def load_once() -> TextRecogniser:
    if not _ONCE:
        _ONCE.append(load_text_guide())
    return _ONCE[0]


def test_a_sentence_takes_milliseconds(reader: TextRecogniser) -> None:
    reader.read([GLAD])
    spent = []
    for _ in range(5):
        started = time.process_time()
        reader.read([GLAD, ANGRY, SORRY, PLAIN])
        spent.append((time.process_time() - started) / 4)
    assert min(spent) < (0.06 if isinstance(reader.model, TextDeep) else 0.005)


def test_the_recogniser_is_loaded_at_once() -> None:
    spent = []
    for _ in range(3):
        started = time.process_time()
        load_text_recogniser()
        spent.append(time.process_time() - started)
    assert min(spent) < 0.4


def test_reading_needs_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys; from affectgen.recognize.text import load_text_recogniser as load; load().read(['I am glad.']);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_quadrant_shares_by_hand() -> None:
    shares = quadrant_shares(np.array([[0.0, 0.0], [9.0, -9.0]]), np.full((2, 2), 0.5))
    np.testing.assert_allclose(shares, [[0.25] * 4, [0, 0, 0, 1]], atol=1e-9)


def test_a_missing_checkpoint_is_named() -> None:
    with pytest.raises(CheckpointError, match="no-such-reader"):
        load_text_judge("no-such-reader")


@pytest.mark.parametrize("what", LOADERS)
def test_cards_hold_the_figures_and_the_command(what: str, top: Path) -> None:
    folder = top / "checkpoints" / f"text-{what}"
    card = (folder / "card.md").read_text()
    config = json.loads((folder / "config.json").read_text())
    assert f"--what {what}" in card
    assert all(f"| {value:g} |" in card for value in config["figures"].values())
    assert ("dev" in config["trained_on"]) == (what == "judge")
    assert sum(path.stat().st_size for path in folder.iterdir()) < (16_000_000 if what == "recogniser" else 3_000_000)
