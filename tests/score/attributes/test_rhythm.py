from __future__ import annotations

import math

import numpy as np
import pytest

from affectgen.score.attributes.rhythm import VALUES, kurtosis, rhythm_attributes


def in_turn(*lengths: float) -> list[tuple[float, float, int]]:
    """Notes of these lengths, one a quarter."""
    return [(k, length, 60 + k) for k, length in enumerate(lengths)]


def test_all_attributes_of_four_notes(ticks) -> None:
    # three quarters and a dotted half, one begun each quarter: six quarters, three seconds
    found = rhythm_attributes(ticks(in_turn(1, 1, 1, 3)))
    # windows of eight quarters: four notes from the first tick, three from each of the next 384, and so on
    windows = [4, *[3] * 384, *[2] * 384, *[1] * 384, *[0] * (6 * 384 - 1 - 3 * 384)]
    expected = {f"rhythmic_value_histogram_{k}": 0.0 for k in range(1, 12)} | {
        "rhythmic_value_histogram_4": 0.75,
        "rhythmic_value_histogram_7": 0.25,
        "total_number_of_notes": 4,
        "note_density_per_quarter_note": 4 / 6,
        "note_density_per_quarter_note_variability": np.std(windows, ddof=1) / 8,
        "prevalence_of_very_short_rhythmic_values": 0.0,
        "prevalence_of_short_rhythmic_values": 0.0,
        "prevalence_of_medium_rhythmic_values": 0.75,
        "prevalence_of_long_rhythmic_values": 0.25,
        "prevalence_of_very_long_rhythmic_values": 0.0,
        "most_common_rhythmic_value": 1.0,
        "prevalence_of_most_common_rhythmic_value": 0.75,
        "rhythmic_value_variability": 1.0,
        "rhythmic_value_kurtosis": 31.0,
        "rhythmic_value_median_run_lengths_histogram_10": 0.0,
        "mean_rhythmic_value_run_length": 2.0,
        "variability_in_rhythmic_value_run_lengths": math.sqrt(2),
        "rhythmic_value_variability_in_run_lengths_histogram_1": 0.0,
        "rhythmic_value_variability_in_run_lengths_histogram_2": 0.0,
        "rhythmic_value_variability_in_run_lengths_histogram_6": 0.0,
        "variability_of_rhythmic_value_offsets": 0.0,
        "duration_in_seconds": 3.0,
        "variability_of_time_between_attacks": 0.0,
    }
    assert found == pytest.approx(expected)


def test_kurtosis() -> None:
    # mean 1.5, sd 1, fourth powers 3 / 16 + 81 / 16 = 5.25: 20 / 6 * 5.25 + 3 * 9 / 2
    assert kurtosis(np.array([1.0, 1.0, 1.0, 3.0])) == pytest.approx(31.0)
    assert kurtosis(np.ones(9)) == 0.0
    assert kurtosis(np.arange(3.0)) == 0.0


@pytest.mark.parametrize("k", range(12))
def test_every_rhythmic_value_has_its_bin(ticks, k: int) -> None:
    found = rhythm_attributes(ticks(in_turn(VALUES[k])))
    shares = [found.get(f"rhythmic_value_histogram_{bin_}") for bin_ in range(12)]
    assert shares == [None if bin_ == 0 else float(bin_ == k) for bin_ in range(12)]
    assert found["most_common_rhythmic_value"] == VALUES[k]
    assert found["prevalence_of_very_short_rhythmic_values"] == float(k <= 1)
    assert found["prevalence_of_short_rhythmic_values"] == float(k <= 2)
    assert found["prevalence_of_medium_rhythmic_values"] == float(2 <= k <= 6)
    assert found["prevalence_of_long_rhythmic_values"] == float(k >= 6)
    assert found["prevalence_of_very_long_rhythmic_values"] == float(k >= 9)


@pytest.mark.parametrize(
    ("length", "value"), [(0.01, 0.125), (0.2, 0.25), (0.62, 0.5), (0.63, 0.75), (2.4, 2.0), (11, 12.0), (50, 12.0)]
)
def test_lengths_go_to_the_nearest_value(ticks, length: float, value: float) -> None:
    assert rhythm_attributes(ticks(in_turn(length)))["most_common_rhythmic_value"] == value


def test_offsets(ticks) -> None:
    # 1.125 is an eighth of a quarter off, 1 is not: sd of (1/8, 0)
    found = rhythm_attributes(ticks(in_turn(1.125, 1)))
    assert found["variability_of_rhythmic_value_offsets"] == pytest.approx(0.125 / math.sqrt(2))


def test_time_between_attacks_is_in_seconds(ticks) -> None:
    # gaps of 0.5 and 1 s; the chord counts as one attack
    found = rhythm_attributes(ticks([(0, 1, 60), (0, 1, 64), (1, 1, 62), (3, 1, 60)]))
    assert found["variability_of_time_between_attacks"] == pytest.approx(0.5 / math.sqrt(2))


@pytest.mark.parametrize("k", [1, 2, 6])
def test_variability_of_runs(ticks, k: int) -> None:
    # runs of value k: one note, three notes (sd sqrt 2); one whole note between; two runs of 12: 2 and 1 (sd sqrt 1/2)
    value = VALUES[k]
    found = rhythm_attributes(ticks(in_turn(value, 4, value, value, value, 12, 12, 4, 12)))
    name = "rhythmic_value_variability_in_run_lengths_histogram_"
    assert found[f"{name}{k}"] == pytest.approx(2 / 3)
    assert sum(found[f"{name}{other}"] for other in (1, 2, 6)) == pytest.approx(2 / 3)


def test_median_of_two_run_lengths_is_the_longer_one(ticks) -> None:
    # double whole notes: runs of one and three, median 3; quarters: a run of one
    found = rhythm_attributes(ticks(in_turn(8, 1, 8, 8, 8)))
    assert found["rhythmic_value_median_run_lengths_histogram_10"] == pytest.approx(3 / 4)
    assert found["mean_rhythmic_value_run_length"] == pytest.approx(5 / 3)


def test_density_does_not_depend_on_where_silence_is_counted(ticks) -> None:
    # a note after a rest of 20 quarters: the windows from 0 hold it from tick 20 * 384 - 8 * 384 + 1 on
    found = rhythm_attributes(ticks([(20, 1, 60)]))
    windows = [*[0] * (12 * 384 + 1), *[1] * (8 * 384), *[0] * (384 - 1)]
    assert len(windows) == 21 * 384
    assert found["note_density_per_quarter_note_variability"] == pytest.approx(np.std(windows, ddof=1) / 8)
    assert found["note_density_per_quarter_note"] == pytest.approx(1 / 21)
