"""Training from a checkpoint: which stages run, what stays of the start, and what the card tells of it."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
import torch

from affectgen.errors import CheckpointError, UsageError
from affectgen.muser.checkpoint import load_composer
from affectgen.muser.config import MuserConfig
from affectgen.muser.data import save_songs
from affectgen.muser.export import affect_line, corpora, export, final_weights
from affectgen.muser.produce import start_config
from affectgen.muser.train import STAGES, TrainOptions, begin, prepare, run_train


@pytest.fixture
def options(tmp_path, tiny_muser, song):
    """A run that goes on from the tiny checkpoint, its songs made already."""
    folder = tmp_path / "run"
    folder.mkdir()
    for number, (name, style) in enumerate((("train", "emopia"), ("dev", "emopia"), ("pop", "pop"), ("game", "game"))):
        save_songs(folder / f"songs-{name}.npz", [song(10 * number + seed, 4, style=style) for seed in range(3)])
    return TrainOptions(
        tmp_path, folder, start_config(str(tiny_muser)), pretrain=2, prior=2, finetune=2, rows=2, words=64,
        guided=False, start=str(tiny_muser),
    )  # fmt: skip


def same(one, other):
    """Whether two modules have the same weights, but for the books' running sums."""
    pairs = zip(one.state_dict().items(), other.state_dict().values(), strict=True)
    return all(torch.equal(value, theirs) for (name, value), theirs in pairs if not name.endswith(".sums"))


def test_only_a_run_with_a_start_leaves_stages_out(tmp_path):
    new = TrainOptions(tmp_path, tmp_path, MuserConfig())
    assert new.stages == STAGES
    for stage in STAGES:
        with pytest.raises(UsageError, match=f"--{stage} 0 leaves out"):
            replace(new, **{stage: 0})
    warm = replace(new, start="muser", pretrain=0, prior=0)
    assert warm.stages == ("finetune",)
    with pytest.raises(UsageError, match="No stage of prior has steps"):
        replace(warm, only=("prior",))


def test_finetuning_alone_keeps_encoder_books_and_prior(options):
    options = replace(options, pretrain=0, prior=0)
    assert set(run_train(options)) == {"finetune"}
    assert sorted(path.name for path in options.folder.iterdir() if path.is_dir()) == ["finetune"]
    start = load_composer(options.start)
    model, prior = final_weights(options)
    assert same(prior, start.prior)
    assert same(model.encoder, start.model.encoder)
    assert same(model.word_latents, start.model.word_latents)
    assert torch.equal(model.bar_books.books, start.model.bar_books.books)
    assert not same(model.globally, start.model.globally)


def test_a_prior_alone_keeps_the_model_and_is_new(options):
    options = replace(options, pretrain=0, finetune=0)
    cpu = torch.device("cpu")
    assert not same(begin(options, cpu)[1], load_composer(options.start).prior)
    assert set(run_train(options)) == {"prior"}
    model, prior = final_weights(options)
    assert same(model, load_composer(options.start).model)
    best = torch.load(options.folder / "prior" / "best.pt", weights_only=True)
    assert all(torch.equal(value, best[name]) for name, value in prior.state_dict().items())


def test_finetuning_goes_on_from_this_runs_pretraining(options):
    assert set(run_train(replace(options, only=("pretrain",)))) == {"pretrain"}
    path = options.folder / "pretrain" / "best.pt"
    marked = torch.load(path, weights_only=True)
    name = next(key for key in marked if key.startswith("globally") and key.endswith("weight"))
    marked[name] += 1.0  # more than two steps could move it
    torch.save(marked, path)
    assert set(run_train(replace(options, only=("finetune", "prior")))) == {"prior", "finetune"}
    final = final_weights(options)[0].state_dict()
    assert torch.allclose(final[name], marked[name], atol=0.1)
    best = torch.load(options.folder / "finetune" / "best.pt", weights_only=True)
    assert all(torch.equal(value, best[key]) for key, value in final.items())


def test_a_checkpoint_may_replace_the_one_it_went_on_from(options, tiny_muser, tmp_path):
    options = replace(options, pretrain=0, prior=0)
    run_train(options)
    songs = prepare(options)
    export(options, songs, tmp_path / "mine", "one")
    again = replace(options, start=str(tmp_path / "mine"))
    export(again, songs, tmp_path / "mine", "two")
    with (tmp_path / "mine" / "curves.csv").open(newline="") as file:
        stages = list(dict.fromkeys(row["stage"] for row in csv.DictReader(file)))
    assert stages == ["before-finetune", "finetune"]
    card = (tmp_path / "mine" / "card.md").read_text()
    assert "| before-finetune | 2 |" in card
    assert "mine went on from tiny" in card
    assert "the prior is as it was there" in card
    assert "music without labels (Pop1k7's layout) and rated pieces (VGMIDI's layout)" in card


def test_what_can_be_gone_on_from(tiny_muser, top):
    assert start_config(str(tiny_muser)) == load_composer(str(tiny_muser)).config
    with pytest.raises(CheckpointError, match="'expression'"):
        start_config(str(top / "checkpoints" / "expression"))
    with pytest.raises(CheckpointError, match="no checkpoint named"):
        start_config("nothing")


def test_only_corpora_that_had_songs_are_named():
    assert corpora({"train": 3, "dev": 1, "pop": 0}) == "labelled clips (EMOPIA's layout)"
    assert corpora({"train": 3, "pop": 2, "game": 1}).count(" and ") == 1
    assert corpora({}) == ""
    alone = affect_line({"points": "centres", "songs": {"train": 3, "pop": 0}})
    assert "guide" not in alone
    assert "centre" in alone
    told = affect_line({"points": "predicted", "songs": {"train": 3, "pop": 2}})
    assert "out of fold by song" in told
    assert "rank among clips of the same sign" in told
    assert "the guide's readings" in told
