"""The predictor at work: phones of a take and an emotion to changes in semitones, logarithms and dB; its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.affect.labels import LABELS_VERSION
from affectgen.affect.space import Affect
from affectgen.errors import AffectgenError, CheckpointError
from affectgen.nn.checkpoint import load_checkpoint, save_checkpoint
from affectgen.recognize.speech_corpus import LABELS
from affectgen.speech.predictor.bank import Bank
from affectgen.speech.predictor.model import Predictor, PredictorConfig
from affectgen.speech.predictor.pairs import Exemplar
from affectgen.speech.predictor.phones import COLUMNS, ENERGY, LENGTH, LEVEL, NAMES, PAUSE, SHAPE, SHAPES, SLOPE, Take
from affectgen.speech.predictor.scale import Scale, phone_places
from affectgen.speech.predictor.train import Request, predict

Floats = NDArray[np.float64]

NAME = "prosody"
KIND = "prosody-predictor"


@dataclass(frozen=True)
class PhoneShift:
    """What the phones of a take [P], without silences, change by. level: semitones; slope: semitones from a phone's
    start to its end; length: log of the factor on its seconds; energy: dB; shape: float64 [P, 8], dB of the first
    cepstra of its mel bands; pause: log of the factor on the silence behind it and 0.05 s. All 0 changes nothing.
    """

    level: Floats
    slope: Floats
    length: Floats
    energy: Floats
    shape: Floats
    pause: Floats

    @classmethod
    def of_rows(cls, rows: Floats) -> PhoneShift:
        """From rows [P, 13] in the order of COLUMNS."""
        shape = rows[:, SHAPE : SHAPE + SHAPES]
        return cls(rows[:, LEVEL], rows[:, SLOPE], rows[:, LENGTH], rows[:, ENERGY], shape, rows[:, PAUSE])

    def rows(self) -> Floats:
        """The way back, float64 [P, 13]."""
        first = np.stack([self.level, self.slope, self.length, self.energy], axis=1)
        return np.concatenate([first, self.shape, self.pause[:, None]], axis=1)

    def scaled(self, strength: float) -> PhoneShift:
        """`strength` times as much: 0 is no change."""
        return PhoneShift.of_rows(self.rows() * strength)


@dataclass(frozen=True)
class ProsodyPredictor:
    """model, scale; bank: the exemplars that come with it; figures: its own, on speakers it did not hear."""

    model: Predictor
    scale: Scale
    bank: Bank
    figures: dict[str, Any] = field(default_factory=dict)

    def predict(
        self, take: Take, affect: Affect, label: str | None = None, exemplars: Sequence[Exemplar] | None = None
    ) -> PhoneShift:
        """What the phones of a neutral take change by under an emotion: a point and, where it is named, one of LABELS.

        exemplars: takes that show how, at best as many as the model was trained with; None: those of its own bank that
        fit best. AffectgenError where the take has no voiced phone or the label is none.
        """
        if label is not None and label not in LABELS:
            raise AffectgenError(f"{label!r} is no emotion of voices.", f"They are {', '.join(LABELS)}.")
        if not np.isfinite(take.middle):
            raise AffectgenError("No phone of the recording has a pitch.", "Give one in which somebody speaks aloud.")
        point = np.array([affect.valence, affect.arousal])
        shares = np.array([float(label == name) for name in LABELS])
        if exemplars is None:
            exemplars = self.bank.choose(point, shares, self.model.config.exemplars)
        return PhoneShift.of_rows(predict(self.model, [Request(take, point, shares, exemplars)], self.scale)[0])


def save_predictor(folder: Path, predictor: ProsodyPredictor, config: dict[str, Any], card: str) -> None:
    """Write a checkpoint folder: weights, scale and bank in fp16; names and labels of the bank in its config."""
    state: dict[str, Tensor] = {f"model.{name}": value for name, value in predictor.model.state_dict().items()}
    state |= {f"scale.{name}": torch.tensor(value).float() for name, value in predictor.scale.arrays().items()}
    bank = predictor.bank.exemplars
    state["bank.names"] = torch.tensor(np.concatenate([phone_places(one.names) for one in bank])).to(torch.uint8)
    state["bank.values"] = torch.tensor(np.concatenate([one.values for one in bank])).float()
    state["bank.shares"] = torch.tensor(np.stack([one.shares for one in bank])).float()
    state["bank.points"] = torch.tensor(np.stack([one.point for one in bank])).float()
    listed = [{"name": one.name, "speaker": one.speaker, "phones": len(one.names)} for one in bank]
    full: dict[str, Any] = {"kind": KIND, "model": asdict(predictor.model.config), "columns": list(COLUMNS)}
    full |= {"phones": list(NAMES)}
    full |= {"labels_version": LABELS_VERSION, "bank": listed, "figures": predictor.figures}
    save_checkpoint(folder, state, {**config, **full}, card)


def load_predictor(name: str | Path = NAME) -> ProsodyPredictor:
    """The shipped predictor, or the one in the folder `name`. CheckpointError if it is missing, damaged, of another
    kind or was trained on other columns or label points than this version has.
    """
    found = load_checkpoint(name)
    config = found.config
    if config.get("kind") != KIND:
        raise CheckpointError(f"{name} is a {config.get('kind')!r}; a predictor of prosody was expected.", "Name one.")
    known = (config.get("columns"), config.get("phones"), config.get("labels_version"))
    if known != (list(COLUMNS), list(NAMES), LABELS_VERSION):
        hint = "Train it again: python -m affectgen.speech.predictor.fit"
        raise CheckpointError(f"{name} was trained on other measures than this version has.", hint)
    weights = found.weights()
    try:
        model = Predictor(PredictorConfig(**config["model"]))
        model.load_state_dict({key[6:]: value for key, value in weights.items() if key.startswith("model.")})
        scale = Scale(**{key[6:]: _plain(value) for key, value in weights.items() if key.startswith("scale.")})
        bank = _bank(weights, config["bank"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{name} is incomplete: {error}", "Install affectgen again.") from error
    return ProsodyPredictor(model.eval(), scale, bank, config["figures"])


def _bank(weights: dict[str, Tensor], listed: Sequence[dict[str, Any]]) -> Bank:
    """The exemplars that a checkpoint stores."""
    names = [NAMES[place] for place in weights["bank.names"].tolist()]
    values, shares, points = (_plain(weights[f"bank.{part}"]) for part in ("values", "shares", "points"))
    found, at = [], 0
    for row, one in enumerate(listed):
        end = at + int(one["phones"])
        mine = tuple(names[at:end]), values[at:end]
        found.append(Exemplar(one["name"], one["speaker"], *mine, shares[row], points[row]))
        at = end
    return Bank(tuple(found))


def _plain(value: Tensor) -> Floats:
    return np.asarray(value.double().numpy(), dtype=np.float64)
