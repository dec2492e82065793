"""An LSTM that is asked a step at a time, its first state learnt or zero (Hochreiter & Schmidhuber, 1997)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable


class State(NamedTuple):
    """What an LSTM hands from a step to the next, (N, units) each."""

    hidden: Tensor
    cell: Tensor


class LstmCell(nn.Module):
    """inputs (N, inputs) and a state -> the next state, with forget gates and without peepholes.

    All gates are one matrix product, of [inputs, hidden]. They stand in the order in, forget, out, new.
    """

    def __init__(self, inputs: int, units: int, *, learned: bool) -> None:
        """`learned`: the first state is, beginning at zero; otherwise it stays there."""
        super().__init__()
        self.units = units
        self.gates = nn.Linear(inputs + units, 4 * units)
        first = torch.zeros(2, units)
        if learned:
            self.first = nn.Parameter(first)
        else:
            self.register_buffer("first", first)

    @torch.no_grad()
    def open_forget_gates(self) -> None:
        """Their biases become 1, so that a state lasts while nothing is learnt."""
        self.gates.bias[self.units : 2 * self.units] = 1.0

    def start(self, count: int) -> State:
        """The first state, of so many."""
        return State(*(part.expand(count, -1) for part in self.first))

    def forward(self, inputs: Sequence[Tensor], state: State, further: Tensor | None = None) -> State:
        """Inputs (N, ...) stand beside each other; `further` (N, 4 units) of some is multiplied elsewhere."""
        gates = self.gates(torch.cat([*inputs, state.hidden], dim=1)).float()
        if further is not None:
            gates = gates + further
        return State(*Gates.apply(gates, state.cell))


class Gates(torch.autograd.Function):
    """gates (N, 4 units), cell (N, units) -> hidden and cell, (N, units) each.

        c' = sigmoid(f) c + sigmoid(i) tanh(n),   h' = sigmoid(o) tanh(c')

    The gradient is by hand: autograd's has twice the operations, on small tensors.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        units = cell.shape[1]
        opened, new = gates[:, : 3 * units].sigmoid(), gates[:, 3 * units :].tanh()
        of_in, of_forget, of_out = opened.chunk(3, dim=1)
        after = torch.addcmul(of_forget * cell, of_in, new)
        bounded = after.tanh()
        ctx.save_for_backward(opened, new, cell, bounded)
        return of_out * bounded, after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_hidden: Tensor, of_cell: Tensor) -> tuple[Tensor, Tensor]:
        opened, new, cell, bounded = ctx.saved_tensors
        of_in, of_forget, of_out = opened.chunk(3, dim=1)
        of_after = of_cell + torch.ops.aten.tanh_backward(of_hidden * of_out, bounded)
        products = torch.cat([of_after * new, of_after * cell, of_hidden * bounded], dim=1)
        of_new = torch.ops.aten.tanh_backward(of_after * of_in, new)
        of_gates = torch.cat([torch.ops.aten.sigmoid_backward(products, opened), of_new], dim=1)
        return of_gates, of_after * of_forget
