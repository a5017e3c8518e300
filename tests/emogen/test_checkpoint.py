"""EmoGen's two checkpoints on disk: what is read is what was written, the map beside its generator, and errors."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from affectgen.emogen.checkpoint import BITS, load_emogen, load_map, map_of, save_emogen, save_map
from affectgen.emogen.compose import Request
from affectgen.emogen.parts import PART_BARS, Parts
from affectgen.emogen.vector import NAMES
from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import load_checkpoint, save_arrays, save_checkpoint, write_sums
from affectgen.score.keys import Key


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder in which checkpoints are found by name, before the shipped ones."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("AFFECTGEN_CHECKPOINTS", str(folder))
    return folder


def save(folder, tiny, **about):
    save_emogen(folder, tiny.model, tiny.scale, {"licence": "CC0-1.0"} | about, "# small\n")


def change(folder, **values):
    config = json.loads((folder / "config.json").read_text())
    for name, value in values.items():
        config[name] = value
        if value is None:
            del config[name]
    (folder / "config.json").write_text(json.dumps(config))


def marked(emotions, mark):
    """The same map under another first name, to tell maps apart."""
    return type(emotions)(emotions.values, emotions.points, emotions.quadrant, (mark, *emotions.clips[1:]))


def test_weights_come_back_in_half_precision_and_the_scale_exactly(root, tiny):
    save(root / "small", tiny)
    found = load_emogen("small")
    assert (found.name, found.model.config) == ("small", tiny.model.config)
    assert found.sha256 == load_checkpoint("small").sha256
    assert not found.model.training
    own = found.model.state_dict()
    for name, value in tiny.model.state_dict().items():
        torch.testing.assert_close(own[name], value.half().float(), rtol=0, atol=0)
    np.testing.assert_array_equal(found.scale.quantiles, tiny.scale.quantiles.astype(np.float32).astype(np.float64))
    assert not np.array_equal(found.scale.quantiles, tiny.scale.quantiles.astype(np.float16)), "half would blur shares"
    config = load_checkpoint("small").config
    assert (config["kind"], config["licence"], config["attributes"]) == ("emogen", "CC0-1.0", list(NAMES))
    assert (root / "small" / "card.md").read_text() == "# small\n"


def test_what_parts_tell_comes_back(root, tiny):
    save(root / "without", tiny)
    assert load_emogen("without").parts is None
    rng = np.random.default_rng(0)
    parts = Parts(*rng.uniform(0, 1, (2, len(PART_BARS), len(NAMES))))
    save_emogen(root / "small", tiny.model, tiny.scale, {}, "", parts)
    found = load_emogen("small").parts
    np.testing.assert_allclose(found.drift, parts.drift, atol=1e-3)
    np.testing.assert_allclose(found.slope, parts.slope, atol=1e-3)
    save_emogen(root / "odd", tiny.model, tiny.scale, {}, "", Parts(parts.drift[:2], parts.slope))
    with pytest.raises(CheckpointError, match="does not fit its own config: its parts have the shapes"):
        load_emogen("odd")


def test_a_scale_keeps_even_odd_bits(root, tiny):
    """Values that look like nan or are far beyond half precision as numbers, and none of them moves."""
    quantiles = tiny.scale.quantiles.copy()
    quantiles[0] = np.linspace(-1e30, 1e30, quantiles.shape[1])
    quantiles[1, 0] = np.float32(1e-40)
    odd = type(tiny)(tiny.model, type(tiny.scale)(quantiles))
    save(root / "small", odd)
    np.testing.assert_array_equal(load_emogen("small").scale.quantiles, quantiles.astype(np.float32))


def test_a_loaded_generator_repeats_itself(root, tiny):
    save(root / "small", tiny)
    request = Request(np.full((3, len(NAMES)), 0.5), 3, (4,), Key(0, 0))
    first, second = (load_emogen(name).compose([request])[0] for name in ("small", str(root / "small")))
    np.testing.assert_array_equal(first.words, second.words)
    again = load_emogen("small")
    save(root / "other", again)
    assert load_emogen("other").sha256 == again.sha256, "half precision twice is half precision once"


@pytest.mark.parametrize("changes", [
    {"kind": "muser"}, {"kind": None}, {"attributes": list(NAMES[1:])}, {"attributes": None}, {"tokens": {"pitch": 3}},
])  # fmt: skip
def test_only_a_generator_of_these_words_and_attributes_is_loaded(root, tiny, changes):
    save(root / "small", tiny)
    change(root / "small", **changes)
    with pytest.raises(CheckpointError, match="this version's words and attributes was expected") as caught:
        load_emogen("small")
    assert repr(changes.get("kind", "emogen")) in caught.value.message
    assert "--checkpoint" in caught.value.hint


@pytest.mark.parametrize(("name", "value"), [("dim", 64), ("layers", 3), ("layers", 1), ("colour", 5)])
def test_weights_of_another_size_are_refused(root, tiny, name, value):
    save(root / "small", tiny)
    change(root / "small", model=tiny.model.config.to_dict() | {name: value})
    with pytest.raises(CheckpointError, match="does not fit its own config"):
        load_emogen("small")


@pytest.mark.parametrize("lost", [BITS, "model.condition.embed.0.weight"])
def test_missing_parts_are_refused(root, tiny, lost):
    save(root / "small", tiny)
    state, config = load_checkpoint("small").weights(), load_checkpoint("small").config
    del state[lost]
    save_checkpoint(root / "small", state, config, "")
    with pytest.raises(CheckpointError, match="does not fit its own config"):
        load_emogen("small")
    change(root / "small", model=None)
    with pytest.raises(CheckpointError, match="does not fit its own config"):
        load_emogen("small")


def test_a_missing_or_damaged_checkpoint_says_so(root, tiny, emotions):
    for load in (load_emogen, load_map):
        with pytest.raises(CheckpointError, match="no checkpoint named 'small'"):
            load("small")
    save(root / "small", tiny)
    (root / "small" / "weights.safetensors").write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match="damaged"):
        load_emogen("small")
    save_map(root / "m", emotions, {}, "")
    (root / "m" / "weights.npz").write_bytes(b"not arrays")
    with pytest.raises(CheckpointError, match="damaged"):
        load_map("m")


def test_a_map_comes_back(root, emotions):
    save_map(root / "m", emotions, {"licence": "CC0-1.0"}, "# m\n")
    found = load_map("m")
    np.testing.assert_array_equal(found.values, emotions.values.astype(np.float32))
    assert np.isnan(found.values).sum() == np.isnan(emotions.values).sum() > 0
    np.testing.assert_array_equal(found.points, emotions.points.astype(np.float32))
    np.testing.assert_array_equal(found.quadrant, emotions.quadrant)
    assert found.quadrant.dtype == np.int64
    assert found.clips == emotions.clips
    assert found.values.dtype == found.points.dtype == np.float64
    assert load_checkpoint("m").config["licence"] == "CC0-1.0"


def test_only_a_map_of_these_attributes_is_loaded(root, tiny, emotions):
    save(root / "small", tiny)
    with pytest.raises(CheckpointError, match=r"small is a checkpoint of kind 'emogen'; 'emogen-map'"):
        load_map("small")
    save_map(root / "m", emotions, {}, "")
    with pytest.raises(CheckpointError, match=r"m is a checkpoint of kind 'emogen-map'; 'emogen'"):
        load_emogen("m")
    change(root / "m", attributes=["tempo"])
    with pytest.raises(CheckpointError, match="attributes"):
        load_map("m")


def test_a_map_without_its_arrays_is_unfit(root, emotions):
    save_map(root / "m", emotions, {}, "")
    arrays, config = load_checkpoint("m").arrays(), load_checkpoint("m").config
    del arrays["points"]
    save_arrays(root / "m", arrays, config)
    with pytest.raises(CheckpointError):
        load_map("m")


def test_the_map_beside_a_generator_is_its_own(root, tiny, emotions):
    save_map(root / "emogen-map", marked(emotions, "shipped"), {}, "")
    save(root / "emogen", tiny)
    save(root / "small", tiny)
    assert map_of(None).clips[0] == "shipped"
    for name in ("small", str(root / "small")):
        assert map_of(name).clips[0] == "shipped", "there is none beside it"
    save_map(root / "small-map", marked(emotions, "own"), {}, "")
    for name in ("small", str(root / "small")):
        assert map_of(name).clips[0] == "own"
    elsewhere = root.parent / "elsewhere"
    shutil.copytree(root / "small", elsewhere / "mine")
    assert map_of(str(elsewhere / "mine")).clips[0] == "shipped", "another folder has its own sisters"
    shutil.copytree(root / "small-map", elsewhere / "mine-map")
    assert map_of(str(elsewhere / "mine")).clips[0] == "own"


def test_a_spoilt_map_beside_a_generator_is_not_passed_over(root, tiny, emotions):
    save_map(root / "emogen-map", emotions, {}, "")
    save(root / "small", tiny)
    save_map(root / "small-map", emotions, {}, "")
    change(root / "small-map", kind="else")
    with pytest.raises(CheckpointError, match="small-map is a checkpoint of kind 'else'"):
        map_of("small")
    with pytest.raises(CheckpointError, match="no checkpoint named 'gone'"):
        map_of("gone")


def test_sums_cover_the_map_as_well(root, tiny, emotions):
    save(root / "small", tiny)
    save_map(root / "small-map", emotions, {}, "")
    write_sums(root)
    assert map_of("small").clips == emotions.clips
    path = root / "small-map" / "weights.npz"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(CheckpointError, match="SHA256SUMS"):
        map_of("small")
