"""Fitting on a made-up corpus: what is loved is pleasant, what is hated is not; files are written and read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.recognize import text_fit, text_net
from affectgen.recognize.text import load_text_guide, load_text_judge
from affectgen.recognize.text_corpus import LABELS, read_emobank, read_goemotions

THINGS = ("cats", "dogs", "trains", "songs", "rain", "snow", "tea", "bread", "maps", "clocks")
SAID = {
    "joy": ("love", 4.2, 3.6),
    "anger": ("hate", 1.8, 3.7),
    "sadness": ("miss", 2.2, 2.6),
    "neutral": ("have", 3.0, 3.0),
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with text/ in the corpora's layout, and VADER's lexicon in small beside it."""
    home = tmp_path_factory.mktemp("texts")
    folder = home / "text" / "goemotions"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    bank = ["id,split,V,A,D,text"]
    for split, count in (("train", 800), ("dev", 240), ("test", 80)):
        lines = []
        for number in range(count):
            label = list(SAID)[int(rng.integers(4))]
            verb, valence, arousal = SAID[label]
            text = f"I {verb} {rng.choice(THINGS)} and {rng.choice(THINGS)}"
            lines.append(f"{text}\t{LABELS.index(label)}\tid{number}")
            near = np.clip(np.array([valence, arousal, 3.0]) + rng.normal(0, 0.2, 3), 1, 5)
            bank.append(f"{split}{number},{split},{near[0]:.2f},{near[1]:.2f},{near[2]:.2f},{text}.")
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    (home / "text" / "emobank.csv").write_text("\n".join(bank) + "\n")
    (home / "lexicon.txt").write_text("love\t3.2\t0.4\t[]\nhate\t-2.7\t0.4\t[]\n:)\t2.0\t1.1\t[]\n")
    return home


def embed(words: list[str]) -> np.ndarray:
    """Vectors that depend on the words alone."""
    return np.stack([np.random.default_rng(sum(map(ord, word))).normal(size=16) for word in words]).astype(np.float32)


def test_corpora_are_read_as_written(texts: Path) -> None:
    rated, commented = read_emobank(texts, "dev"), read_goemotions(texts, "dev")
    assert len(rated.texts) == len(commented.texts) == 240
    assert rated.ratings.shape == (240, 3)
    loved = ["love" in text for text in rated.texts]
    assert 0.4 < rated.ratings[loved, 0].mean() < 0.8
    np.testing.assert_array_equal(commented.labels[:, LABELS.index("joy")], loved)
    np.testing.assert_allclose(commented.labels.sum(axis=1), 1)
    with pytest.raises(AffectgenError, match="missing"):
        read_goemotions(texts / "text", "dev")
    with pytest.raises(AffectgenError, match="no sentence"):
        read_emobank(texts, "spare")


def test_the_judge_is_fitted_written_and_read_back(texts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "judge"
    arguments = ["--data", str(texts), "--what", "judge", "--lexicon", str(texts / "lexicon.txt")]
    assert text_fit.main([*arguments, "--output", str(folder)]) == 0
    judge = load_text_judge(folder)
    love, hate, have = judge.read(["I love cats and tea", "I hate cats and tea", "I have cats and tea"])
    assert love.affect.valence > 0.4
    assert hate.affect.valence < -0.4
    assert abs(have.affect.valence) < 0.3
    assert max(love.labels, key=love.labels.__getitem__) == "joy"
    config = json.loads((folder / "config.json").read_text())
    assert config["figures"]["emobank_r_valence"] > 0.8
    assert 0.6 < config["figures"]["emobank_coverage_valence"] <= 1
    with pytest.raises(CheckpointError, match="text-guide"):
        load_text_guide(folder)


def test_networks_learn_the_made_up_corpus(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = text_net.Settings(members=2, filters=8, epochs=3, batch=32, learning_rate=2e-2)
    monkeypatch.setitem(text_fit.NETS, "guide", few)
    monkeypatch.setattr(text_fit, "DIMENSIONS", 8)
    valence = text_fit.read_lexicon(texts / "lexicon.txt")
    seen: list[int] = []

    def counting(words: list[str]) -> np.ndarray:
        seen.append(len(words))
        return embed(words)

    kept = text_fit.cached(counting, tmp_path / "cache")
    reader = text_fit.fit_networks("guide", texts, valence, kept, 0).reader
    assert isinstance(reader.model, text_net.TextNet)
    love, hate = reader.read(["I love dogs and bread", "I hate dogs and bread"])
    assert love.affect.valence > 0.3 > -0.3 > hate.affect.valence
    assert max(hate.labels, key=hate.labels.__getitem__) == "anger"
    kept(read_emobank(texts, "train").texts + read_goemotions(texts, "train").texts)
    assert len(seen) == 2  # the texts came from the cache the second time


def test_numpy_and_torch_agree(texts: Path) -> None:
    import torch

    from affectgen.recognize.text_features import Table

    table = Table({"i": 1, "love": 2, "hate": 3}, {"love": 3.2, "hate": -2.7})
    sentences = [table.sentence(text) for text in ("I love it", "hate", "so I hate it, I really do")]
    rng = np.random.default_rng(0)
    labels = np.eye(28)[[0, 1, 2]]
    start = rng.normal(size=(4, 6)).astype(np.float32)
    net = text_net.fit(
        start, sentences, labels, rng.normal(size=(3, 3)), np.ones(3, int), text_net.Settings(1, 5, 1, batch=1)
    )
    first = (net.vectors, net.kernel[0], net.bias[0], net.head[0], net.offset[0])
    weights = [torch.tensor(weight) for weight in first]
    cues = np.stack([(s.cues - net.mean) / net.scale for s in sentences]).clip(-4, 4)
    ids, mask = text_net._padded(sentences)
    outputs = text_net._forward(ids, mask, torch.tensor(cues, dtype=torch.float32), weights, 0.0, torch.Generator())
    logits, ratings = net.scores(sentences)
    np.testing.assert_allclose(logits, torch.log_softmax(outputs[:, :28], dim=1).numpy(), atol=1e-4)
    np.testing.assert_allclose(ratings, net.middle + net.spread * outputs[:, 28:].numpy(), atol=1e-4)


def test_a_file_that_is_no_lexicon_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text("love and hate\n")
    with pytest.raises(AffectgenError, match=r"odd\.txt is not VADER's lexicon"):
        text_fit.read_lexicon(tmp_path / "odd.txt")


def test_networks_need_an_encoder(texts: Path) -> None:
    arguments = ["--data", str(texts), "--what", "guide", "--lexicon", str(texts / "lexicon.txt")]
    with pytest.raises(AffectgenError, match="encoder"):
        text_fit.main(arguments)
