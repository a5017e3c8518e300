from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from lacking import missing

from affectgen.audio import piano as module
from affectgen.audio.bank import Bank
from affectgen.audio.compare import cents_between, contour_correlation, mel_distance, partials
from affectgen.audio.files import Frames
from affectgen.audio.fluid import fluid_available, play_fluid
from affectgen.audio.fonts import FOLDERS
from affectgen.audio.piano import BLOCK_SECONDS, play_piano
from affectgen.audio.strikes import Strikes, strikes_of
from affectgen.score.messages import Timeline

RATE, OWN = 44100, 16000
SHIPPED = Bank()
SAME = ("MuseScore_General_Full.sf2", "MuseScore_General.sf3", "MuseScore_General_Lite.sf3")
Row = tuple[float, float, int, int, float]  # onset, stop, key, velocity, gain


@pytest.fixture(scope="module")
def sines(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """One sine for all keys: key 69 is 440 Hz, left twice as loud as right; a damper that needs 2 s for 12 dB."""
    home = tmp_path_factory.mktemp("sines")
    time = np.arange(2 * OWN) / OWN
    sine = 0.8 * np.sin(2 * np.pi * 440 * time) * 10 ** (-3 * time / 20)
    soundfile.write(home / "samples.flac", np.stack([sine, sine / 2], axis=1), OWN, subtype="PCM_16")
    tone = {
        "low": 30, "high": 100, "key": 69, "start": 0, "frames": len(time), "scale": 1.0, "fall": 3.0, "last": -4.0,
        "cutoffs": [300.0], "levels": [-60.0, -40.0, -20.0], "release": [30.0, 6.0],
    }  # fmt: skip
    layer = {"top": 127, "nodes": [64, 127], "velocities": [1, 64, 127], "places": [0.0, 0.0, 1.0], "tones": [tone]}
    (home / "index.json").write_text(json.dumps({"rate": OWN, "layers": [layer]}))
    return Bank(home)


def strikes(*rows: Row) -> Strikes:
    table = np.array(sorted(rows), dtype=float).reshape(-1, 5)
    return Strikes(table[:, 0], table[:, 1], table[:, 2].astype(int), table[:, 3].astype(int), table[:, 4])


def played(*rows: Row, rate: int = RATE, bank: Bank = SHIPPED, together: float = BLOCK_SECONDS) -> Frames:
    return np.concatenate(list(play_piano(strikes(*rows), rate, bank, together)))


def decibels(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.asarray(sound, dtype=float) ** 2) + 1e-20))


def part(sound: Frames, begin: float, end: float, rate: int = RATE) -> Frames:
    return sound[round(begin * rate) : round(end * rate)]


def brightness(sound: Frames) -> float:
    """Centroid of the spectrum's magnitudes, Hz."""
    size = np.abs(np.fft.rfft(sound.mean(axis=1) * np.hanning(len(sound))))
    return float(size @ np.fft.rfftfreq(len(sound), 1 / RATE) / size.sum())


def bends(sound: Frames) -> np.ndarray:
    """Size of the second difference, the larger of both channels: a click stands out in it."""
    return np.abs(np.diff(sound, 2, axis=0)).max(axis=1)


@pytest.mark.parametrize("rate", [OWN, 22050, RATE, 48000])
@pytest.mark.parametrize("key", [45, 60, 69, 81])
def test_pitch_level_and_sides_at_any_rate(sines: Bank, key: int, rate: int) -> None:
    sound = played((0.0, 1.5, key, 127, 1.0), rate=rate, bank=sines)
    wanted = 440 * 2 ** ((key - 69) / 12)
    found = partials(part(sound, 0.1, 1.4, rate), key, rate, count=1)[0][0]
    assert 1200 * np.log2(found / wanted) == pytest.approx(0, abs=1)
    first = part(sound, 0, 1, rate)
    assert decibels(first) + 10 * np.log10(2) == pytest.approx(-20, abs=0.1)  # of both channels together
    assert decibels(first[:, 0]) - decibels(first[:, 1]) == pytest.approx(6.02, abs=0.05)


def test_velocity_sets_the_level_and_softer_is_duller(sines: Bank) -> None:
    for velocity, wanted in ((1, -60), (33, -49.84), (64, -40), (90, -31.75), (127, -20)):
        sound = played((0.0, 1.5, 69, velocity, 1.0), bank=sines)
        assert decibels(part(sound, 0, 1)) + 3.01 == pytest.approx(wanted, abs=0.15)


def test_the_rates_agree(sines: Bank) -> None:
    rows = [(0.1, 0.5, 60, 70, 1.0), (0.31, 0.9, 72, 110, 0.5)]
    low, high = (played(*rows, rate=rate, bank=sines) for rate in (RATE, 48000))
    assert len(low) / RATE == pytest.approx(len(high) / 48000, abs=1e-4)
    for begin in np.arange(0, 1.5, 0.1):
        one, two = part(low, begin, begin + 0.1), part(high, begin, begin + 0.1, 48000)
        assert decibels(one) == pytest.approx(decibels(two), abs=0.05)


def test_the_gain_multiplies(sines: Bank) -> None:
    whole, half = (played((0.0, 0.3, 69, 90, gain), bank=sines) for gain in (1.0, 0.5))
    np.testing.assert_allclose(half, whole / 2, atol=1e-7)
    assert not played((0.0, 0.3, 69, 90, 0.0), bank=sines).any()


ROWS = st.lists(
    st.tuples(
        st.floats(0, 3), st.floats(0.01, 4), st.integers(0, 127), st.integers(1, 127), st.sampled_from([0.3, 1.0])
    ).map(lambda row: (row[0], row[0] + row[1], *row[2:])),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=20)
@given(rows=ROWS, size=st.sampled_from([0.11, 0.5, 1.7]), given_=st.sampled_from([0.07, 0.4, 3.0]))
def test_blocks_do_not_show(sines: Bank, rows: list[Row], size: float, given_: float) -> None:
    whole = played(*rows, bank=sines, rate=OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "GIVEN_SECONDS", given_)
        found = played(*rows, bank=sines, rate=OWN, together=size)
    assert len(found) == len(whole)
    np.testing.assert_allclose(found, whole, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(rows=ROWS)
def test_notes_add_up(sines: Bank, rows: list[Row]) -> None:
    together = played(*rows, bank=sines, rate=OWN).astype(float)
    for row in rows:
        alone = played(row, bank=sines, rate=OWN)
        together[: len(alone)] -= alone
    assert np.abs(together).max() < 3e-4  # tones are cut at other places


def test_the_shipped_bank_is_the_same_in_any_blocks() -> None:
    rows = [(0.37 * k, 0.37 * k + 1, 30 + 7 * k % 70, 20 + 9 * k % 107, 1.0) for k in range(30)]
    whole = played(*rows)
    np.testing.assert_array_equal(whole, played(*rows, bank=Bank()))
    np.testing.assert_allclose(played(*rows, together=1.3), whole, atol=1e-6)


@pytest.mark.parametrize("key", [21, 40, 60, 77, 88, 89, 108])
def test_a_note_starts_in_time_without_anything_before_it(key: int) -> None:
    for velocity in (30, 100, 127):
        sound = np.abs(played((0.5, 1.0, key, velocity, 1.0))).max(axis=1)
        loud = np.abs(sound[: RATE // 2 + 441]).max()
        assert np.argmax(sound > loud / 20) / RATE == pytest.approx(0.503, abs=0.004)
        assert sound[: round(0.499 * RATE)].max() < 1e-4 * sound.max()


@pytest.mark.parametrize("velocity", [60, 107, 127])
def test_keys_are_in_tune(velocity: int) -> None:
    rows = [(2.0 * n, 2.0 * n + 1.5, key, velocity, 1.0) for n, key in enumerate(range(48, 91, 3))]
    sound = played(*rows)
    for begin, _, key, _, _ in rows:
        hertz = partials(part(sound, begin + 0.05, begin + 1.0), key, RATE, count=1)[0][0]
        assert abs(1200 * np.log2(hertz / (440 * 2 ** ((key - 69) / 12)))) < 12  # a piano's octaves are stretched


@pytest.mark.parametrize("key", [24, 48, 60, 72, 90, 104])
def test_harder_is_louder_and_brighter(key: int) -> None:
    velocities = [20, 35, 50, 64, 80, 95, 106, 108, 115, 127]
    rows = [(1.5 * n, 1.5 * n + 0.8, key, velocity, 1.0) for n, velocity in enumerate(velocities)]
    sound = played(*rows)
    parts = [part(sound, row[0], row[0] + 0.6) for row in rows]
    levels = np.array([decibels(one) for one in parts])
    assert (np.diff(levels) > 0).all()
    assert 20 < levels[-1] - levels[0] < 50
    bright = np.array([brightness(one) for one in parts])
    assert (bright[1:] > bright[:-1] * 0.93).all()
    assert bright[-1] > 1.3 * bright[0]
    assert abs(levels[7] - levels[6]) < 2.5  # from one layer to the other


def test_neighbouring_keys_are_alike() -> None:
    for velocity in (60, 100, 127):
        rows = [(0.6 * n, 0.6 * n + 0.4, key, velocity, 1.0) for n, key in enumerate(range(128))]
        sound = played(*rows)
        parts = [part(sound, row[0], row[0] + 0.4) for row in rows]
        assert all(one.any(axis=0).all() for one in parts)
        assert np.abs(np.diff([decibels(one) for one in parts])).max() < 7
        for one in parts:
            assert decibels(one.mean(axis=1)) > decibels(one) - 8  # mono loses little: the sides do not cancel out


def test_the_damper_ends_a_note_and_the_top_strings_have_none() -> None:
    for key, seconds in ((24, 1.2), (48, 0.9), (60, 0.8), (84, 0.6)):
        sound = played((0.0, 0.5, key, 100, 1.0))
        assert len(sound) / RATE < 0.5 + seconds
        assert decibels(part(sound, 0.5 + seconds / 2, 0.55 + seconds / 2)) < decibels(part(sound, 0.3, 0.5)) - 25
    damped, held = (played((0.0, stop, 96, 100, 1.0)) for stop in (0.2, 3.0))
    assert decibels(part(damped, 0.5, 1.0)) > decibels(part(held, 0.5, 1.0)) - 10


@pytest.mark.parametrize("held", [0.0103, 0.3003, 1.1005])
def test_the_end_of_a_note_does_not_click(sines: Bank, held: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(0.0, held, 69, 127, 1.0)]
    steady = bends(played((0.0, 1.5, 69, 127, 1.0), bank=sines))[2000:20000].max()
    assert bends(played(*rows, bank=sines))[500:].max() < 1.05 * steady
    monkeypatch.setattr(module, "STOPPED", 6.0)  # an end that is loud enough to tell a cut
    sound = played(*rows, bank=sines)
    assert bends(sound)[500:].max() < 1.05 * steady
    monkeypatch.setattr(module, "LAST_FADE", 0.0)
    assert bends(played(*rows, bank=sines))[500:].max() > 1.3 * steady


def test_long_notes_die_away_evenly() -> None:
    for key in (30, 48, 62, 74):
        sound = played((0.0, 30.0, key, 110, 1.0))
        size = RATE // 2
        levels = np.array([decibels(one) for one in sound[: len(sound) // size * size].reshape(-1, size, 2)])
        late = levels[7:][levels[7:] > levels[0] - 68]
        assert len(late) >= 6
        assert np.abs(np.diff(late)).max() < 5
        assert late[0] - late[-1] > 1.5 * len(late) / 2 - 3
        assert levels[-1] < levels[0] - 60


def test_silence_is_silent_and_nothing_gives_nothing(sines: Bank) -> None:
    sound = played((0.0, 0.1, 60, 100, 1.0), (20.0, 20.1, 60, 100, 1.0))
    assert not part(sound, 3, 19.9).any()
    assert part(sound, 20, 20.1).any()
    assert not len(played(bank=sines))


def test_a_trill_is_as_loud_as_its_notes() -> None:
    rows = [(0.06 * k, 0.06 * k + 0.059, 60, 90, 1.0) for k in range(60)]
    trill, one = played(*rows), played((0.0, 0.059, 60, 90, 1.0))
    assert np.abs(trill).max() < 2.5 * np.abs(one).max()
    assert np.isfinite(trill).all()


def test_sound_comes_in_small_pieces_whatever_the_length(sines: Bank) -> None:
    rows = [(60.0 * k, 60.0 * k + 1, 60, 90, 1.0) for k in range(20)]
    sizes = [len(block) for block in play_piano(strikes(*rows), OWN, sines)]
    assert max(sizes) <= 6 * OWN
    assert sum(sizes) / OWN == pytest.approx(19 * 60 + 1 + 2, abs=2.5)


def test_the_pedal_lets_notes_ring_until_it_is_up() -> None:
    rows = [(0.0, 0xB0, 64, 127), (0.0, 0x90, 60, 90), (0.2, 0x80, 60, 0), (1.5, 0xB0, 64, 0)]
    times, status, first, second = (np.array(column) for column in zip(*rows, strict=True))
    timeline = Timeline(times, status, np.zeros(4, dtype=int), first, second, 2.0)
    sound = np.concatenate(list(play_piano(strikes_of(timeline), RATE, SHIPPED)))
    np.testing.assert_allclose(sound, played((0.0, 1.5, 60, 90, 1.0)), atol=1e-7)


def font() -> Path | None:
    found = [folder / name for name in SAME for folder in FOLDERS if (folder / name).is_file()]
    return found[0] if found and fluid_available() else None


def fluid(rows: list[Row]) -> Frames:
    events = [event for row in rows for event in ((row[0], 1, 0x90, *row[2:4]), (row[1], 0, 0x80, row[2], 0))]
    table = np.array(sorted(events), dtype=float)
    times, (status, first, second) = table[:, 0], table[:, 2:].T.astype(int)
    timeline = Timeline(times, status, np.zeros(len(times), dtype=int), first, second, float(times[-1]))
    path = font()
    if path is None:
        missing("FluidSynth or the font of the piano's tones is not installed")
    return np.concatenate(list(play_fluid(timeline, path, RATE)))


@pytest.mark.external
def test_it_plays_as_fluidsynth_does_with_the_same_font() -> None:
    chance = np.random.default_rng(4)
    start = np.sort(chance.uniform(0, 10, 80))
    keys, forces = chance.integers(28, 100, 80), chance.integers(25, 127, 80)
    rows = [(float(t), float(t) + 0.6, int(k), int(v), 1.0) for t, k, v in zip(start, keys, forces, strict=True)]
    # a key that is struck while it sounds would end its first note for FluidSynth, but these strikes are separate
    rows = [row for n, row in enumerate(rows) if all(row[2] != other[2] or row[0] > other[1] for other in rows[:n])]
    one, two = fluid(rows), played(*rows)
    assert mel_distance(one, two, RATE) <= 2.5
    assert contour_correlation(one, two, RATE) >= 0.93
    # in a thicket of notes the two players' envelopes add up to about a decibel
    assert decibels(part(two, 0, 10)) - decibels(part(one, 0, 10)) == pytest.approx(0, abs=1.5)
    rows = [(2.0 * n, 2.0 * n + 1.4, key, 80, 1.0) for n, key in enumerate(range(21, 109, 6))]
    one, two = fluid(rows), played(*rows)
    for row in rows:
        pair = [part(sound, row[0], row[0] + 1.4) for sound in (one, two)]
        assert abs(cents_between(*pair, row[2], RATE)) <= 5
