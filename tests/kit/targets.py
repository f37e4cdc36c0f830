"""A target of every platform in the end-to-end bridge, from ``events/<platform>/target.json``.

The ERP of the demo is there already and holds every order; the others get what a route sends them,
by the channel an order was sold in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from fizzbridge.manifest import load_registry
from tests.kit.source import EVENTS, SECRET

ROOT = Path(__file__).resolve().parents[2]
DEMO = "odoo"
MANIFESTS = load_registry(ROOT)
FACTS: Mapping[str, Any] = {
    slug: json.loads((EVENTS / slug / "target.json").read_text(encoding="utf-8"))
    for slug, manifest in sorted(MANIFESTS.items())
    if manifest.is_booked and slug != DEMO
}
CONNECTIONS = {slug: f"at-{slug.replace('_', '-')}" for slug in FACTS}
PORTS = {slug: f"{slug}-target" for slug in FACTS}
SEEDS = {f"{slug}-target.seed.json": json.dumps(facts["seed"]) for slug, facts in FACTS.items()}
SECRETS = {
    CONNECTIONS[slug]: facts["secret"]
    | ({"active": SECRET} if MANIFESTS[slug].functions.webhook else {})
    for slug, facts in FACTS.items()
}
CHANNELS = {
    "ledger": ["xero"],
    "suite": ["netsuite_soap"],
    "two": ["business_central", "quickbooks"],
}
"""Where what is sold in a channel goes beside the ERP."""

ROLES = {"xero": ["payment"]}
"""What they own beside what the shops and the ERP do."""


def connections(ports: Mapping[str, int]) -> str:
    """Their connections as the bridge file has them."""
    return "\n".join(_connection(slug, facts, ports[PORTS[slug]]) for slug, facts in FACTS.items())


def routes() -> str:
    """What goes there; documents go where their order goes."""
    registry = load_registry(ROOT)
    found = []
    for channel, slugs in CHANNELS.items():
        for slug in slugs:
            kinds = [str(one) for one in registry[slug].entities.target if str(one) != "Customer"]
            found.append(f"""
[[routes]]
kinds = {json.dumps(kinds)}
from = ["shop-uk"]
to = ["{CONNECTIONS[slug]}"]
where = {{ channel = ["{channel}"], ship_country = ["GB"] }}
""")
    return "".join(found)


def sandboxes(ports: Mapping[str, int]) -> str:
    """Their sandboxes as the bridge file has them."""
    return "\n".join(
        f'[[local.sandboxes]]\nplatform = "{slug}"\nport = {ports[PORTS[slug]]}\n'
        f'seed = "{slug}-target.seed.json"\n'
        for slug in FACTS
    )


def _connection(slug: str, facts: Mapping[str, Any], port: int) -> str:
    url = httpx.URL(facts["base_url"])
    here, there = f"http://127.0.0.1:{port}", f"{url.scheme}://{url.host}"
    # A setting may name an address of the vendor, too; the sandbox has all its hosts in one.
    settings = {
        name: value.replace(there, here) if isinstance(value, str) else value
        for name, value in facts["settings"].items()
    }
    settings |= {name: here + path for name, path in facts.get("elsewhere", {}).items()}
    settings |= {"longest_transaction_s": 2, "search_lag_s": 0}
    shown = ", ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
    return f"""
[[connections]]
name = "{CONNECTIONS[slug]}"
platform = "{slug}"
base_url = "{facts["base_url"].replace(there, here)}"
start_at = 2026-01-01T00:00:00Z
roles = {json.dumps(ROLES.get(slug, []))}
calls = {{ parallel = 2, per_minute = 6000 }}
settings = {{ {shown} }}
"""


def accepted(port: int) -> dict[str, int]:
    """What a target has committed."""
    url = f"http://127.0.0.1:{port}/_sandbox/accepted"
    found: dict[str, int] = httpx.get(url, trust_env=False, timeout=30).json()
    return found
