"""The benchmark of changed voices runs on a made clip, and ours comes out at least as near to it as Praat's."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from lacking import missing
from made_voices import sentence


@pytest.fixture(scope="module")
def benchmark(top: Path) -> ModuleType:
    if importlib.util.find_spec("parselmouth") is None:
        missing("parselmouth is not installed")
    spec = importlib.util.spec_from_file_location("benchmark_psola", top / "benchmarks" / "psola.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def test_the_page_has_a_row_for_each_change(benchmark: ModuleType) -> None:
    text = benchmark.page([benchmark.Clip(sentence(11025), 11025)])
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(benchmark.BACK) + 2 + 2 * len(benchmark.WAYS)
    assert "nan" not in text


@pytest.mark.parametrize(("what", "factor"), [("pitch", 1.25), ("time", 1.2)])
def test_there_and_back_is_no_worse_than_praat(benchmark: ModuleType, what: str, factor: float) -> None:
    clip = benchmark.Clip(sentence(16000), 16000)
    makers = (benchmark.ours, benchmark.praats)
    own, praats = (benchmark.back_and_forth(clip, change, what, factor) for change in makers)
    assert own[0] <= 1.1 * praats[0]
    assert own[1] <= 1.1 * praats[1]


def test_nothing_is_no_distance(benchmark: ModuleType) -> None:
    clip = benchmark.Clip(sentence(16000), 16000)
    assert benchmark.distortion(clip, clip.samples) == (0.0, 0.0)
