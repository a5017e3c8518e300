"""LoRA adapters of both backends: peft's own logits, whichever model they were made on and are put on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from affectgen.errors import CheckpointError
from affectgen.medicine.musicgen.adapter_files import Adapter, Pair, read_adapter
from affectgen.medicine.musicgen.adapters import adapter_to_audiocraft, adapter_to_transformers, turned
from affectgen.medicine.musicgen.affect import affect_tensors
from affectgen.medicine.musicgen.audiocraft_backend import AudiocraftMusicGen, load_audiocraft
from affectgen.medicine.musicgen.convert import DECODER, PARTS
from affectgen.medicine.musicgen.delay import delayed, undelayed_logits
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.interface import MusicGen, Row
from affectgen.medicine.musicgen.transformers_backend import TransformersMusicGen, load_transformers

ROWS = [Row("calm solo piano music", (0.6, -0.4), 1), Row("happy strings", None, 2)]
CODES = torch.randint(0, 64, (2, 4, 6), generator=torch.Generator().manual_seed(0))
TOLERANCE = 1e-4
SIZES = {"dim": 32, "layers": 2, "heads": 4, "ffn": 64, "books": 4, "card": 64}  # of the tiny model of transformers'
TARGETS = r"decoder\..*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)|enc_to_dec_proj|decoder\.lm_heads\.[12]"
PLAIN: dict[str, Any] = {"r": 4, "lora_alpha": 6, "target_modules": TARGETS, "lora_dropout": 0.05}
# names of the settings, and what differs from the plain ones
KINDS = {
    "plain": {},
    "rank-stabilised": {"use_rslora": True},
    "patterns": {
        "rank_pattern": {"k_proj": 2, "fc1": 7}, "alpha_pattern": {r"layers\.1\.self_attn\.v_proj": 11, "out_proj": 1}
    },
    "some": {"target_modules": ["q_proj", "v_proj"]},
}  # fmt: skip


def fresh(folder: Path, backend: str) -> Any:
    found = find_musicgen(str(folder))
    return load_transformers(found, "cpu", "float32") if backend == "transformers" else load_audiocraft(found)


def enliven(model: Any) -> None:
    """LoRA weights and the affect conditioner's off their zeros."""
    torch.manual_seed(1)
    for name, value in model.named_parameters():
        if "lora_" in name or "modules_to_save" in name:
            torch.nn.init.normal_(value, std=0.2)


def through_modules(music: TransformersMusicGen) -> Tensor:
    """Logits of CODES with whatever peft put into the model's modules."""
    affect, known = affect_tensors([row.affect for row in ROWS], music.device)
    music.model.eval()
    with torch.no_grad():
        return music.forward_codes(CODES, *music.states([row.prompt for row in ROWS], affect, known))


def written(music: MusicGen) -> Tensor:
    """The same by the interface, a position at a time."""
    positions = delayed(CODES, 64)[..., :-1]
    stepper = music.begin(ROWS, 1.0, positions.shape[-1])
    return undelayed_logits(torch.stack([stepper.step(one) for one in positions.split(1, dim=2)], dim=2))


def trained(music: TransformersMusicGen, out: Path, **more: Any) -> Tensor:
    """Save a peft adapter of a model; its logits."""
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(music.model, LoraConfig(**{**PLAIN, **more}, modules_to_save=["affect_sum"]))
    enliven(model)
    model.save_pretrained(out)
    return through_modules(music)


@pytest.fixture(scope="module")
def made(transformers_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that peft made on transformers' model."""
    out = tmp_path_factory.mktemp("adapter") / "plain"
    trained(fresh(transformers_folder, "transformers"), out)
    return out


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_adapter_of_transformers_on_every_model(
    kind: str, transformers_folder: Path, audiocraft_folder: Path, tmp_path: Path
):
    from peft import PeftModel

    expected = trained(fresh(transformers_folder, "transformers"), tmp_path / "made", **KINDS[kind])
    plain = through_modules(fresh(transformers_folder, "transformers"))
    assert (expected - plain).abs().max() > 0.5
    for backend in ("transformers", "audiocraft"):  # merged by this package
        music = fresh(transformers_folder, backend)
        music.add_adapter(tmp_path / "made")
        assert (written(music) - expected).abs().max() < TOLERANCE
        assert music.identity["adapter"] == "made"
        assert len(music.identity["adapter_sha256"]) == 64
    adapter_to_audiocraft(tmp_path / "made", tmp_path / "theirs")  # loaded by peft on audiocraft's model
    theirs = fresh(transformers_folder, "audiocraft")
    PeftModel.from_pretrained(theirs.lm, tmp_path / "theirs")
    theirs.affect = theirs.lm.affect_sum
    assert (written(theirs) - expected).abs().max() < TOLERANCE
    adapter_to_transformers(tmp_path / "theirs", tmp_path / "back")  # and back again
    ours = fresh(transformers_folder, "transformers")
    PeftModel.from_pretrained(ours.model, tmp_path / "back")
    assert (through_modules(ours) - expected).abs().max() < TOLERANCE


def test_an_adapter_of_audiocraft_on_every_model(audiocraft_folder: Path, tmp_path: Path):
    from peft import LoraConfig, PeftModel, get_peft_model

    theirs: AudiocraftMusicGen = fresh(audiocraft_folder, "audiocraft")
    plain = written(theirs)
    config = LoraConfig(
        r=3, lora_alpha=5, target_modules=["out_proj", "linear1", "linear2"], rank_pattern={"linear1": 2},
        target_parameters=["self_attn.in_proj_weight", "cross_attention.in_proj_weight"],
        modules_to_save=["affect_sum"],
    )  # fmt: skip
    model = get_peft_model(theirs.lm, config)
    enliven(model)
    model.save_pretrained(tmp_path / "made")
    theirs.affect = theirs.lm.affect_sum
    theirs.lm.eval()
    expected = written(theirs)
    assert (expected - plain).abs().max() > 0.5
    for backend in ("transformers", "audiocraft"):
        music = fresh(audiocraft_folder, backend)
        music.add_adapter(tmp_path / "made")
        assert (written(music) - expected).abs().max() < TOLERANCE
    adapter_to_transformers(tmp_path / "made", tmp_path / "ours")
    ours = fresh(audiocraft_folder, "transformers")
    PeftModel.from_pretrained(ours.model, tmp_path / "ours")
    assert (through_modules(ours) - expected).abs().max() < TOLERANCE


def test_ranks_of_what_is_written(made: Path, tmp_path: Path):
    """Query, key and value of rank 4 are one of rank 12; query, key and value of it share their A."""
    adapter_to_audiocraft(made, tmp_path / "theirs")
    config = json.loads((tmp_path / "theirs" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (12, 12, 0.0)
    assert set(config["rank_pattern"].values()) == set(config["alpha_pattern"].values()) == {4}
    assert "transformer.layers.0.cross_attention.in_proj_weight" in config["target_parameters"]
    weights = load_file(tmp_path / "theirs" / "adapter_model.safetensors")
    up = weights["base_model.model.transformer.layers.1.self_attn.lora_B.weight"]
    assert up.shape == (96, 12)
    assert up[:32, 4:].abs().max() == up[32:64, :4].abs().max() == up[64:, :8].abs().max() == 0
    assert "base_model.model.transformer.layers.1.self_attn.base_layer.out_proj.lora_A.weight" in weights


sizes = st.integers(1, 3)


@settings(deadline=None, max_examples=40)
@given(ranks=st.dictionaries(st.sampled_from(PARTS), sizes, min_size=1), dim=st.integers(1, 5), seed=st.integers(0, 99))
def test_turning_there_and_back_changes_no_matrix(ranks: dict[str, int], dim: int, seed: int):
    draw = torch.Generator().manual_seed(seed)
    home = f"{DECODER}.layers.0.encoder_attn"
    pairs = {
        f"{home}.{part}.weight": Pair(torch.randn(rank, dim, generator=draw), torch.randn(dim, rank, generator=draw))
        for part, rank in ranks.items()
    }
    pairs[f"{DECODER}.layers.0.fc1.weight"] = Pair(torch.ones(1, dim), torch.ones(2, 1))
    adapter = Adapter("transformers", pairs, {}, {}, {})
    theirs = turned(adapter, "audiocraft")
    assert set(theirs.pairs) == {
        "transformer.layers.0.cross_attention.in_proj_weight", "transformer.layers.0.linear1.weight"
    }  # fmt: skip
    packed = theirs.pairs["transformer.layers.0.cross_attention.in_proj_weight"]
    nothing = torch.zeros(dim, dim)
    wanted = [pairs[name].delta() if (name := f"{home}.{part}.weight") in pairs else nothing for part in PARTS]
    assert packed.rank == sum(ranks.values())
    assert (packed.delta() - torch.cat(wanted)).abs().max() < 1e-5
    back = turned(theirs, "transformers")
    assert back.kind == "transformers"
    assert all((back.pairs[name].delta() - pair.delta()).abs().max() < 1e-5 for name, pair in pairs.items())


def edited(made: Path, out: Path, config: dict[str, Any] | None = None, rename: tuple[str, str] = ("", "")) -> Path:
    """The adapter with other settings, or other names of weights."""
    out.mkdir()
    known = json.loads((made / "adapter_config.json").read_text())
    (out / "adapter_config.json").write_text(json.dumps({**known, **({} if config is None else config)}))
    weights = load_file(made / "adapter_model.safetensors")
    save_file(
        {name.replace(*rename) if rename[0] else name: v for name, v in weights.items()},
        out / "adapter_model.safetensors",
    )
    return out


@pytest.mark.parametrize(
    ("config", "rename", "said"),
    [
        ({"peft_type": "IA3"}, ("", ""), "is 'IA3'; LORA was expected"),
        ({"use_dora": True}, ("", ""), "has use_dora, which is not supported"),
        ({"bias": "all"}, ("", ""), "trains biases"),
        ({}, ("fc1.lora_A", "fc1.lora_embedding_A"), "which is neither LoRA nor affect_sum"),
        ({}, ("0.fc1.lora_A", "0.fc9.lora_A"), r"has no whole pair for .*layers\.0\.fc"),
        ({}, ("decoder.lm_heads.1", "decoder.lm_body.1"), r"adapts decoder\.lm_body\.1\.weight, which the other"),
    ],
)
def test_adapters_that_cannot_be_turned_are_refused(made: Path, tmp_path: Path, config, rename, said: str):
    folder = edited(made, tmp_path / "edited", config, rename)
    with pytest.raises(CheckpointError, match=said):
        adapter_to_audiocraft(folder, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["edited"]


def test_folders_that_hold_no_adapter_are_told(made: Path, tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"holds no adapter: adapter_config\.json is missing"):
        read_adapter(tmp_path)
    folder = edited(made, tmp_path / "edited")
    (folder / "adapter_model.safetensors").write_bytes(b"none")
    with pytest.raises(CheckpointError, match=r"adapter_model\.safetensors is damaged"):
        read_adapter(folder)
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(CheckpointError, match="is a pickle and is not read"):
        read_adapter(folder)
    (folder / "adapter_config.json").write_text("[]")
    with pytest.raises(CheckpointError, match="holds a list"):
        read_adapter(folder)
    with pytest.raises(CheckpointError, match="exists already"):
        adapter_to_audiocraft(made, folder)


@pytest.mark.parametrize("backend", ["transformers", "audiocraft"])
def test_an_adapter_of_another_base_changes_nothing(
    backend: str, made: Path, transformers_folder: Path, tmp_path: Path
):
    music = fresh(transformers_folder, backend)
    before = written(music)
    more = edited(made, tmp_path / "more", rename=("layers.1.", "layers.7."))
    with pytest.raises(CheckpointError, match=r"was trained on another base: it changes .*layers\.7\..*lacks it"):
        music.add_adapter(more)
    weights = load_file(made / "adapter_model.safetensors")
    wide = {name: torch.ones(40, 4) if name.endswith("fc2.lora_B.weight") else value for name, value in weights.items()}
    save_file(wide, more / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match="of 40 x 64, and this model has 32 x 64 there"):
        music.add_adapter(more)
    small = {name: value[:7] if name.endswith("affect_sum.out.weight") else value for name, value in weights.items()}
    save_file(small, more / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match=r"The affect conditioner of .* is of another shape"):
        music.add_adapter(more)
    save_file(weights, more / "adapter_model.safetensors")
    (more / "affectgen.json").write_text(json.dumps({"base": {"name": "big", "shape": {**SIZES, "heads": 9}}}))
    with pytest.raises(CheckpointError, match=r"was trained on big: heads 9 \(here 4\)"):
        music.add_adapter(more)
    assert torch.equal(written(music), before)
    assert "adapter" not in music.identity


@pytest.mark.parametrize("backend", ["transformers", "audiocraft"])
def test_other_weights_of_the_same_shape_only_warn(backend: str, made: Path, transformers_folder: Path, tmp_path: Path):
    music = fresh(transformers_folder, backend)
    folder = edited(made, tmp_path / "edited")
    note = {"base": {"name": "tiny", "sha256": music.identity["sha256"], "shape": SIZES}}
    (folder / "affectgen.json").write_text(json.dumps(note))
    music.add_adapter(folder)
    assert not music.warnings
    note["base"]["sha256"] = "0" * 64
    (folder / "affectgen.json").write_text(json.dumps(note))
    music.add_adapter(folder)
    (warning,) = music.warnings
    assert "was trained on tiny, whose weights are others" in warning


def test_the_note_goes_along(made: Path, tmp_path: Path):
    folder = edited(made, tmp_path / "edited")
    (folder / "affectgen.json").write_text(json.dumps({"base": {"name": "x"}, "seed": 3}))
    adapter_to_audiocraft(folder, tmp_path / "out")
    assert read_adapter(tmp_path / "out").note == {"base": {"name": "x"}, "seed": 3}
