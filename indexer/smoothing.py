"""A model made ready for whole numbers: what is large in what goes into a layer is moved into the layer's weights.

A few columns of it are many times as large as the others, which eight bits leave little for. Each column is divided by
a factor and its weights are multiplied by it, so that the layer gives what it gave: SmoothQuant (Xiao and others, 2022,
arXiv:2211.10438, equations 3 and 4).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

TYPICAL_TEXTS = Path(__file__).with_name("typical_texts.txt")
# Of the difficulty, how much the weights take. Measured from 0.5 to 1: with seven bits a weight this is the best
STRENGTH = 0.75
_LEAST = 1e-5


class _Smoothed(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]  # torch is there only to export
    """A linear layer whose input is divided first."""

    def __init__(self, layer: Any, factors: Any) -> None:
        super().__init__()
        self.layer = layer
        self.register_buffer("divided", 1 / factors)
        layer.weight.data.mul_(factors)

    def forward(self, values: Any) -> Any:
        return self.layer(values * self.divided)


def smooth(model: Any, texts: Sequence[str]) -> None:
    """Change a sentence-transformers model in place, by what goes into its layers for such texts."""
    for name, largest in largest_inputs(model, texts).items():
        layer = model.get_submodule(name)
        weights = layer.weight.detach().abs().amax(0).clamp(min=_LEAST)
        factors = largest.clamp(min=_LEAST) ** STRENGTH / weights ** (1 - STRENGTH)
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, _Smoothed(layer, factors))


def largest_inputs(model: Any, texts: Sequence[str]) -> dict[str, Any]:
    """Of each linear layer that is used, the largest that comes into each of its columns."""
    largest: dict[str, Any] = {}

    def watched(name: str) -> Any:
        def watch(_layer: Any, given: Any) -> None:
            columns = given[0].detach().abs().flatten(0, -2).amax(0)
            largest[name] = torch.maximum(largest[name], columns) if name in largest else columns

        return watch

    layers = {name: one for name, one in model.named_modules() if isinstance(one, torch.nn.Linear)}
    watches = [layer.register_forward_pre_hook(watched(name)) for name, layer in layers.items()]
    # One at a time: what fills up the shorter ones of a batch is no text
    model.encode(list(texts), batch_size=1, show_progress_bar=False)
    for watch in watches:
        watch.remove()
    return largest
