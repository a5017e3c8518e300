"""Progress is told to whoever hears, and to nobody else."""

from __future__ import annotations

from affectgen.progress import heard_by, tell


def test_what_is_told_is_heard_inside_the_block_only():
    heard = []
    tell("clip", 0, 2)
    with heard_by(lambda *told: heard.append(told)):
        tell("clip", 1, 2)
        with heard_by(lambda *told: heard.append(("inner", *told))):
            tell("clip", 1.5, 2)
        tell("clip", 2, 2)
    tell("clip", 3, 2)
    assert heard == [("clip", 1, 2), ("inner", "clip", 1.5, 2), ("clip", 2, 2)]
