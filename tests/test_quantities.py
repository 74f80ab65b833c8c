"""Amounts with units, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiri_spec import SpecError
from hiri_spec.quantities import (
    format_amount,
    format_bytes,
    format_count,
    format_rate,
    format_resolution,
    parse_macs,
    parse_params,
    parse_resolutions,
    parse_seconds,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5gflops", 5_000_000_000),
        ("5GFLOPs", 5_000_000_000),
        ("5gmacs", 5_000_000_000),
        ("5G", 5_000_000_000),
        ("5e9", 5_000_000_000),
        (" 4.5 gmacs ", 4_500_000_000),
        (".5gflops", 500_000_000),
        ("300m", 300_000_000),
        ("1.2t", 1_200_000_000_000),
        ("64", 64),
    ],
)
def test_macs(text: str, expected: int) -> None:
    assert parse_macs(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("35m", 35_000_000), ("3.5e7", 35_000_000), ("35Mparams", 35_000_000)])
def test_params(text: str, expected: int) -> None:
    assert parse_params(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("five", "--budget: 'five' is not an amount; write it like 5gflops, 5gmacs or 5e9"),
        ("5gb", "'5gb' is not an amount"),
        ("-5g", "'-5g' is not an amount"),
        ("", "'' is not an amount"),
        ("nan", "'nan' is not an amount"),
        ("0", "'0' is 0; it must be at least 1 and below 1e18"),
        ("1e400", "'1e400' is inf; it must be"),
        ("5gparams", "'5gparams' is not an amount"),
    ],
)
def test_no_amount(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_macs(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("224", [(224, 224)]),
        ("224,448, 768", [(224, 224), (448, 448), (768, 768)]),
        ("512x1024", [(512, 1024)]),
        ("512 x 1024,32", [(512, 1024), (32, 32)]),
    ],
)
def test_resolutions(text: str, expected: list[tuple[int, int]]) -> None:
    assert parse_resolutions(text) == expected


@pytest.mark.parametrize("text", ["", "224,", "big", "-224", "224x", "2.5", "1x2x3", "1234567890"])
def test_no_resolution(text: str) -> None:
    with pytest.raises(SpecError, match=r"--resolution: .* is no image size; write a side or HEIGHTxWIDTH"):
        parse_resolutions(text)


@pytest.mark.parametrize(("text", "what"), [("31", "31 is too small"), ("64x10000001", "10000001 is too large")])
def test_no_size_of_an_image(text: str, what: str) -> None:
    with pytest.raises(SpecError, match=rf"^--resolution: {what}; use 32 to 10,000,000 pixels a side"):
        parse_resolutions(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", 90),
        ("5m", 300),
        ("5 min", 300),
        ("1.5h", 5400),
        ("1d", 86_400),
        ("20ms", 0.02),
        (".5", 0.5),
        ("1e2S", 100),
    ],
)
def test_seconds(text: str, expected: float) -> None:
    assert parse_seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "--trial-timeout: 'soon' is no time; write it like 90s, 5m or 1.5h"),
        ("5 weeks", "'5 weeks' is no time"),
        ("-5s", "'-5s' is no time"),
        ("", "'' is no time"),
        ("0s", "'0s' is 0 seconds; use more than 0 and below 1e9"),
        ("1e300h", "is 3.6e.303 seconds"),
    ],
)
def test_no_time(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_seconds(text)


@given(st.tuples(st.integers(32, 10**7), st.integers(32, 10**7)))
def test_resolutions_round_trip(size: tuple[int, int]) -> None:
    assert parse_resolutions(format_resolution(size)) == [size]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5_009_000_000, "5.009 G"), (34_390_000, "34.39 M"), (1234, "1.23 k"), (12, "12"), (-2e12, "-2.000 T")],
)
def test_amounts_as_text(value: float, expected: str) -> None:
    assert format_amount(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (19_293_798, "18.4 MiB"),
        (2**31, "2.0 GiB"),
        (-2048, "-2.0 KiB"),
    ],
)
def test_bytes_as_text(value: float, expected: str) -> None:
    assert format_bytes(value) == expected


@pytest.mark.parametrize(("count", "expected"), [(0, "0 steps"), (1, "1 step"), (1200, "1,200 steps")])
def test_counts_as_text(count: int, expected: str) -> None:
    assert format_count(count, "step") == expected


@pytest.mark.parametrize(
    ("per_second", "expected"),
    [
        (0.0, "0"),
        (0.013, "0.013"),
        (0.6249, "0.62"),
        (1.0, "1"),
        (4.21, "4.2"),
        (9.96, "10"),
        (35.4, "35"),
        (1234.5, "1,234"),
    ],
)
def test_rates(per_second: float, expected: str) -> None:
    assert format_rate(per_second) == expected
