"""Who may talk to the page: this machine's own browser, or whoever has the token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "hiri_spec_studio"
UNFRAMED = [(b"x-frame-options", b"DENY"), (b"content-security-policy", b"frame-ancestors 'none'")]
LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")


class Gate:
    """Middleware that lets in requests which the page itself makes, and no other.

    Another page in the same browser can reach this machine's ports: by its own name that leads here (refused by the
    `Host` header, where no token is asked for) or as it is (refused by the `Origin` header). With a token, the address
    that was printed sets a cookie, which every request must have then. Cookies know no ports, so its name has it.
    """

    def __init__(self, app: Application, token: str | None, port: int) -> None:
        self._application = app
        self._token = token
        self._cookie = f"{COOKIE}_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(headers)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if refusal is None and self._token is not None:
            if scope["type"] == "http" and self._is_token(dict(query).get("token", "")):
                await _send(send, 303, self._welcome(scope["path"], query), "")
                return
            if not self._is_token(_cookies(headers).get(self._cookie, "")):
                refusal = "the token is missing or wrong; open the address that hiri-spec studio printed"
        if refusal is None:
            await self._application(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _send(send, 403, [("content-type", "text/plain; charset=utf-8")], f"error: {refusal}\n")

    def _refusal(self, headers: dict[str, str]) -> str | None:
        host = headers.get("host", "")
        if self._token is None and _name(host) not in LOCAL_NAMES:
            return f"this page is for this machine alone, not for {host or 'a request without a host'!r}"
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return f"another page may not use this one: {origin}"
        return None

    def _is_token(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())

    def _welcome(self, path: str, query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """The same address without the token, so that no copy of it or bookmark has that."""
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Lax"
        # a path of two slashes would be another host's name
        return [("location", f"/{path.lstrip('/')}" + (f"?{rest}" if rest else "")), ("set-cookie", cookie)]


def _unframed(send: Send) -> Send:
    """What sends answers that no other page can show inside of itself."""

    async def send_unframed(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *UNFRAMED]
        await send(message)

    return send_unframed


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _cookies(headers: dict[str, str]) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


async def _send(send: Send, status: int, headers: Iterable[tuple[str, str]], body: str) -> None:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body.encode()})
