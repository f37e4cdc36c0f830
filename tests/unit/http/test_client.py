import socket
import threading
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge import errors
from fizzbridge.http.auth import Bearer, HeaderToken
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient, decode, encode

TIMEOUT = timedelta(seconds=5)


class Pieces(httpx.SyncByteStream):
    def __init__(self, pieces):
        self.pieces = pieces

    def __iter__(self):
        return iter(self.pieces)


def client(answer, *, base="https://vendor.example/api", auth=None, **more):
    def respond(request):
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    return VendorClient(
        platform="acme",
        base_url=base,
        auth=auth or Bearer("top-secret"),
        errors=more.pop("errors", ErrorRules()),
        timeout=more.pop("timeout", TIMEOUT),
        transport=httpx.MockTransport(respond),
        **more,
    )


def test_a_call_is_authorised_and_its_answer_read_without_floats():
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(200, json={"total": 0.1}, headers={"X-Request-Id": "r-9"})

    vendor = client(answer, auth=HeaderToken("X-Key", "k"))
    got = vendor.request(
        "GET", "/orders", params={"limit": 2}, headers={"X-Mode": "test"}, writes=False
    )
    assert str(seen[0].url) == "https://vendor.example/api/orders?limit=2"
    assert (seen[0].headers["x-key"], seen[0].headers["x-mode"]) == ("k", "test")
    assert got.data == {"total": Decimal("0.1")}
    assert isinstance(got.data["total"], Decimal)
    assert (got.status, got.request_id, vendor.calls) == (200, "r-9", 1)


def test_json_goes_out_digit_for_digit():
    bodies = []
    vendor = client(lambda request: bodies.append(request.content) or httpx.Response(204))
    vendor.post("/x", json={"a": [Decimal("1.10"), 2, True, None, "é"]}, writes=True)
    assert bodies == [b'{"a":[1.10,2,true,null,"\\u00e9"]}']
    assert vendor.get("/x").data is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10))
def test_every_decimal_survives_the_way(value):
    assert Decimal(decode(encode([value]).decode())[0]) == value


def test_what_json_does_not_have_is_refused():
    with pytest.raises(TypeError):
        encode({"price": 0.1})
    with pytest.raises(ValueError, match="NaN"):
        encode(Decimal("NaN"))
    with pytest.raises(ValueError, match="NaN"):
        decode("[NaN]")


@pytest.mark.parametrize(
    ("trouble", "read", "write"),
    [
        (httpx.ConnectError("x"), errors.TargetUnavailableError, errors.TargetUnavailableError),
        (httpx.ConnectTimeout("x"), errors.TargetUnavailableError, errors.TargetUnavailableError),
        (httpx.ReadTimeout("x"), errors.TargetUnavailableError, errors.OutcomeUnknownError),
        (httpx.ReadError("x"), errors.TargetUnavailableError, errors.OutcomeUnknownError),
        (httpx.WriteError("x"), errors.TargetUnavailableError, errors.OutcomeUnknownError),
        (httpx.RemoteProtocolError("x"), errors.TargetUnavailableError, errors.OutcomeUnknownError),
        (
            httpx.Response(200, content=b'{"a', headers={"Content-Type": "application/json"}),
            errors.TargetUnavailableError,
            errors.OutcomeUnknownError,
        ),
        (
            lambda _: httpx.Response(
                200, stream=Pieces([b"not gzip"]), headers={"Content-Encoding": "gzip"}
            ),
            errors.TargetUnavailableError,
            errors.OutcomeUnknownError,
        ),
    ],
)
def test_trouble_on_the_way_is_unknown_only_where_something_may_have_been_done(
    trouble, read, write
):
    with pytest.raises(read) as found:
        client(trouble).get("/x")
    assert type(found.value) is read
    with pytest.raises(write) as found:
        client(trouble).post("/x", json={}, writes=True)
    assert type(found.value) is write


def test_a_failures_body_need_not_be_json():
    page = httpx.Response(502, html="<h1>Bad gateway for ann@example.com</h1>")
    with pytest.raises(errors.OutcomeUnknownError) as found:
        client(page).post("/x", json={}, writes=True)
    assert found.value.message == "POST /api/x was answered 502"


def test_what_is_no_json_is_read_as_its_platform_says():
    def words(text):
        if not text.endswith("."):
            raise ValueError(text)
        return {"said": text}

    rules = ErrorRules(message_at=("said",), media="xml", decode=words)
    xml = {"Content-Type": "text/xml"}
    assert client(httpx.Response(200, text="Yes.", headers=xml), errors=rules).get("/x").data == {
        "said": "Yes."
    }
    whole = client(httpx.Response(400, text="No, Ada Lovelace.", headers=xml), errors=rules)
    with pytest.raises(errors.TargetRejectedError, match=r"No, …\.$"):
        whole.request("POST", "/x", content=b"<a/>", writes=True, shown={"name": "Ada Lovelace"})
    cut = client(httpx.Response(200, text="Ye", headers=xml), errors=rules)
    with pytest.raises(errors.OutcomeUnknownError, match="not whole"):
        cut.request("POST", "/x", content=b"<a/>", writes=True)


def test_no_write_begins_that_may_outlast_the_lease():
    vendor = client(httpx.Response(200), deadline=lambda: timedelta(seconds=4))
    with pytest.raises(errors.ConflictError):
        vendor.post("/x", json={}, writes=True)
    assert vendor.calls == 0
    vendor.get("/x")
    assert vendor.calls == 1
    client(httpx.Response(200), deadline=lambda: TIMEOUT).post("/x", json={}, writes=True)


@pytest.mark.parametrize("base", ["http://vendor.example", "ftp://vendor.example", "vendor"])
def test_only_https_leaves_this_machine(base):
    with pytest.raises(errors.ConfigurationError, match="https"):
        client(httpx.Response(200), base=base)


def test_plain_http_is_for_this_machine():
    assert client(httpx.Response(200), base="http://127.0.0.1:4601").get("/x").status == 200


@pytest.mark.parametrize(
    "link", ["https://evil.example/x", "http://vendor.example/x", "https://vendor.example:8443/x"]
)
def test_credentials_stay_on_the_connections_host(link):
    vendor = client(httpx.Response(200))
    with pytest.raises(errors.ConfigurationError, match="leaves"):
        vendor.get(link)
    assert vendor.calls == 0
    assert vendor.get("https://vendor.example/api/x?page=2").status == 200


def test_redirects_are_not_followed():
    moved = httpx.Response(302, headers={"Location": "https://evil.example/"})
    vendor = client(moved)
    with pytest.raises(errors.ConfigurationError):
        vendor.get("/x")
    assert vendor.calls == 1


def test_nothing_secret_shows():
    def refuse(request):
        return httpx.Response(
            401, json={"message": "key top-secret-0123456789abcdef0123456789 bad"}
        )

    vendor = client(refuse)
    with pytest.raises(errors.ConfigurationError) as found:
        vendor.request("GET", "/x", params={"email": "ann@example.com"}, writes=False)
    for text in (str(found.value), repr(found.value), repr(vendor), repr(Bearer("top-secret"))):
        assert "top-secret" not in text
        assert "ann" not in text


def test_a_vendor_that_quotes_us_is_not_quoted():
    says = {"message": "Ada Lovelace (my-short-key) may not have ada"}

    def refuse(request):
        return httpx.Response(422, json=says) if request.url.path.endswith("2") else OK

    vendor = client(refuse, auth=Bearer("my-short-key"))
    vendor.post("/1", json={"name": "Ada Lovelace"}, writes=True)
    with pytest.raises(errors.TargetRejectedError) as found:
        vendor.post("/2", json={}, writes=True)
    assert found.value.message == "POST /api/2 was answered 422: … (…) may not have ada"
    assert vendor.clean("Ada Lovelace") == "…"


OK = httpx.Response(200)


@pytest.fixture
def server():
    asked_from = []
    release = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked_from.append(self.client_address[1])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_POST(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            try:
                while not release.wait(0.02):
                    self.wfile.write(b" ")
            except OSError:
                self.close_connection = True

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield asked_from, f"http://127.0.0.1:{listening.server_port}"
        release.set()
        listening.shutdown()
        thread.join()


def real(base, timeout, transport=None):
    return VendorClient(
        platform="acme",
        base_url=base,
        auth=Bearer("t"),
        errors=ErrorRules(),
        timeout=timeout,
        transport=transport,
    )


def test_a_trickle_runs_out_of_time_as_a_whole(server):
    _, base = server
    with (
        httpx.HTTPTransport() as transport,
        pytest.raises(errors.OutcomeUnknownError, match="too long"),
    ):
        real(base, timedelta(seconds=0.2), transport).post("/x", json={}, writes=True)


def test_idle_connections_are_used_again_by_the_next_client(server):
    asked_from, base = server
    with httpx.HTTPTransport() as transport:
        real(base, TIMEOUT, transport).get("/x")
        real(base, TIMEOUT, transport).get("/x")
    assert len(set(asked_from)) == 1
    assert len(asked_from) == 2


def test_a_refused_connection_changed_nothing():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(errors.TargetUnavailableError):
            real(f"http://127.0.0.1:{free.getsockname()[1]}", TIMEOUT).post(
                "/x", json={}, writes=True
            )
