"""A MusicGen of one format as the model of the other: audiocraft's folders for transformers, and the other way about.

The numbers stay the same; names (convert.py, codec_names.py) and settings are translated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.medicine.musicgen.codec_names import (
    codec_settings,
    codec_to_audiocraft,
    codec_to_transformers,
    seanet_settings,
)
from affectgen.medicine.musicgen.convert import TEXT, TEXT_PROJECTION, to_audiocraft, to_transformers
from affectgen.medicine.musicgen.folder import Found
from affectgen.medicine.musicgen.hub import AUDIOCRAFT, CODEC, LANGUAGE, cached
from affectgen.medicine.musicgen.standins import put_stand_ins
from affectgen.medicine.musicgen.text_encoder import find_t5, load_t5, load_tokenizer, quietly, transformers
from affectgen.medicine.musicgen.xpcfg import Config, opened, read_export, read_package

if TYPE_CHECKING:
    from transformers import MusicgenForConditionalGeneration

SECONDS = 30.0  # that published models were trained to write
GUIDANCE = 3.0
T5 = "t5-base"
UNSET = 20  # transformers' own length where a generation_config says none
SIZES = ("n_q", "card", "dim", "num_heads", "num_layers")
# what audiocraft's settings must be for transformers to have a place for them
FIXED: dict[str, Any] = {
    "lm_model": "transformer_lm", "transformer_lm.norm_first": True, "transformer_lm.norm": "layer_norm",
    "transformer_lm.causal": True, "transformer_lm.past_context": None, "transformer_lm.layer_scale": None,
    "transformer_lm.positional_embedding": "sin", "transformer_lm.positional_scale": 1.0,
    "transformer_lm.max_period": 10000, "transformer_lm.activation": "gelu", "transformer_lm.kv_repeat": 1,
    "transformer_lm.qk_layer_norm": False, "transformer_lm.qk_layer_norm_cross": False,
    "transformer_lm.bias_ff": False, "transformer_lm.bias_attn": False, "transformer_lm.bias_proj": False,
    "fuser.cross": ["description"], "fuser.sum": [], "fuser.prepend": [], "fuser.input_interpolate": [],
    "fuser.cross_attention_pos_emb": False, "interleave_stereo_codebooks.use": False,
    "conditioners.description.model": "t5", "conditioners.description.t5.normalize_text": False,
}  # fmt: skip


def as_transformers(found: Found) -> tuple[MusicgenForConditionalGeneration, Any]:
    """transformers' model (float32, on the CPU, in eval mode) and tokenizer of a folder of either kind. CheckpointError
    where the folder lacks something, or holds a model that transformers has no place for."""
    if found.kind == "transformers":
        return _published(found.folder), load_tokenizer(found.folder)
    weights, config = read_export(found.folder / LANGUAGE)
    _check_language(config)
    encoder, tokenizer = _text_encoder(weights, config)
    if encoder.config.d_model == config.number("transformer_lm.dim"):
        message = f"{config.source} is as wide as its text encoder, whose states transformers then does not project."
        raise CheckpointError(message, "Use --backend audiocraft.")
    return _assembled(to_transformers(weights), config, encoder, _codec(found.folder, config)), tokenizer


def _published(folder: Path) -> Any:
    """transformers' model of its own folder."""
    from safetensors import SafetensorError

    model = transformers().MusicgenForConditionalGeneration
    with quietly():
        try:
            made, told = model.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(f"The MusicGen of {folder} cannot be read: {error}", "Download it again.") from error
    missing = [name for name in told["missing_keys"] if name.startswith(("decoder.", TEXT_PROJECTION))]
    if missing:  # transformers would draw them at random
        raise CheckpointError(f"The weights of {folder} lack {missing[0]}.", "Download them again.")
    return made.float().eval()


def _check_language(config: Config) -> None:
    """CheckpointError for an audiocraft model that is not MusicGen as published, conditioned by words."""
    config.expect(FIXED)
    books, *_ = [config.number(f"transformer_lm.{size}") for size in SIZES]
    if config.get("codebooks_pattern.modeling", "delay") != "delay":
        raise CheckpointError(f"{config.source} does not delay its codebooks.", "Give a MusicGen model.")
    delays = config.get("codebooks_pattern.delay.delays", list(range(books)))
    if delays != list(range(books)) or config.get("codebooks_pattern.delay.flatten_first", 0):
        raise CheckpointError(f"{config.source} delays its codebooks by {delays}.", "Give a mono MusicGen model.")


def _text_encoder(weights: dict[str, Tensor], config: Config) -> tuple[Any, Any]:
    """The T5 that a configuration names, and its tokenizer. CheckpointError where it is not the one that the model was
    trained with."""
    name = str(config.get("conditioners.description.t5.name"))
    encoder, tokenizer = load_t5(find_t5(name, config.source.parent))
    matrix, wide = weights.get(f"{TEXT}.weight"), encoder.config.d_model
    if matrix is not None and matrix.shape[1] != wide:
        message = f"{config.source} reads text states of {matrix.shape[1]} numbers; the T5 found gives {wide}."
        raise CheckpointError(message, f"Give {name}.")
    return encoder, tokenizer


def _assembled(weights: dict[str, Tensor], config: Config, encoder: Any, codec: Any) -> Any:
    """transformers' model of its three parts."""
    package = transformers()
    card = config.number("transformer_lm.card")
    with quietly():
        decoder = package.MusicgenDecoderConfig(
            vocab_size=card, hidden_size=config.number("transformer_lm.dim"),
            ffn_dim=int(config.get("transformer_lm.hidden_scale", 4) * config.number("transformer_lm.dim")),
            num_hidden_layers=config.number("transformer_lm.num_layers"),
            num_attention_heads=config.number("transformer_lm.num_heads"),
            num_codebooks=config.number("transformer_lm.n_q"), dropout=config.get("transformer_lm.dropout", 0.1),
            attention_dropout=config.get("transformer_lm.attention_dropout", config.get("transformer_lm.dropout", 0.1)),
            activation_function="gelu", pad_token_id=card, bos_token_id=card,
        )  # fmt: skip
        # made of its parts' settings, not of its parts: then it would not choose an attention, and lose its masks
        settings = package.MusicgenConfig(text_encoder=encoder.config, audio_encoder=codec.config, decoder=decoder)
        model = package.MusicgenForConditionalGeneration(settings)
    parts = {"text_encoder.": encoder, "audio_encoder.": codec}
    whole = {prefix + name: value for prefix, one in parts.items() for name, value in one.state_dict().items()}
    _fill(model, whole | weights, config.source)
    for settled in (model.generation_config, model.config):
        settled.pad_token_id = settled.bos_token_id = settled.decoder_start_token_id = card
    model.generation_config.guidance_scale = GUIDANCE
    model.generation_config.max_length = round(
        config.get("dataset.segment_duration", SECONDS) * codec.config.frame_rate
    )
    return model.eval()


def trained_frames(model: Any) -> int:
    """Frames of codes that transformers' model was trained to write at once: the generation_config's length, as
    published, else 30 seconds."""
    most = model.generation_config.max_length
    usual = round(SECONDS * model.config.audio_encoder.frame_rate)
    return int(most) if most is not None and most > UNSET else usual


def _fill(module: nn.Module, weights: dict[str, Tensor], source: Path) -> None:
    """Load weights by name. CheckpointError where names or shapes differ."""
    try:
        told = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise CheckpointError(f"The weights of {source} do not fit: {error}", "Download it again.") from error
    if told.missing_keys or told.unexpected_keys:
        missing, more = told.missing_keys, told.unexpected_keys
        what = f"lack {missing[0]}" if missing else f"hold {more[0]}, which is not expected"
        raise CheckpointError(f"The weights of {source} {what}.", "Give a whole MusicGen model.")


def _codec(folder: Path, config: Config) -> Any:
    """transformers' EncodecModel of an audiocraft folder, for a language model's configuration."""
    path, books = folder / CODEC, config.number("transformer_lm.n_q")
    package = read_package(path)
    model = transformers().EncodecModel
    if "pretrained" in package:
        return _named_codec(str(package["pretrained"]), path)
    weights, settings = opened(package, path)
    with quietly():
        codec = model(transformers().EncodecConfig(**codec_settings(settings, books)))
    _fill(codec, codec_to_transformers(weights, books), path)
    return codec.eval()


def _named_codec(name: str, source: Path) -> Any:
    """A codec that a folder only names, from the cache."""
    place = cached(name)
    if place is None:
        message = f"{source} names the codec {name}, which is not on this machine."
        raise CheckpointError(message, f"hf download {name}")
    with quietly():
        return transformers().EncodecModel.from_pretrained(place, local_files_only=True).eval()


def part(name: str) -> Any:
    """A module of audiocraft, its stand-ins put. AffectgenError where it, or what it needs, is not installed."""
    put_stand_ins()
    try:
        return import_module(f"audiocraft.{name}")
    except ImportError as error:
        raise AffectgenError(f"audiocraft cannot be imported: {error}", AUDIOCRAFT) from error


def as_audiocraft(found: Found, device: str = "cpu") -> Any:
    """audiocraft.models.MusicGen of a folder of either kind, with the same numbers (half precision on CUDA, as
    audiocraft has it). CheckpointError as above."""
    part("models.musicgen")
    with quietly():
        return _own(found, device) if found.kind == "audiocraft" else _turned(found, device)


def _turned(found: Found, device: str) -> Any:
    """Of a folder of transformers'."""
    model, tokenizer = as_transformers(found)
    if not hasattr(model, TEXT_PROJECTION):
        message = f"{found.folder} does not project its text states, as audiocraft does."
        raise CheckpointError(message, "Use --backend transformers.")
    config = model.config.decoder
    conditioner = t5_conditioner(model.text_encoder, tokenizer)(T5, config.hidden_size, False, device)
    language = _language(config, conditioner, device)
    _fill(language, to_audiocraft(model.state_dict()), found.folder)
    codec = _seanet(model.audio_encoder).to(device)
    seconds = trained_frames(model) / codec.frame_rate
    return part("models.musicgen").MusicGen(found.name, codec, language.to(device), max_duration=seconds)


def _own(found: Found, device: str) -> Any:
    """By audiocraft's own loaders, but for its T5, and a codec that is only named."""
    loaders = part("models.loaders")
    weights, config = read_export(found.folder / LANGUAGE)
    _check_language(config)
    encoder, tokenizer = _text_encoder(weights, config)
    del weights
    try:
        with _t5_given(encoder, tokenizer):
            language = loaders.load_lm_model(str(found.folder), device=device)
    except RuntimeError as error:
        raise CheckpointError(f"The weights of {config.source} do not fit: {error}", "Download it again.") from error
    if "pretrained" in read_package(found.folder / CODEC):
        codec = _seanet(_codec(found.folder, config)).to(device)
    else:
        codec = loaders.load_compression_model(str(found.folder), device=device)
    return part("models.musicgen").MusicGen(found.name, codec, language)


def t5_conditioner(encoder: Any, tokenizer: Any) -> Callable[..., Any]:
    """audiocraft's T5Conditioner, made of a T5 that is at hand instead of one by name."""
    conditioners = part("modules.conditioners")
    autocast = part("utils.autocast").TorchAutocast

    def start(self: Any, name: str, output_dim: int, finetune: bool, device: str, *_: Any, **given: Any) -> None:
        conditioners.TextConditioner.__init__(self, encoder.config.d_model, output_dim)
        self.device, self.name, self.finetune = device, name, finetune
        self.word_dropout = given.get("word_dropout", 0.0)
        self.normalize_text = False
        self.autocast = autocast(enabled=False)
        self.t5_tokenizer = tokenizer
        self.__dict__["t5"] = encoder.to(device)  # not a submodule, so that it is no part of the weights

    return type("LocalT5Conditioner", (conditioners.T5Conditioner,), {"__init__": start})


@contextmanager
def _t5_given(encoder: Any, tokenizer: Any) -> Iterator[None]:
    """Within, audiocraft's builders take this T5."""
    builders = part("models.builders")
    theirs = builders.T5Conditioner
    builders.T5Conditioner = t5_conditioner(encoder, tokenizer)
    try:
        yield
    finally:
        builders.T5Conditioner = theirs


def _language(config: Any, conditioner: Any, device: str) -> Any:
    """audiocraft's language model of transformers' MusicgenDecoderConfig, as its published models are set."""
    import torch

    conditioners = part("modules.conditioners")
    pattern = part("modules.codebooks_patterns").DelayedPatternProvider(n_q=config.num_codebooks)
    provider = conditioners.ConditioningProvider({"description": conditioner}, device=device)
    fuser = conditioners.ConditionFuser({"cross": ["description"], "sum": [], "prepend": [], "input_interpolate": []})
    model = part("models.lm").LMModel(
        pattern, provider, fuser, n_q=config.num_codebooks, card=config.vocab_size, dim=config.hidden_size,
        num_heads=config.num_attention_heads, hidden_scale=config.ffn_dim / config.hidden_size, norm_first=True,
        bias_proj=False, cfg_coef=GUIDANCE, num_layers=config.num_hidden_layers, dropout=config.dropout,
        attention_dropout=config.attention_dropout, activation=config.activation_function, bias_ff=False,
        bias_attn=False, causal=True, memory_efficient=True, cross_attention=True,
        dtype=torch.float32 if device == "cpu" else torch.float16, device=device,
    )  # fmt: skip
    return model.eval()


def _seanet(codec: Any) -> Any:
    """audiocraft's EncodecModel of transformers', on the CPU."""
    config = codec.config
    modules, settings = part("modules"), seanet_settings(config)
    books = int(codec.quantizer.num_quantizers)
    quantizer = part("quantization").ResidualVectorQuantizer(
        dimension=config.hidden_size, n_q=books, bins=config.codebook_size, kmeans_init=False
    )
    rate = math.ceil(config.sampling_rate / math.prod(config.upsampling_ratios))
    made = part("models.encodec").EncodecModel(
        modules.SEANetEncoder(**settings),
        modules.SEANetDecoder(**settings, trim_right_ratio=config.trim_right_ratio),
        quantizer, frame_rate=rate, sample_rate=config.sampling_rate, channels=config.audio_channels,
        causal=config.use_causal_conv, renormalize=False,
    )  # fmt: skip
    weights = codec_to_audiocraft(codec.state_dict(), len(config.upsampling_ratios), config.num_residual_layers)
    _fill(made, weights, Path(str(config.name_or_path) or CODEC))
    return made.eval()
