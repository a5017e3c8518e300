"""What plays, what is joined, and what is said of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from affectgen.errors import AffectgenError, AudioError, MidiError, UsageError
from affectgen.render import sound
from affectgen.render.options import RenderOptions
from affectgen.render.sound import Heard, Player, choose_player, is_midi, player_for, sound_of

RATE = 44_100


def tune(*notes: tuple[int, int], program: int = 0) -> bytes:
    """Quavers (channel, pitch), as a type-0 MIDI file at 120 a minute."""
    track = bytes([0, 0xC0, program])
    for channel, pitch in notes:
        track += bytes([0, 0x90 | channel, pitch, 80, 0x81, 0x70, 0x80 | channel, pitch, 0])
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 0xE0]) + b"MTrk" + len(track).to_bytes(4, "big") + track


def wav(seconds: float, level: float = 0.1) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.full((round(seconds * RATE), 2), level, np.float32), RATE, "FLOAT", format="WAV")
    return file.getvalue()


def made(heard: Heard, *sources: bytes, **more):
    options = RenderOptions(sources, **more)
    return np.concatenate(list(sound_of(options, Player(None), heard)))


def test_notes_are_counted_and_begin_when_they_should():
    heard = Heard()
    frames = made(heard, tune((0, 60), (0, 64)))
    assert (heard.played, heard.notes, heard.warnings) == (True, 2, [])
    assert heard.frames == [len(frames)]
    assert frames.dtype == np.float32
    level = np.abs(frames).max(axis=1)
    assert level[: RATE // 5].max() > 1e-3
    assert level[int(0.26 * RATE) : int(0.45 * RATE)].max() > 1e-3


def test_each_warning_once():
    heard = Heard()
    mixed = tune((0, 60), (9, 38), (9, 40), program=40)
    made(heard, mixed, mixed)
    assert heard.notes == 2
    assert heard.warnings == [
        "The built-in piano plays for other instruments (programs 41).",
        "The built-in piano has no drums: 2 notes of channel 10 left out.",
    ]


def test_drums_alone_are_no_piece_for_a_piano():
    with pytest.raises(MidiError, match="drums only"):
        made(Heard(), tune((9, 38)))


@pytest.mark.parametrize(("seconds", "overlap", "warned"), [
    ((1.0, 1.0), 0.5, 0), ((1.0, 0.2), 0.5, 1), ((0.2,), 0.5, 0),
])  # fmt: skip
def test_lengths_of_joined_parts_and_what_is_said_of_short_ones(seconds, overlap, warned):
    heard = Heard()
    frames = made(heard, *(wav(length) for length in seconds), overlap=overlap)
    fade = round(min(*seconds, overlap) * RATE) if len(seconds) > 1 else 0
    assert len(frames) == sum(round(length * RATE) for length in seconds) - fade
    assert len(heard.warnings) == warned


def test_a_linear_crossfade_of_the_same_keeps_its_level_and_an_equal_power_one_does_not():
    linear, power = (made(Heard(), wav(1.0), wav(1.0), overlap=0.5, curve=curve) for curve in ("linear", "equal-power"))
    assert linear == pytest.approx(0.1, abs=1e-4)
    assert power.max() == pytest.approx(0.1 * 2**0.5, abs=1e-3)


def test_a_room_rings_on():
    dry, wet = made(Heard(), wav(0.5)), made(Heard(), wav(0.5), reverb="hall")
    assert len(wet) > len(dry) + RATE


def test_what_holds_no_sound():
    with pytest.raises(AudioError, match="standard input holds no sound at all"):
        made(Heard(), wav(0.0))
    with pytest.raises(MidiError, match="standard input is empty"):
        made(Heard(), b"")


def test_a_midi_file_is_known_by_its_first_bytes(tmp_path):
    (tmp_path / "a.wav").write_bytes(tune((0, 60)))
    assert is_midi(tmp_path / "a.wav")
    assert is_midi(b"RIFF\0\0\0\0RMIDdata\0\0\0\0MThd")
    assert not is_midi(wav(0.1))
    with pytest.raises(AffectgenError, match=r"gone\.mid cannot be read"):
        is_midi(tmp_path / "gone.mid")


def test_the_piano_plays_where_fluidsynth_or_a_font_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(sound, "fluid_available", lambda: True)
    monkeypatch.setattr(sound, "find_font", lambda given: given)
    assert choose_player("auto", None) == Player(None)
    with pytest.raises(AffectgenError, match="No soundfont was found"):
        choose_player("fluidsynth", None)
    with pytest.raises(AffectgenError, match="is not there"):
        choose_player("auto", str(tmp_path / "none.sf2"))
    monkeypatch.setattr(sound, "fluid_available", lambda: False)
    assert choose_player("auto", None) == Player(None)
    for renderer, font in (("fluidsynth", None), ("auto", "a.sf2")):
        with pytest.raises(AffectgenError, match="not installed"):
            choose_player(renderer, font)
    with pytest.raises(UsageError, match="'organ' is no renderer"):
        choose_player("organ", None)


def test_a_font_is_known_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(sound, "fluid_available", lambda: True)
    monkeypatch.setattr(sound, "check_font", lambda path: None)
    monkeypatch.chdir(tmp_path)
    assert choose_player("auto", "a.sf2").font == tmp_path / "a.sf2"


def test_a_recording_needs_no_player(monkeypatch):
    monkeypatch.setattr(sound, "choose_player", lambda *_: pytest.fail("a player was looked for"))
    assert player_for(RenderOptions((wav(0.1),), renderer="fluidsynth", soundfont="/none.sf2")) == Player(None)
