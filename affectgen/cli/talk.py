"""What is said to a person while a command works: lines, and a bar for one long piece of work."""

from __future__ import annotations

import math
import sys
import time

import click

from affectgen.cli.options import Command, all_of
from affectgen.errors import UsageError

LINE = 100  # characters of a line of status


def talk_options(command: Command) -> Command:
    """-q and -v; `Talk` reads them."""
    return all_of(
        command,
        click.option("-q", "--quiet", is_flag=True, help="Print nothing but results and errors."),
        click.option("-v", "--verbose", is_flag=True, help="Print more on the way."),
    )


class Talk:
    """What is said to a person: always on standard error, since standard output is for results."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        if quiet and verbose:
            raise UsageError("--quiet and --verbose exclude each other.", "Give one of them.")
        self._level = 0 if quiet else 2 if verbose else 1

    def say(self, text: str) -> None:
        """A line, unless -q."""
        if self._level > 0:
            click.echo(text, err=True)

    def detail(self, text: str) -> None:
        """A line under -v only."""
        if self._level > 1:
            click.echo(text, err=True)

    def progress(self, done: int, total: int) -> None:
        """How many of several are done, on one line that replaces itself; only on a terminal and unless -q."""
        if self._level > 0 and total > 1 and sys.stderr.isatty():
            click.echo(f"\r{done}/{total}" + ("\n" if done == total else ""), err=True, nl=False)

    def status(self, text: str) -> None:
        """A line that the next one replaces; only on a terminal and unless -q."""
        if self._level > 0 and sys.stderr.isatty():
            click.echo(f"\r{text[:LINE]:<{LINE}}", err=True, nl=False)

    def clear(self) -> None:
        """Take the line of `status` away."""
        if self._level > 0 and sys.stderr.isatty():
            click.echo(f"\r{'':<{LINE}}\r", err=True, nl=False)

    def bar(self) -> Bar:
        """A bar for one long piece of work; `affectgen.progress.heard_by` takes it."""
        return Bar(self._level > 0 and sys.stderr.isatty())


class Bar:
    """A bar with the time left, on one line of standard error that replaces itself."""

    WIDTH = 30  # characters

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._first: tuple[float, float] | None = None  # when it began, and with how many done

    def __call__(self, what: str, done: float, total: float) -> None:
        """`done` of `total` are done."""
        if not self._shown:
            return
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done)
        since, before = self._first
        left = (now - since) / (done - before) * (total - done) if done > before else None
        full = round(self.WIDTH * done / total)
        bar = "#" * full + "." * (self.WIDTH - full)
        time_left = "" if left is None or done == total else f", {_minutes(left)} left"
        line = f"\r[{bar}] {what} {int(done)} of {int(total)}{time_left}"
        click.echo(f"{line:<79}" + ("\n" if done >= total else ""), err=True, nl=False)


def _minutes(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
