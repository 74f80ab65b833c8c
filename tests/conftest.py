"""Settings of all tests."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from told import Command, Told

# the tests run in as many processes as there are cores; torch's own threads would only get in each other's way
os.environ.setdefault("OMP_NUM_THREADS", "1")
# what a shell starts in the background ignores Ctrl-C, and so would all that the tests start and interrupt
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
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


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run on the digits; not to be changed."""
    from trained_runs import train_on_digits

    return train_on_digits(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="session")
def timm_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of one of timm's models, one that keeps to an image size; without an average."""
    from trained_runs import train_on_digits

    changes = {"resolution": 32, "distillation.distillation": "none"}
    return train_on_digits(tmp_path_factory.mktemp("timm"), "timm:test_vit", set=changes)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any use of the hub fail the test."""
    import huggingface_hub

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)


@pytest.fixture
def hiri_spec_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `hiri-spec` with arguments."""
    from hiri_spec import cli

    def run(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["hiri-spec", *arguments])
        with pytest.raises(SystemExit, match=r"\d") as caught:
            cli.main()
        assert isinstance(caught.value.code, int)
        return Told(caught.value.code, *capsys.readouterr())

    return run
