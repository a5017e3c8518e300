"""Shared by all tests: one thread each, so that they do not wait for one another, and the folder of real data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch; child processes inherit it
os.environ.setdefault("MPLBACKEND", "Agg")
for name in [name for name in os.environ if name.startswith("AFFECTGEN_") and name != "AFFECTGEN_NO_SKIP"]:
    del os.environ[name]  # a developer's own settings are not the tests'

TOP = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def top() -> Path:
    """The repository's top folder."""
    return TOP


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of training and test music beside the repository; skips where it is absent."""
    folder = TOP.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the data folder ../shared/data is not here")
    return folder
