"""What becomes of an image's pixels, whatever Pillow makes of its file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hiri_spec.train.data.image_files import ImageFiles
from hiri_spec.train.data.images import decode

GREY = 20_000
"""Of 65535; 78 of 255."""


def stored(values: np.ndarray, form: str) -> BytesIO:
    file = BytesIO()
    Image.fromarray(values).save(file, form)
    file.seek(0)
    return file


@pytest.mark.parametrize("in_channels", [1, 3])
@pytest.mark.parametrize(
    ("form", "dtype"),
    [("PNG", "<u2"), ("TIFF", "<u2"), ("TIFF", ">u2"), ("PPM", "<u2")],
    ids=["png", "tiff", "tiff of big ends", "pgm"],
)
def test_sixteen_bits_become_eight(form: str, dtype: str, in_channels: int) -> None:
    values = np.array([[0, GREY, 65_535], [128, 129, 300]], dtype=dtype)
    image = decode(stored(values, form), in_channels)
    assert image.mode == ("L" if in_channels == 1 else "RGB")
    expected = np.array([[0, 78, 255], [0, 1, 1]])
    found = np.asarray(image).reshape(2, 3, -1)
    assert all(np.array_equal(found[:, :, channel], expected) for channel in range(in_channels))


def test_eight_bits_stay(tmp_path: Path) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(np.asarray(decode(stored(values, "PNG"), 1)), values)


@pytest.mark.parametrize(
    ("dtype", "what"), [("int32", "integers of 32 bits"), ("float32", "floating-point numbers")], ids=["i32", "f32"]
)
def test_numbers_without_a_white_are_unreadable(dtype: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(stored(np.full((4, 4), GREY, dtype), "TIFF").read())
    with pytest.raises(ValueError, match=f"its pixels are {what}, without a white; save it with 8 or 16 bits"):
        _ = ImageFiles([tmp_path / "a.tif"], 3)[0]
