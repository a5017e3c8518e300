"""Folders of one format as models of the other: nothing is lost, and what has no place is refused."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.medicine.musicgen import foreign, text_encoder
from affectgen.medicine.musicgen.codec_names import bandwidth, codec_to_audiocraft, codec_to_transformers
from affectgen.medicine.musicgen.convert import to_audiocraft
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.foreign import as_audiocraft, as_transformers
from affectgen.medicine.musicgen.xpcfg import Config, read_export, read_package

PROMPTS = ["calm solo piano music", "happy fast strings music"]  # of one length: nothing is padded


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


@pytest.fixture
def own(audiocraft_folder: Path, tmp_path: Path) -> Path:
    """A copy of the exported model, to be damaged."""
    return Path(shutil.copytree(audiocraft_folder, tmp_path / "tiny"))


@pytest.mark.parametrize("kind", ["transformers", "audiocraft"])
def test_both_ways_give_the_same_logits_codes_and_sound(kind: str, transformers_folder: Path, audiocraft_folder: Path):
    found = find_musicgen(str({"transformers": transformers_folder, "audiocraft": audiocraft_folder}[kind]))
    assert found.kind == kind
    (model, tokenizer), music = as_transformers(found), as_audiocraft(found)
    from audiocraft.modules.conditioners import ConditioningAttributes

    torch.manual_seed(0)
    codes, sound = torch.randint(0, 64, (2, 4, 9)), 0.3 * torch.randn(1, 1, 2000)
    provider = music.lm.condition_provider
    with torch.no_grad():
        states = provider(provider.tokenize([ConditioningAttributes(text={"description": text}) for text in PROMPTS]))
        one = music.lm(codes, [], states)
        words = tokenizer(PROMPTS, return_tensors="pt", padding=True)
        two = model(**words, decoder_input_ids=codes.reshape(8, 9)).logits.reshape(one.shape)
        theirs, _ = music.compression_model.encode(sound)
        ours = model.audio_encoder.encode(sound, bandwidth=model.audio_encoder.config.target_bandwidths[0])
        wave = music.compression_model.decode(theirs)
        other = model.audio_encoder.decode(ours.audio_codes, [None]).audio_values
    assert one.abs().max() > 1
    assert (one - two).abs().max() < 1e-4
    assert torch.equal(theirs, ours.audio_codes[0])
    assert len(theirs.unique()) > 10
    assert wave.abs().max() > 0.05
    assert (wave - other).abs().max() < 1e-4


def test_every_number_of_the_export_arrives(audiocraft_folder: Path):
    weights, _ = read_export(audiocraft_folder / "state_dict.bin")
    codec, _ = read_export(audiocraft_folder / "compression_state_dict.bin")
    model, _ = as_transformers(find_musicgen(str(audiocraft_folder)))
    back = to_audiocraft(model.state_dict())
    assert set(back) == set(weights)
    assert all(torch.equal(back[name], value.float()) for name, value in weights.items())
    settings = model.audio_encoder.config
    again = codec_to_audiocraft(
        model.audio_encoder.state_dict(), len(settings.upsampling_ratios), settings.num_residual_layers
    )
    assert set(again) == set(codec)
    assert all(torch.equal(again[name], value) for name, value in codec.items())
    assert model.generation_config.max_length == 1500
    assert model.generation_config.decoder_start_token_id == 64


def test_a_converted_model_can_be_saved_as_transformers_saves(audiocraft_folder: Path, tmp_path: Path):
    model, tokenizer = as_transformers(find_musicgen(str(audiocraft_folder)))
    model.save_pretrained(tmp_path / "saved")
    tokenizer.save_pretrained(tmp_path / "saved")
    again, _ = as_transformers(find_musicgen(str(tmp_path / "saved")))
    codes = torch.randint(0, 64, (4, 7))
    with torch.no_grad():
        words = tokenizer(PROMPTS[:1], return_tensors="pt")
        one, two = (each(**words, decoder_input_ids=codes).logits for each in (model, again))
    assert torch.equal(one, two)


def test_the_published_codec_has_the_published_settings():
    """facebook/encodec_32khz, which MusicGen's models hold: four codebooks at 50 frames a second are 2.2 kbit/s."""
    assert bandwidth(4, 2048, 50) == pytest.approx(2.2, abs=1e-3)


@given(st.integers(1, 16), st.integers(1, 12).map(lambda bits: 2**bits), st.integers(1, 200))
def test_codebooks_are_counted_again_from_their_bandwidth(books: int, size: int, rate: int):
    wide = bandwidth(books, size, rate)
    assert int(1000 * wide // (rate * math.ceil(math.log2(size)))) == books
    assert math.floor(wide * 1000 / (math.log2(size) * rate)) == books


@pytest.mark.parametrize(
    "settings",
    [
        {"upsampling_ratios": [1, 5, 8], "num_lstm_layers": 1},
        {"upsampling_ratios": [3, 2], "num_residual_layers": 2, "use_conv_shortcut": True, "dilation_growth_rate": 3},
        {"upsampling_ratios": [4, 2], "use_causal_conv": True, "trim_right_ratio": 0.5, "kernel_size": 5},
        {"upsampling_ratios": [4, 2], "norm_type": "time_group_norm", "compress": 4},
    ],
)
def test_codecs_of_other_forms_sound_the_same_in_audiocraft(settings: dict[str, object]):
    from transformers import EncodecConfig, EncodecModel

    plain = {
        "sampling_rate": 1600,
        "num_filters": 4,
        "hidden_size": 8,
        "codebook_size": 32,
        "target_bandwidths": [24.0],
    }
    config = EncodecConfig(**{**plain, "use_causal_conv": False, "use_conv_shortcut": False, **settings})
    config.target_bandwidths = [bandwidth(3, config.codebook_size, config.frame_rate)]
    torch.manual_seed(0)
    ours = EncodecModel(config).eval()
    for layer in ours.quantizer.layers:
        torch.nn.init.normal_(layer.codebook.embed, std=0.1)
    theirs = foreign._seanet(ours)
    sound = torch.randn(1, 1, 777)
    with torch.no_grad():
        codes = ours.encode(sound).audio_codes[0]
        assert codes.shape[1] == 3
        assert torch.equal(theirs.encode(sound)[0], codes)
        wave = ours.decode(codes[None], [None]).audio_values
        assert wave.abs().max() > 1e-3
        assert (theirs.decode(codes) - wave).abs().max() < 1e-5


def test_codebooks_beyond_the_language_models_are_left_out():
    weights = {f"quantizer.vq.layers.{book}._codebook.embed": torch.zeros(1) for book in range(6)}
    assert sorted(codec_to_transformers(weights, 2)) == [f"quantizer.layers.{book}.codebook.embed" for book in range(2)]
    with pytest.raises(CheckpointError, match=r"hold discriminator\.weight"):
        codec_to_transformers({"discriminator.weight": torch.zeros(1)}, 2)


def test_t5_is_looked_for_in_the_folder_beside_it_and_in_the_cache(own: Path, tmp_path: Path):
    text = Path(shutil.move(own / "t5-base", tmp_path / "t5-base"))
    as_transformers(find_musicgen(str(own)))
    base = tmp_path / "hf" / "hub" / "models--google-t5--t5-base"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text("abc")
    shutil.move(text, base / "snapshots" / "abc")
    as_transformers(find_musicgen(str(own)))
    shutil.rmtree(base)
    for load in (as_transformers, as_audiocraft):
        with pytest.raises(CheckpointError, match=r"t5-base.*hf download google-t5/t5-base config\.json model\.saf"):
            load(find_musicgen(str(own)))


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ({"bias_attn": True}, r"says True for transformer_lm\.bias_attn; MusicGen has False"),
        ({"positional_embedding": "rope"}, "positional_embedding"),
        ({"cross": ["description", "self_wav"]}, r"fuser\.cross"),
        ({"delays": [0, 0, 1, 1]}, r"delays its codebooks by \[0, 0, 1, 1\]"),
        ({"modeling": "parallel"}, "does not delay"),
        ({"n_q": 6}, "delays its codebooks"),
        ({"dim": "wide"}, r"says 'wide' for transformer_lm\.dim; a whole number"),
    ],
)
def test_other_models_of_audiocraft_are_refused(own: Path, new: dict[str, object], said: str):
    package = read_package(own / "state_dict.bin")
    values = yaml.safe_load(package["xp.cfg"])
    tables = (
        values["transformer_lm"],
        values["fuser"],
        values["codebooks_pattern"],
        values["codebooks_pattern"]["delay"],
    )
    ((key, value),) = new.items()
    (table,) = [table for table in tables if key in table]
    table[key] = value
    torch.save({**package, "xp.cfg": yaml.safe_dump(values)}, own / "state_dict.bin")
    for load in (as_transformers, as_audiocraft):
        with pytest.raises(CheckpointError, match=said):
            load(find_musicgen(str(own)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("bins: 64", "bins: 50", "has codebooks of 50, no power of two"),
        ("norm: weight_norm", "norm: none", "layers normalised by 'none'"),
        ("lstm: 2", "lstm: 0", "has no LSTM"),
        ("n_q: 4", "n_q: 3", "has 3 codebooks; the language model wants 4"),
        ("renormalize: false", "renormalize: true", r"says True for encodec\.renormalize; MusicGen has False"),
        ("disable_norm_outer_blocks: 0", "disable_norm_outer_blocks: 1", "disable_norm_outer_blocks"),
    ],
)
def test_codecs_that_transformers_does_not_have_are_refused(own: Path, old: str, new: str, said: str):
    path = own / "compression_state_dict.bin"
    package = read_package(path)
    assert package["xp.cfg"].count(old) == 1
    torch.save({**package, "xp.cfg": package["xp.cfg"].replace(old, new)}, path)
    with pytest.raises(CheckpointError, match=said):
        as_transformers(find_musicgen(str(own)))


def test_damaged_exports_are_told(own: Path):
    found = find_musicgen(str(own))
    package = read_package(own / "state_dict.bin")
    weights = dict(package["best_state"])
    lost = weights.pop("out_norm.bias")
    torch.save({**package, "best_state": weights}, own / "state_dict.bin")
    with pytest.raises(CheckpointError, match=r"lack decoder\.model\.decoder\.layer_norm\.bias"):
        as_transformers(found)
    with pytest.raises(CheckpointError, match="do not fit"):
        as_audiocraft(found)
    torch.save({**package, "best_state": {**weights, "out_norm.bias": lost[:3]}}, own / "state_dict.bin")
    with pytest.raises(CheckpointError, match="do not fit"):
        as_transformers(found)
    torch.save({"best_state": weights}, own / "state_dict.bin")
    with pytest.raises(CheckpointError, match=r"lacks xp\.cfg"):
        as_transformers(found)
    torch.save([1], own / "state_dict.bin")
    with pytest.raises(CheckpointError, match="holds a list"):
        as_transformers(found)
    (own / "state_dict.bin").write_bytes(b"PK nothing")
    with pytest.raises(CheckpointError, match="is damaged"):
        as_transformers(found)


def test_code_in_a_pickle_does_not_run(own: Path):
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return Path.touch, (Path(own / "ran"),)  # type: ignore[return-value]

    torch.save({"best_state": Evil(), "xp.cfg": ""}, own / "state_dict.bin")
    with pytest.raises(CheckpointError, match="is damaged"):
        as_transformers(find_musicgen(str(own)))
    assert not (own / "ran").exists()


def test_a_t5_of_another_width_is_told(own: Path):
    from transformers import T5Config, T5EncoderModel

    small = T5Config(vocab_size=15, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    T5EncoderModel(small).save_pretrained(own / "t5-base")
    for load in (as_transformers, as_audiocraft):
        with pytest.raises(CheckpointError, match=r"reads text states of 24 numbers; the T5 found gives 16.*t5-base"):
            load(find_musicgen(str(own)))


def test_a_codec_that_is_only_named_comes_from_the_cache(own: Path, tmp_path: Path):
    found = find_musicgen(str(own))
    before, _ = as_transformers(found)
    torch.save({"pretrained": "facebook/encodec_32khz", "exported": True}, own / "compression_state_dict.bin")
    with pytest.raises(CheckpointError, match="hf download facebook/encodec_32khz"):
        as_transformers(found)
    base = tmp_path / "hf" / "hub" / "models--facebook--encodec_32khz"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text("abc")
    before.audio_encoder.save_pretrained(base / "snapshots" / "abc")
    after, _ = as_transformers(found)
    music = as_audiocraft(found)
    codes = torch.randint(0, 64, (1, 4, 5))
    with torch.no_grad():
        waves = [each.audio_encoder.decode(codes[None], [None]).audio_values for each in (before, after)]
        waves.append(music.compression_model.decode(codes))
    assert torch.equal(waves[0], waves[1])
    assert (waves[0] - waves[2]).abs().max() < 1e-4


def test_damaged_folders_of_transformers_are_told(transformers_folder: Path, tmp_path: Path):
    folder = Path(shutil.copytree(transformers_folder, tmp_path / "tiny"))
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"The tokenizer of .* cannot be read"):
        as_transformers(find_musicgen(str(folder)))
    (folder / "model.safetensors").write_bytes(b"none")
    with pytest.raises(CheckpointError, match="cannot be read"):
        as_transformers(find_musicgen(str(folder)))


def test_what_is_not_installed_is_named_with_the_line_that_installs_it(
    audiocraft_folder: Path, transformers_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """audiocraft without one of the packages it imports; transformers altogether."""

    def broken(name: str) -> object:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(foreign, "import_module", broken)
    with pytest.raises(AffectgenError, match=r"cannot be imported: No module.*pip install --no-deps audiocraft"):
        as_audiocraft(find_musicgen(str(audiocraft_folder)))
    monkeypatch.setattr(text_encoder, "import_module", broken)
    with pytest.raises(AffectgenError, match=r"MusicGen needs transformers.*pip install 'affectgen\[musicgen\]'"):
        as_transformers(find_musicgen(str(transformers_folder)))


def test_a_model_as_wide_as_its_text_encoder_runs_in_its_own_format_only(own: Path, write_audiocraft, tmp_path: Path):
    """audiocraft always projects the words' states, transformers only where widths differ."""
    from transformers import T5Config, T5EncoderModel

    wide = T5Config(vocab_size=15, d_model=32, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    T5EncoderModel(wide).save_pretrained(own / "t5-base")
    write_audiocraft(own)
    found = find_musicgen(str(own))
    assert as_audiocraft(found).lm.dim == 32
    with pytest.raises(CheckpointError, match=r"as wide as its text encoder.*--backend audiocraft"):
        as_transformers(found)


def test_pointers_in_a_configuration_are_followed():
    values = {
        "rate": 32000,
        "codec": {"rate": "${rate}", "again": "${codec.rate}", "loop": "${codec.loop}"},
        "text": "a ${b}",
    }
    config = Config(values, Path("x"))
    assert config.number("codec.again") == 32000
    assert config.get("text") == "a ${b}"
    assert config.get("codec.none", 3) == config.get("no.such", 3) == 3
    assert config.get("codec.loop") == "${codec.loop}"
    with pytest.raises(CheckpointError, match="x says None for no; a whole number"):
        config.number("no")


def test_settings_of_the_models_stay_json(transformers_folder: Path):
    """What the exporters wrote is what the tests read: the folder is transformers' own."""
    config = json.loads((transformers_folder / "config.json").read_text())
    assert (config["model_type"], config["decoder"]["num_codebooks"]) == ("musicgen", 4)
