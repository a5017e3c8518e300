"""The presets that come with the package: each is good, planned by its command, and (slow) really made once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import pytest

from affectgen.batch.presets.preset import Preset, read_preset
from affectgen.batch.presets.preset_check import check_preset
from affectgen.batch.presets.preset_files import PresetError
from affectgen.batch.presets.preset_grid import jobs_of
from affectgen.cli.jobs import command_specs, plan_job

FOLDER = Path(__file__).resolve().parents[3] / "presets"
PATHS = sorted(FOLDER.glob("*.toml"))
PLAN = partial(plan_job, device="cpu")
TEXT, BEFORE, AFTER = "We will meet them on Monday.", "We will meet her on Monday.", "We will see them on Monday."


@cache
def shipped() -> dict[str, Preset]:
    return {path.stem: read_preset(path, command_specs()) for path in PATHS}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_piece_of_every_preset_is_planned(path):
    preset = shipped()[path.stem]
    assert check_preset(preset, PLAN) >= 1
    assert path.read_text(encoding="utf-8").startswith("#:schema ./schema.json\n")
    assert preset.description.endswith(".")
    assert 10 < len(preset.description) <= 120
    assert preset.tags


def test_they_cover_every_generator_and_every_use():
    presets = shipped().values()
    commands = {preset.command for preset in presets}
    assert commands >= {"muser generate", "emogen generate", "medicine render", "render", "speech convert",
                        "speech correct", "speech edit"}  # fmt: skip
    tags = {tag for preset in presets for tag in preset.tags}
    assert tags >= {"study", "sleep", "running", "morning", "game", "film", "podcast", "session", "sound", "voice"}
    assert sum(len(preset.files) > 1 for preset in presets) >= 5
    assert sum(bool(preset.axes) for preset in presets) >= 3
    assert all("no treatment" in preset.description for preset in presets if preset.command == "medicine render")


def test_all_of_them_make_one_batch_without_a_name_twice():
    jobs = [job for preset in shipped().values() for job in jobs_of(preset, 1, 10, ["a.wav", "b.wav"])]
    assert len({job.name.casefold() for job in jobs}) == len(jobs) > 500


def test_what_a_command_refuses_is_refused_at_its_line(tmp_path):
    path = tmp_path / "a.toml"
    text = 'description = "d"\ncommand = "emogen generate"\n[options]\naffect = "calm"\n{}\n'
    for more, line, said in (
        ("bars = 8\nseconds = 10", 5, "--bars and --seconds exclude each other"),
        ('key = ["C major", "H dur"]', 5, "H dur"),
        ('set = ["note_densitty=+1"]', 5, "note_density"),
        ('free = ["tempo"]\nkeep = "pitch"\ncontinue = "none.mid"', 7, "cannot be read"),
    ):
        path.write_text(text.format(more))
        with pytest.raises(PresetError) as caught:
            check_preset(read_preset(path, command_specs()), PLAN)
        (trouble,) = caught.value.troubles
        assert trouble.line == line, trouble
        assert said in trouble.text
    path.write_text('description = "d"\ncommand = "speech edit"\n[options]\ntext = "a b"\n')
    with pytest.raises(PresetError, match="Neither --to nor --to-file"):
        check_preset(read_preset(path, command_specs()), PLAN)


def test_a_refusal_of_many_pieces_is_told_once(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('description = "d"\ncommand = "emogen generate"\ncount = 9\n[options]\naffect = ["Q1", "Q2"]\n'
                    'key = "H"\n')  # fmt: skip
    with pytest.raises(PresetError) as caught:
        check_preset(read_preset(path, command_specs()), PLAN)
    assert len(caught.value.troubles) == 1


def short(preset: Preset, sources: list[str]) -> dict[str, object]:
    """The first job of a preset as a line of JSON, as little work as it can be."""
    job = jobs_of(preset, 1, 1, sources)[0]
    values = {"command": job.command, "name": f"{preset.name}-1", **job.values}
    options = preset.spec.options
    if "bars" in options and "source" not in values:
        values.pop("seconds", None)
        values["bars"] = 2
    if "minutes" in options:
        values |= {"minutes": 0.5, "clip": 12, "jobs": 1, "engine": "symbolic"}
        values |= {} if "path" in values else {"bound": 2.0, "match": 0.1}  # three clips go a long way
    return values | {name: 1 for name in ("best-of", "tries") if name in options}


@pytest.mark.slow
def test_every_preset_is_really_made(tmp_path, score):
    from affectgen.score.midi import write_midi
    from affectgen.speech.editing import espeak

    tunes = [str(tmp_path / f"tune{number}.mid") for number in (1, 2)]
    for number, tune in enumerate(tunes):
        Path(tune).write_bytes(write_midi(score(number, bars=4)))
    takes = []
    if espeak.available():
        import soundfile

        said = espeak.synthesise(TEXT)
        soundfile.write(tmp_path / "take.wav", said.samples, said.rate, "PCM_16")
        for end, text in ((".txt", TEXT), (".before.txt", BEFORE), (".new.txt", AFTER)):
            (tmp_path / f"take{end}").write_text(text)
        takes = [str(tmp_path / "take.wav")]
    made = [p for p in shipped().values() if takes or not p.command.startswith("speech")]
    lines = [short(one, takes if one.command.startswith("speech") else tunes) for one in made]
    words = [sys.executable, "-m", "affectgen", "batch", "-", "-o", str(tmp_path / "out"), "--jobs", "1"]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AFFECTGEN_")}
    done = subprocess.run(words, input=text, capture_output=True, text=True, env=kept, check=False)
    told = {each["name"]: each for each in map(json.loads, done.stdout.splitlines())}
    failed = {name: each["error"]["message"] for name, each in told.items() if each["status"] != "done"}
    assert (done.returncode, failed) == (0, {}), done.stderr
    assert len(told) == len(made) == len(PATHS) - (0 if takes else 7)
    for preset in made:
        found = sorted(path.name for path in (tmp_path / "out").glob(f"{preset.name}-1.*"))
        endings = {value.lstrip(".") for name, value in preset.options.items() if name in ("audio", "plot", "cue")}
        wanted = preset.options.get("format", preset.spec.suffix.lstrip("."))
        assert {f"{preset.name}-1.{end}" for end in {wanted, *endings}} <= set(found)
