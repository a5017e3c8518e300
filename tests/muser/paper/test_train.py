import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from affectgen.errors import AffectgenError, CheckpointError, UsageError
from affectgen.muser.compose import Request
from affectgen.muser.data import save_songs
from affectgen.muser.paper.checkpoint import KIND, load_paper
from affectgen.muser.paper.export import export_paper
from affectgen.muser.paper.model import PaperModel
from affectgen.muser.paper.train import PRIOR, VQVAE, PaperTrainOptions, draw_seed, paper_songs, run_paper
from affectgen.nn.training import LOG


@pytest.fixture(scope="module")
def run(tmp_path_factory, songs):
    """A finished run of a few steps in its folder, and its checkpoint."""
    top = tmp_path_factory.mktemp("paper")
    save_songs(top / "songs-train.npz", songs)
    save_songs(top / "songs-dev.npz", songs[:2])
    config = tiny_config()
    options = PaperTrainOptions(
        data=Path("nowhere"), folder=top / "run", model=config, songs=top, steps=8, prior=8, rows=4, validate_every=2
    )
    done = run_paper(options)
    export_paper(options, paper_songs(options), top / "muser-paper", "affectgen muser train --structure paper")
    return options, done, top / "muser-paper"


def tiny_config():
    from affectgen.muser.paper.config import PaperConfig

    return PaperConfig(
        dim=32, heads=2, encoder_layers=1, decoder_layers=1, element_dim=16, element_layers=1, element_heads=1,
        codes=24, embeddings=(4, 4, 4, 4, 8, 4, 4), most_words=64, prior_dim=32, prior_layers=1, prior_heads=2,
    )  # fmt: skip


def test_both_stages_leave_their_logs(run):
    options, done, _ = run
    assert set(done) == {VQVAE, PRIOR}
    for stage in (VQVAE, PRIOR):
        with (options.folder / stage / LOG).open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["step"]) for row in rows] == [2, 4, 6, 8]
        assert min(float(row["loss"]) for row in rows) == pytest.approx(done[stage].best, abs=1e-3)
        assert done[stage].best < float(rows[0]["loss"]) + 1e-3


def test_a_finished_run_is_not_trained_again(run):
    options, done, _ = run
    again = run_paper(options)
    assert again[VQVAE].best == done[VQVAE].best
    assert again[VQVAE].steps == 8


def test_the_checkpoint_composes(run):
    options, _, folder = run
    composer = load_paper(str(folder))
    assert composer.config == options.model
    assert composer.name == "muser-paper"
    assert len(composer.sha256) == 64
    assert len(composer.attribute_spread) == 7
    model = PaperModel(options.model)
    model.load_state_dict(torch.load(options.folder / VQVAE / "best.pt", weights_only=True))
    assert torch.allclose(composer.model.book.books, model.book.books, atol=1e-3)
    with torch.no_grad():  # eight steps of training do not make it write notes
        composer.model.elements.out[0].bias.copy_(torch.tensor([-9.0, -3.0, -9.0, 1.0, 1.5]))
    piece = composer.compose([Request(np.array([[0.6, 0.6]]), 4, (1,))])[0]
    assert 0 < piece.score.bars <= 4


def test_the_config_and_card_say_what_it_is(run):
    _, done, folder = run
    config = json.loads((folder / "config.json").read_text())
    assert config["kind"] == KIND
    assert config["training"]["stages"][VQVAE]["validation"] == pytest.approx(done[VQVAE].best, abs=1e-3)
    assert config["training"]["passes_over_labelled"] == 4.0
    assert 0 < config["usage"] <= 1
    card = (folder / "card.md").read_text()
    assert "affectgen muser train --structure paper" in card
    assert f"| {VQVAE} | 8 |" in card
    assert card.index(f"| {VQVAE} | 8 |") < card.index(f"| {PRIOR} | 8 |")
    assert "Trained on labelled clips (EMOPIA's layout)." in card
    curves = list(csv.reader((folder / "curves.csv").open(newline="")))
    assert [row[0] for row in curves[1:]] == [VQVAE] * 4 + [PRIOR] * 4


def test_another_kind_of_checkpoint_is_refused(run, tmp_path):
    _, _, folder = run
    other = tmp_path / "other"
    other.mkdir()
    config = json.loads((folder / "config.json").read_text())
    (other / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    (other / "config.json").write_text(json.dumps(config | {"kind": "muser"}))
    with pytest.raises(CheckpointError, match="muser-paper"):
        load_paper(str(other))


def test_a_checkpoint_that_does_not_fit_its_config_is_refused(run, tmp_path):
    _, _, folder = run
    other = tmp_path / "other"
    other.mkdir()
    config = json.loads((folder / "config.json").read_text())
    config["model"]["decoder_layers"] = 3
    (other / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="does not fit"):
        load_paper(str(other))


def test_batches_differ_by_stage_and_after_a_resumption(run, tmp_path):
    options, _, _ = run
    fresh = dataclasses.replace(options, folder=tmp_path)
    seeds = [draw_seed(one, stage) for one in (options, fresh) for stage in (VQVAE, PRIOR)]
    assert len(set(seeds)) == 4
    assert seeds[2] == draw_seed(fresh, VQVAE)


@pytest.mark.parametrize("stage", ["steps", "prior"])
def test_no_stage_but_pretraining_can_be_left_out(tmp_path, stage):
    with pytest.raises(UsageError, match="leaves out a stage"):
        PaperTrainOptions(data=tmp_path, folder=tmp_path, **{stage: 0})


def test_missing_data_is_told_of(tmp_path):
    options = PaperTrainOptions(data=tmp_path / "none", folder=tmp_path / "run")
    with pytest.raises(AffectgenError, match=r"clips\.csv is missing"):
        run_paper(options)


@pytest.mark.parametrize("stage", ["pretrain", "augment"])
def test_pretraining_and_augmentation_are_options(tmp_path, songs, stage):
    for name in ("train", "dev", "pop", "game"):
        relabelled = [dataclasses.replace(song, style={"pop": 1, "game": 2}.get(name, 0)) for song in songs[:4]]
        save_songs(tmp_path / f"songs-{name}.npz", relabelled)
    more = {"pretrain": 2} if stage == "pretrain" else {"augment": True}
    options = PaperTrainOptions(
        data=Path("nowhere"), folder=tmp_path, model=tiny_config(), steps=2, prior=2, rows=3, **more
    )
    done = run_paper(options)
    assert ("pretrain" in done) == (stage == "pretrain")
    assert all(np.isfinite(one.best) for one in done.values())
