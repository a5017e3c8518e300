"""The shipped figures are those that the shipped readers reach on the test splits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from affectgen.recognize.text_evaluate import evaluate


@pytest.mark.slow
def test_the_stored_figures_are_measured_again(top: Path, real_data: Path) -> None:
    rows = evaluate(real_data)
    found = {name: value for name, value, _ in rows}
    for what in ("recogniser", "guide", "judge"):
        stored = json.loads((top / "checkpoints" / f"text-{what}" / "config.json").read_text())["figures"]
        for name, value in stored.items():
            assert found[f"text {what}: {name.replace('_', ' ')}"] == pytest.approx(value, abs=0.01)
    assert {count for _, _, count in rows} == {1000, 5427}
    assert found["text recogniser: emobank r valence"] > 0.6
    for corpus in ("emobank", "goemotions"):
        for axis in ("valence", "arousal"):
            assert 0.75 <= found[f"text recogniser: {corpus} coverage {axis}"] <= 0.85
