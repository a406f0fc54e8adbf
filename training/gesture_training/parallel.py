"""Several processes that train one model: ``torchrun`` starts them, gradients are averaged.

The batch of a step is the same however many processes there are; each takes every n-th row of it,
of the noise and of whatever else is drawn per row. Losses divide by weights summed over all
processes, so the averaged gradient is that of one process with the whole batch, up to rounding.
Without ``torchrun`` every function here is the identity.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
import os
from typing import TypeVar

import torch
from torch import distributed, Tensor

from .data import WindowBatch
from .exceptions import TrainingError

RowsT = TypeVar('RowsT', Tensor, WindowBatch)


def join(device: torch.device) -> torch.device:
    """Join the processes that ``torchrun`` started; returns this process's own device.

    Raises:
        TrainingError: there are fewer GPUs than processes on this machine.
    """
    if int(os.environ.get('WORLD_SIZE', '1')) == 1:
        return device
    if device.type == 'cuda':
        local, count = int(os.environ['LOCAL_RANK']), torch.cuda.device_count()
        if local >= count:
            raise TrainingError(f'process {local} of this machine has no GPU of its own; there '
                                f'are {count}; start fewer with torchrun --nproc-per-node')
        device = torch.device('cuda', local)
        torch.cuda.set_device(device)
    distributed.init_process_group('nccl' if device.type == 'cuda' else 'gloo')
    return device


def leave() -> None:
    """Leave the group, if there is one."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def size() -> int:
    """Return the number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Return the number of this process, from 0; the first one reports and saves."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def rows(whole: RowsT) -> RowsT:
    """Return this process's rows of a tensor or a batch of windows.

    Raises:
        TrainingError: the batch cannot be shared out evenly.
    """
    count = size()
    if count == 1:
        return whole
    if isinstance(whole, WindowBatch):
        return WindowBatch(*(rows(getattr(whole, f.name)) for f in fields(whole)))
    if len(whole) % count:
        raise TrainingError(f'a batch of {len(whole)} windows cannot be shared by {count} '
                            f'processes; change body.batch or face.batch')
    return whole[rank()::count]


def mean_over_processes(value: Tensor) -> Tensor:
    """Return the mean of a tensor (any shape) over all processes, without gradient."""
    if size() == 1:
        return value
    total = value.detach().clone()
    distributed.all_reduce(total)
    return total / size()


def first_says(value: float, device: torch.device) -> float:
    """Return what the first process gave, so that all agree on clocks and budgets."""
    if size() == 1:
        return value
    said = torch.tensor([value], dtype=torch.float64, device=device)
    distributed.broadcast(said, 0)
    return float(said)


def average_gradients(parameters: Sequence[Tensor]) -> None:
    """Replace gradients by their mean over all processes.

    A parameter that no process has a gradient for stays without one.
    """
    if size() == 1:
        return
    device = parameters[0].device
    has = torch.tensor([p.grad is not None for p in parameters], dtype=torch.int32, device=device)
    distributed.all_reduce(has, distributed.ReduceOp.MAX)
    chosen = [p for p, known in zip(parameters, has.tolist()) if known]
    if not chosen:
        return
    flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten()
                      for p in chosen])
    distributed.all_reduce(flat)
    flat /= size()
    for parameter, part in zip(chosen, flat.split([p.numel() for p in chosen])):
        parameter.grad = part.view_as(parameter).clone()
