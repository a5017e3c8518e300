"""Several training processes: averaged gradients and figures over torch.distributed, nothing when there is one."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Workers:
    """The processes that train together, as torchrun states them in the environment."""

    rank: int
    count: int

    @classmethod
    def from_environment(cls) -> Workers:
        """Join the group that RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT describe; alone where they are unset."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return cls(int(os.environ.get("RANK", "0")), count)

    @property
    def first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def average_gradients(self, model: nn.Module) -> None:
        """Replace every gradient by its mean over the processes; one message for all of them."""
        if self.count == 1:
            return
        parameters = [p for p in model.parameters() if p.requires_grad]
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.reshape(-1) for p in parameters if p.grad is not None])
        distributed.all_reduce(flat)
        flat /= self.count
        at = 0
        for parameter in parameters:
            size = parameter.numel()
            parameter.grad = flat[at : at + size].view_as(parameter)
            at += size

    def wait(self) -> None:
        """Until every process has come here."""
        if self.count > 1:
            distributed.barrier()

    def average(self, value: float) -> float:
        """The mean of a figure over the processes."""
        if self.count == 1:
            return value
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        total = torch.tensor([value], device=device)
        distributed.all_reduce(total)
        return float(total) / self.count


def sum_over_workers(*values: Tensor) -> None:
    """Add the tensors up over all processes in place, so that codebooks move alike everywhere."""
    if distributed.is_available() and distributed.is_initialized():
        for value in values:
            distributed.all_reduce(value)


def share_first(value: Tensor) -> None:
    """Take over the first process's value in place."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.broadcast(value, 0)
