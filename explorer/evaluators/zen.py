"""Zen-score: how much a small change of the image changes the last map (Lin et al. 2021, arXiv 2102.01063)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from timm.layers import LayerScale2d
from torch import Tensor, nn

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem
from hiri_spec.graph import Graph
from hiri_spec.nn.backbone import Backbone
from hiri_spec.nn.realise import add
from hiri_spec.nn.wired import Wired

from ..untrained import AVERAGED, LAYERS, parts_of, untrained

IMAGES = 8
SIDE = 128
"""Pixels a side of the images: fewer than the search's, so that a score takes a fraction of a second."""
ALPHA = 0.01
"""How large the change is, in standard deviations of the image (the paper's algorithm 1)."""


class Scaled(NamedTuple):
    """Values, and the logarithm of what they have been divided by."""

    values: Tensor
    log_scale: float


class Zen:
    """log E ‖f(x) - f(x + αε)‖ + Σ log σ over norms, f the map before pooling, x and ε white noise, α 0.01.

    As in the paper's algorithm 1 all weights are drawn from N(0, 1), residual links are taken out, and the scale σ
    that a batch norm divides by, the root of its channels' mean variance, is given back as a logarithm. A residual
    link is a summand that another one is computed from; shortcuts with weights of their own stay. What departs from
    the paper: layer norms give their scale back too, σ² the mean variance over positions; learned scales of branches
    are one; and where a norm stands in one of several branches that are added (HR block, HR stem, IRDS), its scale is
    given back there, to the branch alone. In a chain of layers, all that the paper has, that comes to its sum; to
    count such a norm for the whole network would let two-branch blocks score by the square of their number.
    """

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The score; higher means a network that expresses more. Raises SpecError where all images come out alike."""
        with untrained(spec, seed, classes=0) as model, torch.no_grad():
            for module in model.modules():
                if isinstance(module, LAYERS):
                    nn.init.normal_(module.weight)
                elif isinstance(module, LayerScale2d):
                    nn.init.ones_(module.gamma)
            score = measure_change(model, torch.randn(2, IMAGES, spec.in_channels, SIDE, SIDE))
        if score == -math.inf:
            raise SpecError(Problem(f"{spec.name} gives the same map for any image", "--evaluator"))
        return score


def measure_change(model: Backbone, noise: Tensor) -> float:
    """The logarithm of how much the last map changes, the scale of norms given back.

    `noise` is x and ε, (2, B, C, H, W). Images and changed images go through as one batch, so that norms treat both
    alike. -inf where nothing changes.
    """
    streams = [Scaled(torch.cat([noise[0], noise[0] + ALPHA * noise[1]]), 0.0)]
    for part in parts_of(model):
        streams = [_to_one(stream) for stream in _run(part, streams)]
    if model.has_streams:
        streams = _run(model.head, streams, before="pool")
    (last,) = streams
    image, changed = last.values.double().chunk(2)
    change = float((image - changed).flatten(1).norm(dim=1).mean())
    return math.log(change) + last.log_scale if change else -math.inf


def _run(
    wired: Wired, inputs: Sequence[Scaled], ancestors: Sequence[set[int]] = (), before: str | None = None
) -> list[Scaled]:
    """What a part or a scope inside gives, residual links aside; `before` names a child to stop at."""
    ancestors = ancestors if wired.part is None else _find_ancestors(wired.part)
    values = dict(zip(wired.inputs, inputs, strict=True))
    for child, function, sources, results, _ in wired.steps:
        if child == before:
            return [values[source] for source in sources]
        if function is add:
            sources = tuple(one for one in sources if not any(one in ancestors[other] for other in sources))
        given = [values[source] for source in sources]
        module = None if function is not None else wired.get_submodule(child)
        if function is add:
            out = [_sum(given)]
        elif isinstance(module, Wired):
            out = _run(module, given, ancestors)
        elif isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
            out = [_normalise(module, given[0])]
        else:
            call = function or module
            assert call is not None  # a step without a function has a child
            scale = given[AVERAGED.get(type(module), 0)].log_scale
            out = [Scaled(call(*[each.values for each in given]), scale)]
        values.update(zip(results, out, strict=True))
    return [values[index] for index in wired.outputs]


def _find_ancestors(part: Graph) -> list[set[int]]:
    """For each node of a part, those that it is computed from."""
    found: list[set[int]] = []
    for node in part.nodes:
        found.append({*node.inputs}.union(*[found[source] for source in node.inputs]))
    return found


def _sum(terms: Sequence[Scaled]) -> Scaled:
    scale = max(term.log_scale for term in terms)
    return Scaled(add(*[term.values * math.exp(term.log_scale - scale) for term in terms]), scale)


def _normalise(norm: nn.BatchNorm2d | nn.LayerNorm, x: Scaled) -> Scaled:
    dimensions = (0, 2, 3) if isinstance(norm, nn.BatchNorm2d) else (1,)
    variance = x.values.var(dimensions, correction=0).double().mean()
    return Scaled(norm(x.values), x.log_scale + 0.5 * math.log(variance + norm.eps))


def _to_one(x: Scaled) -> Scaled:
    """The same with values of about one: what a part is given goes through norms or plain sums first."""
    size = float(x.values.square().mean().sqrt())
    return Scaled(x.values / size, x.log_scale + math.log(size)) if size else x
