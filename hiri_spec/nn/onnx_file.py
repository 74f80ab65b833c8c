"""Programs of torch.export as ONNX files, one file each, and running them by ONNX Runtime."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.export import ExportedProgram

from .capture import ExporterError, causes, reason_of
from .parity import Run

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

LOWEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET = 18, 20, 23
"""The operator sets that torch's exporter writes; to an older one it would have to translate, which fails for some."""
KEPT = ("namespace",)
"""Of the notes that torch makes at each node: its module's path. The others name the files of this machine."""


def write_onnx(
    program: ExportedProgram,
    path: FilePath,
    *,
    opset: int,
    names: Mapping[int, str],
    outputs: Sequence[str],
    notes: Mapping[str, str],
) -> None:
    """Write a program, its weights inside; raises ExporterError.

    `names` is what to call the open dimensions of the image, `outputs` the outputs; `notes` become the file's metadata.
    """
    import onnx

    try:
        converted = torch.onnx.export(
            program,
            input_names=["image"],
            output_names=outputs,
            dynamic_shapes=(dict(names),) if names else None,
            opset_version=opset,
            external_data=False,
            verbose=False,
        )
        assert converted is not None  # as documented, for a program
        model = converted.model_proto
        written = next(each.version for each in model.opset_import if not each.domain)
        if written != opset:
            raise ValueError(f"opset {written} came out where {opset} was asked for")
        graph = model.graph
        for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
            kept = [note for note in part.metadata_props if note.key in KEPT]
            del part.metadata_props[:]
            part.metadata_props.extend(kept)
        onnx.helper.set_model_props(model, dict(notes))
        onnx.checker.check_model(model)
        content = model.SerializeToString()
    except Exception as error:
        raise ExporterError(find_node_place(program, error), _operation(error) + reason_of(error), error) from error
    path.write_bytes(content)


def open_onnx(path: str | os.PathLike[str]) -> Run:
    """Open a file with ONNX Runtime, on the CPU, as a function from images to outputs."""
    session = open_session(path)
    (image,) = session.get_inputs()

    def run(images: Tensor) -> list[Tensor]:
        return [torch.from_numpy(output) for output in session.run(None, {image.name: images.numpy()})]

    return run


def open_session(path: str | os.PathLike[str]) -> InferenceSession:
    """ONNX Runtime's session of a file, on the CPU, with as many threads as torch has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised; they need not be printed too
    options.intra_op_num_threads = torch.get_num_threads()
    # between runs its threads would go on spinning, in the way of whatever else runs
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])


def find_node_place(program: ExportedProgram, error: BaseException) -> str:
    """The module of the node that an error of the converter names; empty if it names none."""
    match = _search(r"translating node %(\w+)", error)
    for node in program.graph.nodes:
        if match and node.name == match[1]:
            stack = list((node.meta.get("nn_module_stack") or {}).values())
            return str(stack[-1][0]) if stack else ""
    return ""


def _operation(error: BaseException) -> str:
    match = _search(r"torch\.ops\.(\w+\.\w+)", error)
    return f"{match[1]}: " if match else ""


def _search(pattern: str, error: BaseException) -> re.Match[str] | None:
    return next((match for each in causes(error) if (match := re.search(pattern, str(each)))), None)
