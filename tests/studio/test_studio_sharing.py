"""The text of a spec in a link."""

import base64
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiri_spec.errors import SpecError
from hiri_spec.files import builtin_specs
from studio.analysis import MAX_CHARACTERS
from studio.sharing import MAX_FRAGMENT, from_fragment, to_fragment


def packed(content: bytes) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return "spec=" + base64.urlsafe_b64encode(packer.compress(content) + packer.flush()).decode()


@given(st.text())
def test_a_text_comes_back(text: str) -> None:
    fragment = to_fragment(text)
    assert set(fragment.removeprefix("spec=")) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    )
    assert from_fragment(fragment) == from_fragment(f"#{fragment}") == text


@pytest.mark.parametrize("path", builtin_specs().values(), ids=builtin_specs())
def test_built_in_specs_make_short_links(path: Path) -> None:
    text = path.read_text()
    fragment = to_fragment(text)
    assert from_fragment(fragment) == text
    assert len(fragment) < 1500


REFUSED = {
    "nothing": ("", "holds no spec; it ends with #spec="),
    "another key": ("#page=2", "holds no spec"),
    "not base64": ("spec=a*b", "is damaged"),
    "not deflate": ("spec=" + base64.urlsafe_b64encode(b"\xff" * 30).decode(), "is damaged"),
    "not text": (packed(b"\xff\xfe"), "is damaged"),
    "cut off": (to_fragment("name: a network of some length")[:-4], "is damaged; copy the whole of it"),
    "more behind it": (packed(b"a") + packed(b"b").removeprefix("spec="), "is damaged"),
    "empty": ("spec=", "is damaged"),
    "outside ASCII": ("spec=ä", "is damaged"),
    "long": ("spec=" + "a" * MAX_FRAGMENT, "is longer than 32,000 characters"),
    "a bomb": (packed(b"0" * 20_000_000), "holds more than 100,000 characters"),
    "a small bomb": (packed(b"0" * (MAX_CHARACTERS + 1)), "holds more than 100,000 characters"),
}


@pytest.mark.parametrize(("fragment", "told"), REFUSED.values(), ids=REFUSED)
def test_what_holds_no_spec_is_refused(fragment: str, told: str) -> None:
    with pytest.raises(SpecError, match=f"^link: the link {told}"):
        from_fragment(fragment)


@given(st.text() | st.binary().map(packed) | st.text().map("spec={}".format))
def test_any_fragment_is_read_or_refused(fragment: str) -> None:
    try:
        text = from_fragment(fragment)
    except SpecError:
        return
    assert from_fragment(to_fragment(text)) == text


UNSHARABLE = {
    "too long": ("x" * (MAX_CHARACTERS + 1), r"100,001 characters are too many for a link; send the file"),
    "too varied": ("".join(chr(0x4E00 + i * 7919 % 20000) for i in range(30000)), r"too many for a link"),
    "half a letter": ("\ud800", r"characters that UTF-8 has no place for; remove them"),
}


@pytest.mark.parametrize(("text", "told"), UNSHARABLE.values(), ids=UNSHARABLE)
def test_what_fits_no_link_is_refused(text: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        to_fragment(text)
