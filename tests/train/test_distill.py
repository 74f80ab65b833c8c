"""EMA distillation: the average is right, and out of reach; what is learned from it is the divergence and no more."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import read_losses, run
from safetensors.torch import load_file
from timm.layers import BatchNormAct2d
from torch import Tensor, nn

from hiri_spec.train.distill import Teacher, divergence
from hiri_spec.train.plan import Distillation

STEPS = 7


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)
    )


def trained(model: nn.Module, teacher: Teacher | None = None) -> list[dict[str, Tensor]]:
    """Take some steps; returns the state after each."""
    optimizer = torch.optim.SGD(model.parameters(), 0.02)
    states = []
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        model(torch.randn(6, 3, 8, 8)).square().sum().backward()
        optimizer.step()
        if teacher is not None:
            teacher.update(model, step)
        states.append({name: value.clone() for name, value in model.state_dict().items()})
    return states


def decay_at(step: int, settings: Distillation) -> float:
    """The decay by the book: step 1 copies; then constant, or rising with the number of steps."""
    if step == 1:
        return 0.0
    if not settings.decay_warmup:
        return settings.decay
    return min(settings.decay, 1 - (1 + step - 1) ** -settings.decay_warmup_power)


@pytest.mark.parametrize(
    "settings",
    [
        Distillation(decay=0.9, decay_warmup=False),
        Distillation(decay=0.999),
        Distillation(decay=0.5),
        Distillation(decay=0.999, decay_warmup_power=1),
    ],
    ids=["constant", "warming-up", "warmed-up", "plain-mean"],
)
def test_the_teacher_is_the_average(settings: Distillation) -> None:
    """Parameters and batch norm's statistics alike; the counter of batches is the network's own."""
    model = network()
    teacher = Teacher(model, settings)
    states = trained(model, teacher)
    expected = states[0]
    for step, state in enumerate(states[1:], 2):
        decay = decay_at(step, settings)
        expected = {
            name: decay * expected[name] + (1 - decay) * value if value.is_floating_point() else value
            for name, value in state.items()
        }
    found = teacher.model.state_dict()
    torch.testing.assert_close(found, expected)
    assert int(found["1.num_batches_tracked"]) == STEPS
    assert not torch.equal(found["1.running_mean"], states[-1]["1.running_mean"])


def test_with_a_power_of_one_it_is_the_mean_of_all_steps() -> None:
    model = network()
    teacher = Teacher(model, Distillation(decay=0.999, decay_warmup_power=1))
    states = trained(model, teacher)
    mean = torch.stack([state["5.weight"] for state in states]).mean(0)
    torch.testing.assert_close(teacher.model.state_dict()["5.weight"], mean)


def test_no_gradient_reaches_it() -> None:
    model = network()
    teacher = Teacher(model, Distillation())
    images = torch.randn(6, 3, 8, 8, requires_grad=True)
    scores = teacher.score(images)
    assert not scores.requires_grad
    teacher.divergence(model(images), scores).backward()
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in teacher.model.parameters())
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_it_draws_no_random_number_and_keeps_its_statistics() -> None:
    model = nn.Sequential(network(), nn.Dropout(0.5)).train()
    teacher = Teacher(model, Distillation())
    before, random = {name: value.clone() for name, value in teacher.model.state_dict().items()}, torch.get_rng_state()
    images = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(teacher.score(images), teacher.score(images), rtol=0, atol=0)
    assert torch.equal(torch.get_rng_state(), random)
    torch.testing.assert_close(dict(teacher.model.state_dict()), before, rtol=0, atol=0)
    assert model.training


def test_the_statistics_are_those_of_the_averaged_weights() -> None:
    """In eval mode the average normalises as it would by the statistics of its own activations, seen long enough."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    teacher = Teacher(model, Distillation(decay=0.98, decay_warmup=False))
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    for step in range(1, 600):
        images = torch.randn(32, 3, 4, 4) + 1
        optimizer.zero_grad()
        (model(images) - 1).square().mean().backward()
        optimizer.step()
        teacher.update(model, step)
    conv, norm = teacher.model[0], teacher.model[1]
    with torch.no_grad():
        activations = conv(torch.randn(4096, 3, 4, 4) + 1)
    torch.testing.assert_close(norm.running_mean, activations.mean((0, 2, 3)), rtol=0.05, atol=0.02)
    torch.testing.assert_close(norm.running_var, activations.var((0, 2, 3)), rtol=0.05, atol=0.02)


@pytest.mark.parametrize("make_norm", [nn.BatchNorm2d, BatchNormAct2d], ids=["torch's", "timm's"])
def test_the_teacher_normalises_by_the_batch_however_young_it_is(make_norm: type[nn.Module]) -> None:
    """Running means lag behind weights that change fast, and averaged ones lag behind those."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 1), make_norm(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 5))
    teacher = Teacher(model, Distillation(decay=0.9))
    for step in range(1, 4):
        with torch.no_grad():
            model[0].weight.mul_(5)
        model(torch.randn(6, 3, 4, 4))
        teacher.update(model, step)
    images = torch.randn(6, 3, 4, 4)
    by_batch = copy.deepcopy(teacher.model).train()
    by_batch[2].eval()
    torch.testing.assert_close(teacher.score(images), by_batch(images).detach())
    assert not torch.allclose(teacher.score(images), teacher.model(images), atol=0.1)
    assert not teacher.model.training
    assert not any(module.training for module in teacher.model.modules())


def test_a_saved_average_has_its_statistics() -> None:
    model = network()
    teacher = Teacher(model, Distillation())
    trained(model, teacher)
    fresh = network().eval()
    fresh.load_state_dict(teacher.model.state_dict())
    images = torch.randn(6, 3, 8, 8)
    torch.testing.assert_close(teacher.model(images), fresh(images), rtol=0, atol=0)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_divergence(temperature: float) -> None:
    """Of each image the sum of p log(p / q), by hand."""
    torch.manual_seed(1)
    own, other = torch.randn(3, 5), torch.randn(3, 5)
    by_hand = 0.0
    for mine, theirs in zip((own / temperature).tolist(), (other / temperature).tolist(), strict=True):
        q, p = ([math.exp(value) / sum(map(math.exp, row)) for value in row] for row in (mine, theirs))
        by_hand += sum(b * math.log(b / a) for a, b in zip(q, p, strict=True)) * temperature**2 / 3
    assert divergence(own, other, temperature).item() == pytest.approx(by_hand, rel=1e-5)
    assert divergence(own, own, temperature).item() == pytest.approx(0, abs=1e-6)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run without any average, dropout and drop path on."""
    from runs import write_files

    folder = tmp_path_factory.mktemp("plain")
    write_files(folder)
    run(folder, "plain", set={"distillation": "none"})
    return folder


@pytest.mark.parametrize(
    "changes",
    [{"distillation": "ema_distill", "distillation.weight": 0}, {"distillation": "ema"}],
    ids=["weight-0", "ema"],
)
def test_it_changes_no_bit_of_what_it_does_not_teach(plain: Path, changes: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "other"
    run(plain, str(out), set=changes)
    assert read_losses(out) == read_losses(plain / "plain")
    mine, theirs = (load_file(place / "last" / "model.safetensors") for place in (out, plain / "plain"))
    assert all(torch.equal(mine[name], theirs[name]) for name in mine.keys() | theirs.keys())
    assert (out / "last_ema").is_dir()
    assert not (plain / "plain" / "last_ema").exists()


def test_it_teaches_from_its_first_epoch_on(plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "other"
    run(plain, str(out), set={"distillation.start_epoch": 1})
    mine, theirs = read_losses(out), read_losses(plain / "plain")
    assert mine[:5] == theirs[:5]
    assert all(float(a[3]) != float(b[3]) for a, b in zip(mine[5:], theirs[5:], strict=True))
