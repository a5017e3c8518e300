"""What a person is told: counts, pace and time left, and the table."""

from __future__ import annotations

import time

from affectgen.batch.runner import Tally
from affectgen.batch.told import Pace, distance

POINTS = {"asked": {"valence": 0.0, "arousal": 0.0}, "measured": {"valence": 0.3, "arousal": -0.4}}


def line(status: str, preset: str | None = None, **more: object) -> dict[str, object]:
    return {"name": "x", "status": status, "command": "compose", "preset": preset, "seconds": 2.0, **more}


def test_the_line_counts_and_says_how_long_it_will_take():
    tally = Tally(total=40, done=8, kept=10, failed=2)
    said = Pace(time.monotonic() - 60).line(tally)
    assert said.startswith("[##########..........] 20 of 40, 2 failed, 10.0 a minute, 0:02:0")
    assert "left" not in Pace(time.monotonic() - 60).line(Tally(4, done=4))
    assert Pace().line(Tally(0)) == "[....................] 0 of 0"


def test_the_table_has_a_row_for_each_preset_or_command():
    lines = [line("done", **POINTS), line("failed"), line("kept", **POINTS), line("done", "study")]
    tally = Tally(total=4, done=2, kept=1, failed=1, memory=300 * 2**20, lines=lines)
    *table, last = Pace(time.monotonic() - 60).summary(tally).splitlines()
    assert [row.split() for row in table[1:]] == [["compose", "1", "1", "1", "2.0", "0.50"],
                                                  ["study", "1", "0", "0", "2.0", "-"]]  # fmt: skip
    assert len({len(row) for row in table}) == 1
    assert last == "2 made, 1 kept, 1 failed in 60.0 s, 2.0 a minute; most memory of a worker 300 MiB"


def test_lines_that_name_no_command_have_a_row_with_a_name():
    lines = [line("done"), line("failed", command=""), line("failed", command="")]
    table = Pace().summary(Tally(total=3, done=1, failed=2, lines=lines)).splitlines()[1:-1]
    assert [row.split() for row in table] == [["compose", "1", "0", "0", "2.0", "-"],
                                              ["faulty", "lines", "0", "0", "2", "-", "-"]]  # fmt: skip


def test_distance_needs_two_points():
    assert distance(POINTS) == 0.5
    assert distance({**POINTS, "asked": {"path": []}}) is None
    assert distance({**POINTS, "asked": None}) is None
    assert distance({**POINTS, "measured": {}}) is None
    assert distance({}) is None
