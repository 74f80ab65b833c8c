"""The proxy before a database."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sharing import command
from signals import signal_another_thread

from explorer.proxy import running_proxy
from explorer.shared.sharing import Sharing, read_sharing
from explorer.worker import work
from hiri_spec import SpecError


def sharing_of(address: str) -> Sharing:
    sharing = read_sharing(address)
    assert sharing is not None
    return sharing


@pytest.mark.parametrize("send", [subprocess.Popen.send_signal, signal_another_thread], ids=["main", "gRPC's thread"])
@pytest.mark.parametrize(("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_the_command(
    sqlite: str, sign: signal.Signals, status: int, send: Callable[[subprocess.Popen[str], signal.Signals], None]
) -> None:
    with command("proxy", "--storage", sqlite, "--port", "0") as process:
        assert process.stderr is not None
        listening, join = process.stderr.readline(), process.stderr.readline()
        found = re.search(r"--storage (grpc://127.0.0.1:\d+)$", join)
        assert f"{sqlite} is answered for on 127.0.0.1:" in listening
        assert found is not None
        with pytest.raises(SpecError, match=f"{found[1]} holds no search"):
            work(found[1])
        send(process, sign)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (status, "")
    assert "Traceback" not in err


def test_a_port_that_is_taken(sqlite: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(SpecError, match=f"--port: 127.0.0.1:{port} can't be listened on"),
            running_proxy(sharing_of(sqlite), port=port),
        ):
            pass


@pytest.mark.parametrize(
    ("address", "port", "told"),
    [
        ("grpc://host:1", 0, "--storage: grpc://host:1 is a proxy; name the database"),
        ("sqlite:///x.db", 70_000, "--port: 70000 is no port; give one from 0 to 65535"),
    ],
)
def test_what_is_refused(address: str, port: int, told: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=told), running_proxy(sharing_of(address), port=port):
        pass
