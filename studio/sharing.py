"""A spec's text in the fragment of an address, which browsers send to no server."""

from __future__ import annotations

import base64
import binascii
import zlib

from hiri_spec.errors import Problem, SpecError

from .analysis import MAX_CHARACTERS

KEY = "spec="
MAX_FRAGMENT = 32_000
"""Characters of a fragment; browsers and what passes links on take hardly more."""
MAX_BYTES = 4 * MAX_CHARACTERS
_RAW = -15
"""Deflate without a header."""


def to_fragment(text: str) -> str:
    """What stands behind # in a link that holds a spec; raises SpecError for a text too long for a link."""
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise _refusal("the text holds characters that UTF-8 has no place for; remove them") from None
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW)
    packed = packer.compress(content) + packer.flush() if len(text) <= MAX_CHARACTERS else b""
    fragment = KEY + base64.urlsafe_b64encode(packed).decode().rstrip("=")
    if len(text) > MAX_CHARACTERS or len(fragment) > MAX_FRAGMENT:
        raise _refusal(f"{len(text):,} characters are too many for a link; send the file instead")
    return fragment


def from_fragment(fragment: str) -> str:
    """The text that a fragment holds, with or without its #; raises SpecError if there is none in it."""
    fragment = fragment.removeprefix("#")
    if not fragment.startswith(KEY):
        raise _refusal(f"the link holds no spec; it ends with #{KEY}… where it does")
    if len(fragment) > MAX_FRAGMENT:
        raise _refusal(f"the link is longer than {MAX_FRAGMENT:,} characters; ask for the file instead")
    written = fragment.removeprefix(KEY)
    try:
        packed = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj(_RAW)
        content = unpacker.decompress(packed, MAX_BYTES + 1)
        if len(content) <= MAX_BYTES and (not unpacker.eof or unpacker.unused_data):
            raise zlib.error("cut off")
        text = content.decode() if len(content) <= MAX_BYTES else ""
    except (binascii.Error, zlib.error, ValueError):
        raise _refusal("the link is damaged; copy the whole of it, to its last character") from None
    if len(content) > MAX_BYTES or len(text) > MAX_CHARACTERS:
        raise _refusal(f"the link holds more than {MAX_CHARACTERS:,} characters; ask for the file instead")
    return text


def _refusal(message: str) -> SpecError:
    return SpecError(Problem(message, "link", code="link"))
