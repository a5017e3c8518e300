"""From folders to two checkpoints: what is written, what the cards say, going on, and settings that are held."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from affectgen.affect import Affect
from affectgen.emogen import map_fit
from affectgen.emogen.checkpoint import load_emogen, map_of
from affectgen.emogen.config import EmogenConfig
from affectgen.emogen.data import Song
from affectgen.emogen.produce import held_settings, passes, produce
from affectgen.emogen.train import EmogenTrainOptions, final_weights
from affectgen.errors import AffectgenError, CheckpointError, UsageError
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.nn.distributed import Workers
from affectgen.score.split import is_dev_song

TINY = EmogenConfig(dim=16, layers=1, heads=2, condition=16, hidden=16)
COMMAND = "affectgen emogen train --data d -o mine"


@pytest.fixture(autouse=True)
def centred(monkeypatch):
    """No points are predicted: every clip stands at the centre of its quadrant."""
    monkeypatch.setattr(map_fit, "emopia_points", lambda data: {})


@pytest.fixture
def options(data, tmp_path):
    return EmogenTrainOptions(data, tmp_path / "run", TINY, pretrain=4, finetune=3, rows=2, words=48)


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


def test_a_generator_and_a_map_are_written(options, tmp_path, corpus):
    out = tmp_path / "mine"
    assert produce(options, out, COMMAND) is True
    composer = load_emogen(str(out))
    assert composer.model.config == TINY
    kept, scale = final_weights(options).state_dict(), np.load(options.folder / "scale.npy")
    for name, value in composer.model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), kept[name].half().float().numpy())
    np.testing.assert_array_equal(composer.scale.quantiles, scale.astype(np.float32))
    emotions = map_of(str(out))
    with (corpus / "emopia" / "clips.csv").open(newline="") as file:
        validation = {row["clip"] for row in csv.DictReader(file) if row["split"] == "val"}
    assert len(emotions.clips) == 32
    assert not set(emotions.clips) & validation


def test_the_card_and_the_config_say_how_it_was_made(options, tmp_path):
    out = tmp_path / "mine"
    produce(options, out, COMMAND)
    config = config_of(out)
    training = config["training"]
    assert config["licence"] == "CC-BY-NC-SA-4.0"
    assert (training["command"], training["seed"], training["processes"]) == (COMMAND, 1, 1)
    assert {name: stage["steps"] for name, stage in training["stages"].items()} == {"pretrain": 4, "finetune": 3}
    assert training["stages"]["finetune"]["kept_step"] == 3
    assert training["songs"]["pop1k7"] == 6
    assert training["songs"]["pop909"] == 0
    assert training["songs"]["train"] > 0
    assert training["words"]["pop1k7"] >= 6 * 60
    size = sum(value.numel() for value in load_emogen(str(out)).model.parameters())
    assert training["parameters"] == size
    card = (out / "card.md").read_text()
    assert card.startswith("# mine\n")
    assert f"Command: `{COMMAND}`" in card
    assert "Trained on EMOPIA's clips without their labels, Pop1k7. No label and no clip of the validation" in card
    assert "POP909" not in card
    assert "| pretrain | 4 |" in card
    assert "| finetune | 3 | 3 |" in card
    assert COMMAND in (tmp_path / "mine-map" / "card.md").read_text()
    with (out / "curves.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["stage", "step", "train", "valid"]
    assert list(dict.fromkeys(row[0] for row in rows[1:])) == ["pretrain", "finetune"]


def test_going_on_keeps_sizes_and_scale_and_says_from_what(options, tmp_path, tiny_emogen):
    start = load_checkpoint(str(tiny_emogen))
    going = replace(options, start=str(tiny_emogen), pretrain=0, model=replace(TINY, dim=64, heads=8))
    out = tmp_path / "tuned"
    produce(going, out, COMMAND)
    first, second = load_emogen(str(tiny_emogen)), load_emogen(str(out))
    assert second.model.config == first.model.config
    np.testing.assert_array_equal(second.scale.quantiles, first.scale.quantiles)
    assert second.sha256 != first.sha256
    training = config_of(out)["training"]
    assert training["before"] == {"name": "tiny", "sha256": start.sha256, "training": {}}
    assert list(training["stages"]) == ["finetune"]
    assert f"Goes on from tiny (sha256 {start.sha256[:12]})." in (out / "card.md").read_text()

    third = replace(options, start=str(out), pretrain=0, finetune=2, folder=tmp_path / "run3")
    produce(third, out, COMMAND)
    again = config_of(out)["training"]
    assert again["before"]["sha256"] == second.sha256, "a checkpoint may replace the one it went on from"
    assert again["before"]["training"] == training
    assert again["passes_over_clips"] > training["passes_over_clips"] >= 0
    card = (out / "card.md").read_text()
    assert "| before-finetune | 3 |" in card
    assert f"made by `{COMMAND}` on {training['hardware']}." in card
    assert "| finetune | 2 |" in card
    stages = [line.partition(",")[0] for line in (out / "curves.csv").read_text().splitlines()[1:]]
    assert list(dict.fromkeys(stages)) == ["before-finetune", "finetune"]


def test_a_finished_run_is_exported_again_without_training(options, tmp_path, monkeypatch):
    options = replace(options, pretrain=1, finetune=1)
    produce(options, tmp_path / "one", COMMAND)
    monkeypatch.setattr("affectgen.nn.training.Trainer._one_step", lambda self: 1 / 0)
    produce(options, tmp_path / "two", COMMAND)
    assert load_checkpoint(tmp_path / "one").sha256 == load_checkpoint(tmp_path / "two").sha256


@pytest.mark.parametrize(("changes", "words"), [
    ({"seed": 2}, "seed 1 (now 2)"),
    ({"rows": 3}, "rows 2 (now 3)"),
    ({"finetune": 9}, "finetune 3 (now 9)"),
    ({"rate": 0.5}, "rate 0.0012 (now 0.5)"),
    ({"model": replace(TINY, dim=32)}, "dim 16 (now 32)"),
])  # fmt: skip
def test_a_run_keeps_its_settings(options, tmp_path, changes, words, monkeypatch):
    monkeypatch.setattr("affectgen.emogen.produce.run_train", lambda options, songs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        produce(options, tmp_path / "mine", COMMAND)
    with pytest.raises(UsageError, match="was begun with") as caught:
        produce(replace(options, **changes), tmp_path / "mine", COMMAND)
    assert words in caught.value.message
    with pytest.raises(ZeroDivisionError):
        produce(replace(options, threads=2), tmp_path / "other", COMMAND)


def test_a_start_is_held_by_what_it_is_not_by_its_name(options, tiny_emogen, tmp_path):
    copy = shutil.copytree(tiny_emogen, tmp_path / "copy")
    held = [held_settings(replace(options, start=start)) for start in (None, str(tiny_emogen), str(copy))]
    assert held[1] == held[2] != held[0]
    assert held[1]["from"] == load_checkpoint(str(tiny_emogen)).sha256[:12]
    assert not {"data", "folder", "threads", "device", "start"} & set(held[0])
    assert held == json.loads(json.dumps(held))


def test_passes_count_words_of_clips_without_padding(options):
    def clip(words):
        return Song("x", np.zeros((words, 13), dtype=np.int16), np.zeros(words), np.zeros(words), 0, False)

    alike = [clip(30)] * 4  # shorter than the 48 words of a row
    # 10 steps of 2 rows, two fifths of them clips of 30 words: 240 words of 120
    assert options.stage("finetune").share["emopia"] == 0.4
    assert passes(options, alike, 10) == pytest.approx(240 / 120)
    # of two songs the longer is drawn twice as often, and 48 of its 96 words are a row: 8 rows of 48 words
    assert passes(options, [clip(48), clip(96)], 10) == pytest.approx(8 * 48 / 144)


def test_only_the_first_of_several_processes_writes(options, tmp_path, monkeypatch):

    class Second(Workers):
        first = False

        def wait(self) -> None:
            """There is no first process to wait for."""

    monkeypatch.setattr("affectgen.emogen.produce.run_train", lambda options, songs: None)
    monkeypatch.setattr("affectgen.emogen.produce.Workers.from_environment", lambda: Second(1, 2))
    assert produce(options, tmp_path / "mine", COMMAND) is False
    assert not (tmp_path / "mine").exists()


def test_what_there_is_nothing_to_train_from(options, tmp_path):
    with pytest.raises(AffectgenError, match=r"no emopia/clips\.csv"):
        produce(replace(options, data=tmp_path), tmp_path / "mine", COMMAND)
    with pytest.raises(CheckpointError, match="no checkpoint named 'nothing'"):
        produce(replace(options, start="nothing"), tmp_path / "mine", COMMAND)
    with pytest.raises(UsageError, match="multiple of"):
        produce(replace(options, model=replace(TINY, dim=17)), tmp_path / "mine", COMMAND)
    assert not (tmp_path / "run").exists()


def only(corpus, folder, fits):
    """The corpus without the training clips whose names do not fit; its validation clips stay."""
    data = shutil.copytree(corpus, folder)
    table = data / "emopia" / "clips.csv"
    lines = table.read_text().splitlines()
    kept = [line for line in lines[1:] if line.split(",")[4] == "val" or fits(line.split(",")[0])]
    table.write_text("\n".join([lines[0], *kept]) + "\n")
    return data


@pytest.mark.parametrize("kind", ["train", "dev"])
def test_clips_too_short_to_learn_from_are_an_error_with_a_hint(options, corpus, tmp_path, kind):
    """Pieces of fewer than 60 words are left out; where nothing is left, that is the data's fault and is said so."""

    def fits(clip):
        held = is_dev_song(clip.split("_")[1]) or clip.split("_")[1] == "s04"
        return clip[:2] in ("Q3", "Q4") or held == (kind == "train")

    data = only(corpus, tmp_path / "data", fits)
    with pytest.raises(AffectgenError) as caught:
        produce(replace(options, data=data), tmp_path / "mine", COMMAND)
    assert caught.value.hint


def test_clips_of_one_quadrant_make_a_map_that_can_be_asked(options, corpus, tmp_path):
    """Labels of one's own need not cover the plane."""
    data = only(corpus, tmp_path / "data", lambda clip: clip.startswith("Q1"))
    produce(replace(options, data=data), tmp_path / "mine", COMMAND)
    scale = load_emogen(str(tmp_path / "mine")).scale
    found = map_of(str(tmp_path / "mine")).on(scale).draw(Affect(0.5, 0.5), np.random.default_rng(0))
    assert not np.isinf(found).any()
