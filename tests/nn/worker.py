"""One of two processes that train together; started by test_distributed.py, which reads what it leaves."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn import functional as F

from affectgen.nn.distributed import Workers
from affectgen.nn.quantiser import Quantiser, QuantiserConfig
from affectgen.nn.training import Trainer, TrainingConfig


def data(rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Each process's own batch."""
    generator = torch.Generator().manual_seed(100 + rank)
    return torch.randn(8, 3, generator=generator), torch.randn(8, 1, generator=generator)


def network() -> nn.Module:
    """The same weights everywhere; the last layer takes no part in the loss of the second process."""
    torch.manual_seed(0)
    return nn.ModuleDict({"first": nn.Linear(3, 4), "last": nn.Linear(4, 1), "idle": nn.Linear(2, 2)})


def output(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return model["last"](model["first"](x).tanh())


def gradients(workers: Workers) -> dict[str, torch.Tensor]:
    """Averaged over both processes."""
    model = network()
    x, y = data(workers.rank)
    loss = F.mse_loss(output(model, x), y)
    if workers.rank == 0:
        loss = loss + model["idle"].weight.sum()  # no gradient in the other process
    loss.backward()
    workers.average_gradients(model)
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def books(workers: Workers) -> dict[str, torch.Tensor]:
    """Codebooks after batches that differ, with codes that die, and a book whose slices only one process has."""
    torch.manual_seed(workers.rank)  # so that draws differ, too
    quantiser = Quantiser(QuantiserConfig(books=2, codes=8, dim=3, decay=0.6)).train()
    for name in ("books", "sums"):
        distributed.broadcast(getattr(quantiser, name), 0)
    for step in range(12):
        slices = torch.randn(40, 2, 3) + 2.0 * workers.rank
        weight = torch.ones(40, 2)
        if workers.rank == (0 if step < 6 else 1):
            weight[:, 1] = 0
        quantiser(slices, weight)
    return dict(quantiser.state_dict())


def training(workers: Workers, folder: Path) -> dict[str, torch.Tensor]:
    """A short run; the validations differ between the processes."""
    model = network()
    x, y = data(workers.rank)
    values = iter([[4.0, 1.0, 9.0], [4.0, 7.0, 9.0]][workers.rank])  # mean 4, 4, 9: the first stays the best
    text = io.StringIO()
    config = TrainingConfig(steps=6, rate=0.05, warmup=1, validate_every=2, autocast=False)
    trainer = Trainer(
        model, lambda: (x, y), lambda batch: F.mse_loss(output(model, batch[0]), batch[1]),
        lambda: {"loss": next(values)}, config, folder, text,
    )  # fmt: skip
    done = trainer.run()
    best = torch.tensor([done.best, float(done.best_step), float(len(text.getvalue()) > 0)])
    return {name: p.detach() for name, p in model.named_parameters()} | {"best": best}


if __name__ == "__main__":
    torch.set_num_threads(1)
    here = Workers.from_environment()
    out = Path(sys.argv[1])
    found = {"mean": torch.tensor(here.average(float(10 * here.rank + 1)))}
    found |= {f"gradient.{name}": value for name, value in gradients(here).items()}
    found |= {f"book.{name}": value for name, value in books(here).items()}
    found |= {f"run.{name}": value for name, value in training(here, out / "run").items()}
    torch.save(found, out / f"{here.rank}.pt")
    distributed.destroy_process_group()
