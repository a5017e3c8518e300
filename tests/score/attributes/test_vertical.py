from __future__ import annotations

import pytest

from affectgen.score.attributes.vertical import BINS, vertical_attributes


def chord(onset: float, length: float, *pitches: int, velocity: int = 64) -> list[tuple[float, float, int, int]]:
    return [(onset, length, pitch, velocity) for pitch in pitches]


def test_all_attributes_of_three_chords(ticks) -> None:
    # C major for two quarters (pairs 3, 4, 7), A minor seventh for one (3, 7, 10, 4, 7, 3), silence, a semitone for
    # one; pairs in quarters: 1: 1, 3: 4, 4: 3, 7: 4, 10: 1, together 13
    rows = chord(0, 2, 60, 64, 67) + chord(2, 1, 57, 60, 64, 67) + chord(4, 1, 60, 61)
    found = vertical_attributes(ticks(rows))
    expected = {f"vertical_interval_histogram_{size}": 0.0 for size in BINS} | {
        "vertical_interval_histogram_1": 1 / 13,
        "vertical_interval_histogram_7": 4 / 13,
        "wrapped_vertical_interval_histogram_0": 0.0,
        "wrapped_vertical_interval_histogram_9": 0.0,
        "prevalence_of_most_common_vertical_interval": 4 / 13,
        "perfect_vertical_intervals": 4 / 13,
        "vertical_dissonance_ratio": 2 / 11,  # the semitone and the seventh, against the rest
        "chord_type_histogram_1": 0.0,
        "chord_type_histogram_2": 2 / 4,
        "chord_type_histogram_6": 1 / 4,
        "average_number_of_simultaneous_pitches": (2 * 3 + 4 + 2) / 4,
        "chord_duration": 1.5,  # triad and seventh, two quarters and one
        "seventh_chords": 1 / 4,
        "minor_major_triad_ratio": 0.0,
    }
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("size", BINS)
def test_a_pair_of_notes_has_one_interval(ticks, size: int) -> None:
    found = vertical_attributes(ticks(chord(0, 1, 40, 40 + size)))
    assert {name for name, value in found.items() if "interval_histogram" in name and value == 1.0} == {
        f"vertical_interval_histogram_{size}",
        *([f"wrapped_vertical_interval_histogram_{size % 12}"] if size % 12 in (0, 9) else []),
    }


def test_pairs_count_with_their_velocity_and_time(ticks) -> None:
    # a fifth of velocities 100 and 60 (80) for one quarter, a semitone of 10 for two
    found = vertical_attributes(ticks([(0, 1, 60, 100), (0, 1, 67, 60), *chord(1, 2, 60, 61, velocity=10)]))
    assert found["vertical_interval_histogram_7"] == pytest.approx(0.8)
    assert found["vertical_interval_histogram_1"] == pytest.approx(0.2)


def test_a_pitch_struck_again_while_it_sounds_is_no_interval(ticks) -> None:
    found = vertical_attributes(ticks([(0, 2, 60), (1, 2, 60)]))
    assert found["wrapped_vertical_interval_histogram_0"] == 0.0
    assert found["average_number_of_simultaneous_pitches"] == 1.0


def test_octaves_and_sixths_are_wrapped(ticks) -> None:
    # 48-60: 0, 48-69: 9 (21 semitones), 60-69: 9
    found = vertical_attributes(ticks(chord(0, 1, 48, 60, 69)))
    assert found["wrapped_vertical_interval_histogram_0"] == pytest.approx(1 / 3)
    assert found["wrapped_vertical_interval_histogram_9"] == pytest.approx(2 / 3)
    assert found["prevalence_of_most_common_vertical_interval"] == pytest.approx(2 / 3)
    assert found["perfect_vertical_intervals"] == pytest.approx(1 / 3)
    assert found["vertical_dissonance_ratio"] == 0.0


@pytest.mark.parametrize(("size", "harsh"), [(1, 1), (2, 1), (6, 1), (10, 1), (11, 1), (3, 0), (5, 0), (7, 0), (8, 0)])
def test_dissonances(ticks, size: int, harsh: int) -> None:
    # beside a third that lasts as long
    found = vertical_attributes(ticks(chord(0, 1, 60, 64) + chord(1, 1, 60, 60 + size)))
    assert found["vertical_dissonance_ratio"] == pytest.approx(float(harsh))


@pytest.mark.parametrize("root", [48, 53, 59])
def test_chord_types_in_any_key_and_position(ticks, root: int) -> None:
    # minor for one quarter, major for two in first inversion over an octave
    rows = chord(0, 1, root, root + 3, root + 7) + chord(1, 2, root + 4, root + 7, root + 12, root + 16)
    found = vertical_attributes(ticks(rows))
    assert found["chord_type_histogram_1"] == pytest.approx(1 / 3)
    assert found["chord_type_histogram_2"] == pytest.approx(2 / 3)
    assert found["minor_major_triad_ratio"] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("shape", "seventh"),
    [((0, 3, 7, 10), 1.0), ((0, 4, 7, 10), 1.0), ((0, 4, 7, 11), 1.0), ((0, 3, 6, 9), 0.0), ((0, 2, 4, 7), 0.0)],
)
def test_seventh_chords(ticks, shape: tuple[int, ...], seventh: float) -> None:
    found = vertical_attributes(ticks(chord(0, 1, *(50 + step for step in shape))))
    assert found["seventh_chords"] == seventh
    assert found["chord_type_histogram_6"] == float(shape == (0, 3, 7, 10))


def test_single_pitch_classes_are_no_chords(ticks) -> None:
    # of the time with two pitch classes or more, all is C major; the octave before does not count
    found = vertical_attributes(ticks(chord(0, 3, 48, 60) + chord(3, 1, 60, 64, 67)))
    assert found["chord_type_histogram_2"] == 1.0
    assert found["average_number_of_simultaneous_pitches"] == pytest.approx((3 * 2 + 3) / 4)


@pytest.mark.parametrize(
    ("rows", "quarters"),
    [
        (chord(0, 2, 60, 64, 67), 2.0),
        (chord(0, 2, 60, 64, 67) + chord(1, 1, 72), 1.0),  # a note struck above begins another chord
        (chord(0, 2, 60, 64, 67) + chord(0, 1, 72), 2.0),  # one that ends does not
        (chord(0, 2, 60, 64), 0.0),  # two pitch classes
        (chord(0, 2, 60, 62, 64, 65, 67), 0.0),  # five
        (chord(0, 1, 60, 62, 64, 65, 67) + chord(0, 3, 60, 64), 0.0),
        (chord(0, 1, 62, 65) + chord(0, 3, 60, 64, 67), 2.0),  # five, then a triad that was not struck anew
    ],
)
def test_chord_duration(ticks, rows, quarters: float) -> None:
    assert vertical_attributes(ticks(rows))["chord_duration"] == quarters
