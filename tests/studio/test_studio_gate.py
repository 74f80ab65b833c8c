"""Only the page's own requests get through, with a token only those that have it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from studio.gate import Gate

TOKEN = "s3cret"


async def page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the page"})


def ask(gate: Gate, *, kind: str = "http", path: str = "/", query: str = "", **headers: str) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(gate(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({"host": "127.0.0.1:8448"}, 200, "the page"),
        ({"host": "localhost:8448"}, 200, "the page"),
        ({"host": "[::1]:8448"}, 200, "the page"),
        ({"host": "127.0.0.1:8448", "origin": "http://127.0.0.1:8448"}, 200, "the page"),
        ({"host": "127.0.0.1:8448", "origin": "http://127.0.0.1:9999"}, 403, "another page may not use this one"),
        ({"host": "127.0.0.1:8448", "origin": "https://example.org"}, 403, "another page may not use this one"),
        ({"host": "127.0.0.1:8448", "origin": "null"}, 403, "another page may not use this one"),
        ({"host": "rebound.example.org:8448"}, 403, "for this machine alone"),
        ({"host": "127.0.0.1:8448", "origin": "http://["}, 403, "another page may not use this one"),
        ({"host": "[bad"}, 403, "for this machine alone"),
        ({}, 403, "for this machine alone"),
    ],
    ids=[
        "address",
        "name",
        "ipv6",
        "itself",
        "other-port",
        "other-site",
        "sandboxed",
        "rebound",
        "damaged-origin",
        "damaged",
        "no-host",
    ],
)
def test_on_this_machine(headers: dict[str, str], status: int, told: str) -> None:
    sent = ask(Gate(page, None, 8448), **headers)
    assert sent[0]["status"] == status
    assert told in sent[1]["body"].decode()


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_without_the_token_nothing_is_answered(kind: str) -> None:
    sent = ask(Gate(page, TOKEN, 8448), kind=kind, host="10.0.0.7:8448", cookie="hiri_spec_studio_8448=wrong")
    if kind == "websocket":
        assert sent == [{"type": "websocket.close", "code": 1008}]
    else:
        assert sent[0]["status"] == 403
        assert "open the address that hiri-spec studio printed" in sent[1]["body"].decode()


def test_the_address_with_the_token_sets_the_cookie() -> None:
    gate = Gate(page, TOKEN, 8448)
    sent = ask(gate, query=f"file=a.yaml&token={TOKEN}", host="10.0.0.7:8448")
    headers = dict(sent[0]["headers"])
    assert sent[0]["status"] == 303
    assert headers[b"location"] == b"/?file=a.yaml"
    cookie = headers[b"set-cookie"].decode()
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ask(gate, host="10.0.0.7:8448", cookie=cookie.partition(";")[0])[0]["status"] == 200
    assert ask(gate, kind="websocket", host="10.0.0.7:8448", cookie=cookie.partition(";")[0])[0]["status"] == 200


def test_no_other_page_shows_it_inside() -> None:
    sent = ask(Gate(page, None, 8448), host="127.0.0.1:8448")
    assert (b"x-frame-options", b"DENY") in sent[0]["headers"]
    assert (b"content-security-policy", b"frame-ancestors 'none'") in sent[0]["headers"]


def test_a_wrong_token_sets_none() -> None:
    sent = ask(Gate(page, TOKEN, 8448), query="token=wrong", host="10.0.0.7:8448")
    assert sent[0]["status"] == 403


def test_the_way_on_stays_on_this_host() -> None:
    sent = ask(Gate(page, TOKEN, 8448), path="//example.org/", query=f"token={TOKEN}", host="10.0.0.7:8448")
    assert dict(sent[0]["headers"])[b"location"] == b"/example.org/"
