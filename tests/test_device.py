"""Devices by name, and threads by the environment."""

from __future__ import annotations

import pytest
import torch

from affectgen import device
from affectgen.errors import AffectgenError, UsageError


def gpus(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(("name", "count", "expected"), [
    ("auto", 0, "cpu"), ("auto", 2, "cuda"), ("cpu", 2, "cpu"), ("cuda", 1, "cuda"), ("cuda:1", 2, "cuda:1"),
])  # fmt: skip
def test_pick(monkeypatch, name, count, expected):
    gpus(monkeypatch, count)
    assert device.pick_device(name) == expected


@pytest.mark.parametrize(("name", "count", "seen"), [
    ("cuda", 0, "no CUDA device"), ("cuda:1", 1, "1 CUDA device."), ("cuda:7", 3, "3 CUDA devices"),
])  # fmt: skip
def test_an_absent_device(monkeypatch, name, count, seen):
    gpus(monkeypatch, count)
    with pytest.raises(AffectgenError) as caught:
        device.pick_device(name)
    assert seen in caught.value.message
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "CPU", "", "cuda:1x", "mps"])
def test_a_name_of_no_device(name):
    with pytest.raises(UsageError):
        device.check_device_name(name)


def test_one_thread_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.setattr(device, "cores", lambda: 64)
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert device.choose_threads() == 1
    for nonsense in ("", "0", "many", "-2"):
        monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
        assert device.choose_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert device.choose_threads() == 3


def test_our_own_variable_beats_the_general_one(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("AFFECTGEN_THREADS", "2")
    assert device.choose_threads() == 2
    monkeypatch.setenv("AFFECTGEN_THREADS", "")
    assert device.choose_threads() == 3


def test_cores_of_a_container(monkeypatch, tmp_path):
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(device, "CGROUP_QUOTA", tmp_path / "cpu.max")
    assert device.cores() == 16
    for text, expected in (("max 100000\n", 16), ("250000 100000\n", 2), ("50000 100000\n", 1), ("nonsense", 16)):
        (tmp_path / "cpu.max").write_text(text)
        assert device.cores() == expected
