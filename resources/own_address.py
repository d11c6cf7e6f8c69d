"""A guard in front of a web server: it answers requests to its own address and from its own pages only.

Dagster's UI and the dashboard have no password, because they listen on this machine alone. But each page that is open
in a browser here can send requests to 127.0.0.1, and a page whose owner points its name to 127.0.0.1 (DNS rebinding)
has the same origin as ours for the browser. So a request is refused with 403 unless

- its Host is a name of this server: 127.0.0.1, localhost or one of PRODUCTPULSE_ALLOWED_HOSTS;
- its Origin, when there is one, is that same host and port. Browsers send an Origin with every POST and every
  websocket, so a request without one comes from a program (curl, a script), which runs as a user of this
  machine and could send any Origin: it is answered;
- Sec-Fetch-Site, when there is one, does not name another site. A link to a page may come from anywhere.

GraphQL is not read from an address (GET): such a request could be an image of any page. No page of another
site may show ours in a frame, where it could mislead a click.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_HOSTS = ("127.0.0.1", "localhost")
HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")
GRAPHQL = "/graphql"
NO_FRAMES = {"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY"}


class OwnAddressOnly:
    """ASGI middleware that refuses, with 403, requests to other hosts and from other origins.

    `more_hosts` are names, besides 127.0.0.1 and localhost, under which a proxy shows the server; the proxy passes
    the Host header on unchanged.
    """

    def __init__(self, app: ASGIApp, more_hosts: Iterable[str]):
        self.app = app
        self.hosts = (*LOCAL_HOSTS, *more_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        reason = None if scope["type"] == "lifespan" else refusal(scope, self.hosts)
        if reason is None:
            await self.app(scope, receive, without_frames(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})  # before accepting: 403
        else:
            answer = PlainTextResponse(reason + "\n", 403, {"X-Content-Type-Options": "nosniff"})
            await answer(scope, receive, without_frames(send))


def refusal(scope: Scope, own_hosts: tuple[str, ...]) -> str | None:
    """A sentence that says why the request is refused; None if it is answered."""
    headers = Headers(scope=scope)
    hosts, origins = [[value.lower() for value in headers.getlist(name)] for name in ("host", "origin")]
    if len(hosts) != 1 or host_name(hosts[0]) not in own_hosts:
        return (
            f"Refused: the request is for {' and '.join(hosts) or 'no host'}, and this server answers to "
            f"{', '.join(own_hosts)}. A proxy's name goes into PRODUCTPULSE_ALLOWED_HOSTS."
        )
    if any(not is_own(origin, hosts[0]) for origin in origins):
        return f"Refused: the request comes from a page of {origins[0]}, not from one of {hosts[0]}."
    if scope["type"] == "websocket":
        return None
    if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_link(scope, headers):
        return "Refused: the request comes from a page of another site."
    if scope["path"] == GRAPHQL and scope["method"] != "POST" and scope["query_string"]:
        return "Refused: GraphQL is read from the body of a POST, not from an address."
    return None


def host_name(host: str) -> str | None:
    """The name in a Host header, without the port; None if the header is malformed."""
    found = HOST.fullmatch(host)
    return found[1] if found else None


def is_own(origin: str, host: str) -> bool:
    """Whether an Origin is the server's own: the host and port that the request is for."""
    return origin in (f"http://{host}", f"https://{host}")


def is_link(scope: Scope, headers: Headers) -> bool:
    """Whether the request follows a link to a page, which opens in its own tab and changes nothing."""
    wanted = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return scope["method"] == "GET" and scope["path"] != GRAPHQL and wanted == ("navigate", "document")


def without_frames(send: Send) -> Send:
    """`send`, with the headers that keep other sites from showing the answer in a frame."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in NO_FRAMES.items():
                headers.append(name, value)
        await send(message)

    return send_with_headers
