"""Training in small: stages, seeds, scale, validation, resumption, and going on from a checkpoint."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from affectgen.emogen.checkpoint import load_emogen
from affectgen.emogen.config import STYLES, EmogenConfig
from affectgen.emogen.corpora import make_scale, read_corpora
from affectgen.emogen.data import save_songs, whole_batches
from affectgen.emogen.model import Emogen
from affectgen.emogen.train import (
    KEEP,
    SCALE,
    EmogenTrainOptions,
    begin,
    draw_seed,
    final_weights,
    find_scale,
    read_hardware,
    run_train,
    validate,
)
from affectgen.errors import UsageError
from affectgen.nn.training import Trainer

CPU = torch.device("cpu")
TINY = EmogenConfig(dim=16, layers=1, heads=2, condition=16, hidden=16)


@pytest.fixture
def options(tmp_path, song):
    """A run of a few steps whose songs are made already."""
    folder = tmp_path / "run"
    folder.mkdir()
    for number, (name, style) in enumerate((("train", "emopia"), ("dev", "emopia"), ("pop1k7", "pop1k7"))):
        save_songs(folder / f"songs-{name}.npz", [song(10 * number + seed, 6, style) for seed in range(3)])
    return EmogenTrainOptions(tmp_path, folder, TINY, pretrain=3, finetune=2, rows=2, words=64)


def trained(options):
    """The stages, on the songs of the run folder."""
    return run_train(options, read_corpora(options.data, options.folder))


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def distance(one, other):
    """The farthest that two models' weights lie apart."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def test_stages_without_steps_are_left_out(tmp_path):
    new = EmogenTrainOptions(tmp_path, tmp_path, TINY)
    assert new.stages == ("pretrain", "finetune")
    assert replace(new, pretrain=0).stages == ("finetune",)
    assert replace(new, finetune=0).stages == ("pretrain",)
    with pytest.raises(UsageError, match="leave nothing to train") as caught:
        replace(new, pretrain=0, finetune=0)
    assert caught.value.hint


def test_what_the_stages_are(tmp_path):
    new = EmogenTrainOptions(tmp_path, tmp_path, TINY, pretrain=7, finetune=5, rate=1e-3)
    first, second = (new.stage(name) for name in ("pretrain", "finetune"))
    assert (first.steps, second.steps) == (7, 5)
    for stage in (first, second):
        assert sum(stage.share.values()) == pytest.approx(1)
        assert set(stage.share) == set(STYLES)
    assert first.share["emopia"] < second.share["emopia"] < 1, "mostly songs, then more clips"
    assert first.rate == 1e-3 > second.rate > 0
    assert KEEP == {"pretrain": "best", "finetune": "last"}


def test_both_stages_run_and_end_with_their_kept_weights(options):
    done = trained(options)
    assert {name: one.steps for name, one in done.items()} == {"pretrain": 3, "finetune": 2}
    final = final_weights(options)
    last = torch.load(options.folder / "finetune" / "best.pt", weights_only=True)
    assert all(torch.equal(value, last[name]) for name, value in final.state_dict().items())
    early = final_weights(replace(options, finetune=0))
    assert not same(early, final), "fine-tuning went on from pretraining and moved it"
    begun = begin(options)
    assert distance(early, final) < 0.1 * distance(begun, final), "it did not begin anew"


def test_a_seed_is_a_training(options, tmp_path):
    options = replace(options, pretrain=2, finetune=0)
    trained(options)

    def again(name, **changes):
        folder = tmp_path / name
        folder.mkdir()
        for path in options.folder.glob("songs-*.npz"):
            shutil.copy(path, folder)
        other = replace(options, folder=folder, **changes)
        trained(other)
        return final_weights(other)

    assert same(final_weights(options), again("again"))
    assert not same(final_weights(options), again("other", seed=2))


def test_workers_draw_what_one_process_does_and_other_windows_each(options, monkeypatch):
    drawn, step = [], Trainer._one_step

    def one_step(self):
        draw = self.draw
        self.draw = lambda: drawn.append(draw()) or drawn[-1]
        step(self)
        self.draw = draw

    monkeypatch.setattr(Trainer, "_one_step", one_step)
    trained(replace(options, pretrain=4, finetune=0, workers=2))
    shutil.rmtree(options.folder / "pretrain")
    trained(replace(options, pretrain=4, finetune=0))
    tables = [batch.table.tolist() for batch in drawn]
    assert tables[0] == tables[4], "the first worker's windows are those of a process that draws its own"
    assert tables[2] == tables[5]
    assert tables[1] not in (tables[0], tables[4], tables[5], tables[6]), "the second's are others"


def test_a_run_says_on_what_it_was_trained(options):
    trained(replace(options, finetune=0))
    first = read_hardware(options.folder)
    assert len(first) == 1
    assert "1 torch threads a process, cpu" in first[0]
    trained(replace(options, finetune=0, threads=2))
    assert read_hardware(options.folder) == first, "nothing was left to train"
    trained(replace(options, workers=1))
    assert len(read_hardware(options.folder)) == 2
    assert "1 more draw batches" in read_hardware(options.folder)[1]
    torch.set_num_threads(1)


def test_an_interrupted_stage_goes_on(options, monkeypatch):
    step, done = Trainer._one_step, []

    def stop_at_two(self):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(self.step)
        step(self)

    monkeypatch.setattr(Trainer, "_one_step", stop_at_two)
    with pytest.raises(KeyboardInterrupt):
        trained(options)
    monkeypatch.setattr(Trainer, "_one_step", lambda self: done.append(self.step) or step(self))
    assert {name: one.steps for name, one in trained(options).items()} == {"pretrain": 3, "finetune": 2}
    assert done == [0, 1, 2, 0, 1], "no step is done twice, and none is left out"


def test_windows_are_drawn_anew_in_every_stage_and_after_a_resumption(options):
    seeds = [draw_seed(options, "pretrain"), draw_seed(options, "finetune"), draw_seed(replace(options, seed=2),
                                                                                       "pretrain")]  # fmt: skip
    trained(replace(options, finetune=0))
    seeds.append(draw_seed(options, "pretrain"))
    assert len(set(seeds)) == 4


def test_the_scale_is_made_once_of_the_runs_songs(options, monkeypatch):
    songs = read_corpora(options.data, options.folder)
    made = find_scale(songs, options)
    np.testing.assert_array_equal(made.quantiles, make_scale(songs).quantiles)
    assert (options.folder / SCALE).is_file()
    monkeypatch.setattr("affectgen.emogen.train.make_scale", lambda songs: 1 / 0)
    np.testing.assert_array_equal(find_scale(songs, options).quantiles, made.quantiles)
    assert [path.name for path in options.folder.glob("*.npy")] == [SCALE]


def test_the_scale_and_weights_of_a_checkpoint_stay_its_own(options, tiny_emogen):
    start = load_emogen(str(tiny_emogen))
    going = replace(options, start=str(tiny_emogen), model=start.model.config)
    assert same(begin(going), start.model)
    np.testing.assert_array_equal(find_scale({}, going).quantiles, start.scale.quantiles)
    assert not (options.folder / SCALE).exists()
    assert not same(begin(options), start.model)


@torch.no_grad()
def test_validation_is_the_mean_over_words_told_and_untold(song, scale):
    torch.manual_seed(0)
    model = Emogen(TINY).eval()
    for name, parameter in model.named_parameters():
        if "film" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    songs = [song(seed, 3 + seed) for seed in range(3)]
    figures = validate(model, whole_batches(songs, scale, 2, 500), CPU)
    words = told = untold = 0.0
    for one in songs:
        pair = whole_batches([one], scale, 1, 500)[0]
        count = len(one.table) - 1
        told, untold = told + count * model(pair[0]), untold + count * float(model(pair[1]).sum())
        words += count
    assert next(iter(figures)) == "loss"
    assert figures["loss"] == pytest.approx(float(told.sum()) / words, rel=1e-4)
    assert figures["untold"] == pytest.approx(untold / words, rel=1e-4)
    assert figures["untold"] != figures["loss"]
    elements = ("family", "beat", "tempo", "chord", "pitch", "duration", "velocity")
    assert [figures[name] for name in elements] == pytest.approx((told / words).tolist(), rel=1e-4)


def test_dropout_is_the_stages_own(options, monkeypatch):
    seen = []

    class Stop(Exception):
        pass

    def stop(model, *words):
        seen.append({module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)})
        raise Stop

    monkeypatch.setattr("affectgen.emogen.train.Trainer", stop)
    for name in ("pretrain", "finetune"):
        alone = replace(options, **{"pretrain": 1, "finetune": 1, **{n: 0 for n in KEEP if n != name}})
        with pytest.raises(Stop):
            trained(alone)
        assert seen[-1] == {options.stage(name).dropout}
