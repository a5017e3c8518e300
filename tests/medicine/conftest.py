"""Tiny random MusicGens in the two published formats, written as their exporters write them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from lacking import missing

WORDS = ("calm", "sad", "happy", "tense", "piano", "solo", "strings", "slow", "fast", "music", "a", "of")
CARD, BOOKS, DIM = 64, 4, 32
# as in the published configurations, of which sizes alone are changed
LANGUAGE_CONFIG = """
sample_rate: 3200
channels: 1
device: cuda
dtype: float16
dataset: {segment_duration: 30}
solver: musicgen
lm_model: transformer_lm
transformer_lm:
  dim: 32
  num_heads: 4
  num_layers: 2
  hidden_scale: 4
  n_q: 4
  card: 64
  dropout: 0.1
  emb_lr: null
  activation: gelu
  norm_first: true
  bias_ff: false
  bias_attn: false
  bias_proj: false
  past_context: null
  causal: true
  custom: false
  memory_efficient: true
  attention_as_float32: false
  layer_scale: null
  positional_embedding: sin
  xpos: false
  checkpointing: none
  weight_init: gaussian
  depthwise_init: current
  zero_bias_init: true
  norm: layer_norm
  cross_attention: false
  qk_layer_norm: false
  qk_layer_norm_cross: false
  attention_dropout: null
  kv_repeat: 1
codebooks_pattern:
  modeling: delay
  delay: {delays: [0, 1, 2, 3], flatten_first: 0, empty_initial: 0}
classifier_free_guidance: {training_dropout: 0.3, inference_coef: 3.0}
attribute_dropout: {}
fuser:
  cross_attention_pos_emb: false
  cross_attention_pos_emb_scale: 1
  sum: []
  prepend: []
  cross: [description]
  input_interpolate: []
conditioners:
  args: {merge_text_conditions_p: 0.25, drop_desc_p: 0.5}
  description:
    model: t5
    t5: {name: t5-base, finetune: false, word_dropout: 0.2, normalize_text: false}
"""
CODEC_CONFIG = """
sample_rate: 3200
channels: 1
device: cuda
compression_model: encodec
encodec: {autoencoder: seanet, quantizer: rvq, sample_rate: '${sample_rate}', channels: '${channels}', causal: false,
          renormalize: false}
seanet:
  dimension: 16
  channels: ${channels}
  causal: ${encodec.causal}
  n_filters: 4
  n_residual_layers: 1
  ratios: [4, 4, 4]
  activation: ELU
  activation_params: {alpha: 1.0}
  norm: weight_norm
  norm_params: {}
  kernel_size: 7
  residual_kernel_size: 3
  last_kernel_size: 7
  dilation_base: 2
  pad_mode: constant
  true_skip: true
  compress: 2
  lstm: 2
  disable_norm_outer_blocks: 0
  encoder: {}
  decoder: {trim_right_ratio: 1.0, final_activation: null, final_activation_params: null}
rvq: {n_q: 4, q_dropout: false, bins: 64, decay: 0.99, kmeans_init: false, kmeans_iters: 50,
      threshold_ema_dead_code: 2, orthogonal_reg_weight: 0.0, orthogonal_reg_active_codes_only: false}
"""


def make_t5(folder: Path) -> tuple[Any, Any]:
    """A tiny T5 encoder and a tokenizer of whole words, saved in a folder as t5-base is published."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    names = ["<pad>", "</s>", "<unk>", *WORDS]
    plain = Tokenizer(models.WordLevel({name: at for at, name in enumerate(names)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip
    torch.manual_seed(1)
    config = T5Config(vocab_size=len(names), d_model=24, d_kv=8, d_ff=48, num_layers=2, num_heads=3, dropout_rate=0.0)
    encoder = T5EncoderModel(config).eval()
    encoder.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return encoder, tokenizer


def enliven(module: Any, seed: int) -> None:
    """Random weights that matter: gains off 1, biases off 0, matrices of some size, codebooks spread."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in [*module.named_parameters(), *module.named_buffers()]:
            if not value.is_floating_point() or name.endswith(("inited", "cluster_size", "embed_positions.weights")):
                continue
            if name.endswith(("weight_g", "weight.original0")):
                value.mul_(1 + 0.2 * torch.rand(value.shape, generator=draw))
            elif name.endswith(("embed", "embed_avg")):
                value.copy_(torch.randn(value.shape, generator=draw))
            else:
                value.add_(0.1 * torch.randn(value.shape, generator=draw))


def need(package: str, install: str) -> None:
    """Skip where a package is not installed; fail where nothing may be skipped."""
    if find_spec(package) is None:
        missing(f"{package} is not installed ({install})")


@pytest.fixture(scope="session")
def transformers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny MusicGen as transformers saves one."""
    need("transformers", "pip install '.[musicgen]'")
    import torch
    from transformers import EncodecConfig, MusicgenConfig, MusicgenDecoderConfig, MusicgenForConditionalGeneration

    home = tmp_path_factory.mktemp("published")
    encoder, tokenizer = make_t5(home / "text")
    codec = EncodecConfig(
        sampling_rate=3200, upsampling_ratios=[4, 4, 4], num_filters=4, hidden_size=16, codebook_size=CARD,
        target_bandwidths=[BOOKS * 6 * 50 / 1000], use_causal_conv=False, use_conv_shortcut=False, num_lstm_layers=1,
    )  # fmt: skip
    decoder = MusicgenDecoderConfig(
        vocab_size=CARD, hidden_size=DIM, ffn_dim=2 * DIM, num_hidden_layers=2, num_attention_heads=4,
        num_codebooks=BOOKS, pad_token_id=CARD, bos_token_id=CARD,
    )  # fmt: skip
    torch.manual_seed(2)
    config = MusicgenConfig(text_encoder=encoder.config, audio_encoder=codec, decoder=decoder)
    model = MusicgenForConditionalGeneration(config)
    enliven(model, 3)
    settings = model.generation_config
    settings.pad_token_id = settings.bos_token_id = settings.decoder_start_token_id = CARD
    folder = home / "tiny"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def audiocraft_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny MusicGen as audiocraft exports one (audiocraft.utils.export), without its text encoder; needs audiocraft.
    Half precision, as published."""
    need("transformers", "pip install '.[musicgen]'")
    need("audiocraft", "pip install --no-deps audiocraft==1.3.0")
    home = tmp_path_factory.mktemp("exported")
    make_t5(home / "tiny" / "t5-base")
    write_exports(home / "tiny")
    return home / "tiny"


@pytest.fixture(scope="session")
def write_audiocraft() -> Callable[..., None]:
    """Writes the files of `audiocraft_folder` anew, its configuration edited."""
    return write_exports


def write_exports(folder: Path, edit: Callable[[str], str] = str) -> None:
    """state_dict.bin and compression_state_dict.bin of random weights, for a T5 in the folder; edit: of the language
    model's configuration."""
    import torch

    from affectgen.medicine.musicgen.foreign import part, t5_conditioner
    from affectgen.medicine.musicgen.text_encoder import load_t5

    part("models.builders")
    from audiocraft.models import builders
    from omegaconf import OmegaConf

    torch.manual_seed(4)
    theirs, builders.T5Conditioner = builders.T5Conditioner, t5_conditioner(*load_t5(folder / "t5-base"))
    parts = (
        (edit(LANGUAGE_CONFIG), builders.get_lm_model, "state_dict.bin", 5),
        (CODEC_CONFIG, builders.get_compression_model, "compression_state_dict.bin", 6),
    )
    try:
        for text, build, file, seed in parts:
            config = OmegaConf.create(text)
            saved = OmegaConf.to_yaml(config)
            config.device, config.dtype = "cpu", "float32"
            if "conditioners" in config:
                del config.conditioners.args
            model = build(config)
            enliven(model, seed)
            half = file == "state_dict.bin"
            state = {name: value.half() if half else value for name, value in model.state_dict().items()}
            torch.save({"best_state": state, "xp.cfg": saved, "version": "1.3.0", "exported": True}, folder / file)
    finally:
        builders.T5Conditioner = theirs
