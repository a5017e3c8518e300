"""`affectgen render`: files, pipes, levels, formats, faults. Most by the built-in piano on two seconds of music."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.audio.files import audio_info

RATE = 44_100
FONTS = sorted(Path("/usr/share/sounds").rglob("TimGM6mb.sf2"))


def tune(notes: int = 6, channel: int = 0, tempo: int = 500_000) -> bytes:
    """Quavers on one channel, as a type-0 MIDI file. tempo: microseconds a beat of 480 ticks."""
    track = b"\x00\xff\x51\x03" + tempo.to_bytes(3, "big")
    for number in range(notes):
        pitch = 60 + number * 7 % 24
        track += bytes([0, 0x90 | channel, pitch, 64 + number % 32, 0x81, 0x70, 0x80 | channel, pitch, 0])
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 0xE0]) + b"MTrk" + len(track).to_bytes(4, "big") + track


def noise(seconds: float, channels: int = 2, rate: int = RATE, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (draw.normal(size=(round(seconds * rate), channels)) * 0.1).astype(np.float32)


@pytest.fixture
def shop(shell, monkeypatch):
    """The shell in a folder with two tunes and a recording, and a temporary folder of its own to look into."""
    (shell.folder / "a.mid").write_bytes(tune(6))
    (shell.folder / "b.mid").write_bytes(tune(8))
    soundfile.write(shell.folder / "take.wav", noise(2.0), RATE, "PCM_24")
    spare = shell.models.parent / "tmp"
    spare.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spare))
    monkeypatch.setenv("TMPDIR", str(spare))
    yield shell
    assert list(spare.iterdir()) == []  # whatever happened, nothing is left


def piano(shop, *words, **more):
    return shop("render", *words, "--renderer", "piano", **more)


def record_of(shop, name):
    return json.loads((shop.folder / f"{name}.json").read_text())


@pytest.mark.parametrize(("words", "name", "subtype", "rate"), [
    ((), "x.wav", "PCM_16", 44_100), (("--bits", "24", "--rate", "48000"), "x.wav", "PCM_24", 48_000),
    (("--bits", "float"), "x.wav", "FLOAT", 44_100), ((), "x.flac", "PCM_16", 44_100),
    (("--bits", "24", "--rate", "48000"), "x.flac", "PCM_24", 48_000),
    (("--quality", "low"), "x.ogg", "VORBIS", 44_100),
    ((), "x.opus", "OPUS", 48_000), (("--quality", "high"), "x.mp3", "MPEG_LAYER_III", 44_100),
    (("--format", "flac"), "x.sound", "PCM_16", 44_100),
])  # fmt: skip
def test_every_format_and_a_manifest_that_is_true(shop, words, name, subtype, rate):
    tags = ("--title", "Ünder 🎹", "--artist", "me", "--comment", "two\nlines")
    done = piano(shop, "a.mid", "-o", name, *words, *tags)
    assert done.returncode == 0, done.stderr
    info = soundfile.info(shop.folder / name)
    assert (info.subtype, info.samplerate, info.channels) == (subtype, rate, 2)
    with soundfile.SoundFile(shop.folder / name) as file:
        assert (file.title, file.artist, file.comment) == ("Ünder 🎹", "me", "two\nlines")
    record, data = record_of(shop, name), (shop.folder / name).read_bytes()
    assert record["output"] == {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    assert record["details"]["frames"] == info.frames
    assert record["details"]["seconds"] == pytest.approx(info.frames / rate, abs=1e-3)
    assert record["details"]["notes"] == 6
    assert record["settings"]["renderer"] == {"value": "piano", "from": "option"}
    assert record["settings"]["sources"]["value"] == [
        {"path": str(shop.folder / "a.mid"), "sha256": hashlib.sha256(tune(6)).hexdigest()}
    ]
    assert "6 notes by piano" in done.stderr.decode()


@pytest.mark.parametrize(("loudness", "ceiling", "name"), [
    (-16, -1, "x.wav"), (-8, -3, "x.flac"), (-30, -1, "x.wav"), (-14, -1, "x.ogg"),
    (-9, -1, "x.opus"), (-9, -1, "x.ogg"), (-9, -1, "x.mp3"),
])  # fmt: skip
def test_loudness_and_peak_of_the_finished_file_are_those_of_the_manifest(shop, loudness, ceiling, name):
    import pyloudnorm
    import scipy.signal

    assert piano(shop, "b.mid", "-o", name, "--loudness", f"{loudness}", "--ceiling", f"{ceiling}").returncode == 0
    sound, rate = soundfile.read(shop.folder / name, always_2d=True)
    level = record_of(shop, name)["details"]["level"]
    assert pyloudnorm.Meter(rate).integrated_loudness(sound) == pytest.approx(level["loudness"], abs=0.3)
    if level["note"] is None:
        assert level["loudness"] == pytest.approx(loudness, abs=0.15)
    peak = 20 * np.log10(np.abs(scipy.signal.resample_poly(sound, 8, 1, axis=0)).max())
    assert peak <= ceiling + 0.1, "of what the file decodes to, lossy ones too"
    assert peak == pytest.approx(level["true_peak"], abs=0.2)


def test_loudness_off_leaves_a_recording_as_it_is(shop):
    assert shop("render", "take.wav", "-o", "x.wav", "--bits", "24", "--loudness", "off").returncode == 0
    before, after = (soundfile.read(shop.folder / name, dtype="int32")[0] for name in ("take.wav", "x.wav"))
    assert np.array_equal(before, after)


def test_the_same_command_gives_the_same_bytes_in_this_process_and_in_another(shop):
    for name in ("x.wav", "x.ogg"):
        first = piano(shop, "a.mid", "-o", "-", "--format", name[2:], "--reverb", "room").stdout
        assert piano(shop, "a.mid", "-o", name, "--reverb", "room", "-q").stderr == b""
        assert (shop.folder / name).read_bytes() == first
    other = shop.alone("render", "a.mid", "-o", "-", "--reverb", "room", "--renderer", "piano")
    assert other.stdout == (shop.folder / "x.wav").read_bytes()


def test_lengths_of_what_is_joined_are_exact(shop):
    soundfile.write(shop.folder / "k8.wav", noise(1.5, 1, 8000), 8000)
    soundfile.write(shop.folder / "eight.wav", noise(1.0, 8, 48_000), 48_000)
    words = ("take.wav", "k8.wav", "eight.wav", "--loudness", "off")
    for join, expected in (("0", 4.5), ("0.25", 4.0)):
        done = shop("render", *words, "--join", join, "-o", f"j{join}.wav")
        assert done.returncode == 0, done.stderr
        assert abs(soundfile.info(shop.folder / f"j{join}.wav").frames - expected * RATE) <= 2  # two are resampled
    for name in ("take", "b"):
        assert shop("render", "take.wav", "take.wav", "--join", "0.5", "-o", f"{name}2.wav").returncode == 0
        assert soundfile.info(shop.folder / f"{name}2.wav").frames == int(3.5 * RATE)


def test_a_crossfade_longer_than_a_part_is_told(shop):
    done = shop("render", "take.wav", "take.wav", "--join", "30", "-o", "x.wav")
    assert done.returncode == 0
    assert "take.wav lasts 2.0 s, less than the crossfade of 30 s" in done.stderr.decode()
    assert soundfile.info(shop.folder / "x.wav").frames == 2 * RATE
    assert len(record_of(shop, "x.wav")["details"]["warnings"]) == 1
    done = shop("render", "take.wav", "take.wav", "--join", "1", "-o", "y.wav")
    assert "Warning" not in done.stderr.decode()


def test_several_files_in_a_folder_one_of_them_broken_one_missing(shop):
    (shop.folder / "bad.mid").write_bytes(b"no music at all")
    files = ("a.mid", "bad.mid", "gone.mid", ".", "take.wav")
    done = piano(shop, *files, "-o", "out/", "--format", "flac", "--json", "-q")
    said = done.stderr.decode()
    assert done.returncode == 3
    assert "Error: bad.mid is no MIDI file and no sound.\nHint: " in said
    assert "Error: gone.mid cannot be read" in said
    assert "Error: . is a folder" in said
    assert "3 of 5 files could not be rendered" in said
    names = ["a.flac", "a.flac.json", "take.flac", "take.flac.json"]
    assert sorted(path.name for path in (shop.folder / "out").iterdir()) == names
    assert [piece["files"]["piece"] for piece in json.loads(done.stdout)["pieces"]] == ["out/a.flac", "out/take.flac"]


def test_nothing_but_broken_files_is_a_failure_and_leaves_no_folder(shop, fails):
    for name in ("bad.mid", "bad.wav"):
        (shop.folder / name).write_bytes(b"no music at all")
    (shop.folder / "bad2.mid").write_bytes(b"MThd")
    said = fails(1, "render", "bad.mid", "bad2.mid", "-o", "out/")
    assert "2 of 2 files could not be rendered" in said


def test_standard_input_holds_midi_or_sound(shop):
    for name, data in (("a.mid", tune(6)), ("take.wav", (shop.folder / "take.wav").read_bytes())):
        assert piano(shop, name, "-o", "f.wav", "--force", "--no-manifest").returncode == 0
        done = piano(shop, "-", "-o", "-", stdin=data)
        assert done.stdout == (shop.folder / "f.wav").read_bytes()
        done = piano(shop, "-", "-o", "out/", "--force", stdin=data)
        assert (shop.folder / "out" / "stdin.wav").read_bytes() == (shop.folder / "f.wav").read_bytes()


@pytest.mark.parametrize(("at", "size"), [((4, 40), 0xFFFFFFFF), ((4, 40), 0x7FFFFFFF), ((4, 40), 0)])
def test_wav_streams_with_sizes_that_are_not_true(shop, at, size):
    file = io.BytesIO()
    soundfile.write(file, noise(1.0), RATE, "PCM_16", format="WAV")
    data = bytearray(file.getvalue())
    for place in at:
        data[place : place + 4] = (size if size else 0xFFFFFFFF).to_bytes(4, "little")
    done = shop("render", "-", "-o", "-", "--loudness", "off", stdin=bytes(data))
    assert done.returncode == 0, done.stderr
    assert soundfile.info(io.BytesIO(done.stdout)).frames == RATE


def test_a_named_pipe_is_read_once(shop):
    """As bash gives for <(...); a look at its first bytes must not cost them."""
    os.mkfifo(shop.folder / "pipe")
    writer = threading.Thread(target=(shop.folder / "pipe").write_bytes, args=(tune(6),))
    writer.start()
    done = piano(shop, "pipe", "-o", "-")
    writer.join()
    assert done.stdout == piano(shop, "a.mid", "-o", "-").stdout


def test_flac_streams_that_do_not_know_their_length(shop):
    """As ffmpeg writes them to a pipe: the 36 bits for the number of samples are 0."""
    file = io.BytesIO()
    soundfile.write(file, noise(3.0), RATE, "PCM_24", format="FLAC")
    data = bytearray(file.getvalue())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    words = ("-o", "-", "--format", "flac", "--bits", "24", "--loudness", "off")
    done = shop("render", "-", *words, stdin=bytes(data))
    assert done.returncode == 0, done.stderr
    made, given = (soundfile.read(io.BytesIO(one), dtype="int32")[0] for one in (done.stdout, file.getvalue()))
    assert np.array_equal(made, given)
    (shop.folder / "endless.flac").write_bytes(data)
    assert audio_info(shop.folder / "endless.flac").seconds == 3.0


def test_a_stream_is_what_a_file_would_be(shop):
    words = ("a.mid", "take.wav", "--join", "0.5", "--renderer", "piano", "--bits", "24")
    done = shop.alone("render", *words, "--stream", "-o", "-")
    assert done.returncode == 0, done.stderr
    assert done.stdout[4:8] == b"\xff" * 4
    assert shop("render", *words, "--loudness", "off", "-o", "x.wav").returncode == 0
    streamed, _ = soundfile.read(io.BytesIO(done.stdout))
    filed, _ = soundfile.read(shop.folder / "x.wav")
    assert len(streamed) == len(filed)
    assert np.abs(streamed - filed).max() < 1e-5


def test_what_the_piano_leaves_out_is_said_of_files_and_of_streams(shop):
    mixed = bytearray(tune(4))
    mixed[29:29] = bytes([0, 0xC0, 40, 0, 0x99, 38, 90])
    mixed[18:22] = (int.from_bytes(mixed[18:22], "big") + 7).to_bytes(4, "big")
    (shop.folder / "m.mid").write_bytes(mixed)
    said = piano(shop, "m.mid", "-o", "x.wav").stderr.decode()
    assert "other instruments (programs 41)" in said
    assert "no drums: 1 note of channel 10" in said
    assert len(record_of(shop, "x.wav")["details"]["warnings"]) == 2
    streamed = shop.alone("render", "m.mid", "--stream", "-o", "-", "--renderer", "piano")
    assert "no drums" in streamed.stderr.decode()


@pytest.mark.parametrize(("words", "said"), [
    (("a.mid", "-o", "x.xyz"), "no ending that names a sound format"),
    (("a.mid", "-o", "x.wav", "--format", "mp3"), "is a name of wav, and --format says mp3"),
    (("a.mid", "-o", "x.mp3", "--bits", "24"), "bits, which it has not"),
    (("a.mid", "-o", "x.wav", "--quality", "low"), "loses nothing"),
    (("a.mid", "-o", "x.opus", "--rate", "44100"), "Use 48000"),
    (("a.mid", "b.mid", "-o", "-"), "one stream"),
    (("a.mid", "b.mid", "-o", "x.wav"), "Give a folder"),
    (("a.mid", "a.mid", "-o", "out/"), "would both become a.wav"),
    (("a.mid", "-o", "x.wav", "--join", "1"), "--join came with one file"),
    (("a.mid", "-o", "x.wav", "--stream"), "-o -"),
    (("a.mid", "-o", "-", "--stream", "--loudness", "-16"), "exclude each other"),
    (("a.mid", "-o", "-", "--json"), "both want standard output"),
    (("a.mid", "-o", "x.wav", "--loudness", "nan"), "-70 and -5"),
    (("a.mid", "-o", "x.wav", "--ceiling", "1"), "-20 and 0"),
    (("a.mid", "-o", "x.wav", "--title", os.fsdecode(b"\xff")), "no text in UTF-8"),
    (("a.mid", "-o", "x.wav", "--renderer", "piano", "--soundfont", "x.sf2"), "has its own sound"),
])  # fmt: skip
def test_usage(shop, words, said):
    before = shop.names()
    done = shop("render", *words)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert done.stdout == b""
    assert shop.names() == before


@pytest.mark.parametrize(("variable", "value"), [
    ("AFFECTGEN_RENDERER", "organ"), ("AFFECTGEN_LOUDNESS", "loud"), ("AFFECTGEN_LOUDNESS", "-3"),
])  # fmt: skip
def test_a_bad_value_in_the_environment(shop, fails, variable, value):
    assert value in fails(2, "render", "a.mid", "-o", "x.wav", **{variable: value})


def test_the_environment_is_heard_and_an_option_beats_it(shop, fails):
    said = {"AFFECTGEN_RENDERER": "piano", "AFFECTGEN_LOUDNESS": "-30", "AFFECTGEN_SOUNDFONT": "/none.sf2"}
    assert shop("render", "a.mid", "-o", "x.wav", **said).returncode == 0
    record = record_of(shop, "x.wav")
    assert record["settings"]["renderer"] == {"value": "piano", "from": "environment"}
    assert record["settings"]["loudness"] == {"value": -30.0, "from": "environment"}
    assert record["settings"]["soundfont"]["value"] is None
    empty = dict.fromkeys(said, "")
    assert piano(shop, "a.mid", "-o", "y.wav", **empty).returncode == 0
    assert record_of(shop, "y.wav")["settings"]["loudness"] == {"value": -16.0, "from": "default"}
    # a soundfont on the command line is wanted, whatever plays otherwise; where nothing can play it, that is said
    told = fails(1, "render", "a.mid", "--soundfont", "/none.sf2", "-o", "z.wav", **said)
    assert "none.sf2" in told or "FluidSynth is not installed" in told


def test_a_recording_needs_no_player(shop):
    done = shop("render", "take.wav", "-o", "x.wav", AFFECTGEN_SOUNDFONT="/none.sf2")
    assert done.returncode == 0, done.stderr
    record = record_of(shop, "x.wav")
    assert record["details"]["renderer"] is None
    assert record["settings"]["soundfont"]["value"] is None


@pytest.mark.skipif(not FONTS, reason="no soundfont is installed")
def test_fluidsynth_plays_and_damaged_fonts_are_refused(shop, fails):
    pytest.importorskip("fluidsynth")
    done = shop("render", "a.mid", "-o", "x.wav", "--soundfont", str(FONTS[0]))
    assert done.returncode == 0, done.stderr
    player = record_of(shop, "x.wav")["details"]["renderer"]
    assert player["font_sha256"] == hashlib.sha256(FONTS[0].read_bytes()).hexdigest()
    (shop.folder / "cut.sf2").write_bytes(FONTS[0].read_bytes()[:100_000])
    (shop.folder / "text.sf2").write_bytes(b"hello world")
    assert "cut short" in fails(1, "render", "a.mid", "-o", "y.wav", "--soundfont", "cut.sf2")
    assert "is no SoundFont" in fails(1, "render", "a.mid", "-o", "y.wav", "--soundfont", "text.sf2")
    (shop.folder / "drums.mid").write_bytes(tune(4, channel=9))
    assert shop("render", "drums.mid", "-o", "d.wav", "--soundfont", str(FONTS[0])).returncode == 0
    assert record_of(shop, "d.wav")["details"]["level"]["true_peak"] is not None


@pytest.mark.parametrize(("name", "data", "said"), [
    ("x.mid", tune(0), "holds no notes"), ("x.mid", tune(4, channel=9), "x.mid holds drums only"),
    ("x.mid", tune(4)[:50], "cut short"), ("x.mid", b"", "x.mid is empty"), ("x.wav", b"", "x.wav is empty"),
    ("x.wav", b"hello\n" * 100, "is not audio that can be read"), ("x.mid", b"hello\n" * 100, "no MIDI file"),
])  # fmt: skip
def test_faulty_input(shop, fails, name, data, said):
    (shop.folder / name).write_bytes(data)
    assert said in fails(1, "render", name, "-o", "out.wav", "--renderer", "piano")


def test_faulty_sound(shop, fails):
    sound = noise(1.0)
    sound[77] = np.nan
    soundfile.write(shop.folder / "nan.wav", sound, RATE, "FLOAT")
    assert "nan.wav holds samples that are no numbers" in fails(1, "render", "nan.wav", "-o", "x.wav")
    soundfile.write(shop.folder / "none.wav", sound[:0], RATE)
    assert "none.wav holds no sound at all" in fails(1, "render", "none.wav", "-o", "x.wav")
    assert "is a folder" in fails(1, "render", ".", "-o", "x.wav")
    assert "gone.wav cannot be read" in fails(1, "render", "gone.wav", "-o", "x.wav")


@pytest.mark.parametrize(("seconds", "said"), [(1 / RATE, "too short"), (0.05, "too short"), (1.0, "LUFS")])
def test_very_short_sound_keeps_its_length(shop, seconds, said):
    soundfile.write(shop.folder / "s.wav", noise(seconds), RATE)
    done = shop("render", "s.wav", "-o", "x.wav")
    assert done.returncode == 0
    assert said in done.stderr.decode()
    assert soundfile.info(shop.folder / "x.wav").frames == round(seconds * RATE)


def test_silence_stays_silence(shop):
    soundfile.write(shop.folder / "s.wav", np.zeros((RATE, 2)), RATE)
    done = shop("render", "s.wav", "-o", "x.wav", "--measure", "--reverb", "hall")
    assert done.returncode == 0
    assert "silent" in done.stderr.decode()
    assert not soundfile.read(shop.folder / "x.wav")[0].any()
    assert record_of(shop, "x.wav")["measured"] == {}


@pytest.mark.parametrize(("tempo", "seconds"), [(0xFFFFFF, 33.5), (60_000, 0.12)])
def test_very_slow_and_very_fast_music(shop, tempo, seconds):
    (shop.folder / "t.mid").write_bytes(tune(4, tempo=tempo))
    assert piano(shop, "t.mid", "-o", "x.wav").returncode == 0
    found = soundfile.info(shop.folder / "x.wav").frames / RATE
    assert seconds <= found <= seconds + 4


def test_plot_measure_and_manifest_beside_a_pipe(shop):
    done = piano(shop, "a.mid", "-o", "-", "--manifest", "m.json", "--plot", "p.svg", "--measure")
    assert done.returncode == 0, done.stderr
    assert shop.names() == ["a.mid", "b.mid", "m.json", "p.svg", "take.wav"]
    record = json.loads((shop.folder / "m.json").read_text())
    assert record["output"]["sha256"] == hashlib.sha256(done.stdout).hexdigest()
    assert -1 <= record["measured"]["valence"] <= 1
    assert b"<svg" in (shop.folder / "p.svg").read_bytes()[:2000]


def test_force_and_existing_files(shop, fails):
    (shop.folder / "x.wav").write_bytes(b"old")
    assert "exists already" in fails(1, "render", "a.mid", "b.mid", "--join", "0", "-o", "x.wav")
    assert piano(shop, "a.mid", "-o", "x.wav", "--force").returncode == 0
    assert soundfile.info(shop.folder / "x.wav").frames > RATE


def test_a_disk_that_is_full(shop):
    limit, kind = 200_000, resource.RLIMIT_FSIZE
    words = shop.command("render", "b.mid", "-o", "x.wav", "--bits", "float", "--renderer", "piano")
    done = subprocess.run(
        words, cwd=shop.folder, env=shop.environment(), capture_output=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(kind, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 1
    assert b"larger than files may be" in done.stderr
    assert shop.names() == ["a.mid", "b.mid", "take.wav"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_device_and_a_standard_output_that_are_full(shop, fails):
    said = fails(1, "render", "take.wav", "--format", "wav", "-o", "/dev/full")
    assert "No space is left to write /dev/full" in said
    words = shop.command("render", "take.wav", "-o", "-", "--stream")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            words, cwd=shop.folder, env=shop.environment(), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert b"Standard output cannot be written: No space left" in done.stderr


def test_a_temporary_folder_that_is_full(shop, fails, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.write", full)
    assert "No space is left in the temporary folder" in fails(1, "render", "take.wav", "-o", "x.wav")


def test_the_output_folder_goes_midway(shop, monkeypatch):
    """It is renamed away while the piano plays."""
    from affectgen.render import sound

    (shop.folder / "out").mkdir()
    play = sound.play_piano

    def vanish(*given, **more):
        (shop.folder / "out").rename(shop.folder / "elsewhere")
        return play(*given, **more)

    monkeypatch.setattr(sound, "play_piano", vanish)
    done = piano(shop, "a.mid", "-o", "out/x.wav")
    assert done.returncode == 1
    assert "The folder" in done.stderr.decode()
    assert shop.names() == ["a.mid", "b.mid", "elsewhere", "take.wav"]


@pytest.mark.parametrize("words", [("-o", "-"), ("-o", "-", "--stream")])
def test_a_reader_that_stops_early(shop, words):
    soundfile.write(shop.folder / "long.wav", noise(5.0), RATE)
    process = shop.start("render", "long.wav", *words)
    assert process.stdout.read(10)[:4] == b"RIFF"
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert b"Error" not in process.stderr.read()


@pytest.mark.parametrize(("wait", "words"), [
    (1.0, ("big.mid", "--renderer", "piano", "-o", "x.wav")),
    (None, ("long.wav", "--loudness", "off", "-o", "x.opus")),
])  # fmt: skip
def test_an_interrupt_while_playing_and_while_encoding(shop, wait, words):
    (shop.folder / "big.mid").write_bytes(tune(40_000))
    soundfile.write(shop.folder / "long.wav", noise(30.0), RATE)
    before, spare = shop.names(), shop.models.parent / "tmp"
    process = shop.start("render", *words)
    ends = time.monotonic() + 60
    if wait is None:  # until something was encoded
        while not any(p.suffix == ".opus" and p.stat().st_size > 30_000 for p in spare.iterdir()):
            assert time.monotonic() < ends
            time.sleep(0.02)
    else:
        while not any(spare.iterdir()):
            assert time.monotonic() < ends
            time.sleep(0.02)
        time.sleep(wait)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=30)
    # one that meets Python's exec() of a string, as in imports, is reported as a signal: to a shell 130 all the same
    assert process.returncode in (130, -signal.SIGINT)
    assert (out, said) == (b"", b"")
    assert shop.names() == before
