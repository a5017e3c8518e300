"""`affectgen speech convert`: another emotion in the same kind of file, made again by replay, and bad input named."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from talking import MORE_TAKES, RATE, talk, write_space, write_takes

from affectgen.audio import f0
from affectgen.nn.checkpoint import write_sums
from affectgen.speech.index.build import fill
from affectgen.speech.index.listing import listed

CONVERT = ("speech", "convert")
PLUGGED = Path(__file__).resolve().parents[1] / "speech" / "plugged"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small index and a small emotion space, as checkpoints."""
    home = tmp_path_factory.mktemp("models")
    write_takes(home / "takes", {"anna": 210.0, "bert": 110.0}, emotions=MORE_TAKES)
    (home / "voices").mkdir()
    fill(home / "voices" / "voices.db", listed(home / "takes"), jobs=1, added="")
    (home / "voices" / "config.json").write_text("{}")
    write_space(home / "emotion-space")
    return home


@pytest.fixture
def studio(shell, models):
    """A shell with in.wav, 1.2 s of a voice at 130 Hz, and the small models."""
    for name in ("voices", "emotion-space"):
        shutil.copytree(models / name, shell.models / name)
    write_sums(shell.models)
    soundfile.write(shell.folder / "in.wav", talk(), RATE)
    return shell


def pitch(path: Path) -> float:
    """Semitones above 27.5 Hz, the median."""
    samples, rate = soundfile.read(path, always_2d=True)
    found = f0.track(np.interp(np.arange(0, len(samples), rate / RATE), np.arange(len(samples)), samples[:, 0]))
    return float(np.median(found.semitones[found.voiced]))


def test_a_voice_is_moved_as_the_exemplars_are(studio):
    before = (studio.folder / "in.wav").read_bytes()
    done = studio(*CONVERT, "in.wav", "-a", "angry", "--tries", "1", "-o", "out.wav", "--json")
    assert done.returncode == 0, done.stderr
    assert (studio.folder / "in.wav").read_bytes() == before
    assert studio.names() == ["in.wav", "out.wav", "out.wav.json"]
    piece = json.loads(done.stdout)["pieces"][0]
    shift = piece["details"]["pieces"][0]["shift"]["pitch"]
    assert shift > 2  # made-up angry voices are 5 semitones higher, and a gentle grade takes a part
    assert pitch(studio.folder / "out.wav") - pitch(studio.folder / "in.wav") == pytest.approx(shift, abs=1)
    assert piece["asked"]["arousal"] > 0
    assert piece["measured"]["recogniser"] == "recogniser"
    assert piece["checkpoint"]["name"] == "voices"
    assert piece["details"]["emotion_space"]["name"] == "emotion-space"
    assert all(name.endswith(".wav") for name in piece["details"]["pieces"][0]["exemplars"])


def test_replay_makes_the_same_bytes(studio):
    soundfile.write(studio.folder / "calm.wav", talk(pitch=120), RATE)
    line = (*CONVERT, "in.wav", "-a", "sad", "--baseline", "calm.wav", "--strength", "0.7", "-o", "out.flac")
    assert studio(*line).returncode == 0
    done = studio("replay", "out.flac.json")
    assert done.returncode == 0, done.stderr
    assert "byte for byte" in done.stderr.decode()
    soundfile.write(studio.folder / "calm.wav", talk(pitch=125), RATE)
    assert "changed" in studio("replay", "out.flac.json").stderr.decode()


def test_an_index_of_ones_own_is_used_and_known_again(studio, models):
    shutil.copy(models / "voices" / "voices.db", studio.folder / "mine.db")
    done = studio(*CONVERT, "in.wav", "-a", "0.5,0.3", "--index", "mine.db", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((studio.folder / "out.wav.json").read_text())
    assert manifest["settings"]["index"]["value"]["path"].endswith("mine.db")
    assert manifest["checkpoint"] == {}
    assert studio("replay", "out.wav.json").returncode == 0
    soundfile.write(studio.folder / "new.wav", talk(pitch=300), RATE)
    assert studio("speech", "index", "add", "new.wav", "-o", "mine.db", "--emotion", "sad").returncode == 0
    said = studio("replay", "out.wav.json").stderr.decode()
    assert "mine.db given as index changed" in said


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_strength_0_is_an_exact_copy(studio, subtype):
    soundfile.write(studio.folder / "in.wav", talk(), RATE, subtype)
    assert studio(*CONVERT, "in.wav", "-a", "sad", "--strength", "0", "-o", "out.wav").returncode == 0
    first, second = (soundfile.read(studio.folder / name)[0] for name in ("in.wav", "out.wav"))
    assert np.array_equal(first, second)
    assert soundfile.info(studio.folder / "out.wav").subtype == subtype


@pytest.mark.parametrize("rate", [8_000, 96_000])
def test_rate_channels_bits_and_tags_stay(studio, rate):
    mono = talk(rate=rate)
    with soundfile.SoundFile(studio.folder / "two.flac", "w", rate, 2, "PCM_24") as file:
        file.title = "A voice"
        file.write(np.stack([mono, 0.5 * mono], axis=1))
    done = studio(*CONVERT, "two.flac", "-a", "sad", "--tries", "1", "-o", "out.flac")
    assert done.returncode == 0, done.stderr
    with soundfile.SoundFile(studio.folder / "out.flac") as file:
        assert (file.samplerate, file.channels, file.subtype) == (rate, 2, "PCM_24")
        assert file.title == "A voice"
        assert file.comment == "edited with affectgen speech convert"
        both = file.read()
    assert np.isfinite(both).all()
    loud = np.abs(both[:, 0]) > 0.01  # the second channel is the first at half its level, brought to its own loudness
    assert both[loud, 1] == pytest.approx(0.5 * both[loud, 0], rel=0.02, abs=1e-3)


def test_pipes(studio):
    done = studio(*CONVERT, "-", "-a", "sad", "-o", "-", stdin=(studio.folder / "in.wav").read_bytes())
    assert done.returncode == 0, done.stderr
    samples, rate = soundfile.read(io.BytesIO(done.stdout))
    assert rate == RATE
    assert len(samples) > RATE / 2
    assert studio.names() == ["in.wav"]
    assert studio(*CONVERT, "in.wav", "-a", "sad", "-o", "out.wav").returncode == 0
    assert (studio.folder / "out.wav").read_bytes() == done.stdout


def test_the_learned_way_names_its_predictor(studio, top):
    shutil.copytree(top / "checkpoints" / "prosody", studio.models / "prosody")
    write_sums(studio.models)
    done = studio(*CONVERT, "in.wav", "-a", "angry", "--method", "learned", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((studio.folder / "out.wav.json").read_text())
    assert manifest["checkpoint"]["name"] == "prosody"
    assert "emotion_space" not in manifest["details"]
    assert (studio.folder / "out.wav").read_bytes() != (studio.folder / "in.wav").read_bytes()
    assert studio("replay", "out.wav.json").returncode == 0


def test_rules_need_no_index(studio):
    shutil.rmtree(studio.models / "voices")
    shutil.rmtree(studio.models / "emotion-space")
    write_sums(studio.models)
    done = studio(*CONVERT, "in.wav", "-a", "angry", "--method", "rules", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((studio.folder / "out.wav.json").read_text())
    assert manifest["checkpoint"] == {}
    assert "emotion_space" not in manifest["details"]
    assert studio("replay", "out.wav.json").returncode == 0


@pytest.fixture
def plugged(studio, monkeypatch):
    """The studio where the documentation's example of a converter is installed."""
    monkeypatch.syspath_prepend(str(PLUGGED))
    yield studio
    sys.modules.pop("tilt_converter", None)


def test_an_installed_converter_does_it_instead(plugged, models):
    shutil.rmtree(plugged.models / "voices")
    shutil.rmtree(plugged.models / "emotion-space")
    write_sums(plugged.models)
    soundfile.write(plugged.folder / "in.wav", np.stack([talk(), 0.5 * talk()], axis=1), RATE, "PCM_24")
    line = (*CONVERT, "in.wav", "-a", "angry", "--engine", "tilt", "--strength", "1.5")
    done = plugged(*line, "-o", "out.flac", "--json", AFFECTGEN_VOICES=str(models / "voices" / "voices.db"))
    assert done.returncode == 0, done.stderr
    piece = json.loads(done.stdout)["pieces"][0]
    assert piece["settings"]["engine"] == {"value": "tilt", "from": "option"}
    assert (piece["details"]["engine"], piece["details"]["strength"]) == ("tilt 1", 1.5)
    assert "emotion_space" not in piece["details"]
    assert piece["checkpoint"] == {}
    assert {"valence", "arousal", "labels"} <= set(piece["measured"])
    old, new = soundfile.read(plugged.folder / "in.wav")[0], soundfile.read(plugged.folder / "out.flac")[0]
    assert soundfile.info(plugged.folder / "out.flac").subtype == "PCM_24"
    assert new[:, 1] == pytest.approx(0.5 * new[:, 0], abs=1e-6)
    steep = 4 * 1.5 * piece["asked"]["arousal"]  # dB an octave
    ratio = np.abs(np.fft.rfft(new[:, 0])) / np.abs(np.fft.rfft(old[:, 0]))
    hertz = np.fft.rfftfreq(len(old), 1 / RATE)
    loud = np.abs(np.fft.rfft(old[:, 0])) > 0.5
    expected = 10 ** (steep * np.log2(hertz.clip(250, 4000) / 1000) / 20)
    scale = np.median(ratio[loud] / expected[loud])  # turned down where it exceeds full scale
    assert ratio[loud] == pytest.approx(scale * expected[loud], rel=1e-2)
    assert (scale < 0.99) == any("turned down" in text for text in piece["details"]["warnings"])


def test_a_converters_file_is_made_again_and_a_changed_converter_is_named(plugged, tmp_path, monkeypatch):
    line = (*CONVERT, "in.wav", "-a", "sad", "--engine", "tilt", "-o", "out.wav")
    assert plugged(*line).returncode == 0
    done = plugged("replay", "out.wav.json")
    assert "byte for byte" in done.stderr.decode()
    newer = tmp_path / "newer"
    shutil.copytree(PLUGGED, newer)
    text = (newer / "tilt_converter.py").read_text()
    (newer / "tilt_converter.py").write_text(text.replace("tilt 1", "tilt 2").replace("4.0  # dB", "5.0  # dB"))
    sys.modules.pop("tilt_converter")
    monkeypatch.syspath_prepend(str(newer))
    done = plugged("replay", "out.wav.json")
    assert done.returncode == 1
    assert "It was made with the engine tilt 1 (now tilt 2)" in done.stderr.decode()


def test_a_converter_is_found_by_a_process_of_its_own(studio):
    path = os.pathsep.join([str(PLUGGED), studio.environment()["PYTHONPATH"]])
    line = (*CONVERT, "in.wav", "-a", "sad", "-o", "-", "--engine")
    done = studio.alone(*line, "tilt", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert len(soundfile.read(io.BytesIO(done.stdout))[0]) == len(talk())
    done = studio.alone(*line, "unmet", PYTHONPATH=path)
    assert done.returncode == 1
    assert b"The converter unmet cannot be loaded: No module named 'package_that_is_not_here'" in done.stderr


def test_a_strength_of_0_asks_no_converter(plugged):
    done = plugged(*CONVERT, "in.wav", "-a", "sad", "--engine", "broken", "--strength", "0", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    first, second = (soundfile.read(plugged.folder / name)[0] for name in ("in.wav", "out.wav"))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        (2, ("--engine", "magic"), "no converter 'magic'. "),
        (2, ("--engine", "tilt", "--method", "rules"), "--method came with --engine tilt"),
        (2, ("--engine", "tilt", "--tries", "2"), "--tries came with --engine tilt"),
        (2, ("--engine", "tilt", "--index", "in.wav"), "--index came with --engine tilt"),
        (1, ("--engine", "broken"), "The converter broken failed: AttributeError"),
    ],
)
def test_faults_of_converters_are_told_in_a_sentence(plugged, code, line, said):
    before = plugged.names()
    done = plugged(*CONVERT, "in.wav", "-a", "sad", "-o", "o.wav", *line)
    told = done.stderr.decode()
    assert done.returncode == code, told
    assert said.strip() in told
    assert "Traceback" not in told
    assert plugged.names() == before


def test_an_index_of_the_environment_is_not_forced_on_other_methods(studio, models):
    index = models / "voices" / "voices.db"
    for method, kept in (("rules", None), ("retrieved", str(index))):
        line = (*CONVERT, "in.wav", "-a", "sad", "--method", method, "--tries", "1", "-o", f"{method}.wav")
        done = studio(*line, AFFECTGEN_VOICES=str(index))
        assert done.returncode == 0, done.stderr
        setting = json.loads((studio.folder / f"{method}.wav.json").read_text())["settings"]["index"]
        assert setting["from"] == ("default" if kept is None else "environment")
        assert (None if setting["value"] is None else setting["value"]["path"]) == kept


def test_music_and_clipping_are_told(studio):
    time = np.arange(3 * 16_000) / 16_000
    notes = sum(np.sin(2 * np.pi * hertz * k * time) / k for hertz in (220.0, 277.2, 329.6) for k in range(1, 6))
    soundfile.write(studio.folder / "music.wav", 0.1 * notes, 16_000)
    done = studio(*CONVERT, "music.wav", "-a", "sad", "--tries", "1", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    assert "sounds like music rather than speech" in done.stderr.decode()
    soundfile.write(studio.folder / "clipped.wav", np.clip(8 * talk(), -1, 1), RATE)
    done = studio(*CONVERT, "clipped.wav", "-a", "sad", "--tries", "1", "-o", "loud.wav")
    assert done.returncode == 0, done.stderr
    assert "is clipped" in done.stderr.decode()
    said = studio(*CONVERT, "in.wav", "-a", "sad", "--tries", "1", "-o", "plain.wav").stderr.decode()
    assert "clipped" not in said


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        (1, ("silent.wav", "-a", "sad", "-o", "o.wav"), "silent"),
        (1, ("noise.wav", "-a", "sad", "-o", "o.wav"), "No voice is heard"),
        (1, ("short.wav", "-a", "sad", "-o", "o.wav"), "0.05 s"),
        (1, ("nan.wav", "-a", "sad", "-o", "o.wav"), "no numbers"),
        (1, ("notes.txt", "-a", "sad", "-o", "o.wav"), "notes.txt"),
        (1, ("missing.wav", "-a", "sad", "-o", "o.wav"), "missing.wav"),
        (1, ("in.wav", "-a", "sad", "-o", "in.wav"), "exists already"),
        (1, ("in.wav", "-a", "sad", "-o", "no/o.wav"), "folder no"),
        (1, ("in.wav", "-a", "sad", "-o", "o.wav", "--index", "notes.txt"), "notes.txt is no index"),
        (1, ("in.wav", "-a", "sad", "-o", "o.wav", "--index", "missing.db"), "missing.db"),
        (1, ("in.wav", "-a", "sad", "-o", "o.wav", "--baseline", "silent.wav"), "silent"),
        (2, ("in.wav", "-o", "o.wav"), "No emotion was given"),
        (2, ("in.wav", "-a", "wroth", "-o", "o.wav"), "wroth"),
        (2, ("in.wav", "-a", "sad>calm", "-o", "o.wav"), "sad>calm"),
        (2, ("in.wav", "-a", "2,0", "-o", "o.wav"), "2"),
        (2, ("in.wav", "-a", "sad", "--strength", "nan", "-o", "o.wav"), "nan"),
        (2, ("in.wav", "-a", "sad", "--strength", "2.5", "-o", "o.wav"), "2.5"),
        (2, ("in.wav", "-a", "sad", "--method", "magic", "-o", "o.wav"), "magic"),
        (2, ("in.wav", "-a", "sad", "--method", "rules", "--index", "notes.txt", "-o", "o.wav"), "index"),
        (2, ("in.wav", "-a", "sad", "-o", "o"), "no ending"),
        (2, ("in.wav", "-a", "sad", "-o", "o.wav", "--quality", "low"), "--quality"),
        (2, ("-", "-a", "sad", "--baseline", "-", "-o", "o.wav"), "read only once"),
        (2, ("in.wav", "-a", "sad", "--index", "-", "-o", "o.wav"), "index"),
        (2, ("in.wav", "-a", "sad", "-o", "-", "--json"), "--json"),
    ],
)
def test_faults_are_told_in_a_sentence(studio, code, line, said):
    files = {"silent": 0 * talk(), "noise": 0.1 * np.random.default_rng(0).normal(size=RATE), "short": talk()[:551],
             "nan": np.full(RATE, np.nan, dtype=np.float32)}  # fmt: skip
    for name, samples in files.items():
        soundfile.write(studio.folder / f"{name}.wav", samples, RATE, "FLOAT")
    (studio.folder / "notes.txt").write_text("This is no sound, and no index either.\n" * 40)
    before = studio.names()
    done = studio(*CONVERT, *line)
    told = done.stderr.decode()
    assert done.returncode == code, told
    assert said in told
    assert "Traceback" not in told
    assert "Unexpected" not in told
    assert done.stdout == b""
    assert studio.names() == before
