"""`affectgen evaluate muser`: what it passes on, and a missing folder. The measurements have their own tests."""

from __future__ import annotations

import json

import pytest

from affectgen.cli import evaluate
from affectgen.device import cores
from affectgen.evaluate import muser
from affectgen.evaluate.figures import Figure, Report


@pytest.fixture
def asked(monkeypatch):
    """What `run` is called with, in place of the measurements."""
    calls = []

    def run(*words, **more):
        calls.append((*words, *more.values()))
        return Report("MusER", {"seeds from": 1000}, [Figure("endings", 0.9, at_least=0.8)])

    monkeypatch.setattr(muser, "run", run)
    return calls


def test_the_defaults_are_those_of_the_settings(shell, asked):
    done = shell("evaluate", "muser")
    assert done.returncode == 0, done.stderr
    checkpoint, clips, data, seed, device, _, settings, jobs = asked[0]
    assert (checkpoint, clips, data, seed) == (None, 60, None, 1000)
    assert jobs == (cores() if device == "cpu" else 1)
    assert device in ("cpu", "cuda")  # a device of torch, not "auto"
    assert settings == muser.Settings()
    assert all(getattr(settings, name) == value for name, value in evaluate.DEFAULTS.items())
    assert b"| endings | 0.900 | >= 0.8 | yes |\n" in done.stderr
    assert json.loads(done.stdout)["figures"][0]["value"] == 0.9


def test_options_are_passed_on(shell, asked):
    words = ("--clips", "5", "--grid", "1", "--seed", "0", "--best-of", "4", "--guidance", "0", "--device", "cpu",
             "--jobs", "3")  # fmt: skip
    done = shell("evaluate", "muser", *words, "--checkpoint", "mine", "--data", "d")
    assert json.loads(done.stdout)["figures"][0]["met"] is True
    checkpoint, clips, data, seed, device, _, settings, jobs = asked[0]
    assert (checkpoint, clips, str(data), seed, device, jobs) == ("mine", 5, "d", 0, "cpu", 3)
    assert (settings.grid, settings.best_of, settings.guidance, settings.seed) == (1, 4, 0.0, 0)


def test_a_report_stands_beside_another(shell, asked, tmp_path):
    done = shell("evaluate", "muser", "-q")
    assert done.stderr == b""
    (tmp_path / "other.json").write_bytes(done.stdout)
    done = shell("evaluate", "muser", "--beside", str(tmp_path / "other.json"), "--write", str(tmp_path / "table.md"))
    assert b"| endings | 0.900 | >= 0.8 | yes | 0.900 |\n" in done.stderr
    table = (tmp_path / "table.md").read_text().partition("begin -->\n")[2].partition("\n<!--")[0]
    assert table in done.stderr.decode()
    assert "## MusER" in (tmp_path / "table.md").read_text()


def test_a_saved_report_is_shown_without_measuring(shell, asked, tmp_path):
    (tmp_path / "ours.json").write_bytes(shell("evaluate", "muser").stdout)
    plain = shell("evaluate", "muser").stderr
    asked.clear()
    assert shell("evaluate", "muser", "--saved", str(tmp_path / "ours.json")).stderr == plain
    done = shell("evaluate", "muser", "--saved", "-", stdin=(tmp_path / "ours.json").read_bytes())
    assert done.stdout == (tmp_path / "ours.json").read_bytes()
    assert asked == []


def test_what_does_not_fit(fails):
    assert "nowhere has no emopia/clips.csv" in fails(1, "evaluate", "muser", "--data", "nowhere")
    for option in ("--beside", "--saved"):
        assert f"{option} got something that is no report" in fails(1, "evaluate", "muser", option, __file__)
    assert "--clips" in fails(2, "evaluate", "muser", "--clips", "0")
    assert "cuda:99" in fails(1, "evaluate", "muser", "--device", "cuda:99")


def test_a_table_is_printed_and_nothing_measured_for_a_place_where_it_cannot_be_written(fails, asked, tmp_path):
    for place, said in ((tmp_path, "is a folder"), (tmp_path / "nowhere" / "t.md", "is not there")):
        assert said in fails(1, "evaluate", "muser", "--write", str(place))
    assert asked == []


def test_what_is_saved_is_not_measured_again(shell, fails, asked, tmp_path):
    ours = tmp_path / "ours.json"
    ours.write_bytes(shell("evaluate", "muser").stdout)
    asked.clear()
    said = fails(2, "evaluate", "muser", "--saved", str(ours), "--clips", "9", "--seed", "2")
    assert "--clips and --seed came with --saved" in said or "--seed and --clips came with --saved" in said
    for option in ("--saved", "--beside"):
        said = fails(1, "evaluate", "emogen", option, str(ours))
        assert f"{option} got a report of MusER; one of EmoGen was expected." in said
        assert "affectgen evaluate emogen -o report.json" in said
    assert asked == []


def test_the_report_goes_to_a_file(shell, fails, asked, tmp_path):
    place = tmp_path / "report.json"
    done = shell("evaluate", "muser", "-o", str(place))
    assert done.stdout == b""
    assert f"wrote {place}" in done.stderr.decode()
    assert json.loads(place.read_text())["title"] == "MusER"
    both = shell("evaluate", "muser", "-o", str(place), "--force", "--json")
    assert both.stdout == place.read_bytes()
    asked.clear()
    assert "exists already" in fails(1, "evaluate", "muser", "-o", str(place))
    assert "does not exist" in fails(1, "evaluate", "muser", "-o", str(tmp_path / "nowhere" / "r.json"))
    assert asked == [], "nothing is measured that cannot be kept"


def test_quick_takes_a_few_of_everything(shell, fails, asked, tmp_path):
    assert shell("evaluate", "muser", "--quick", "--paths", "9").returncode == 0
    settings = asked[0][6]
    assert settings == muser.Settings(clips=5, grid=0, paths=9, pairs=7, reconstructions=2, quick=True)
    said = fails(2, "evaluate", "muser", "--quick", "--write", str(tmp_path / "r.md"))
    assert "--write came with --quick" in said
    assert len(asked) == 1


def test_what_does_not_go_with_recognisers(fails):
    assert "--only and --quick came without --data" in fails(2, "evaluate", "recognisers", "--only", "midi", "--quick")
    assert "--only names 'song'" in fails(2, "evaluate", "recognisers", "--data", "d", "--only", "midi,song")


def test_a_saved_report_of_sessions_is_written_without_measuring(shell, fails, tmp_path):
    report = Report("Medicine", {"pairs": 20}, [Figure("path: arousal", 0.91, at_least=0.8)])
    (tmp_path / "m.json").write_text(json.dumps(report.to_json()))
    done = shell("evaluate", "medicine", "--saved", str(tmp_path / "m.json"), "--write", str(tmp_path / "r.md"))
    assert done.returncode == 0, done.stderr
    assert "| path: arousal | 0.910 | >= 0.8 | yes |" in (tmp_path / "r.md").read_text()
    said = fails(2, "evaluate", "medicine", "--saved", str(tmp_path / "m.json"), "--pairs", "3")
    assert "--pairs came with --saved" in said
