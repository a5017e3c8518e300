"""`affectgen emogen generate`, its pieces' replay, and `affectgen evaluate emogen`, with a tiny checkpoint."""

from __future__ import annotations

import hashlib
import json
import subprocess

import pytest

from affectgen.cli import evaluate
from affectgen.device import cores
from affectgen.emogen.options import GUIDANCE, EmogenOptions
from affectgen.evaluate import emogen as measuring
from affectgen.evaluate.figures import Figure, Report
from affectgen.score.midi import read_grid

SHORT = ("--bars", "3", "--best-of", "1")


@pytest.fixture
def generate(shell, tiny_emogen):
    """generate(*words): the command with the tiny checkpoint, in this process."""

    def run(*words, **more):
        return shell("emogen", "generate", "--checkpoint", str(tiny_emogen), *SHORT, *words, **more)

    return run


@pytest.fixture
def refused(shell, tiny_emogen):
    """What must fail once the checkpoint is read: the code, one sentence with a hint, nothing written."""

    def check(code, *words, **more):
        before = shell.names()
        done = shell("emogen", "generate", "--checkpoint", str(tiny_emogen), *words, **more)
        said = done.stderr.decode()
        assert (done.returncode, done.stdout, shell.names()) == (code, b"", before), said
        assert "Traceback" not in said
        assert "Error: " in said
        assert "Hint: " in said
        return said

    return check


def record_of(shell, name="x.mid"):
    return json.loads((shell.folder / f"{name}.json").read_text())


def test_writes_a_piece_and_its_manifest(shell, tiny_emogen):
    words = ("emogen", "generate", "--checkpoint", str(tiny_emogen), "-a", "happy", "-o", "x.mid", "--seed", "7")
    more = ("--bars", "8", "--best-of", "2", "--set", "tempo=100", "--set", "gap=+1", "--free", "velocity")
    done = shell.alone(*words, *more)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert shell.names() == ["x.mid", "x.mid.json"]
    data, record = (shell.folder / "x.mid").read_bytes(), record_of(shell)
    assert record["output"] == {"path": "x.mid", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    assert record["task"] == "emogen generate"
    assert record["argv"] == [*words, *more]
    settings = record["settings"]
    assert settings["guidance"] == {"value": GUIDANCE, "from": "default"}
    assert settings["bars"] == {"value": 8, "from": "option"}
    assert settings["set"] == {"value": ["tempo=100", "gap=+1"], "from": "option"}
    assert settings["free"] == {"value": ["velocity"], "from": "option"}
    assert settings["mapping"] == {"value": "kernel", "from": "default"}
    assert settings["tries"] == {"value": EmogenOptions.tries, "from": "default"}
    assert record["checkpoint"]["name"] == "tiny"
    assert record["measured"]["recogniser"] == "guide"
    row = record["details"]["attributes"][0]
    assert row["gap"]["asked_sd"] == 1.0
    assert not [name for name in row if name.startswith("velocity")]
    said = done.stderr.decode()
    assert "measured by the guide" in said
    assert f"attribute error {record['details']['attribute_error']:.2f}" in said
    grid = read_grid(shell.folder / "x.mid")
    assert grid.bars == 8


def test_a_manifest_is_replayed_byte_for_byte(shell, generate, tiny_emogen, fails):
    assert generate("-a", "happy", "--seed", "1", "-o", "x.mid").returncode == 0
    data = (shell.folder / "x.mid").read_bytes()
    again = shell("replay", "x.mid.json", "--checkpoint", str(tiny_emogen), "-o", "y.mid")
    assert again.returncode == 0, again.stderr
    assert (shell.folder / "y.mid").read_bytes() == data
    more = ("--set", "tempo=90", "--set", "key_mode=-1", "--free", "velocity", "--mapping", "paper")
    assert generate("-a", "sad", "--seed", "2", *more, "-o", "z.mid").returncode == 0
    again = shell("replay", "z.mid.json", "--checkpoint", str(tiny_emogen), "-o", "-")
    assert again.stdout == (shell.folder / "z.mid").read_bytes() != data


def test_a_manifest_finds_its_checkpoint_by_name(shell, tiny_emogen):
    models = str(tiny_emogen.parent)
    words = ("emogen", "generate", "--checkpoint", "tiny", *SHORT, "-a", "happy", "--seed", "1", "-o", "x.mid")
    assert shell(*words, AFFECTGEN_CHECKPOINTS=models).returncode == 0
    data = (shell.folder / "x.mid").read_bytes()
    done = shell("replay", "x.mid.json", AFFECTGEN_CHECKPOINTS=models)
    assert done.returncode == 0, done.stderr
    assert b"byte for byte" in done.stderr
    (shell.folder / "x.mid").unlink()
    assert shell("replay", "x.mid.json", AFFECTGEN_CHECKPOINTS=models).returncode == 0
    assert (shell.folder / "x.mid").read_bytes() == data


def test_standard_output_holds_the_piece_alone(shell, generate):
    piped = generate("-a", "happy", "--seed", "1", "-o", "-")
    assert piped.returncode == 0
    assert piped.stdout[:4] == b"MThd"
    assert shell.names() == []
    assert generate("-a", "happy", "--seed", "1", "-o", "a.mid", "--no-manifest").returncode == 0
    assert shell.names() == ["a.mid"]
    assert piped.stdout == (shell.folder / "a.mid").read_bytes()


def test_a_pipe_takes_a_piece_to_its_continuation(shell, generate):
    first = generate("-a", "calm", "--seed", "1", "-o", "-").stdout
    (shell.folder / "a.mid").write_bytes(first)
    by_pipe = generate("-a", "tense", "--seed", "2", "--continue", "-", "-o", "-", stdin=first)
    by_file = generate("-a", "tense", "--seed", "2", "--continue", "a.mid", "-o", "-")
    assert by_pipe.returncode == 0, by_pipe.stderr
    assert by_pipe.stdout == by_file.stdout
    (shell.folder / "b.mid").write_bytes(by_pipe.stdout)
    assert read_grid(shell.folder / "b.mid").bars == 6


def test_elements_of_a_piece_are_kept(shell, generate):
    assert generate("-a", "calm", "--seed", "1", "--on-grid", "-o", "a.mid").returncode == 0
    done = shell("emogen", "generate", "--checkpoint", record_of(shell, "a.mid")["run"]["checkpoint"]["value"],
                 "--source", "a.mid", "--keep", "pitch,velocity", "--seed", "2", "--on-grid", "-o", "b.mid",
                 "--set", "length=+2", "--best-of", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = (read_grid(shell.folder / name) for name in ("a.mid", "b.mid"))
    for name in ("start", "pitch", "velocity"):
        assert getattr(before, name).tolist() == getattr(after, name).tolist()
    assert before.length.tolist() != after.length.tolist()


def test_count_makes_a_folder_with_seeds_counted_up(shell, generate):
    done = generate("-a", "sad>happy", "--count", "3", "--seed", "30", "-o", "out/", "--json", "-q")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    told = json.loads(done.stdout)
    assert told["task"] == "emogen generate"
    names = [f"out/sad_happy-{seed}.mid" for seed in (30, 31, 32)]
    assert [piece["files"]["piece"] for piece in told["pieces"]] == names
    assert [piece["settings"]["seed"]["value"] for piece in told["pieces"]] == [30, 31, 32]
    pieces = [(shell.folder / name).read_bytes() for name in names]
    assert len(set(pieces)) == 3
    assert generate("-a", "sad>happy", "--seed", "32", "-o", "-").stdout == pieces[-1]


def test_attributes_alone_are_enough(shell, generate):
    done = generate("--set", "tempo=90", "--set", "key_mode=-1", "--seed", "1", "-o", "out/")
    assert done.returncode == 0, done.stderr
    assert shell.names() == ["out", "out/piece-1.mid", "out/piece-1.mid.json"]
    record = record_of(shell, "out/piece-1.mid")
    assert record["asked"] is None
    assert record["settings"]["affect"] == {"value": None, "from": "default"}


def test_a_set_value_changes_the_piece(generate):
    plain, loud, quiet = (
        generate("-a", "calm", "--seed", "3", *more, "-o", "-").stdout
        for more in ((), ("--set", "velocity_mean=+2"), ("--set", "velocity_mean=-2"))
    )
    assert len({plain, loud, quiet}) == 3


def test_environment_beats_default_and_option_beats_environment(shell, tiny_emogen):
    extra = {"AFFECTGEN_EMOGEN_CHECKPOINT": str(tiny_emogen), "AFFECTGEN_SEED": "5", "AFFECTGEN_BEST_OF": "3"}
    done = shell("emogen", "generate", "-a", "calm", "--bars", "2", "--best-of", "1", "-o", "x.mid", **extra)
    assert done.returncode == 0, done.stderr
    record = record_of(shell)
    assert record["settings"]["seed"] == {"value": 5, "from": "environment"}
    assert record["settings"]["best_of"] == {"value": 1, "from": "option"}
    assert record["run"]["checkpoint"] == {"value": str(tiny_emogen), "from": "environment"}


def test_an_existing_file_is_replaced_by_force_only(shell, generate, refused):
    (shell.folder / "x.mid").write_bytes(b"mine")
    assert "exists already" in refused(1, "-a", "happy", "-o", "x.mid")
    assert generate("-a", "happy", "-o", "x.mid", "--force").returncode == 0
    assert (shell.folder / "x.mid").read_bytes()[:4] == b"MThd"


@pytest.mark.parametrize(("words", "expected"), [
    (("-o", "x.mid"), "No affect"),
    (("-a", "happpy", "-o", "x.mid"), "happpy"),
    (("-a", "happy"), "--output"),
    (("-a", "happy", "--mapping", "guess", "-o", "x.mid"), "guess"),
    (("--free", "tempo", "-o", "x.mid"), "No affect"),
    (("-a", "happy", "--set", "tempo", "-o", "x.mid"), "--set got 'tempo'"),
    (("-a", "happy", "--set", "tempo=fast", "-o", "x.mid"), "--set got 'tempo=fast'"),
    (("-a", "happy", "--guidance", "-1", "-o", "x.mid"), "-1 is not a number between 0 and 20"),
    (("-a", "happy", "--keep", "pitch", "-o", "x.mid"), "--keep came without --source"),
    (("--mapping", "paper", "--set", "gap=+1", "-o", "x.mid"), "--mapping came without an affect"),
    (("-a", "happy", "--tempo", "90", "--set", "tempo=120", "-o", "x.mid"), "--tempo came with --set tempo"),
    (("-a", "happy", "--count", "2", "-o", "-"), "one stream"),
    (("-a", "happy", "--json", "-o", "-"), "--json and -o -"),
])  # fmt: skip
def test_usage(fails, words, expected):
    assert expected in fails(2, "emogen", "generate", *words)


@pytest.mark.parametrize(("words", "expected", "hint"), [
    (("--set", "note_densty=+1"), "--set got 'note_densty'", "note_density"),
    (("--set", "velocity=+1"), "names several attributes", "velocity_mean"),
    (("--set", "tempo=900"), "--set tempo got 900; real pieces have ", "+1.5"),
    (("--set", "gap=+4"), "expected -2.5 to +2.5", "range"),
    (("--free", "loud"), "--free got 'loud'", "velocity_mean"),
])  # fmt: skip
def test_attributes_that_cannot_be_asked(refused, words, expected, hint):
    said, _, told = refused(2, "-a", "happy", *words, "-o", "x.mid").partition("Hint: ")
    assert expected in said
    assert hint in told


def test_what_is_no_piece_or_no_checkpoint(shell, refused, fails, tiny_emogen):
    assert "is no MIDI file" in refused(1, "-a", "happy", "--continue", "-", "-o", "x.mid", stdin=b"not music")
    said = fails(1, "emogen", "generate", "-a", "happy", "--checkpoint", "fake", "-o", "x.mid")
    assert "fake is a checkpoint of kind None" in said
    beside = str(tiny_emogen.with_name("tiny-map"))
    assert "kind 'emogen-map'" in fails(1, "emogen", "generate", "-a", "happy", "--checkpoint", beside, "-o", "x.mid")
    assert "no checkpoint named 'nope'" in fails(1, "emogen", "map", "-a", "calm", "--checkpoint", "nope")


def test_help_needs_no_torch(shell):
    script = (
        "import sys; from affectgen.cli.program import run\n"
        "for words in (['emogen'], ['emogen', 'generate'], ['emogen', 'train'], ['emogen', 'attributes'],\n"
        "              ['emogen', 'map'], ['evaluate', 'emogen']):\n"
        "    assert run([*words, '--help']) == 0, words\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [*shell.command()[:1], "-c", script], capture_output=True, env=shell.environment(), check=False,
        cwd=shell.folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == b"False"
    assert b"affectgen emogen generate -a calm --set note_density=+1.5 --free velocity" in done.stdout


@pytest.fixture
def asked(monkeypatch):
    """What `run` is called with, in place of the measurements."""
    calls = []

    def run(*words):
        calls.append(words)
        return Report("EmoGen", {"checkpoint": "emogen"}, [Figure("endings", 0.9, at_least=0.8, published=0.7)])

    monkeypatch.setattr(measuring, "run", run)
    return calls


def test_evaluation_has_the_defaults_of_its_settings(shell, asked):
    done = shell("evaluate", "emogen")
    assert done.returncode == 0, done.stderr
    checkpoint, data, device, _, settings, jobs = asked[0]
    assert (checkpoint, data) == (None, None)
    assert jobs == (cores() if device == "cpu" else 1)
    assert settings == measuring.Settings()
    assert all(getattr(settings, name) == value for name, value in evaluate.EMOGEN_DEFAULTS.items())
    assert b"| endings | 0.900 | >= 0.8 | yes | 0.700 |" in done.stderr


def test_evaluation_passes_options_on(shell, asked):
    words = ("--clips", "5", "--grid", "0", "--paths", "0", "--sweep", "0", "--seed", "0", "--best-of", "1")
    more = ("--mapping", "paper", "--guidance", "1", "--checkpoint", "mine", "--data", "d", "--device", "cpu")
    done = shell("evaluate", "emogen", *words, *more, "--jobs", "3")
    assert json.loads(done.stdout)["figures"][0]["met"] is True
    checkpoint, data, device, _, settings, jobs = asked[0]
    assert (checkpoint, str(data), device, jobs) == ("mine", "d", "cpu", 3)
    assert settings == measuring.Settings(5, 0, 0, 0, 0, 1, "paper", 1.0)


def test_reports_of_ablations_stand_beside_one_another(shell, asked, tmp_path, monkeypatch):
    plain = shell("evaluate", "emogen").stdout
    (tmp_path / "plain.json").write_bytes(plain)
    about = {"checkpoint": "emogen", "ablation": "no guidance"}
    monkeypatch.setattr(measuring, "run", lambda *words: Report("EmoGen", about, [Figure("endings", 0.5)]))
    (tmp_path / "other.json").write_bytes(shell("evaluate", "emogen").stdout)
    words = ("--saved", str(tmp_path / "plain.json"), "--beside", str(tmp_path / "other.json"))
    table = shell("evaluate", "emogen", *words, "--write", str(tmp_path / "t.md")).stderr.decode()
    assert "| figure | emogen | bar | met | emogen, no guidance | published |" in table
    assert "| endings | 0.900 | >= 0.8 | yes | 0.500 | 0.700 |" in table
    written = (tmp_path / "t.md").read_text().partition("begin -->\n")[2].partition("\n<!--")[0]
    assert written in table


def test_what_cannot_be_evaluated(fails):
    for words in (("--clips", "0"), ("--mapping", "guess"), ("--sweep", "-1")):
        assert words[0] in fails(2, "evaluate", "emogen", *words)
    assert "--saved got something that is no report" in fails(1, "evaluate", "emogen", "--saved", __file__)
