"""What `affectgen` does: finds a command's module only when it is called, and turns every failure into an exit code.

Exit codes: 0 done, 1 failed, 2 usage, 3 some of several inputs failed, 130 interrupted, 141 closed pipe.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from affectgen import __version__
from affectgen.cli.lazy import LazyGroup
from affectgen.cli.main import CLOSED_PIPE
from affectgen.errors import FULL, AffectgenError, shortened
from affectgen.interrupts import INTERRUPTED, Interrupts

DEBUG_VARIABLE = "AFFECTGEN_DEBUG"
COMPLETION_VARIABLE = "_AFFECTGEN_COMPLETE"  # the name Click's completion scripts set

COMMANDS: dict[str, tuple[str, str]] = {
    "muser": ("affectgen.cli.muser:muser", "Compose piano music for an emotion (MusER)."),
    "emogen": ("affectgen.cli.emogen:emogen", "Compose by musical attributes, and measure them (EmoGen)."),
    "medicine": ("affectgen.cli.medicine:medicine", "Sessions from one emotion to another, clip by clip."),
    "speech": ("affectgen.cli.speech:speech", "Edit a recording by its text, and let its emotion follow."),
    "render": ("affectgen.cli.render:render", "Turn MIDI into sound; level, join and convert sound."),
    "rate": ("affectgen.cli.rate:rate", "Measure the emotion of MIDI, music, speech and text."),
    "evaluate": ("affectgen.cli.evaluate:evaluate", "Measure how well generators and recognisers do."),
    "batch": ("affectgen.cli.batch:batch", "Make hundreds of pieces from presets or lines of JSON."),
    "presets": ("affectgen.cli.presets:presets", "Options under a name: list, show, check and begin presets."),
    "replay": ("affectgen.cli.replay:replay", "Make a piece again from its manifest."),
    "verify": ("affectgen.cli.verify:verify", "Check pieces against their manifests."),
    "inspect": ("affectgen.cli.inspect:inspect", "Say what a file is and how it was made."),
    "models": ("affectgen.cli.models:models", "List and verify the trained models."),
    "doctor": ("affectgen.cli.doctor:doctor", "Say what is installed and what works here."),
    "completion": ("affectgen.cli.completion:completion", "Print what makes the shell complete commands."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="affectgen", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, envvar=DEBUG_VARIABLE, help="Show tracebacks. [env: AFFECTGEN_DEBUG]")
@click.pass_context
def affectgen(ctx: click.Context, debug: bool) -> None:
    """An emotion in, music or speech that carries it out, with a measurement of the emotion it really carries.

    \b
    affectgen muser generate -a happy -o happy.mid
    affectgen muser generate -a "sad>calm>happy" --bars 32 -o path.mid
    affectgen speech edit take.wav --text "a lonely trip" --to "a fantastic trip" -o new.wav
    affectgen rate happy.mid
    """
    ctx.obj["debug"] = debug


def run(argv: Sequence[str], interrupts: Interrupts | None = None) -> int:
    """Run one command line (without the program's name) and return its exit code; errors are printed to stderr.

    interrupts: who listens to signals, if somebody does; once the command has ended they cut nothing short any more.
    """
    heard = Interrupts() if interrupts is None else interrupts
    if COMPLETION_VARIABLE in os.environ:
        from affectgen.cli.completing import register

        register()
        affectgen.main(list(argv), prog_name="affectgen", complete_var=COMPLETION_VARIABLE)
    state: dict[str, Any] = {"argv": tuple(argv), "debug": bool(os.environ.get(DEBUG_VARIABLE))}
    try:
        # not affectgen.main(): that one turns a closed pipe into exit code 1
        with affectgen.make_context("affectgen", list(argv), obj=state) as ctx:
            affectgen.invoke(ctx)
        sys.stdout.flush()
        return 0
    except BaseException as error:
        heard.let_be()  # temporary files may go only now, with the last that holds them
        return _report(error, heard.came, state["debug"])


def _report(error: BaseException, interrupted: bool, debug: bool) -> int:
    """Print what the person needs to know about a failure, and return the exit code."""
    if isinstance(error, KeyboardInterrupt | click.Abort) or interrupted:
        return INTERRUPTED  # an import cut short by Ctrl-C may surface as any other error
    if isinstance(error, BrokenPipeError):
        return CLOSED_PIPE
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):
        raise error
    if debug and not isinstance(error, click.ClickException):
        import traceback

        traceback.print_exception(error)
    code, message, hint = _explain(error)
    told = f"Error: {message}" + (f"\nHint: {hint}" if hint else "")
    click.echo(shortened(told), err=True)
    return code


def _explain(error: BaseException) -> tuple[int, str, str]:
    """Exit code, sentence and hint of a failure: the one place where errors become words."""
    if isinstance(error, AffectgenError):
        return error.exit_code, error.message, error.hint
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.exit_code, f"A command is needed.\n\n{error.message}", ""
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx is not None else "affectgen"
        return error.exit_code, error.format_message(), f"See: {where} --help"
    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message(), ""
    if isinstance(error, MemoryError):
        return 1, "The memory of this machine is used up.", "Ask for fewer bars, or lower --best-of."
    if isinstance(error, OSError):
        if error.filename is None and error.errno in FULL:  # whoever writes a file names it: this was a line printed
            return 1, f"Standard output cannot be written: {error.strerror}.", "Send it to another place."
        return 1, f"{error.filename or 'The system'}: {error.strerror or error}.", "Check the path and the disk."
    if isinstance(error, UnicodeEncodeError):
        letters = error.object[error.start : error.end]
        return 1, f"{letters!r} cannot be written in {error.encoding}.", "Use UTF-8, also for names: PYTHONUTF8=1"
    if isinstance(error, ImportError) and error.name and not error.name.startswith("affectgen"):
        return 1, f"The Python package {error.name} is missing.", "See what is installed: affectgen doctor"
    kind = type(error).__name__
    return 1, f"Unexpected {kind}: {error}", f"This is a fault of affectgen. {DEBUG_VARIABLE}=1 shows where; report it."
