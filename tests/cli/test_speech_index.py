"""`affectgen speech index`: built once, grown later, asked by text, emotion and recording."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from talking import RATE, talk, write_space, write_takes

from affectgen.nn.checkpoint import write_sums
from affectgen.speech.index.build import fill
from affectgen.speech.index.listing import listed


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of takes, and beside it their index and an emotion space."""
    folder = tmp_path_factory.mktemp("home")
    write_takes(folder / "takes", {"anna": 210.0, "bert": 110.0})
    fill(folder / "voices.db", listed(folder / "takes"), jobs=1)
    write_space(folder / "emotion-space")
    return folder


@pytest.fixture
def built(shell, home):
    """A shell with an index of the takes, voices.db, beside an emotion space."""
    shutil.copytree(home / "emotion-space", shell.models / "emotion-space")
    write_sums(shell.models)
    shutil.copy(home / "voices.db", shell.folder)
    return shell


def test_an_index_is_built(shell, home):
    done = shell("speech", "index", "build", str(home / "takes"), "-o", "new.db", "--jobs", "1", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {"index": "new.db", "added": 6, "known": 0, "doubled": 0, "left_out": []}
    assert shell.names() == ["new.db"]


def test_building_twice_adds_nothing(built, home):
    before = (built.folder / "voices.db").read_bytes()
    done = built("speech", "index", "build", str(home / "takes"), "-o", "voices.db")
    assert done.returncode == 0
    assert "0 added, 6 there already" in done.stderr.decode()
    assert done.stdout == b""
    assert (built.folder / "voices.db").read_bytes() == before
    assert built.names() == ["voices.db"]


def test_what_is_added_is_found(built):
    soundfile.write(built.folder / "new.wav", talk(pitch=300, bright=1.3), RATE)
    line = ("speech", "index", "add", "new.wav", "-o", "voices.db", "--speaker", "cora", "--emotion", "angry",
            "--text", "Go!", "--sex", "f", "--licence", "MIT")  # fmt: skip
    assert built(*line).returncode == 0
    done = built("speech", "index", "query", "--index", "voices.db", "-a", "sad", "-k", "50", "--json")
    found = {hit["name"]: hit for hit in json.loads(done.stdout)["voices"]}
    assert len(found) == 7
    new = found["new.wav"]
    assert (new["speaker"], new["label"], new["text"], new["licence"]) == ("cora", "anger", "Go!", "MIT")
    assert new["shift"] == ""
    assert "there already" in built(*line).stderr.decode()


def test_a_folder_is_added_with_what_can_be_read_of_it(built):
    write_takes(built.folder / "more", {"cora": 180.0})
    (built.folder / "more" / "cora_anger_0.wav").write_bytes(b"no sound")
    done = built("speech", "index", "add", "more", "-o", "voices.db", "--jobs", "1")
    said = done.stderr.decode()
    assert done.returncode == 3
    assert "Left out: cora_anger_0.wav: " in said
    assert "2 added, 0 there already" in said
    assert "1 of 3 recordings could not be read" in said


def test_a_person_reads_what_is_found(built, home):
    like = str(home / "takes" / "anna_anger_0.wav")
    done = built("speech", "index", "query", "--index", "voices.db", "--like", like, "-k", "2")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert len(lines) == 4
    assert lines[0].startswith("1.000  anger ")
    assert "anna_anger_0.wav" in lines[0]
    assert lines[1].strip().startswith("pitch +5.0 st, ")
    piped = built("speech", "index", "query", "--index", "voices.db", "--like", "-", "-k", "2",
                  stdin=Path(like).read_bytes())  # fmt: skip
    assert piped.stdout == done.stdout
    text = built("speech", "index", "query", "--index", "voices.db", "--text", "How sad.", "--speaker-not", "anna")
    assert text.returncode == 0
    assert "anna" not in text.stdout.decode()
    assert text.stdout.decode().count("bert_") == 3


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        (2, ("query", "--index", "voices.db"), "Nothing was asked for"),
        (2, ("query", "--index", "voices.db", "-a", "sad", "--text", "So."), "exclude each other"),
        (2, ("query", "--index", "voices.db", "-a", "wroth"), "wroth"),
        (2, ("query", "--index", "voices.db", "-a", "sad>calm"), "sad>calm"),
        (2, ("query", "--index", "voices.db", "-a", "sad", "-k", "0"), "0"),
        (1, ("query", "--index", "nowhere.db", "-a", "sad"), "There is no index nowhere.db"),
        (1, ("query", "--index", "notes.txt", "-a", "sad"), "notes.txt is no index"),
        (1, ("query", "--index", "voices.db", "-a", "sad", "--licence", "GPL"), "no licence 'GPL'"),
        (1, ("query", "--index", "voices.db", "--like", "notes.txt"), "notes.txt"),
        (1, ("query", "--index", "voices.db", "--text", "  "), "empty"),
        (1, ("add", "missing.wav", "-o", "voices.db"), "missing.wav"),
        (1, ("add", "silent.wav", "-o", "voices.db", "--emotion", "sad"), "1 of 1 recordings could not be read"),
        (1, ("add", "silent.wav", "-o", "other.db"), "There is no index other.db"),
        (2, ("add", "silent.wav", "-o", "voices.db", "--emotion", "wroth"), "wroth"),
        (2, ("add", "folder", "-o", "voices.db", "--speaker", "anna"), "--speaker"),
        (1, ("build", "folder", "-o", "new.db"), "no recording in folder"),
        (1, ("build", "silent.wav", "-o", "new.db"), "is no folder"),
        (1, ("build", "folder", "-o", "no/such/new.db"), "no/such"),
        (1, ("build", "more", "-o", "notes.txt"), "notes.txt is no index"),
    ],
)
def test_faults_are_told(built, code, line, said):
    (built.folder / "notes.txt").write_text("No index, but long enough to look like a file of some kind.\n" * 40)
    soundfile.write(built.folder / "silent.wav", 0 * talk(), RATE)
    (built.folder / "folder").mkdir()
    write_takes(built.folder / "more", {"cora": 180.0})
    before = built.names()
    done = built("speech", "index", *line)
    told = done.stderr.decode()
    assert done.returncode == code, told
    assert said in told
    assert "Traceback" not in told
    assert "Unexpected" not in told
    assert done.stdout == b""
    assert built.names() == before


def test_nothing_heavy_is_imported_before_it_is_needed():
    modules = ("cli.speech_index", "cli.speech_convert", "speech.converting.convert_task", "speech.index.query")
    lines = [f"import affectgen.{module}" for module in modules]
    check = "import sys; assert not {'torch', 'scipy', 'librosa', 'pocketsphinx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", "; ".join([*lines, check])], check=True)
