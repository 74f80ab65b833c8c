"""Optuna's gRPC proxy before a database: `python -m explorer.proxy --storage …`, for hundreds of workers."""

from __future__ import annotations

if __name__ == "__main__":
    # before anything slow is imported, and never past this line: the command imports this module by its name
    from .entry import start

    start("explorer.proxy_command")

import importlib.util
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from .shared.address import GRPC, INSTALL
from .shared.sharing import Sharing

THREADS = 10
"""Calls that are answered at the same time, each over a connection to the database of its own."""
MOST_PORTS = 65_535
GRACE_S = 5.0
"""What calls that are being answered may take when the proxy ends."""


@contextmanager
def running_proxy(sharing: Sharing, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Answer for a database on a port of this machine, any free one for 0, for as long as the block takes; the port.

    Whoever reaches the port can read and write every study: it asks for no password. Raises SpecError where grpcio is
    missing, the database can't be used or the port is taken.
    """
    if sharing.address.scheme == GRPC:
        raise SpecError(Problem(f"{sharing.address} is a proxy; name the database", "--storage"))
    if not 0 <= port <= MOST_PORTS:
        raise SpecError(Problem(f"{port} is no port; give one from 0 to {MOST_PORTS}", "--port"))
    if importlib.util.find_spec("grpc") is None or importlib.util.find_spec("google.protobuf") is None:
        raise SpecError(Problem(f"a proxy needs grpcio; {INSTALL}", "--storage"))
    import grpc
    from optuna.storages._grpc.auto_generated import api_pb2_grpc
    from optuna.storages._grpc.servicer import OptunaStorageProxyService

    from .shared.connection import open_storage

    logging.getLogger("grpc").addFilter(_one_line)
    logging.getLogger("grpc._server").addFilter(_one_line)
    # the threads end before the connections that they use
    with open_storage(sharing.address) as storage, ThreadPoolExecutor(max_workers=THREADS) as threads:
        # Optuna's own make_server neither says which port it was given nor that it was taken
        server = grpc.server(threads, options=[("grpc.so_reuseport", 0)])
        service = OptunaStorageProxyService(storage)
        api_pb2_grpc.add_StorageServiceServicer_to_server(service, server)  # type: ignore[no-untyped-call]
        try:
            bound = server.add_insecure_port(f"{host}:{port}")
        except RuntimeError:
            message = f"{host}:{port} can't be listened on: another program does, or it is no address of this machine"
            raise SpecError(Problem(message, "--port")) from None
        server.start()
        try:
            yield bound
        finally:
            server.stop(GRACE_S).wait()


def _one_line(record: logging.LogRecord) -> bool:
    """Leave the traceback out of what gRPC logs: the caller is told what went wrong, and waits for it to end."""
    record.exc_info = None
    return True
