"""Ctrl-C and SIGTERM: the first ends the work at hand, and those that follow do not tear its clean-up apart."""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 3.0  # seconds that a clean-up gets before another Ctrl-C ends the process as it stands
AGAIN = 0.05  # seconds until an interruption that could not be raised, or was lost, is tried again


class Interrupts:
    """The handler of both signals, for the life of a process. `came`: whether one has come.

    It raises KeyboardInterrupt, in blocks of `hold` at their end. While that is awaited, or on its way up through
    `finally` and `with` blocks, more signals change nothing; but once PATIENCE is over, the next ends the process, as
    it stands, with INTERRUPTED.
    """

    def __init__(self) -> None:
        self.came = False
        self._held = 0  # blocks of `hold` that have begun
        self._due = False  # KeyboardInterrupt is to be raised as soon as it may be
        self._since = 0.0  # when it was asked for
        self._number = signal.SIGINT  # of the last one
        self._again = False  # it is our own clock that calls, not a person

    def catch(self) -> None:
        """Listen, except to signals that are ignored (started in the background or under nohup)."""
        atexit.register(self._deafen)  # first in, last out
        sys.unraisablehook = self._lost
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal came."""
        self.came, self._number = True, signal.Signals(number)
        again, self._again = self._again, False
        if not again and (self._due or _ending()):
            if time.monotonic() - self._since > PATIENCE:
                os._exit(INTERRUPTED)
        elif not again:
            self._due, self._since = True, time.monotonic()
        self._raise()

    def _raise(self) -> None:
        """Raise what is due, if that may be."""
        if not self._due or self._held:
            return
        if _loading():
            self._raise_later()
            return
        self._due = False
        raise KeyboardInterrupt

    def _raise_later(self) -> None:
        """Have this called again, in the main thread."""

        def ring() -> None:
            self._again = True
            _thread.interrupt_main(self._number)

        clock = threading.Timer(AGAIN, ring)
        clock.daemon = True
        clock.start()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """A signal that comes in the block raises KeyboardInterrupt at its end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._raise()

    def let_be(self) -> None:
        """Raise nothing any more: the process is about to end."""
        self._held += 1

    def _lost(self, what: UnraisableHookArgs) -> None:
        """Python calls this for what is raised where nothing can be: in destructors, and as modules are imported."""
        if not self.came:
            sys.__unraisablehook__(what)
        elif what.exc_type is KeyboardInterrupt:
            self._due = True
            self._raise_later()
        # else it is half-made objects that complain

    def _deafen(self) -> None:
        """For the last moments, in which Python would let signals kill the process."""
        for number in SIGNALS:
            if signal.getsignal(number) is self:
                signal.signal(number, signal.SIG_IGN)


def _ending() -> bool:
    """Whether what was interrupted is itself at work because of an interruption."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _loading() -> bool:
    """Whether torch is being imported, which ends the process with a core dump where an exception crosses its C++."""
    torch = sys.modules.get("torch")
    return torch is not None and getattr(torch.__spec__, "_initializing", False)


@contextmanager
def held_back() -> Iterator[None]:
    """Let no signal cut the block short: it is felt at its end. For short work that must be done whole.

    Only where an `Interrupts` listens, and in the main thread, which alone hears signals.
    """
    heard = [handler for handler in map(signal.getsignal, SIGNALS) if isinstance(handler, Interrupts)]
    if not heard or threading.current_thread() is not threading.main_thread():
        yield
        return
    with heard[0].hold():
        yield
