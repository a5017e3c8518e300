"""An index in memory: each clip beside its speaker's neutral voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.nn.checkpoint import list_checkpoints
from affectgen.recognize.speech_corpus import JUDGE_SPEAKERS, LABELS
from affectgen.recognize.speech_features import feature_names
from affectgen.speech.converting.prosody import NAMES, PLACES
from affectgen.speech.index.file import opened
from affectgen.speech.index.voices import SHIPPED, Voices, load_voices, neutral_of, shares_of
from affectgen.speech.split import TEST_SPEAKERS


@pytest.fixture(scope="module")
def voices(filled: Path) -> Voices:
    return load_voices(filled)


def test_shapes(voices: Voices) -> None:
    assert len(voices) == 12
    assert voices.prosody.shape == voices.neutral.shape == voices.shifts.shape == (12, len(NAMES))
    assert (voices.shares.shape, voices.points.shape) == ((12, len(LABELS)), (12, 2))
    assert voices.heard is not None
    assert voices.heard.shape == (12, len(feature_names()))


def test_shifts_are_what_the_emotion_does_to_the_same_voice(voices: Voices) -> None:
    pitch = voices.shifts[:, PLACES["pitch"]]
    for speaker in ("anna", "bert"):
        own = voices.speakers == speaker
        assert pitch[own & (voices.labels == "neutral")].mean() == pytest.approx(0, abs=0.1)
        assert pitch[own & (voices.labels == "anger")] == pytest.approx([4.9, 5.1], abs=0.5)  # semitones, as made
        assert pitch[own & (voices.labels == "sadness")] == pytest.approx([-2.1, -1.9], abs=0.5)


def test_those_without_a_neutral_voice_have_no_shift() -> None:
    prosody = np.arange(6.0).reshape(3, 2)
    neutral = neutral_of(np.array(["a", "a", "b"]), np.array(["neutral", "anger", "anger"]), prosody)
    assert neutral[:2].tolist() == [[0, 1], [0, 1]]
    assert np.isnan(neutral[2]).all()


def test_picking_keeps_each_speakers_neutral_voice(voices: Voices) -> None:
    angry = voices.pick(voices.labels == "anger")
    assert len(angry) == 4
    assert angry.shifts == pytest.approx(voices.shifts[voices.labels == "anger"])
    assert voices.pick(np.array([3, 1])).names.tolist() == [voices.names[3], voices.names[1]]
    alone = voices.without_speakers({"anna"})
    assert set(alone.speakers.tolist()) == {"bert"}
    assert len(voices.without_speakers([])) == 12


def test_an_empty_index_holds_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "v.db", write=True):
        pass
    empty = load_voices(tmp_path / "v.db")
    assert (len(empty), empty.shifts.shape, empty.points.shape) == (0, (0, len(NAMES)), (0, 2))
    assert empty.space is None


def test_a_missing_file_is_told() -> None:
    with pytest.raises(AffectgenError, match="There is no index"):
        load_voices("nowhere.db")


def test_an_own_folder_of_checkpoints_comes_first(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / SHIPPED
    folder.mkdir()
    (folder / "voices.db").write_bytes(filled.read_bytes())
    (folder / "config.json").write_text("{}")
    monkeypatch.setenv("AFFECTGEN_CHECKPOINTS", str(tmp_path))
    assert len(load_voices()) == 12
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {SHIPPED}/voices.db\n")
    with pytest.raises(CheckpointError, match="is not the file"):
        load_voices()


def test_shares_of_a_label() -> None:
    assert shares_of("fear").argmax() == LABELS.index("fear")
    assert shares_of("").sum() == 0


def test_the_shipped_index_holds_nobody_that_figures_are_measured_on() -> None:
    assert SHIPPED in [folder.name for folder in list_checkpoints()]
    voices = load_voices()
    speakers = set(voices.speakers.tolist())
    assert not speakers & (JUDGE_SPEAKERS | TEST_SPEAKERS)
    assert {name.split("/")[0] for name in speakers} == {"crema_d", "emo_db"}
    assert set(voices.licences.tolist()) == {"ODbL-1.0", "CC0-1.0"}
    assert len(voices) > 4000
    assert np.isfinite(voices.shifts).all()
    assert voices.shares.sum(axis=1) == pytest.approx(np.ones(len(voices)), abs=0.01)
    anger = voices.shares[:, LABELS.index("anger")] > 0.6
    sadness = voices.shares[:, LABELS.index("sadness")] > 0.6
    pitch = voices.shifts[:, PLACES["pitch"]]
    assert pitch[anger].mean() > pitch[sadness].mean() + 2  # semitones
