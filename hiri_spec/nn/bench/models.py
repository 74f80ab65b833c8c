"""Which network a name on the command line means: one of our specs or one of timm's models, at an image size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import timm
import torch
from timm.models import PretrainedCfg
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ...cost import MAX_MACS, cost
from ...errors import Problem, SpecError
from ...network import Resolution
from ...quantities import SMALLEST_SIDE, format_resolution, parse_resolutions
from ...schema import ModelSpec
from ..compile import build
from ..named import read_named


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to measure, classifier included, at one image size; `macs` are for one image.

    It is built from `origin`: a spec, or a name of timm's.
    """

    name: str
    origin: ModelSpec | str
    resolution: tuple[int, int]
    channels: int
    params: int
    macs: int
    note: str | None = None

    @property
    def source(self) -> Literal["spec", "timm"]:
        """What it is built from."""
        return "timm" if isinstance(self.origin, str) else "spec"

    @property
    def label(self) -> str:
        """The name with the image size: hiri_s@448."""
        return f"{self.name}@{format_resolution(self.resolution)}"

    def build(self) -> nn.Module:
        """The module in eval mode with fresh weights."""
        if isinstance(self.origin, str):
            return create_timm_model(self.origin, self.resolution)
        return build(self.origin).eval()


def read_subjects(names: Sequence[str], resolution: Resolution | None = None) -> list[Subject]:
    """The networks that names such as `hiri_s@448`, `mine.yaml` or `timm:pvt_v2_b2@224` stand for.

    A size behind @ goes before `resolution`, which goes before the network's own. Raises SpecError for a name that
    nothing has, a size that the network can't take, and a network too large for any machine.
    """
    subjects = [read_subject(name, resolution) for name in names]
    return [
        # two networks of one name, such as two files with it or a spec and timm's: told apart as they were typed
        replace(own, name=split_size(text)[0])
        if any(other.label == own.label and other.origin != own.origin for other in subjects)
        else own
        for own, text in zip(subjects, names, strict=True)
    ]


def read_subject(text: str, resolution: Resolution | None = None) -> Subject:
    """The network that one name stands for."""
    name, size = split_size(text)
    wanted = resolution if size is None else size
    named = read_named(name)
    if isinstance(named.origin, str):
        return read_timm_subject(named.origin, wanted)
    return read_spec_subject(name, named.origin, wanted, named.note)


def split_size(text: str) -> tuple[str, tuple[int, int] | None]:
    """`hiri_s@512x1024` as name and size; a file may have an @ in its own name."""
    name, at, size = text.rpartition("@")
    if not at or Path(text).is_file():
        return text, None
    sizes = parse_resolutions(size, text)
    if len(sizes) != 1:
        raise SpecError(Problem("a name has one size behind its @; name the network again for another", text))
    return name, sizes[0]


def read_spec_subject(name: str, spec: ModelSpec, resolution: Resolution | None, note: str | None = None) -> Subject:
    """One of our specs; its costs are ours."""
    own = cost(spec, resolution)
    _check_size(name, own.macs)
    return Subject(spec.name, spec, own.resolution, spec.in_channels, own.params, own.macs, note)


def read_timm_subject(name: str, resolution: Resolution | None) -> Subject:
    """One of timm's models, its MACs counted by torch on the meta device."""
    config = _read_config(name)
    size = tuple(config.input_size[1:]) if resolution is None else resolution
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < SMALLEST_SIDE:
        raise SpecError(Problem(f"{height}x{width} is too small; use at least {SMALLEST_SIDE} a side", name))
    try:
        # on the CPU the counter misses nn.MultiheadAttention's fast path; the meta device has none
        with torch.device("meta"):
            # the counter follows gradients even where there are none to be had
            model = create_timm_model(name, (height, width)).requires_grad_(requires_grad=False)
            images = torch.empty(1, config.input_size[0], height, width)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(images)
    except Exception as error:
        own = format_resolution((config.input_size[1], config.input_size[2]))
        message = f"doesn't run at {format_resolution((height, width))}: {tell(error)}; its own size is {own}"
        raise SpecError(Problem(message, name, code="resolution")) from error
    params = sum(parameter.numel() for parameter in model.parameters())
    macs = counter.get_total_flops() // 2
    _check_size(name, macs)
    return Subject(name, name, (height, width), config.input_size[0], params, macs)


def create_timm_model(name: str, size: tuple[int, int]) -> nn.Module:
    """timm's model in eval mode with fresh weights, told the image size where it needs to know it."""
    config = _read_config(name)
    is_other = tuple(config.input_size[1:]) != size
    options: dict[str, Any] = {"img_size": size} if config.fixed_input_size and is_other else {}
    model: nn.Module = timm.create_model(name, pretrained=False, **options)
    return model.eval()


def _read_config(name: str) -> PretrainedCfg:
    """timm's default configuration of a model, or of any model where it has none."""
    return timm.get_pretrained_cfg(name) or PretrainedCfg()


def tell(error: BaseException) -> str:
    """The first line of an error, with its type if it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _check_size(name: str, macs: int) -> None:
    if macs > MAX_MACS:
        raise SpecError(Problem(f"{macs:.3g} MACs are more than the limit of {MAX_MACS:.3g}", name, code="too_large"))
