"""What can be said of a file: by its manifest, by one that records its hash, by its tags, or nothing at all."""

from __future__ import annotations

import io
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.formats import Encoding, Tags, format_named
from affectgen.audio.write import write_sound
from affectgen.batch.checks.origin import BESIDE, BY_HASH, ITSELF, MARK, NOTHING, TAGS, differing, input_name, origin_of
from affectgen.batch.checks.origin_facts import facts_of
from affectgen.batch.checks.origin_line import option_value, retold, without
from affectgen.errors import AffectgenError, AudioError, MidiError
from affectgen.manifest import Manifest, Setting, build_manifest, manifest_path
from affectgen.score.grid import Timing
from affectgen.score.midi import write_midi, write_notes
from affectgen.score.notes import NoteArray
from affectgen.task import Result

ARGV = ("muser", "generate", "-a", "sad>happy", "--bars", "4", "-o", "out/a.mid", "--force")
SETTINGS = {"affect": Setting("sad>happy", "option"), "seed": Setting(17, "drawn"), "bars": Setting(4, "option"),
            "best_of": Setting(4, "environment"), "key": Setting(None, "default")}  # fmt: skip


@pytest.fixture(scope="module")
def midi(score) -> bytes:
    return write_midi(score(7, bars=4))


def record(task: str = "muser generate", argv: Any = ARGV, given: Any = None, name: str | None = "a.mid",
           data: bytes = b"") -> Manifest:  # fmt: skip
    made = Result(data, ".mid", {"valence": 0.1, "arousal": 0.2}, {}, {}, {})
    run = {"device": Setting("cpu", "default"), "threads": Setting(1, "environment")}
    place = None if name is None else Path(name)
    return build_manifest(task, argv, SETTINGS if given is None else given, run, made, place, {})


def write(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    manifest_path(folder / name).write_bytes(record(name=name, data=data).to_bytes())
    return folder / name


def tone(tmp_path: Path, name: str, comment: str = "") -> Path:
    kind = format_named(Path(name).suffix[1:])
    path = tmp_path / name
    rate = 48_000 if kind.name == "opus" else 44_100
    sound = np.tile((0.3 * np.sin(np.arange(rate) / 20)).astype(np.float32)[:, None], (1, 2))
    path.touch()
    write_sound(path, [sound], Encoding(kind, rate=rate, tags=Tags("A title", "", comment)))
    return path


def test_a_piece_is_known_by_the_manifest_beside_it(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    found = origin_of(piece)
    assert (found.known_by, found.changed, found.manifest) == (BESIDE, False, manifest_path(piece))
    assert found.replay == f"affectgen replay {shlex.quote(str(manifest_path(piece)))}"
    piece.write_bytes(midi + b"\0")
    assert origin_of(piece).changed


def test_a_renamed_piece_is_known_by_its_hash(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    shutil.copy(piece, tmp_path / "called.mid")
    (tmp_path / "other.json").write_text('{"manifest": "of something else"}')
    found = origin_of(tmp_path / "called.mid")
    assert (found.known_by, found.changed, found.manifest) == (BY_HASH, False, manifest_path(piece))
    (tmp_path / "called.mid").write_bytes(midi + b"\0")
    assert origin_of(tmp_path / "called.mid").known_by == NOTHING


def test_a_manifest_is_known_itself_with_what_became_of_its_piece(tmp_path, midi):
    piece = write(tmp_path, "a.mid", midi)
    found = origin_of(manifest_path(piece))
    assert (found.known_by, found.changed) == (ITSELF, False)
    assert found.facts is not None
    piece.write_bytes(b"MThd")
    broken = origin_of(manifest_path(piece))
    assert broken.changed
    assert broken.facts is not None
    assert broken.facts.damaged is not None
    piece.unlink()
    assert origin_of(manifest_path(piece)).facts is None
    piped = origin_of(manifest_path(piece).read_bytes())
    assert (piped.known_by, piped.record) == (ITSELF, found.record)
    with pytest.raises(AffectgenError, match="damaged manifest"):
        origin_of(b'{"manifest": 1,')


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.opus", "a.mp3"])
def test_sound_is_known_by_its_tags(tmp_path, name):
    said = "affectgen 0.1.0: emogen generate -a happy --seed 2"
    path = tone(tmp_path, name, said)
    found = origin_of(path)
    assert found.known_by == TAGS
    assert found.told == "affectgen 0.1.0 made it by: affectgen emogen generate -a happy --seed 2"
    assert found.facts is not None
    assert found.facts.tags["title"] == "A title"
    assert found.facts.details["seconds"] == pytest.approx(1.0, abs=0.06)
    assert found.facts.details["channels"] == 2
    assert origin_of(path.read_bytes()).told == found.told, "the same through a pipe"


@pytest.mark.parametrize(("comment", "told"), [
    ("edited with affectgen speech edit", "edited with affectgen speech edit"),
    ("mine; edited with affectgen speech edit; edited with affectgen speech correct",
     "edited with affectgen speech edit, then affectgen speech correct"),
    ("my own words", None), ("affectgen is good", None), ("", None),
])  # fmt: skip
def test_what_a_comment_says_of_edits(tmp_path, comment, told):
    assert origin_of(tone(tmp_path, "a.flac", comment)).told == told


def test_played_midi_bears_a_mark_and_other_midi_says_nothing(tmp_path, score, midi):
    written = score(7, bars=4)
    notes = written.to_notes()
    played = tmp_path / "played.mid"
    played.write_bytes(write_midi(written, Timing(notes.onset + 0.01, notes.duration)))
    assert origin_of(played).known_by == MARK
    assert origin_of(midi).known_by == NOTHING


def test_facts_of_midi(midi, score):
    facts = facts_of(midi)
    told = facts.to_json()
    written = score(7, bars=4)
    assert told["kind"] == "midi"
    assert told["notes"] == len(written)
    assert told["bars"] == 4
    assert told["tracks"] == 1
    assert told["metre"] == "4/4"
    assert told["key"] == str(written.key)
    assert told["tempo"] == [pytest.approx(written.tempo.min(), abs=0.1), pytest.approx(written.tempo.max(), abs=0.1)]
    assert told["seconds"] == pytest.approx(written.to_notes().end, abs=0.6)
    plain = facts_of(write_notes(NoteArray.of(np.array([0.0]), np.array([1.0]), np.array([60]), np.array([80]))))
    assert plain.details["tempo"] == [120.0, 120.0]
    assert plain.details["seconds"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("data", "kind"), [(b"some words\n", "text"), (b"\x89PNG\r\n\x1a\n" + bytes(60), "other")])
def test_what_is_no_music_is_no_error(tmp_path, data, kind):
    path = tmp_path / "a"
    path.write_bytes(data)
    for source in (path, data):
        found = origin_of(source)
        assert found.known_by == NOTHING
        assert found.facts is not None
        assert found.facts.kind == kind


def test_damaged_files_without_a_manifest_are_errors(tmp_path):
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"MThd")
    with pytest.raises(MidiError):
        origin_of(bad)
    memory = io.BytesIO()
    soundfile.write(memory, np.random.default_rng(0).uniform(-1, 1, 44_100), 44_100, format="FLAC")
    cut = tmp_path / "cut.flac"
    cut.write_bytes(memory.getvalue()[:30_000])
    with pytest.raises(AudioError):
        origin_of(cut)
    with pytest.raises(AffectgenError, match="cannot be read"):
        origin_of(tmp_path / "gone.mid")


def test_the_line_that_makes_it_again_says_what_was_drawn_and_what_the_environment_said():
    assert retold(record()) == (
        "affectgen muser generate -a 'sad>happy' --bars 4 --seed=17 --best-of=4 -o a.mid"
    )  # fmt: skip
    many = record(argv=("muser", "generate", "-a", "sad", "--count=8", "-oout/", "--seed", "3", "-q"))
    assert retold(many) == "affectgen muser generate -a sad --seed=17 --best-of=4 -o a.mid"
    piped = record(name=None, argv=("muser", "generate", "-a", "sad", "-o", "-"))
    assert retold(piped) == "affectgen muser generate -a sad --seed=17 --best-of=4 -o -"
    rest = record(argv=("render", "-o", "x.wav", "--", "-odd.mid"), task="render", given={}, name="x.wav")
    assert retold(rest) == "affectgen render -o x.wav -- -odd.mid"


def test_lines_that_cannot_be_told():
    beside = ("emogen", "generate", "-a", "sad", "--audio", "a.mp3", "-o", "a.mid")
    assert retold(record("render", beside, {}, "a.mp3")) is None, "its seed was drawn"
    seeded = (*beside, "--seed", "3")
    assert retold(record("render", seeded, {}, "a.mp3")) == shlex.join(["affectgen", *seeded])
    sources = {"sources": Setting([{"path": "/x/b.mid", "sha256": "0"}], "option")}
    assert retold(record("render", ("render", "a.mid", "b.mid", "-o", "out/"), sources, "b.wav")) is None


@given(seed=st.integers(0, 9), words=st.lists(st.sampled_from(["-a", "x", "--bars", "4", "--keep=pitch"]), max_size=6))
@settings(max_examples=50, deadline=None)
def test_what_is_no_place_stays_on_the_line(seed, words):
    placed = [*words, "--seed", str(seed), "--output=a.mid", "-q", "--json"]
    assert without(placed) == words
    assert option_value(placed, "--seed") == str(seed)
    assert option_value(placed, "--output", "-o") == "a.mid"
    assert option_value(words, "--seed") is None


def test_settings_for_a_person():
    assert [name for name, _, _ in differing(record())] == ["affect", "seed", "bars", "best_of", "threads"]
    assert input_name({"path": "/x/a.mid", "sha256": "0"}) == "/x/a.mid"
    assert input_name([{"path": None, "sha256": "0"}, {"path": "/b", "sha256": "1"}]) == "standard input, /b"
    assert input_name(3) == 3


def test_all_of_it_is_json(tmp_path, midi):
    told = json.loads(json.dumps(origin_of(write(tmp_path, "a.mid", midi)).to_json()))
    assert told["known_by"] == BESIDE
    assert told["facts"]["kind"] == "midi"
    assert told["made"]["task"] == "muser generate"
    assert told["command"].startswith("affectgen muser generate")
