"""Models as files for elsewhere: ONNX, or programs of torch.export; each is checked against its model."""

from __future__ import annotations

import copy
import importlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path as FilePath
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from ..errors import Problem, SpecError, show, suggest
from ..files import SpecLike, as_spec, to_yaml
from ..network import Resolution, read_resolution
from ..quantities import format_bytes, format_resolution
from ..saving import replacing, write_text
from .backbone import Backbone
from .capture import Dynamic, ExporterError, Sides, capture, read_sides
from .compile import build
from .fusion import fuse as fuse_norms
from .interrupts import later_interrupts
from .load import load_weights
from .onnx_file import DEFAULT_OPSET, LOWEST_OPSET, NEWEST_OPSET, open_onnx, write_onnx
from .parity import Difference, Run, as_tuple, check, real_images
from .quiet import quiet

Format = Literal["onnx", "pt2"]
FORMATS: tuple[str, ...] = get_args(Format)
NEEDED = {"onnx": ("onnx", "onnxruntime", "onnxscript", "skimage"), "pt2": ("skimage",)}
"""What a format needs beyond torch, the images of its check included."""
MOST_ONNX_BYTES = 1536 * 2**20
"""An ONNX file is at most 2 GiB; from here on torch would put the weights into a second file."""
TOLERANCE = 1e-4
"""The largest difference from the model that is let through, relative to the model's largest output."""

Shape = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: what it takes and gives, with a name for each open dimension, and how far off it is."""

    path: str
    format: str
    file_bytes: int
    opset: int | None
    inputs: dict[str, Shape]
    outputs: dict[str, Shape]
    sides: Sides | None
    """The sides that it takes, where height and width are open."""
    tolerance: float
    differences: tuple[Difference, ...]

    @property
    def worst(self) -> Difference:
        """The largest difference from the model, relative to its output."""
        return max(self.differences, key=lambda difference: difference.relative)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        sides = None if self.sides is None else self.sides._asdict()
        return asdict(self) | {"sides": sides, "worst": asdict(self.worst)}


def export(
    model: Backbone | SpecLike,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    dynamic: Dynamic = "size",
    resolution: Resolution | None = None,
    opset: int | None = None,
    weights: str | os.PathLike[str] | None = None,
    fuse: bool = False,
    tolerance: float = TOLERANCE,
    tell: Callable[[str], None] = lambda step: None,
) -> Exported:
    """Write a model, or that of a spec, as ONNX or as a program of torch.export (`.pt2`), in float32.

    `format` is what the path ends in unless given. `dynamic` is what is left open: "size" (batch, height and width),
    "batch", or "none"; the rest is `resolution`, by default the spec's, and a batch of 1. `weights` is a file to load
    first; `fuse` folds norms into convolutions; `tell` hears of each step.

    The file is opened and run on photographs beside the model, for two batches and at two sizes and the smallest one
    where these are open. Raises ParityError where an output is off by more than `tolerance` times its largest value,
    SpecError for a mistake in the call or what can't be exported; nothing new is left at `path` then.
    """
    form = read_format(path, format)
    _check_choices(form, dynamic, opset)
    _check_needed(form)
    if isinstance(model, nn.Module) and not isinstance(model, Backbone):
        raise SpecError(Problem(f"a {type(model).__name__} was not built from a spec; give one that was", "model"))
    spec = model.spec if isinstance(model, Backbone) else as_spec(model)
    size = read_resolution(spec, resolution)
    if FilePath(path).exists() and not FilePath(path).is_file():
        raise SpecError(Problem("is no file; what is exported is read again to check it", file=os.fspath(path)))
    with replacing(path) as temporary:
        tell(f"building {spec.name}")
        model = copy.deepcopy(model).cpu().float() if isinstance(model, Backbone) else build(spec)
        if weights is not None:
            load_weights(model, weights)
        model.eval()
        fast = model
        if fuse:
            fast = fuse_norms(model)
        if form == "onnx":
            _check_bytes(path, fast)
        tell(f"capturing {spec.name}")
        with quiet(), _told(path, "torch.export can't follow it", dynamic):
            program = capture(fast, spec.in_channels, size, dynamic)
        sides = read_sides(program) if dynamic == "size" else None
        if sides is not None:
            _check_sides(size, sides)
        inputs, outputs = _shapes(program, model, size, dynamic)
        tell(f"writing {form}")
        notes = {"hiri_spec.yaml": to_yaml(spec)}
        with quiet(), _told(path, "it can't be written as ONNX", dynamic):
            if form == "onnx":
                names = {index: name for index, name in enumerate(inputs["image"]) if isinstance(name, str)}
                write_onnx(
                    program, temporary, opset=opset or DEFAULT_OPSET, names=names, outputs=list(outputs), notes=notes
                )
            else:
                temporary.write_bytes(_save(program, notes))
            del program
            run = open_onnx(temporary) if form == "onnx" else open_pt2(temporary)
        differences = check(model, run, _batches(spec.in_channels, size, dynamic, sides), tolerance, tell)
        file_bytes = temporary.stat().st_size
    version = (opset or DEFAULT_OPSET) if form == "onnx" else None
    return Exported(os.fspath(path), form, file_bytes, version, inputs, outputs, sides, tolerance, tuple(differences))


def _save(program: ExportedProgram, notes: dict[str, str]) -> bytes:
    """A program as the bytes of its file: what torch writes to a file itself aborts Python where the disk is full."""
    buffer = io.BytesIO()
    with later_interrupts():  # one inside torch's writer would abort Python too
        torch.export.save(program, buffer, extra_files=notes)
    return buffer.getvalue()


def open_pt2(path: str | os.PathLike[str]) -> Run:
    """Load a program of torch.export as a function from images to outputs."""
    with FilePath(path).open("rb") as stream:
        module = torch.export.load(stream).module()
    return lambda images: as_tuple(module(images))


def read_format(path: str | os.PathLike[str], format: str | None = None) -> Format:
    """The format given, or what a path ends in; raises SpecError where there is none, or the two differ."""
    ending = FilePath(path).suffix.lower().removeprefix(".")
    if format is None:
        if ending not in FORMATS:
            known = " or ".join(f".{each}" for each in FORMATS)
            raise SpecError(
                Problem(f"ends in no format's letters; end it in {known}, or give a format", file=str(path))
            )
        return ending  # type: ignore[return-value]
    if format not in FORMATS:
        raise SpecError(Problem(f"{format!r} is none of {', '.join(FORMATS)}; {suggest(format, FORMATS)}", "format"))
    if ending in FORMATS and ending != format:
        raise SpecError(Problem(f"{format!r} beside a file that ends in .{ending}; keep one of the two", "format"))
    return format  # type: ignore[return-value]


def _check_choices(form: Format, dynamic: str, opset: int | None) -> None:
    kinds = get_args(Dynamic)
    if dynamic not in kinds:
        raise SpecError(Problem(f"{dynamic!r} is none of {', '.join(kinds)}; {suggest(dynamic, kinds)}", "dynamic"))
    if opset is None:
        return
    if form != "onnx":
        raise SpecError(Problem(f"{opset} beside the format {form}; only ONNX has opsets: leave it out", "opset"))
    if not isinstance(opset, int):
        raise SpecError(Problem(f"{show(opset)} is no whole number, such as {DEFAULT_OPSET}", "opset"))
    if not LOWEST_OPSET <= opset <= NEWEST_OPSET:
        old_or_new = "old" if opset < LOWEST_OPSET else "new"
        raise SpecError(
            Problem(f"{opset} is too {old_or_new}; {LOWEST_OPSET} to {NEWEST_OPSET} can be written", "opset")
        )


def _check_needed(form: Format) -> None:
    missing = []
    for name in NEEDED[form]:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append("scikit-image" if name == "skimage" else name)
    if missing:
        raise SpecError(f"{form} needs {', '.join(missing)}; install with pip install 'hiri-spec[export]'")


def _check_bytes(path: str | os.PathLike[str], model: nn.Module) -> None:
    size = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    if size > MOST_ONNX_BYTES:
        message = f"{format_bytes(size)} of weights are more than an ONNX file holds; use the format pt2"
        raise SpecError(Problem(message, file=os.fspath(path)))


def _check_sides(size: tuple[int, int], sides: Sides) -> None:
    most = sides.largest or max(size)
    if not all(sides.smallest <= side <= most for side in size):
        limits = f"{sides.smallest} or more" if sides.largest is None else f"{sides.smallest} to {most}"
        message = (
            f"{format_resolution(size)} does not go with sizes left open, as torch.export then takes sides of "
            f"{limits}; leave only the batch open (dynamic batch)"
        )
        raise SpecError(Problem(message, "resolution"))


@contextmanager
def _told(path: str | os.PathLike[str], what: str, dynamic: Dynamic) -> Iterator[None]:
    """What an exporter says as it gives up, as a SpecError; all of it goes into a file beside."""
    try:
        yield
    except ExporterError as error:
        log = FilePath(f"{os.fspath(path)}.log")
        advice = "try with less left open (dynamic batch or none); " if dynamic == "size" else ""
        where = ""
        if not FilePath(path).exists() or FilePath(path).is_file():  # beside no device
            write_text(log, error.log)
            where = f"; all that was said: {log}"
        raise SpecError(Problem(f"{what}: {error}; {advice}nothing was written{where}", error.place)) from error


def _shapes(
    program: ExportedProgram, model: Backbone, size: tuple[int, int], dynamic: Dynamic
) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Names and shapes of what a program takes and gives."""
    batch = 1 if dynamic == "none" else "batch"
    sides: tuple[int | str, int | str] = ("height", "width") if dynamic == "size" else size
    inputs: dict[str, Shape] = {"image": (batch, model.spec.in_channels, *sides)}
    if model.out_indices is None:
        name = "scores" if model.num_classes else "features"
        places = [(name, model.num_classes or model.num_features, model.stage_info[-1]["reduction"])]
    else:
        maps = zip(model.out_indices, model.feature_info.get_dicts(), strict=True)
        places = [(f"map{index}", info["num_chs"], info["reduction"]) for index, info in maps]
    (output,) = program.graph.find_nodes(op="output")
    outputs: dict[str, Shape] = {}
    for (name, channels, stride), node in zip(places, output.args[0], strict=True):
        shrunk = [f"{side}/{stride}" if isinstance(side, str) else -(-side // stride) for side in sides]
        is_map = node.meta["val"].ndim == 4  # pooled, where it is none
        outputs[name] = (batch, channels, *shrunk) if is_map else (batch, channels)
    return inputs, outputs


def _batches(channels: int, size: tuple[int, int], dynamic: Dynamic, sides: Sides | None) -> Iterator[Tensor]:
    """What to check on: two batches where these are open, at another size too where that is, one that fits nothing."""
    sizes = [size]
    if sides is not None:
        height, width = (side * part // 8 | 1 for side, part in zip(size, (6, 5), strict=True))
        if min(height, width) < sides.smallest:  # then larger ones
            height, width = (side * part // 8 | 1 for side, part in zip(size, (12, 10), strict=True))
        sizes.append((height, width))
    for each in sizes:
        for batch in (1,) if dynamic == "none" else (1, 2):
            yield real_images(batch, channels, each)
    if sides is not None:
        yield real_images(1, channels, (sides.smallest, sides.smallest))
