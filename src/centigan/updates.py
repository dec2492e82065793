"""How optimisers are moved: shared by families, whose `step` says what they are moved by."""

from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer


def ascend(objective: Tensor, optimizer: Optimizer) -> Tensor:
    """One optimiser step up the objective, for that optimiser's parameters only; their gradient's norm."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.zero_grad(set_to_none=True)
    (-objective).backward(inputs=parameters)
    norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
    optimizer.step()
    return norm
