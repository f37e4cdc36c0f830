"""Tokens that are asked for."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs

import httpx
import pytest

from fizzbridge.errors import ConfigurationError, TargetUnavailableError
from fizzbridge.http.auth import ClientCredentials, client_credentials

TOKENS = "https://accounts.example/token"


class Vendor:
    """Gives tokens, and takes the newest only."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.given = 0
        self.asked: list[httpx.Request] = []
        self.answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            self.asked.append(request)
            if self.answers:
                return self.answers.pop(0)
            self.given += 1
            return httpx.Response(200, json={"access_token": f"t{self.given}"})
        is_newest = request.headers.get("authorization") == f"Bearer t{self.given}"
        return httpx.Response(200 if is_newest else 401)


def client(vendor: Vendor) -> httpx.Client:
    auth = ClientCredentials(TOKENS, "id", "secret", "orders stock")
    return httpx.Client(auth=auth, transport=httpx.MockTransport(vendor))


def test_a_token_is_asked_for_once_and_again_when_it_is_dead():
    vendor = Vendor()
    with client(vendor) as http:
        assert [http.get("https://shop.example/a").status_code for _ in range(2)] == [200, 200]
        assert len(vendor.asked) == 1
        vendor.given = 7
        assert http.get("https://shop.example/a").status_code == 200
    assert vendor.given == 8
    asked = vendor.asked[0]
    assert parse_qs(asked.content.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["orders stock"],
    }
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"id:secret").decode()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ConfigurationError),
        (401, ConfigurationError),
        (429, TargetUnavailableError),
        (503, TargetUnavailableError),
    ],
)
def test_no_token_says_whether_it_may_pass(status, error):
    with client(Vendor(httpx.Response(status))) as http, pytest.raises(error) as refused:
        http.get("https://shop.example/a")
    assert "secret" not in refused.value.message.replace("id, secret and scopes", "")


def test_a_secret_goes_out_by_https_only():
    with pytest.raises(ConfigurationError):
        ClientCredentials("http://accounts.example/token", "id", "secret", "")
    ClientCredentials("http://127.0.0.1:4601/token", "id", "secret", "")


def test_one_client_is_shared_by_all_calls_of_a_process():
    assert client_credentials(TOKENS, "a", "b", "c") is client_credentials(TOKENS, "a", "b", "c")
    assert client_credentials(TOKENS, "a", "b", "c") is not client_credentials(
        TOKENS, "a", "b", "d"
    )
