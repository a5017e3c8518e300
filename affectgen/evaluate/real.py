"""What the recognisers and the measures say of real music: the tables of docs/recognisers.md.

    python -m affectgen.evaluate.real --data ../shared/data                                prints them
    python -m affectgen.evaluate.real --data ../shared/data --write docs/recognisers.md    and writes them

Figures of a fit stand in the checkpoint's config and are taken from there; everything else is measured. Rows of a
corpus that is not in the folder are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from affectgen.device import choose_threads, use_threads
from affectgen.evaluate import real_grid
from affectgen.evaluate.copying import PatternIndex, copied_share, index_pieces
from affectgen.evaluate.distance import chosen_statistics, distance_over_floor
from affectgen.evaluate.endings import ending, ending_shares
from affectgen.evaluate.measures import measure
from affectgen.evaluate.reference import Reference, load_reference
from affectgen.evaluate.tables import Blocks, Cell, run, table
from affectgen.recognize import store
from affectgen.recognize.corpus import Labelled, read_emopia, read_vgmidi
from affectgen.recognize.critic import CRITIC, load_critic
from affectgen.recognize.guide import GUIDE, load_guide
from affectgen.recognize.judge import JUDGE, Judge, Verdict, load_judge
from affectgen.recognize.midi import RECOGNISER
from affectgen.score.midi import read_notes
from affectgen.score.notes import NoteArray

PART = (8.0, 16.0)  # seconds of a clip that are judged alone
FLAT = 64  # the one velocity of clips without dynamics
SIZES = (60, 100)  # clips a side for which the distance's floor is shown, besides all of them
Row = list[Cell]


def accuracy_row(name: str, clips: Sequence[Labelled], verdict: Verdict) -> Row:
    """A row of `reading` for clips [N] with a quadrant and what was read of them."""
    found = verdict.accuracy(np.array([clip.quadrant for clip in clips]))
    return [name, *_shares(len(clips), found), None, None]


def card_row(name: str, checkpoint: str, kind: str) -> Row:
    """The same from the figures that the fit left in a checkpoint's config."""
    figures = store.load(checkpoint, kind)[1]["figures"]
    ranks = [float(figures[f"spearman_{axis}"]) for axis in ("arousal", "valence")]
    return [f"{name} (card)", *_shares(int(figures["clips"]), figures), *ranks]


def _shares(count: int, figures: dict[str, float]) -> Row:
    """The count, three shares, and the largest standard error that a share of so many clips has."""
    shares = [float(figures[name]) for name in ("quadrants", "arousal", "valence")]
    return [count, *shares, 0.5 / count**0.5]


def flat(notes: NoteArray) -> NoteArray:
    """The same notes, all of velocity FLAT."""
    return NoteArray(notes.onset, notes.duration, notes.pitch, np.full(len(notes), FLAT))


def reading(reference: Reference) -> str:
    """How well judge, guide and recogniser read real clips."""
    judge, guide, train, val = load_judge(), load_guide(), reference.train, reference.val
    on_grid = read_emopia(reference.folder / "emopia", "train", "beat")
    unseen = _notes(val)
    parts = [clip.notes.from_zero().between(*PART) for clip in train]
    rows = [
        card_row("judge, songs never seen", JUDGE, "judge"),
        _judged("judge, the same clips on the beat grid", judge, on_grid, _notes(on_grid)),
        _judged(f"judge, {PART[1] - PART[0]:g} s of each clip", judge, train, parts),
        _judged(f"judge, every velocity {FLAT}", judge, train, [flat(clip.notes) for clip in train]),
        card_row("guide, out of fold by song", GUIDE, "guide"),
        accuracy_row("guide, songs never seen", val, Verdict(guide.rate(unseen), guide.quadrants(unseen))),
        card_row("recogniser, out of fold by song", RECOGNISER, "recogniser"),
    ]
    head = ("", "clips", "4 quadrants", "arousal", "valence", "standard error up to")
    return table((*head, "Spearman arousal", "Spearman valence"), rows)


def _judged(name: str, judge: Judge, clips: Sequence[Labelled], pieces: Sequence[NoteArray]) -> Row:
    return accuracy_row(name, clips, judge.judge(pieces))


def rated(reference: Reference) -> str:
    """What VGMIDI gives to fit and measure on."""
    if not (reference.folder / "vgmidi").is_dir():
        return "VGMIDI is not in the folder."
    found = read_vgmidi(reference.folder / "vgmidi")
    constant = float(np.mean([not window.dynamics for window in found]))
    return table(("windows of VGMIDI", "of pieces with one velocity throughout"), [[len(found), constant]])


def critic(reference: Reference) -> str:
    """How many real and composed pieces pass for real."""
    told, clips = store.load(CRITIC, "critic")[1]["figures"], reference.val
    unseen = float((load_critic().belief(_notes(clips)) >= 0).mean())
    rows: list[Row] = [
        ["EMOPIA's training clips, out of fold by song (card)", int(told["clips"]), told["real clips that pass"]],
        ["EMOPIA's validation clips, songs never seen", len(clips), unseen],
        ["pieces composed at first try, out of fold (card)", int(told["clips"]), told["composed pieces that pass"]],
    ]
    area = f"Area under the ROC curve, out of fold: {told['area under the ROC curve']:.3f}."
    return f"{table(('', 'pieces', 'pass for real'), rows)}\n\n{area}"


def measures(reference: Reference) -> str:
    """MusPy's measures of all clips, as they are and in the judging form."""
    clips = [clip.notes for clip in (*reference.train, *reference.val)]
    rows: list[Row] = []
    for name, pieces in (("at full length", clips), ("in judging form", [clip.for_judging() for clip in clips])):
        found = [measure(piece) for piece in pieces]
        means = [float(np.mean([getattr(one, field) for one in found]))
                 for field in ("pitch_range", "pitch_classes", "polyphony")]  # fmt: skip
        rows.append([f"EMOPIA's clips, {name}", len(pieces), *means])
    return table(("", "clips", "pitch range", "pitch classes", "polyphony"), rows)


def floors(reference: Reference) -> str:
    """The distance of real validation clips from real training clips, by the number of clips a side."""
    train, val = (chosen_statistics([clip.notes for clip in clips]) for clips in (reference.train, reference.val))
    sizes = sorted({min(size, len(val)) for size in (*SIZES, len(val))})
    rows: list[Row] = [[size, distance_over_floor(val[:size], train, val).floor] for size in sizes]
    return table(("clips a side", "floor"), rows)


def copied(reference: Reference) -> str:
    """Patterns of validation clips that are in the training set, without and with Pop1k7."""
    beat = {split: _notes(read_emopia(reference.folder / "emopia", split, "beat")) for split in ("train", "val")}
    index = index_pieces([*_notes(reference.train), *beat["train"]])
    pop = _pop(reference)
    more = PatternIndex(np.union1d(index.hashes, index_pieces(pop).hashes), index.files + len(pop))
    sides = (("as performed", _notes(reference.val)), ("on the beat grid", beat["val"]))
    rows: list[Row] = []
    for name, pieces in sides:
        shares = [copied_share(pieces, one) for one in ((index, more) if pop else (index,))]
        cells = [f"{share:.4f}" for share in shares] + [""] * (2 - len(shares))
        rows.append([f"validation clips {name}", len(pieces), *cells])
    return table(("", "clips", "found in EMOPIA's training clips", "or in Pop1k7"), rows)


def endings(reference: Reference) -> str:
    """Shares of real pieces that close."""
    emopia, games = reference.folder / "emopia", sorted((reference.folder / "vgmidi" / "midi").glob("*.mid"))
    corpora = (
        ("EMOPIA's clips as performed", _notes([*reference.train, *reference.val])),
        ("EMOPIA's clips on the beat grid", _notes(read_emopia(emopia, None, "beat"))),
        ("Pop1k7, whole pieces", _pop(reference)),
        ("VGMIDI, whole pieces", [read_notes(path) for path in games]),
    )
    rows: list[Row] = []
    for name, pieces in corpora:
        shares = ending_shares([ending(piece) for piece in pieces])
        if pieces:
            rows.append([name, len(pieces), shares.closes, shares.tonic, shares.held])
    return table(("", "pieces", "close", "on the tonic", "held"), rows)


def _notes(clips: Sequence[Labelled]) -> list[NoteArray]:
    return [clip.notes for clip in clips]


def _pop(reference: Reference) -> list[NoteArray]:
    return [read_notes(path) for path in sorted((reference.folder / "pop1k7").glob("*.mid"))]


def blocks(data: Path | None) -> Blocks:
    """Every table, measured one after another. AffectgenError where there is no EMOPIA."""
    reference = load_reference(data)
    parts = (reading, rated, critic, measures, floors, copied, endings, real_grid.cost, real_grid.shifts)
    for part in parts:
        yield f"real-{part.__name__}", part(reference)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    use_threads(choose_threads())
    return run(__doc__, blocks, arguments)


if __name__ == "__main__":
    sys.exit(main())
