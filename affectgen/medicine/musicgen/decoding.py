"""Drawing codes from a MusicGen of either backend: the delay pattern, top-k, a batch that memory holds.

Every row has a generator of its own, seeded by the row, so what it draws does not depend on its neighbours.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from affectgen.errors import AffectgenError, UsageError
from affectgen.medicine.musicgen.delay import delayed, undelayed
from affectgen.medicine.musicgen.interface import MusicGen, Row, Sampling, Shape

UNKNOWN = -1  # a number that is still to be drawn
NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")
WATCHED = 10  # frames between two looks at what is written
Tell = Callable[[int, int], None]  # frames written, of how many
Watch = Callable[[Tensor], None]  # codes [B, K, T] that are written


def generate(
    model: MusicGen, rows: Sequence[Row], frames: int, sampling: Sampling, tell: Tell | None = None,
    watch: Watch | None = None,
) -> Tensor:  # fmt: skip
    """Codes [B, K, frames] on the CPU, those that a row starts from included.

    A row that starts from the first codes of what it became before becomes the same again: what is drawn at a place
    depends on the seed and the place alone. tell: is told of every frame; watch: now and then is given the codes
    [B, K, T] that are there. UsageError where rows start from different lengths, or from more than `frames`.
    """
    started = _common_start(rows, frames)
    positions = _positions(model, rows, frames, started)  # [B, K, frames + K], UNKNOWN where to be drawn
    length = positions.shape[-1]
    draws = torch.stack([_draws(row.seed, length, model.shape.books) for row in rows])  # [B, T + K, K]
    with torch.inference_mode():
        stepper = model.begin(rows, sampling.guidance, length)
        tokens = positions[:, :, : started + 1]
        for place in range(started, length - 1):
            logits = stepper.step(tokens)  # [B, K, card]
            drawn = draw(logits, draws[:, place].to(logits.device), sampling).cpu()
            known = positions[:, :, place + 1]
            positions[:, :, place + 1] = torch.where(known == UNKNOWN, drawn, known)
            tokens = positions[:, :, place + 1 : place + 2]
            written = max(place + 2 - model.shape.books, 0)
            if tell is not None:
                tell(written, frames)
            if watch is not None and 0 < written < frames and written % WATCHED == 0:
                watch(undelayed(positions)[:, :, :written].clone())
    return undelayed(positions).clone()


def _common_start(rows: Sequence[Row], frames: int) -> int:
    """How many frames all rows start from."""
    lengths = {0 if row.start is None else row.start.shape[-1] for row in rows}
    if len(lengths) != 1:
        raise UsageError(f"Rows of one batch start from {sorted(lengths)} frames.", "Give all the same, or none.")
    started = lengths.pop()
    if started >= frames:
        raise UsageError(f"{frames} frames were asked for, and {started} are given.", "Ask for more.")
    return started


def _positions(model: MusicGen, rows: Sequence[Row], frames: int, started: int) -> Tensor:
    """What is known before anything is drawn: start and end of the pattern, and the codes that rows start from."""
    codes = torch.full((len(rows), model.shape.books, frames), UNKNOWN)
    for number, row in enumerate(rows):
        if row.start is not None:
            codes[number, :, :started] = _checked(row.start, model.shape)
    return delayed(codes, model.shape.card)


def _checked(start: Tensor, shape: Shape) -> Tensor:
    """UsageError where what a row starts from is not codes of this model."""
    if start.dim() != 2 or start.shape[0] != shape.books:
        wanted = f"[{shape.books}, frames] were expected"
        raise UsageError(f"A row starts from codes of shape {list(start.shape)}; {wanted}.", "Encode it anew.")
    if start.numel() and (start.min() < 0 or start.max() >= shape.card):
        found = f"{int(start.min())} to {int(start.max())}"
        raise UsageError(f"A row starts from codes {found}; 0 to {shape.card - 1} exist.", "Encode it anew.")
    return start.cpu()


def _draws(seed: int, length: int, books: int) -> Tensor:
    """Uniform numbers in [0, 1) for every code of a row, [length, K]."""
    return torch.rand(length, books, generator=torch.Generator().manual_seed(seed))


def draw(logits: Tensor, uniform: Tensor, sampling: Sampling) -> Tensor:
    """A code for each row and book. logits: [..., card]; uniform: [...] in [0, 1), by which the code is chosen among
    the `top_k` likeliest (the inverse of their cumulative distribution, in the order of the codes' numbers: in that of
    likelihood, two that are nearly alike and change places would change the draw). Returns whole numbers [...]."""
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    count = logits.shape[-1] if sampling.top_k == 0 else min(sampling.top_k, logits.shape[-1])
    likeliest, codes = (logits.float() / sampling.temperature).topk(count, dim=-1)
    codes, order = codes.sort(dim=-1)
    reached = likeliest.gather(-1, order).softmax(dim=-1).cumsum(dim=-1)
    place = (reached <= uniform[..., None] * reached[..., -1:]).sum(dim=-1, keepdim=True).clamp(max=count - 1)
    return codes.gather(-1, place)[..., 0]


def generate_in_batches(
    model: MusicGen, rows: Sequence[Row], frames: int, sampling: Sampling, batch: int, tell: Tell | None = None,
    watch: Callable[[int, Tensor], None] | None = None,
) -> tuple[Tensor, int]:  # fmt: skip
    """Codes [N, K, frames] of any number of rows, `batch` at once, and the batch that memory held.

    Where memory runs out the batch is halved; rows that are written stay written. AffectgenError where it does not hold
    one. tell: of frames of all rows; watch: is given the number of a batch's first row, and the batch's codes.
    """
    done: list[Tensor] = []
    count = 0
    while count < len(rows):
        group = rows[count : count + batch]

        def part(written: int, of: int, before: int = count, size: int = len(group)) -> None:
            if tell is not None:
                tell(before * of + size * written, len(rows) * of)

        seen = None if watch is None else partial(watch, count)
        codes = within_memory(partial(generate, model, group, frames, sampling, part, seen))
        if codes is None and len(group) == 1:
            message = f"Memory does not hold one clip of {frames} frames."
            raise AffectgenError(message, "Use a smaller model, shorter clips, or --device cpu.")
        if codes is None:
            batch = len(group) // 2
            continue
        done.append(codes)
        count += len(group)
    return torch.cat(done), batch


def within_memory(call: Callable[[], Tensor]) -> Tensor | None:
    """What a call gives, or None where memory runs out. What the failed call held is free again then: its frames go
    with the error, which is not kept, and CUDA gets back what torch keeps for later."""
    try:
        return call()
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def _is_out_of_memory(error: Exception) -> bool:
    """torch says so by a class of its own on CUDA, by words on the CPU."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return any(words in str(error).lower() for words in NO_MEMORY)
