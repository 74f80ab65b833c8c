"""Building, checking and measuring small networks; what fails is told in its place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from hiri_spec import SpecError
from hiri_spec.nn.bench.models import Subject, read_subjects
from hiri_spec.nn.bench.results import Report, get_bench_info
from hiri_spec.nn.bench.run import Settings, build_settled, make_images, read_cpu_name, run_bench
from hiri_spec.nn.timing import Limits

QUICK = Settings(batch=2, modes=("eager", "channels_last", "fused"), limits=Limits(rounds=2, seconds=None))
CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("small_kernels")


class News:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps: list[tuple[int, int, str]] = []
        self.rounds: list[int] = []

    def noted(self, text: str) -> None:
        self.notes.append(text)

    def preparing(self, done: int, total: int, what: str) -> None:
        self.steps.append((done, total, what))

    def timed(self, rounds: int, seconds_left: float) -> None:
        self.rounds.append(rounds)


@pytest.fixture
def subjects(tiny: str) -> list[Subject]:
    return read_subjects([tiny, "resnet10t@64"])


def problems(report: Report) -> dict[str, str | None]:
    """What is wrong with the first network's modes."""
    return {measured.mode: measured.problem for measured in report.networks[0][1]}


def test_specs_and_timms_in_turn(subjects: list[Subject], use_fuse: Callable[[Any], None]) -> None:
    use_fuse(copy.deepcopy)
    news = News()
    report = run_bench(subjects, QUICK, news)
    for subject, modes in report.networks:
        for measured in modes:
            assert measured.problem is None
            if subject.source == "timm" and measured.mode == "fused":
                assert not measured.is_offered
                assert not measured.seconds
            else:
                assert {images: len(times) for images, times in measured.seconds.items()} == {1: 2, 2: 2}
                assert measured.difference is not None
                assert measured.difference < 1e-4
    assert [len(kernel.seconds) for kernel in report.kernels] == [2, 2]
    assert report.settings["rounds"] == 2
    assert news.rounds == [1, 2]
    assert [done for done, _, _ in news.steps] == list(range(8))
    assert news.steps[4:6] == [(4, 8, "resnet10t@64 itself"), (5, 8, "resnet10t@64 eager")]
    info = get_bench_info(report)
    assert info.networks[0].best_mode in ("eager", "channels_last", "fused")


def test_a_wrong_fuser_is_found_out(subjects: list[Subject], use_fuse: Callable[[Any], None]) -> None:
    def fuse(model: nn.Module) -> nn.Module:
        fused = copy.deepcopy(model)
        for each in fused.modules():
            if isinstance(each, nn.BatchNorm2d):
                each.reset_running_stats()  # folded as if the mean were 0 and the variance 1
        return fused

    use_fuse(fuse)
    report = run_bench(subjects[:1], QUICK)
    assert problems(report)["eager"] is None
    assert "differs from the plain model's by" in str(problems(report)["fused"])
    assert not report.networks[0][1][2].seconds


def test_a_fuser_that_fails_is_told(subjects: list[Subject], use_fuse: Callable[[Any], None]) -> None:
    def fuse(model: nn.Module) -> nn.Module:
        raise KeyError("no such norm\nand more")

    use_fuse(fuse)
    assert problems(run_bench(subjects[:1], QUICK))["fused"] == "KeyError: 'no such norm\\nand more'"


def test_a_spec_error_is_told_as_it_is(subjects: list[Subject], use_fuse: Callable[[Any], None]) -> None:
    def fuse(model: nn.Module) -> nn.Module:
        raise SpecError("train it first")

    use_fuse(fuse)
    assert problems(run_bench(subjects[:1], QUICK))["fused"] == "train it first"


def test_what_is_usual_but_not_there_is_noted(subjects: list[Subject], use_fuse: Callable[[Any], None]) -> None:
    use_fuse(copy.deepcopy)
    news = News()
    report = run_bench(subjects[:1], replace(QUICK, modes=None, dtype="bfloat16", batch=0), news)
    assert news.notes == ["onnx is left out: onnx is measured on the CPU in float32 only"]
    assert set(problems(report).values()) == {None}
    assert list(report.networks[0][1][0].seconds) == [1]
    assert report.settings["dtype"] == "bfloat16"


def test_threads_are_given_back(subjects: list[Subject]) -> None:
    before = torch.get_num_threads()
    report = run_bench(subjects[:1], replace(QUICK, modes=("eager",), threads=before + 1))
    assert report.settings["threads"] == before + 1
    assert torch.get_num_threads() == before


def test_the_default_batch(subjects: list[Subject]) -> None:
    report = run_bench(subjects[:1], replace(QUICK, modes=("eager",), batch=None))
    assert report.batch == report.settings["batch"] == 8
    assert sorted(report.networks[0][1][0].seconds) == [1, 8]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (lambda images: (images, images), "tiny@64: gives no single output"),
        (lambda images: images.new_full((1, 2), torch.nan), "tiny@64: gives infinite or undefined scores"),
        (lambda images: images.reshape(7), "tiny@64, batch 1: fails: RuntimeError: shape '.7.' is invalid"),
    ],
    ids=["tuple", "nan", "error"],
)
def test_a_plain_model_that_fails(
    subjects: list[Subject], monkeypatch: pytest.MonkeyPatch, output: Callable[[Any], Any], message: str
) -> None:
    class Failing(nn.Module):
        def forward(self, images: torch.Tensor) -> Any:
            return output(images)

    monkeypatch.setattr(Subject, "build", lambda self: Failing().eval())
    with pytest.raises(SpecError, match=message):
        run_bench(subjects[:1], QUICK)


def test_a_batch_that_no_memory_holds(subjects: list[Subject]) -> None:
    with pytest.raises(SpecError, match=r"tiny@64, batch 100000000000: fails: RuntimeError: .*allocate"):
        run_bench(subjects[:1], replace(QUICK, batch=10**11))


def test_cuda_that_is_not_there(subjects: list[Subject], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SpecError, match=r"--device: .* use --device cpu"):
        run_bench(subjects, Settings(device="cuda"))


def test_the_same_weights_and_images_every_time(subjects: list[Subject]) -> None:
    twins = [build_settled(subjects[0], CPU, torch.float32).state_dict() for _ in range(2)]
    torch.testing.assert_close(twins[0], twins[1], rtol=0, atol=0)
    images = [make_images(subjects[0], 2, CPU, torch.float32) for _ in range(2)]
    torch.testing.assert_close(images[0], images[1], rtol=0, atol=0)
    assert images[0].shape == (2, 3, 64, 64)


def test_the_processor_has_a_name() -> None:
    assert read_cpu_name()
