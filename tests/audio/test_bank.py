from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio import bank as module
from affectgen.audio.bank import HOME, LEVEL_SECONDS, Bank, bank_digest, dulled, longer
from affectgen.errors import AudioError

RATE = 16000
SHIPPED = Bank()


def write_bank(home: Path, seconds: float = 1.5, fall: float = 10.0) -> Path:
    """A bank of two sines in one layer, keys 57 and 69, the left channel twice as loud as the right."""
    time = np.arange(round(seconds * RATE)) / RATE
    tones, sounds = [], []
    for key, low, high in ((57, 40, 62), (69, 63, 90)):
        sine = 0.5 * np.sin(2 * np.pi * 440 * 2 ** ((key - 69) / 12) * time) * 10 ** (-fall * time / 20)
        tones.append({
            "low": low, "high": high, "key": key, "start": len(sounds) * len(time), "frames": len(time), "scale": 0.5,
            "fall": fall, "last": -fall, "cutoffs": [2000.0], "levels": [-60.0, -30.0, -20.0],
            "release": [200.0, 100.0],
        })  # fmt: skip
        sounds.append(np.stack([sine, sine / 2], axis=1))
    layer = {"top": 127, "nodes": [60, 127], "velocities": [1, 60, 127], "places": [0.0, 0.0, 1.0], "tones": tones}
    home.mkdir(exist_ok=True)
    soundfile.write(home / "samples.flac", np.concatenate(sounds), RATE, subtype="PCM_16")
    (home / "index.json").write_text(json.dumps({"rate": RATE, "layers": [layer]}))
    return home


def hertz(sound: np.ndarray, rate: int = RATE) -> float:
    """Frequency of a sine, from its zero crossings, each placed between two samples."""
    before = np.flatnonzero((sound[:-1] < 0) & (sound[1:] >= 0))
    places = before - sound[before] / (sound[before + 1] - sound[before])
    return float((len(places) - 1) * rate / (places[-1] - places[0]))


def decibels(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.asarray(sound, dtype=float) ** 2) + 1e-20))


def test_the_shipped_bank_is_small_and_covers_every_key() -> None:
    assert sum(path.stat().st_size for path in HOME.iterdir()) <= 8_000_000
    for layer in SHIPPED.layers:
        lows, highs = [tone.low for tone in layer.tones], [tone.high for tone in layer.tones]
        assert lows[0] <= 21
        assert highs[-1] >= 108
        assert lows[1:] == [high + 1 for high in highs[:-1]]
        assert {layer.recorded(key).key for key in (-5, 0)} == {layer.tones[0].key}
        assert layer.recorded(127) == layer.tones[-1]
        assert layer.velocities[-1] == layer.nodes[-1] == layer.top


def test_levels_of_the_shipped_bank_rise_with_velocity_and_fall_at_the_end() -> None:
    for layer in SHIPPED.layers:
        for tone in layer.tones:
            assert len(tone.levels) == len(layer.velocities) == len(layer.places)
            assert np.all(np.diff(tone.levels) > 0)
            assert np.all(np.diff(tone.cutoffs) >= 0)
            assert len(tone.release) == len(layer.nodes)
            assert min(tone.release) >= 6
            assert 2 <= tone.fall <= 60


def test_samples_and_index_of_the_shipped_bank_belong_together() -> None:
    for number, layer in enumerate(SHIPPED.layers):
        for tone in layer.tones:
            sound = SHIPPED.tone(number, tone.key, len(layer.nodes) - 1, SHIPPED.rate)[: SHIPPED.rate]
            assert decibels(sound) + 10 * np.log10(2) == pytest.approx(tone.levels[-1], abs=0.3)


@given(st.integers(1, 127))
def test_a_mixture_is_of_neighbouring_nodes_and_weighs_one(velocity: int) -> None:
    layer = SHIPPED.layers[SHIPPED.layer_of(velocity)]
    assert velocity <= layer.top
    mixture = layer.mixture(velocity)
    assert sum(mixture.values()) == pytest.approx(1)
    assert 1 <= len(mixture) <= 2
    assert 0 <= min(mixture) <= max(mixture) < len(layer.nodes)
    assert max(mixture) - min(mixture) <= 1
    if velocity in layer.nodes:
        assert mixture == {layer.nodes.index(velocity): pytest.approx(1)}


def test_layers_end_at_their_top_velocity() -> None:
    assert [SHIPPED.layer_of(velocity) for velocity in (1, 107, 108, 127)] == [0, 0, 1, 1]


@pytest.mark.parametrize("key", [30, 40, 57, 60, 62, 63, 69, 75, 90, 96])
def test_a_tone_sounds_at_its_key_and_scale(tmp_path: Path, key: int) -> None:
    sound = Bank(write_bank(tmp_path)).tone(0, key, 1, RATE)
    wanted = 440 * 2 ** ((key - 69) / 12)
    assert 1200 * np.log2(hertz(sound[100:8000, 0]) / wanted) == pytest.approx(0, abs=1)
    assert np.abs(sound[:2000, 0]).max() == pytest.approx(0.25, rel=0.1)
    np.testing.assert_allclose(sound[:, 0], 2 * sound[:, 1], atol=1e-4)


@settings(deadline=None, max_examples=25)
@given(length=st.integers(1, 5 * RATE), key=st.sampled_from([57, 60, 69]), node=st.integers(0, 1))
def test_a_tone_is_long_enough_and_the_same_however_much_of_it_is_asked(tmp_path_factory, length, key, node) -> None:
    home = tmp_path_factory.getbasetemp() / "one_bank"
    if not home.exists():
        write_bank(home)
    short, long = Bank(home).tone(0, key, node, length), Bank(home).tone(0, key, node, 5 * RATE)
    assert len(short) >= length
    assert short.dtype == np.float32
    kept = slice(0, min(len(short), RATE // 2))  # a cut shows a little before it, in the resampler
    np.testing.assert_allclose(short[kept], long[kept], atol=2e-4)


def test_softer_nodes_are_duller(tmp_path: Path) -> None:
    bank = Bank(write_bank(tmp_path))
    for key in (57, 69, 80):
        bright, dull = bank.tone(0, key, 1, RATE), bank.tone(0, key, 0, RATE)
        own = 57 if key <= 62 else 69
        at = 440 * 2 ** ((key - 69) / 12) / (2000 * 2 ** ((key - own) / 12))
        assert decibels(dull) - decibels(bright) == pytest.approx(-10 * np.log10(1 + at**4), abs=0.3)


def test_tones_beyond_what_is_kept_at_hand_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write_bank(tmp_path)
    keys = [57, 60, 69, 75, 57, 60, 69, 75]
    wanted = [Bank(home).tone(0, key, node, RATE) for key in keys for node in (0, 1)]
    monkeypatch.setattr(module, "MOST_BYTES", 200_000)
    bank = Bank(home)
    for number, (key, node) in enumerate((key, node) for key in keys for node in (0, 1)):
        np.testing.assert_array_equal(bank.tone(0, key, node, RATE), wanted[number])
        assert sum(tone.nbytes for tone in bank._tones.values()) == bank._bytes <= 200_000 + wanted[0].nbytes


def test_a_held_tone_goes_on_falling_and_ends(tmp_path: Path) -> None:
    bank = Bank(write_bank(tmp_path))
    life = bank.life(0, 69)
    assert life / RATE == pytest.approx(1.5 + 65 / 10, abs=0.01)
    sound = bank.tone(0, 69, 1, life)
    levels = [decibels(part) for part in sound[: life // 1600 * 1600].reshape(-1, 1600, 2)]
    np.testing.assert_allclose(np.diff(levels), -1.0, atol=0.1)
    assert levels[-1] - levels[0] == pytest.approx(-79, abs=1)  # 75 below its first second
    assert bank.life(0, 81) < life < bank.life(0, 63)


@pytest.mark.parametrize("hertz_", [110.0, 441.3, 3000.0])
def test_what_is_repeated_does_not_click(hertz_: float) -> None:
    time = np.arange(2 * RATE) / RATE
    sine = (np.sin(2 * np.pi * hertz_ * time) * 10 ** (-6 * time / 20))[:, None].repeat(2, axis=1).astype(np.float32)
    sound = longer(sine, 12 * RATE, 6.0, RATE)
    bend = np.abs(np.diff(sound[:, 0], 2)) * 10 ** (6 * np.arange(2, 12 * RATE) / RATE / 20)
    assert bend[RATE:].max() < 1.5 * bend[:RATE].max()


@pytest.mark.parametrize(("own", "fall"), [(6.0, 6.0), (20.0, 3.0), (0.0, 12.0), (-3.0, 5.0)])
def test_what_is_repeated_falls_as_asked_whatever_the_recording_does(own: float, fall: float) -> None:
    fading = 10 ** (-own * np.arange(3 * RATE) / RATE / 20)
    noise = np.random.default_rng(1).normal(0, 0.1, (3 * RATE, 2)) * fading[:, None]
    sound = longer(noise.astype(np.float32), 15 * RATE, fall, RATE)
    assert sound.shape == (15 * RATE, 2)
    np.testing.assert_array_equal(sound[: 2 * RATE], noise[: 2 * RATE].astype(np.float32))
    levels = np.array([decibels(part) for part in sound[3 * RATE :].reshape(-1, RATE // 4, 2)])
    np.testing.assert_allclose(levels, levels[0] - fall / 4 * np.arange(len(levels)), atol=1.0)
    border = [decibels(part) for part in sound[2 * RATE : 3 * RATE + RATE // 2].reshape(-1, RATE // 4, 2)]
    assert np.abs(np.diff(border)).max() < max(own, fall) / 4 + 1.5


def test_a_silent_end_stays_silent() -> None:
    assert not longer(np.zeros((RATE, 2), dtype=np.float32), 3 * RATE, 5.0, RATE).any()


@pytest.mark.parametrize("cutoff", [300.0, 1000.0, 4000.0])
def test_the_filter_takes_three_decibels_at_its_cutoff_and_twelve_an_octave(cutoff: float) -> None:
    tap = np.zeros((RATE, 2), dtype=np.float32)
    tap[0] = 1.0
    found = dulled(tap, cutoff, RATE)
    gain = 20 * np.log10(np.abs(np.fft.rfft(found[:, 0])))
    assert gain[0] == pytest.approx(0, abs=0.05)
    assert gain[int(cutoff)] == pytest.approx(-3.01, abs=0.05)
    assert gain[min(int(cutoff * 1.5), 7000)] < -7.5
    assert found.dtype == np.float32


def test_a_cutoff_above_all_sound_changes_nothing() -> None:
    sound = np.ones((10, 2), dtype=np.float32)
    assert dulled(sound, 0.45 * RATE, RATE) is sound


def cut(home: Path) -> None:
    (home / "samples.flac").write_bytes((home / "samples.flac").read_bytes()[:5000])


def no_flac(home: Path) -> None:
    (home / "samples.flac").write_bytes(b"no flac")


def other(home: Path) -> None:
    soundfile.write(home / "samples.flac", np.zeros((1000, 2)), RATE)


def one_channel(home: Path) -> None:
    soundfile.write(home / "samples.flac", np.zeros(100_000), RATE)


def gone(home: Path) -> None:
    (home / "samples.flac").unlink()


@pytest.mark.parametrize("damage", [cut, no_flac, other, one_channel, gone])
def test_damaged_samples_are_refused(tmp_path: Path, damage) -> None:
    bank = Bank(write_bank(tmp_path))
    damage(tmp_path)
    with pytest.raises(AudioError, match=r"The piano in .* (cannot be read|is damaged)") as caught:
        bank.tone(0, 69, 1, RATE)
    assert caught.value.hint == "Install the package again."


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"rate": 1}', '{"rate": 1, "layers": [{"top": 1}]}', '{"rate": [], "layers": []}']
)
def test_a_damaged_index_is_refused(tmp_path: Path, text: str) -> None:
    (write_bank(tmp_path) / "index.json").write_text(text)
    with pytest.raises(AudioError, match="cannot be read"):
        Bank(tmp_path)


def test_an_index_with_a_tone_of_another_kind_is_refused(tmp_path: Path) -> None:
    index = json.loads((write_bank(tmp_path) / "index.json").read_text())
    del index["layers"][0]["tones"][0]["fall"]
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(AudioError, match="cannot be read"):
        Bank(tmp_path)
    with pytest.raises(AudioError, match="cannot be read"):
        Bank(tmp_path / "nowhere")


def test_the_digest_is_of_both_files(tmp_path: Path) -> None:
    first = bank_digest(write_bank(tmp_path))
    assert first == bank_digest(write_bank(tmp_path))
    with (tmp_path / "index.json").open("a") as file:
        file.write("\n")
    second = bank_digest(tmp_path)
    no_flac(tmp_path)
    assert len({first, second, bank_digest(tmp_path)}) == 3
    assert LEVEL_SECONDS <= 1.5  # the made-up tones are long enough to be levelled
