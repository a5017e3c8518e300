"""What every training command checks and says."""

from __future__ import annotations

from pathlib import Path

from affectgen.errors import AffectgenError


def check_files(out: Path, run: Path, force: bool) -> None:
    """Refuse what cannot end well before anything long begins."""
    if out.exists() and not out.is_dir():
        raise AffectgenError(f"{out} is a file, and a folder was expected.", "Give another name.")
    if (out / "config.json").exists() and not force:
        raise AffectgenError(f"{out} holds a checkpoint already.", "Give another name, or --force to replace it.")
    for path in (out, run):
        if not path.parent.is_dir():
            raise AffectgenError(f"The folder {path.parent} does not exist.", f"Create it: mkdir -p {path.parent}")


def path_text(out: Path) -> str:
    """The folder so that --checkpoint takes it for a path, not for a name."""
    return str(out) if out.parent != Path() or out.is_absolute() else f"./{out}"
