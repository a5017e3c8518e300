"""MTG-Jamendo's tags: each has a place and a kind of source, and the table comes out of the published list again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect, jamendo, labels
from affectgen.errors import AffectgenError

TAGS = [*jamendo.NAMED, *jamendo.NEAR, *jamendo.COMPANY]


@pytest.fixture(scope="module")
def tracks(real_data: Path) -> list[tuple[str, tuple[str, ...]]]:
    return jamendo.read_list(real_data / "mtg_jamendo" / "autotagging_moodtheme.tsv")


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Writes a list of (artist, tags)."""

    def written(*rows: tuple[str, str]) -> Path:
        lines = [jamendo.HEADER, *(f"t{n}\t{artist}\tb\tp.mp3\t9.0\t{tags}" for n, (artist, tags) in enumerate(rows))]
        path = tmp_path / "list.tsv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return written


def test_each_tag_has_one_source_and_the_surer_counts_more() -> None:
    assert len(TAGS) == len(set(TAGS)) == 59
    assert [jamendo.source(tag) for tag in ("happy", "fun", "film", "jazzy")] == ["named", "near", "company", None]
    weights = [placed[1] for tag in ("happy", "fun", "film") if (placed := jamendo.place(tag)) is not None]
    assert 1 == weights[0] > weights[1] > weights[2] > 0
    assert jamendo.place("jazzy") is None
    assert jamendo.place("fun") == (Affect.parse("light-hearted"), 0.5)


@given(st.lists(st.sampled_from(TAGS), min_size=1, max_size=12))
def test_a_track_stands_among_its_tags_in_any_order(tags: list[str]) -> None:
    found = labels.jamendo(tags)
    points = [placed[0] for tag in tags if (placed := jamendo.place(tag)) is not None]
    assert found is not None
    for axis in ("valence", "arousal"):
        each = [getattr(point, axis) for point in points]
        assert min(each) - 1e-9 <= getattr(found, axis) <= max(each) + 1e-9
    turned = labels.jamendo([f"mood/theme---{tag}" for tag in reversed(tags)])
    assert turned is not None
    assert found.distance(turned) < 1e-9


def test_company_is_the_centre_of_artists_and_of_neutral_ones(write) -> None:  # type: ignore[no-untyped-def]
    happy, sad = Affect.parse("happy"), Affect.parse("sad")
    path = write(
        ("a", "mood/theme---film\tmood/theme---happy"),
        ("a", "mood/theme---film\tmood/theme---happy\tmood/theme---fun"),  # an artist counts once, near words never
        ("b", "mood/theme---film\tmood/theme---sad"),
        ("c", "mood/theme---film\tmood/theme---deep"),  # no emotion beside it: no witness
    )
    found = jamendo.company(jamendo.read_list(path))
    share = 2 / (2 + jamendo.SHRINK)
    assert found["film"].distance(happy.toward(sad, 0.5).scaled(share)) < 1e-12
    assert found["deep"] == Affect(0, 0)
    assert found["happy"] == Affect(0, 0)  # itself is no company
    assert set(jamendo.table(jamendo.read_list(path))) == {"film", "deep"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "begins with"),
        (b"TRACK\tTAGS\n", "begins with"),
        (b"\xff\xfe\x00", "no text"),
        (jamendo.HEADER.encode() + b"\nt1\ta\tb\tp.mp3\t9.0\n", "line 2"),
    ],
)
def test_what_is_no_list_is_refused(
    content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "list.tsv"
    path.write_bytes(content)
    with pytest.raises(AffectgenError, match=words) as caught:
        jamendo.read_list(path)
    assert caught.value.hint
    assert jamendo.main([str(path)]) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert not said.out


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match="cannot be read"):
        jamendo.read_list(tmp_path / "none.tsv")


def test_the_command_prints_python(write, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert jamendo.main([str(write(("a", "mood/theme---film\tmood/theme---happy")))]) == 0
    assert capsys.readouterr().out == f'    "film": ({0.83 / 21:.2f}, {0.53 / 21:.2f}),\n'


def test_the_table_comes_out_of_the_published_list(tracks) -> None:  # type: ignore[no-untyped-def]
    assert jamendo.table(tracks) == jamendo.COMPANY
    assert {tag for _, tags in tracks for tag in tags} == set(TAGS)
    assert all(labels.jamendo(tags) is not None for _, tags in tracks)


def test_company_tells_of_words_what_its_weight_says(tracks) -> None:  # type: ignore[no-untyped-def]
    found = jamendo.company(tracks)
    sure = [tag for tag in TAGS if jamendo.source(tag) != "company"]
    for axis in ("valence", "arousal"):
        words = [getattr(labels.jamendo([tag]), axis) for tag in sure]
        rho = spearman([getattr(found[tag], axis) for tag in sure], words)
        assert 0.45 < rho < 0.6
        assert rho**2 == pytest.approx(jamendo.WEIGHTS["company"], abs=0.06)


def test_our_tags_rank_like_ratings_of_the_same_words(real_data: Path) -> None:
    with (real_data / "mtg_jamendo" / "tags_word_norms.csv").open(encoding="utf-8", newline="") as file:
        norms = list(csv.DictReader(file))
    assert len(norms) == 56
    for axis in ("valence", "arousal"):
        assert spearman(*pairs(norms, axis)) > 0.6
        assert spearman(*pairs([row for row in norms if row["tag"] in jamendo.COMPANY], axis)) > 0.35
        assert spearman(*pairs([row for row in norms if row["tag"] in jamendo.NAMED], axis)) > 0.65


def test_tempo_has_the_arousal_that_studies_of_it_found() -> None:
    assert jamendo.COMPANY["fast"][1] > 0.2 > -0.1 > jamendo.COMPANY["slow"][1]


def pairs(norms: list[dict[str, str]], axis: str) -> tuple[list[float], list[float]]:
    ours = [getattr(labels.jamendo([row["tag"]]), axis) for row in norms]
    return ours, [float(row[f"{axis}_1_9"]) for row in norms]


def spearman(a: list[float], b: list[float]) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)
