"""A part computes the same in every way, with fewer calls."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

from examples import EXAMPLES, IDS, input_shapes, output_channels
from hiri_spec import ops
from hiri_spec.block import Part, trace
from hiri_spec.nn.fusion.draft import Draft
from hiri_spec.nn.fusion.rules import RULES
from hiri_spec.nn.realise import Rates
from hiri_spec.nn.tuning.joining import WAYS, Way, convert, list_ways
from hiri_spec.nn.tuning.products import LinearProduct, PackedProduct, Product
from hiri_spec.nn.wired import Wired, wire_module

CPU = torch.device("cpu")
PACKED = Way("channels_last", "packed")


def fused_part(part: Part, *size: int) -> tuple[Wired, tuple[torch.Tensor, ...]]:
    """A part with random weights and statistics, fused, and maps for it."""
    torch.manual_seed(0)
    shapes = input_shapes(part, *size)
    traced = trace(part, shapes if part.takes_streams else shapes[0], output_channels(part))
    module = wire_module(traced, "Part", Rates()).eval()
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 2) if name.endswith("running_var") else tensor.add_(
                torch.randn_like(tensor), alpha=0.1
            )
    draft = Draft(module)
    for rule in RULES:
        rule(draft)
    return draft.to_module().eval(), tuple(torch.randn(2, *shape) for shape in shapes)


def outputs(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    with torch.no_grad():
        found = module(inputs if len(inputs) > 1 else inputs[0])
    return (found,) if isinstance(found, torch.Tensor) else found


def assert_same(ours: tuple[torch.Tensor, ...], theirs: tuple[torch.Tensor, ...]) -> None:
    for own, other in zip(ours, theirs, strict=True):
        assert float((own - other).abs().max() / other.abs().max()) < 1e-5


@pytest.mark.parametrize("part", [part for _, part in EXAMPLES], ids=IDS)
def test_every_part_in_every_way(part: Part) -> None:
    module, inputs = fused_part(part, 13, 18)
    expected = outputs(module, inputs)
    other = tuple(torch.randn(1, *each.shape[1:-2], each.shape[-2] + 8, each.shape[-1] + 8) for each in inputs)
    for way in WAYS:
        converted = convert(module, way, inputs)
        assert_same(outputs(converted, inputs), expected)
        if not part.takes_streams:  # whose sizes belong together
            assert_same(outputs(converted, other), outputs(module, other))


@pytest.mark.parametrize("activation", ["", "relu", "gelu", "silu"])
@pytest.mark.parametrize("has_sum", [False, True], ids=["alone", "sum"])
@pytest.mark.parametrize("kernel", [1, 3])
def test_packed(activation: str, has_sum: bool, kernel: int) -> None:
    op = ops.Conv(16, 24, kernel, 1, kernel // 2, 1, bias=True)
    weight, bias, x, other = (
        torch.randn(*shape) for shape in ((24, 16, kernel, kernel), (24,), (2, 16, 9, 9), (2, 24, 9, 9))
    )
    packed = PackedProduct(op, weight, bias, activation, (2, 16, 9, 9))
    plain = Product(op, weight, bias, activation)
    summed = (other,) if has_sum else ()
    torch.testing.assert_close(packed(x, *summed), plain(x, *summed), rtol=1e-4, atol=1e-5)
    for again in (copy.deepcopy(packed), pickle.loads(pickle.dumps(packed))):
        assert torch.equal(again(x, *summed), packed(x, *summed))
        assert again.packed.is_mkldnn


def test_linear_is_for_pointwise_convolutions() -> None:
    assert LinearProduct.suits(ops.Conv(8, 8, 1, 1, 0, 1, bias=True))
    assert not LinearProduct.suits(ops.Conv(8, 8, 1, 2, 0, 1, bias=True))
    assert not LinearProduct.suits(ops.Conv(8, 8, 1, 1, 0, 2, bias=True))
    assert not LinearProduct.suits(ops.Conv(8, 8, 3, 1, 1, 1, bias=True))


def test_activations_and_sums_go_into_the_products() -> None:
    part = next(part for name, part in EXAMPLES if name == "cffn")
    module, inputs = fused_part(part, 16, 16)
    converted = convert(module, PACKED, inputs)
    assert not [each for each in converted.modules() if isinstance(each, nn.GELU)]
    products = [each for each in converted.modules() if isinstance(each, PackedProduct)]
    assert [each.activation for each in products].count("gelu") == sum(isinstance(m, nn.GELU) for m in module.modules())
    calls = [step for step in converted.steps if step.function is not None]
    assert not calls  # the residual's sum was the only function


def test_packed_needs_float32_on_the_cpu() -> None:
    assert PACKED in list_ways(CPU, torch.float32)
    assert PACKED not in list_ways(CPU, torch.bfloat16)
    assert PACKED not in list_ways(torch.device("cuda"), torch.float32)
