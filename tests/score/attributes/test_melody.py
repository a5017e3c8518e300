from __future__ import annotations

import pytest

from affectgen.score.attributes.melody import melody_attributes


def test_all_attributes_of_a_line(ticks) -> None:
    # steps: 0 +2 +4 +12 -16 +36 -43 +48 -8 -4, ten of them
    pitches = [60, 60, 62, 66, 78, 62, 98, 55, 103, 95, 91]
    rows = [(k, 0.25 if k == 3 else 1, pitch) for k, pitch in enumerate(pitches)]
    found = melody_attributes(ticks(rows))
    assert found == pytest.approx(
        {f"melodic_interval_histogram_{size}": 0.1 for size in (0, 2, 12, 16, 36, 43, 48)}
        | {
            "melodic_interval_histogram_4": 0.2,
            "prevalence_of_most_common_melodic_interval": 0.2,
            "amount_of_arpeggiation": 0.5,  # 0, 4, 4, 12, 16
            "melodic_sixths": 0.1,  # 8
            "melodic_embellishments": 1 / 11,  # the short note between two four times as long
            "average_length_of_melodic_arcs": 10 / 6,  # arcs: 0 +2 +4 +12 | -16 | +36 | -43 | +48 | -8 -4
            "melodic_pitch_variety": 2.0,  # 60 comes again after one onset, 62 after three
        }
    )


def test_notes_struck_together_form_no_interval(ticks) -> None:
    # from the upper note of the chord to the next: a second; the third within the chord does not count
    found = melody_attributes(ticks([(0, 1, 60), (0, 1, 64), (1, 1, 66)]))
    assert found["melodic_interval_histogram_2"] == 1.0
    assert found["melodic_interval_histogram_4"] == 0.0


def test_arcs_pass_through_chords(ticks) -> None:
    # the line 60 64 62 turns once: two arcs of one step
    assert melody_attributes(ticks([(0, 1, 60), (0, 1, 64), (1, 1, 62)]))["average_length_of_melodic_arcs"] == 1.0


@pytest.mark.parametrize(
    ("pitches", "length"),
    [
        ([60, 62, 64, 65], 3.0),  # never turns
        ([60, 62, 60, 62], 1.0),  # turns at each note
        ([60, 62, 62, 60], 1.5),  # +2 0 | -2
        ([60, 60, 60], 0.0),  # no direction at all
    ],
)
def test_arcs(line, pitches: list[int], length: float) -> None:
    assert melody_attributes(line(pitches))["average_length_of_melodic_arcs"] == length


@pytest.mark.parametrize(("size", "counts"), [(7, 1.0), (10, 1.0), (11, 1.0), (15, 1.0), (1, 0.0), (5, 0.0), (9, 0.0)])
def test_steps_of_an_arpeggio(line, size: int, counts: float) -> None:
    assert melody_attributes(line([60, 60 - size]))["amount_of_arpeggiation"] == counts


@pytest.mark.parametrize("size", [8, 9])
def test_sixths(line, size: int) -> None:
    assert melody_attributes(line([60, 60 + size, 60 + size]))["melodic_sixths"] == 0.5


@pytest.mark.parametrize(
    ("lengths", "share"),
    [
        ((3, 1, 3), 1 / 3),
        ((2.9, 1, 3), 0.0),  # the note before is too short
        ((3, 1, 2.9), 0.0),
        ((1, 3, 1), 0.0),
        ((1, 3), 0.0),  # at the edges nothing stands on one side
    ],
)
def test_embellishments(ticks, lengths: tuple[float, ...], share: float) -> None:
    rows = [(k, length, 60) for k, length in enumerate(lengths)]
    assert melody_attributes(ticks(rows))["melodic_embellishments"] == pytest.approx(share)


def test_one_long_note_of_a_chord_is_enough_for_an_embellishment(ticks) -> None:
    rows = [(0, 1, 60), (0, 4, 48), (1, 1, 62), (2, 1, 64), (2, 3, 50)]
    assert melody_attributes(ticks(rows))["melodic_embellishments"] == pytest.approx(1 / 5)


@pytest.mark.parametrize(("between", "variety"), [(0, 1.0), (3, 4.0), (15, 16.0), (16, 0.0)])
def test_a_pitch_is_forgotten_after_sixteen_onsets(line, between: int, variety: float) -> None:
    assert melody_attributes(line([60, *range(61, 61 + between), 60]))["melodic_pitch_variety"] == variety
