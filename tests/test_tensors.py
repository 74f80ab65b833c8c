"""The tensors that a spec stands for are those of the built model, name for name and shape for shape."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from strategies import model_specs
from torch import nn

import hiri_spec
from hiri_spec import ModelSpec, SpecError
from hiri_spec.files import builtin_specs
from hiri_spec.tensors import TensorType, find_misfits, is_learned, tensor_types


def types_in(model: nn.Module) -> dict[str, TensorType]:
    return {n: TensorType(tuple(t.shape), t.is_floating_point()) for n, t in model.state_dict().items()}


@pytest.mark.parametrize("name", builtin_specs())
def test_every_built_in_spec(name: str) -> None:
    with torch.device("meta"):
        model = hiri_spec.build(name)
    types = tensor_types(model.spec)
    assert list(types.items()) == list(types_in(model).items())
    assert {name for name in types if is_learned(name)} == dict(model.named_parameters()).keys()
    assert sum(tensor.size for name, tensor in types.items() if is_learned(name)) == hiri_spec.cost(name).params


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spec=model_specs(max_width=16, max_depth=2, max_stages=3))
def test_any_spec_and_form(spec: ModelSpec) -> None:
    with torch.device("meta"):
        assert tensor_types(spec) == types_in(hiri_spec.build(spec))
        assert tensor_types(spec, has_classifier=False) == types_in(hiri_spec.build(spec, classes=0))
        assert tensor_types(spec, has_head=False) == types_in(hiri_spec.build(spec, features_only=True))


def test_a_network_too_deep_to_list() -> None:
    with pytest.raises(SpecError, match=r"stages\.3\.blocks: more than 500,000 operations; lower its depth"):
        tensor_types(hiri_spec.load("hiri_s", set={"stages.3.depth": 10**12}))


def test_misfits_come_in_groups() -> None:
    own = {"a": TensorType((2,)), "b": TensorType((2, 3)), "c": TensorType((), is_float=False), "d": TensorType(())}
    given = {"e": TensorType((1,)), "d": TensorType(()), "c": TensorType(()), "b": TensorType((3, 2))}
    assert list(find_misfits(own, given, there="the file").items()) == [
        ("a", "missing from the file: (2,) here"),
        ("b", "of another shape: (2, 3) here, (3, 2) there"),
        ("c", "of another type: of whole numbers here, of floats there"),
        ("e", "not in the model: (1,) there"),
    ]
