"""Checkpoints of speech: what is stored reads like what was fitted, and a wrong one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize import speech_store
from affectgen.recognize.speech_corpus import Table
from affectgen.recognize.speech_expert import Settings
from affectgen.recognize.speech_model import Heard, SpeechModel, fit_model

SETTINGS = {
    "linear": Settings(penalty=0.01, gaussians=(2,), folds=3),
    "kernel": Settings(family="kernel", ridge=0.1, folds=3),
}


@pytest.fixture(scope="module", params=tuple(SETTINGS))
def model(request: pytest.FixtureRequest, voices: Callable[..., Table]) -> SpeechModel:
    return fit_model(voices(), SETTINGS[request.param])


def test_a_stored_model_reads_as_before(model: SpeechModel, voices: Callable[..., Table], tmp_path: Path) -> None:
    speech_store.save(tmp_path / "made", model, {"figures": {"uar": 1}}, "# made\n")
    again, config = speech_store.load(tmp_path / "made")
    assert config["figures"] == {"uar": 1}
    table = voices(seed=1)
    heard = Heard(table.features, [np.asarray(rows, dtype=np.float64) for rows in table.frames])
    base = Heard(table.features[:1], heard.frames[:1])
    for baseline in (None, base):
        first, second = model.read(heard, baseline), again.read(heard, baseline)
        for name in ("shares", "points", "low", "high"):
            np.testing.assert_allclose(getattr(second, name), getattr(first, name), atol=2e-3)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"kind": "judge"}, "recogniser of speech was expected"),
        ({"features": ["a"]}, "other statistics"),
        ({"features_version": "0"}, "other statistics"),
        ({"corpora": ["crema_d", "unknown"]}, "incomplete"),
    ],
)
def test_a_wrong_checkpoint_is_refused(
    model: SpeechModel, tmp_path: Path, changed: dict[str, object], told: str
) -> None:
    speech_store.save(tmp_path / "made", model, {"figures": {}}, "")
    path = tmp_path / "made" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changed), encoding="utf-8")
    with pytest.raises(CheckpointError, match=told):
        speech_store.load(tmp_path / "made")


def test_missing_arrays_and_missing_folders_are_said(model: SpeechModel, tmp_path: Path) -> None:
    speech_store.save(tmp_path / "made", model, {"figures": {}}, "")
    config = json.loads((tmp_path / "made" / "config.json").read_text(encoding="utf-8"))
    save_arrays(tmp_path / "bare", {"gate.bias": np.zeros(2)}, config)
    with pytest.raises(CheckpointError, match="incomplete"):
        speech_store.load(tmp_path / "bare")
    with pytest.raises(CheckpointError, match="no checkpoint named"):
        speech_store.load("speech-of-nobody")
