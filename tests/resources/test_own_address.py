"""Who is answered and who is refused by the guard in front of the servers, request by request."""

import asyncio

import pytest

from resources.own_address import OwnAddressOnly

OWN = {"host": "127.0.0.1:3000"}
EVIL = "http://evil.example"
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


async def pages(scope, receive, send):
    """A server that answers every request."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-security-policy", b"x")]})
        await send({"type": "http.response.body", "body": b"a page"})


def ask(
    headers: dict[str, str] | list[tuple[str, str]], method="GET", path="/", query="", proxy=(), kind="http"
) -> list:
    """What the guard sends to somebody who asks."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {"type": kind, "method": method, "path": path, "query_string": query.encode()}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in pairs]
    if kind == "websocket":
        del scope["method"]
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(OwnAddressOnly(pages, proxy)(scope, None, send))
    return sent


def status(*given, **more) -> int:
    return ask(*given, **more)[0]["status"]


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "localhost:8888"])
def test_its_own_hosts_are_answered(host):
    assert status({"host": host}) == 200
    same = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    assert status(same, "POST", "/graphql") == 200
    assert ask(same, path="/graphql", kind="websocket") == [{"type": "websocket.accept"}]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::1", "*"]
)
def test_another_host_is_refused_as_a_rebound_name_would_be(host):
    assert status({"host": host}) == 403
    assert status({"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}, "POST") == 403
    assert ask({"host": host}, kind="websocket")[0]["type"] == "websocket.close"


def test_no_host_and_two_hosts_are_refused():
    assert status({}) == 403
    assert status([("host", "localhost"), ("host", "evil.example")]) == 403


@pytest.mark.parametrize(
    "origin",
    [EVIL, "null", "http://localhost:3000", "http://127.0.0.1:8501", "http://127.0.0.1", "file://", "http://127.0.0.1:3000.evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_another_origin_is_refused_even_of_this_machine(origin, method):
    assert status(OWN | {"origin": origin}, method, "/graphql") == 403
    assert ask(OWN | {"origin": origin}, path="/graphql", kind="websocket")[0]["type"] == "websocket.close"


def test_a_second_origin_does_not_hide_behind_the_first():
    assert status([("host", "localhost"), ("origin", "http://localhost"), ("origin", EVIL)], "POST") == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_page_of_another_site_embeds_or_posts_is_refused(site):
    for method in ("GET", "HEAD", "POST"):
        assert status(OWN | {"sec-fetch-site": site}, method) == 403
    image = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    frame = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    form = LINK | {"sec-fetch-site": site}
    assert (status(OWN | image), status(OWN | frame), status(OWN | form, "POST")) == (403, 403, 403)


def test_a_link_to_a_page_may_come_from_anywhere_but_not_one_to_graphql():
    assert status(OWN | LINK, path="/runs") == 200
    assert status(OWN | LINK, path="/graphql") == 403


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_graphql_is_not_read_from_an_address(site):
    headers = OWN | ({"sec-fetch-site": site} if site else {})
    assert status(headers, path="/graphql", query="query=mutation{x}") == 403
    assert status(headers, "HEAD", "/graphql", query="query=mutation{x}") == 403
    assert status(headers, "POST", "/graphql") == 200


def test_a_program_without_an_origin_is_answered():
    assert status(OWN, "POST", "/graphql") == 200
    assert ask(OWN, path="/graphql", kind="websocket") == [{"type": "websocket.accept"}]


def test_a_refusal_says_what_was_found_and_what_to_do():
    start, body = ask({"host": "evil.example"})
    assert body["body"].decode() == (
        "Refused: the request is for evil.example, and this server answers to 127.0.0.1, localhost. "
        "A proxy's name goes into PRODUCTPULSE_ALLOWED_HOSTS.\n"
    )
    assert (b"content-type", b"text/plain; charset=utf-8") in start["headers"]


def test_no_answer_can_be_framed_and_other_policies_stay():
    for headers in (OWN, {"host": "evil.example"}):
        sent = ask(headers)[0]["headers"]
        assert (b"content-security-policy", b"frame-ancestors 'none'") in sent
        assert (b"x-frame-options", b"DENY") in sent
    assert (b"content-security-policy", b"x") in ask(OWN)[0]["headers"]


def test_a_proxy_is_answered_under_its_name():
    proxied = {"host": "pulse.example.com", "origin": "https://pulse.example.com"}
    assert status(proxied, "POST") == 403
    assert status(proxied, "POST", proxy=("pulse.example.com",)) == 200
    assert status(proxied | {"origin": EVIL}, "POST", proxy=("pulse.example.com",)) == 403
    assert status({"host": "evil.example"}, proxy=("pulse.example.com",)) == 403
