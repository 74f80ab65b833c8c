"""A module run by ONNX Runtime: exported for one shape to a temporary folder, loaded, called."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

NEEDED = ("onnx", "onnxruntime", "onnxscript")


def run_in_onnxruntime(module: nn.Module, images: Tensor) -> Callable[[], Any]:
    """A call that runs the module, in eval mode on the CPU, on these images with as many threads as torch has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors: what it warns of is the exporter's business
    # its threads would go on spinning into whatever is timed next
    options.add_session_config_entry("session.force_spinning_stop", "1")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # the exporter's own about itself
            program = torch.onnx.export(module, (images,), dynamo=True, verbose=False)
        assert program is not None  # only the old exporter returns none
        program.save(path, external_data=True)  # one file holds at most 2 GiB
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: images.numpy()}

    def run() -> Any:
        return session.run(None, inputs)[0]

    return run
