"""Where weights are looked for, and what is said where there are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from affectgen.errors import CheckpointError
from affectgen.medicine.musicgen import folder as module
from affectgen.medicine.musicgen import hub
from affectgen.medicine.musicgen.folder import Found, find_musicgen, known_musicgen
from affectgen.medicine.musicgen.hub import MODELS


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, no network."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "AFFECTGEN_MUSICGEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def model(folder: Path, kind: str = "transformers", without: str = "") -> Path:
    """The files of a model, empty but for the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {
        "transformers": ("config.json", "model.safetensors", "tokenizer.json"),
        "audiocraft": ("state_dict.bin", "compression_state_dict.bin"),
    }[kind]
    for name in names:
        if name != without:
            text = json.dumps({"model_type": "musicgen", "decoder": {"audio_channels": 1}})
            (folder / name).write_text(text if name == "config.json" else "")
    return folder


def cache(home: Path, repository: str) -> Path:
    """Where the newest files of a repository are in Hugging Face's cache."""
    base = home / "hub" / f"models--{repository.replace('/', '--')}"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text("abc123")
    return base / "snapshots" / "abc123"


@pytest.mark.parametrize("kind", ["transformers", "audiocraft"])
def test_a_folder_of_either_format(tmp_path: Path, kind: str):
    assert find_musicgen(str(model(tmp_path / "mine", kind))) == Found(kind, tmp_path / "mine", "mine")


def test_a_folder_with_both_is_read_as_transformers_unless_its_weights_lack(tmp_path: Path):
    folder = model(model(tmp_path / "both", "audiocraft"))
    assert find_musicgen(str(folder)).kind == "transformers"
    (folder / "model.safetensors").unlink()
    assert find_musicgen(str(folder)).kind == "audiocraft"


@pytest.mark.parametrize(
    ("kind", "without", "said"),
    [
        ("transformers", "model.safetensors", r"lacks model\.safetensors"),
        ("transformers", "tokenizer.json", r"lacks a tokenizer: tokenizer\.json or spiece\.model"),
        ("transformers", "config.json", r"holds no MusicGen: config\.json, model\.safetensors and a tokenizer"),
        ("audiocraft", "state_dict.bin", r"lacks state_dict\.bin"),
        ("audiocraft", "compression_state_dict.bin", r"lacks compression_state_dict\.bin"),
    ],
)
def test_what_a_folder_lacks_is_named(tmp_path: Path, kind: str, without: str, said: str):
    with pytest.raises(CheckpointError, match=said):
        find_musicgen(str(model(tmp_path / "mine", kind, without)))


def test_pickled_weights_are_not_read(tmp_path: Path):
    folder = model(tmp_path / "mine", without="model.safetensors")
    (folder / "pytorch_model.bin").write_text("")
    with pytest.raises(CheckpointError, match="is a pickle and is not read"):
        find_musicgen(str(folder))


def test_every_part_of_split_weights_is_wanted(tmp_path: Path):
    folder = model(tmp_path / "mine", without="model.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-1.safetensors").write_text("")
    with pytest.raises(CheckpointError, match=r"lacks model-2\.safetensors"):
        find_musicgen(str(folder))
    (folder / "model-2.safetensors").write_text("")
    assert find_musicgen(str(folder)).kind == "transformers"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "t5"}, "a model of type 't5'"),
        ({}, "a model of type None"),
        ({"model_type": "musicgen_melody"}, "a melody model"),
        ({"model_type": "musicgen", "decoder": {"audio_channels": 2}}, "a stereo model"),
        ([], "holds a list"),
    ],
)
def test_models_that_are_not_musicgen_are_told(tmp_path: Path, config: object, said: str):
    folder = model(tmp_path / "mine")
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=said):
        find_musicgen(str(folder))


def test_damaged_settings_and_adapters_are_told(tmp_path: Path):
    folder = model(tmp_path / "mine")
    (folder / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="cannot be read"):
        find_musicgen(str(folder))
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="holds an adapter"):
        find_musicgen(str(adapter))


def test_without_weights_it_says_what_to_download_where_to_put_it_and_the_licence():
    assert known_musicgen() is None
    with pytest.raises(CheckpointError) as caught:
        find_musicgen(None)
    said = str(caught.value)
    for part in (
        'hf download facebook/musicgen-small --exclude "*.bin" --local-dir DIR', "--model DIR",
        "AFFECTGEN_MUSICGEN=DIR", "2.4 GB", "model.safetensors", "CC-BY-NC 4.0", "no commercial use",
        "--engine symbolic",
    ):  # fmt: skip
        assert part in said


def test_larger_models_are_fetched_in_audiocrafts_format_with_t5():
    with pytest.raises(CheckpointError) as caught:
        find_musicgen("facebook/musicgen-medium")
    said = str(caught.value)
    assert "HF_HUB_OFFLINE" in said
    assert "hf download facebook/musicgen-medium state_dict.bin compression_state_dict.bin --local-dir DIR && " in said
    assert "spiece.model tokenizer.json --local-dir DIR/t5-base" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("musicgen-melody", "a melody model"), ("facebook/musicgen-stereo-small", "a stereo model"),
        ("musicgen-style", "a style model"), ("musicgen-tiny", "No MusicGen is called 'musicgen-tiny'"),
        ("no/such/folder", "The MusicGen folder no/such/folder is not there"), ("", "No MusicGen is called ''"),
    ],
)  # fmt: skip
def test_unknown_names_are_told(name: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=said):
        find_musicgen(name)


def test_the_variable_names_a_model_or_a_folder_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "models"
    monkeypatch.setenv("AFFECTGEN_MUSICGEN", str(model(home / "own", "audiocraft")))
    assert find_musicgen(None) == known_musicgen() == Found("audiocraft", home / "own", "own")
    assert find_musicgen("own").folder == home / "own"
    monkeypatch.setenv("AFFECTGEN_MUSICGEN", str(home))
    assert known_musicgen() == Found("audiocraft", home / "own", "own")
    model(home / "other")
    with pytest.raises(CheckpointError, match="several models: other, own"):
        known_musicgen()
    model(home / "musicgen-small")
    assert find_musicgen(None).name == "musicgen-small"
    assert find_musicgen("facebook/musicgen-small").folder == home / "musicgen-small"
    assert find_musicgen("other").folder == home / "other"


def test_a_variable_that_names_no_model_is_an_error_even_without_a_name(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("AFFECTGEN_MUSICGEN", str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match=r"AFFECTGEN_MUSICGEN is .*none, which is no folder"):
        known_musicgen()
    (tmp_path / "none").mkdir()
    with pytest.raises(CheckpointError, match="holds no MusicGen"):
        find_musicgen(None)


def test_the_cache_is_read_offline_by_its_layout(tmp_path: Path):
    snapshot = cache(tmp_path / "hf", "facebook/musicgen-small")
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")  # a download that was broken off
    assert known_musicgen() is None
    assert find_musicgen(str(model(snapshot))).kind == "transformers"
    assert known_musicgen() == Found("transformers", snapshot, "musicgen-small")
    assert find_musicgen("musicgen-small") == find_musicgen(None) == known_musicgen()


def test_a_part_of_a_model_in_the_cache_is_completed_from_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """transformers alone leaves no tokenizer there."""
    snapshot = model(cache(tmp_path / "hf", "facebook/musicgen-small"), without="tokenizer.json")
    assert known_musicgen() is None
    with pytest.raises(CheckpointError, match="musicgen-small is not here, and HF_HUB_OFFLINE is set"):
        find_musicgen("musicgen-small")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(module, "fetched", lambda *_: model(snapshot))
    assert find_musicgen("musicgen-small", lambda _: None).folder == snapshot


def test_huggingfaces_own_code_finds_the_same_folder(tmp_path: Path):
    download = pytest.importorskip("huggingface_hub").snapshot_download
    snapshot = model(cache(tmp_path / "hf", "facebook/musicgen-small"))
    found = download("facebook/musicgen-small", local_files_only=True, cache_dir=tmp_path / "hf" / "hub")
    assert Path(found) == snapshot == find_musicgen("musicgen-small").folder


def test_the_licence_is_said_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    events: list[str] = []

    def fetched(repository: str, files: tuple[str, ...]) -> Path:
        events.append(f"{repository} {' '.join(files)}")
        return model(tmp_path / "got", "audiocraft")

    monkeypatch.setattr(module, "fetched", fetched)
    assert find_musicgen("musicgen-large", events.append).folder == tmp_path / "got"
    assert [event.split()[0] for event in events] == [
        "Downloading", "google-t5/t5-base", "Downloading", "facebook/musicgen-large",
    ]  # fmt: skip
    assert "CC-BY-NC 4.0, no commercial use" in events[2]


def test_of_a_repository_only_what_is_wanted_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    hugging = pytest.importorskip("huggingface_hub")
    asked: list[object] = []

    def download(repository: str, **options: object) -> str:
        asked.append((repository, options))
        return str(tmp_path)

    monkeypatch.setattr(hugging, "snapshot_download", download)
    hub.fetched("facebook/musicgen-small", MODELS["musicgen-small"].files)
    hub.fetched("facebook/musicgen-large", MODELS["musicgen-large"].files)
    assert asked == [
        ("facebook/musicgen-small", {"allow_patterns": None, "ignore_patterns": ["*.bin"]}),
        ("facebook/musicgen-large", {
            "allow_patterns": ["state_dict.bin", "compression_state_dict.bin"], "ignore_patterns": None
        }),
    ]  # fmt: skip


def test_a_network_that_fails_says_what_to_download(monkeypatch: pytest.MonkeyPatch):
    hugging = pytest.importorskip("huggingface_hub")
    monkeypatch.delenv("HF_HUB_OFFLINE")

    def download(*_: object, **__: object) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr(hugging, "snapshot_download", download)
    with pytest.raises(CheckpointError, match=r"no route to host.*hf download facebook/musicgen-small"):
        find_musicgen("musicgen-small", lambda _: None)


def test_a_server_that_is_not_there_is_told(tmp_path: Path):
    """Hugging Face's own client, against a port of this machine that nobody listens at."""
    code = (
        "from affectgen.medicine.musicgen.folder import find_musicgen\n"
        "try: find_musicgen('musicgen-small')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("CheckpointError facebook/musicgen-small could not be downloaded: ")
    assert "hf download facebook/musicgen-small" in done.stdout
    assert done.stderr.startswith("Downloading facebook/musicgen-small, 2.4 GB. Its licence is CC-BY-NC 4.0")


def test_looking_imports_nothing_heavy(tmp_path: Path):
    code = (
        "import sys; from affectgen.medicine.musicgen.folder import known_musicgen; assert known_musicgen() is None;"
        "print([name for name in ('transformers', 'huggingface_hub', 'audiocraft', 'peft') if name in sys.modules])"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
