"""What the end-to-end bridge has beyond the demo's: further shops, deposit schemes, crates."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from tests.kit import shops, targets

SEEDS = Path(__file__).parents[1] / "e2e" / "seeds"
EU_SECRET = "eu-signing-secret"
EU_TOKEN = "eu-access-token"

CONNECTION = """
[[connections]]
name = "shop-eu"
platform = "shopify"
base_url = "http://127.0.0.1:4603"
start_at = 2026-01-01T00:00:00Z
roles = ["order.request", "payment", "refund"]
calls = { parallel = 2, per_minute = 6000 }
settings = { api_version = "2026-10", longest_transaction_s = 2, search_lag_s = 0 }

"""

BACK = """
[[routes]]
kinds = ["Order", "Shipment", "Refund", "StockLevel", "Price", "Product"]
from = ["erp"]
to = ["shop-uk"]

[stock]
short = "backorder"

"""

SANDBOX = """
[[local.sandboxes]]
platform = "shopify"
port = 4603
seed = "shopify-eu.seed.json"
"""

SCHEMES = """
[[schemes]]
name = "ie-small"
kind = "DEPOSIT"
countries = ["IE"]
currency = "EUR"
amount = 0.15
tax_mode = "EXCLUDED"
is_refillable = false
materials = ["PET", "ALUMINIUM", "STEEL"]
min_ml = 150
max_ml = 500
valid_from = 2024-02-01

[[schemes]]
name = "uk-drs"
kind = "DEPOSIT"
countries = ["GB"]
regions = ["ENG", "SCT", "NIR"]
currency = "GBP"
amount = 0.20
tax_mode = "EXCLUDED"
is_refillable = false
materials = ["PET", "ALUMINIUM", "STEEL"]
min_ml = 150
max_ml = 3000
valid_from = 2027-10-01

[[schemes]]
name = "de-bottle"
kind = "DEPOSIT"
countries = ["DE"]
currency = "EUR"
amount = 0.15
tax_mode = "FOLLOWS_GOODS"
is_refillable = true
containers = ["bottle-1l"]
valid_from = 2020-01-01

[[schemes]]
name = "de-crate"
kind = "DEPOSIT"
countries = ["DE"]
currency = "EUR"
amount = 1.50
per = "crate"
tax_mode = "FOLLOWS_GOODS"
containers = ["crate-12"]
valid_from = 2020-01-01
"""

_CRATE = {
    "sku": "LEMON1000",
    "name": "Lemon 1.0 l returnable bottle",
    "base_unit": "EACH",
    "units_per_case": "12",
    "case_sku": "LEMON1000-CRATE",
    "valid_from": "2026-01-01",
    "volume_ml": "1000",
    "material": "GLASS",
    "refillable": "true",
    "container": "bottle-1l",
    "crate": "crate-12",
}


_TONIC = {
    "sku": "TONIC200",
    "name": "Tonic 200 ml bottle",
    "base_unit": "EACH",
    "units_per_case": "12",
    "case_sku": "TONIC-12",
    "valid_from": "2026-01-01",
    "volume_ml": "200",
    "material": "GLASS",
}


def bridge(text: str, ports: Mapping[str, int]) -> str:
    """The demo's bridge file with a second shop, a shop of every platform, and the schemes.

    Args:
        text: the demo's.
        ports: where each platform's sandbox listens.
    """
    routes = text.index("[[routes]]")
    more = CONNECTION + shops.connections(ports) + targets.connections(ports)
    boxes = shops.sandboxes(ports) + targets.sandboxes(ports)
    text = text[:routes] + more + text[routes:] + SANDBOX + "\n" + boxes
    sources = ["shop-uk", "shop-eu", *shops.CONNECTIONS.values()]
    for old, new in (
        ('from = ["shop-uk"]', f"from = {json.dumps(sources)}"),
        ('ship_country = ["GB", "IE"]', 'ship_country = ["GB", "IE", "DE"]'),
        ('file = "catalogue.csv"', 'file = "catalogue.csv"\nschemes = "schemes.toml"'),
        ('fee_sku = "CHARGE"', 'fee_sku = "CHARGE"\ndeposit_sku = "DEPOSIT"'),
        ("rounding_sku", 'deposit_refund_sku = "DEPOSIT-REFUND"\nrounding_sku'),
    ):
        assert old in text, old
        text = text.replace(old, new)
    schedules = text.index("[[schedules]]")
    return text[:schedules] + targets.routes() + BACK + text[schedules:]


def catalogue(text: str) -> str:
    """The demo's catalogue with a returnable bottle in a returnable crate, and a tonic."""
    rows = [*csv.DictReader(io.StringIO(text)), _CRATE, _TONIC]
    columns = [*rows[0], "container", "crate"]
    made = io.StringIO()
    writer = csv.DictWriter(made, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue()


def seeds(shop_seed: str) -> dict[str, str]:
    """The seed files of the sandboxes, by name."""
    return {
        "shopify.seed.json": shop_seed,
        **shops.SEEDS,
        **targets.SEEDS,
        "shopify-eu.seed.json": (SEEDS / "shopify-eu.seed.json").read_text(),
        "odoo.seed.json": (SEEDS / "odoo-trade.seed.json").read_text(),
    }
