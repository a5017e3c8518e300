"""Cue sheets and tables of a session's clips."""

from __future__ import annotations

import csv
import io
import re

from affectgen.medicine.options import PlanOptions
from affectgen.medicine.plan import make_plan
from affectgen.medicine.sheet import COLUMNS, cue_sheet


def details(**changes):
    plan = make_plan(PlanOptions("anxious", "calm", **changes)).to_json()
    measured = {"measured": {"valence": 0.25, "arousal": -0.5}}
    return {"plan": plan, "clips": [measured for _ in plan["clips"]]}


def test_a_cue_sheet_names_every_clip_at_its_time():
    text = cue_sheet(details(), 'my "best".flac', ".cue").decode()
    found = re.findall(r"INDEX 01 (\d+):(\d\d):(\d\d)", text)
    seconds = [int(m) * 60 + int(s) + int(f) / 75 for m, s, f in found]
    starts = [clip["start"] for clip in details()["plan"]["clips"]]
    assert len(seconds) == len(starts) == 33
    assert all(abs(a - b) <= 0.5 / 75 + 1e-3 for a, b in zip(seconds, starts, strict=True))
    assert "FILE \"my 'best'.flac\" WAVE" in text
    assert all(int(frame) < 75 for _, _, frame in found)


def test_a_long_session_keeps_within_the_tracks_of_a_cue_sheet():
    text = cue_sheet(details(minutes=120), "a.mp3", ".cue").decode()
    assert 50 < text.count("TRACK") <= 99
    assert '"a.mp3" MP3' in text


def test_a_table_has_a_row_for_every_clip():
    rows = list(csv.reader(io.StringIO(cue_sheet(details(), "a.wav", ".csv").decode())))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 34
    assert rows[1][-2:] == ["0.25", "-0.5"]
