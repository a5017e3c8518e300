from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.audio.strikes import SHORTEST, Strikes, strikes_of
from affectgen.score.messages import Timeline

Event = tuple[float, int, int, int, int]  # seconds, status, channel, first, second


def on(at: float, pitch: int, velocity: int = 64, channel: int = 0) -> Event:
    return (at, 0x90, channel, pitch, velocity)


def off(at: float, pitch: int, channel: int = 0) -> Event:
    return (at, 0x80, channel, pitch, 0)


def control(at: float, number: int, value: int, channel: int = 0) -> Event:
    return (at, 0xB0, channel, number, value)


def strikes(*events: Event, end: float = 10.0) -> Strikes:
    rows = sorted(events, key=lambda row: row[0])
    seconds = np.array([row[0] for row in rows], dtype=np.float64)
    numbers = np.array([row[1:] for row in rows], dtype=np.int64).reshape(-1, 4).T
    return strikes_of(Timeline(seconds, *numbers, end))


def spans(found: Strikes) -> list[tuple[float, float, int]]:
    return list(zip(found.onset.tolist(), found.stop.tolist(), found.pitch.tolist(), strict=True))


def test_a_note_lasts_until_its_key_is_let_go() -> None:
    found = strikes(on(0, 60, 80), on(1, 64, 90), on(2, 60, 0), off(3, 64))
    assert spans(found) == [(0, 2, 60), (1, 3, 64)]
    assert found.velocity.tolist() == [80, 90]
    assert found.gain.tolist() == [1, 1]


def test_the_sustain_pedal_keeps_its_own_channel_only() -> None:
    events = [control(0, 64, 64), on(1, 60), on(1, 61, channel=1), off(2, 60), off(2, 61, 1), control(3, 64, 63)]
    assert spans(strikes(*events)) == [(1, 3, 60), (1, 2, 61)]


def test_a_key_still_down_when_the_pedal_goes_up_sounds_on() -> None:
    assert spans(strikes(control(0, 64, 127), on(1, 60), control(2, 64, 0), off(3, 60))) == [(1, 3, 60)]


def test_the_pedal_repeated_while_down_changes_nothing() -> None:
    events = [control(0, 64, 127), on(1, 60), off(2, 60), control(3, 64, 100), control(4, 64, 0)]
    assert spans(strikes(*events)) == [(1, 4, 60)]


def test_the_sostenuto_pedal_keeps_what_sounded_when_it_went_down() -> None:
    events = [on(0, 60), control(1, 66, 127), on(2, 64), off(3, 60), off(3, 64), control(4, 66, 0)]
    assert spans(strikes(*events)) == [(0, 4, 60), (2, 3, 64)]


def test_the_sostenuto_pedal_repeated_while_down_catches_no_more() -> None:
    events = [on(0, 60), control(1, 66, 127), on(2, 64), control(3, 66, 100), off(4, 60), off(4, 64), control(5, 66, 0)]
    assert spans(strikes(*events)) == [(0, 5, 60), (2, 4, 64)]


def test_sostenuto_takes_over_from_the_sustain_pedal() -> None:
    events = [
        control(0, 64, 127), on(0, 60), off(1, 60), control(2, 66, 127), on(2.5, 64), off(2.7, 64), control(3, 64, 0),
        control(4, 66, 0),
    ]  # fmt: skip
    assert spans(strikes(*events)) == [(0, 4, 60), (2.5, 3, 64)]


def test_a_caught_key_struck_again_is_still_caught() -> None:
    events = [on(0, 60), control(1, 66, 127), off(2, 60), on(3, 60), off(4, 60), control(5, 66, 0)]
    assert spans(strikes(*events)) == [(0, 3, 60), (3, 5, 60)]


def test_a_key_struck_again_ends_its_earlier_sound() -> None:
    assert spans(strikes(on(0, 60), on(1, 60), off(2, 60), off(3, 60))) == [(0, 1, 60), (1, 2, 60)]
    pedal = [control(0, 64, 127), on(0, 60), off(1, 60), on(2, 60), off(3, 60)]
    assert spans(strikes(*pedal, end=5)) == [(0, 2, 60), (2, 5, 60)]


@pytest.mark.parametrize("number", [123, 124, 125, 126, 127])
def test_all_notes_off_lets_keys_go_but_not_the_pedal(number: int) -> None:
    assert spans(strikes(on(0, 60), control(1, number, 0), off(2, 60))) == [(0, 1, 60)]
    assert spans(strikes(control(0, 64, 127), on(0, 60), control(1, number, 0), control(3, 64, 0))) == [(0, 3, 60)]


def test_all_sound_off_stops_even_under_the_pedal() -> None:
    events = [control(0, 64, 127), on(0, 60), on(0, 64), off(0.5, 64), control(1, 120, 0), on(2, 67), off(3, 67)]
    assert spans(strikes(*events, end=4)) == [(0, 1, 60), (0, 1, 64), (2, 4, 67)]


def test_reset_lifts_the_pedals_and_sets_the_expression_but_not_the_volume() -> None:
    events = [
        control(0, 64, 127), control(0, 7, 50), control(0, 11, 64), on(0, 60), off(1, 60), control(2, 121, 0),
        on(3, 62), off(4, 62),
    ]  # fmt: skip
    found = strikes(*events)
    assert spans(found) == [(0, 2, 60), (3, 4, 62)]
    assert found.gain.tolist() == pytest.approx([0.25 * (64 / 127) ** 2, 0.25])


def test_gain_is_that_of_the_onset_and_relative_to_the_usual_volume() -> None:
    events = [on(0, 60), control(1, 7, 127), on(2, 62), control(2.5, 11, 0), on(3, 64), on(3, 65, channel=1)]
    assert strikes(*events).gain.tolist() == pytest.approx([1, 1.27**2, 0, 1])


def test_notes_never_ended_stop_at_the_end() -> None:
    assert spans(strikes(on(0, 60), control(1, 64, 127), on(2, 64), off(3, 64), end=7)) == [(0, 7, 60), (2, 7, 64)]


def test_notes_of_no_length_get_ten_milliseconds_unless_struck_again() -> None:
    assert spans(strikes(on(1, 60), off(1, 60))) == [(1, 1 + SHORTEST, 60)]
    assert spans(strikes(on(1, 60), off(1, 60), on(1.004, 60), off(2, 60))) == [(1, 1.004, 60), (1.004, 2, 60)]
    found = strikes(on(1, 60, 50), on(1, 60, 70), off(2, 60))
    assert spans(found) == [(1, 2, 60)]
    assert found.velocity.tolist() == [70]


def test_drums_are_left_out_and_counted() -> None:
    found = strikes(on(0, 36, channel=9), on(0, 60), off(1, 60), on(2, 38, channel=9), on(3, 38, 0, channel=9))
    assert spans(found) == [(0, 1, 60)]
    assert found.drums == 2
    nothing = strikes(on(0, 36, channel=9))
    assert (len(nothing), nothing.drums, nothing.programs) == (0, 1, ())


def test_programs_of_notes_and_bends_are_told() -> None:
    found = strikes(
        (0, 0xC0, 0, 40, 0), (0, 0xC0, 1, 99, 0), on(0, 60), on(0, 62, channel=2), (1, 0xE0, 0, 0, 64),
        (1, 0xE0, 0, 1, 64), (1, 0xE0, 1, 0, 30), (1, 0xE0, 9, 0, 0),
    )  # fmt: skip
    assert found.programs == (0, 40)
    assert found.bends == 2


TIMES = st.integers(0, 400).map(lambda step: step / 40)
EVENTS = st.lists(
    st.one_of(
        st.builds(on, TIMES, st.integers(60, 63), st.integers(0, 127)),
        st.builds(off, TIMES, st.integers(60, 63)),
        st.builds(control, TIMES, st.sampled_from([64, 66]), st.sampled_from([0, 127])),
        st.builds(control, TIMES, st.sampled_from([120, 121, 123]), st.just(0)),
    ),
    max_size=60,
)


@given(events=EVENTS)
def test_no_two_sounds_of_a_key_overlap_and_all_lie_in_the_piece(events: list[Event]) -> None:
    found = strikes(*events)
    assert (np.diff(found.onset) >= 0).all()
    assert (found.stop > found.onset).all()
    assert (found.stop <= 10.0 + SHORTEST).all()
    for pitch in np.unique(found.pitch):
        mine = found.pitch == pitch
        assert (found.stop[mine][:-1] <= found.onset[mine][1:]).all()
        short = found.stop[mine] - found.onset[mine] < SHORTEST - 1e-9
        assert (found.onset[mine][1:][short[:-1]] == found.stop[mine][:-1][short[:-1]]).all()
    struck = {(row[0], row[3]) for row in events if row[1] == 0x90 and row[4] > 0}
    assert set(zip(found.onset.tolist(), found.pitch.tolist(), strict=True)) == struck


@given(events=EVENTS)
def test_pedals_never_shorten_a_note(events: list[Event]) -> None:
    without = strikes(*(row for row in events if row[1] != 0xB0 or row[3] not in (64, 66)))
    found = strikes(*events)
    assert found.onset.tolist() == without.onset.tolist()
    assert (found.stop >= without.stop).all()


@given(events=EVENTS, other=EVENTS)
def test_channels_do_not_meddle(events: list[Event], other: list[Event]) -> None:
    moved = [(at, status, 1, first + 20 * (status != 0xB0), second) for at, status, _, first, second in other]
    both, alone = strikes(*events, *moved), strikes(*events)
    assert [row for row in spans(both) if row[2] < 70] == spans(alone)


@given(events=EVENTS)
def test_the_sustain_pedal_down_for_good_lets_notes_end_only_when_struck_again(events: list[Event]) -> None:
    notes = [row for row in events if row[1] != 0xB0]
    found = strikes(control(0, 64, 127), *notes)
    for pitch in np.unique(found.pitch):
        mine = found.pitch == pitch
        np.testing.assert_allclose(found.stop[mine], [*found.onset[mine][1:], 10.0], atol=SHORTEST)


def test_a_long_piece_is_done_fast() -> None:
    count = 100_000
    at = np.repeat(np.arange(count) * 0.05, 2)
    at[1::2] += 0.04
    status = np.tile([0x90, 0x80], count)
    pitch = np.repeat(30 + np.arange(count) % 60, 2)
    second = np.tile([70, 0], count)
    timeline = Timeline(at, status, np.zeros(2 * count, dtype=np.int64), pitch, second, float(at[-1]))
    began = time.process_time()
    assert len(strikes_of(timeline)) == count
    assert time.process_time() - began < 2  # beside other programs a core is slower
