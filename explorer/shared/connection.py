"""The connection to a shared storage: opened, waited for while it is away, and its errors in the users' words."""

from __future__ import annotations

import importlib.util
import random
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage, get_storage
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from .address import FLAG, GRPC, INSTALL, PASSWORD_WAYS, Address

Result = TypeVar("Result")
PATIENCE_S = 300.0
"""How long a storage may be away before a search gives up."""
LONGEST_PAUSE_S = 30.0
CONNECT_S = 10
LOCK_S = 60
"""How long a transaction may hold others up, on the server too: a machine that vanishes in one keeps no lock."""
OPENINGS = 5
"""Two that open a new database at the same time both make its tables, and one of them stumbles."""
MOST_LETTERS = 200


@contextmanager
def open_storage(address: Address) -> Iterator[BaseStorage]:
    """Optuna's storage at an address, with its tables made if there are none, for as long as the block takes.

    Raises SpecError where nobody answers, a password or a database is wrong, or a driver is missing.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage, close = _open_proxy(address) if address.scheme == GRPC else _open_database(address)
    except SpecError:
        raise
    except Exception as error:
        raise explain(error, address) from None
    try:
        yield storage
    finally:
        close()


def _open_proxy(address: Address) -> tuple[BaseStorage, Callable[[], None]]:
    if importlib.util.find_spec("grpc") is None or importlib.util.find_spec("google.protobuf") is None:
        raise SpecError(Problem(f"grpcio is missing; {INSTALL}", FLAG))
    from optuna.storages import GrpcStorageProxy

    host, _, port = address.url.rpartition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        proxy = GrpcStorageProxy(host=host, port=int(port))
    try:
        proxy.wait_server_ready(timeout=CONNECT_S)
    except BaseException:
        proxy.close()
        raise
    return proxy, proxy.close


def _open_database(address: Address) -> tuple[BaseStorage, Callable[[], None]]:
    options: dict[str, Any] = {"connect_args": _connect_args(address)}
    for opening in range(1, OPENINGS + 1):
        try:
            # without a pool, as what stumbles leaves nobody who could close its connections
            RDBStorage(address.url, {**options, "poolclass": NullPool}).remove_session()
            break
        except (SQLAlchemyError, StorageInternalError) as error:
            if is_away(error) or opening == OPENINGS:
                raise
            time.sleep(random.random())
    storage = RDBStorage(address.url, options, skip_compatibility_check=True, skip_table_creation=True)
    return get_storage(storage), storage.engine.dispose  # which reads what has ended once


def _connect_args(address: Address) -> dict[str, Any]:
    """What a driver is told beside the address: its passwords, and how long it waits for a server that is gone."""
    if address.scheme == "sqlite":
        return {"timeout": LOCK_S}
    if "+psycopg:" not in address.url:
        return dict(address.secrets)
    waits = f"-c idle_in_transaction_session_timeout={LOCK_S}s -c lock_timeout={LOCK_S}s"
    keepalives = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
    return {"connect_timeout": CONNECT_S, "options": waits, **keepalives, **address.secrets}


def is_away(error: BaseException) -> bool:
    """Whether the same call may succeed later: nobody answers, or who answers has no answer for now."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, DBAPIError):
        return cause.connection_invalidated or isinstance(cause, OperationalError | InterfaceError)
    code = _status_of(error)
    # a proxy whose database is away answers with what has happened to itself
    return code in ("UNAVAILABLE", "DEADLINE_EXCEEDED") or (
        code == "UNKNOWN" and _AWAY.search(_said(error)) is not None
    )


_AWAY = re.compile("OperationalError|InterfaceError|raised during the commit")


def _status_of(error: BaseException) -> str:
    """The status of an error of gRPC's, which need not be installed; empty for others."""
    code = getattr(error, "code", None)
    status = code() if callable(code) else None
    return str(getattr(status, "name", ""))


def _said(error: BaseException) -> str:
    """What a driver or a server says went wrong, in one line."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
    cause = getattr(cause, "orig", None) or cause
    details = getattr(cause, "details", None)
    text = str(details() if callable(details) else cause) or type(cause).__name__
    return " ".join(text.split())


def explain(error: BaseException, address: Address) -> SpecError:
    """An error of a storage in one line without passwords, with the way out where one is known."""
    said = _said(error)
    if isinstance(error, ImportError):
        return SpecError(Problem(f"a driver for {address} is missing; {INSTALL} brings PostgreSQL's", FLAG))
    if isinstance(error, KeyError):
        return SpecError(Problem(f"the study is in {address} no longer; somebody has deleted it", FLAG, code="gone"))
    way = next((way for words, way in _WAYS if re.search(words, said)), "is it running there?")
    if not is_away(error) and not isinstance(error, ConnectionError):
        way = "is it a database that Optuna has made?"
    # conceal first: a cut could leave half a password
    message = f"{address} can't be used: {_shorten(address.conceal(said))}; {way}"
    return SpecError(Problem(message, FLAG, code="away" if is_away(error) else "unusable"))


_WAYS = (
    ("password|authentication", PASSWORD_WAYS),
    ('database "[^"]*" does not exist', "make it: createdb"),
    ('role "[^"]*" does not exist', "name a user that the server knows, as in postgresql://user@host/database"),
    ("unable to open database file", "is there such a folder, and may you write to it?"),
    ("database is locked", "SQLite is for one machine and few workers; take PostgreSQL"),
)


def _shorten(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


class Patient:
    """Makes calls to a storage, again with growing pauses while it is away."""

    def __init__(self, address: Address, told: Callable[[str], None], patience_s: float = PATIENCE_S) -> None:
        self._address, self._told, self._patience_s = address, told, patience_s

    def __call__(self, call: Callable[[], Result]) -> Result:
        """What a call returns; raises SpecError when the storage stays away, or is gone for good.

        A call that was cut off may have been heard: it must do no harm to make it twice.
        """
        began, pause_s, is_told = time.monotonic(), 0.5, False
        while True:
            try:
                result = call()
            except (StorageInternalError, SQLAlchemyError, KeyError) as error:
                failure: Exception = error
            except Exception as error:
                if not _status_of(error):
                    raise
                failure = error
            else:
                if is_told:
                    self._told(f"{self._address} is back")
                return result
            left_s = began + self._patience_s - time.monotonic()
            if not is_away(failure) or left_s <= 0:
                raise explain(failure, self._address) from None
            if not is_told:
                reason = explain(failure, self._address).problems[0].message
                self._told(f"{reason} Trying again for {self._patience_s / 60:g} minutes; nothing is lost")
                is_told = True
            # not all at the same moment, when it comes back
            time.sleep(min(pause_s * random.uniform(0.5, 1.0), max(left_s, 0.0)))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
