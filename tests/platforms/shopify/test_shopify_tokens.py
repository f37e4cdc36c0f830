from datetime import timedelta

import httpx
import pytest

from fizzbridge.errors import ConfigurationError, TargetUnavailableError
from fizzbridge.http.client import VendorClient
from platforms.shopify.pull import ShopifyPull
from platforms.shopify.sandbox import make
from platforms.shopify.tokens import ClientCredentials, client_credentials
from sandbox.faults import Fault
from tests.kit.transport import SandboxTransport

SEED = {
    "shop": "fizz.myshopify.com",
    "access_tokens": {"seeded": ["read_orders"]},
    "client_id": "app-1",
    "client_secrets": ["app-secret-1"],
}
ASK = {"query": "{ shop { name } }"}


def vendor(sandbox, auth) -> tuple[VendorClient, SandboxTransport]:
    transport = SandboxTransport(sandbox.app)
    client = VendorClient(
        platform="shopify",
        base_url="https://fizz.myshopify.com",
        auth=auth,
        errors=ShopifyPull.errors,
        timeout=timedelta(seconds=5),
        transport=transport,
    )
    return client, transport


def ask(client: VendorClient):
    path = "/admin/api/2026-10/graphql.json"
    return client.post(path, json=ASK, writes=False).data


def paths(transport: SandboxTransport) -> list[str]:
    return [request.url.path.rsplit("/", 1)[1] for request in transport.requests]


def test_one_token_serves_many_calls():
    client, transport = vendor(make(SEED), ClientCredentials("app-1", "app-secret-1"))
    assert ask(client)["data"]["shop"]["name"]
    ask(client)
    assert paths(transport) == ["access_token", "graphql.json", "graphql.json"]
    assert client.calls == 3


def test_an_expired_token_is_asked_for_again_once():
    sandbox = make(SEED)
    client, transport = vendor(sandbox, ClientCredentials("app-1", "app-secret-1"))
    ask(client)
    sandbox.expire_tokens()
    assert ask(client)["data"]["shop"]["name"]
    assert paths(transport)[2:] == ["graphql.json", "access_token", "graphql.json"]


def test_an_app_that_is_not_installed_is_a_matter_of_configuration():
    client, _ = vendor(make(SEED), ClientCredentials("app-1", "wrong"))
    with pytest.raises(ConfigurationError) as raised:
        ask(client)
    assert "wrong" not in str(raised.value)


def test_a_shop_that_is_down_is_not():
    sandbox = make(SEED)
    sandbox.faults.arm(Fault("status", on="access_token", status=503))
    client, _ = vendor(sandbox, ClientCredentials("app-1", "app-secret-1"))
    with pytest.raises(TargetUnavailableError):
        ask(client)


def test_the_secret_decides_which_way():
    connection = type("C", (), {"base_url": "https://fizz.myshopify.com", "name": "shop"})
    pull = ShopifyPull()
    app = {"client_id": "app-1", "client_secret": "s"}
    assert pull.auth(app, connection) is client_credentials("app-1", "s")
    request = httpx.Request("POST", "https://fizz.myshopify.com/x")
    fixed = pull.auth({"access_token": "shpat_1"}, connection)
    sent = next(fixed.auth_flow(request))
    assert sent.headers["X-Shopify-Access-Token"] == "shpat_1"
