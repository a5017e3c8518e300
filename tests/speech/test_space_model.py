"""The emotion space at work: requests, texts and voices in, one kind of vector out; and its checkpoint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.affect.space import Affect
from affectgen.errors import AffectgenError, AudioError, CheckpointError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.recognize.speech_features import feature_names
from affectgen.speech.space.model import EmotionSpace, load_space, request_rows, save_space
from affectgen.speech.space.tower import Tower

DIM = 6


def tower(size: int, seed: int) -> Tower:
    rng = np.random.default_rng(seed)
    layers = ((rng.normal(size=(size, 8)), rng.normal(size=8)), (rng.normal(size=(8, DIM)), rng.normal(size=DIM)))
    return Tower(np.zeros(size), np.ones(size), layers)


def made() -> EmotionSpace:
    rng = np.random.default_rng(7)
    sides = tower(31, 1), tower(len(feature_names()), 2), tower(2 + len(LABELS), 3)
    return EmotionSpace(*sides, rng.normal(size=(DIM + 1, 2)), rng.normal(size=(DIM + 1, len(LABELS))))


@pytest.fixture(scope="module")
def shipped() -> EmotionSpace:
    return load_space()


@settings(max_examples=30, deadline=None)
@given(st.floats(-1, 1), st.floats(-1, 1), st.sampled_from([None, *LABELS]))
def test_a_request_is_a_vector_of_length_one_with_readings_in_range(
    valence: float, arousal: float, label: str | None
) -> None:
    space = made()
    vector = space.of_target(Affect(valence, arousal), label)
    assert vector.shape == (DIM,)
    assert np.linalg.norm(vector) == pytest.approx(1.0)
    assert np.abs(space.points_of(vector[None])).max() <= 1.0
    assert space.shares_of(vector[None]).sum() == pytest.approx(1.0)


def test_an_unknown_label_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(AffectgenError, match="'surprise' is no emotion of voices") as error:
        request_rows([(Affect(0, 0), "surprise")])
    assert "boredom" in str(error.value.hint)


def test_a_checkpoint_gives_the_same_space_again(tmp_path: Path) -> None:
    space = made()
    save_space(tmp_path / "made", space, {"licence": "CC0-1.0"}, "")
    again = load_space(tmp_path / "made")
    features = np.random.default_rng(0).normal(size=(3, len(feature_names())))
    features[1, ::2] = np.nan
    np.testing.assert_allclose(again.of_described(features), space.of_described(features), atol=5e-3)
    vectors = space.of_described(features)
    np.testing.assert_allclose(again.points_of(vectors), space.points_of(vectors), atol=1e-5)


def test_another_kind_of_checkpoint_is_refused() -> None:
    with pytest.raises(CheckpointError, match="an emotion space was expected"):
        load_space("text-guide")


def test_a_shipped_space_hears_and_reads_alike(shipped: EmotionSpace) -> None:
    texts = ["I hate you, get out of my sight!", "I am so happy, this is wonderful!", "I miss her so much, it hurts."]
    wanted = [shipped.of_target(Affect.parse(word), label) for word, label in
              (("angry", "anger"), ("happy", "happiness"), ("sad", "sadness"))]  # fmt: skip
    alike = shipped.of_text(texts) @ np.stack(wanted).T
    np.testing.assert_array_equal(alike.argmax(axis=1), [0, 1, 2])


@pytest.mark.parametrize("label", LABELS)
def test_a_shipped_space_names_what_it_is_asked_for(label: str, shipped: EmotionSpace) -> None:
    from affectgen.affect import labels

    vector = shipped.of_target(labels.emo_db(label), label)
    assert LABELS[int(shipped.shares_of(vector[None])[0].argmax())] == label


def test_a_bare_point_reads_back_as_itself_roughly(shipped: EmotionSpace) -> None:
    points = np.array([[0.6, 0.5], [-0.6, 0.6], [-0.6, -0.5], [0.0, 0.0]])
    found = shipped.points_of(np.stack([shipped.of_affect(Affect(*point)) for point in points.tolist()]))
    assert np.corrcoef(points[:, 0], found[:, 0])[0, 1] > 0.8
    assert np.corrcoef(points[:, 1], found[:, 1])[0, 1] > 0.8


def test_the_card_states_what_the_config_measured(shipped: EmotionSpace, top: Path) -> None:
    card = (top / "checkpoints" / "emotion-space" / "card.md").read_text(encoding="utf-8")
    ours = shipped.figures["label"]
    assert f"| by a text | {ours['text_top1']:.3f}, {ours['text_top5']:.3f} |" in card
    assert ours["text_top1"] > 2 * ours["chance"]


def test_nobody_who_tests_or_judges_was_heard(top: Path) -> None:
    import json

    from affectgen.speech.split import part_of

    config = json.loads((top / "checkpoints" / "emotion-space" / "config.json").read_text(encoding="utf-8"))
    assert {part_of(speaker) for speaker in config["speakers"]} == {"training"}
    assert sum(path.stat().st_size for path in (top / "checkpoints" / "emotion-space").iterdir()) < 2_000_000


def test_a_clip_without_a_voice_is_refused() -> None:
    with pytest.raises(AudioError, match="silent"):
        made().of_speech([np.zeros(16000, dtype=np.float32)], 16000)


def test_real_clips_of_unheard_speakers_tell_anger_from_sadness(shipped: EmotionSpace, real_data: Path) -> None:
    from affectgen.audio.files import read_mono
    from affectgen.recognize.speech_corpus import read_clips
    from affectgen.speech.split import part_of

    clips = [clip for clip in read_clips(real_data, ["emo_db"]) if part_of(clip.speaker) == "test"]
    chosen = {label: [clip for clip in clips if clip.acted == label][:6] for label in ("anger", "sadness")}
    vectors = {
        label: shipped.of_speech([read_mono(clip.file, 16000) for clip in mine], 16000)
        for label, mine in chosen.items()
    }
    pairs = [("angry", "anger"), ("sad", "sadness")]
    asked = np.stack([shipped.of_target(Affect.parse(word), label) for word, label in pairs])
    right = [(vectors[label] @ asked.T).argmax(axis=1) == place for place, label in enumerate(chosen)]
    assert np.concatenate(right).mean() > 0.8


def test_running_needs_no_torch() -> None:
    code = "import sys; from affectgen.speech.space.model import load_space; from affectgen.affect import Affect; "
    code += "load_space().of_affect(Affect(0.2, 0.3)); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
