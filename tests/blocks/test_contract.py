"""Every registered part keeps its promises: what the graph says equals what independent counters see of the module."""

import pytest
import torch
from contract import bytes_kept_by_autograd, count_params, count_with_fvcore, count_with_torch
from examples import EXAMPLES, FAMILIES, IDS, input_shape, output_channels

from hiri_spec.block import Block, Part, trace
from hiri_spec.memory import saved_values
from hiri_spec.nn.realise import Rates
from hiri_spec.nn.wired import Wired, wire_module

SIZES = [pytest.param((32, 32), id="32"), pytest.param((37, 50), id="37x50")]


def realised(part: Part, size: tuple[int, int]) -> tuple[Wired, torch.Tensor]:
    shape = input_shape(part, *size)
    traced = trace(part, shape, output_channels(part))
    rates = Rates(dropout=getattr(part, "drop_rate", 0.0))
    return wire_module(traced, "Part", rates), torch.randn(1, *shape)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("part", [part for _, part in EXAMPLES], ids=IDS)
class TestPart:
    def test_params_and_macs_equal_fvcore_and_torch(self, part: Part, size: tuple[int, int]) -> None:
        module, image = realised(part, size)
        traced = trace(part, input_shape(part, *size), output_channels(part))
        module.eval()
        assert traced.params == count_params(module)
        assert traced.macs == count_with_fvcore(module, image)
        assert traced.macs == count_with_torch(module, image)

    def test_shape_is_as_traced(self, part: Part, size: tuple[int, int]) -> None:
        module, image = realised(part, size)
        traced = trace(part, input_shape(part, *size), output_channels(part))
        assert tuple(module.eval()(image).shape[1:]) == traced.nodes[traced.outputs[0]].shape
        if isinstance(part, Block):
            assert traced.nodes[traced.outputs[0]].shape == tuple(image.shape[1:])

    def test_training_memory_equals_what_autograd_keeps(self, part: Part, size: tuple[int, int]) -> None:
        module, image = realised(part, size)
        memory = saved_values(trace(part, input_shape(part, *size), output_channels(part)))
        for batch in (1, 2):
            images = torch.randn(batch, *image.shape[1:], requires_grad=True)
            assert bytes_kept_by_autograd(module.train(), images) == memory.kept_bytes(batch)

    def test_gradient_reaches_every_parameter(self, part: Part, size: tuple[int, int]) -> None:
        module, image = realised(part, size)
        module.train()(torch.cat([image, image.flip(-1)])).square().sum().backward()
        assert [name for name, parameter in module.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("part", [part for _, part in EXAMPLES], ids=IDS)
def test_equal_fields_are_one_wiring(part: Part) -> None:
    twin = type(part).model_validate(part.model_dump())
    assert twin.wiring == part.wiring
    if isinstance(part, Block):
        assert part.model_copy(update={"depth": 9, "name": "other"}).wiring == part.wiring


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.key)
def test_documented(family: type[Part]) -> None:
    for part in family.registry.values():
        assert part.__doc__
        assert part.__doc__ != family.__doc__


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.key)
def test_one_file_each(family: type[Part]) -> None:
    modules = [part.__module__ for part in family.registry.values()]
    assert len(set(modules)) == len(modules)
    assert all(module.startswith("hiri_spec.blocks.") for module in modules)
