"""`affectgen speech correct`: only the words that were edited change, as the rest has them or as an emotion asks."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from talking import MORE_TAKES, write_takes

from affectgen.audio.glottal import contour
from affectgen.nn.checkpoint import write_sums
from affectgen.speech.editing import espeak
from affectgen.speech.index.build import fill
from affectgen.speech.index.listing import listed

CORRECT = ("speech", "correct")
TEXT = "We will meet them at the station on Monday."
BEFORE = "We will meet them at the hotel on Monday."
REACH = 0.015

pytestmark = pytest.mark.skipif(not espeak.available(), reason="espeak-ng is not here")


@pytest.fixture(scope="module")
def spoken() -> tuple[np.ndarray, int, tuple[float, float]]:
    """(samples, rate, span): TEXT with "station" said much lower than the rest, and where it lies."""
    high, low = (espeak.synthesise(TEXT, pitch=pitch) for pitch in (75, 15))
    sounds, cuts = [], []
    for one in (high, low):
        start, end = next(times for word, *times in one.words if word.strip(".").lower() == "station")
        cuts.append((round(start * one.rate), round(end * one.rate)))
        sounds.append(one.samples.astype(np.float64))
    whole = np.concatenate([sounds[0][: cuts[0][0]], sounds[1][cuts[1][0] : cuts[1][1]], sounds[0][cuts[0][1] :]])
    start = cuts[0][0] / high.rate
    return whole, high.rate, (start, start + (cuts[1][1] - cuts[1][0]) / high.rate)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small index, as a checkpoint."""
    home = tmp_path_factory.mktemp("models")
    write_takes(home / "takes", {"anna": 210.0, "bert": 110.0}, emotions=MORE_TAKES)
    (home / "voices").mkdir()
    fill(home / "voices" / "voices.db", listed(home / "takes"), jobs=1, added="")
    (home / "voices" / "config.json").write_text("{}")
    return home


@pytest.fixture
def studio(shell, models, spoken):
    """A shell with in.wav and the small index."""
    shutil.copytree(models / "voices", shell.models / "voices")
    write_sums(shell.models)
    soundfile.write(shell.folder / "in.wav", spoken[0], spoken[1], "PCM_16")
    return shell


def tones(samples: np.ndarray, rate: int, span: tuple[float, float]) -> float:
    hertz = contour(samples, rate)[round(span[0] * 100) : round(span[1] * 100)]
    return float(np.median(12 * np.log2(hertz[hertz > 0] / 27.5)))


def test_the_words_that_differ_follow_the_others(studio, spoken):
    before = (studio.folder / "in.wav").read_bytes()
    line = ("in.wav", "--text", TEXT, "--before", BEFORE, "-a", "keep", "-o", "out.wav", "--json")
    done = studio.alone(*CORRECT, *line)
    assert done.returncode == 0, done.stderr
    assert (studio.folder / "in.wav").read_bytes() == before
    piece = json.loads(done.stdout)["pieces"][0]
    start, end = piece["details"]["spans"][0]["span"]
    assert start == pytest.approx(spoken[2][0], abs=0.05)
    assert end == pytest.approx(spoken[2][1], abs=0.05)
    assert piece["checkpoint"] == {}
    old, new = (soundfile.read(studio.folder / name, dtype="int16")[0] for name in ("in.wav", "out.wav"))
    first, tail = round((start - REACH) * spoken[1]), len(old) - round((end + REACH) * spoken[1])
    assert np.array_equal(old[:first], new[:first])
    assert np.array_equal(old[-tail:], new[-tail:])
    after = piece["details"]["spans_after"][0]
    assert tones(new / 32768, spoken[1], after) > tones(old / 32768, spoken[1], spoken[2]) + 3
    with soundfile.SoundFile(studio.folder / "out.wav") as file:
        assert file.comment == "edited with affectgen speech correct"
        assert file.subtype == "PCM_16"


def test_an_emotion_comes_from_the_index_and_again_by_replay(studio, spoken):
    span = "{:.3f}:{:.3f}".format(*spoken[2])
    line = (*CORRECT, "in.wav", "--text", TEXT, "--span", span, "-a", "angry", "--share", "1", "-o", "out.flac")
    done = studio(*line)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((studio.folder / "out.flac.json").read_text())
    assert manifest["checkpoint"]["name"] == "voices"
    fact = manifest["details"]["spans"][0]
    assert fact["exemplars"]
    assert fact["pitch"] > 2  # made angry voices are 5 semitones higher
    assert manifest["asked"]["arousal"] > 0
    done = studio("replay", "out.flac.json")
    assert b"byte for byte" in done.stderr, done.stderr


def test_words_that_do_not_fit_are_found_and_told(studio):
    """The last words come from a take that is deeper, flatter and softer."""
    first, last = espeak.synthesise(TEXT, pitch=85), espeak.synthesise(TEXT, pitch=10)
    cuts = [next(start for word, start, _ in one.words if word == "at") for one in (first, last)]
    ends = [next(start for word, start, _ in one.words if word == "on") for one in (first, last)]
    start, end, rate = cuts[0], cuts[0] + ends[1] - cuts[1], first.rate
    sound = np.concatenate([
        first.samples[: round(cuts[0] * rate)], 0.3 * last.samples[round(cuts[1] * rate) : round(ends[1] * rate)],
        first.samples[round(ends[0] * rate) :],
    ])  # fmt: skip
    soundfile.write(studio.folder / "in.wav", sound, rate, "PCM_16")
    done = studio(*CORRECT, "in.wav", "--text", TEXT, "-a", "keep", "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    details = json.loads((studio.folder / "out.wav.json").read_text())["details"]
    one = details["found"][0]
    assert "station" in one["words"].split()
    assert one["span"] == pytest.approx([start, end], abs=0.15)
    assert one["why"]["pitch"] < -3
    assert one["why"]["level"] < -3
    assert [fact["span"] for fact in details["spans"]] == [one["span"]]
    assert b"does not fit its neighbours: pitch -" in done.stderr
    new = soundfile.read(studio.folder / "out.wav")[0]
    assert tones(new, rate, details["spans_after"][0]) > tones(sound, rate, (start, end)) + 2


def test_where_nothing_stands_out_the_sound_stays_unless_all_is_asked_for(studio):
    plain = espeak.synthesise(TEXT)
    soundfile.write(studio.folder / "in.wav", plain.samples, plain.rate, "PCM_16")
    for more in (("-a", "keep"), ("-a", "angry"), ("-a", "angry", "--whole")):
        done = studio(*CORRECT, "in.wav", "--text", TEXT, *more, "-o", "out.wav", "--force")
        assert done.returncode == 0, done.stderr
        old, new = (soundfile.read(studio.folder / name, dtype="int16")[0] for name in ("in.wav", "out.wav"))
        assert np.array_equal(old, new) == ("--whole" not in more)
        assert (b"no word stands out" in done.stderr) == ("--whole" not in more)
        manifest = json.loads((studio.folder / "out.wav.json").read_text())
        assert (manifest["checkpoint"] == {}) == ("--whole" not in more)


def test_auto_reads_the_text(studio, spoken):
    span = "{:.3f}:{:.3f}".format(*spoken[2])
    done = studio(*CORRECT, "in.wav", "--text", TEXT, "--span", span, "-o", "out.wav")
    assert done.returncode == 0, done.stderr
    assert json.loads((studio.folder / "out.wav.json").read_text())["details"]["emotion"] == "the recording around"


def test_pipes_channels_and_strength_0(studio, spoken):
    both = np.stack([spoken[0], 0.25 * spoken[0]], axis=1)
    memory = io.BytesIO()
    soundfile.write(memory, both, spoken[1], "PCM_24", format="FLAC")
    span = "{:.3f}:{:.3f}".format(*spoken[2])
    words = (*CORRECT, "-", "--text", TEXT, "--span", span, "-a", "keep", "-o", "-", "--format", "flac")
    done = studio(*words, stdin=memory.getvalue())
    assert done.returncode == 0, done.stderr
    new, rate = soundfile.read(io.BytesIO(done.stdout))
    assert (rate, new.shape[1]) == (spoken[1], 2)
    assert np.abs(new[:, 1] - 0.25 * new[:, 0]).max() < 1e-4
    same = studio(*words, "--strength", "0", stdin=memory.getvalue())
    assert np.array_equal(soundfile.read(io.BytesIO(same.stdout))[0], soundfile.read(memory.seek(0) or memory)[0])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--text", TEXT, "--span", "1:90"), 2, "lies outside the recording, which lasts"),
        (("--text", TEXT, "--span", "1.5:1"), 2, "A span from 1.5 to 1 s came"),
        (("--text", TEXT, "--span", "one:2"), 2, "no span of seconds"),
        (("--text", TEXT, "--span", "0.2:1", "--span", "0.8:1.2"), 2, "overlap"),
        (("--text", TEXT, "--span", "0.2:1", "--before", BEFORE), 2, "Spans came with the text before"),
        (("--text", TEXT, "--before", TEXT, "-a", "sad"), 2, "no word that the text before had not"),
        (("--text", TEXT, "--whole", "-a", "keep"), 2, "nothing around to follow"),
        (("--text", TEXT, "--whole", "--before", BEFORE), 2, "All of the recording was asked for, and a part"),
        (("--text", TEXT, "--whole"), 1, "calls for no emotion"),
        (("--text", " . "), 2, "holds no word"),
        ((), 2, "Neither --text nor --text-file"),
        (("--text", TEXT, "-a", "sad>happy"), 2, "A path came"),
        (("--text", TEXT, "-a", "blorf"), 2, "blorf"),
        (("--text", TEXT, "--span", "0.2:1", "--share", "2"), 2, "not a number between 0 and 1"),
        (("--text", "Thirty purple elephants joyfully shook their wooden feathers for us all yesterday evening.",
          "--span", "0.2:1", "-a", "sad"),
         1, "heard"),
    ],
)  # fmt: skip
def test_bad_input_is_named(studio, words, code, said):
    done = studio(*CORRECT, "in.wav", *words, "-o", "out.wav")
    assert done.returncode == code, done.stderr
    text = done.stderr.decode()
    assert said in text
    assert "Traceback" not in text
    assert studio.names() == ["in.wav"]


def test_silence_is_refused(studio):
    soundfile.write(studio.folder / "in.wav", np.zeros(48_000), 16_000)
    done = studio(*CORRECT, "in.wav", "--text", TEXT, "--span", "0.5:1", "-a", "keep", "-o", "out.wav")
    assert done.returncode == 1
    assert b"silent" in done.stderr
