"""A start that does not wait for a compiler which nobody asked for."""

import inspect

import torch
from torch.optim import Adam, Optimizer, RMSprop

SHIELDED = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")


def spare_compiler_import() -> None:
    """Let optimisers work without importing torch._dynamo: half of the 6 s from start to first step.

    PyTorch wraps these methods to keep its compiler out of them, and each wrapper imports it for that.
    Here the compiler only ever sees networks; what is wrapped does the same. A version of PyTorch that
    wraps otherwise is merely slower to start.
    """
    for name in SHIELDED:
        setattr(Optimizer, name, inspect.unwrap(getattr(Optimizer, name)))
    for kind in (Adam, RMSprop):
        kind.step = torch.no_grad()(inspect.unwrap(kind.step))  # type: ignore[method-assign]
