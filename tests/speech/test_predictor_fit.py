"""The training command of the predictor, from clips with a stand-in for alignment: whom it hears, what it writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from affectgen.affect.space import Affect
from affectgen.recognize.speech_corpus import LABELS, Clip, label_points
from affectgen.speech.predictor import fit, takes
from affectgen.speech.predictor.pairs import make_exemplars, make_pairs
from affectgen.speech.predictor.phones import COLUMNS, LEVEL, Take
from affectgen.speech.predictor.ready import load_predictor

SPEAKERS = {"training": "crema_d/1001", "development": "crema_d/1010", "test": "crema_d/1006"}
FELT = ("anger", "fear", "sadness")
PHONES = ("M", "IY", "T", "UW")


def clips() -> list[Clip]:
    """Two sentences of each speaker, neutral and in three emotions, one of which was not heard as such."""
    found = []
    for speaker in SPEAKERS.values():
        for text in ("DFA", "IEO"):
            for acted in ("neutral", *FELT):
                heard = LABELS.index("neutral" if acted == "fear" and text == "IEO" else acted)
                file = Path(f"{speaker[-4:]}_{text}_{acted}_XX.ogg")
                found.append(Clip(f"crema_d/{file}", "crema_d", speaker, "f", acted, np.eye(7)[heard],
                                  label_points()[heard], file))  # fmt: skip
    return found


def take_of(clip: Clip) -> Take:
    rng = np.random.default_rng(sum(map(ord, clip.name)))
    values = rng.normal(size=(len(PHONES), len(COLUMNS)))
    values[:, LEVEL] += 30 + 6 * clip.point[1]
    return Take(PHONES, np.array([0, 0, 1, 1]), np.array([False, True, False, True]), values)


def fake_takes(wanted: Sequence[Clip], *_: object) -> dict[str, Take]:
    return {clip.name: take_of(clip) for clip in wanted}


def test_pairs_are_of_one_speaker_and_sentence_and_weigh_what_was_heard() -> None:
    mine, known = clips(), fake_takes(clips())
    pairs = make_pairs(mine, known, "test")
    assert {pair.speaker for pair in pairs} == {"crema_d/1006"}
    assert len(pairs) == 8  # a neutral take with itself is one, too
    weights = {pair.name: pair.weight for pair in pairs}
    assert weights["crema_d/1006_IEO_fear_XX.ogg"] == 0.25
    assert weights["crema_d/1006_DFA_fear_XX.ogg"] == 1.0
    same = next(pair for pair in pairs if "DFA_neutral" in pair.name)
    assert not np.nan_to_num(same.delta).any()
    angry = next(pair for pair in pairs if "DFA_anger" in pair.name)
    truth = known["crema_d/1006_DFA_anger_XX.ogg"].values - known["crema_d/1006_DFA_neutral_XX.ogg"].values
    np.testing.assert_array_equal(angry.delta, truth)
    assert {one.speaker for one in make_exemplars(mine, known)} == {"crema_d/1001"}


def test_the_command_writes_a_folder_that_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "read_clips", lambda *_: clips())
    monkeypatch.setattr(fit, "read_texts", lambda _: {})
    monkeypatch.setattr(fit, "read_takes", fake_takes)
    folder = tmp_path / "made"
    line = ["--data", str(tmp_path), "--output", str(folder), "--run", str(tmp_path / "run")]
    assert fit.main([*line, "--steps", "4", "--seed", "3"]) == 0
    made = load_predictor(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["speakers"] == ["crema_d/1001"]
    assert {one["speaker"] for one in config["bank"]} == {"crema_d/1001"}
    assert config["training"]["pairs"]["steps"] == 4
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert "--seed 3" in card
    assert f"| learned | {made.figures['errors']['learned']['pitch_st']:.2f} |" in card
    assert (folder / "curves.csv").read_text(encoding="utf-8").startswith("stage,step,train,valid")
    shift = made.predict(take_of(clips()[0]), Affect(-0.4, 0.7), "anger")
    assert shift.rows().shape == (4, len(COLUMNS))


def test_takes_are_kept_and_clips_whose_words_are_not_found_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, asked = clips()[:4], []

    def one(_: object, clip: Clip, text: str) -> Take | None:
        asked.append((clip.name, text))
        return None if clip.acted == "fear" else take_of(clip)

    monkeypatch.setattr(takes, "_take", one)
    monkeypatch.setattr(takes, "Aligner", lambda _: None)
    texts = {clip.name: "me too" for clip in mine}
    first = takes.read_takes(mine, texts, tmp_path / "cache" / "takes.npz", lambda _: None)
    assert len(first) == 3
    assert asked[0] == (mine[0].name, "me too")
    again = takes.read_takes(mine[:2], texts, tmp_path / "cache" / "takes.npz", lambda _: None)
    assert len(asked) == 4
    for name, take in again.items():
        np.testing.assert_array_equal(take.values, first[name].values)
        assert take.names == first[name].names
        np.testing.assert_array_equal(take.last, first[name].last)
