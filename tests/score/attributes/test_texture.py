from __future__ import annotations

import math

import pytest

from affectgen.score.attributes.texture import texture_attributes


def test_all_attributes_of_three_chords(ticks) -> None:
    # voices 60 64 67 -> 62 64 65 -> 60 64 67, up, still, down, then the reverse: one of three pairs each time contrary
    rows = [(0, 1, 60, 50), (0, 1, 64, 80), (0, 1, 67, 60), (1, 1, 62, 60), (1, 1, 64, 60), (1, 1, 65, 60)]
    rows += [(2, 1, 60, 60), (2, 1, 64, 60), (2, 1, 67, 60)]
    assert texture_attributes(ticks(rows)) == pytest.approx(
        {
            "relative_note_density_of_highest_line": 63 / 9,  # mean pitch 63.7
            "contrary_motion": 2 / 6,
            "variation_of_dynamics": math.sqrt((11**2 + 19**2 + 7 * 1**2 - 9 * (1 / 9) ** 2) / 8),  # about 61
            "average_note_to_note_change_in_dynamics": (30 + 20) / 8,
        }
    )


def moves(*chords: tuple[int, ...]) -> list[tuple[float, float, int]]:
    return [(k, 1, pitch) for k, chord in enumerate(chords) for pitch in chord]


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        (moves((60, 67), (62, 65)), 1.0),  # towards one another
        (moves((60, 67), (62, 69)), 0.0),  # parallel
        (moves((60, 67), (60, 69)), 0.0),  # oblique
        (moves((60, 67), (60, 67)), 0.0),  # nothing moves
        (moves((60, 67), (62, 69), (60, 71)), 0.5),  # parallel, then apart
        (moves((60, 64, 67), (59, 65, 69)), 2 / 3),  # the lowest against both others, these alike
        (moves((60,), (62,)), 0.0),  # a single voice
        (moves((60, 67), (59, 64, 69)), 0.0),  # from below: 60 down to 59, 67 down to 64
        ([(0, 3, 60), (0, 1, 67), (1, 1, 69)], 0.0),  # a held voice moves obliquely
        ([(0, 1, 60), (0, 1, 67), (1, 1, 62), (1.2, 1, 65)], 1.0),  # spread by less than a sixteenth: one chord
        ([(0, 1.1, 60), (0, 1.1, 67), (1, 1, 62), (1.3, 1, 65)], 0.0),  # more: first one voice moves, then the other
    ],
)
def test_contrary_motion(ticks, rows, share: float) -> None:
    assert texture_attributes(ticks(rows))["contrary_motion"] == pytest.approx(share)


def test_one_velocity_has_no_variation(line) -> None:
    found = texture_attributes(line([60, 62, 64]))
    assert found["variation_of_dynamics"] == 0.0
    assert found["average_note_to_note_change_in_dynamics"] == 0.0
