"""`affectgen medicine train` as a user runs it: interrupted and gone on with, and by two processes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from affectgen.medicine.musicgen.training.options import LoraOptions
from affectgen.medicine.musicgen.training.produce import produce

WEIGHTS = "adapter_model.safetensors"
SHORT = ("--seconds", "0.5", "--batch", "3", "--rate", "1e-2", "--samples", "1", "--sample-seconds", "0.5")
# what `python -m affectgen` does, and what each process ends with
WATCHED = """
import os, sys
from pathlib import Path
import torch
from affectgen.cli.main import main
from affectgen.medicine.musicgen.training import produce
plain = produce.learn
def learn(*given):
    learner, adapted, ended = plain(*given)
    torch.save({"weights": learner.state_dict(), "best": ended.best}, Path(f"rank-{os.environ['RANK']}.pt"))
    return learner, adapted, ended
produce.learn = learn
sys.exit(main())
"""


def words(corpus: Path, base: Path, *more: str) -> list[str]:
    tables = ("--audio", str(corpus / "audio"), "--labels", str(corpus / "labels.csv"))
    return ["medicine", "train", *tables, "--base", str(base), *SHORT, "--device", "cpu", *more]


def environment(top: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(top), "HF_HUB_OFFLINE": "1", "AFFECTGEN_THREADS": "1"}


@pytest.mark.slow
def test_interrupted_and_gone_on_with(corpus: Path, transformers_folder: Path, tmp_path: Path, top: Path):
    given = words(corpus, transformers_folder, "--steps", "40", "--validate-every", "5", "-o", "mine")
    command = [sys.executable, "-m", "affectgen", *given]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(top), stderr=subprocess.PIPE)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(b"step 10/40"):
            process.send_signal(signal.SIGINT)
            break
    said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "go on with the same words:\n  affectgen medicine train --audio" in said
    assert [path.name for path in tmp_path.iterdir()] == ["mine.run"]

    done = subprocess.run(command, cwd=tmp_path, env=environment(top), capture_output=True, check=False, timeout=120)
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert done.stdout == b""
    assert "resumed at step 1" in said
    assert "Warning" not in said
    assert "wrote mine; try: affectgen medicine render --engine musicgen --model" in said
    assert json.loads((tmp_path / "mine" / "affectgen.json").read_text())["training"]["steps"] == 40
    with (tmp_path / "mine" / "log.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(5, 41, 5))
    names = sorted(path.name for path in (tmp_path / "mine" / "samples").iterdir())
    assert names == ["after-1.wav", "before-1.wav", "samples.csv"]


def test_two_processes_learn_as_one(
    corpus: Path, transformers_folder: Path, tmp_path: Path, top: Path, options: Callable[..., LoraOptions]
):
    """Each has every other batch, and gradients are averaged: as one process that accumulates two batches."""
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    script = tmp_path / "watched.py"
    script.write_text(WATCHED)
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    given = words(corpus, transformers_folder, "--steps", "4", "--validate-every", "2", "-o", "pair")
    command, env = [*launch, str(script), *given], environment(top)
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False, timeout=240)
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert said.count("wrote pair") == said.count("step 4/4") == 1  # the first process alone speaks and writes

    one, two = (torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert one["best"] == two["best"]
    assert one["weights"].keys() == two["weights"].keys()
    assert all(torch.equal(value, two["weights"][name]) for name, value in one["weights"].items())

    alone = options("alone", steps=4, validate_every=2, accumulate=2)
    produce(replace(alone, samples=0), tmp_path / "alone", "x")
    single, pair = (load_file(tmp_path / name / WEIGHTS) for name in ("alone", "pair"))
    assert single.keys() == pair.keys()
    apart = torch.cat([(single[name] - pair[name]).abs().flatten() for name in single])
    moved = torch.cat([value.abs().flatten() for name, value in single.items() if "lora_B" in name])
    assert moved.mean() > 5e-3
    assert apart.mean() < 1e-4
    logs = []
    for name in ("alone", "pair"):
        with (tmp_path / name / "log.csv").open() as file:
            logs.append([float(row["loss"]) for row in csv.DictReader(file)])
    assert logs[0] == pytest.approx(logs[1], abs=2e-3)
