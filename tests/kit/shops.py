"""A shop of every platform in the end-to-end bridge, from ``events/<platform>/source.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from fizzbridge.manifest import load_registry
from infra.local.demo.vendors import Shop
from tests.kit.source import EVENTS, SECRET

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = load_registry(ROOT)
FACTS: Mapping[str, Any] = {
    slug: json.loads((EVENTS / slug / "source.json").read_text(encoding="utf-8"))
    for slug in sorted(MANIFESTS)
    if (EVENTS / slug / "source.json").is_file()
}
CONNECTIONS = {slug: f"shop-{slug}" for slug in FACTS}
# Webhooks are made when a shop starts, and sent elsewhere when it is known where.
SEEDS = {
    f"{slug}-shop.seed.json": json.dumps(facts["seed"] | {"webhook_uri": "http://127.0.0.1:9/"})
    for slug, facts in FACTS.items()
}
SECRETS = {
    CONNECTIONS[slug]: {"active": SECRET, **facts["secret"]} for slug, facts in FACTS.items()
}


def connections(ports: Mapping[str, int]) -> str:
    """Their connections as the bridge file has them."""
    return "\n".join(_connection(slug, facts, ports[slug]) for slug, facts in FACTS.items())


def sandboxes(ports: Mapping[str, int]) -> str:
    """Their sandboxes as the bridge file has them."""
    return "\n".join(
        f'[[local.sandboxes]]\nplatform = "{slug}"\nport = {ports[slug]}\n'
        f'seed = "{slug}-shop.seed.json"\n'
        for slug in FACTS
    )


def _connection(slug: str, facts: Mapping[str, Any], port: int) -> str:
    url = httpx.URL(facts["base_url"])
    here = f"http://127.0.0.1:{port}"
    there = f"{url.scheme}://{url.host}"
    # A setting may name an address of the vendor, too.
    settings = {
        name: value.replace(there, here) if isinstance(value, str) else value
        for name, value in facts["settings"].items()
    }
    shown = ", ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
    return f"""
[[connections]]
name = "{CONNECTIONS[slug]}"
platform = "{slug}"
base_url = "{str(url).rstrip("/").replace(there, here)}"
start_at = 2026-01-01T00:00:00Z
roles = ["order.request", "payment", "refund"]
calls = {{ parallel = 2, per_minute = 6000 }}
settings = {{ {shown} }}
"""


class Counter(Shop):
    """What is done over the counter of one shop, in the words of its ``source.json``."""

    def __init__(self, slug: str, port: int) -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        self.facts = FACTS[slug]

    def sell(self, **draft: Any) -> str:
        """Place the order; gives the key it goes by."""
        answer = self._http.post("/_sandbox/orders", json=self.facts["draft"] | draft)
        assert answer.status_code == 201, answer.text
        shown = answer.json()
        return str(shown.get("id") or shown["order"]["id"])

    def do(self, order: str, action: str) -> None:
        """Do to an order what is described there."""
        answer = self._http.post(f"/_sandbox/orders/{order}/{action}", json=self.facts[action])
        assert answer.status_code == 200, answer.text
