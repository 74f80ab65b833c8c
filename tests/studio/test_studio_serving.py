"""The studio's server as a process: where it listens, whom it answers, and how it ends."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from studios import IN_BROWSER, MOST_SECONDS, ROOT, SPEC, Seen, Studio, start_studio
from told import Command

from hiri_spec.commands import extras

pytestmark = IN_BROWSER

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "mine.yaml").write_text(SPEC)
    return folder


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Studio]]:
    """Starts studios that end with the test."""
    started: list[Studio] = []

    def start(*arguments: str, **options: str) -> Studio:
        started.append(start_studio(folder, *arguments, **options))
        return started[-1]

    yield start
    for studio in started:
        if studio.process.poll() is None:
            studio.end()


def asked(address: str, path: str, *, method: str = "GET", **headers: str) -> int:
    """The status of the answer to a request of this machine's own."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection("127.0.0.1", place.port or 0, timeout=MOST_SECONDS)
    try:
        connection.request(method, path, headers={"Host": place.netloc, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


def test_other_machines_need_the_token(start: Callable[..., Studio], visit: Callable[..., Seen]) -> None:
    studio = start("mine.yaml", "--host", "0.0.0.0")
    query = urlsplit(studio.address).query
    token = dict(part.split("=", 1) for part in query.split("&"))["token"]
    assert len(token) >= 32
    assert asked(studio.address, "/") == 403
    assert asked(studio.address, "/?token=wrong") == 403
    assert asked(studio.address, "/studio/editor.js") == 403
    assert asked(studio.address, "/studio-completions", method="POST") == 403
    assert asked(studio.address, SOCKET, **UPGRADE) == 403
    assert asked(studio.address, f"/?token={token}") == 303
    port = urlsplit(studio.address).port
    with_cookie = {"Cookie": f"hiri_spec_studio_{port}={token}"}
    assert asked(studio.address, "/", **with_cookie) == 200
    assert asked(studio.address, SOCKET, **UPGRADE, **with_cookie) == 101
    local = studio.address.replace(urlsplit(studio.address).netloc, f"127.0.0.1:{port}")
    studio.address = local
    seen = visit(f"?file=mine.yaml&token={token}", at=studio)
    assert "token" not in seen.page.url
    assert seen.text == SPEC
    seen.type_at_line(4, "_mine")
    seen.page.get_by_text("changed").wait_for()
    seen.check()


def test_this_machine_alone_is_answered(start: Callable[..., Studio]) -> None:
    studio = start("mine.yaml")
    assert studio.address.startswith("http://127.0.0.1:")
    assert "token" not in studio.address
    assert asked(studio.address, "/") == 200
    assert asked(studio.address, "/", Host="rebound.example.org") == 403
    assert asked(studio.address, SOCKET, **UPGRADE) == 101
    assert asked(studio.address, SOCKET, **UPGRADE, Origin="https://example.org") == 403
    assert asked(studio.address, "/studio-completions", method="POST", Origin="null") == 403
    with socket.socket() as other:  # another address of the same machine
        other.settimeout(2)
        with pytest.raises(OSError, match="refused"):
            other.connect(("127.0.0.2", urlsplit(studio.address).port))


def test_a_second_one_takes_the_next_port(start: Callable[..., Studio]) -> None:
    first, second = start("mine.yaml", port=None), start("mine.yaml", port=None)
    ports = [urlsplit(studio.address).port or 0 for studio in (first, second)]
    assert ports[1] > ports[0] >= 8448
    for studio in (first, second):
        assert asked(studio.address, "/") == 200


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "taken"], "--port: 127.0.0.1:{port} can't be listened at: Address already in use; name another"),
        (["--port", "70000"], "--port: 70000 is no port; use 1024 to 65535"),
        (["--port", "many"], "Invalid value for '--port'"),
        (["--host", "no.such.host.invalid"], "--host: 'no.such.host.invalid' is no address of this machine"),
        (["--host", "192.0.2.1", "--port", "0"], "192.0.2.1:0 can't be listened at"),
        (["no.yaml"], "no.yaml"),
        (["--port", "0", "mine.yaml", "other.yaml"], "unexpected extra argument"),
    ],
    ids=["taken", "too large", "letters", "unknown host", "another machine", "no file", "two files"],
)
def test_mistakes_on_the_command_line(folder: Path, arguments: list[str], told: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = [port if word == "taken" else word for word in arguments]
        command = [sys.executable, "-m", "hiri_spec", "studio", *words, "--no-browser"]
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=3 * MOST_SECONDS
        )
    assert result.returncode == 2
    assert told.format(port=port) in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
@pytest.mark.parametrize("is_looked_at", [False, True], ids=["alone", "with a page"])
def test_it_ends_without_a_word(
    start: Callable[..., Studio], visit: Callable[..., Seen], folder: Path, kind: signal.Signals, is_looked_at: bool
) -> None:
    studio = start("mine.yaml")
    if is_looked_at:
        visit("?file=mine.yaml", at=studio)
    studio.process.send_signal(kind)
    status = studio.process.wait(MOST_SECONDS)
    assert status in (128 + kind, -kind)
    told = (folder.parent / f"{folder.name}-studio.log").read_text().splitlines()
    assert len(told) == 1
    assert told[0].endswith("; Ctrl-C ends it")


def test_without_the_extra_it_says_what_to_install(
    hiri_spec_command: Command, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    told = hiri_spec_command("studio", str(folder / "mine.yaml"))
    assert told.status == 2
    assert "hiri-spec[studio]" in told.err
    assert "Traceback" not in told.err
