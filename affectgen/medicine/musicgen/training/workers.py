"""The processes that train together: `torchrun` and `accelerate launch` tell each its place in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import torch
from torch import distributed

from affectgen.nn.distributed import Workers

PATIENCE = timedelta(hours=12)  # the first process encodes and writes samples while the others wait


def own_device(device: str) -> str:
    """The device of this process: of several on one machine, each has its own GPU."""
    if device != "cuda" or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    return f"cuda:{int(os.environ.get('LOCAL_RANK', '0'))}"


def join(device: str) -> Workers:
    """Join the other processes, by gloo on processors and nccl on GPUs; alone where there are none."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        if device.startswith("cuda"):
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo", timeout=PATIENCE)
    return Workers.from_environment()


def first_first(workers: Workers, work: Callable[[], None]) -> None:
    """Have the first process do some work before the others do it: they then find its files."""
    if workers.first:
        work()
    workers.wait()
    if not workers.first:
        work()


def leave() -> None:
    """Part from the others."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
