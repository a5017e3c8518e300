"""Checkpoints: half precision on disk, found by name, checked by hash."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import torch

from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import (
    list_checkpoints,
    load_checkpoint,
    read_sums,
    save_arrays,
    save_checkpoint,
    verify_sums,
    write_sums,
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("AFFECTGEN_CHECKPOINTS", str(folder))
    return folder


def save(folder, seed=0):
    torch.manual_seed(seed)
    weight = torch.randn(4, 3)
    state = {"weight": weight, "tied": weight, "slice": weight[:, 1], "count": torch.tensor([70000, 3])}
    save_checkpoint(folder, state, {"dim": 3, "licence": "CC0-1.0"}, "# A card\n")
    return state


def test_round_trip_in_half_precision(root):
    state = save(root / "one")
    found = load_checkpoint("one")
    assert (found.name, found.config["dim"], found.folder) == ("one", 3, root / "one")
    back = found.weights()
    assert set(back) == set(state)
    assert back["weight"].dtype == torch.float32
    assert torch.equal(back["weight"], state["weight"].half().float())
    assert torch.equal(back["slice"], back["weight"][:, 1])
    assert torch.equal(back["count"], state["count"])
    assert (root / "one" / "card.md").read_text() == "# A card\n"
    assert sorted(path.name for path in (root / "one").iterdir()) == ["card.md", "config.json", "weights.safetensors"]


def test_the_hash_follows_the_weights_alone(root):
    save(root / "one")
    save(root / "two")
    save(root / "three", seed=1)
    first = load_checkpoint("one").sha256
    assert first == load_checkpoint("two").sha256 != load_checkpoint("three").sha256
    (root / "one" / "config.json").write_text('{"metrics": {"accuracy": 0.5}}')
    assert load_checkpoint("one").sha256 == first


def test_values_that_half_precision_cannot_hold_are_refused(root):
    with pytest.raises(ValueError, match="total"):
        save_checkpoint(root / "big", {"total": torch.tensor([1e6])}, {})
    assert not (root / "big").exists()
    save_checkpoint(root / "mask", {"mask": torch.tensor([-torch.inf, 0.0])}, {})
    assert load_checkpoint("mask").weights()["mask"][0] == -torch.inf


def test_arrays_round_trip(root):
    state = {"a": np.arange(6).reshape(2, 3), "b": np.array([1.5, np.pi])}
    save_arrays(root / "trees", state, {"kind": "trees"})
    found = load_checkpoint("trees")
    for name, value in found.arrays().items():
        np.testing.assert_array_equal(value, state[name])
    with pytest.raises(CheckpointError, match=r"weights\.safetensors was expected"):
        found.weights()
    save(root / "one")
    with pytest.raises(CheckpointError, match=r"weights\.npz was expected"):
        load_checkpoint("one").arrays()


def test_pickles_are_not_loaded(root):
    save_arrays(root / "trees", {"a": np.arange(3)}, {})
    np.savez(root / "trees" / "weights.npz", a=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint("trees").arrays()


def test_saving_again_replaces(root):
    save(root / "one")
    before = load_checkpoint("one").sha256
    save(root / "one", seed=5)
    assert load_checkpoint("one").sha256 != before


def test_found_by_path_and_by_name(root, tmp_path, monkeypatch):
    save(root / "one")
    save(tmp_path / "elsewhere" / "mine", seed=1)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load_checkpoint("mine").sha256 == load_checkpoint(tmp_path / "elsewhere" / "mine").sha256
    assert load_checkpoint("./mine").name == "mine"
    assert root / "one" in list_checkpoints()


def test_a_missing_one_lists_what_there_is(root, tmp_path):
    save(root / "one")
    for name in ("nope", "./nope", tmp_path / "nope", str(tmp_path)):
        with pytest.raises(CheckpointError) as caught:
            load_checkpoint(name)
        assert "one" in caught.value.hint


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "weights.safetensors").unlink(),
    lambda folder: (folder / "weights.safetensors").write_bytes(b"12345678 rubbish"),
    lambda folder: (folder / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes()[:-9]),
    lambda folder: (folder / "config.json").write_text("{"),
    lambda folder: (folder / "config.json").write_text("[]"),
])  # fmt: skip
def test_a_damaged_one(root, damage):
    save(root / "one")
    damage(root / "one")
    with pytest.raises(CheckpointError):
        load_checkpoint("one").weights()


def test_sums(root):
    save(root / "one")
    save_arrays(root / "trees", {"a": np.arange(3)}, {})
    write_sums(root)
    assert set(verify_sums(root).values()) == {"ok"}
    assert len(read_sums(root)) == 4
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=root, check=True)
    save(root / "new")
    (root / "trees" / "weights.npz").unlink()
    (root / "one" / "config.json").write_text("{}")
    states = verify_sums(root)
    assert states["new/config.json"] == "unlisted"
    assert states["trees/weights.npz"] == "missing"
    assert states["one/config.json"] == "changed"
    assert states["one/weights.safetensors"] == "ok"
    with pytest.raises(CheckpointError, match="SHA256SUMS"):
        load_checkpoint("one")
    assert load_checkpoint("new").name == "new"


def test_a_database_stands_for_the_weights(root):
    (root / "voices").mkdir()
    (root / "voices" / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="has none of"):
        load_checkpoint("voices")
    (root / "voices" / "voices.db").write_bytes(b"rows")
    write_sums(root)
    found = load_checkpoint("voices")
    assert found.weights_path.name == "voices.db"
    assert verify_sums(root) == {"voices/config.json": "ok", "voices/voices.db": "ok"}
    for read in (found.weights, found.arrays):
        with pytest.raises(CheckpointError, match=r"voices holds voices\.db; weights\.\w+ was expected"):
            read()
    (root / "voices" / "voices.db").write_bytes(b"other rows")
    with pytest.raises(CheckpointError, match="SHA256SUMS"):
        load_checkpoint("voices")
