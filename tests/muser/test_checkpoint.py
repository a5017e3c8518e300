"""A composer on disk: half precision, the same pieces again, and errors in a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from affectgen.errors import CheckpointError
from affectgen.muser.checkpoint import load_composer, save_composer
from affectgen.muser.compose import Request
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.nn.checkpoint import load_checkpoint, save_checkpoint

ABOUT = {"attribute_spread": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "licence": "CC0-1.0"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    root = tmp_path / "models"
    root.mkdir()
    monkeypatch.setenv("AFFECTGEN_CHECKPOINTS", str(root))
    return root / "small"


def save(folder, tiny, **about):
    save_composer(folder, tiny.model, tiny.prior, ABOUT | about, "# small\n")


def change(folder, **values):
    config = json.loads((folder / "config.json").read_text())
    for name, value in values.items():
        config[name] = value
        if value is None:
            del config[name]
    (folder / "config.json").write_text(json.dumps(config))


def test_what_is_loaded_is_what_was_saved_in_half_precision(folder, tiny):
    save(folder, tiny)
    found = load_composer("small")
    assert (found.name, found.config, found.attribute_spread) == ("small", tiny.config, (1, 2, 3, 4, 5, 6, 7))
    assert found.sha256 == load_checkpoint("small").sha256
    assert not found.model.training
    for before, after in ((tiny.model, found.model), (tiny.prior, found.prior)):
        own = after.state_dict()
        for name, value in before.state_dict().items():
            if not name.endswith(".sums"):
                torch.testing.assert_close(own[name], value.half().float() if value.is_floating_point() else value)
    config = load_checkpoint("small").config
    assert config["kind"] == "muser"
    assert config["licence"] == "CC0-1.0"
    assert (folder / "card.md").read_text() == "# small\n"
    assert not [name for name in load_checkpoint("small").weights() if name.endswith(".sums")]


def test_a_loaded_composer_repeats_itself(folder, tiny):
    save(folder, tiny)
    request = Request(np.full((3, 2), 0.5), 3, (4,))
    first, second = (load_composer(name).compose([request])[0] for name in ("small", str(folder)))
    assert np.array_equal(first.words, second.words)
    save(folder, first_again := load_composer("small"))
    assert load_composer("small").sha256 == first_again.sha256, "half precision twice is half precision once"


def test_only_a_muser_of_these_words_is_loaded(folder, tiny):
    save_checkpoint(folder, {"weight": torch.ones(2)}, {"kind": "emogen"}, "")
    with pytest.raises(CheckpointError, match="kind 'emogen'"):
        load_composer("small")
    save(folder, tiny)
    change(folder, tokens={"pitch": 3})
    with pytest.raises(CheckpointError, match="this version's words"):
        load_composer("small")


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"model": None}, "model"),
    ({"attribute_spread": None}, "attribute_spread"),
    ({"attribute_spread": ["wide"]}, "wide"),
    ({"model": {"dim": 32}}, "word_codes"),
])  # fmt: skip
def test_an_incomplete_config_is_named(folder, tiny, changes, sentence):
    save(folder, tiny)
    change(folder, **changes)
    with pytest.raises(CheckpointError, match="does not fit its own config") as caught:
        load_composer("small")
    assert sentence in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(("name", "value"), [("dim", 64), ("layers", 3), ("layers", 1), ("unknown", 5)])
def test_weights_of_another_size_are_refused(folder, tiny, name, value):
    save(folder, tiny)
    change(folder, model=tiny.config.to_dict() | {name: value})
    with pytest.raises(CheckpointError, match="does not fit its own config"):
        load_composer("small")


def test_missing_weights_are_refused(folder, tiny):
    save(folder, tiny)
    state = load_checkpoint("small").weights()
    config = load_checkpoint("small").config
    del state["model.bar_books.books"]
    save_checkpoint(folder, state, config, "")
    with pytest.raises(CheckpointError, match=r"bar_books\.books"):
        load_composer("small")


def test_a_missing_or_damaged_checkpoint_says_so(folder, tiny):
    with pytest.raises(CheckpointError, match="no checkpoint named 'small'"):
        load_composer("small")
    save(folder, tiny)
    (folder / "weights.safetensors").write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match="damaged"):
        load_composer("small")


def test_a_started_model_keeps_its_books(folder, tiny, config):
    torch.manual_seed(0)
    model = Muser(config).train()
    model.bar_books(torch.randn(60, 7, config.slice_dim))
    save_composer(folder, model, Prior(config), ABOUT, "")
    found = load_composer("small").model
    assert found.bar_books.started
    torch.testing.assert_close(found.bar_books.books, model.bar_books.books, atol=2e-3, rtol=1e-3)
    torch.testing.assert_close(found.bar_books.usage(), model.bar_books.usage())
