"""What a test does that needs something from outside."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip, or fail where nothing may be skipped (.ci/run)."""
    (pytest.fail if "AFFECTGEN_NO_SKIP" in os.environ else pytest.skip)(what)
