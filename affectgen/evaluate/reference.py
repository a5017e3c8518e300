"""The real music that generated pieces are held against: EMOPIA's clips, and an index of all training patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affectgen.errors import AffectgenError
from affectgen.evaluate.copying import PatternIndex, index_files
from affectgen.recognize.corpus import Labelled, read_emopia
from affectgen.score.midi import read_notes

CACHE = Path("runs")


@dataclass(frozen=True)
class Reference:
    """train, val: labelled real clips as performed; folder: where the corpora are."""

    train: list[Labelled]
    val: list[Labelled]
    folder: Path

    def patterns(self, corpora: Sequence[str] = ("pop1k7",), cache: Path | None = CACHE) -> PatternIndex:
        """Every pattern of the training set: EMOPIA's training clips as performed and on the grid, and unlabelled
        corpora by the names of their folders. cache: a folder in which the index is kept, or None."""
        names = {clip.name for clip in self.train}
        emopia = [path for kind in ("raw", "beat") for path in sorted((self.folder / "emopia" / kind).glob("*.mid"))]
        files = [path for path in emopia if path.stem in names]
        files += [path for name in corpora for path in sorted((self.folder / name).glob("*.mid"))]
        kept = cache / f"patterns-{'-'.join(('emopia', *corpora))}.npz" if cache is not None else None
        return index_files(files, read_notes, kept)

    def grids(self, split: str) -> list[Path]:
        """The beat-aligned files of a split's clips."""
        clips = self.train if split == "train" else self.val
        paths = [self.folder / "emopia" / "beat" / f"{clip.name}.mid" for clip in clips]
        return [path for path in paths if path.is_file()]


def load_reference(folder: Path | None) -> Reference:
    """Read the real clips. AffectgenError where the folder has no EMOPIA."""
    found = folder if folder is not None else Path("..") / "shared" / "data"
    if not (found / "emopia" / "clips.csv").is_file():
        raise AffectgenError(
            f"{found} has no emopia/clips.csv to compare with.", "Give --data a folder as docs/training.md shows."
        )
    clips = {split: read_emopia(found / "emopia", split) for split in ("train", "val")}
    return Reference(clips["train"], clips["val"], found)
