"""Cues, sentences, pairs of words, the anchor and the linear model, by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.errors import AffectgenError
from affectgen.recognize import text_blend, text_linear, text_teacher
from affectgen.recognize.text_anchor import Anchor
from affectgen.recognize.text_evaluate import macro_f1
from affectgen.recognize.text_features import CUES, MAX_TOKENS, Table, passages_of, sentences_of
from affectgen.recognize.text_fit import start_vectors
from affectgen.recognize.text_grams import Grams, grams, pieces
from affectgen.recognize.text_net import TextNet

TABLE = Table({"it": 1, "is": 2, "good": 3}, {"good": 1.9, "bad": -2.5, ":)": 2.0})


def cue(text: str, name: str = "compound") -> float:
    return float(TABLE.sentence(text).cues[CUES.index(name)])


def test_words_signs_and_emoticons_are_told_apart() -> None:
    sentence = TABLE.sentence("It isn't GOOD, 24 times :)")
    assert sentence.tokens == ("it", "isn't", "good", ",", "24", "times", ":)")
    assert sentence.ids.tolist() == [1, 0, 3, 0, 0, 0, 0]
    assert len(sentence.cues) == len(CUES)


def test_cues_follow_the_rules() -> None:
    assert cue("it is good") > 0 > cue("it is bad")
    assert cue("it is not good") < 0
    assert cue("it is very good") > cue("it is good") > cue("it is slightly good")
    assert cue("it is GOOD") > cue("it is good")
    assert cue("IT IS GOOD") == cue("it is good")  # all capitals stand out against nothing
    assert cue("good but bad") < cue("good and bad") < cue("bad but good")
    assert cue("fine :)") > cue("fine")
    assert cue("it!!", "exclamations") > cue("it!", "exclamations") > cue("it", "exclamations") == 0


def test_the_known_share_counts_words_only() -> None:
    assert TABLE.known([TABLE.sentence("it is good !!! 24")]) == 1
    assert TABLE.known([TABLE.sentence("it was gut")]) == pytest.approx(1 / 3)
    assert TABLE.known([TABLE.sentence("24 !")]) == 0


def test_texts_are_cut_into_sentences() -> None:
    assert sentences_of("It rains. We stay in!\nNo?") == ["It rains.", "We stay in!", "No?"]
    lengths = [len(piece.split()) for piece in sentences_of("word " * 150)]
    assert lengths == [MAX_TOKENS, MAX_TOKENS, 150 - 2 * MAX_TOKENS]
    assert len(sentences_of("Yes. " * 5000, most=7)) == 7
    assert sentences_of("a <i>b</i> https://example.org/x c")[0].split() == ["a", "b", "c"]
    with pytest.raises(AffectgenError, match="empty"):
        sentences_of("  \n ")


def test_passages_join_sentences_as_far_as_their_words_allow() -> None:
    assert passages_of("It rains. We stay in!\nNo?") == ["It rains. We stay in! No?"]
    long = " ".join(["word"] * 39) + "."
    assert passages_of(f"{long} {long} Yes.") == [long, f"{long} Yes."]  # 40 tokens each: two do not fit
    assert len(passages_of(f"{long} " * 500, most=7)) == 7
    assert TABLE.sentence("It rains \u2026 often, (no)  ").text == "It rains \u2026 often, (no)"


@given(st.text(max_size=300))
def test_no_sentence_is_empty_or_too_long(text: str) -> None:
    try:
        pieces = sentences_of(text)
    except AffectgenError:
        return
    for piece in [*pieces, *passages_of(text)]:
        assert 0 < len(TABLE.sentence(piece).tokens) <= MAX_TOKENS
    assert sum(len(piece.split()) for piece in passages_of(text)) == sum(len(piece.split()) for piece in pieces)


def test_pairs_of_words_weigh_by_rarity() -> None:
    rows = [TABLE.sentence(text) for text in ("it is good", "it is bad", "it is new", "new good")]
    known = Grams.of(rows)
    assert grams(rows[0]) == ["it", "is", "good", "it is", "is good"]
    assert set(known.rows) == {"it", "is", "good", "new", "it is"}
    assert known.idf[known.rows["good"]] > known.idf[known.rows["it"]]
    table = known.matrix([*rows, TABLE.sentence("nothing known")]).toarray()
    np.testing.assert_allclose(np.linalg.norm(table, axis=1), [1, 1, 1, 1, 0])


def test_runs_of_letters_begin_and_end_with_the_word() -> None:
    sentence = TABLE.sentence("It is")
    assert pieces(sentence)[:6] == [" i", "it", "t ", " it", "it ", " it "]
    known = Grams.of([sentence, TABLE.sentence("it was")], letters=True)
    assert set(known.rows) == {" i", "it", "t ", " it", "it ", " it ", "s "}


def tiny_net() -> TextNet:
    rng = np.random.default_rng(1)
    dim, filters = 4, 3
    kernel, head = rng.normal(size=(2, 3 * dim, filters)), rng.normal(size=(2, 2 * filters + dim + len(CUES), 31))
    return TextNet(
        rng.normal(size=(4, dim)).astype(np.float32),
        np.zeros(len(CUES)),
        np.ones(len(CUES)),
        np.zeros(3),
        np.full(3, 0.1),
        kernel.astype(np.float32),
        np.zeros((2, filters), dtype=np.float32),
        head.astype(np.float32) * 0.1,
        np.zeros((2, 31), dtype=np.float32),
    )


def test_the_blend_learns_ratings_beside_its_network_and_comes_back_from_its_arrays() -> None:
    rows = [TABLE.sentence(text) for text in ("it is good", "it is bad", "so good", "so bad")] * 10
    ratings = np.where(np.arange(40) % 2, -0.5, 0.5)[:, None].repeat(3, axis=1)
    blend = text_blend.fit(tiny_net(), rows, ratings)
    labels, rated = blend.scores(rows[:2])
    assert labels.shape == (2, 28)
    assert rated[0, 0] > 0.15 > -0.15 > rated[1, 0]
    again = text_blend.TextBlend.of_arrays(blend.arrays()).scores(rows[:2])
    np.testing.assert_allclose(again[0], labels, atol=0.05)
    np.testing.assert_allclose(again[1], rated, atol=0.01)


def test_an_empty_sentence_has_a_score() -> None:
    logits, ratings = tiny_net().scores([TABLE.sentence("")])
    assert np.isfinite(logits).all()
    assert np.isfinite(ratings).all()


def anchor() -> Anchor:
    rng = np.random.default_rng(0)
    centre = np.array([[0.2, 0.05], [-0.2, 0.1], [0.05, 0.0]])
    named = np.repeat([0, 1, 2], 40)
    ratings = centre[named] + rng.normal(0, 0.02, (120, 2))
    return Anchor.fit(ratings, np.eye(3)[named], np.array([[0.8, 0.5], [-0.6, 0.6], [0, 0]]), neutral=2)


def test_typical_comments_land_at_their_words_and_neutral_at_zero() -> None:
    points = anchor()(np.array([[0.2, 0.05], [-0.2, 0.1], [0.05, 0.0]]))
    np.testing.assert_allclose(points[:, 0], [0.8, -0.6, 0], atol=0.1)
    np.testing.assert_allclose(points[2], 0, atol=0.1)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20))
def test_the_anchor_keeps_the_order_and_stays_in_the_plane(values: list[float]) -> None:
    rows = np.sort(np.array(values))[:, None].repeat(2, axis=1)
    points = anchor()(rows)
    assert (np.diff(points, axis=0) >= 0).all()
    assert np.abs(points).max() <= 1


def test_an_anchor_needs_neutral_comments() -> None:
    with pytest.raises(ValueError, match="neutral"):
        Anchor.fit(np.zeros((5, 2)), np.eye(3)[[0] * 5], np.zeros((3, 2)), neutral=2)


def test_the_linear_model_comes_back_from_its_arrays() -> None:
    rows = [TABLE.sentence(text) for text in ("it is good", "it is bad", "so good", "so bad")] * 5
    labels = np.zeros((20, 28))
    labels[np.arange(20), np.arange(20) % 2] = 1
    ratings = np.where(np.arange(20) % 2, -0.5, 0.5)[:, None].repeat(3, axis=1)
    chosen = text_linear.Settings(penalty=0.1)
    model = text_linear.fit(rows, labels, rows, ratings, chosen)
    shares, rated = model.scores(rows[:2])
    assert shares[0].argmax() == 0
    assert rated[0, 0] > 0.3 > -0.3 > rated[1, 0]
    again = text_linear.TextLinear.of_arrays(model.arrays(), chosen).scores(rows[:2])
    np.testing.assert_allclose(again[0], shares, atol=0.02)
    np.testing.assert_allclose(again[1], rated, atol=0.005)


def test_the_teacher_rates_like_sentences_alike() -> None:
    rows = [TABLE.sentence(text) for text in ("it is good", "it is bad")] * 10
    vectors = np.array([[1.0, 0], [0, 1]] * 10, dtype=np.float32)
    ratings = np.array([[0.5, 0, 0], [-0.5, 0, 0]] * 10)
    found = text_teacher.teach(vectors, rows, ratings, vectors[:2], rows[:2], text_teacher.Settings())
    assert found[0, 0] > 0.3 > -0.3 > found[1, 0]


def test_start_vectors_keep_what_differs_most() -> None:
    rng = np.random.default_rng(0)
    embedded = np.c_[rng.normal(0, 5, 50), rng.normal(0, 0.1, (50, 3))].astype(np.float32)
    found = start_vectors(embedded, 1)
    assert found.shape == (51, 1)
    assert (found[0] == 0).all()
    assert abs(np.corrcoef(found[1:, 0], embedded[:, 0])[0, 1]) > 0.99


def test_macro_f1_by_hand() -> None:
    truth = np.array([[True, False], [True, False], [False, True]])
    assert macro_f1(np.array([0, 1, 1]), truth) == pytest.approx((2 / 3 + 2 / 3) / 2)
