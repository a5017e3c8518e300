from __future__ import annotations

import numpy as np
import pytest

from affectgen.score.attributes.pulse import beat_histogram, find_peaks, pulse_attributes
from affectgen.score.attributes.ticks import to_ticks
from affectgen.score.notes import NoteArray

END = "_tempo_standardized"


def clicks(*pairs: tuple[int, int]):
    """Notes at (tick, velocity)."""
    at, force = np.array(pairs).T
    return to_ticks(NoteArray.of(at / 768, [0.05] * len(at), [60] * len(at), force))


def test_all_attributes_of_five_even_beats() -> None:
    # lags of 0.5 s (120 a minute) four times, of 1 s (60) three times, of 1.5 s (40) twice
    assert pulse_attributes(clicks(*((384 * k, 64) for k in range(5)))) == pytest.approx(
        {
            f"beat_histogram{END}_32": 0.0,
            f"number_of_relatively_strong_rhythmic_pulses{END}": 3,
            f"harmonicity_of_two_strongest_rhythmic_pulses{END}": 120 / 60,
            f"strength_of_strongest_rhythmic_pulse{END}": 4 / 9,
            f"strength_of_second_strongest_rhythmic_pulse{END}": 3 / 9,
            f"rhythmic_looseness{END}": 0.0,
        }
    )


def test_bin_32_is_72_beats_a_minute() -> None:
    # 60 / 72 s = 640 ticks
    assert pulse_attributes(clicks((0, 64), (640, 64)))[f"beat_histogram{END}_32"] == 1.0


@pytest.mark.parametrize("tempo", [40, 41, 99, 199, 200])
def test_a_lag_lies_in_the_bin_of_its_tempo(tempo: int) -> None:
    histogram = beat_histogram(clicks((0, 1), (round(60 * 768 / tempo), 1)))
    assert len(histogram) == 161
    assert histogram[tempo - 40] == 1.0


@pytest.mark.parametrize("lag", [round(60 * 768 / 39), round(60 * 768 / 201)])
def test_lags_beyond_the_tempi_do_not_count(lag: int) -> None:
    assert not beat_histogram(clicks((0, 1), (lag, 1))).any()


def test_onsets_count_with_their_velocity() -> None:
    # lag 384 (120 a minute) between velocities 100 and 30 + 20, two notes at once: 5000; lag 480 (96 a minute) between
    # 100 and 10: 1000; the lag from 384 to 480 is too short
    notes = clicks((0, 100), (384, 30), (384, 20), (480, 10))
    histogram = beat_histogram(notes)
    assert histogram[80] == pytest.approx(5 / 6)
    assert histogram[56] == pytest.approx(1 / 6)
    found = pulse_attributes(notes)
    assert found[f"number_of_relatively_strong_rhythmic_pulses{END}"] == 1  # 1/6 is less than 30 % of 5/6
    assert found[f"strength_of_second_strongest_rhythmic_pulse{END}"] == pytest.approx(1 / 6)
    assert found[f"harmonicity_of_two_strongest_rhythmic_pulses{END}"] == pytest.approx(120 / 96)


def test_looseness_is_the_width_of_peaks() -> None:
    # 120 a minute with velocity 100 * 100, 119 with 70 * 70, 121 with 80 * 80: from 119 to 121
    far = 10_000
    pairs = [(0, 100), (384, 100), (far, 70), (far + 387, 70), (2 * far, 80), (2 * far + 381, 80)]
    assert pulse_attributes(clicks(*pairs))[f"rhythmic_looseness{END}"] == 2.0


def test_peaks_are_higher_than_both_neighbours() -> None:
    assert find_peaks(np.array([3.0, 1.0, 2.0, 2.0, 1.0, 4.0, 0.0, 1.0])).tolist() == [0, 5, 7]
    assert len(find_peaks(np.zeros(5))) == 0
