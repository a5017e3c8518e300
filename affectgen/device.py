"""The device a model runs on and the number of threads it uses. torch is imported inside, not with this module."""

from __future__ import annotations

import os
import re
from pathlib import Path

from affectgen.errors import AffectgenError, UsageError

DEVICE_FORM = re.compile(r"auto|cpu|cuda(:\d+)?")
THREADS_VARIABLES = ("AFFECTGEN_THREADS", "OMP_NUM_THREADS")  # the first one that is a number counts
CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def check_device_name(name: str) -> str:
    """`name` if it has the form auto, cpu, cuda or cuda:N; UsageError otherwise. Looks at no hardware."""
    if not DEVICE_FORM.fullmatch(name):
        raise UsageError(f"The device {name!r} is not known.", "Use auto, cpu, cuda or cuda:N (N counts from 0).")
    return name


def pick_device(name: str = "auto") -> str:
    """The device `name` stands for: "cpu", "cuda" or "cuda:N".

    auto is CUDA where there is one, else the CPU. AffectgenError where the CUDA device asked for is absent.
    """
    check_device_name(name)
    if name == "cpu":
        return name
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda" if count else "cpu"
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        seen = f"{count} CUDA device{'s' if count > 1 else ''}" if count else "no CUDA device"
        raise AffectgenError(f"The device {name} was asked for, and torch sees {seen}.", "Use --device auto or cpu.")
    return name


def cores() -> int:
    """The cores this process may use: its CPU affinity, and in a container its share (cgroup v2)."""
    affinity = getattr(os, "sched_getaffinity", None)
    usable = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    try:
        quota, period = CGROUP_QUOTA.read_text().split()
    except (OSError, ValueError):  # no cgroup v2 here
        return usable
    return usable if quota == "max" else max(1, min(usable, int(quota) // int(period)))


def choose_threads() -> int:
    """How many threads torch gets: $AFFECTGEN_THREADS, else $OMP_NUM_THREADS, where one is a number, else one.

    The models' matrices are small: several threads gain little on an idle machine, and beside any other load they
    wait for each other at every layer (two on two busy cores: 170 s for a piece that takes one thread 5 s).
    """
    wishes = [os.environ.get(name, "") for name in THREADS_VARIABLES]
    return next((int(wish) for wish in wishes if wish.isdecimal() and int(wish) > 0), 1)


def use_threads(count: int) -> None:
    """Give torch `count` threads. Sums depend on how they are split, so a manifest records it and replay sets it."""
    import torch

    torch.set_num_threads(count)
