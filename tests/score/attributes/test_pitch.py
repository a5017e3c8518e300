from __future__ import annotations

import math

import pytest

from affectgen.score.attributes.pitch import pitch_attributes


def test_all_attributes_of_nine_notes(line) -> None:
    # C three times, and the classes 2, 3, 4, 5, 8, 9 above it once each; MIDI sum 571, sum of squares 36,991
    found = pitch_attributes(line([60, 60, 72, 50, 51, 64, 65, 68, 81]))
    deviation = math.sqrt((36_991 - 571**2 / 9) / 8)
    assert found == pytest.approx(
        {f"pitch_class_histogram_{step}": 1 / 9 for step in (2, 3, 4, 5, 8, 9)}
        | {
            "number_of_pitches": 8,
            "range": 81 - 50,
            "importance_of_bass_register": 2 / 9,  # 50, 51
            "importance_of_middle_register": 6 / 9,
            "importance_of_high_register": 1 / 9,  # 81
            "mean_pitch": 63,  # 63.4
            "mean_pitch_class": (2 + 3 + 4 + 5 + 8 + 9) / 9,
            "most_common_pitch": 60,
            "pitch_variability": deviation,
            "pitch_skewness": 3 * (571 / 9 - 64) / deviation,
        }
    )


def test_the_commonest_class_comes_first(line) -> None:
    # G twice, so it is class 0; C lies five semitones above it, E nine
    found = pitch_attributes(line([67, 55, 60, 64]))
    assert found["pitch_class_histogram_5"] == 0.25
    assert found["pitch_class_histogram_9"] == 0.25
    assert found["pitch_class_histogram_2"] == 0.0


def test_of_two_commonest_classes_the_higher_one_counts(line) -> None:
    # E is class 0, and C lies eight semitones above it
    found = pitch_attributes(line([60, 64]))
    assert (found["pitch_class_histogram_8"], found["pitch_class_histogram_4"]) == (0.5, 0.0)


def test_the_median_of_an_even_number_is_the_upper_one(line) -> None:
    # mean 62, median 64, sd 2 * sqrt(2)
    assert pitch_attributes(line([60, 64]))["pitch_skewness"] == pytest.approx(3 * -2 / math.sqrt(8))


@pytest.mark.parametrize(
    ("pitch", "register"), [(0, "bass"), (54, "bass"), (55, "middle"), (72, "middle"), (73, "high"), (127, "high")]
)
def test_registers_end_at_f_sharp_3_and_c_5(line, pitch: int, register: str) -> None:
    found = pitch_attributes(line([pitch]))
    assert [found[f"importance_of_{name}_register"] for name in ("bass", "middle", "high")] == [
        float(name == register) for name in ("bass", "middle", "high")
    ]
