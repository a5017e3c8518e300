"""What the tests of processes run in other processes; by itself, a program whose process sleeps."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from affectgen.errors import UsageError
from affectgen.processes import map_in_processes


def work(item):
    """Squares; None dies, 13 fails, and "interrupt" is met by Ctrl-C."""
    if item is None:
        os._exit(7)
    if item == 13:
        raise UsageError("13 came.", "Give another.")
    if item == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        return "alive"
    return item * item, os.getpid()


def sleep(path):
    """Says who it is, and would go on for long."""
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


if __name__ == "__main__":
    list(map_in_processes(sleep, [sys.argv[1]], 1))
