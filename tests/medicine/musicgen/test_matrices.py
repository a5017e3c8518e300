"""The decoder's matrices: packed ones give what torch's own do, adapters beside the weights are added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.medicine.musicgen import matrices
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.matrices import Decoder, Product, merged, packs

CPU = torch.device("cpu")


@settings(deadline=None, max_examples=30)
@given(
    rows=st.integers(1, 19),
    wide=st.integers(1, 40),
    out=st.integers(1, 40),
    seed=st.integers(0, 99),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_a_packed_product_is_torchs(rows: int, wide: int, out: int, seed: int, dtype: torch.dtype):
    """Packed wherever it can be."""
    draw = torch.Generator().manual_seed(seed)
    weight, states = torch.randn(out, wide, generator=draw), torch.randn(rows, 1, wide, generator=draw)
    with torch.inference_mode():
        found = Product.of(weight.to(dtype), packs(CPU, dtype))(states.to(dtype))
    assert found.shape == (rows, 1, out)
    apart = (found.float() - torch.nn.functional.linear(states, weight)).abs().max()
    assert apart < (1e-4 if dtype == torch.float32 else 0.3)  # of sums of forty products


def test_what_cannot_be_packed_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch):
    weight = torch.randn(3, 2)
    assert Product.of(weight, False).weight is weight
    assert torch.equal(Product.of(weight, False)(torch.eye(2)), weight.T)
    assert not packs(torch.device("cuda"), torch.float32)
    assert not packs(CPU, torch.float16)
    monkeypatch.setattr(matrices, "halves_pay", lambda device: False)
    assert not packs(CPU, torch.bfloat16)


@pytest.mark.parametrize("broken", [AttributeError("gone"), TypeError("another argument"), None])
def test_another_torch_without_these_functions_does_without(broken: Exception | None, monkeypatch: pytest.MonkeyPatch):
    """Missing, called otherwise, or giving something else."""

    def of(weight: torch.Tensor, packed: bool) -> Any:
        if broken is not None:
            raise broken
        return lambda states: states @ weight.float().T + 1

    assert matrices._packing_works(torch.float32) == torch.backends.mkldnn.is_available()
    matrices._packing_works.cache_clear()
    monkeypatch.setattr(Product, "of", of)
    try:
        assert not packs(CPU, torch.float32)
    finally:
        matrices._packing_works.cache_clear()


@pytest.fixture
def model(transformers_folder: Path) -> Any:
    from affectgen.medicine.musicgen.foreign import as_transformers

    return as_transformers(find_musicgen(str(transformers_folder)))[0].decoder


def test_a_decoder_has_the_models_sizes(model: Any):
    decoder = Decoder.of(model, torch.float32)
    assert (decoder.dim, decoder.books, decoder.card, decoder.heads, len(decoder.layers)) == (32, 4, 64, 4, 2)
    halves = Decoder.of(model, torch.bfloat16)
    assert halves.tokens.dtype == halves.norm[0].dtype == torch.bfloat16


def test_models_too_large_for_a_second_copy_are_not_packed(model: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(matrices, "LARGEST", 1000)
    decoder = Decoder.of(model, torch.float32)
    assert decoder.layers[0].out.weight.data_ptr() == model.model.decoder.layers[0].self_attn.out_proj.weight.data_ptr()


def test_an_adapter_beside_its_weight_is_added(model: Any):
    from peft import LoraConfig, get_peft_model

    plain = model.model.decoder.layers[1].fc1.weight.detach().clone()
    adapted = get_peft_model(model, LoraConfig(r=2, lora_alpha=6, target_modules=["fc1"]))
    layer = model.model.decoder.layers[1].fc1
    assert torch.equal(merged(layer), plain)  # before training
    torch.nn.init.normal_(layer.lora_B["default"].weight)
    added = 3 * layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    assert added.abs().max() > 0.5
    assert (merged(layer) - plain - added).abs().max() < 1e-5
    assert not merged(layer).requires_grad
    with adapted.disable_adapter():
        assert torch.equal(merged(layer), plain)
    adapted.merge_adapter()
    assert (merged(layer) - plain - added).abs().max() < 1e-5
