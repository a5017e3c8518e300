"""The training loop: it learns, logs, stops, returns the best, and goes on after any interruption."""

from __future__ import annotations

import csv
import io
import math
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from affectgen.nn import training
from affectgen.nn.training import BEST, LOG, STATE, Trainer, TrainingConfig, halves_pay, make_optimiser, rate_at

SLOPE = torch.tensor([[2.0], [-1.0], [0.5]])


class Toy:
    """A linear problem, with everything that a trainer needs and a count of what it used."""

    def __init__(self, folder, **settings):
        torch.manual_seed(0)
        self.model = nn.Linear(3, 1)
        self.generator = torch.Generator().manual_seed(1)
        self.held_out = self.draw(64)
        self.draws, self.figures = 0, []
        self.text = io.StringIO()
        self.config = TrainingConfig(**{"steps": 60, "rate": 0.1, "warmup": 5, "validate_every": 10, "autocast": False}
                                     | settings)  # fmt: skip
        self.trainer = Trainer(self.model, self.next, self.loss, self.validate, self.config, folder, self.text)

    def draw(self, rows):
        x = torch.randn(rows, 3, generator=self.generator)
        return x, x @ SLOPE + 1.0

    def next(self):
        self.draws += 1
        return self.draw(16)

    def loss(self, batch):
        return F.mse_loss(self.model(batch[0]), batch[1])

    def validate(self):
        assert not self.model.training
        assert not torch.is_grad_enabled()
        value = float(self.loss(self.held_out))
        self.figures.append(value)
        return {"loss": value, "other": 7.0}


def rows_of(folder):
    with (folder / LOG).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_rate_warms_up_and_falls_along_a_cosine():
    config = TrainingConfig(steps=110, rate=2.0, warmup=10, floor=0.1)
    assert [rate_at(step, config) for step in (0, 4, 9)] == pytest.approx([0.2, 1.0, 2.0])
    assert rate_at(10, config) == pytest.approx(2.0)
    assert rate_at(60, config) == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert rate_at(110, config) == rate_at(500, config) == pytest.approx(0.2)
    rates = [rate_at(step, config) for step in range(10, 111)]
    assert rates == sorted(rates, reverse=True)


def test_decay_is_for_matrices_only():
    model = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))
    model[0].weight.requires_grad_(True)
    groups = make_optimiser(model, TrainingConfig(steps=1, weight_decay=0.3)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]
    assert [[tuple(p.shape) for p in group["params"]] for group in groups] == [[(2, 3)], [(2,), (2,), (2,)]]
    model[0].requires_grad_(False)
    groups = make_optimiser(model, TrainingConfig(steps=1)).param_groups
    assert sum(len(group["params"]) for group in groups) == 2, "frozen parameters are not trained"


def test_it_learns_and_says_so(tmp_path):
    toy = Toy(tmp_path / "run")
    done = toy.trainer.run()
    assert done.steps == toy.draws == 60
    assert done.best == min(toy.figures) < 0.01 * toy.figures[0]
    torch.testing.assert_close(toy.model.weight.detach(), SLOPE.T, atol=0.05, rtol=0)
    rows = rows_of(tmp_path / "run")
    assert [int(row["step"]) for row in rows] == [10, 20, 30, 40, 50, 60]
    assert [float(row["loss"]) for row in rows] == pytest.approx(toy.figures, abs=1e-4)
    assert {float(row["other"]) for row in rows} == {7.0}
    assert all(float(row["seconds"]) >= 0 and float(row["train"]) > 0 for row in rows)
    assert toy.text.getvalue().count("\n") == 6
    assert "step 60/60" in toy.text.getvalue()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted([BEST, LOG, STATE])


def test_bfloat16_learns_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "halves_pay", lambda device: True)
    toy = Toy(tmp_path, autocast=True)
    toy.trainer.run()
    assert toy.figures[-1] < 0.02 * toy.figures[0]
    assert toy.model.weight.dtype == torch.float32


def test_gradients_are_clipped(tmp_path):
    toy = Toy(tmp_path, steps=1, warmup=0, clip=0.5)
    seen = []
    step = toy.trainer.optimiser.step
    toy.trainer.optimiser.step = lambda: seen.append([p.grad.norm() for p in toy.model.parameters()]) or step()
    toy.trainer.loss = lambda batch: 1000 * toy.loss(batch)
    toy.trainer.run()
    assert float(torch.stack(seen[0]).norm()) == pytest.approx(0.5, rel=1e-3)


def test_it_stops_when_patience_ends_and_returns_the_best(tmp_path):
    toy = Toy(tmp_path, steps=500, patience=3)
    values = iter([5.0, 3.0, 4.0, 3.5, 3.2, 1.0])
    kept = []

    def validate():
        kept.append(toy.model.weight.detach().clone())
        return {"loss": next(values)}

    toy.trainer.validate = validate
    done = toy.trainer.run()
    assert (done.steps, done.best, done.best_step) == (50, 3.0, 20)
    assert torch.equal(toy.model.weight, kept[1])
    assert not torch.equal(kept[1], kept[4])


def test_without_patience_it_goes_to_the_end(tmp_path):
    toy = Toy(tmp_path, steps=80)
    toy.trainer.validate = lambda: {"loss": 1.0}
    done = toy.trainer.run()
    assert (done.steps, done.best_step) == (80, 10)


def test_it_goes_on_where_it_was_interrupted(tmp_path):
    whole = Toy(tmp_path / "whole")
    whole.trainer.run()

    first = Toy(tmp_path / "run")
    plain = first.next

    def next_until_35():
        if first.draws == 35:
            raise KeyboardInterrupt
        return plain()

    first.trainer.draw = next_until_35
    with pytest.raises(KeyboardInterrupt):
        first.trainer.run()
    assert [int(row["step"]) for row in rows_of(tmp_path / "run")] == [10, 20, 30]

    second = Toy(tmp_path / "run")
    for _ in range(35):
        second.draw(16)  # batches are the caller's: bring them to where they were
    done = second.trainer.run()
    assert second.draws == 25, "steps 36 to 60 and no others: an interruption loses nothing"
    assert "resumed at step 35" in second.text.getvalue()
    assert done.steps == 60
    assert [int(row["step"]) for row in rows_of(tmp_path / "run")] == [10, 20, 30, 40, 50, 60]
    assert torch.equal(second.model.weight, whole.model.weight), "moments, rate and weights are all taken up again"


def test_a_finished_run_gives_its_best_weights_again(tmp_path):
    first = Toy(tmp_path)
    done = first.trainer.run()
    again = Toy(tmp_path)
    repeated = again.trainer.run()
    assert again.draws == 0
    assert (repeated.steps, repeated.best, repeated.best_step) == (done.steps, done.best, done.best_step)
    assert torch.equal(again.model.weight, first.model.weight)


def test_a_loss_that_is_no_number_is_never_the_best(tmp_path):
    toy = Toy(tmp_path, steps=30)
    values = iter([2.0, math.nan, 3.0])
    toy.trainer.validate = lambda: {"loss": next(values)}
    assert toy.trainer.run().best_step == 10


SCRIPT = """
    import sys, time
    from pathlib import Path
    import torch
    from torch import nn
    from torch.nn import functional as F
    from affectgen.nn.training import Trainer, TrainingConfig

    torch.set_num_threads(1)
    torch.manual_seed(0)
    pause = float(sys.argv[2])
    model = nn.Linear(3, 1)
    def draw():
        time.sleep(pause)
        x = torch.randn(16, 3)
        return x, x.sum(1, keepdim=True)
    def loss(batch):
        return F.mse_loss(model(batch[0]), batch[1])
    def validate():
        return {"loss": float(F.mse_loss(model(torch.eye(3)), torch.ones(3, 1)))}
    config = TrainingConfig(steps=200, rate=0.1, warmup=5, validate_every=5, autocast=False)
    done = Trainer(model, draw, loss, validate, config, Path(sys.argv[1])).run()
    print(done.steps, done.best)
"""


def test_a_killed_run_goes_on(tmp_path, top):
    script, run = tmp_path / "train.py", tmp_path / "run"
    script.write_text(textwrap.dedent(SCRIPT))
    environment = os.environ | {"PYTHONPATH": str(top)}
    child = subprocess.Popen([sys.executable, script, run, "0.02"], env=environment, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while not (run / LOG).is_file() or len(rows_of(run)) < 3:  # the state is written before the log's line
        assert time.monotonic() < limit, "the run never got to its third validation"
        assert child.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    stood = torch.load(run / STATE, weights_only=True)["step"]
    assert 0 < stood < 200
    command = [sys.executable, script, run, "0"]
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"resumed at step {stood}" in again.stderr
    steps, best = again.stdout.split()
    assert int(steps) == 200
    assert float(best) < 0.01
    logged = [int(row["step"]) for row in rows_of(run)]
    assert sorted(set(logged)) == list(range(5, 201, 5))
    assert logged == sorted(logged)


def test_halves_pay_where_products_of_them_are_fast(monkeypatch):
    able = {}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    cpu = torch.device("cpu")
    assert not halves_pay(cpu), "a processor that says nothing of them"
    able |= {"amx_bf16": False, "avx512_bf16": False, "avx2": True}
    assert not halves_pay(cpu)
    for name in ("amx_bf16", "avx512_bf16"):
        monkeypatch.setitem(able, name, True)
        assert halves_pay(cpu)
        monkeypatch.setitem(able, name, False)
    assert halves_pay(torch.device("cuda")), "whatever the processor beside it can"
    assert halves_pay(torch.device("cuda:1"))
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert halves_pay(cpu), "a torch that cannot be asked"


@pytest.mark.parametrize(("pays", "asked", "dtype"), [
    (True, True, torch.bfloat16), (True, False, torch.float32), (False, True, torch.float32),
])  # fmt: skip
def test_halves_are_used_where_they_pay_and_are_wanted(tmp_path, monkeypatch, pays, asked, dtype):
    monkeypatch.setattr(training, "halves_pay", lambda device: pays)
    toy = Toy(tmp_path, steps=2, autocast=asked)
    seen = []

    def loss(batch):
        found = toy.model(batch[0])
        seen.append(found.dtype)
        return F.mse_loss(found.float(), batch[1])

    toy.trainer.loss = loss
    toy.trainer.run()
    assert seen == [dtype] * 2
    assert toy.model.weight.dtype == torch.float32


def test_accumulated_batches_are_one_wide_batch(tmp_path):
    narrow = Toy(tmp_path / "narrow", steps=12, accumulate=4, clip=1e9)
    wide = Toy(tmp_path / "wide", steps=12, clip=1e9)
    wide.trainer.draw = lambda: [torch.cat(parts) for parts in zip(*[wide.next() for _ in range(4)], strict=True)]
    for toy in (narrow, wide):
        toy.trainer.run()
    assert narrow.draws == wide.draws == 48
    assert narrow.trainer.running == pytest.approx(wide.trainer.running, abs=1e-5)
    torch.testing.assert_close(narrow.model.state_dict(), wide.model.state_dict(), atol=1e-5, rtol=1e-5)
    # AdamW takes no notice of a gradient's scale, so that is looked at itself
    torch.testing.assert_close(narrow.model.weight.grad, wide.model.weight.grad, atol=1e-4, rtol=1e-3)
    single = Toy(tmp_path / "single", steps=12)
    single.trainer.run()
    assert (single.model.weight - narrow.model.weight).abs().max() > 1e-3
