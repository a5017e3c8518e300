"""Element transfer and reconstruction: what the latents hold, and what moves when one element's slices change.

Transfer swaps the bar slices of the chosen elements for the donor's and writes those elements again; every other word
field of the source stays as it is, unless the structure of words itself (family, beat) is what moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from affectgen.muser.compose import Composed, Composer, Request, Sampling, bar_codes
from affectgen.score.grid import GridScore
from affectgen.score.stream import Stream, bar_attributes
from affectgen.score.words import BAR_LINE, SIZES, Family, decode, encode
from affectgen.writing.decoder import MOST_BARS_LEFT
from affectgen.writing.given import forced_words
from affectgen.writing.options import ELEMENTS
from affectgen.writing.pieces import Words, key_word

STRUCTURE = ("family", "beat")
NEVER, UNCODED = 1e9, 1e6  # what a piece cannot have is ruled out before what the code does not stand for
FOLLOWERS = {"chord": ("pitch",)}  # a chord symbol sounds only through the pitches written under it


@dataclass(frozen=True)
class Moves:
    """Mean attribute of each element [7] in source, donor and result, and the result's shift in standard deviations."""

    source: NDArray[np.float64]
    donor: NDArray[np.float64]
    result: NDArray[np.float64]
    shift: NDArray[np.float64]


def transfer(
    composer: Composer, source: GridScore, donor: GridScore, elements: tuple[str, ...], seed: int, temperature: float
) -> Composed:
    """The source with the chosen elements' bar slices taken from the donor, bar by bar (the donor repeats)."""
    words = encode(source)
    own, lent = bar_codes(composer.model, words), bar_codes(composer.model, encode(donor))
    codes = own.copy()
    moved = [ELEMENTS.index(name) for name in elements]
    codes[:, moved] = lent[np.arange(len(own)) % len(lent)][:, moved]
    free = set(elements) | {follower for name in elements for follower in FOLLOWERS.get(name, ())}
    structure = any(name in STRUCTURE for name in elements)
    forced = None if structure else forced_words(words, tuple(name for name in ELEMENTS if name not in free))
    request = Request(
        None, source.bars, (seed,), key=source.key, forced=forced, clamped=codes, ending=False,
        sampling=Sampling(guidance=1.0, plan_guidance=1.0, temperature=temperature),
    )  # fmt: skip
    return composer.compose([request])[0]


def attribute_means(words: Words) -> NDArray[np.float64]:
    """Mean of each element's bar attribute over a piece, [7], nan where it has none."""
    stream = Stream.of(words)
    values = bar_attributes(stream, int(stream.bar.max()) + 1)
    counted = np.isfinite(values)
    total = np.where(counted, values, 0.0).sum(0)
    return np.divide(total, counted.sum(0), out=np.full(7, np.nan), where=counted.sum(0) > 0)


def measure_moves(source: Words, donor: Words, result: Words, spread: NDArray[np.float64]) -> Moves:
    """How the attributes moved; spread [7]: their standard deviations over a corpus of pieces."""
    means = [attribute_means(words) for words in (source, donor, result)]
    return Moves(means[0], means[1], means[2], (means[2] - means[0]) / spread)


@torch.no_grad()
def reconstruct(composer: Composer, score: GridScore) -> GridScore:
    """A piece through both levels of latents and back: only codes, the key and the words' families reach the decoder.

    Each field is the likeliest, under its element decoder, of the values that its word code stands for; the decoder
    sees the bar's and the word's quantised slices, and what has been decoded so far is fed back, not the source.
    """
    words = encode(score)
    decoded = _Reconstruction(composer, words).run()
    return decode(decoded)


class _Reconstruction:
    """Greedy decoding from the codes of one piece."""

    def __init__(self, composer: Composer, words: Words) -> None:
        self.model = composer.model.eval()
        device = composer.device
        table = torch.from_numpy(Stream.of(words).table())[None].to(device)
        self.bars = int(table[..., 8].max()) + 1
        latents = self.model.encode_bars(table, self.bars)
        self.plan = self.model.bar_books.lookup(latents.codes)  # [1, N, 7, S]
        vectors, codes, _ = self.model.encode_words(table[:, 1:, :8])
        self.detail, self.codes = vectors[0], codes[0]  # [T - 1, 7, S], [T - 1, 7]
        self.cells = self.model.word_cells()
        unknown = torch.zeros(1, dtype=torch.bool, device=device)
        zeros = torch.zeros(1, dtype=torch.long, device=device)
        left = torch.arange(self.bars - 1, -1, -1, device=device).clamp(max=MOST_BARS_LEFT)[None]
        affect = torch.zeros(1, self.bars, 2, device=device)
        self.condition = self.model.condition(affect, unknown, self.plan, left, zeros, zeros)
        self.words, self.device = words, device

    def run(self) -> Words:
        """The decoded words, key event first, END last."""
        rows = [key_word(decode(self.words[:1]).key)[0]]
        table = np.zeros((1, 1, 13), dtype=np.int64)
        table[0, 0, :8] = rows[0]
        cache = self.model.globally.stack.new_cache(1, len(self.words) + 1, self.device)
        in_force, bar = np.zeros(3, dtype=np.int64), -1
        for step in range(len(self.words) - 1):
            state = self.model.globally(torch.from_numpy(table).to(self.device), self.condition, cache)[0]
            word = self._word(state, step, bar, in_force[0] > BAR_LINE)
            rows.append(word)
            if word[0] == Family.END:
                break
            bar = min(bar + int(word[1] == BAR_LINE), self.bars - 1)
            in_force = np.where(word[1:4] > 0, word[1:4], in_force)
            table[0, 0, :8], table[0, 0, 8], table[0, 0, 9:12] = word, max(bar, 0), in_force
        return np.stack(rows)

    def _word(self, state: torch.Tensor, step: int, bar: int, in_onset: bool) -> NDArray[np.int64]:
        """The likeliest word [8] from a state [1, D] that may stand in a bar, -1 for before the first one."""
        word = np.zeros(8, dtype=np.int64)
        for element in range(7):
            if not _applies(element, word):
                continue
            plan, detail = self.plan[0, max(bar, 0), element], self.detail[step, element]
            logits = self.model.elements(element, state, plan[None], detail[None])
            logits[:, _forbidden(element, bar, in_onset)] -= NEVER
            logits[:, self.cells[element] != self.codes[step, element]] -= UNCODED
            word[element] = int(logits.argmax())
            state = self.model.elements.add(element, state, torch.tensor([word[element]], device=self.device))
        return word


def _forbidden(element: int, bar: int, in_onset: bool) -> list[int]:
    """Values that no piece can have there: a note outside an onset, anything but a bar line before the first bar."""
    if element == 0:
        never = [int(Family.PAD), int(Family.KEY)]
        if bar < 0:
            return [*never, int(Family.END), int(Family.NOTE)]
        return never if in_onset else [*never, int(Family.NOTE)]
    if element == 1 and bar < 0:
        return [value for value in range(SIZES["beat"]) if value != BAR_LINE]
    return [] if element in (2, 3) else [0]


def _applies(element: int, word: NDArray[np.int64]) -> bool:
    """Whether an element is decided for a word whose earlier elements are known."""
    if element == 0:
        return True
    if element == 1:
        return bool(word[0] == Family.METRICAL)
    if element in (2, 3):
        return bool(word[0] == Family.METRICAL and word[1] > BAR_LINE)
    return bool(word[0] == Family.NOTE)


def note_f1(source: GridScore, rebuilt: GridScore) -> float:
    """F1 of notes by onset (sixteenth) and pitch."""
    first = set(zip(source.start.tolist(), source.pitch.tolist(), strict=True))
    second = set(zip(rebuilt.start.tolist(), rebuilt.pitch.tolist(), strict=True))
    return 2 * len(first & second) / max(len(first) + len(second), 1)
