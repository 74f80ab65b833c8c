"""Scores of networks so small that the papers' formulas can be worked out by hand."""

import math
import random

import pytest
import torch
from torch import Tensor, nn

import hiri_spec
from explorer.evaluators import load_evaluator
from explorer.evaluators.gradnorm import sum_gradient_norms
from explorer.evaluators.meco import CHANNELS, least_eigenvalues
from explorer.evaluators.synflow import measure_flow
from explorer.evaluators.zen import ALPHA, measure_change
from explorer.untrained import untrained
from hiri_spec import ModelSpec


def linear(*rows: list[float]) -> nn.Linear:
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    layer.weight.data = torch.tensor(rows)
    return layer


FIRST, SECOND = linear([1.0, -2.0], [0.0, 3.0], [-0.5, 0.0]), linear([2.0, -1.0, 4.0])
PRODUCT = 2 * (1 + 2) + 1 * 3 + 4 * 0.5


@pytest.mark.parametrize(
    "between",
    [[], [nn.ReLU()], [nn.GELU()], [nn.LayerNorm(3)], [nn.SiLU(), nn.Dropout(0.5)]],
    ids=lambda between: " ".join(type(each).__name__ for each in between) or "nothing",
)
@pytest.mark.parametrize("is_scaled", [False, True], ids=["plain", "scaled"])
def test_synflow_of_two_layers_is_their_product(between: list[nn.Module], is_scaled: bool) -> None:
    """R = 1ᵀ |W₂| |W₁| 1, and the weights of each layer share all of it."""
    model = nn.Sequential(linear(*FIRST.weight.tolist()), *between, linear(*SECOND.weight.tolist()))
    score = measure_flow(model, torch.ones(1, 2), [model[0], model[-1]] if is_scaled else [])
    assert score == pytest.approx(math.log(2 * PRODUCT))


def test_synflow_of_more_than_any_float_holds() -> None:
    """R = 10⁴⁰⁰, which 400 weights share in full each."""
    model = nn.Sequential(*[linear([10.0]) for _ in range(400)])
    assert measure_flow(model, torch.ones(1, 1), model.children()) == pytest.approx(400 * math.log(10) + math.log(400))


def test_synflow_of_nothing() -> None:
    assert measure_flow(nn.Sequential(linear([0.0])), torch.ones(1, 1)) == -math.inf


def test_gradnorm_of_a_linear_classifier() -> None:
    """Of one image x, the gradient of the cross-entropy is (p - y) xᵀ, whose norm is ‖p - y‖ ‖x‖."""
    model = linear([0.5, -1.0], [0.0, 2.0], [1.0, 1.0])
    image = torch.tensor([[3.0, 4.0]])
    error = model(image).softmax(1)[0].detach() - torch.tensor([0.0, 1.0, 0.0])
    assert sum_gradient_norms(model, image, torch.tensor([1])) == pytest.approx(float(error.norm()) * 5)


def test_gradnorm_sums_over_layers() -> None:
    """Behind a layer V, the gradient with respect to V is Wᵀ (p - y) xᵀ."""
    inner, outer = linear([1.0, 0.0], [0.0, -1.0]), linear([0.5, -1.0], [1.0, 1.0])
    image = torch.tensor([[0.6, 0.8]])
    error = outer(inner(image)).softmax(1)[0].detach() - torch.tensor([1.0, 0.0])
    expected = float(error.norm() + (outer.weight.detach().T @ error).norm())  # ‖x‖ and ‖V x‖ are 1
    assert sum_gradient_norms(nn.Sequential(inner, outer), image, torch.tensor([0])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ([[1.0, 2.0, 3.0], [1.0, -2.0, 1.0]], 1.0),
        ([[1.0, 2.0, 3.0], [5.0, 7.0, 9.0]], 0.0),
        ([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]], 1 - math.sqrt(3) / 2),
        ([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]], 0.0),
    ],
    ids=["uncorrelated", "the same but for scale", "r = √3 / 2", "one that is constant"],
)
def test_meco_of_two_channels(channels: list[list[float]], expected: float) -> None:
    """Of a correlation r, the least eigenvalue is 1 - |r|."""
    maps = torch.tensor(channels)[None, :, None]
    assert least_eigenvalues(maps).tolist() == pytest.approx([expected])


def test_meco_agrees_with_torch_on_correlations() -> None:
    maps = torch.randn(1, CHANNELS, 5, 7, generator=torch.Generator().manual_seed(0))
    expected = torch.linalg.eigvalsh(torch.corrcoef(maps[0].flatten(1).double()))[0]
    assert least_eigenvalues(maps).item() == pytest.approx(expected.item())


def test_zen_of_a_chain_is_the_papers_sum() -> None:
    """Where each norm is one that everything goes through, log ‖f(x) - f(x + αε)‖ + Σ log σ, without the residuals."""
    runs = [{"block": "ffn", "depth": 2, "width": 16}, {"block": "cffn", "depth": 2, "width": 16, "layer_scale": 0.1}]
    spec = {"name": "chain", "resolution": 32, "stem": "vit", "stages": [runs]}
    with untrained(ModelSpec.model_validate(spec), 0, classes=0) as model, torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight)
        noise = torch.randn(2, 4, 3, 32, 32)
        x, logarithms = torch.cat([noise[0], noise[0] + ALPHA * noise[1]]), []

        def note(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            dimensions = (1,) if isinstance(norm, nn.LayerNorm) else (0, 2, 3)
            logarithms.append(0.5 * math.log(inputs[0].var(dimensions, correction=0).mean()))

        layers = [*model.stem.children()]
        for run in model.stages[0].children():
            layers += [layer for block in run for layer in block.children()]
        scale = [layer for layer in layers if type(layer).__name__ == "LayerScale2d"]
        assert len(scale) == 2
        handles = [layer.register_forward_pre_hook(note) for layer in layers if type(layer).__name__.find("Norm") >= 0]
        for layer in layers:
            x = layer(x)
        for handle in handles:
            handle.remove()
        change = (x[:4] - x[4:]).flatten(1).norm(dim=1).mean()
        assert measure_change(model, noise) == pytest.approx(float(change.log()) + sum(logarithms), rel=1e-3)
    assert len(logarithms) == 5


def test_zen_of_two_branches_grows_by_the_block() -> None:
    """Each HR block adds about the same: no norm of one branch counts for the other."""
    zen, scores = load_evaluator("zen"), []
    for depth in (4, 8, 12):
        run = {"block": "hr", "depth": depth, "width": 16}
        scores.append(zen(ModelSpec.model_validate({"name": "hr", "stem": "vit", "stages": [run]}), 0))
    assert scores[2] - scores[1] == pytest.approx(scores[1] - scores[0], rel=0.1)


def test_params_and_macs() -> None:
    spec = hiri_spec.load("hiri_s")
    assert load_evaluator("params")(spec, 0) == pytest.approx(34.392904)
    assert load_evaluator("macs")(spec, 0) == pytest.approx(hiri_spec.cost(spec).macs / 1e9)


def test_random_knows_network_and_seed_and_nothing_else() -> None:
    evaluate, spec = load_evaluator("random"), hiri_spec.load("hiri_s")
    renamed = spec.model_copy(update={"name": "other", "description": "The same."})
    assert evaluate(renamed, 0) == evaluate(spec, 0)
    assert evaluate(hiri_spec.load("hiri_s", set={"stages.0.depth": 9}), 0) != evaluate(spec, 0)
    rng = random.Random(0)
    scores = sorted(evaluate(spec, rng.randrange(10**9)) for _ in range(400))
    assert 0 <= scores[0] < 0.05
    assert all(abs(score - (place + 0.5) / 400) < 0.08 for place, score in enumerate(scores))
