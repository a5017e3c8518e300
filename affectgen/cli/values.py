"""What the values of options are: numbers in a range, lists of names, files to read."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import click

from affectgen.errors import AffectgenError, UsageError
from affectgen.output import STDOUT


class Number(click.ParamType[float]):
    """A finite number in [low, high]. Click's own ranges let nan through."""

    name = "number"

    def __init__(self, low: float = -math.inf, high: float = math.inf) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; a usage error that says what came and what was expected."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            self.fail(f"{value!r} is not a number.", param, ctx)
        if not math.isfinite(number) or not self.low <= number <= self.high:
            self.fail(f"{value} is not {self._expected()}.", param, ctx)
        return number

    def _expected(self) -> str:
        if math.isinf(self.high):
            return "a finite number" if math.isinf(self.low) else f"a number of at least {self.low:g}"
        return f"a number between {self.low:g} and {self.high:g}"


class Words(click.ParamType[tuple[str, ...]]):
    """Names separated by commas, as a tuple."""

    name = "name,name,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names, in the order given, each once."""
        if isinstance(value, tuple):
            return value
        return tuple(dict.fromkeys(word.strip() for word in str(value).split(",") if word.strip()))


class InputFile(click.ParamType["Path | bytes"]):
    """A file to read: its path, or for `-` the bytes of standard input, which only one option may take."""

    name = "path|-"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | bytes:
        """The path of a file that is there and can be read, or the bytes."""
        if isinstance(value, Path | bytes):
            return value
        if value == STDOUT:
            return read_stdin(ctx)
        return readable(Path(value))


def readable(path: Path) -> Path:
    """`path` if it is a file that can be opened; AffectgenError otherwise."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise AffectgenError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    return path


def read_stdin(ctx: click.Context | None) -> bytes:
    """All of standard input, once. UsageError when a second input asks for it, AffectgenError where it is closed."""
    meta = ctx.meta if ctx is not None else {}
    if meta.setdefault("affectgen.stdin", False):
        raise UsageError("Two inputs are '-', and standard input is read only once.", "Name a file for one of them.")
    meta["affectgen.stdin"] = True
    if sys.stdin is None:
        raise AffectgenError("Standard input is closed, and - reads from it.", "Leave out <&-, or name a file.")
    return sys.stdin.buffer.read()
