"""The commands of docs/cluster.md that need no cluster, as they stand there (parallel: pytest -m external)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lacking import missing
from ray_nodes import FAKE, TOP, save_fake

from affectgen.manifest import file_hash


def block(name: str) -> str:
    """The commands under a mark of the page."""
    found = re.search(rf"<!-- tried: {name} -->\n```sh\n(.*?)```", (TOP / "docs/cluster.md").read_text(), re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., None]:
    """Runs commands in a folder with nine jobs."""
    for program in ("bash", "split", "xargs", "seq"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    work, programs = tmp_path / "work", tmp_path / "bin"
    work.mkdir()
    programs.mkdir()
    save_fake(tmp_path / "models")
    (programs / "affectgen").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affectgen "$@"\n')
    (programs / "affectgen").chmod(0o755)
    lines = [
        {"command": "muser generate", "affect": "calm", "bars": 2, "name": f"j{n}", "seed": n} for n in range(1, 10)
    ]
    (work / "jobs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def run(script: str, **more: str) -> None:
        env = {
            **os.environ, "PYTHONPATH": os.pathsep.join([str(FAKE), str(TOP)]),
            "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
            "AFFECTGEN_CHECKPOINTS": str(tmp_path / "models"), **more,
        }  # fmt: skip
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=work, env=env, capture_output=True,
                              timeout=60, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()

    return run


def names(folder: Path) -> dict[str, str]:
    return {path.stem: file_hash(path) for path in folder.rglob("*.mid")}


def test_arrays_xargs_and_single_commands_make_what_one_batch_makes(shell, tmp_path):
    work = tmp_path / "work"
    shell("affectgen batch - -o whole --jobs 1 -q < jobs.jsonl")
    expected = names(work / "whole")
    assert len(expected) == 9
    slurm = block("slurm")
    assert "#SBATCH --array=1-3\n" in slurm
    shell(slurm, SLURM_ARRAY_TASK_ID="2", SLURM_ARRAY_TASK_COUNT="3", SLURM_CPUS_PER_TASK="1")
    assert names(work / "out/2") == {name: expected[name] for name in ("j2", "j5", "j8")}
    told = [json.loads(line) for line in (work / "out/2.jsonl").read_text().splitlines()]
    assert sorted(each["name"] for each in told) == ["j2", "j5", "j8"]
    shutil.rmtree(work / "out")
    shell(block("xargs"))
    assert names(work / "out") == expected
    shell(block("single"))
    assert names(work / "single") == {f"calm-{n}": expected[f"j{n}"] for n in (1, 2)}


@pytest.mark.external
def test_parallel_makes_what_one_batch_makes(shell, tmp_path):
    if shutil.which("parallel") is None:
        missing("GNU parallel is not installed")
    work = tmp_path / "work"
    shell("affectgen batch - -o whole --jobs 1 -q < jobs.jsonl")
    text = block("parallel")
    assert "-S node1,node2 " in text
    shell(text.replace("-S node1,node2 ", "-S : "), HOME=str(tmp_path))  # ":" is this machine, without ssh
    assert len(names(work / "out/1")) == 5
    assert names(work / "out") == names(work / "whole")
