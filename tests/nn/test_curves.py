"""What a training came to: stages and curves read off its logs, and those of the checkpoint before it."""

from __future__ import annotations

import csv

import pytest
import torch

from affectgen.errors import CheckpointError
from affectgen.nn.checkpoint import save_checkpoint
from affectgen.nn.curves import CURVES, ORDER, earlier_curves, generations, read_stages, stage_table, write_curves
from affectgen.nn.training import LOG


@pytest.fixture
def run(tmp_path):
    """A run of two stages, whose best step is neither its first nor its last."""
    for stage, losses in (("pretrain", (3.0, 1.5, 2.0)), ("finetune", (1.4, 1.2, 1.3, 1.25))):
        (tmp_path / stage).mkdir()
        with (tmp_path / stage / LOG).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("step", "rate", "train", "seconds", "loss", "other"))
            writer.writerows((10 * n, 0.1, 2 + n, 45.0, loss, 7) for n, loss in enumerate(losses, start=1))
    return tmp_path


def test_stages_are_read_off_their_logs(run):
    curves, reached = read_stages(run, {"pretrain": "best", "finetune": "last"})
    assert reached == {
        "pretrain": {"steps": 30, "kept_step": 20, "validation": 1.5, "minutes": 2.2},  # 135 seconds, to even
        "finetune": {"steps": 40, "kept_step": 40, "validation": 1.25, "minutes": 3.0},
    }
    assert curves[0] == ["pretrain", "10", "3", "3.0"]
    assert [row[0] for row in curves] == ["pretrain"] * 3 + ["finetune"] * 4
    assert read_stages(run, {"finetune": "best"})[1]["finetune"]["kept_step"] == 20
    assert read_stages(run, {}) == ([], {})


def test_a_stage_without_a_log_is_an_error(run):
    with pytest.raises(FileNotFoundError):
        read_stages(run, {"prior": "best"})


def test_curves_go_on_from_those_of_the_checkpoint_before(run, tmp_path):
    curves, _ = read_stages(run, {"pretrain": "best"})
    first = tmp_path / "first"
    save_checkpoint(first, {"weight": torch.ones(2)}, {"kind": "any"}, "")
    assert earlier_curves(str(first)) == [], "it keeps none"
    write_curves(first / CURVES, curves)
    assert (first / CURVES).read_text().splitlines()[:2] == ["stage,step,train,valid", "pretrain,10,3,3.0"]
    before = earlier_curves(str(first))
    assert before == [["before-pretrain", *row[1:]] for row in curves]
    second = tmp_path / "second"
    save_checkpoint(second, {"weight": torch.ones(2)}, {"kind": "any"}, "")
    write_curves(second / CURVES, [*before, ["finetune", "10", "1.0", "2.0"]])
    assert [row[0] for row in earlier_curves(str(second))] == ["before-before-pretrain"] * 3 + ["before-finetune"]
    with pytest.raises(CheckpointError):
        earlier_curves(str(tmp_path / "nowhere"))


def stages(*names):
    return {name: {"steps": 1, "kept_step": 1, "validation": 2.0, "minutes": 3.0} for name in names}


def test_the_table_has_the_oldest_first():
    oldest = {"stages": stages("finetune", "pretrain", "prior")}  # by the alphabet, as in config.json
    middle = {"stages": stages("finetune"), "before": {"training": oldest}}
    last = {"stages": stages("prior"), "before": {"training": middle}}
    assert [prefix for prefix, _ in generations(last)] == ["before-before-", "before-", ""]
    assert [row.split()[1] for row in stage_table(last)[2:]] == [
        "before-before-pretrain", "before-before-prior", "before-before-finetune", "before-finetune", "prior",
    ]  # fmt: skip
    assert generations({}) == [("", {})]


def test_a_row_of_the_table():
    training = {"stages": {"prior": {"steps": 30, "kept_step": 20, "validation": 1.5, "minutes": 3.0}}}
    assert stage_table(training) == [
        "| stage | steps | weights of step | validation, nats | minutes |",
        "|---|---|---|---|---|",
        "| prior | 30 | 20 | 1.500 | 3.0 |",
    ]
    assert len(stage_table({})) == 2
    everything = stage_table({"stages": stages(*sorted(ORDER))})
    assert [row.split()[1] for row in everything[2:]] == list(ORDER), "the stages of every model have a place"
