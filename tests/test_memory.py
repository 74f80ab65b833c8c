"""Activation memory of whole networks, against what autograd keeps and by hand."""

import pytest
import torch
from contract import bytes_kept_by_autograd

import hiri_spec
from hiri_spec.feature_map import start
from hiri_spec.memory import PartMemory, in_sequence, peak_values, repeated


@pytest.mark.parametrize("size", [(64, 64), (97, 130)], ids=["64", "97x130"])
@pytest.mark.parametrize("name", ["hiri_s", "hiri_s_4stage", "pvt_v2_b0", "hrnet_w18_small"])
@pytest.mark.parametrize("batch", [2, 3])
def test_training_memory_equals_what_autograd_keeps(name: str, size: tuple[int, int], batch: int) -> None:
    model = hiri_spec.build(name).train()
    images = torch.randn(batch, 3, *size)
    assert bytes_kept_by_autograd(model, images) == hiri_spec.cost(name, size, batch=batch).training_memory_bytes


def test_peak_counts_what_is_alive_at_once() -> None:
    x = start((4, 8, 8))  # 256 values
    y = x.conv(8, 1, name="wide")  # 512 more: 768 alive; then x dies
    z = y.conv(2, 1, name="narrow")  # 128 more: 640 alive
    x.graph.outputs.append(z.index)
    assert peak_values(x.graph) == 256 + 512


def test_peak_keeps_the_residual_alive() -> None:
    x = start((4, 8, 8))
    z = x + x.conv(8, 1, name="wide").conv(4, 1, name="narrow")
    x.graph.outputs.append(z.index)
    assert peak_values(x.graph) == 256 + 512 + 256


def test_drop_path_takes_no_memory_in_inference() -> None:
    x = start((4, 8, 8))
    z = x.residual(x.conv(4, 1, name="conv"))
    x.graph.outputs.append(z.index)
    assert peak_values(x.graph) == 3 * 256


def test_a_tensor_kept_by_two_neighbours_is_counted_once() -> None:
    ends_in_relu = PartMemory(peak=5, saved=10, saved_once=1, saved_input=4, keeps_output=True)
    begins_with_conv = PartMemory(peak=7, saved=20, saved_once=2, saved_input=6, keeps_output=False)
    assert in_sequence([ends_in_relu, begins_with_conv]) == PartMemory(7, 30, 3, 4, False)
    assert in_sequence([begins_with_conv, ends_in_relu]) == PartMemory(7, 34, 3, 6, True)


@pytest.mark.parametrize("keeps_output", [True, False], ids=["kept", "not-kept"])
@pytest.mark.parametrize("times", [1, 2, 7])
def test_repeated_is_a_sequence_of_equals(times: int, keeps_output: bool) -> None:
    one = PartMemory(peak=5, saved=10, saved_once=3, saved_input=4, keeps_output=keeps_output)
    assert repeated(one, times) == in_sequence([one] * times)
