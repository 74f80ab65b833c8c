"""Where a shared study is kept: the address of a database, or of a proxy before one, and its password kept apart."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hiri_spec import SpecError
from hiri_spec.errors import Problem, show

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

FLAG = "--storage"
FROM_ENVIRONMENT = "env"
VARIABLE = "EXPLORER_STORAGE"
EXAMPLE = "postgresql://user@host/database"
INSTALL = "pip install 'hiri-spec[shared]'"
PASSWORD_WAYS = (
    f"keep it in PGPASSWORD or in ~/.pgpass, or keep the whole address in {VARIABLE} and give {FLAG} {FROM_ENVIRONMENT}"
)
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""What plain names stand for."""
GRPC = "grpc"


@dataclass(frozen=True, slots=True)
class Address:
    """An address without its passwords, which neither `repr` nor `str` shows."""

    scheme: str
    """SQLAlchemy's dialect, without the driver; `grpc` for a proxy."""
    shown: str
    url: str
    """For SQLAlchemy, or `host:port` of a proxy."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What a driver is to be handed beside the address, by its own names."""

    def __str__(self) -> str:
        return self.shown

    def conceal(self, text: str) -> str:
        """A text of somebody else's, in which no password is left."""
        for secret in self.secrets.values():
            text = text.replace(secret, "***")
        return text


def read_address(value: object, environment: Mapping[str, str] | None = None) -> Address:
    """Read what `--storage` names; "env" stands for what EXPLORER_STORAGE holds, which alone may have a password.

    Raises SpecError for what is no address, and for a password in an argument, which every user of the machine can
    read in the list of processes. No error repeats what may hold one.
    """
    if not isinstance(value, str) or not value:
        raise SpecError(Problem(f"{show(value)} is no address; write it like {EXAMPLE}", FLAG))
    is_argument = value != FROM_ENVIRONMENT
    if not is_argument:
        value = (os.environ if environment is None else environment).get(VARIABLE, "")
        if not value:
            raise SpecError(Problem(f"{VARIABLE} is not set; put an address into it, like {EXAMPLE}", FLAG))
    if "://" not in value:
        raise _unreadable(is_argument)
    address = _read_proxy(value, is_argument) if value.startswith(f"{GRPC}://") else _read_database(value, is_argument)
    if address.secrets and is_argument:
        message = f"a password in an argument can be read by everybody on this machine; {PASSWORD_WAYS}"
        raise SpecError(Problem(message, FLAG))
    return address


def _unreadable(is_argument: bool, reason: str = "it can't be read") -> SpecError:
    where = "the address" if is_argument else f"the address in {VARIABLE}"
    return SpecError(Problem(f"{where} is none: {reason}; write it like {EXAMPLE}, or grpc://host:port", FLAG))


def _read_proxy(value: str, is_argument: bool) -> Address:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise _unreadable(is_argument) from None
    if parts.username is not None or parts.password is not None:
        raise _unreadable(is_argument, "a proxy asks for no user and no password")
    if not parts.hostname or port is None or parts.path.strip("/") or parts.query:
        raise _unreadable(is_argument, "a proxy has a host and a port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(GRPC, f"{GRPC}://{host}:{port}", f"{host}:{port}")


def _read_database(value: str, is_argument: bool) -> Address:
    try:
        from sqlalchemy.engine import URL, make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    except ImportError:
        raise SpecError(Problem(f"SQLAlchemy is missing; {INSTALL}", FLAG)) from None
    try:
        given = make_url(value)
        url = given.set(drivername=DRIVERS.get(given.drivername, given.drivername))
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        raise _unreadable(is_argument, "SQLAlchemy knows no such kind of database") from None
    except ImportError:
        driver = given.drivername
        raise SpecError(Problem(f"the driver of {driver} is missing; {INSTALL} brings PostgreSQL's", FLAG)) from None
    except (ArgumentError, ValueError):
        raise _unreadable(is_argument) from None
    scheme = url.get_backend_name()
    if scheme == "sqlite" and url.database in (None, "", ":memory:"):
        raise _unreadable(is_argument, "a database in memory is shared with nobody")
    secrets = _secrets(url)
    plain = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
    plain = plain.difference_update_query(list(secrets))
    text = plain.render_as_string(hide_password=False)
    shown = plain.set(drivername=given.drivername).render_as_string(hide_password=True)
    return Address(scheme, shown, text, secrets)


def _secrets(url: URL) -> dict[str, str]:
    """Passwords of an address, and of the certificates that its query names."""
    found = {
        name: value if isinstance(value, str) else value[-1]
        for name, value in url.query.items()
        if "pass" in name.lower() and not name.lower().endswith("file")
    }
    if url.password is not None:
        found["password"] = str(url.password)
    return {name: value for name, value in found.items() if value}
