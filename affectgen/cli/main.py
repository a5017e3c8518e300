"""How the command `affectgen` begins and ends: signals, exit code.

Nothing that takes time is imported before signals are listened to.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from affectgen.interrupts import INTERRUPTED, Interrupts

CLOSED_PIPE = 141


def main() -> NoReturn:
    """The console script: run the command line of this process and exit with its code."""
    interrupts = Interrupts()
    code = INTERRUPTED
    try:
        interrupts.catch()
        code = _run(interrupts)
        interrupts.let_be()
    except BaseException:
        interrupts.let_be()
        if not interrupts.came:
            raise
    # KeyboardInterrupt within an `exec` (dataclasses use it) makes Python kill itself at its end, until the next `exec`
    exec("")
    sys.exit(INTERRUPTED if interrupts.came and code != CLOSED_PIPE else code)


def _run(interrupts: Interrupts) -> int:
    from affectgen.cli.program import run

    code = run(sys.argv[1:], interrupts)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = CLOSED_PIPE
    except OSError:  # `run` has told of it
        code = max(code, 1)
    else:
        if code != CLOSED_PIPE:
            return code
    # the interpreter flushes once more on its way out: let that go nowhere
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
