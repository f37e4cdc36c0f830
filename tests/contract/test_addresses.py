"""No answer of a vendor leads us elsewhere, whatever links and redirects are in it."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from fizzbridge.errors import ConfigurationError, FizzbridgeError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.tokens import RotatingToken
from fizzbridge.settings import Connection
from tests.kit.between import BOOKED, MANIFESTS, READ, Read, own_origins, told
from tests.kit.clock import START, Clock
from tests.kit.house import order_ref
from tests.kit.source import EVENTS
from tests.kit.target import adapter, facts

REDIRECTS = (301, 302, 303, 307, 308)
NEXT = ("@odata.nextLink", "next", "nextLink", "next_page", "nextPageUrl", "href", "links", "url")
"""Where pages of one vendor or another name the next one."""


def elsewhere(own):
    """Addresses that are not the vendor's: near misses first, then what is inside a network."""
    host = own.host
    return [
        f"https://evil.example/{host}",
        f"https://evil-{host}/api",
        f"https://evil.{host}/api",
        f"https://{host}.evil.example/api",
        f"https://{host}@evil.example/api",
        f"https://anybody@{host}/api",
        f"https://{host}:8443/api",
        f"http://{host}/api",
        f"ftp://{host}/api",
        f"https://{host}./api",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/latest/meta-data/",
        "https://[::ffff:169.254.169.254]/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0251.0376.0251.0376/",
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "https://localhost/",
        "https://[::1]/",
        "https://10.0.0.1/",
    ]


class Nobody(httpx.BaseTransport):
    """A vendor that answers every request with a page; what is asked, it keeps."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda _: httpx.Response(200, json={}))
        self.seen = []

    def handle_request(self, request):
        self.seen.append(request)
        return self.answer(request)


def connection_of(platform):
    path = EVENTS / platform / "source.json"
    shown = facts(platform) or json.loads(path.read_text(encoding="utf-8"))
    connection = Connection(
        name="vendor",
        platform=platform,
        base_url=shown["base_url"],
        start_at=START,
        settings=shown["settings"],
    )
    return connection, shown["secret"]


def client(platform, transport, errors=None):
    """A client as the runtime makes one, without what its adapter wraps around it."""
    connection, secret = connection_of(platform)
    read = Read(platform)
    pull = read.adapter
    auth = pull.auth(secret, connection)
    if isinstance(auth, RotatingToken):
        auth.share(read.rows, "vendor", Clock())
    return VendorClient(
        platform=platform,
        base_url=connection.base_url,
        auth=auth,
        errors=pull.errors,
        timeout=timedelta(seconds=5),
        transport=transport,
    )


@pytest.mark.parametrize("platform", READ)
def test_a_link_to_anywhere_else_is_refused(platform, record_property):
    nobody = Nobody()
    vendor = client(platform, nobody)
    links = elsewhere(httpx.URL(connection_of(platform)[0].base_url))
    for link in links:
        with pytest.raises(ConfigurationError):
            vendor.get(link)
        assert nobody.seen == [], link
    record_property("links", str(len(links)))


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("platform", READ)
def test_a_redirect_is_not_followed(platform, status):
    """Neither one of a page nor one of the place tokens are asked for."""
    connection, secret = connection_of(platform)
    (evil, *_) = elsewhere(httpx.URL(connection.base_url))
    nobody = Nobody(lambda _: httpx.Response(status, headers={"Location": evil}))
    with pytest.raises(FizzbridgeError):
        client(platform, nobody).get("/orders")
    assert len(nobody.seen) == 1
    assert nobody.seen[0].url.host != "evil.example"
    del secret


def leading(own, link):
    """Answers as the vendor's, with every place that may name another page naming this one."""

    def changed(value):
        if isinstance(value, dict):
            kept = {key: changed(one) for key, one in value.items()}
            return kept | {key: link for key in NEXT if isinstance(kept.get(key), str)}
        if isinstance(value, list):
            return [changed(one) for one in value]
        if isinstance(value, str) and value.startswith(own):
            return link
        return value

    def spoil(request, response):
        del request
        headers = [(k, v) for k, v in response.headers.multi_items() if k != "content-length"]
        headers += [("Link", f'<{link}>; rel="next"'), ("Location", link), ("Refresh", link)]
        body = response.content
        try:
            shown = json.loads(body)
        except ValueError:
            body = body.replace(own.encode(), link.encode())
        else:
            shown = changed(shown)
            if isinstance(shown, dict):
                shown |= {"@odata.nextLink": link}
            body = json.dumps(shown).encode()
        return httpx.Response(response.status_code, headers=headers, content=body)

    return spoil


def stays(between, platform, secret):
    """Everything went where the connection's file says, and nothing secret to anywhere else."""
    allowed = own_origins(platform)
    assert between.seen
    for request in between.seen:
        if str(request.url.copy_with(path="/", query=None)) in allowed:
            continue
        shown = f"{request.url}{request.headers}{request.content!r}"
        assert not [one for one in secret.values() if one in shown]
    assert between.hosts() <= allowed


@pytest.mark.parametrize("platform", READ)
def test_whatever_pages_name_a_poll_stays_at_its_vendor(platform, record_property):
    own = httpx.URL(connection_of(platform)[0].base_url)
    tried = 0
    for link in ("https://evil.example/x", f"https://evil-{own.host}/x", "http://169.254.169.254/"):
        read = Read(platform)
        read.between.spoil = leading(f"https://{own.host}", link)
        for stream in read.streams:
            read.poll(stream)
            tried += 1
        stays(read.between, platform, read.secret)
    record_property("polls", str(tried))


@pytest.mark.parametrize("platform", BOOKED)
def test_whatever_answers_name_a_write_stays_at_its_vendor(platform):
    own = httpx.URL(facts(platform)["base_url"])
    house = told(platform)
    house.transport.spoil = leading(f"https://{own.host}", "https://evil.example/x")
    for _ in range(3):
        house.converge.run(order_ref(), "run")
        house.clock.advance(400)
    stays(house.transport, platform, house.secret)


def test_the_next_page_of_a_list_is_refused_where_it_is_elsewhere():
    """The one platform whose pages name the next by its address, to the end."""
    platform = "business_central"
    read = Read(platform)
    read.between.spoil = leading("https://erp.example", "https://evil.example/x")
    assert read.poll("customers") is not None
    assert read.breaker().name == "open"
    assert "evil.example" not in read.between.hosts()


def test_every_platform_is_read_or_told():
    assert {*READ, *BOOKED} == set(MANIFESTS)
    assert all(adapter(one).platform == one for one in BOOKED)
