"""How fast codes of MusicGen are written: this package's loop, transformers' `generate` and audiocraft's.

    python benchmarks/musicgen.py            prints the figures; 5 minutes on one core
    python benchmarks/musicgen.py --write    also puts them into docs/results.md, between the musicgen marks
    python benchmarks/musicgen.py --quick    the same on a tiny model: that it runs, not how fast

A model of musicgen-small's shape with random weights, which all three read; prompts of eight random words; guidance 3,
the 250 likeliest codes, each contender with the draws of its own. Nothing is decoded. On the CPU one thread is used and
its CPU time counts, so that other programs disturb little; on CUDA the clock on the wall counts, and what this package
does before its first step (recording the step) is part of the time. The contenders take turns; medians count.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.medicine.musicgen.decoder import FastStepper
from affectgen.medicine.musicgen.decoding import generate
from affectgen.medicine.musicgen.interface import Row, Sampling, Shape
from affectgen.medicine.musicgen.matrices import Decoder
from affectgen.nn.training import halves_pay
from affectgen.report.blocks import write_block

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results.md"
GUIDANCE, TOP_K, WORDS = 3.0, 250, 8
BATCHES = (1, 8)
FRAMES = {"cpu": 24, "cuda": 250}  # of a clip
ROUNDS = 3
OURS, THEIRS, OTHERS = "affectgen", "transformers", "audiocraft"
BARS = {"cpu": 1.0, "cuda": 2.0}  # how many times as fast as transformers at least; and on the CPU as audiocraft


@dataclass(frozen=True)
class Size:
    """Of a decoder; text: the width of the text encoder's states."""

    dim: int
    layers: int
    heads: int
    card: int
    text: int
    books: int = 4


SMALL = Size(1024, 24, 16, 2048, 768)  # musicgen-small
TINY = Size(32, 2, 4, 64, 24)


class Subject:
    """One random model, and what writes its codes. `write[name](batch, frames, greedy)` gives codes [B, K, T]."""

    def __init__(self, size: Size, device: str) -> None:
        self.size, self.device, self.dtype = size, torch.device(device), torch.float32
        self.model = random_model(size).to(self.device)
        self.other = audiocrafts(self) if find_spec("audiocraft") is not None else None
        self.decoder = Decoder.of(self.model.decoder, self.dtype)
        self.shape = Shape(3200, 50.0, size.books, size.card, 1, size.dim, 1500)
        self.write: dict[str, Callable[[int, int, bool], Tensor]] = {OURS: self.ours, THEIRS: self.theirs}
        if self.other is not None:
            self.write[OTHERS] = self.others

    def to(self, dtype: torch.dtype) -> None:
        """Change the precision of all three."""
        self.dtype = dtype
        self.model.to(dtype)
        self.decoder = Decoder.of(self.model.decoder, dtype)
        if self.other is not None:
            self.other.to(dtype)

    def ids(self, batch: int) -> Tensor:
        """Words, [B, S]."""
        return (torch.arange(batch * WORDS, device=self.device) % 29 + 2).view(batch, WORDS)

    def states(self, batch: int) -> Tensor:
        """What the decoder attends to, [B, S, D]."""
        with torch.no_grad():
            states: Tensor = self.model.enc_to_dec_proj(self.model.text_encoder(self.ids(batch)).last_hidden_state)
        return states

    def begin(self, rows: Sequence[Row], guidance: float, length: int) -> FastStepper:
        """As of the interface `MusicGen`."""
        states = self.states(len(rows))
        mask = torch.ones(2 * len(rows), WORDS, dtype=torch.bool, device=self.device)
        return FastStepper(self.decoder, torch.cat([states, torch.zeros_like(states)]), mask, guidance, length)

    def ours(self, batch: int, frames: int, greedy: bool) -> Tensor:
        """By this package."""
        rows = [Row("", None, seed) for seed in range(batch)]
        how = Sampling(0.0 if greedy else 1.0, TOP_K, GUIDANCE)
        model: Any = self
        return generate(model, rows, frames, how)

    def theirs(self, batch: int, frames: int, greedy: bool) -> Tensor:
        """By transformers."""
        from affectgen.medicine.musicgen.text_encoder import quietly

        written: list[Tensor] = []
        codec = self.model.audio_encoder
        codec.decode = lambda codes, **_: written.append(codes) or Nothing()
        ids, positions = self.ids(batch), frames + self.size.books - 1
        try:
            with quietly():
                self.model.generate(
                    input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=not greedy, top_k=TOP_K,
                    guidance_scale=GUIDANCE, max_new_tokens=positions,
                )  # fmt: skip
        finally:
            del codec.decode
        return written[0][0].cpu()

    def others(self, batch: int, frames: int, greedy: bool) -> Tensor:
        """By audiocraft."""
        from affectgen.medicine.musicgen.foreign import part

        attributes = part("modules.conditioners").ConditioningAttributes
        asked = [attributes(text={"description": "words"}) for _ in range(batch)]
        codes: Tensor = self.other.generate(
            None, asked, max_gen_len=frames, use_sampling=not greedy, top_k=min(TOP_K, self.size.card),
            cfg_coef=GUIDANCE,
        )  # fmt: skip
        return codes.cpu()


class Nothing:
    """What stands for the sound."""

    audio_values = torch.zeros(1, 1, 1)


def random_model(size: Size) -> Any:
    """transformers' MusicGen, with text encoder and codec next to nothing."""
    from affectgen.medicine.musicgen.text_encoder import quietly, transformers

    package = transformers()
    torch.manual_seed(0)
    with quietly():
        model = package.MusicgenForConditionalGeneration(_config(package, size)).eval()
    settings = model.generation_config
    settings.pad_token_id = settings.bos_token_id = settings.decoder_start_token_id = size.card
    return model


def _config(package: Any, size: Size) -> Any:
    return package.MusicgenConfig(
        text_encoder=package.T5Config(vocab_size=32, d_model=size.text, d_kv=8, d_ff=16, num_layers=1, num_heads=1),
        audio_encoder=package.EncodecConfig(
            sampling_rate=3200, upsampling_ratios=[4, 4, 4], num_filters=4, hidden_size=16, codebook_size=size.card,
            num_lstm_layers=1,
        ),
        decoder=package.MusicgenDecoderConfig(
            vocab_size=size.card, hidden_size=size.dim, ffn_dim=4 * size.dim, num_hidden_layers=size.layers,
            num_attention_heads=size.heads, num_codebooks=size.books, pad_token_id=size.card, bos_token_id=size.card,
        ),
    )  # fmt: skip


def audiocrafts(subject: Subject) -> Any:
    """audiocraft's language model with the same weights; its words are states from the text encoder of the other."""
    from affectgen.medicine.musicgen.convert import to_audiocraft
    from affectgen.medicine.musicgen.foreign import _language, part

    class Given(part("modules.conditioners").TextConditioner):  # type: ignore[misc]
        """States of the subject's words; zeros, masked, for no words."""

        def tokenize(self, texts: list[str | None]) -> list[str | None]:
            return texts

        def forward(self, texts: list[str | None]) -> tuple[Tensor, Tensor]:
            with_words = [text is not None for text in texts]
            kept = torch.tensor(with_words, device=subject.device)[:, None].expand(-1, WORDS)
            states = subject.states(sum(with_words)).to(subject.dtype)
            return torch.cat([states, states.new_zeros(len(texts) - len(states), *states.shape[1:])]), kept.int()

    conditioner = Given(subject.size.text, subject.size.dim)
    model = _language(subject.model.config.decoder, conditioner, str(subject.device)).to(subject.device, subject.dtype)
    weights = {f"decoder.{name}": value for name, value in subject.model.decoder.state_dict().items()}
    missing = model.load_state_dict(to_audiocraft(weights), strict=False).missing_keys
    if any("output_proj" not in name for name in missing):
        raise RuntimeError(f"audiocraft's model lacks {missing[0]}")
    return model


def seconds(subject: Subject, batch: int, frames: int, rounds: int) -> dict[str, float]:
    """The median of what each contender takes for a batch of clips, by name."""
    cuda = subject.device.type == "cuda"
    clock = time.perf_counter if cuda else time.process_time
    for write in subject.write.values():
        write(batch, 4, False)
    took: dict[str, list[float]] = {name: [] for name in subject.write}
    for _ in range(rounds):
        for name, write in subject.write.items():
            if cuda:
                torch.cuda.synchronize()
            began = clock()
            write(batch, frames, False)  # ends with codes on the CPU
            took[name].append(clock() - began)
    return {name: statistics.median(values) for name, values in took.items()}


def row(where: str, kind: str, batch: int, frames: int, took: dict[str, float], books: int) -> str:
    """A line of the table. A ratio that misses its bar has a *."""
    rates = {name: batch * frames / value for name, value in took.items()}
    cells = [where, str(batch), f"{rates[OURS]:.1f} ({rates[OURS] * books:.0f})"]
    for name, bar in ((THEIRS, BARS[kind]), (OTHERS, BARS[kind] if kind == "cpu" else 0.0)):
        if name not in rates:
            cells += ["not installed", ""]
            continue
        times = rates[OURS] / rates[name]
        cells += [f"{rates[name]:.1f}", f"{times:.2f}" + ("" if times >= bar else "*")]
    return f"| {' | '.join(cells)} |"


def page(size: Size, frames: dict[str, int], rounds: int, batches: Sequence[int] = BATCHES) -> str:
    """All figures as Markdown."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    versions = [f"torch {torch.__version__}", *(f"{name} {version(name)}" for name in (THEIRS, OTHERS))]
    lines = [
        f"`python benchmarks/musicgen.py`, Python {platform.python_version()}, {', '.join(versions)}: {size.layers} "
        f"layers, {size.dim} wide, {size.heads} heads, random weights; guidance {GUIDANCE:g}, so every clip is two "
        f"rows; medians of {rounds}. CPU: one core of {cpu_name()}, its CPU time, clips of {frames['cpu']} frames, "
        f"load average {load} from all programs. CUDA: {cuda_name()}. Bars: on the CPU no slower than either; on CUDA "
        f"{BARS['cuda']:g} times transformers. A "
        "ratio that misses its bar has a *. 50 frames are a second of music.",
        "",
        "| where | clips at once | affectgen: frames (codes) a second | transformers: frames a second | times as fast "
        "| audiocraft: frames a second | times as fast |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        subject = Subject(size, kind)
        halves = [torch.bfloat16] if halves_pay(subject.device) else []
        for dtype in [torch.float32, *halves]:
            subject.to(dtype)
            where = f"{kind.upper()}, {str(dtype).removeprefix('torch.')}"
            for batch in batches:
                took = seconds(subject, batch, frames[kind], rounds)
                lines.append(row(where, kind, batch, frames[kind], took, size.books))
                print(lines[-1], file=sys.stderr)
        del subject
    return "\n".join(lines)


def version(name: str) -> str:
    """Of an installed package."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as found

    try:
        return found(name)
    except PackageNotFoundError:
        return "not installed"


def cpu_name() -> str:
    """As the system calls it."""
    path = Path("/proc/cpuinfo")
    named = [line for line in path.read_text().splitlines() if line.startswith("model name")] if path.exists() else []
    return named[0].partition(":")[2].strip() if named else platform.processor()


def cuda_name() -> str:
    """The GPU, if any."""
    return f"{torch.cuda.get_device_name()}, clips of {FRAMES['cuda']} frames" if torch.cuda.is_available() else "none"


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="Put the figures into docs/results.md.")
    parser.add_argument("--quick", action="store_true", help="A tiny model, for a test.")
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    told = page(TINY, dict.fromkeys(FRAMES, 6), 1) if given.quick else page(SMALL, FRAMES, ROUNDS)
    print(told)
    if given.write:
        write_block(RESULTS, "musicgen", "## Writing MusicGen's codes\n\n" + told)


if __name__ == "__main__":
    main()
