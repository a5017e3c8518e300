"""Every pipeline of docs/cookbook.md, run by bash as it stands, with real models."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
from lacking import missing

TOP = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^### (?P<number>\d+)\. .*?$\s+```sh(?: needs=(?P<needs>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)
LINE = "It was a lovely trip to the mountains."
QUICK = {"AFFECTGEN_BEST_OF": "1", "AFFECTGEN_TRIES": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Recipe:
    """One pipeline. needs: a program that it calls beside affectgen."""

    number: int
    text: str
    needs: str | None


def recipes() -> list[Recipe]:
    text = (TOP / "docs" / "cookbook.md").read_text(encoding="utf-8")
    return [Recipe(int(one["number"]), one["text"], one["needs"]) for one in BLOCK.finditer(text)]


def marked(recipe: Recipe):
    marks = [pytest.mark.external] if recipe.needs is not None else []
    return pytest.param(recipe, id=str(recipe.number), marks=marks)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """A folder with what the recipes work on; `affectgen` is this checkout's."""
    from affectgen.task import find_task

    pytest.importorskip("espeakng_loader")
    folder = tmp_path_factory.mktemp("kitchen")
    task = find_task("emogen generate")
    piece = task.load(None, "cpu").run([task.options(affect="tense", seed=1, bars=4, best_of=1)])[0]
    (folder / "song.mid").write_bytes(piece.data)
    (folder / "take.txt").write_text(LINE)
    (folder / "takes").mkdir()
    for place in ("take", "takes/one", "takes/two"):
        say(LINE, folder / f"{place}.wav")
    (folder / "bin").mkdir()
    script = folder / "bin" / "affectgen"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affectgen "$@"\n')
    script.chmod(0o755)
    return folder


def say(text: str, place: Path) -> None:
    """Speech that the recipes edit, from espeak-ng in a process of its own."""
    from affectgen.speech.editing.espeak import synthesise

    spoken = synthesise(text)
    soundfile.write(place, spoken.samples, spoken.rate)


def test_there_are_enough_and_they_are_numbered():
    found = recipes()
    assert len(found) >= 15
    assert [recipe.number for recipe in found] == list(range(1, len(found) + 1))
    text = (TOP / "docs" / "cookbook.md").read_text(encoding="utf-8")
    assert text.count("```sh") == len(found)


@pytest.mark.parametrize("recipe", [marked(recipe) for recipe in recipes()])
def test_it_runs(kitchen, tmp_path, recipe):
    if recipe.needs is not None and shutil.which(recipe.needs) is None:
        missing(f"{recipe.needs} is not installed")
    folder = tmp_path / "work"
    shutil.copytree(kitchen, folder)
    before = files(folder)
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AFFECTGEN_")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe.text], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**kept, **QUICK, "PATH": path, "PYTHONPATH": str(TOP)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert {name: before[name] for name in before} == {name: files(folder).get(name) for name in before}
    made = set(files(folder)) - set(before)
    assert made or done.stdout.strip(), "it left nothing and said nothing"
    assert all((folder / name).stat().st_size > 0 for name in made)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
