"""Errors say where, what and how to fix it."""

import pickle
from pathlib import PurePosixPath

import pytest

from hiri_spec import SpecError
from hiri_spec.errors import MAX_LISTED, Path, Problem, format_path, show, suggest


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        pytest.param(Problem("wrong"), "wrong", id="bare"),
        pytest.param(Problem("wrong", "stages[2].width"), "stages[2].width: wrong", id="path"),
        pytest.param(Problem("wrong", "", "a.yaml"), "a.yaml: wrong", id="file"),
        pytest.param(Problem("wrong", "stem", "a.yaml", 14), "a.yaml:14 stem: wrong", id="file-line-path"),
        pytest.param(Problem("wrong", "stem", "", 14), "stem: wrong", id="line-without-file"),
    ],
)
def test_a_problem_as_text(problem: Problem, expected: str) -> None:
    assert str(problem) == expected


def test_an_error_holds_every_problem() -> None:
    error = SpecError([Problem("one", "a"), Problem("two", "b")])
    assert [problem.path for problem in error.problems] == ["a", "b"]
    assert str(error) == "a: one\nb: two"
    assert SpecError("just text").problems == (Problem("just text"),)


def test_an_error_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(SpecError([Problem("one", "a", "f.yaml", 3, "code"), Problem("two")])))
    assert isinstance(error, SpecError)
    assert error.problems == (Problem("one", "a", "f.yaml", 3, "code"), Problem("two"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [((), ""), (("stages", 2, "width"), "stages[2].width"), (("stages", 1, 0, "block"), "stages[1][0].block")],
    ids=["root", "stage", "run"],
)
def test_paths_are_written_as_users_read_them(path: Path, expected: str) -> None:
    assert format_path(path) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.0, "1.0"),
        ("hr", "'hr'"),
        ([1, 2], "[1, 2]"),
        ("x" * 100, "'" + "x" * 59 + "…"),
        (PurePosixPath("a"), "PurePosixPath('a')"),
    ],
    ids=["null", "true", "int", "float", "text", "list", "long", "object"],
)
def test_values_are_shown_as_users_wrote_them(value: object, expected: str) -> None:
    assert show(value) == expected


def test_suggestions() -> None:
    assert suggest("transfomer", ["hr", "transformer"]) == "did you mean 'transformer'?"
    assert suggest("zzz", ["hr", "cffn"]) == "known: cffn, hr"
    many = [f"name{index:03}" for index in range(MAX_LISTED + 1)]
    assert suggest("zzz", many).endswith("name019, …")
