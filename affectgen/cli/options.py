"""The options the commands share, and where each value came from."""

from __future__ import annotations

import math
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from affectgen.cli.preset_option import preset_option
from affectgen.device import check_device_name
from affectgen.errors import AffectgenError, UsageError
from affectgen.manifest import Setting
from affectgen.output import STDOUT

Command = TypeVar("Command", bound=Callable[..., Any])
LARGEST_SEED = 2**31 - 1
MOST_CANDIDATES = 64
LINE = 100  # characters of a line of status
ORIGIN = {
    ParameterSource.COMMANDLINE: "option",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "preset",
}


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


def affect_options(command: Command) -> Command:
    """-a/--affect, or --valence with --arousal."""
    return all_of(
        command,
        click.option(
            "-a",
            "--affect",
            envvar="AFFECTGEN_AFFECT",
            metavar="TEXT",
            help="A word (happy, happy:0.5), a quadrant (Q1..Q4), a point (0.7,-0.2) or a path (sad>calm>happy).",
        ),
        click.option("--valence", type=Number(-1, 1), help="Unpleasant -1 to pleasant 1; needs --arousal."),
        click.option("--arousal", type=Number(-1, 1), help="Calm -1 to excited 1; needs --valence."),
    )


def output_options(command: Command) -> Command:
    """--preset, -o, --force, --plot, --manifest, --no-manifest, --json."""
    return all_of(
        command,
        preset_option,
        click.option("-o", "--output", required=True, metavar="PATH|-", help="The file to write, or - (stdout)."),
        click.option("--force", is_flag=True, help="Replace files that exist."),
        click.option("--plot", type=click.Path(path_type=Path), help="Also draw a picture (.png, .svg, .pdf)."),
        click.option("--manifest", type=click.Path(path_type=Path), help="Its place. [default: OUTPUT.json]"),
        click.option("--no-manifest", is_flag=True, help="Write no manifest."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output."),
    )


def audio_option(command: Command) -> Command:
    """--audio, for commands that make MIDI."""
    return click.option(
        "--audio", type=click.Path(path_type=Path), metavar="PATH",
        help="Also the sound (.wav, .flac, .ogg, .opus, .mp3), as `affectgen render` makes it.",
    )(command)  # fmt: skip


def model_options(variable: str) -> Callable[[Command], Command]:
    """--checkpoint (from the environment variable `variable`) and --device."""

    def decorate(command: Command) -> Command:
        return device_option(checkpoint_option(variable)(command))

    return decorate


def checkpoint_option(variable: str) -> Callable[[Command], Command]:
    """--checkpoint, from the environment variable `variable`."""
    return click.option("--checkpoint", envvar=variable, metavar="NAME|PATH", help="The trained model to use.")


def device_option(command: Command) -> Command:
    """--device."""

    def check(ctx: click.Context, param: click.Parameter, value: str) -> str:
        return check_device_name(value)

    return click.option(
        "--device", default="auto", show_default=True, envvar="AFFECTGEN_DEVICE", callback=check,
        metavar="auto|cpu|cuda|cuda:N", help="Where the model runs.",
    )(command)  # fmt: skip


def seed_option(command: Command) -> Command:
    """--seed; when absent, `seed_setting` draws one."""
    kind = click.IntRange(0, LARGEST_SEED)
    return click.option("--seed", type=kind, envvar="AFFECTGEN_SEED", help="Drawn, and printed, when absent.")(command)


def best_of_option(default: int) -> Callable[[Command], Command]:
    """--best-of."""
    return click.option(
        "--best-of",
        type=click.IntRange(1, MOST_CANDIDATES),
        default=default,
        show_default=True,
        envvar="AFFECTGEN_BEST_OF",
        help="Make N candidates and keep the one nearest to what was asked.",
    )


def tries_option(default: int, when: str = "a piece is not good enough") -> Callable[[Command], Command]:
    """--tries. when: what makes another try needed."""
    return click.option(
        "--tries",
        type=click.IntRange(1, MOST_CANDIDATES),
        default=default,
        show_default=True,
        envvar="AFFECTGEN_TRIES",
        help=f"Compose anew, so often at most, while {when}; with --seconds so often for each of up to four lengths.",
    )


def talk_options(command: Command) -> Command:
    """-q and -v; `Talk` reads them."""
    return all_of(
        command,
        click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
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


def origin(ctx: click.Context, name: str) -> str:
    """Where the value of an option came from: option, environment, preset or default."""
    source = ctx.get_parameter_source(name)
    return "default" if source is None else ORIGIN.get(source, "default")


def given(ctx: click.Context, *names: str) -> list[str]:
    """Those of the options that somebody set, as they are spelled on the command line."""
    spelled = {param.name: max(param.opts, key=len) for param in ctx.command.params}
    return [spelled.get(name, f"--{name}") for name in names if origin(ctx, name) != "default"]


def exclude(ctx: click.Context, *names: str) -> None:
    """Raise UsageError when more than one of these options is set."""
    both = given(ctx, *names)
    if len(both) > 1:
        raise UsageError(f"{' and '.join(both)} exclude each other.", "Give one of them.")


def affect_setting(ctx: click.Context) -> Setting:
    """The affect as the text a task reads, None where none was given; checked here, before anything heavy is loaded.

    An option beats the environment: `--valence --arousal` are used although AFFECTGEN_AFFECT is set.
    """
    affect, valence, arousal = (ctx.params[name] for name in ("affect", "valence", "arousal"))
    if valence is None and arousal is None:
        if affect is not None:
            _check_affect(affect)
        return Setting(affect, origin(ctx, "affect"))
    if affect is not None and origin(ctx, "affect") == "option":
        raise UsageError("--affect and --valence/--arousal exclude each other.", "Give the word or the two numbers.")
    if valence is None or arousal is None:
        lone, other = ("--valence", "--arousal") if arousal is None else ("--arousal", "--valence")
        raise UsageError(f"{lone} came without {other}.", "A point needs both numbers, each between -1 and 1.")
    return Setting(f"{valence},{arousal}", origin(ctx, "valence"))


def seed_setting(ctx: click.Context, talk: Talk) -> Setting:
    """The seed given, or one drawn now and printed."""
    if ctx.params["seed"] is not None:
        return Setting(ctx.params["seed"], origin(ctx, "seed"))
    seed = secrets.randbelow(LARGEST_SEED + 1)
    talk.say(f"seed {seed}")
    return Setting(seed, "drawn")


def settings_of(ctx: click.Context, kind: type[Any], resolved: Mapping[str, Setting]) -> dict[str, Setting]:
    """A setting for every field of the options dataclass `kind`: resolved already, else this command's option of that
    name, else the dataclass's default. An explicit 0 is a value."""
    settings: dict[str, Setting] = {}
    for spec in fields(kind):
        name = spec.name
        if name in resolved:
            settings[name] = resolved[name]
        elif name in ctx.params and (origin(ctx, name) != "default" or spec.default is MISSING):
            settings[name] = Setting(ctx.params[name], origin(ctx, name))
        elif spec.default is not MISSING:
            settings[name] = Setting(spec.default, "default")
    return settings


def _check_affect(text: str) -> None:
    """AffectError when the text is no affect and no path."""
    from affectgen.affect.path import parse_affect

    parse_affect(text)


def all_of(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Apply decorators so that the help lists them in this order."""
    for option in reversed(options):
        command = option(command)
    return command
