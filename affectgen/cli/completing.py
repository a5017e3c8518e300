"""What the shell offers when Tab is pressed: commands and options as Click knows them, and what our options can hold.

Nothing here loads a model or torch: the answer must come while a person waits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    _resolve_context,
    _resolve_incomplete,
    add_completion_class,
)

Items = list[CompletionItem[str]]
Completer = Callable[[click.Context, str], Items]
FILES = re.compile(r"PATH|FILE|AUDIO|DIR|FOLDER|PLAN|PAGE|path")  # in what an option's help calls its value
PRESET_NAMES = ("NAME|PATH", "[FILE|NAME...]")  # arguments of `presets` that name some
STEP = re.compile(r"(.*[>~])?([^>~]*)", re.DOTALL)  # a path of emotions: what is there, and the word that is begun
# the kinds of checkpoints that generators read; MusER composes by either structure, and does all else by its own
MUSER, EITHER, EMOGEN = ("muser",), ("muser", "muser-paper"), ("emogen",)
COMPOSERS = {"muser": EITHER, "emogen": EMOGEN}


def affects(ctx: click.Context, text: str) -> Items:
    """Emotions that begin like the last step of `text`: words of the table with where they stand, other words for them,
    quadrants. A space in a word is told as an underscore, which means the same."""
    from affectgen.affect.words import ALIASES, find_word, words

    found = STEP.fullmatch(text)
    before, begun = (found[1], found[2]) if found is not None else ("", text)
    known = {word.name: f"{word.valence:+.2f},{word.arousal:+.2f}" for word in words()}
    if begun:  # with nothing typed, the words themselves are enough
        known |= {name: f"as {word.name}" for name in ALIASES if (word := find_word(name)) is not None}
    known |= {f"Q{number}": f"quadrant {number}" for number in range(1, 5)}
    rows = ((name.replace(" ", "_"), help_) for name, help_ in known.items())
    return [CompletionItem(f"{before or ''}{name}", help=about) for name, about in rows if _begins(name, begun)]


def checkpoints(ctx: click.Context, text: str) -> Items:
    """Checkpoints of the kinds that the command reads."""
    from affectgen.nn.checkpoint import list_checkpoints

    try:
        folders = list_checkpoints()
    except OSError:  # a folder that may not be looked into has no names to offer
        folders = []
    kinds = checkpoint_kinds(ctx)
    return _named((folder.name for folder in folders if _kind(folder) in kinds), text)


def checkpoint_kinds(ctx: click.Context) -> tuple[str, ...]:
    """The kinds of checkpoints that a command reads: its generator's, else those of the --composer chosen so far, else
    those of all generators."""
    words = ctx.command_path.split()[1:]
    if words[:1] == ["muser"] and words != ["muser", "generate"]:
        return MUSER
    generator = next((word for word in words if word in COMPOSERS), ctx.params.get("composer"))
    return COMPOSERS.get(str(generator), (*EITHER, *EMOGEN))


def _kind(folder: Path) -> str | None:
    """What a checkpoint's config says that it is; None for one that cannot be read."""
    from affectgen.nn.checkpoint import CONFIG

    try:
        held = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return held.get("kind") if isinstance(held, dict) else None


def presets(ctx: click.Context, text: str) -> Items:
    """Presets that can be named."""
    return _named(_preset_paths(), text)


def own_presets(ctx: click.Context, text: str) -> Items:
    """Presets of the command at hand, or of the one that --command names."""
    from affectgen.batch.presets.preset import preset_command

    named = ctx.params.get("command")
    command = named if named is not None else ctx.command_path.partition(" ")[2]
    paths = _preset_paths()
    return [item for item in _named(paths, text) if preset_command(paths[item.value]) == command]


def _preset_paths() -> dict[str, Path]:
    """Presets by their names; none where a folder may not be looked into."""
    from affectgen.batch.presets.preset_find import preset_paths

    try:
        return preset_paths()
    except OSError:
        return {}


def _named(names: Iterable[str], text: str) -> Items:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(text)]


def _begins(name: str, text: str) -> bool:
    return name.lower().startswith(text.lower().replace(" ", "_"))


def completer(param: click.Parameter, ctx: click.Context) -> Completer | None:
    """What knows the values of an option or argument, by its name or what its help calls them; None where nothing
    does."""
    called = str(getattr(param, "metavar", None))
    if param.name == "affect" or called == "AFFECT":
        return affects
    if param.name == "checkpoint":
        return checkpoints
    if param.name == "preset" or (param.name == "extends" and ctx.params.get("command") is not None):
        return own_presets
    named = param.name in ("name", "files") and called in PRESET_NAMES
    if named or param.name in ("presets", "extends") or called.startswith("PRESET"):
        return presets
    return None


def takes_files(param: click.Parameter) -> bool:
    """Whether an option or argument takes the name of a file or folder."""
    called = getattr(param, "metavar", None)
    return FILES.search(called if called is not None else param.type.name) is not None


def complete(param: click.Parameter, ctx: click.Context, text: str) -> Items:
    """What an option or argument may hold; a single item of the type "file" lets the shell offer files."""
    known = completer(param, ctx)
    found = known(ctx, text) if known is not None else param.shell_complete(ctx, text)
    if known is affects:  # what it may be beside an emotion, in small letters: auto|keep|TEXT
        found += _named([word for word in str(getattr(param, "metavar", "")).split("|") if word.islower()], text)
    if not found and (takes_files(param) or known is presets):
        return [CompletionItem(text, type="file")]
    return found


# Click's own script asks whether zsh is just loading it, which is no longer so at the second Tab: nothing is offered.
ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local kind word help missing=1
    local -a answer plain described
    (( $+commands[%(prog_name)s] )) || return 1
    local -x COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) %(complete_var)s=zsh_complete
    answer=("${(@f)$(%(prog_name)s)}")
    for kind word help in "${answer[@]}"; do
        case $kind in
            file) _path_files -f && missing=0 ;;
            dir) _path_files -/ && missing=0 ;;
            plain) if [[ $help == _ ]]; then plain+=("$word"); else described+=("${word//:/\\\\:}:$help"); fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U && missing=0
    (( $#plain )) && compadd -U -V unsorted -a plain && missing=0
    return missing
}

if (( $+compstate )); then  # at a Tab
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class Ours(ShellComplete):
    """Click's completion with what our options can hold."""

    def get_completions(self, args: list[str], incomplete: str) -> Items:
        """What fits behind `args` and begins with `incomplete`."""
        ctx = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
        found, text = _resolve_incomplete(ctx, args, incomplete)
        if isinstance(found, click.Parameter):
            return complete(found, ctx, text)
        return found.shell_complete(ctx, text)


class OurBash(Ours, BashComplete):
    """For bash, which makes three words of --affect=happy."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is begun, and that one."""
        args, incomplete = super().get_completion_args()
        pairs = zip(["", *args], args, strict=False)
        return [word for before, word in pairs if word != "=" or not before.startswith("--")], incomplete


class OurZsh(Ours, ZshComplete):
    """For zsh, which loads a file of `fpath` at the first Tab and runs it once more at the next."""

    source_template = ZSH


class OurFish(Ours, FishComplete):
    """For fish."""


SHELLS: dict[str, type[Ours]] = {"bash": OurBash, "zsh": OurZsh, "fish": OurFish}


def register() -> None:
    """Let Click use these for its completion."""
    for one in SHELLS.values():
        add_completion_class(one)
