"""Each image of `tasks predict` has a picture of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hiri_spec.commands.tasks.predict import name_pictures


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["a/x.png", "b/x.jpg", "c/y.png"], ["x", "x-2", "y"]),
        (["a/x.png", "b/x.png", "d/x-2.png"], ["x", "x-3", "x-2"]),
        (["d/x-2.png", "a/x.png", "b/x.png"], ["x-2", "x", "x-3"]),
        (["a/x.png", "b/x.png", "d/x-2.png", "e/x-2.png", "f/x.png"], ["x", "x-3", "x-2", "x-2-2", "x-4"]),
    ],
    ids=["twice", "taken later", "taken before", "twice both"],
)
def test_no_name_is_given_twice(tmp_path: Path, images: list[str], names: list[str]) -> None:
    pictures = name_pictures([tmp_path / image for image in images], tmp_path / "seen")
    assert pictures == [tmp_path / "seen" / f"{name}.png" for name in names]
