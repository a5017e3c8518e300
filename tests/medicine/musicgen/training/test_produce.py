"""From recordings to an adapter: what is written, and that both peft and `add_adapter` read it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from lacking import missing

from affectgen.affect.labels import LABELS_VERSION
from affectgen.errors import AffectgenError, AudioError, UsageError
from affectgen.medicine.musicgen.affect import AffectSum
from affectgen.medicine.musicgen.backend import BACKENDS, load_musicgen
from affectgen.medicine.musicgen.decoding import generate
from affectgen.medicine.musicgen.interface import Row, Sampling
from affectgen.medicine.musicgen.training import produce as module
from affectgen.medicine.musicgen.training.adapter import base_licence, check_apart, check_target, staged
from affectgen.medicine.musicgen.training.base import AFFECT, load_base
from affectgen.medicine.musicgen.training.options import LoraOptions
from affectgen.medicine.musicgen.training.produce import produce

FILES = {"adapter_config.json", "adapter_model.safetensors", "affectgen.json", "card.md", "log.csv"}
POINTS, KNOWN = torch.tensor([[0.9, -0.7]]), torch.tensor([True])


def logits_of(music: Any) -> torch.Tensor:
    codes = torch.randint(0, music.shape.card, (1, music.shape.books, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        states, mask = music.states(["calm piano"], POINTS, KNOWN)
        return music.forward_codes(codes, states, mask)


def test_an_adapter_is_written_and_read(
    options: Callable[..., LoraOptions], transformers_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    peft = pytest.importorskip("peft")
    kept: list[torch.Tensor] = []
    plain = module.export

    def watched(asked: LoraOptions, music: Any, *rest: Any) -> None:
        kept.append(logits_of(music))
        plain(asked, music, *rest)

    monkeypatch.setattr(module, "export", watched)
    out = tmp_path / "adapter"
    given = replace(options(rate=3e-3), samples=2)
    assert produce(given, out, "affectgen medicine train ...")
    assert {path.name for path in out.iterdir()} == {*FILES, "samples"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    fresh = load_base(str(transformers_folder), "cpu")
    base = logits_of(fresh)
    fresh.add_adapter(out)
    assert torch.allclose(logits_of(fresh), kept[0], atol=1e-4)
    assert (logits_of(fresh) - base).abs().max() > 0.01

    other = load_base(str(transformers_folder), "cpu")
    loaded = peft.PeftModel.from_pretrained(other.model, out)
    assert torch.allclose(logits_of(other), kept[0], atol=1e-4)
    assert loaded.peft_config["default"].r == 16

    note = json.loads((out / "affectgen.json").read_text())
    assert note["base"] | {"shape": 0} == fresh_identity(transformers_folder) | {"shape": 0}
    assert (note["labels_version"], note["seed"]) == (LABELS_VERSION, 1)
    assert (note["data"]["files"], note["data"]["valid_files"], note["training"]["steps"]) == (6, 1, 6)
    card = (out / "card.md").read_text()
    for said in ("affectgen medicine train ...", note["base"]["sha256"], "CC BY-NC 4.0", note["data"]["labels_sha256"]):
        assert said in card
    text = (out / "adapter_config.json").read_text()
    assert str(tmp_path) not in text + card + (out / "affectgen.json").read_text()
    assert json.loads(text)["base_model_name_or_path"] == transformers_folder.name

    with (out / "samples" / "samples.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["before-1.wav", "before-2.wav", "after-1.wav", "after-2.wav"]
    assert [row["seed"] for row in rows] == ["1", "2", "1", "2"]
    assert [float(row["arousal"]) for row in rows] == pytest.approx([0.601, -0.601] * 2, abs=1e-3)
    for row in rows:
        assert soundfile.info(out / "samples" / row["file"]).frames == 0.5 * 3200
    first, _ = soundfile.read(out / "samples" / "before-1.wav")
    assert (first != soundfile.read(out / "samples" / "after-1.wav")[0]).any()


def fresh_identity(folder: Path) -> dict[str, Any]:
    return dict(load_base(str(folder), "cpu").identity)


@pytest.mark.parametrize("kind", ["transformers", "audiocraft"])
def test_both_backends_take_the_adapter(
    options: Callable[..., LoraOptions], tmp_path: Path, request: pytest.FixtureRequest, kind: str
):
    """Of a base in either format; greedy codes, so that they can be compared."""
    if find_spec("audiocraft") is None:
        missing("audiocraft is not installed (pip install --no-deps audiocraft==1.3.0)")
    folder = request.getfixturevalue(f"{kind}_folder")
    produce(replace(options(rate=2e-2), base=str(folder)), tmp_path / "adapter", "x")
    row, greedy = Row("calm piano", (0.9, -0.7), 0), Sampling(temperature=0, guidance=1.0)

    def codes(backend: str, adapter: Path | None) -> torch.Tensor:
        return generate(load_musicgen(str(folder), backend, "cpu", adapter), [row], 8, greedy)

    one, two = (codes(backend, tmp_path / "adapter") for backend in BACKENDS)
    assert torch.equal(one, two)
    assert not torch.equal(one, codes("transformers", None))


def test_plain_transformers_takes_the_adapter(
    options: Callable[..., LoraOptions], transformers_folder: Path, tmp_path: Path
):
    """With the affect's part as a module of the model, as a few lines of the documentation say."""
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    produce(options(), tmp_path / "adapter", "x")
    model = transformers.MusicgenForConditionalGeneration.from_pretrained(transformers_folder)
    model.add_module(AFFECT, AffectSum(model.decoder.config.hidden_size))
    loaded = peft.PeftModel.from_pretrained(model, tmp_path / "adapter")
    weights = {name: value for name, value in loaded.named_parameters() if "lora_B" in name}
    assert len(weights) == 20
    assert all(value.abs().max() > 0 for value in weights.values())
    assert model.affect_sum.modules_to_save["default"].out.weight.abs().max() > 0


def test_a_run_holds_to_its_settings(options: Callable[..., LoraOptions], tmp_path: Path):
    given = options()
    produce(given, tmp_path / "one", "x")
    again = tmp_path / "again"
    produce(given, again, "x")  # is over at once, and gives the same
    name = "adapter_model.safetensors"
    assert (again / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    for other in (replace(given, seed=2), options(rate=1e-3), options(align=1.0)):
        with pytest.raises(UsageError, match=r"was begun with .*(seed 1|rate 0.01|align 0.0)"):
            produce(other, tmp_path / "two", "x")
    labels = tmp_path / "other.csv"
    labels.write_text(given.corpus.labels.read_text().replace("-0.80", "-0.70"))  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="was begun with data"):
        produce(replace(given, corpus=replace(given.corpus, labels=labels)), tmp_path / "two", "x")


def test_the_seed_decides_the_weights(options: Callable[..., LoraOptions], tmp_path: Path):
    made = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        produce(replace(options(name, steps=2), seed=seed), tmp_path / f"out-{name}", "x")
        made.append((tmp_path / f"out-{name}" / "adapter_model.safetensors").read_bytes())
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_damaged_recordings(options: Callable[..., LoraOptions], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    given = options(steps=1)
    audio = tmp_path / "audio"
    shutil.copytree(given.corpus.audio, audio)
    (audio / "s2.wav").write_bytes(b"RIFF")
    corpus = replace(given.corpus, audio=audio)
    with pytest.raises(AudioError, match=r"s2\.wav is not audio") as caught:
        produce(replace(given, corpus=corpus), tmp_path / "out", "x")
    assert caught.value.hint == "1 of 6 are damaged; go on without them by --skip-damaged."
    produce(replace(given, corpus=replace(corpus, skip_damaged=True)), tmp_path / "out", "x")
    assert "left out s2.wav" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "affectgen.json").read_text())["data"]["files"] == 5


@pytest.mark.parametrize("layer", [0, 1])
def test_alignment_with_the_guide(options: Callable[..., LoraOptions], tmp_path: Path, layer: int):
    given = options(steps=12, align=2.0, align_layer=layer, rate=2e-2, validate_every=4)
    produce(given, tmp_path / "out", "x")
    with (tmp_path / "out" / "log.csv").open() as file:
        aligned = [float(row["align"]) for row in csv.DictReader(file)]
    assert len(aligned) == 3
    assert all(0 <= value <= 2 for value in aligned)
    from safetensors import safe_open

    with safe_open(tmp_path / "out" / "adapter_model.safetensors", "pt") as file:
        assert not [name for name in file.keys() if "project" in name]  # noqa: SIM118


def test_where_an_adapter_may_be_written(tmp_path: Path):
    check_target(tmp_path / "new", False)
    (tmp_path / "file").touch()
    with pytest.raises(AffectgenError, match="is a file, and a folder was expected"):
        check_target(tmp_path / "file", True)
    with pytest.raises(AffectgenError, match="does not exist"):
        check_target(tmp_path / "no" / "where", True)
    (tmp_path / "mine").mkdir()
    check_target(tmp_path / "mine", False)
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(AffectgenError, match="holds something that is no adapter"):
        check_target(tmp_path / "mine", True)
    (tmp_path / "mine" / "adapter_config.json").touch()
    with pytest.raises(AffectgenError, match="holds an adapter already") as caught:
        check_target(tmp_path / "mine", False)
    assert "--force" in caught.value.hint
    with pytest.raises(AffectgenError, match=r"Beside an adapter .* holds thesis\.txt, which would be lost"):
        check_target(tmp_path / "mine", True)
    (tmp_path / "mine" / "thesis.txt").unlink()
    check_target(tmp_path / "mine", True)


def test_nothing_that_is_needed_lies_in_the_adapters_folder(tmp_path: Path):
    check_apart(tmp_path / "out", run=tmp_path / "out.run", audio=tmp_path)
    for inside in (tmp_path / "out", tmp_path / "out" / "deep" / "run"):
        with pytest.raises(UsageError, match=r"--run .* lies in the adapter's folder"):
            check_apart(tmp_path / "out", run=inside)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path):
    out = tmp_path / "out"
    for text in ("one", "two"):
        with staged(out) as folder:
            (folder / "x").write_text(text)
            assert not out.exists() or (out / "x").read_text() == "one"
        assert (out / "x").read_text() == text
    with pytest.raises(KeyboardInterrupt), staged(out) as folder:
        (folder / "x").write_text("three")
        raise KeyboardInterrupt
    assert (out / "x").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_licence_of_a_base(tmp_path: Path):
    assert "CC BY-NC 4.0" in base_licence(tmp_path)
    (tmp_path / "README.md").write_text("---\ntags:\n- musicgen\nlicense: cc-by-sa-4.0\n---\n# Mine\n")
    assert base_licence(tmp_path) == "cc-by-sa-4.0"
