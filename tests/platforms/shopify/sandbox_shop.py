"""The sandbox alone, without a bridge: a small shop, questions to it and what it told."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from platforms.shopify.sandbox import make
from tests.kit.transport import SandboxTransport

ROOT = Path(__file__).parents[3]
VENDOR = ROOT.parent / "shared" / "platforms"
SCHEMAS = VENDOR / "specs" / "shopify" / "webhook-payload-schemas-2026-07.json"
SDL = VENDOR / "specs" / "shopify" / "admin-2026-10.trimmed.graphql"
SAMPLES = VENDOR / "samples" / "shopify"

needs_vendor_files = pytest.mark.skipif(
    not VENDOR.is_dir(), reason="the vendor's schemas and samples are not on this machine"
)

SCOPES = "read_orders read_customers read_products read_payment_terms read_companies".split()
GOOD = "good"
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def later(self, **delta):
        self.now += timedelta(**delta)


def shop(**seed):
    sandbox = make(
        {
            "shop": "quayside.myshopify.com",
            "access_tokens": {"good": SCOPES, "none": []},
            "client_id": "app-1",
            "client_secrets": ["new-secret", "old-secret"],
            "webhook_uri": "https://hooks.example/shopify",
            "tax_rate": "0.2",
            "variants": [
                {
                    "sku": "COLA-24",
                    "title": "Cola",
                    "price": "13.20",
                    "variant_id": 1,
                    "product_id": 2,
                },
                {
                    "sku": "TONIC-12",
                    "title": "Tonic",
                    "price": "9.45",
                    "variant_id": 3,
                    "product_id": 4,
                },
            ],
        }
        | seed
    )
    sandbox.clock = Clock()
    httpx.Client(transport=SandboxTransport(sandbox.app)).post("https://x/_sandbox/reset")
    return sandbox


def client(sandbox, token=GOOD):
    return httpx.Client(
        transport=SandboxTransport(sandbox.app),
        base_url="https://quayside.myshopify.com",
        headers={"X-Shopify-Access-Token": token},
    )


def ask(sandbox, query, variables=None, token=GOOD, version="2026-10"):
    body = {"query": query, "variables": variables or {}}
    answer = client(sandbox, token).post(f"/admin/api/{version}/graphql.json", json=body)
    assert answer.status_code == 200
    return answer.json()


def code(answer):
    return answer["errors"][0]["extensions"]["code"]


def control(sandbox, path, body):
    return client(sandbox).post(f"/_sandbox{path}", json=body)


def topics(sandbox):
    return [delivery.topic for delivery in sandbox.deliveries]


SUBSCRIBE = """mutation($t: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $t, webhookSubscription: $w) {
    webhookSubscription { id topic uri apiVersion { handle } includeFields }
    userErrors { field message } } }"""


def subscribe(sandbox, topic, given, token=GOOD):
    answer = ask(sandbox, SUBSCRIBE, {"t": topic, "w": given}, token)
    return answer["data"]["webhookSubscriptionCreate"]


def told(sandbox, topic):
    """The bodies sent under a topic."""
    return [json.loads(one.body) for one in sandbox.deliveries if one.topic == topic]


def paths(value, at=""):
    """Every key path of a JSON value; array items count as one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{at}.{key}"
            yield from paths(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at}[]")


def missing_fields(schema, value, at=""):
    """Required properties of the schema the value lacks; types are only hints there."""
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for inner in value:
            yield from missing_fields(schema["items"], inner, f"{at}[]")
    if isinstance(value, dict):
        yield from (f"{at}.{key}" for key in schema.get("required", []) if key not in value)
        for key, inner in schema.get("properties", {}).items():
            yield from missing_fields(inner, value.get(key), f"{at}.{key}")
