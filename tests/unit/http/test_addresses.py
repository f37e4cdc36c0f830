"""Where calls may go: by the text of an address, and by what its name resolves to."""

from __future__ import annotations

import ipaddress
import socket
import threading

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.addresses import is_public, own_addresses, problem
from fizzbridge.http.connecting import GuardedTransport, PublicOnly

GOOD = [
    "https://fizz-depot.myshopify.com",
    "https://api.xero.com/api.xro/2.0",
    "https://erp.example:8443/api",
    "https://ERP.Example/",
    "https://erp.example./api",
    "https://xn--bcher-kva.example",
    "https://8.8.8.8/api",
    "https://[2606:4700::1111]/",
]
EVIL = [
    "https://127.0.0.2",
    "https://0.0.0.0",
    "https://10.1.2.3",
    "https://172.16.0.1",
    "https://192.168.1.1:8443/api",
    "https://100.64.0.1",
    "https://169.254.169.254/latest/meta-data",
    "https://169.254.169.254./",
    "https://224.0.0.1",
    "https://240.0.0.1",
    "https://255.255.255.255",
    "https://2130706433",
    "https://2852039166/latest",
    "https://0x7f000001",
    "https://0x7f.1",
    "https://0177.0.0.1",
    "https://127.1",
    "https://[::]",
    "https://[fe80::1]",
    "https://[fe80::1%25eth0]",
    "https://[fd00:ec2::254]/latest",
    "https://[::ffff:169.254.169.254]",
    "https://[::ffff:7f00:1]",
    "https://[64:ff9b::a9fe:a9fe]",
    "https://[2002:a9fe:a9fe::]",
    "https://[2001:0:a9fe:a9fe::]",
    "https://[ff02::1]",
    "https://[::127.0.0.1]",
    "https://db",
    "https://metadata.google.internal/",
    "https://printer.local",
    "https://any.localhost",
    "https://nas.home.arpa",
    "https://\uff11\uff12\uff17.0.0.1",
    "https://\u2460\u2461\u2466.0.0.1",
    "https://vendor\u3002example",
    "https://%31%32%37.0.0.1",
    "https://vendor.example\\@evil.example",
    "https://vendor.example\t.evil.example",
    "https://vendor.example /",
    "https://vendor.example/\r\nHost: evil.example",
    "https://vendor.example:0x50",
    "https://vendor.example:99999",
    "https://user@vendor.example",
    "https://user:hunter2@vendor.example",
    "https://@vendor.example",
    "https://vendor.example?next=x",
    "https://vendor.example#x",
    "https://-vendor.example",
    "https://vendor..example",
    "https://[vendor.example]",
    "https://",
    "https:vendor.example",
    "//vendor.example",
    "vendor.example",
    "http://vendor.example",
    "http://10.0.0.1",
    "ftp://vendor.example",
    "file:///etc/passwd",
    "gopher://vendor.example",
    "javascript:alert(1)",
    "",
]
HERE = [
    "http://localhost:4601",
    "http://127.0.0.1:4601",
    "http://[::1]:1",
    "https://localhost",
    "https://127.0.0.1.",
]


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("address", GOOD)
def test_a_vendors_address_is_good_in_every_stage(address, local):
    assert problem(address, local=local) is None


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("address", EVIL)
def test_an_address_inside_or_in_disguise_is_good_in_no_stage(address, local):
    said = problem(address, local=local)
    assert said
    assert "hunter2" not in said


@pytest.mark.parametrize("address", HERE)
def test_this_machine_is_for_the_local_stage(address):
    assert problem(address, local=True) is None
    assert problem(address, local=False)


@given(st.text(max_size=60))
def test_any_text_is_judged_and_never_breaks(text):
    said = problem(f"https://{text}", local=False)
    assert said is None or isinstance(said, str)


@given(st.ip_addresses(v=4))
def test_however_an_ipv4_address_is_wrapped_it_is_as_public_as_it_is(address):
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    nat64 = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) + int(address))
    assert is_public(mapped) is is_public(nat64) is is_public(address)
    if address.is_private or address.is_loopback or address.is_link_local:
        assert not is_public(address)


def test_every_address_a_connection_names_is_looked_at():
    settings = {"company": "7", "token_url": "10.0.0.1", "b2b": "https://x.example", "n": 3}
    assert list(own_addresses("https://a.example", settings)) == [
        ("base_url", "https://a.example"),
        ("settings.token_url", "10.0.0.1"),
        ("settings.b2b", "https://x.example"),
    ]


# -- what a name resolves to -----------------------------------------------------------------------


@pytest.fixture
def listening():
    """Somebody inside who counts who knocks."""
    knocked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def answer():
            while not stop.is_set():
                try:
                    line, _ = server.accept()
                except TimeoutError:
                    continue
                knocked.append(line.recv(10_000))
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                line.close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1], knocked
        stop.set()
        thread.join()


def resolving(*addresses):
    def resolve(host, port, **_):
        del host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return resolve


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["10.0.0.1"]],
    ids=" ".join,
)
def test_a_name_that_resolves_inside_is_not_connected_to(listening, addresses):
    port, knocked = listening
    for to_loopback in (False, True):
        guard = PublicOnly(to_loopback=to_loopback, resolve=resolving(*addresses))
        with pytest.raises(ConfigurationError, match="inside a network"):
            guard.connect_tcp("vendor.example", port, timeout=1)
    assert knocked == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "127.1"])
def test_every_spelling_of_this_machine_is_refused_by_what_it_resolves_to(listening, host):
    port, knocked = listening
    with pytest.raises(ConfigurationError, match="inside a network"):
        PublicOnly().connect_tcp(host, port, timeout=1)
    assert knocked == []


def test_a_name_is_asked_for_once_and_what_was_checked_is_connected_to(listening):
    port, _ = listening
    asked = []

    def resolve(host, port, **more):
        asked.append(host)
        return resolving("127.0.0.1" if len(asked) == 1 else "10.0.0.1")(host, port, **more)

    guard = PublicOnly(to_loopback=True, resolve=resolve)
    stream = guard.connect_tcp("localhost", port, timeout=1)
    assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
    assert asked == ["localhost"]
    stream.close()


def test_a_name_without_an_address_is_a_failed_connect():
    def resolve(host, port, **_):
        raise socket.gaierror(f"{host}:{port}")

    with pytest.raises(httpcore.ConnectError):
        PublicOnly(resolve=resolve).connect_tcp("vendor.example", 443)
    with pytest.raises(httpcore.ConnectError):
        PublicOnly(resolve=resolving()).connect_tcp("vendor.example", 443)


def test_the_guard_is_in_every_pool(listening):
    port, knocked = listening
    with (
        GuardedTransport(to_loopback=False) as pool,
        httpx.Client(transport=pool) as http,
        pytest.raises(ConfigurationError, match="inside a network"),
    ):
        http.get(f"http://localhost:{port}/", headers={"Authorization": "Bearer canary"})
    assert knocked == []
    with GuardedTransport(to_loopback=True) as pool, httpx.Client(transport=pool) as http:
        assert http.get(f"http://127.0.0.1:{port}/").status_code == 200
    assert len(knocked) == 1
