"""Graphs: names, scopes, composition, and the networkx view of whole networks."""

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import model_specs

import hiri_spec
from hiri_spec import ModelSpec, SpecError, ops
from hiri_spec.block import Block, trace
from hiri_spec.feature_map import FeatureMap, make_divisible, start
from hiri_spec.graph import Op

SIDES = st.integers(32, 200)


def test_unnamed_operations_are_numbered() -> None:
    x = start((4, 8, 8))
    (x + x) + x
    assert [node.name for node in x.graph] == ["input", "add", "add_2"]


def test_a_name_given_twice_is_refused() -> None:
    x = start((4, 8, 8))
    x.conv(4, 1, name="mix")
    with pytest.raises(ValueError, match="two operations are named 'mix'"):
        x.conv(4, 1, name="mix")


def test_scopes_nest_and_are_entered_once() -> None:
    x = start((4, 8, 8))
    with x.scope("outer"), x.scope("inner"):
        x.conv(4, 1, name="mix")
    assert x.graph.nodes[-1].name == "outer.inner.mix"
    with pytest.raises(ValueError, match=r"'outer\.' is entered twice"), x.scope("outer"):
        pass


def test_a_result_that_nobody_uses_is_refused() -> None:
    class Wasteful(Block):
        block: str = "wasteful"

        def wire(self, x: FeatureMap) -> FeatureMap:
            x.conv(4, 1, name="lost")
            return x + x

    traced = trace(Wasteful(depth=1, width=4), (4, 8, 8))
    with pytest.raises(ValueError, match="the result of lost is never used; remove it or wire it up"):
        traced.check_used()


def test_an_operation_without_a_rule_is_an_error() -> None:
    class Fold(Op):
        kind = "fold"

    with pytest.raises(NotImplementedError, match="operation 'fold' has no shape rule"):
        start((4, 8, 8)).apply(Fold())


@pytest.mark.parametrize(
    ("wire", "match"),
    [
        (lambda x: x + x.conv(5, 1), r"only maps of one shape can be added, not \(4, 8, 8\) and \(5, 8, 8\)"),
        (lambda x: x.conv(4, 3, stride=4).upsample(2, like=x), r"\(4, 2, 2\) upsampled x2 does not cover \(4, 8, 8\)"),
    ],
    ids=["add", "upsample"],
)
def test_shapes_that_do_not_fit(wire: object, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        wire(start((4, 8, 8)))  # type: ignore[operator]


@pytest.mark.parametrize(("value", "expected"), [(1, 8), (11.9, 8), (12, 16), (128, 128), (100.5, 104)])
def test_make_divisible(value: float, expected: int) -> None:
    assert make_divisible(value) == expected


@settings(deadline=None, max_examples=40)
@given(spec=model_specs(), height=SIDES, width=SIDES)
def test_any_network_is_traced_at_any_size(spec: ModelSpec, height: int, width: int) -> None:
    graph = hiri_spec.graph(spec, (height, width))
    cost = hiri_spec.cost(spec, (height, width))
    assert graph.params == cost.params
    assert graph.macs == cost.macs
    assert graph.nodes[graph.outputs[0]].shape == (spec.head.classes,)
    assert len({node.name for node in graph}) == len(graph)


def test_networkx_view() -> None:
    graph = hiri_spec.graph("hiri_s", 448).to_networkx()
    assert networkx.is_directed_acyclic_graph(graph)
    assert networkx.is_weakly_connected(graph)
    assert [name for name, degree in graph.in_degree if degree == 0] == ["input"]
    assert sum(macs for _, macs in graph.nodes.data("macs")) == hiri_spec.cost("hiri_s", 448).macs
    assert sum(params for _, params in graph.nodes.data("params")) == hiri_spec.cost("hiri_s").params
    node = graph.nodes["stages.3.blocks.0.attention.attend"]
    assert node == {"op": "attention", "shape": (320, 14, 14), "params": 0, "macs": 2 * 196 * 196 * 320}


def test_node_names_are_module_paths() -> None:
    model = hiri_spec.build("hiri_s")
    modules = dict(model.named_modules())
    learned = {node.name: node.params for node in hiri_spec.graph("hiri_s") if node.params}
    assert {name: sum(p.numel() for p in modules[name].parameters()) for name in learned} == learned


@pytest.mark.parametrize("resolution", [31, (31, 64), (64, 0), -1], ids=str)
def test_too_small_an_image(resolution: object) -> None:
    with pytest.raises(SpecError, match="too small; use at least 32 a side"):
        hiri_spec.graph("hiri_s", resolution)  # type: ignore[arg-type]


@pytest.mark.parametrize("resolution", ["448", (1, 2, 3), 44.8, True], ids=str)
def test_no_image_size(resolution: object) -> None:
    with pytest.raises(SpecError, match="is no image size"):
        hiri_spec.cost("hiri_s", resolution)  # type: ignore[arg-type]


def test_a_graph_too_large_to_list_is_refused() -> None:
    spec = {"name": "deep", "stem": "vit", "stages": [{"block": "ffn", "depth": 10**9, "width": 8}]}
    assert hiri_spec.cost(spec).params > 10**9
    with pytest.raises(SpecError, match="more than 500,000 operations; lower its depth"):
        hiri_spec.graph(spec)
    with pytest.raises(SpecError, match="more than 100,000 blocks to list"):
        hiri_spec.cost(spec).by_block()


def test_a_pointwise_convolution_has_a_bias_unless_told() -> None:
    x = start((4, 8, 8))
    x.conv(4, 1, name="a")
    x.conv(4, 3, name="b")
    biases = [node.op.bias for node in x.graph if isinstance(node.op, ops.Conv)]
    assert biases == [True, False]
