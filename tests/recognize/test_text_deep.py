"""Word pieces against the package `tokenizers`, the transformer in numpy against torch, its training, the averaging."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect.labels import LABELS_VERSION
from affectgen.errors import AffectgenError
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize import text_blend, text_start, text_tune
from affectgen.recognize.interval import Intervals
from affectgen.recognize.text import TextRecogniser, load_text_recogniser, pack, stretch
from affectgen.recognize.text_anchor import Anchor
from affectgen.recognize.text_corpus import LABELS
from affectgen.recognize.text_deep import LABEL_SHARE, RATING_SHARE, TextDeep
from affectgen.recognize.text_features import CUES, Table
from affectgen.recognize.text_net import TextNet
from affectgen.recognize.text_pieces import MOST_PIECES, SPECIAL, Pieces, words_of
from affectgen.recognize.text_transformer import Transformer

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789'!?.,:;()-_$%*£日本é"
WHOLE = ("love", "hate", "the", "cats", "##s", "##ing", "lov", "##e", "un", "##aff", "##able", "日", "cafe")
NAMES = list(dict.fromkeys([*SPECIAL, *WHOLE, *LETTERS, *(f"##{letter}" for letter in LETTERS)]))
ODD = (
    "I LOVE the cats, loving it!!",
    "unaffable caf\u00e9s na\u0308ive",
    "don't _do_ that $5.00",
    "日本 is nice",
    "",
    "   ",
    "\x00\x07 a\u200bb",
    "\u2014 \u201cquoted\u201d \u2026",
    "\ud7ff \ufffd \ue000 x",
    "x" * 101,
    "a\u00a0b\u3000c tab\tand\nnewline",
    "\U0001f600 fine",
    "\u0130stanbul \u00df \u017f \ufb01",
    "<b>? [x]",
    "love " * 200,
)


@pytest.fixture(scope="module")
def reference() -> object:
    tokenizers = pytest.importorskip("tokenizers")
    rows = {name: row for row, name in enumerate(NAMES)}
    found = tokenizers.Tokenizer(tokenizers.models.WordPiece(rows, unk_token="[UNK]", max_input_chars_per_word=100))
    found.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    found.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    found.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    found.enable_truncation(MOST_PIECES)
    return found


@pytest.mark.parametrize("text", ODD)
def test_pieces_are_those_of_the_package(reference: object, text: str) -> None:
    assert Pieces.of(NAMES).ids(text).tolist() == reference.encode(text).ids  # type: ignore[attr-defined]


@given(st.text(max_size=60))
def test_any_text_has_pieces_between_its_marks(text: str) -> None:
    ids = Pieces.of(NAMES).ids(text)
    assert 2 <= len(ids) <= MOST_PIECES
    assert (ids[0], ids[-1]) == (1, 2)
    assert all(word == word.strip() and word for word in words_of(text))


def test_a_cut_vocabulary_spells_what_it_lost() -> None:
    whole = Pieces.of(NAMES)
    names = whole.cut_down(["love the cats", "love it"], least=2)
    cut = Pieces.of(names)
    assert "love" in names
    assert "cats" not in names
    assert "日" not in names  # a letter in no text and not ASCII's
    assert [names[row] for row in cut.ids("love cats")[1:-1]] == ["love", "c", "##a", "##t", "##s"]
    assert set(SPECIAL) <= set(names)
    with pytest.raises(ValueError, match="vocabulary"):
        Pieces.of(["a", "b"])


def tiny(layers: int = 2, width: int = 16, heads: int = 4) -> Transformer:
    rng = np.random.default_rng(3)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    norms = np.stack([1 + some(1 + 2 * layers, width), some(1 + 2 * layers, width)], axis=1)
    return Transformer(
        Pieces.of(NAMES), heads, some(len(NAMES), width), some(MOST_PIECES, width),
        some(layers, 3 * width, width), some(layers, 3 * width), some(layers, width, width), some(layers, width),
        some(layers, 2 * width, width), some(layers, 2 * width), some(layers, width, 2 * width), some(layers, width),
        norms, some(31, 2 * width), some(31), some(3), np.full(3, 0.2, dtype=np.float32),
    )  # fmt: skip


def in_torch(model: Transformer, texts: list[str]) -> np.ndarray:
    import torch

    rows = [model.pieces.ids(text) for text in texts]
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    mask = torch.zeros(ids.shape, dtype=torch.bool)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = True
    outputs = text_tune.forward(text_tune._weights(model), torch.tensor(model.words)[ids], mask, model.heads)
    labels = torch.log_softmax(outputs[:, :28], dim=1)
    ratings = torch.tensor(model.middle) + torch.tensor(model.spread) * outputs[:, 28:]
    return torch.cat([labels, ratings], dim=1).detach().numpy()


def test_numpy_reads_as_torch_does_and_eight_bits_hardly_change_it() -> None:
    model, texts = tiny(), ["I love the cats", "hate!", "", "unaffable cafes and a long line of other words"]
    np.testing.assert_allclose(np.hstack(model.scores(texts)), in_torch(model, texts), atol=2e-4)
    stored = Transformer.of_arrays(model.arrays())
    np.testing.assert_allclose(np.hstack(stored.scores(texts)), in_torch(stored, texts), atol=2e-4)
    apart = np.hstack(stored.scores(texts)) - np.hstack(model.scores(texts))
    assert 0 < np.abs(apart).max() < 0.6
    again = Transformer.of_arrays(stored.arrays())
    np.testing.assert_allclose(np.hstack(again.scores(texts)), np.hstack(stored.scores(texts)), atol=1e-4)


def test_what_stands_beside_a_text_changes_nothing() -> None:
    model = tiny()
    both, alone = model.scores(["love", "hate the cats", "love"]), model.scores(["love"])
    np.testing.assert_array_equal(both[1][[0, 2]], alone[1][[0, 0]])
    assert model.scores([])[0].shape == (0, 28)


SAID = ("I love the cats", "the cats love it", "I hate the cats", "hate the cats, all of them")


def lesson() -> tuple[list[str], np.ndarray, np.ndarray]:
    texts = [f"{text} {end}" for text in SAID for end in ("now", "here", "too", "yet")] * 3
    glad = np.array(["love" in text for text in texts])
    labels, ratings = np.full((len(texts), 28), np.nan), np.where(glad, 0.4, -0.4)[:, None].repeat(3, axis=1)
    labels[::2] = np.eye(28)[np.where(glad, LABELS.index("joy"), LABELS.index("anger"))][::2]
    ratings[::5] = np.nan
    return texts, labels, ratings


QUICK = text_tune.Settings(
    passes=10, batch=8, comments=200, rate=1e-2, fall=1.0, head_rate=2e-2, dropout=0.0, head_dropout=0.0, blank=0.0
)


def test_training_learns_labels_and_ratings() -> None:
    texts, labels, ratings = lesson()
    said: list[str] = []

    def look(model: Transformer) -> str:
        said.append(f"{model.scores(SAID)[1][0, 0]:.2f}")
        return said[-1]

    model = text_tune.tune(tiny(), texts, labels, ratings, QUICK, look=look)[0]
    found, rated = model.scores(["I love the cats now", "I hate the cats now"])
    assert rated[0, 0] > 0.1 > -0.1 > rated[1, 0]
    assert [LABELS[row] for row in found.argmax(axis=1)] == ["joy", "anger"]
    assert len(said) == QUICK.passes


def test_a_training_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels, ratings = lesson()
    monkeypatch.setattr(text_tune, "KEEP_EVERY", 4)
    whole = text_tune.tune(tiny(), texts, labels, ratings, QUICK)[0].arrays()
    taken: list[int] = []
    step = text_tune._step

    def breaking(*arguments: object) -> float:
        taken.append(1)
        if len(taken) == 10:
            raise KeyboardInterrupt
        return step(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(text_tune, "_step", breaking)
    with pytest.raises(KeyboardInterrupt):
        text_tune.tune(tiny(), texts, labels, ratings, QUICK, tmp_path)
    rest = text_tune.tune(tiny(), texts, labels, ratings, QUICK, tmp_path)[0].arrays()
    steps = sum(len(part) for part in text_tune._plan(np.isfinite(ratings[:, 0]), np.full(len(texts), 9), QUICK))
    assert len(taken) == 10 + steps - 8  # eight steps were kept
    for name, value in whole.items():
        np.testing.assert_array_equal(rest[name], value, err_msg=name)


def released(folder: Path) -> Path:
    """A model's folder as sentence-transformers lays it out, in small and of chance."""
    import torch
    from safetensors.torch import save_file

    rng, width, inner = np.random.default_rng(0), 16, 32
    shapes = {"embeddings.word_embeddings.weight": (len(NAMES), width)}
    beside = (("position", 128), ("token_type", 2))
    shapes |= {f"embeddings.{name}_embeddings.weight": (rows, width) for name, rows in beside}
    dense = {f"attention.self.{name}": (width, width) for name in ("query", "key", "value")}
    dense |= {"attention.output.dense": (width, width), "intermediate.dense": (inner, width)}
    dense |= {"output.dense": (width, inner)}
    for layer in range(2):
        for name, shape in dense.items():
            shapes |= {f"encoder.layer.{layer}.{name}.weight": shape, f"encoder.layer.{layer}.{name}.bias": shape[:1]}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"encoder.layer.{layer}.{name}.{part}": (width,) for part in ("weight", "bias")}
    shapes |= {f"embeddings.LayerNorm.{part}": (width,) for part in ("weight", "bias")}
    stored = {name: torch.tensor(rng.normal(0, 0.2, shape), dtype=torch.float32) for name, shape in shapes.items()}
    save_file(stored, folder / "model.safetensors")
    (folder / "vocab.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"num_attention_heads": 4, "num_hidden_layers": 2}))
    return folder


def test_a_released_encoder_is_read_as_the_teacher_reads_it(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    from affectgen.recognize.text_encoder import Encoder

    begun = text_start.start(released(tmp_path), SAID, least=1, layers=2)
    teacher = Encoder(load_file(tmp_path / "model.safetensors"), None, 2, 4)
    ids = Pieces.of(NAMES).ids(SAID[0])
    wanted = teacher._states(torch.tensor(ids)[None], torch.ones(1, len(ids)))[0].numpy()
    mine = begun.pieces.ids(SAID[0])
    state = state_of(begun, mine)
    np.testing.assert_allclose(state, wanted, atol=1e-4)
    with pytest.raises(AffectgenError, match=r"no model\.safetensors"):
        text_start.start(tmp_path / "none", SAID, 1, 2)


def state_of(model: Transformer, ids: np.ndarray) -> np.ndarray:
    from affectgen.recognize.text_transformer import _norm

    state = _norm(model.words[ids] + model.places[: len(ids)], model.norms[0])
    for layer in range(len(model.mix)):
        state = model._layer(state, layer)
    return state


def both() -> tuple[Table, TextDeep]:
    rng = np.random.default_rng(1)
    net = TextNet(
        rng.normal(size=(3, 4)).astype(np.float32),
        *(np.zeros(len(CUES)), np.ones(len(CUES)), np.zeros(3), np.full(3, 0.1)),
        *(rng.normal(0, 0.2, (1, *shape)).astype(np.float32) for shape in ((12, 3), (3,), (10 + len(CUES), 31), (31,))),
    )
    table = Table({"love": 1, "hate": 2}, {"love": 3.2, "hate": -2.7})
    rows = [table.sentence(text) for text in SAID * 5]
    return table, TextDeep(text_blend.fit(net, rows, rng.normal(0, 0.2, (20, 3))), tiny())


def test_both_models_are_averaged_and_come_back_from_their_arrays() -> None:
    table, model = both()
    rows = [table.sentence(text) for text in SAID]
    labels, ratings = model.scores(rows)
    np.testing.assert_allclose(np.exp(labels).sum(axis=1), 1)
    one, other = model.transformer.scores(SAID), model.blend.scores(rows)
    np.testing.assert_allclose(ratings, RATING_SHARE * one[1] + (1 - RATING_SHARE) * other[1])
    mixed = LABEL_SHARE * one[0] + (1 - LABEL_SHARE) * other[0]
    np.testing.assert_allclose(np.diff(labels, axis=1), np.diff(mixed, axis=1), atol=1e-9)
    stored = TextDeep.of_arrays(model.arrays())
    again = TextDeep.of_arrays(stored.arrays())
    np.testing.assert_allclose(again.scores(rows)[1], stored.scores(rows)[1], atol=1e-3)
    assert np.corrcoef(stored.scores(rows)[1][:, 0], ratings[:, 0])[0, 1] > 0.9


def test_a_reader_is_stored_whole_and_widens_its_intervals_where_much_is_felt(tmp_path: Path) -> None:
    table, model = both()
    anchor, intervals = Anchor(np.zeros(2), np.full((2, 2), 2.0)), Intervals(np.full((2, 17), 0.2))
    reader = TextRecogniser(table, model, 1.0, np.full(28, 1 / 28), anchor, intervals, {}, ease=0.5)
    config = {"kind": "text-recogniser", "labels_version": LABELS_VERSION, "figures": {}, "settings": {}}
    save_arrays(tmp_path / "reader", pack(reader), config)
    found = load_text_recogniser(tmp_path / "reader")
    first, again = found.score(SAID), load_text_recogniser(tmp_path / "reader").score(SAID)
    np.testing.assert_array_equal(first.ratings, again.ratings)
    assert found.ease == 0.5
    shares = np.zeros((2, 28))
    shares[0, LABELS.index("neutral")] = shares[1, 0] = 1
    np.testing.assert_allclose(stretch(shares, 0.5), [[0.5], [1.5]])
    np.testing.assert_allclose(stretch(shares, None), 1)
    (reading,) = found.read(["love hate love hate"])
    width = 0.4 * (1.5 - reading.labels["neutral"])
    assert reading.high[1] - reading.low[1] == pytest.approx(width, abs=1e-6)
