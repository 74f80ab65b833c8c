"""A module run by ONNX Runtime: exported for one shape to a temporary folder, loaded, called."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..onnx_file import open_session

NEEDED = ("onnx", "onnxruntime", "onnxscript")


def run_in_onnxruntime(module: nn.Module, images: Tensor) -> Callable[[], Any]:
    """A call that runs the module, in eval mode on the CPU, on these images with as many threads as torch has."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # the exporter's own about itself
            program = torch.onnx.export(module, (images,), dynamo=True, verbose=False)
        assert program is not None  # only the old exporter returns none
        program.save(path, external_data=True)  # one file holds at most 2 GiB
        session = open_session(path)
    inputs = {session.get_inputs()[0].name: images.numpy()}

    def run() -> Any:
        return session.run(None, inputs)[0]

    return run
