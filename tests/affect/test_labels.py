"""Corpus labels: every label has a point, scales are anchored, damaged columns are refused; and the real corpora."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect, labels
from affectgen.errors import AffectError

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def rows(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {name} beside the checkout")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_quadrants() -> None:
    assert [labels.quadrant(f"Q{i}").quadrant for i in range(1, 5)] == ["Q1", "Q2", "Q3", "Q4"]
    assert labels.quadrant(3) == labels.quadrant("Q3") == Affect(-0.6, -0.6)
    for bad in ("q1", "Q5", 0, ""):
        with pytest.raises(AffectError):
            labels.quadrant(bad)


@given(st.floats(1, 5), st.floats(1, 5))
def test_emobank_is_linear_and_covers_the_plane(valence: float, arousal: float) -> None:
    point = labels.emobank(valence, arousal)
    assert point.valence == pytest.approx((valence - 3) / 2)
    assert point.arousal == pytest.approx((arousal - 3) / 2)
    assert labels.emobank(1, 5) == Affect(-1, 1)
    assert labels.emobank(3, 3) == Affect(0, 0)


@pytest.mark.parametrize("rating", [0.99, 5.01, math.nan, math.inf])
def test_ratings_off_the_scale_are_refused(rating: float) -> None:
    with pytest.raises(AffectError, match="from 1 to 5"):
        labels.emobank(3, rating)


def test_rater_means_are_kept() -> None:
    assert labels.rater_mean(-0.24, -0.02) == Affect(-0.24, -0.02)
    with pytest.raises(AffectError):
        labels.rater_mean(1.2, 0)


def test_acted_emotions_stand_in_their_quadrants_and_follow_their_level() -> None:
    for table in (labels.CREMA_D, labels.EMO_DB):
        assert {"anger", "disgust", "fear", "happiness", "neutral", "sadness"} <= set(table)
    assert {labels.crema_d(name).quadrant for name in ("anger", "fear", "disgust")} == {"Q2"}
    assert labels.crema_d("sadness").quadrant == labels.emo_db("boredom").quadrant == "Q3"
    steps = [labels.crema_d("anger", level).intensity for level in ("LO", "MD", "HI")]
    assert steps == sorted(steps)
    assert steps[0] == pytest.approx(steps[2] / 2)
    assert labels.crema_d("anger") == labels.crema_d("anger", "HI") == labels.emo_db("anger")
    assert labels.crema_d("neutral", "LO") == Affect(0, 0)


def test_votes_scale_with_what_was_heard_and_ties_meet_in_the_middle() -> None:
    angry, disgusted = Affect.parse("angry"), Affect.parse("disgusted")
    assert labels.crema_d_votes("A") == angry == labels.crema_d_votes("A", "93.5")
    assert labels.crema_d_votes("A", "40") == angry.scaled(0.5)
    assert labels.crema_d_votes("A", "0") == Affect(0, 0)
    assert labels.crema_d_votes("A:D").distance(angry.toward(disgusted, 0.5)) < 1e-12
    assert labels.crema_d_votes("A:N", "80:50").distance(angry.scaled(0.5)) < 1e-12


@pytest.mark.parametrize(
    "call",
    [
        lambda: labels.crema_d("joy"),
        lambda: labels.crema_d("anger", "XL"),
        lambda: labels.emo_db("A"),
        lambda: labels.crema_d_votes("X"),
        lambda: labels.crema_d_votes(""),
        lambda: labels.crema_d_votes("A", "101"),
        lambda: labels.crema_d_votes("A", "nan"),
        lambda: labels.crema_d_votes("A", "loud"),
        lambda: labels.crema_d_votes("A:D", "50"),
        lambda: labels.go_emotions([]),
        lambda: labels.go_emotions([28]),
        lambda: labels.go_emotions([-1]),
        lambda: labels.go_emotions(["hunger"]),
    ],
)
def test_labels_that_are_none_are_refused_with_a_hint(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AffectError) as caught:
        call()
    assert caught.value.hint


def test_every_table_names_words_that_exist() -> None:
    for word in labels.EMO_DB.values():
        assert Affect.parse(word) == Affect.parse(word.title())
    assert len(labels.GO_EMOTIONS) == 28
    assert all(0 < share <= 1 and Affect.parse(word) for word, share in labels.GO_EMOTIONS.values())


def test_go_emotions_read_by_name_and_number() -> None:
    assert labels.go_emotions([25]) == labels.go_emotions(["sadness"]) == Affect.parse("sad")
    assert labels.go_emotions([27]) == Affect(0, 0)
    assert labels.go_emotions(["joy", "sadness"]).distance(
        Affect.parse("joyful").toward(Affect.parse("sad"), 0.5)
    ) < 1e-12  # fmt: skip


@pytest.mark.parametrize(
    ("names", "sign"),
    [
        ("admiration amusement approval caring excitement gratitude joy love optimism pride relief", 1),
        ("anger annoyance disappointment disapproval disgust embarrassment fear grief nervousness remorse sadness", -1),
    ],
)
def test_go_emotions_have_the_valence_their_authors_group_them_by(names: str, sign: int) -> None:
    assert all(labels.go_emotions([name]).valence * sign > 0 for name in names.split())


def test_tags_that_are_none_give_none() -> None:
    assert labels.jamendo(["mood/theme---jazzy", "genre---rock"]) is None
    assert labels.jamendo([]) is None
    assert labels.jamendo(["mood/theme---happy", "jazzy"]) == Affect.parse("happy")


def test_a_tag_that_names_an_emotion_counts_more_than_others() -> None:
    happy, film = Affect.parse("happy"), labels.jamendo(["film"])
    assert film is not None
    both = labels.jamendo(["mood/theme---happy", "film", "film"])
    assert both is not None
    assert both.distance(happy.toward(film, 0.2)) < 1e-12  # 0.25 of 1.25
    centre = labels.jamendo(["happy", "sad"])
    assert centre is not None
    assert centre.distance(happy.toward(Affect.parse("sad"), 0.5)) < 1e-12


def test_the_version_is_a_word_for_checkpoints() -> None:
    assert isinstance(labels.LABELS_VERSION, str)
    assert labels.LABELS_VERSION


def test_the_real_crema_d_reads_throughout() -> None:
    clips = rows("crema_d/manifest.csv")
    heard = [labels.crema_d_votes(r["voice_vote"], r["voice_level"]) for r in clips if r["voice_vote"]]
    acted = [labels.crema_d(r["emotion"], r["intensity"]) for r in clips]
    assert len(acted) == len(clips) > 6000
    assert len(heard) > 6000
    assert {point.quadrant for point in heard} >= {"Q1", "Q2", "Q3"}


def test_the_real_emo_db_emopia_vgmidi_and_emobank_read_throughout() -> None:
    assert len({labels.emo_db(r["emotion"]) for r in rows("emo_db/manifest.csv")}) == 7
    assert all(labels.quadrant(r["quadrant"]).quadrant == r["quadrant"] for r in rows("emopia/clips.csv"))
    pieces = rows("vgmidi/pieces.csv")
    assert all(
        labels.rater_mean(float(r["valence_mean"]), float(r["arousal_mean"])).quadrant == r["quadrant"] for r in pieces
    )
    sentences = [labels.emobank(float(r["V"]), float(r["A"])) for r in rows("text/emobank.csv")]
    assert len(sentences) > 10_000
    assert abs(sum(point.valence for point in sentences) / len(sentences)) < 0.05


def test_the_real_go_emotions_has_our_order() -> None:
    path = DATA / "text" / "goemotions" / "labels.txt"
    if not path.exists():
        pytest.skip("no GoEmotions beside the checkout")
    assert path.read_text(encoding="utf-8").split() == list(labels.GO_EMOTIONS)
