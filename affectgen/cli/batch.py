"""`affectgen batch`: hundreds of pieces from presets or lines of JSON, on all processors or a cluster."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affectgen.batch.journal import FAILED, Journal, read_fact
from affectgen.batch.lines import Line, check_unique, read_lines
from affectgen.batch.pool import Pool
from affectgen.batch.prepare import Prepared, planned, prepare
from affectgen.batch.runner import Entry, Runner, RunSettings, Tally
from affectgen.cli.jobs import command_specs, plan_job
from affectgen.cli.options import device_option
from affectgen.cli.pieces import output_folder
from affectgen.cli.talk import Talk, talk_options
from affectgen.cli.values import Number, read_stdin
from affectgen.device import cores
from affectgen.errors import AffectgenError, PartlyFailed, UsageError
from affectgen.output import STDOUT, check_output, standard_output
from affectgen.task import LARGEST_SEED

if TYPE_CHECKING:
    from affectgen.batch.presets.preset import Preset

SEED_FACT = "seed"
PAGES = (".html", ".htm")


@click.command()
@click.argument("presets", nargs=-1, required=True, metavar="PRESET|-...")
@click.option("-o", "--output", required=True, metavar="FOLDER", help="Where the files go; created where it is not.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Workers. [default: all processors]")
@click.option("--count", type=click.IntRange(1), help="So many of each preset's pieces, with seeds counted up.")
@click.option("--source", "sources", multiple=True, metavar="PATH", help="A file that presets work on; repeatable.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), envvar="AFFECTGEN_SEED",
              help="The first seed of what names none. [default: drawn, printed, and kept in the folder]")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--skip-existing", is_flag=True, help="Leave files alone that lie there under a job's name.")
@click.option("--force", is_flag=True, help="Replace files that lie there under a job's name.")
@click.option("--retry", type=click.IntRange(0, 100), default=0, show_default=True, help="Further tries of what fails.")
@click.option("--timeout", type=Number(0.1), metavar="SECONDS", help="The longest that a job may take.")
@click.option("--cluster", metavar="ray://HOST:PORT|auto", help="Let a Ray cluster do the work (extra `cluster`).")
@click.option("--shared", is_flag=True, help="The cluster's workers write the files, on a disk that all of them see.")
@click.option("--report", type=click.Path(path_type=Path), metavar="PAGE.html", help="Also a gallery that plays.")
@device_option
@talk_options
def batch(presets: tuple[str, ...], output: str, **params: Any) -> None:
    """Make the pieces of presets, or of lines of JSON from standard input (-).

    A line for each job goes to standard output as it ends. What is there already is kept: the same command, killed at
    any moment, goes on where it was. Exit code 3 when some jobs failed.

    \b
    affectgen batch presets/*.toml -o out/ --jobs 2 --count 10
    affectgen batch study sleep --seed 7 -o out/ --report out/index.html
    affectgen batch sad-line --source take1.wav --source take2.wav -o out/
    echo '{"command": "emogen generate", "affect": "calm", "seed": 1, "name": "a"}' | affectgen batch - -o out/
    """
    talk = Talk(params["quiet"], params["verbose"])
    folder = Path(output)
    if output == STDOUT:
        raise UsageError("-o - is one stream, and a batch makes files.", "Give a folder: -o out/")
    if params["force"] and params["skip_existing"]:
        raise UsageError("--force and --skip-existing exclude each other.", "Give one of them.")
    if params["shared"] and params["cluster"] is None:
        raise UsageError("--shared came without --cluster.", "Leave it out: workers here write the files anyway.")
    if params["cluster"] is not None:
        from affectgen.batch.cluster.cluster_connect import split_address

        split_address(params["cluster"])  # before anything is written
    stdin = _stdin(presets, params)
    if params["dry_run"]:
        _dry_run(presets, stdin, folder, params, talk)
        return
    _lines(presets, stdin, 0, params, talk)  # what cannot be read is told before anything is written
    output_folder(folder)
    with Journal(folder) as journal:
        seed = _seed(journal, params["seed"], talk)
        lines = _lines(presets, stdin, seed, params, Talk(quiet=True))
        entries = planned(lines, partial(plan_job, device=params["device"]), folder)
        _check_report(params["report"], entries, params["force"])
        prepared = prepare(entries, journal, params["force"], params["skip_existing"])
        tally = _run(prepared, journal, params, talk)
        if params["report"] is not None:
            _report(params["report"], prepared.entries, tally, talk)
    _end(tally)


def _stdin(presets: Sequence[str], params: Mapping[str, Any]) -> bytes | None:
    """Standard input, where the jobs come through it; None where they are presets'."""
    if STDOUT not in presets:
        return None
    if len(presets) > 1:
        raise UsageError("- came with presets; lines of JSON say it all.", "Give one or the other.")
    for name in ("count", "sources"):
        if params[name]:
            option = "--count" if name == "count" else "--source"
            raise UsageError(f"{option} came with lines of JSON.", "Each line says it for itself.")
    return read_stdin(click.get_current_context())


def _seed(journal: Journal, given: int | None, talk: Talk) -> int:
    """The first seed: as given, else the one that the folder's batch began with, else a new one."""
    known = journal.fact(SEED_FACT)
    if given is not None:
        seed = given
    elif known is not None:
        seed = int(known)
    else:
        seed = secrets.randbelow(LARGEST_SEED // 2)  # leaves room to count up
        talk.say(f"seed {seed}")
    journal.set_fact(SEED_FACT, str(seed))
    return seed


def _lines(
    presets: Sequence[str], stdin: bytes | None, seed: int, params: Mapping[str, Any], talk: Talk
) -> list[Line]:
    """The jobs that are asked for. UsageError where there is none, or two are one file."""
    specs = command_specs()
    if stdin is not None:
        found = read_lines(stdin, specs, seed, "standard input")
    else:
        from affectgen.batch.presets.preset import find_preset
        from affectgen.batch.presets.preset_grid import jobs_of

        read = _wanted([find_preset(name, specs) for name in presets], params["sources"], talk)
        found = [(job, None) for one in read for job in jobs_of(one, seed, params["count"], params["sources"])]
        check_unique(job for job, _ in found)
    if not found:
        raise UsageError("No job came.", "Write one JSON object a line, or name a preset.")
    return found


def _wanted(read: Sequence[Preset], sources: Sequence[str], talk: Talk) -> list[Preset]:
    """The presets that are meant: of several without a file to work on, not those that need one. UsageError for a file
    that none works on."""
    if sources and all(one.source_option is None for one in read):
        text = f"--source {sources[0]} came, and no preset that was named works on a file."
        raise UsageError(text, "Leave it out.")
    if len(read) == 1 or sources:
        return list(read)
    left = [one.name for one in read if one.source_option is not None]
    if left and len(left) < len(read):
        talk.say(f"left out, for want of --source: {', '.join(left)}")
        return [one for one in read if one.source_option is None]
    return list(read)


def _dry_run(
    presets: Sequence[str], stdin: bytes | None, folder: Path, params: Mapping[str, Any], talk: Talk
) -> None:
    """Print a line for each job: what would be done, and how one would say it alone."""
    from affectgen.batch.dry import dry_lines

    if folder.exists() and not folder.is_dir():
        raise AffectgenError(f"{folder} is a file, and a folder was expected.", "Give another name.")
    known = read_fact(folder, SEED_FACT)
    seed = params["seed"] if params["seed"] is not None else int(known) if known is not None else 0
    if params["seed"] is None and known is None:
        talk.say("what names no seed is shown with seeds from 0; a run draws them, or takes --seed")
    lines = _lines(presets, stdin, seed, params, talk)
    plan = partial(plan_job, device=params["device"])
    told = list(dry_lines(lines, plan, folder, params["force"], params["skip_existing"]))
    for line in told:
        click.echo(json.dumps(line, ensure_ascii=True))
    wrong = [line for line in told if line["status"] == FAILED]
    talk.say(f"{len(told)} jobs, {len(wrong)} of them wrong")
    if wrong:
        kind = PartlyFailed if len(wrong) < len(told) else AffectgenError
        raise kind(f"{len(wrong)} of {len(told)} jobs cannot be done.", "The lines above say which, and why.")


def _run(prepared: Prepared, journal: Journal, params: Mapping[str, Any], talk: Talk) -> Tally:
    """Do what is to be done, and tell of each job."""
    from affectgen.batch.told import Pace

    pace = Pace()
    settings = RunSettings(params["retry"], params["timeout"])
    meter = Meter(talk, pace)
    runner = Runner(prepared.entries, journal, partial(_pool, params, len(prepared.todo)), settings, meter.hear)
    try:
        for line, skipped in prepared.kept.values():
            runner.keep(line, skipped)
        tally = runner.run(prepared.todo)
    except BrokenPipeError:  # nobody listens any more
        raise
    except BaseException:
        meter.close()
        talk.say(pace.summary(runner.tally))
        raise
    meter.close()
    talk.say(pace.summary(tally))
    return tally


def _pool(params: Mapping[str, Any], todo: int) -> Pool:
    """The workers: here, or on a cluster."""
    if params["cluster"] is not None:
        from affectgen.batch.cluster.cluster import ClusterPool

        most = todo if params["jobs"] is None else min(params["jobs"], todo)
        return ClusterPool(params["cluster"], most, params["device"], params["shared"])
    from affectgen.batch.local import LocalPool

    wanted = params["jobs"] if params["jobs"] is not None else cores()
    return LocalPool(min(wanted, todo))


class Meter:
    """Tells of each job: a line of JSON on standard output, what failed and how far it is on standard error."""

    def __init__(self, talk: Talk, pace: Any) -> None:
        self._talk, self._pace = talk, pace

    def hear(self, line: Mapping[str, Any], tally: Tally) -> None:
        """One job ended."""
        with standard_output():
            click.echo(json.dumps(line, ensure_ascii=True))
        if line["status"] == FAILED:
            error = line["error"]
            hint = f" {error['hint']}" if error["hint"] else ""
            self._talk.clear()
            click.echo(f"Error: {line['name']}: {error['message']}{hint}", err=True)
        self._talk.status(self._pace.line(tally))

    def close(self) -> None:
        """The last line has been told."""
        self._talk.clear()


def _check_report(page: Path | None, entries: Sequence[Entry], force: bool) -> None:
    """UsageError or AffectgenError for a page that could not be written, before anything is made. A batch's page of
    before is replaced unasked."""
    if page is None:
        return
    from affectgen.report.gallery import is_gallery

    if page.suffix.lower() not in PAGES:
        raise UsageError(f"--report {page} has another ending than a page.", f"Use {' or '.join(PAGES)}.")
    check_output(page, force=force or is_gallery(page))
    files = [path for one in entries if one.work is not None for path in one.work.order.target.files()]
    if page.resolve() in {path.resolve() for path in files}:
        raise UsageError(f"--report {page} is a file of one of the jobs.", "Give the page another name.")


def _report(page: Path, entries: Sequence[Entry], tally: Tally, talk: Talk) -> None:
    """Write the gallery."""
    from affectgen.batch.gallery import write_report

    write_report(page, entries, tally.lines)
    talk.say(f"wrote {page}")


def _end(tally: Tally) -> None:
    """PartlyFailed, or AffectgenError where nothing is good."""
    if not tally.failed:
        return
    kind = PartlyFailed if tally.failed < tally.total else AffectgenError
    raise kind(f"{tally.failed} of {tally.total} jobs failed.", "Each is named above; run it again to try them again.")
