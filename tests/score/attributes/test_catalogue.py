from __future__ import annotations

import csv

import pytest

from affectgen.score.attributes import ATTRIBUTES, VALENCE_ONLY


def test_there_are_a_hundred_in_order() -> None:
    assert [a.index for a in ATTRIBUTES] == list(range(100))
    assert len({a.name for a in ATTRIBUTES}) == 100
    assert all(a.name.isidentifier() for a in ATTRIBUTES)
    assert all(set(a.bits) <= {0, 1} and len(a.bits) == 4 for a in ATTRIBUTES)


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (0, "pitch_class_histogram_2"),
        (59, "note_density_per_quarter_note"),
        (64, "rhythmic_value_histogram_4"),
        (89, "number_of_relatively_strong_rhythmic_pulses_tempo_standardized"),
        (97, "contrary_motion"),
        (99, "average_note_to_note_change_in_dynamics"),
    ],
)
def test_names_are_titles_as_identifiers(index: int, name: str) -> None:
    assert ATTRIBUTES[index].name == name


def test_the_bits_of_the_emotions() -> None:
    # ones in the rows of the authors' inference_command.npy
    assert [sum(a.bits[quadrant] for a in ATTRIBUTES) for quadrant in range(4)] == [58, 54, 53, 49]


def test_valence_only_are_those_whose_bits_follow_it() -> None:
    assert [a.index for a in ATTRIBUTES if a.bits in ((1, 0, 0, 1), (0, 1, 1, 0))] == list(VALENCE_ONLY)
    assert len(VALENCE_ONLY) == 9


def test_control_accuracy_is_the_published_one() -> None:
    published = [a.published for a in ATTRIBUTES]
    assert sum(published) / 100 == pytest.approx(0.739, abs=0.002)
    assert sum(published[k] for k in VALENCE_ONLY) / 9 == pytest.approx(0.62, abs=0.01)


def test_the_facts_are_those_of_the_research_table(real_data) -> None:
    path = real_data.parent / "research" / "emogen_attributes.csv"
    if not path.is_file():
        pytest.skip("the research notes are not here")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for attribute, row in zip(ATTRIBUTES, rows, strict=True):
        assert attribute.title == row["name"]
        assert attribute.threshold == float(row["threshold"])
        assert attribute.bits == tuple(int(row[quadrant]) for quadrant in ("Q1", "Q2", "Q3", "Q4"))
        assert attribute.published == float(row["published_control_acc_read_from_figure"])
