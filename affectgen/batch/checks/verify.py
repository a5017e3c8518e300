"""Verifying what was made: every piece against its manifest, and every folder for what lies there without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from affectgen.batch.checks.verify_files import Case, Finding, State, find_cases, folders_of
from affectgen.batch.checks.verify_journal import check_journal
from affectgen.batch.checks.verify_piece import VerifySettings, check
from affectgen.device import cores
from affectgen.processes import map_in_processes

__all__ = ["VerifySettings", "verify"]

FEW = 24  # pieces that are verified sooner than other processes start
CHUNK = 8  # pieces that a process takes at a time


def verify(
    names: Sequence[Path], settings: VerifySettings, jobs: int | None = None, orphans: bool = True
) -> tuple[int, Iterator[Finding]]:
    """How many files there are to tell of, and what is found of each in turn; then what journals say against them.

    names: folders, manifests and pieces; jobs: processes, None for one, or as many as there are processors for more
    than FEW pieces; orphans: whether to tell of pieces without a manifest that lie in a folder. AffectgenError for a
    folder in which there is nothing to verify.
    """
    found = find_cases(names)
    if not orphans:
        given = set(names)
        found = [one for one in found if isinstance(one, Case) or one.state != State.ORPHAN or one.path in given]
    return len(found), _findings(found, folders_of(names), settings, jobs)


def _findings(
    found: Sequence[Case | Finding], folders: Sequence[Path], settings: VerifySettings, jobs: int | None
) -> Iterator[Finding]:
    cases = [one for one in found if isinstance(one, Case)]
    count = jobs if jobs is not None else (cores() if len(cases) > FEW else 1)
    checked = _checked(cases, settings, min(count, len(cases)))
    told: set[Path] = set()
    for one in found:
        finding = next(checked) if isinstance(one, Case) else one
        if finding.bad:
            told.add(finding.path)
        yield finding
    for folder in folders:  # of a file that is wrong, once is enough
        yield from (finding for finding in check_journal(folder) if finding.path not in told)


def _checked(cases: Sequence[Case], settings: VerifySettings, jobs: int) -> Iterator[Finding]:
    one = partial(check, settings=settings)
    if jobs > 1:
        yield from map_in_processes(one, cases, jobs, chunk=CHUNK)
    else:
        yield from map(one, cases)
