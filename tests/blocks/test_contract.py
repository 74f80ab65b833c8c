"""Every registered part keeps its promises: what the graph says equals what independent counters see of the module."""

import pytest
import torch
from contract import bytes_kept_by_autograd, count_params, count_with_fvcore, count_with_torch

from examples import EXAMPLES, FAMILIES, IDS, input_shapes, output_channels
from hiri_spec.block import Block, Part, trace
from hiri_spec.graph import Graph, streams_of
from hiri_spec.memory import saved_values
from hiri_spec.nn.realise import Rates
from hiri_spec.nn.wired import Wired, wire_module

SIZES = [pytest.param((32, 32), id="32"), pytest.param((37, 50), id="37x50")]


def realised(part: Part, size: tuple[int, int]) -> tuple[Wired, tuple[torch.Tensor, ...]]:
    rates = Rates(dropout=getattr(part, "drop_rate", 0.0))
    images = tuple(torch.randn(1, *shape) for shape in input_shapes(part, *size))
    return wire_module(traced_part(part, size), "Part", rates), images


def traced_part(part: Part, size: tuple[int, int]) -> Graph:
    shapes = input_shapes(part, *size)
    return trace(part, shapes if len(shapes) > 1 else shapes[0], output_channels(part))


def as_tuple(maps: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return maps if isinstance(maps, tuple) else (maps,)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("part", [part for _, part in EXAMPLES], ids=IDS)
class TestPart:
    def test_params_and_macs_equal_fvcore_and_torch(self, part: Part, size: tuple[int, int]) -> None:
        module, images = realised(part, size)
        traced = traced_part(part, size)
        module.eval()
        assert traced.params == count_params(module)
        assert traced.macs == count_with_fvcore(module, *images)
        assert traced.macs == count_with_torch(module, *images)

    def test_shape_is_as_traced(self, part: Part, size: tuple[int, int]) -> None:
        module, images = realised(part, size)
        traced = traced_part(part, size)
        shapes = tuple(tuple(each.shape[1:]) for each in as_tuple(module.eval()(*images)))
        assert shapes == streams_of(traced.output_shape)
        if isinstance(part, Block):
            assert shapes == tuple(tuple(image.shape[1:]) for image in images)

    def test_training_memory_equals_what_autograd_keeps(self, part: Part, size: tuple[int, int]) -> None:
        module, images = realised(part, size)
        memory = saved_values(traced_part(part, size))
        for batch in (1, 2):
            batches = [torch.randn(batch, *image.shape[1:], requires_grad=True) for image in images]
            assert bytes_kept_by_autograd(module.train(), *batches) == memory.kept_bytes(batch)

    def test_gradient_reaches_every_parameter(self, part: Part, size: tuple[int, int]) -> None:
        module, images = realised(part, size)
        out = module.train()(*[torch.cat([image, image.flip(-1)]) for image in images])
        torch.stack([each.square().sum() for each in as_tuple(out)]).sum().backward()
        assert [name for name, parameter in module.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("part", [part for _, part in EXAMPLES], ids=IDS)
def test_modules_and_tensors_are_those_of_the_operations(part: Part) -> None:
    module, _ = realised(part, (32, 32))
    nodes = [node for node in traced_part(part, (32, 32)) if node.op.kind != "input"]
    tensors = {f"{node.name}.{name}": shape for node in nodes for name, shape in node.op.tensors().items()}
    assert tensors == {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    leaves = {name for name, child in module.named_modules() if name and not isinstance(child, Wired)}
    assert {node.name for node in nodes if node.op.is_module} == leaves


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
