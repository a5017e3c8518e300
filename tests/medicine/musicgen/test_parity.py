"""The same tiny random model through audiocraft and through transformers gives the same logits."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from affectgen.medicine.musicgen.convert import TEXT, to_transformers
from affectgen.medicine.musicgen.standins import put_stand_ins

DIM, BOOKS, CARD, TEXT_DIM = 32, 4, 64, 24
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def theirs():
    """audiocraft's language model, randomly initialised in every weight."""
    if find_spec("audiocraft") is None:
        pytest.skip("audiocraft is not installed (pip install --no-deps audiocraft==1.3.0)")
    put_stand_ins()
    from audiocraft.models.lm import LMModel
    from audiocraft.modules.codebooks_patterns import DelayedPatternProvider
    from audiocraft.modules.conditioners import ConditionFuser, ConditioningProvider, LUTConditioner

    torch.manual_seed(0)
    text = LUTConditioner(n_bins=64, dim=TEXT_DIM, output_dim=DIM, tokenizer="noop", pad_idx=0)
    provider = ConditioningProvider({"description": text}, device="cpu")
    fuser = ConditionFuser({"cross": ["description"], "prepend": [], "sum": [], "input_interpolate": []})
    model = LMModel(
        DelayedPatternProvider(BOOKS), provider, fuser, n_q=BOOKS, card=CARD, dim=DIM, num_heads=4, num_layers=2,
        norm="layer_norm", norm_first=True, bias_proj=False, bias_ff=False, bias_attn=False, causal=True, custom=False,
        memory_efficient=True, cross_attention=True, activation="gelu", dropout=0.0,
    )  # fmt: skip
    weights = {
        name: torch.randn_like(value) * 0.1 if value.dim() > 1 else value + torch.randn_like(value) * 0.05
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(weights)
    return model.eval()


@pytest.fixture(scope="module")
def ours(theirs):
    """The same weights in transformers' decoder."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    config = transformers.MusicgenDecoderConfig(
        vocab_size=CARD, num_hidden_layers=2, ffn_dim=4 * DIM, num_attention_heads=4, hidden_size=DIM,
        num_codebooks=BOOKS, max_position_embeddings=256, pad_token_id=CARD, bos_token_id=CARD,
    )  # fmt: skip
    model = transformers.MusicgenForCausalLM(config)
    weights = {name: value for name, value in theirs.state_dict().items() if not name.endswith(".embed.weight")}
    decoder = {name.removeprefix("decoder."): value for name, value in to_transformers(weights).items()}
    found = model.load_state_dict({k: v for k, v in decoder.items() if not k.startswith("enc_to")}, strict=False)
    assert (found.missing_keys, found.unexpected_keys) == ([], [])
    return model.eval()


def test_logits_are_the_same(theirs, ours):
    torch.manual_seed(1)
    codes = torch.randint(0, CARD, (2, BOOKS, 11))
    states, mask = torch.randn(2, 5, TEXT_DIM), torch.ones(2, 5, dtype=torch.long)
    weights = theirs.state_dict()
    text = torch.nn.functional.linear(states, weights[f"{TEXT}.weight"], weights[f"{TEXT}.bias"])
    with torch.no_grad():
        one = theirs(codes, [], condition_tensors={"description": (text, mask)})
        two = ours(input_ids=codes.reshape(2 * BOOKS, -1), encoder_hidden_states=text).logits
    assert one.abs().max() > 0.5
    assert (one - two.reshape(one.shape)).abs().max() < TOLERANCE
