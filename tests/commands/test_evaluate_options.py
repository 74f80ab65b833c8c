"""What both evaluate commands do alike."""

from __future__ import annotations

import pytest
import typer

from hiri_spec import SpecError
from hiri_spec.commands.evaluate_options import counted_images, known_data, tell_unreadable


def test_ctrl_c_is_told_and_has_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit, match=r"^130$") as ended, counted_images(3):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "stopped\n"


@pytest.mark.parametrize(
    ("given", "own", "message"),
    [
        ("here", "there", "^gone$"),
        (None, "there", r"^gone\n--data: that is what the run was trained on; name the data where they are now$"),
    ],
    ids=["given", "the run's own"],
)
def test_data_that_are_gone(given: str | None, own: str | None, message: str) -> None:
    with pytest.raises(SpecError, match=message), known_data(given, own) as source:
        raise SpecError("gone" if source == (given or own) else "wrong data")


def test_data_that_nobody_knows() -> None:
    with pytest.raises(SpecError, match="--data: of plain weights nobody knows their data"), known_data(None, None):
        raise AssertionError("there are none")  # pragma: no cover


def test_images_that_were_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    tell_unreadable({"a.png": "cut short"})
    assert capsys.readouterr().err == "note: a.png can't be read (cut short), and was passed over\n"
