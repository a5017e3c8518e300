r"""The making of the tiny MusicGen, in order:

    python -m affectgen.medicine.musicgen.small train --data DATA --run RUN -o RUN/base
    python -m affectgen.medicine.musicgen.small segments --data DATA --run RUN
    affectgen medicine train --audio RUN/segments --labels RUN/segments/labels.csv --base RUN/base --seconds 10.24 \
        --rank 16 --batch 8 --rate 1e-3 --steps 800 --warmup 40 --validate-every 100 -o RUN/adapter
    python -m affectgen.medicine.musicgen.small try --base RUN/base --adapter RUN/adapter
    python -m affectgen.medicine.musicgen.small pack --run RUN -o checkpoints/musicgen-tiny

and back to the folders that transformers and peft load:

    python -m affectgen.medicine.musicgen.small unpack musicgen-tiny -o FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from affectgen.device import choose_threads, use_threads
from affectgen.errors import AffectgenError
from affectgen.medicine.musicgen.small import produce
from affectgen.medicine.musicgen.small.codec_train import CodecTraining
from affectgen.medicine.musicgen.small.folders import NAME, unpack
from affectgen.medicine.musicgen.small.language_train import LanguageTraining


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; the exit code is that of affectgen."""
    given = _parser().parse_args(arguments)
    use_threads(choose_threads())
    try:
        run: Callable[[argparse.Namespace], None] = given.run_command
        run(given)
    except AffectgenError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m affectgen.medicine.musicgen.small", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="render, train codec and language model, write the base's folder")
    train.add_argument("--first-steps", type=int, default=CodecTraining.steps, help="of the codec, at first")
    train.add_argument("--codec-steps", type=int, default=produce.AFTERWARDS.steps, help="of the codec, afterwards")
    train.add_argument("--language-steps", type=int, default=LanguageTraining.steps)
    train.add_argument("--seed", type=int, default=0)
    train.set_defaults(run_command=_train)
    segments = commands.add_parser("segments", help="cut the rendered clips and have the guide read the pieces")
    segments.set_defaults(run_command=lambda given: produce.segments(given.data, given.run, _say))
    trial = commands.add_parser("try", help="how the guide reads what is generated, at several guidances")
    trial.add_argument("--base", type=Path, required=True)
    trial.add_argument("--adapter", type=Path, required=True)
    trial.add_argument("--guidance", type=float, nargs="+", default=[1.0, 2.0, 3.0, 5.0])
    trial.add_argument("--requests", type=int, default=32)
    trial.set_defaults(run_command=_try)
    pack = commands.add_parser("pack", help="write base and adapter as one checkpoint of this project")
    pack.add_argument("--base", type=Path, help="default RUN/base")
    pack.add_argument("--adapter", type=Path, help="default RUN/adapter")
    pack.add_argument("--report", type=Path, help="JSON of affectgen.evaluate.musicgen_small, for the card")
    pack.set_defaults(run_command=_pack)
    back = commands.add_parser("unpack", help="write the folders that transformers and peft load")
    back.add_argument("name", nargs="?", default=NAME)
    back.set_defaults(run_command=_unpack)
    for command in (train, segments):
        command.add_argument("--data", type=Path, required=True, help="the folder with emopia/ (docs/training.md)")
    for command in (train, segments, pack):
        command.add_argument("--run", type=Path, required=True, help="folder in which all that is learned is kept")
    for command in (train, pack, back):
        command.add_argument("-o", "--output", type=Path, required=True)
    return parser


def _train(given: argparse.Namespace) -> None:
    made = produce.Production(
        first_training=CodecTraining(steps=given.first_steps, seed=given.seed),
        codec_training=replace(produce.AFTERWARDS, steps=given.codec_steps, seed=given.seed),
        language_training=LanguageTraining(steps=given.language_steps, seed=given.seed),
    )
    produce.train(given.data, given.run, given.output, made, _say)


def _try(given: argparse.Namespace) -> None:
    for row in produce.trial(given.base, given.adapter, given.guidance, given.requests, _say):
        sys.stdout.write(f"{row}\n")


def _pack(given: argparse.Namespace) -> None:
    base = given.run / "base" if given.base is None else given.base
    adapter = given.run / "adapter" if given.adapter is None else given.adapter
    produce.pack_run(given.run, base, adapter, given.output, given.report)


def _unpack(given: argparse.Namespace) -> None:
    found = unpack(given.name, given.output)
    sys.stdout.write("\n".join(str(folder) for folder in (found.base, found.adapter) if folder is not None) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
