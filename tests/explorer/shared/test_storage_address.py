"""Addresses of shared storages: read, refused, and never shown with a password."""

from __future__ import annotations

import pytest

from explorer.shared.address import VARIABLE, read_address
from hiri_spec import SpecError


@pytest.mark.parametrize(
    ("value", "scheme", "url"),
    [
        ("postgresql://me@host/db", "postgresql", "postgresql+psycopg://me@host/db"),
        ("postgres://host/db", "postgresql", "postgresql+psycopg://host/db"),
        ("postgresql+psycopg://me@host:5433/db", "postgresql", "postgresql+psycopg://me@host:5433/db"),
        ("sqlite:///a.db", "sqlite", "sqlite:///a.db"),
        ("sqlite:///{a}.db", "sqlite", "sqlite:///%7Ba%7D.db"),  # Optuna fills braces in
        ("grpc://host:13000", "grpc", "host:13000"),
        ("grpc://[::1]:13000/", "grpc", "[::1]:13000"),
    ],
)
def test_what_is_read(value: str, scheme: str, url: str) -> None:
    address = read_address(value, {})
    assert (address.scheme, address.url, dict(address.secrets)) == (scheme, url, {})


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://me:s3cret@host/db",
        "postgresql://host/db?password=s3cret",
        "postgresql://host/db?sslpassword=s3cret",
        "mysql+s3cret://me:s3cret@host/db",
        "grpc://me:s3cret@host:1",
        "postgresql://me:s3cret@host:port/db",
        "s3cret",
    ],
)
def test_a_password_in_an_argument_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(SpecError, match="--storage: ") as caught:
        read_address(value, {})
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_way_out_of_a_password_is_told() -> None:
    with pytest.raises(SpecError, match=r"PGPASSWORD or in ~/.pgpass, .* EXPLORER_STORAGE and give --storage env"):
        read_address("postgresql://me:s3cret@host/db", {})


@pytest.mark.parametrize("form", ["postgresql://me:s3cret%40x@host/db", "postgresql://me@host/db?password=s3cret%40x"])
def test_a_password_from_the_environment_is_kept_apart(form: str) -> None:
    address = read_address("env", {VARIABLE: form})
    assert address.secrets == {"password": "s3cret@x"}
    for text in (repr(address), str(address), address.url, address.shown, address.conceal("it was s3cret@x, no?")):
        assert "s3cret" not in text
    assert str(address) == "postgresql://me@host/db"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("env", "EXPLORER_STORAGE is not set; put an address into it, like postgresql://user@host/database"),
        ("", "'' is no address; write it like postgresql://user@host/database"),
        (3, "3 is no address"),
        ("study.db", "the address is none: it can't be read; write it like postgresql://user@host/database, or grpc"),
        ("oricle://host/db", "SQLAlchemy knows no such kind of database"),
        ("postgresql+psycopg2://host/db", r"the driver of postgresql\+psycopg2 is missing; pip install 'hiri-spec\["),
        ("sqlite://", "a database in memory is shared with nobody"),
        ("grpc://host", "a proxy has a host and a port"),
        ("grpc://host:many", "the address is none: it can't be read"),
        ("grpc://host:1/db", "a proxy has a host and a port"),
    ],
    ids=str,
)
def test_what_is_no_address(value: object, told: str) -> None:
    with pytest.raises(SpecError, match=f"--storage: .*{told}"):
        read_address(value, {})
