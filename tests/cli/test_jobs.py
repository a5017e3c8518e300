"""Jobs as the command line reads them: every command's options, and the same work as its own words make."""

from __future__ import annotations

import json

import pytest

from affectgen.batch.job import Job
from affectgen.batch.spec import CHOICE, ENDING, FILE, FLAG, INTEGER, NUMBER, TEXT
from affectgen.cli.jobs import command_specs, find_command, plan_job
from affectgen.errors import AffectgenError, UsageError
from affectgen.task import task_names


def plan(tmp_path, command, preset=None, device="auto", **values):
    named = {key.replace("_", "-"): value for key, value in values.items()}
    return plan_job(Job(command, named, "j", preset, "line 1"), tmp_path, device)


def test_every_task_has_a_command_and_its_options():
    specs = command_specs()
    assert {"muser generate", "emogen generate", "medicine render", "render", "speech edit"} <= set(specs)
    assert set(specs) <= set(task_names())
    assert len(specs) == len(list(specs))
    options = specs["emogen generate"].options
    kinds = {"affect": TEXT, "bars": INTEGER, "tempo": NUMBER, "mapping": CHOICE, "expressive": FLAG, "audio": ENDING,
             "source": FILE}  # fmt: skip
    assert {name: options[name].kind for name in kinds} == kinds
    assert (options["bars"].low, options["tempo"].low, options["tempo"].high) == (1, 20, 300)
    assert options["set"].several
    assert options["seed"].variable == "AFFECTGEN_SEED"
    assert not {"output", "force", "json", "count", "device", "quiet"} & set(options)
    assert specs["speech convert"].options["source"].argument
    assert {name: spec.suffix for name, spec in specs.items() if name.startswith(("muser", "speech"))} == {
        "muser generate": ".mid", "muser transfer": ".mid", "muser reconstruct": ".mid", "speech edit": ".wav",
        "speech convert": ".wav", "speech correct": ".wav",
    }  # fmt: skip
    assert find_command("muser nothing") is None


def test_values_become_the_settings_of_the_commands_own_words(tmp_path):
    work = plan(
        tmp_path, "emogen generate", affect="calm", bars=8, seed=0, tempo=90.5, expressive=False, set=["velocity=60"],
        best_of=2, audio="wav", plot=".png",
    )  # fmt: skip
    found = {name: each.value for name, each in work.order.settings.items() if each.origin == "option"}
    assert found == {"affect": "calm", "bars": 8, "seed": 0, "tempo": 90.5, "expressive": False,
                     "set": ("velocity=60",), "best_of": 2}  # fmt: skip
    assert sorted(path.name for path in work.order.target.files()) == [
        "j.mid", "j.mid.json", "j.png", "j.wav", "j.wav.json",
    ]  # fmt: skip
    assert work.argv == ("emogen", "generate", "--affect=calm", "--bars=8", "--seed=0", "--tempo=90.5", "--on-grid",
                         "--set=velocity=60", "--best-of=2", "--audio=j.wav", "--plot=j.png",
                         "--output=j.mid")  # fmt: skip
    assert work.run["device"].value == "auto"
    assert work.options().bars == 8


def test_a_presets_values_stand_below_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AFFECTGEN_BEST_OF", "3")
    work = plan(tmp_path, "emogen generate", preset="study", affect="calm", seed=1, best_of=2)
    settings = work.order.settings
    assert (settings["best_of"].value, settings["best_of"].origin) == (3, "environment")
    assert (settings["affect"].value, settings["affect"].origin) == ("calm", "preset")
    line = plan(tmp_path, "emogen generate", affect="calm", seed=1, best_of=2).order.settings
    assert (line["best_of"].value, line["best_of"].origin) == (2, "option")


def test_arguments_and_names_in_lists(tmp_path):
    for name in ("a.mid", "-b.mid"):
        (tmp_path / name).write_bytes(b"MThd")
    source = str(tmp_path / "a.mid")
    work = plan(tmp_path, "muser generate", affect="sad", seed=1, source=source, keep=["pitch", "chord"])
    assert work.order.settings["keep"].value == ("pitch", "chord")
    piece = plan(tmp_path, "muser reconstruct", source=str(tmp_path / "-b.mid"))
    assert piece.order.settings["source"].value == tmp_path / "-b.mid"


def test_a_session_is_planned_with_what_belongs_to_it(tmp_path):
    work = plan(tmp_path, "medicine render", **{"from": "sad"}, to="happy", minutes=5, seed=3, report="html",
                format="flac", engine="symbolic")  # fmt: skip
    assert {path.name for path in work.order.target.files()} == {"j.flac", "j.flac.json", "j.html"}
    assert work.order.settings["jobs"].value == 1  # the batch's workers are its processes
    assert work.order.after is not None


@pytest.mark.parametrize(
    ("command", "values", "expected"),
    [
        ("emogen generate", {"affect": "calm", "barz": 3}, "no option 'barz'"),
        ("emogen generate", {"affect": "calm", "output": "x"}, "no option 'output'"),
        ("emogen generate", {"affect": "clam"}, "'clam' names no emotion"),
        ("emogen generate", {}, "No affect was given"),
        ("emogen generate", {"affect": "calm", "bars": 2.5}, "'2.5' is not a valid integer"),
        ("emogen generate", {"affect": "calm", "bars": True}, "bars got True"),
        ("emogen generate", {"affect": "calm", "bars": {"a": 1}}, "bars got {'a': 1}"),
        ("emogen generate", {"affect": "calm", "bars": [1, 2]}, "bars got"),
        ("emogen generate", {"affect": "calm", "expressive": "yes"}, "expressive got 'yes'"),
        ("emogen generate", {"affect": "calm", "audio": "../x.wav"}, "audio got"),
        ("emogen generate", {"affect": "calm", "audio": "exe"}, "names a sound"),
        ("emogen generate", {"affect": "calm", "source": "-", "keep": "pitch"}, "standard input is not a job's"),
        ("emogen generate", {"affect": "calm", "checkpoint": None, "bars": 0}, "bars"),
        ("emogen generate", {"affect": "calm", "valence": 0.1, "arousal": 0.2}, "exclude each other"),
        ("speech convert", {"affect": "sad"}, "needs 'source'"),
        ("speech convert", {"affect": "sad", "source": ["a.wav", "b.wav"]}, "source names 2 files, and a job"),
        ("render", {"files": ["a.mid", "b.mid"]}, "files names 2 files, and a job makes one file of one"),
        ("speech convert", {"affect": "sad", "source": "none.wav"}, "none.wav cannot be read"),
        ("no such", {}, "no command that makes a piece"),
        ("rate", {}, "no command that makes a piece"),
    ],
)  # fmt: skip
def test_what_the_command_would_refuse_is_refused_with_the_place(tmp_path, command, values, expected):
    with pytest.raises(AffectgenError, match="line 1") as caught:
        plan_job(Job(command, values, "j", None, "line 1"), tmp_path, "auto")
    assert expected in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_handed_on(tmp_path):
    assert plan(tmp_path, "emogen generate", device="cuda:1", affect="calm", seed=1).run["device"].value == "cuda:1"
    with pytest.raises(UsageError, match="device"):
        plan(tmp_path, "emogen generate", device="gpu", affect="calm", seed=1)


def test_work_travels(tmp_path):
    import pickle

    work = plan(tmp_path, "medicine render", path="sad>happy", minutes=1, seed=3, cue="cue", report="html")
    again = pickle.loads(pickle.dumps(work))
    assert again.order.settings == work.order.settings
    assert json.dumps(again.argv) == json.dumps(work.argv)


def test_the_environment_does_not_stand_above_what_tells_a_presets_jobs_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("AFFECTGEN_SEED", "5")
    monkeypatch.setenv("AFFECTGEN_AFFECT", "calm")
    values = {"affect": "sad", "seed": 7, "best-of": 2}
    job = Job("emogen generate", values, "j", "study", "line 1", frozenset(("affect", "seed")))
    settings = plan_job(job, tmp_path, "auto").order.settings
    assert (settings["affect"].value, settings["seed"].value) == ("sad", 7)
    plain = plan_job(Job("emogen generate", values, "j", "study", "line 1"), tmp_path, "auto").order.settings
    assert (plain["affect"].value, plain["seed"].value) == ("calm", 5)
