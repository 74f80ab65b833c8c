"""Names of classes from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from hiri_spec import SpecError
from hiri_spec.train.class_names import read_class_names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "cat\nwild dog\n Ente \n\n"),
        ("a.txt", "\ufeffcat\r\nwild dog\r\nEnte"),
        ("a.json", '["cat", "wild dog", "Ente"]'),
        ("a.JSON", '{"2": "Ente", "0": "cat", "1": "wild dog"}'),
    ],
    ids=["lines", "windows", "list", "mapping"],
)
def test_forms(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert read_class_names(tmp_path / name, 3) == ("cat", "wild dog", "Ente")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"a\nb\n", r"a\.txt: has 2 names, and the network gives 3 scores; write one name for each"),
        ("a.txt", b"\xff\xfe", "is not UTF-8 text; write a name a line"),
        ("a.json", b"[", 'is not valid JSON .*; write \\["cat", "dog"\\] or {"0": "cat", "1": "dog"}'),
        ("a.json", b"3", "is no list of names"),
        ("a.json", b"[1, 2, 3]", "is no list of names"),
        ("a.json", b'{"1": "a", "2": "b", "3": "c"}', "has keys that are not the indices 0 to 2"),
        ("none.txt", None, r"none\.txt: cannot be read: No such file"),
    ],
    ids=["count", "bytes", "not json", "number", "numbers", "keys", "missing"],
)
def test_mistakes(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SpecError, match=message):
        read_class_names(tmp_path / name, 3)
