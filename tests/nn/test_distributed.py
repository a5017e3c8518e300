"""Two gloo processes here: they average gradients, move the same codebooks, and end with the same weights."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from affectgen.nn.distributed import Workers, share_first, sum_over_workers


@pytest.fixture(scope="module")
def together(tmp_path_factory, top):
    """What both processes left, and the folder."""
    folder = tmp_path_factory.mktemp("together")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "PYTHONPATH": str(top)}
    common |= {"GLOO_SOCKET_IFNAME": "lo", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(top / "tests" / "nn" / "worker.py"), str(folder)]
    children = [
        subprocess.Popen(command, env=os.environ | common | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    try:
        errors = [child.communicate(timeout=120)[1] for child in children]
    finally:
        for child in children:
            child.kill()
    assert [child.returncode for child in children] == [0, 0], errors
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)], folder


def part(found, prefix):
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def test_gradients_are_those_of_one_process_with_both_batches(together, top):
    (first, second), _ = together
    worker = runpy.run_path(str(top / "tests" / "nn" / "worker.py"))
    model = worker["network"]()
    batches = [worker["data"](rank) for rank in range(2)]
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    (F.mse_loss(worker["output"](model, x), y) + model["idle"].weight.sum() / 2).backward()
    assert set(part(first, "gradient.")) == {name for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(first[f"gradient.{name}"], expected, atol=1e-6, rtol=1e-5)
        assert torch.equal(first[f"gradient.{name}"], second[f"gradient.{name}"])


def test_codebooks_stay_equal(together):
    first, second = (part(found, "book.") for found in together[0])
    assert {"books", "counts", "sums", "started"} <= set(first)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    assert torch.isfinite(first["books"]).all()
    reach = first["books"].flatten(0, 1).mean(-1)
    assert reach.min() < 1 < reach.max(), "the books stand for the slices of both processes, around 0 and around 2"


def test_both_end_with_the_best_weights_and_one_of_them_writes(together):
    found, folder = together
    first, second = (part(one, "run.") for one in found)
    for name, value in first.items():
        if name != "best":
            assert torch.equal(value, second[name]), name
    assert first["best"].tolist() == [4.0, 2.0, 1.0]
    assert second["best"].tolist() == [4.0, 2.0, 0.0]
    kept = torch.load(folder / "run" / "best.pt", weights_only=True)
    assert all(torch.equal(value, first[name]) for name, value in kept.items())


def test_figures_are_averaged(together):
    assert [float(found["mean"]) for found in together[0]] == [6.0, 6.0]


def test_alone_nothing_is_exchanged(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    alone = Workers.from_environment()
    assert (alone.rank, alone.count, alone.first) == (0, 1, True)
    assert alone.average(3.5) == 3.5
    model = torch.nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    before = model.weight.grad.clone()
    alone.average_gradients(model)
    alone.wait()
    value = torch.ones(3)
    sum_over_workers(value)
    share_first(value)
    assert torch.equal(model.weight.grad, before)
    assert value.tolist() == [1.0, 1.0, 1.0]
