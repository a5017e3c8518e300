"""How the command `affectgen` begins and ends: signals, standard streams, encoding, exit code.

Nothing that takes time is imported before signals are listened to.
"""

from __future__ import annotations

import io
import os
import sys
from typing import NoReturn

from affectgen.errors import AffectgenError
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
    _speak_utf8()
    _open_streams()
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


def _speak_utf8() -> None:
    """Begin anew in Python's UTF-8 mode where names of files would be ASCII (LC_ALL=C with PYTHONUTF8=0)."""
    if sys.getfilesystemencoding() == "ascii" and sys.executable:
        os.environ["PYTHONUTF8"] = "1"  # for the processes that this one starts
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _open_streams() -> None:
    """Put something in the place of standard streams that were closed, so that no file takes their numbers.

    What is said on standard error then goes nowhere; a result for standard output raises AffectgenError; sys.stdin
    stays None.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(ClosedOutput(), encoding="utf-8", write_through=True)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


class ClosedOutput(io.BufferedIOBase):
    """Stands for a standard output that is closed."""

    def writable(self) -> bool:
        """Only its failure tells."""
        return True

    def write(self, data: object) -> int:
        """AffectgenError."""
        raise AffectgenError("Standard output is closed, and a result belongs there.", "Leave out >&-.")
