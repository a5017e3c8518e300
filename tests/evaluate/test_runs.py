"""The table of trained models, from saved reports."""

from __future__ import annotations

import json

from affectgen.evaluate import runs
from affectgen.evaluate.figures import Figure, Report

FIRST = {
    "model": {"layers": 6, "dim": 256, "regulariser": 0.5}, "parameters": {"model": 7_400_000, "prior": 2_000_000},
    "stages": {"finetune": {"steps": 30, "validation": 4.25}, "prior": {"steps": 20, "validation": 20.0},
               "pretrain": {"steps": 10, "validation": 4.5}},
    "passes_over_labelled": 18.8,
}  # fmt: skip
PAPER = {
    "model": {"codes": 64, "decoder_layers": 3, "dim": 128}, "parameters": {"model": 1_000_000, "prior": 500_000},
    "stages": {"vqvae": {"steps": 7, "validation": 3.5}, "prior": {"steps": 8, "validation": 1.0}},
}  # fmt: skip


def test_stages_stand_in_their_order_and_after_those_before_them():
    assert runs.stages(FIRST) == "pretrain 10, prior 20, finetune 30"
    later = {"stages": {"finetune": {"steps": 5}}, "before": {"name": "muser", "training": FIRST}}
    assert runs.stages(later) == "pretrain 10, prior 20, finetune 30, then finetune 5"


def test_every_report_has_a_line(tmp_path, capsys):
    heard = [Figure("judge: quadrants", 0.75), Figure("distance over floor", 1.5)]
    reports = [Report("MusER", {"checkpoint": "one"}, heard, FIRST), Report("MusER", {"checkpoint": "two"}, [], PAPER)]
    for report in reports:
        (tmp_path / f"{report.name}.json").write_text(json.dumps(report.to_json()))
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    assert runs.main([str(tmp_path / "one.json"), str(tmp_path / "two.json"), "--write", str(page)]) == 0
    lines = capsys.readouterr().out.splitlines()
    steps = "pretrain 10, prior 20, finetune 30"
    assert lines[2].startswith(f"| one | 6 x 256 | 0.5 | 7.4 + 2.0 | {steps} | 18.800 | 4.250 |")
    assert "| 0.750 |  |  | 1.500 |" in lines[2]
    assert lines[3].startswith("| two | 3 x 128 |  | 1.0 + 0.5 | vqvae 7, prior 8 |  | 3.500 |")
    assert lines[2] in page.read_text()
