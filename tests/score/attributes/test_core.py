"""The core attributes of pieces whose values can be worked out on paper, and what must not change them."""

from __future__ import annotations

from math import log2, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.score.attributes.core import CORE, DEGREES, core_attributes
from affectgen.score.cues import onset_pulse
from affectgen.score.notes import NoteArray

NAMES = tuple(one.name for one in CORE)
LOUD = {"velocity_mean", "velocity_sd", "velocity_low", "velocity_high"}
HEIGHT = {"pitch_mean", "pitch_low", "pitch_high", "melody_pitch"}
REGISTER = {"bass_share", "treble_share"}
FROM_THE_TONIC = {f"degree_{step}" for step in range(12)} | {"minor_windows", "triad_changes"}
SHARES = [one.name for one in CORE if one.unit == "share"]


def named(notes: NoteArray, tempo: float = np.nan) -> dict[str, float]:
    return dict(zip(NAMES, core_attributes(notes, tempo).tolist(), strict=True))


def notes_of(*rows: tuple[float, float, int, int]) -> NoteArray:
    """Rows of onset and length in seconds, pitch, velocity."""
    return NoteArray.of(*zip(*rows, strict=True))


# C4 E4 G4 C5, half a second each, without a gap: two seconds
TUNE = notes_of((0, 0.5, 60, 40), (0.5, 0.5, 64, 60), (1, 0.5, 67, 80), (1.5, 0.5, 72, 100))
# a C minor triad and a C seventh chord of a second each, then C5 for a quarter of a second at two and at four seconds
CHORDS = notes_of(
    *((0.0, 1.0, pitch, 64) for pitch in (36, 51, 55)), *((1.0, 1.0, pitch, 64) for pitch in (48, 52, 55, 58)),
    (2.0, 0.25, 72, 64), (4.0, 0.25, 72, 64),
)  # fmt: skip
# quavers of D major's scale up and down again, each struck for half its time: moves of a second and one repetition
SCALE = notes_of(*((0.25 * k, 0.125, pitch, 70) for k, pitch in enumerate(
    (62, 64, 66, 67, 69, 71, 73, 74, 74, 73, 71, 69, 67, 66, 64, 62))))  # fmt: skip
ON_PAPER = {"tune": TUNE, "chords": CHORDS, "scale": SCALE}

VALUES = {
    "tune": {
        "velocity_mean": 70.0, "velocity_sd": sqrt((30**2 + 10**2) / 2),
        "velocity_low": 46.0,  # a tenth of the way through four values: 0.3 from the first to the second
        "velocity_high": 94.0,
        "onset_density": 2.0, "note_density": 2.0,  # four in two seconds
        "density_sd": 0.0,  # all in the first window of two seconds
        "chord_size": 1.0, "gap": 0.5, "gap_spread": 0.0, "length": 0.5, "length_spread": 0.0, "articulation": 1.0,
        "pitch_mean": 263 / 4, "pitch_sd": float(np.std([60, 64, 67, 72])),
        "pitch_low": 60.6, "pitch_high": 71.25,  # 0.15 from the first and from the last of three steps
        "melody_pitch": 263 / 4, "bass_share": 0.0, "treble_share": 0.25,  # C5 alone
        "polyphony": 1.0, "chords_major": 0.0, "chords_minor": 0.0, "chords_seventh": 0.0, "dissonance": 0.0,
        "degree_0": 0.5, "degree_4": 0.25, "degree_7": 0.25, "degree_2": 0.0, "degree_3": 0.0,
        "minor_windows": 0.0, "triad_changes": 0.0,  # C and E, then G and C: C major in both seconds
        "melody_steps": 0.0, "melody_leaps": 1 / 3, "melody_repeats": 0.0,  # moves of 4, 3 and 5 semitones
    },
    "chords": {
        "velocity_mean": 64.0, "velocity_sd": 0.0, "velocity_low": 64.0, "velocity_high": 64.0,
        "onset_density": 4 / 4.25, "note_density": 9 / 4.25, "chord_size": 9 / 4,
        "density_sd": 1 / sqrt(18),  # 2, 1 and 1 onsets in windows of two seconds: 1, 1/2 and 1/2 a second
        "gap": 2 ** (1 / 3), "gap_spread": sqrt(2) / 3,  # 1, 1 and 2 seconds: 0, 0 and 1 octaves
        "length": 2 ** (-4 / 9), "length_spread": sqrt(56) / 9,  # seven of a second, two two octaves shorter
        "articulation": 2 ** (-6 / 9),  # seven fill their gap; two of two seconds, the last as the one before it
        "bass_share": 1 / 9, "treble_share": 2 / 9,  # C2; both C5; C3 is neither
        "pitch_mean": (36 + 51 + 2 * 55 + 48 + 52 + 58 + 2 * 72) / 9,
        "pitch_low": 36 + 0.4 * 12, "pitch_high": 72.0,  # 0.4 of the way from 36 to 48; between two C5
        "melody_pitch": (55 + 58 + 72 + 72) / 4,
        "polyphony": (20 * 3 + 20 * 4 + 10) / 50,  # steps of 50 ms; silence does not count
        "chords_major": 0.0, "chords_minor": 0.5, "chords_seventh": 0.5,
        "dissonance": 1 / 6,  # 20 x 3 + 20 x 6 intervals, of which 20 tritones and 20 major seconds, half counted
        "degree_0": 2.5 / 7.5, "degree_3": 1 / 7.5, "degree_4": 1 / 7.5, "degree_7": 2 / 7.5, "degree_10": 1 / 7.5,
        "minor_windows": 0.25, "triad_changes": 1 / 3,  # C minor, C major, C major, nothing, C major
        "melody_steps": 0.0, "melody_leaps": 1 / 3, "melody_repeats": 1 / 3,  # moves of 3, 14 and 0
    },
    "scale": {
        "onset_density": 16 / 3.9, "note_density": 16 / 3.9,  # the last ends at 3.875, on the grid 3.9
        "density_sd": 0.0,  # eight onsets in either window
        "gap": 0.25, "gap_spread": 0.0, "chord_size": 1.0,
        "chords_major": 0.0, "dissonance": 0.0, "polyphony": 1.0,
        "melody_steps": 14 / 15, "melody_leaps": 0.0, "melody_repeats": 1 / 15, "bass_share": 0.0,
        "treble_share": 4 / 16,  # C# and D at the top, twice
    },
}  # fmt: skip


@pytest.mark.parametrize("name", list(VALUES))
def test_values_on_paper(name: str) -> None:
    found = named(ON_PAPER[name])
    for attribute, value in VALUES[name].items():
        assert found[attribute] == pytest.approx(value, abs=1e-9), attribute


def test_the_key_of_plain_pieces() -> None:
    assert named(TUNE)["key_mode"] > 0.1, "a major triad"
    minor = NoteArray.of(TUNE.onset, TUNE.duration, [60, 63, 67, 72], TUNE.velocity)
    found = named(minor)
    assert found["key_mode"] < -0.1
    assert (found["degree_3"], found["degree_4"]) == (0.25, 0.0)
    assert named(notes_of(*((0.0, 3.0, pitch, 64) for pitch in (60, 63, 67))))["minor_windows"] == 1.0
    assert named(SCALE)["key_clarity"] > 0.75
    clusters = NoteArray.of(np.arange(12) * 0.5, [0.5] * 12, range(60, 72), [64] * 12)
    assert named(clusters)["key_clarity"] == named(clusters)["key_mode"] == 0.0, "all twelve alike: no key"


def test_degrees_are_counted_from_the_tonic() -> None:
    """A scale up and down visits the eight degrees twice; every note but the doubled tonic and its octave is even."""
    found = named(SCALE)
    lengths = SCALE.on_grid()
    weights = np.bincount((lengths.pitch - 62) % 12, weights=lengths.duration, minlength=12)
    expected = weights / weights.sum()
    assert expected[0] > 0.2
    assert [found[f"degree_{step}"] for step in range(12)] == pytest.approx(expected.tolist())
    assert [step for step in range(12) if found[f"degree_{step}"] > 0] == [0, 2, 4, 5, 7, 9, 11]
    assert len(DEGREES) == 12


@pytest.mark.parametrize("piece", ON_PAPER.values(), ids=list(ON_PAPER))
def test_the_pulse_is_the_shared_cue_of_it(piece: NoteArray) -> None:
    assert named(piece)["pulse_clarity"] == pytest.approx(onset_pulse(piece.from_zero().on_grid())[0])


def test_even_notes_have_a_clearer_pulse() -> None:
    steady = NoteArray.of(np.arange(0, 30, 0.5), [0.2] * 60, [60] * 60, [64] * 60)
    loose = NoteArray.of(np.random.default_rng(1).uniform(0, 30, 60), [0.2] * 60, [60] * 60, [64] * 60)
    assert named(steady)["pulse_clarity"] > 0.8 > named(loose)["pulse_clarity"]


def test_plain_major_chords_and_sevenths_of_any_kind() -> None:
    kinds = ((60, 64, 67), (60, 64, 67, 71), (60, 63, 67, 70), (60, 62, 67))  # major, two sevenths, suspended
    rows = [(float(k), 1.0, pitch, 64) for k, kind in enumerate(kinds) for pitch in kind]
    found = named(notes_of(*rows))
    assert (found["chords_major"], found["chords_minor"], found["chords_seventh"]) == (0.25, 0.0, 0.5)


def test_a_minor_second_counts_in_full_and_a_major_one_by_half() -> None:
    for interval, share in ((1, 1.0), (2, 0.5), (3, 0.0), (4, 0.0), (5, 0.0), (6, 1.0), (11, 1.0), (14, 0.5)):
        found = named(notes_of((0, 1, 60, 64), (0, 1, 60 + interval, 64)))
        assert found["dissonance"] == share, interval


def test_a_pedal_counts_as_twenty_gaps() -> None:
    found = named(notes_of((0, 30, 36, 64), (1, 1, 60, 64)))
    assert found["articulation"] == pytest.approx(sqrt(20)), "of a pedal and a note that fills its gap"
    assert found["length_spread"] == pytest.approx(log2(30) / 2)


def test_a_key_that_is_struck_again_while_it_sounds_is_one_note_sounding() -> None:
    assert named(notes_of((0, 1, 60, 64), (0.5, 1, 60, 64)))["polyphony"] == 1.0
    assert named(notes_of((0, 1, 60, 64), (0.5, 1, 61, 64)))["polyphony"] == pytest.approx(4 / 3)


def test_one_note() -> None:
    """One second at least is what rates are counted over; the gap is the piece itself."""
    found = named(notes_of((3.0, 0.1, 60, 80)), 90.0)
    assert np.isfinite(list(found.values())).all()
    expected = {
        "velocity_mean": 80, "velocity_sd": 0, "velocity_low": 80, "onset_density": 1, "note_density": 1, "gap": 1,
        "length": 0.1, "articulation": 0.1, "pitch_mean": 60, "pitch_low": 60, "melody_pitch": 60, "polyphony": 1,
        "degree_0": 1, "melody_steps": 0, "melody_leaps": 0, "melody_repeats": 0, "pulse_clarity": 0, "tempo": 90,
        "triad_changes": 0, "chord_size": 1,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("tempo", [np.nan, 120.0])
def test_no_notes_are_zeros(tempo: float) -> None:
    assert core_attributes(NoteArray.of([], [], [], []), tempo).tolist() == [0.0] * len(CORE)


def test_the_tempo_is_the_one_given() -> None:
    assert np.isnan(named(TUNE)["tempo"])
    found = core_attributes(TUNE, 93.5)
    assert found[NAMES.index("tempo")] == 93.5
    assert NAMES[-1] == "tempo"
    np.testing.assert_array_equal(found[:-1], core_attributes(TUNE)[:-1])


def test_the_catalogue() -> None:
    assert len(set(NAMES)) == len(CORE) == 46
    assert all(one.unit and one.meaning for one in CORE)
    assert {one.name for one in CORE if one.name.startswith("degree_")} == {f"degree_{step}" for step in range(12)}


@st.composite
def music(draw: st.DrawFn) -> NoteArray:
    """One to forty notes on the judging grid, many struck together, within a margin for transposition."""
    row = st.tuples(st.integers(0, 160), st.integers(1, 80), st.integers(24, 100), st.integers(31, 97))
    rows = np.array(draw(st.lists(row, min_size=1, max_size=40)))
    return NoteArray.of(rows[:, 0] * 0.05, rows[:, 1] * 0.05, rows[:, 2], rows[:, 3])


def changed(before: dict[str, float], after: dict[str, float], leave: set[str]) -> set[str]:
    """The attributes, but for those to leave, that are not what they were."""
    return {name for name in before.keys() - leave if after[name] != pytest.approx(before[name], abs=1e-6)}


@given(music())
@settings(max_examples=60, deadline=None)
def test_every_piece_has_finite_values_in_their_ranges(piece: NoteArray) -> None:
    found = named(piece, 100.0)
    assert np.isfinite(list(found.values())).all()
    assert all(-1e-9 <= found[name] <= 1 + 1e-9 for name in [*SHARES, "key_clarity"])
    assert all(-1 <= found[name] <= 1 for name in ("key_mode", "pulse_clarity"))  # correlations
    assert sum(found[f"degree_{step}"] for step in range(12)) == pytest.approx(1)
    assert found["velocity_low"] <= found["velocity_mean"] + 1e-9 <= found["velocity_high"] + 40
    assert found["pitch_low"] <= found["pitch_high"]
    assert found["melody_steps"] + found["melody_leaps"] + found["melody_repeats"] <= 1 + 1e-9
    assert found["chords_major"] + found["chords_minor"] + found["chords_seventh"] <= 1 + 1e-9
    assert found["chord_size"] == pytest.approx(found["note_density"] / found["onset_density"])
    assert found["polyphony"] >= 1


@given(music(), st.integers(-11, 11))
@settings(max_examples=40, deadline=None)
def test_transposition_moves_the_register_alone(piece: NoteArray, steps: int) -> None:
    moved = NoteArray.of(piece.onset, piece.duration, piece.pitch + steps, piece.velocity)
    before, after = named(piece, 80.0), named(moved, 80.0)
    # where two keys tie, either may be found
    assert changed(before, after, HEIGHT | REGISTER | FROM_THE_TONIC) == set()
    for name in HEIGHT:
        assert after[name] == pytest.approx(before[name] + steps), name


@pytest.mark.parametrize("steps", [-7, -1, 1, 5, 12])
@pytest.mark.parametrize("piece", ON_PAPER.values(), ids=list(ON_PAPER))
def test_transposition_leaves_what_is_counted_from_the_tonic_alone(piece: NoteArray, steps: int) -> None:
    moved = NoteArray.of(piece.onset, piece.duration, piece.pitch + steps, piece.velocity)
    assert changed(named(piece, 80.0), named(moved, 80.0), HEIGHT | REGISTER) == set()


@given(music(), st.integers(-30, 30))
@settings(max_examples=30, deadline=None)
def test_louder_is_louder_and_nothing_else(piece: NoteArray, more: int) -> None:
    louder = NoteArray.of(piece.onset, piece.duration, piece.pitch, piece.velocity + more)
    before, after = named(piece, 80.0), named(louder, 80.0)
    assert changed(before, after, LOUD - {"velocity_sd"}) == set()
    for name in LOUD - {"velocity_sd"}:
        assert after[name] == pytest.approx(before[name] + more), name


@given(music(), st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_silence_before_a_piece_changes_nothing(piece: NoteArray, wait: int) -> None:
    later = NoteArray.of(piece.onset + 0.05 * wait, piece.duration, piece.pitch, piece.velocity)
    assert changed(named(piece, 80.0), named(later, 80.0), set()) == set()


@given(music())
@settings(max_examples=30, deadline=None)
def test_at_half_the_speed_times_double_and_rates_halve(piece: NoteArray) -> None:
    held = NoteArray.of(piece.onset, np.maximum(piece.duration, 1.0), piece.pitch, piece.velocity)  # a second at least
    slow = NoteArray.of(held.onset * 2, held.duration * 2, held.pitch, held.velocity)
    before, after = named(held), named(slow)
    for name, factor in (("gap", 2), ("length", 2), ("onset_density", 0.5), ("note_density", 0.5)):
        assert after[name] == pytest.approx(factor * before[name]), name
    same = {"gap_spread", "length_spread", "articulation", "polyphony", "chord_size", "dissonance", "chords_major",
            "chords_minor", "chords_seventh", "key_mode", "key_clarity", "pitch_mean", "bass_share"}  # fmt: skip
    assert changed({name: before[name] for name in same}, after, set()) == set()
