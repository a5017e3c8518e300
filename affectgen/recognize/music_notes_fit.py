"""Fit the transcriber on rendered pieces: their pictures are looked at, their notes are the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affectgen.audio.mel import LOWEST
from affectgen.recognize.music_notes import (
    KEY_TAPS,
    KEYS,
    OUTPUTS,
    OVERTONES,
    SECONDS,
    TIME_TAPS,
    Floats32,
    Transcriber,
    harmonic_stack,
)
from affectgen.recognize.music_renders import Rendering

ONSET_WEIGHT = 2.0  # a struck key counts this many times: most cells are silent
FORCE_WEIGHT = 3.0


@dataclass(frozen=True)
class NoteSettings:
    """hidden, second: channels; steps: AdamW steps of `batch` crops of `frames` frames."""

    hidden: int = 16
    second: int = 16
    steps: int = 1500
    batch: int = 4
    frames: int = 150
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3
    seed: int = 0


def answers(rendering: Rendering) -> Floats32:
    """What is to be seen, float32 [3, T, 88]: struck (shared between the two nearest frames), sounding, force 0-1 at
    onsets and nan elsewhere."""
    count = len(rendering.picture)
    target = np.zeros((OUTPUTS, count, KEYS), dtype=np.float32)
    target[2] = np.nan
    notes = rendering.clip.notes.from_zero().cut()
    inside = (notes.pitch >= LOWEST) & (notes.pitch < LOWEST + KEYS)
    start = (notes.onset + rendering.lead) / SECONDS
    stop = np.maximum((notes.onset + notes.duration + rendering.lead) / SECONDS, start + 1)
    for index in np.flatnonzero(inside):
        key, first = int(notes.pitch[index]) - LOWEST, int(start[index])
        share = start[index] - first
        for frame, value in ((first, 1 - share), (first + 1, share)):
            if frame < count:
                target[0, frame, key] = max(target[0, frame, key], value)
                target[2, frame, key] = notes.velocity[index] / 127
        target[1, round(start[index]) : round(stop[index]), key] = 1.0
    return target


def fit_notes(rendered: Sequence[Rendering], settings: NoteSettings) -> Transcriber:
    """Train on crops of the renderings, drawn at random."""
    import torch

    torch.manual_seed(settings.seed)
    chance = np.random.default_rng(settings.seed)
    kernel = (TIME_TAPS, KEY_TAPS)
    first = torch.nn.Conv2d(len(OVERTONES), settings.hidden, kernel, padding="same")
    second = torch.nn.Conv2d(settings.hidden, settings.second, kernel, padding="same")
    last = torch.nn.Conv2d(settings.second, OUTPUTS, 1)
    model = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), last)
    torch.nn.init.constant_(last.bias, -3.0)  # type: ignore[arg-type]
    optimiser = torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, settings.steps)
    for _ in range(settings.steps):
        chosen = chance.integers(len(rendered), size=settings.batch)
        crops = [_crop(rendered[index], settings.frames, chance) for index in chosen]
        seen, wanted = (torch.tensor(np.stack(part)) for part in zip(*crops, strict=True))
        loss = _loss(model(seen), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    weights = [layer.weight.detach().numpy() for layer in (first, second, last)]
    biases = [layer.bias.detach().numpy() for layer in (first, second, last)]  # type: ignore[union-attr]
    return Transcriber(weights[0], biases[0], weights[1], biases[1], weights[2][:, :, 0, 0], biases[2])


def note_accuracy(transcriber: Transcriber, rendered: Sequence[Rendering]) -> dict[str, float]:
    """Precision, recall and F of struck keys (right key, within 50 ms), and the correlation of velocities."""
    hits = found = wanted = 0
    forces: list[tuple[int, int]] = []
    for item in rendered:
        heard, played = transcriber.notes(item.picture), item.clip.notes.from_zero().cut()
        marks = {(round((o + item.lead) / SECONDS), p): v for o, p, v in _rows(played)}
        found, wanted = found + len(heard), wanted + len(marks)
        for onset, pitch, force in _rows(heard):
            frame = round(onset / SECONDS)
            near = [marks[place] for place in ((frame + d, pitch) for d in (0, -1, 1)) if place in marks]
            hits += bool(near)
            forces += [(force, near[0])] if near else []
    pairs = np.array(forces, dtype=np.float64).reshape(-1, 2)
    correlation = float(np.atleast_2d(np.corrcoef(pairs.T))[0, -1]) if len(pairs) > 2 else 0.0
    precision, recall = hits / max(found, 1), hits / max(wanted, 1)
    share = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"note_precision": precision, "note_recall": recall, "note_f": share, "velocity_correlation": correlation}


def _rows(notes: object) -> zip:  # type: ignore[type-arg]
    return zip(notes.onset.tolist(), notes.pitch.tolist(), notes.velocity.tolist(), strict=True)  # type: ignore[attr-defined]


def _crop(rendering: Rendering, frames: int, chance: np.random.Generator) -> tuple[Floats32, Floats32]:
    """A crop's stack [8, F, 88] and answers [3, F, 88]; a rendering shorter than the crop is padded with silence."""
    first = int(chance.integers(max(1, len(rendering.picture) - frames)))
    part = slice(first, first + frames)
    stack, target = harmonic_stack(rendering.picture)[:, part], answers(rendering)[:, part]
    short = ((0, 0), (0, frames - stack.shape[1]), (0, 0))
    return np.pad(stack, short, constant_values=-1.8), np.pad(target, short)


def _loss(out, wanted):  # type: ignore[no-untyped-def]
    """Cross-entropies of struck and sounding, squared error of force where it is known."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as entropy

    struck = entropy(out[:, 0], wanted[:, 0], pos_weight=torch.tensor(ONSET_WEIGHT))
    sounding = entropy(out[:, 1], wanted[:, 1])
    known = wanted[:, 0] > 0.3
    force = ((out[:, 2].sigmoid() - wanted[:, 2])[known] ** 2).sum() / max(1, int(known.sum()))
    return struck + 0.3 * sounding + FORCE_WEIGHT * 0.1 * force


