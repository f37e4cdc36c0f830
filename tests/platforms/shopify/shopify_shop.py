"""A made-up shop on the sandbox, and a bridge beside it that hears or asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from platforms.shopify.pull import ShopifyPull
from platforms.shopify.sandbox import ShopifySandbox, make
from platforms.shopify.webhook import ShopifyWebhook
from tests.kit.source import SECRET, TOKEN, Source, bridge, http_event
from tests.kit.transport import SandboxTransport

SCOPES = [
    "read_orders",
    "read_customers",
    "read_products",
    "read_payment_terms",
    "read_companies",
    "read_fulfillments",
    "read_returns",
    "read_inventory",
    "read_locations",
]
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ADDRESS = {
    "first_name": "Ines",
    "last_name": "Calloway",
    "company": "Calloway & Daughters",
    "address1": "3 Tanyard Lane",
    "city": "Leeds",
    "province_code": "ENG",
    "zip": "LS1 1AA",
    "country_code": "GB",
}
COLA = {"sku": "COLA-24", "quantity": 6}
TONIC = {"sku": "TONIC-12", "quantity": 5, "discount": "1.50"}
PERSON = {"email": "ines@mail.example", "first_name": "Ines", "last_name": "Calloway"}
DRAFT = {
    "lines": [COLA, TONIC],
    "customer": PERSON,
    "billing_address": ADDRESS,
    "shipping_address": ADDRESS | {"address1": "Dock 4"},
    "shipping": {"title": "Van", "price": "4.99", "tax_rate": "0.2"},
    "note_attributes": [{"name": "slot", "value": "AM"}],
    "note": "Ring twice",
    "phone": "+44 1632 960111",
    "po_number": "PO-77",
    "tags": ["web", "retail"],
}
DISCOUNTED = DRAFT | {"discount_code": "TEN", "discount": "10.01"}
WITH_PROPERTIES = {**COLA, "properties": [{"name": "deposit", "value": "2.40"}]}


class ShopClock:
    """The vendor's clock: it shows seconds and moves when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def shop(**seed: Any) -> ShopifySandbox:
    """A sandbox with a small catalogue."""
    sandbox = make(
        {
            "shop": "fizz-depot.myshopify.com",
            "access_tokens": {TOKEN: SCOPES, "scopeless": []},
            "client_secrets": [SECRET],
            "webhook_uri": "https://hooks.example/shopify",
            "time_offset": "+01:00",
            "tax_rate": "0.2",
            "variants": [
                {"sku": sku, "title": sku, "price": price, "variant_id": n, "product_id": n}
                for n, (sku, price) in enumerate(
                    {"COLA-24": "13.20", "TONIC-12": "9.40"}.items(), start=1
                )
            ],
        }
        | seed
    )
    sandbox.clock = ShopClock()
    # Its bucket of query costs was filled by the wall clock.
    httpx.Client(transport=SandboxTransport(sandbox.app)).post("https://shop/_sandbox/reset")
    return sandbox


def source(sandbox: ShopifySandbox, **of_connection: Any) -> Source:
    """A connection to the shop."""
    transport = SandboxTransport(sandbox.app)
    config = bridge("shopify", **of_connection)
    return Source(ShopifyWebhook(), ShopifyPull(), transport, config)


def deliver_all(sandbox: ShopifySandbox, bridge_side: Source) -> None:
    """Everything the shop has sent, in order."""
    for sent in sandbox.deliveries:
        assert bridge_side.deliver(http_event(sent.headers, sent.body)) == 200


def hint(what: str, order_id: int) -> dict[str, str]:
    """A message that asks for a fetch."""
    return {"type": "hint", "what": what, "id": str(order_id), "correlation_id": "c"}


def paid(sandbox: ShopifySandbox, draft: Any) -> Any:
    return sandbox.place_order(draft | {"paid": True})


def act(sandbox: ShopifySandbox, order: Any, action: str, **given: Any) -> Any:
    """Do something to an order; gives the order."""
    client = httpx.Client(transport=SandboxTransport(sandbox.app))
    answer = client.post(f"https://shop/_sandbox/orders/{order['id']}/{action}", json=given)
    return answer.raise_for_status().json()["order"]


def _edited(sandbox: ShopifySandbox) -> Any:
    order = sandbox.place_order(DISCOUNTED)
    sandbox.clock.later(60)
    changes = {"quantities": {"COLA-24": 5, "TONIC-12": 0}, "add": [{"sku": "X", "price": "7.01"}]}
    return sandbox.edit_order(order["id"], changes)


def _refunded(sandbox: ShopifySandbox) -> Any:
    order = paid(sandbox, DISCOUNTED)
    sandbox.clock.later(60)
    return sandbox.refund_order(order["id"], [{"line": "TONIC-12", "quantity": 2}], note="broken")


def _cancelled(sandbox: ShopifySandbox) -> Any:
    order = sandbox.place_order(DRAFT)
    sandbox.clock.later(60)
    return sandbox.cancel_order(order["id"], "inventory")


def _cancelled_paid(sandbox: ShopifySandbox) -> Any:
    order = paid(sandbox, DRAFT)
    sandbox.clock.later(60)
    return sandbox.cancel_order(order["id"])


def _given_back(sandbox: ShopifySandbox) -> Any:
    """Money, and nothing of the goods."""
    order = paid(sandbox, DRAFT)
    sandbox.clock.later(60)
    return act(sandbox, order, "refund", lines=[], amount="5.00")


def _captured(sandbox: ShopifySandbox) -> Any:
    order = sandbox.place_order(DRAFT)
    sandbox.pay_order(order["id"], "authorization")
    sandbox.clock.later(60)
    return sandbox.pay_order(order["id"], "capture", "20.00")


def _shipped(sandbox: ShopifySandbox) -> Any:
    """Two parcels, the first tracked later and by two numbers."""
    order = paid(sandbox, DRAFT)
    sandbox.clock.later(60)
    order = act(sandbox, order, "ship", lines=[{"sku": "COLA-24", "quantity": 4}])
    first = {"fulfillment": order["fulfillments"][0]["id"]}
    sandbox.clock.later(60)
    act(sandbox, order, "ship")
    sandbox.clock.later(60)
    tracking = {"carrier": "Van", "tracking": ["V-1", "V-2"], "url": "https://van.example/V-1"}
    return act(sandbox, order, "track", **first, **tracking)


def _shipped_and_tracked(sandbox: ShopifySandbox) -> Any:
    """Within one second: a tie."""
    order = act(sandbox, sandbox.place_order(DRAFT), "ship")
    return act(sandbox, order, "track", tracking="V-1")


def _shipment_cancelled(sandbox: ShopifySandbox) -> Any:
    order = sandbox.place_order(DRAFT)
    act(sandbox, order, "ship", carrier="Van", tracking="V-1")
    sandbox.clock.later(60)
    return act(sandbox, order, "unship")


COMPANY = {"id": 71, "location_id": 72, "location_external_id": "ACC-9"}
TERMS = {"name": "Net 30", "due_in_days": 30}
SPECIAL_LINES = [
    WITH_PROPERTIES,
    {"title": "Gift card", "price": "25.00", "gift_card": True},
    {"title": "Tip", "price": "3.50", "tip": True},
    {"title": "Pallet wrap", "price": "2.00", "quantity": 3},
    {"sku": "FREE", "title": "Sample", "price": "0.00"},
]

KINDS: dict[str, Callable[[ShopifySandbox], Any]] = {
    "plain": lambda sandbox: sandbox.place_order(DRAFT),
    "discounted": lambda sandbox: sandbox.place_order(DISCOUNTED),
    "tax included": lambda sandbox: sandbox.place_order(DISCOUNTED | {"taxes_included": True}),
    "company": lambda sandbox: sandbox.place_order(
        DRAFT | {"company": COMPANY, "payment_terms": TERMS}
    ),
    "guest": lambda sandbox: sandbox.place_order({"lines": [COLA]}),
    "special lines": lambda sandbox: sandbox.place_order(DRAFT | {"lines": SPECIAL_LINES}),
    "no lines": lambda sandbox: sandbox.place_order(DRAFT | {"lines": []}),
    "test": lambda sandbox: sandbox.place_order(DRAFT | {"test": True}),
    "euro": lambda sandbox: sandbox.place_order(
        DRAFT | {"presentment_currency": "EUR", "presentment_rate": "1.1877"}
    ),
    "euro paid": lambda sandbox: paid(
        sandbox, DRAFT | {"presentment_currency": "EUR", "presentment_rate": "1.1877"}
    ),
    "yen": lambda sandbox: sandbox.place_order(
        DRAFT
        | {
            "currency": "JPY",
            "lines": [{"title": "Ramune", "price": "120", "quantity": 30}],
            "shipping": {"title": "Van", "price": "500"},
        }
    ),
    "dinar": lambda sandbox: sandbox.place_order(
        DRAFT | {"currency": "KWD", "lines": [{"sku": "K", "price": "1.255", "quantity": 3}]}
    ),
    "unicode": lambda sandbox: sandbox.place_order(
        DRAFT | {"note": "48 × 🥤 crème", "lines": [{"title": "Ж" * 300, "price": "1.00"}]}
    ),
    "imported": lambda sandbox: sandbox.place_order(
        DRAFT | {"processed_at": "2026-10-02T23:30:00+00:00"}
    ),
    "paid": lambda sandbox: paid(sandbox, DRAFT),
    "captured in part": _captured,
    "edited": _edited,
    "refunded in part": _refunded,
    "money given back": _given_back,
    "cancelled": _cancelled,
    "cancelled and paid back": _cancelled_paid,
    "shipped": _shipped,
    "shipped and tracked": _shipped_and_tracked,
    "shipment cancelled": _shipment_cancelled,
    "120 lines": lambda sandbox: sandbox.place_order(
        DISCOUNTED
        | {"lines": [{"sku": f"S{n}", "price": "1.01", "quantity": n + 1} for n in range(120)]}
    ),
}
