"""Settings of all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# the tests run in as many processes as there are cores; torch's own threads would only get in each other's way
os.environ.setdefault("OMP_NUM_THREADS", "1")
# the same examples on every run, so that a red run can be repeated
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a checkpoint of the small network."""
    from checkpoints import built

    folder = tmp_path / "small"
    built().save_pretrained(folder)
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any use of the hub fail the test."""
    import huggingface_hub

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
