"""The tree of scopes: who shares a module, what goes in and what comes out."""

import pytest

from hiri_spec.feature_map import start
from hiri_spec.ops import Conv
from hiri_spec.scopes import Scope, read_scopes


def test_scopes_nest_and_tell_what_goes_in_and_out() -> None:
    x = start((8, 16, 16))
    with x.scope("low"):
        low = x.conv(8, 1, name="reduce")
        with low.scope("inner"):
            low = low.conv(8, 1, name="mix").upsample(1, like=x, name="up")
    graph = x.graph
    graph.outputs.append((x + low).index)
    tree = read_scopes(graph)
    assert [call.name for call in tree.calls] == ["low", "add"]
    assert (tree.inputs, tree.outputs) == ((0,), (4,))
    low_call = tree.calls[0]
    assert (low_call.inputs, low_call.outputs, low_call.releases) == ((0,), (3,), ())
    assert isinstance(low_call.what, Scope)
    reduce, inner = low_call.what.calls
    assert isinstance(reduce.what, Conv)
    assert isinstance(inner.what, Scope)
    assert (inner.inputs, inner.outputs) == ((1, 0), (3,))
    assert [call.name for call in inner.what.calls] == ["mix", "up"]


def test_what_nobody_uses_is_refused() -> None:
    x = start((8, 16, 16))
    x.conv(8, 1, name="forgotten")
    x.graph.outputs.append(x.index)
    with pytest.raises(ValueError, match="the result of forgotten is never used"):
        read_scopes(x.graph)
