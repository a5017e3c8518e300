"""The fit command: whom each model hears, and that its folder can be loaded and says how it was made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from affectgen.recognize import speech_fit
from affectgen.recognize.speech_corpus import JUDGE_SPEAKERS, Table
from affectgen.recognize.speech_store import load


@pytest.mark.filterwarnings("ignore:Best performing initialization")  # a few frames do not settle a mixture
@pytest.mark.parametrize("what", ["judge", "guide"])
def test_a_folder_is_written_that_can_be_loaded(
    what: str, voices: Callable[..., Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_fit, "tables_of", lambda *_: (voices(takes=2), {"babble at 10 dB": voices(seed=4)}))
    folder = tmp_path / "made"
    line = ["--data", str(tmp_path), "--what", what, "--output", str(folder), "--seed", "3"]
    assert speech_fit.main(line) == 0
    model, config = load(folder)
    assert [reader.expert.corpus for reader in model.readers] == ["crema_d", "emo_db"]
    mine = set(config["speakers"])
    assert mine
    assert mine <= JUDGE_SPEAKERS if what == "judge" else not mine & JUDGE_SPEAKERS
    assert config["what"] == what
    assert set(config["figures"]) == {"crema_d", "emo_db", "degraded"}
    assert set(config["figures"]["degraded"]) == {"babble at 10 dB"}
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert f"--what {what} --seed 3" in card
    assert f"{config['figures']['emo_db']['uar']:g}" in card
    assert f"| babble at 10 dB * | {config['figures']['degraded']['babble at 10 dB']['crema_d_uar']:g} |" in card


def test_judge_and_guide_are_of_different_families(top: Path) -> None:
    settings = {
        what: json.loads((top / "checkpoints" / f"speech-{what}" / "config.json").read_text(encoding="utf-8"))
        for what in ("judge", "guide")
    }
    assert settings["judge"]["settings"]["family"] != settings["guide"]["settings"]["family"]
