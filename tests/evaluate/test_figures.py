"""The table of figures: bars met or not, as Markdown and as JSON."""

from __future__ import annotations

import json
import math

import pytest

from affectgen.evaluate.figures import Figure, Report


@pytest.mark.parametrize(("value", "low", "high", "met", "bar"), [
    (0.5, None, None, None, ""),
    (0.5, 0.5, None, True, ">= 0.5"),
    (0.49, 0.5, None, False, ">= 0.5"),
    (1.7, None, 1.7, True, "<= 1.7"),
    (1.71, None, 1.7, False, "<= 1.7"),
    (0.0, None, 0, True, "<= 0"),
    (50.0, 44.792, 57.008, True, "44.8 to 57"),
    (60.0, 44.792, 57.008, False, "44.8 to 57"),
    (40.0, 44.792, 57.008, False, "44.8 to 57"),
    (math.nan, None, 1.0, False, "<= 1"),
    (math.nan, None, None, None, ""),
])  # fmt: skip
def test_whether_a_bar_is_met(value, low, high, met, bar):
    figure = Figure("one", value, low, high)
    assert (figure.met, figure.bar) == (met, bar)


REPORT = Report("MusER", {"clips": 2, "seed": 0}, [
    Figure("arousal", 0.9666, at_least=0.96, real=0.9, shuffled=0.5),
    Figure("copied", 0.004, at_most=0.003, note="of 12"),
    Figure("path", math.nan, at_least=0.7),
    Figure("free", math.inf, real=math.nan),
])  # fmt: skip


def test_the_table_in_full():
    assert REPORT.to_table() == (
        "## MusER\n"
        "\n"
        "clips 2, seed 0\n"
        "\n"
        "| figure | MusER | bar | met | affects shuffled | real music |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| arousal | 0.967 | >= 0.96 | yes | 0.500 | 0.900 |\n"
        "| copied (of 12) | 0.004 | <= 0.003 | no |  |  |\n"
        "| path | nan | >= 0.7 | no |  |  |\n"
        "| free | inf |  |  |  | nan |\n"
    )


def test_other_reports_stand_beside_by_the_names_of_figures():
    other = Report("MusER", {"checkpoint": "paper"}, [Figure("path", 0.25), Figure("arousal", 0.75)])
    lines = REPORT.to_table([other]).splitlines()
    assert lines[4] == "| figure | MusER | bar | met | affects shuffled | paper | real music |"
    assert lines[6] == "| arousal | 0.967 | >= 0.96 | yes | 0.500 | 0.750 | 0.900 |"
    assert lines[7] == "| copied (of 12) | 0.004 | <= 0.003 | no |  |  |  |"
    assert lines[8] == "| path | nan | >= 0.7 | no |  | 0.250 |  |"


def test_a_report_is_read_back():
    back = Report.from_json(json.loads(json.dumps(REPORT.to_json())))
    assert back.to_table().splitlines()[:-1] == REPORT.to_table().splitlines()[:-1], "but for what is not finite"
    with pytest.raises(KeyError):
        Report.from_json({"title": "x"})


def test_json_is_strict():
    text = json.dumps(REPORT.to_json(), allow_nan=False)
    back = json.loads(text)
    assert back["settings"] == {"clips": 2, "seed": 0}
    assert [row["value"] for row in back["figures"]] == [0.9666, 0.004, None, None]
    assert [row["met"] for row in back["figures"]] == [True, False, False, None]
    assert back["figures"][3]["real"] is None
    assert back["figures"][1] == {
        "name": "copied", "value": 0.004, "at_least": None, "at_most": 0.003, "real": None, "note": "of 12",
        "shuffled": None, "published": None, "baseline": None, "met": False,
    }  # fmt: skip


@pytest.mark.parametrize(("settings", "label"), [
    ({"checkpoint": "muser", "tries": 4}, "muser"),
    ({"checkpoint": "muser", "tries": 1}, "muser, first tries"),
    ({"checkpoint": "muser"}, "muser"),
])  # fmt: skip
def test_first_tries_are_told_apart(settings, label):
    report = Report("MusER", settings, [Figure("arousal", 0.9)])
    assert report.label == label
    assert f"| figure | {label} |" in report.to_table()
    assert f"| {label} | real music |" in REPORT.to_table([report])


def test_figures_of_the_authors_stand_last_where_any_is_known():
    told = Report("EmoGen", {}, [Figure("arousal", 0.9, published=0.875), Figure("valence", 0.8)])
    lines = told.to_table().splitlines()
    assert lines[4] == "| figure | EmoGen | bar | met | published |", "what no figure has gets no column"
    assert lines[6] == "| arousal | 0.900 |  |  | 0.875 |"
    assert lines[7] == "| valence | 0.800 |  |  |  |"
    assert {line.count("|") for line in lines[4:]} == {6}
    back = Report.from_json(json.loads(json.dumps(told.to_json())))
    assert back.to_table() == told.to_table()


def test_an_ablation_is_told_apart():
    report = Report("EmoGen", {"checkpoint": "emogen", "ablation": "no core"}, [])
    assert report.label == "emogen, no core"
    assert Report("EmoGen", {}, []).label == "EmoGen"
