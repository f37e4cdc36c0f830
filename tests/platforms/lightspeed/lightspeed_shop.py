"""A sandbox shop with a clock, and a client that looks at it."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from platforms.lightspeed.sandbox import make
from tests.kit.stand import Stand

URL = "https://fizzdemo.retail.lightspeed.app"
API = "/api/2026-07"
HOOK = "https://hooks.example/lightspeed"
PRODUCTS = [
    {"sku": "COLA330-C24", "name": "Cola, case of 24", "price": "13.20", "cost": "9", "stock": 100},
    {"sku": "TONIC150-C24", "name": "Tonic, case of 24", "price": "14.40", "stock": 50}
    | {"reorder_point": 5, "reorder_amount": 20},
    {"sku": "DELIVERY", "name": "Delivery by van", "price": "8.00"},
]
ADA = {
    "email": "ada@cornerpop.example",
    "first_name": "Ada",
    "last_name": "Quill",
    "company": "Corner Pop Ltd",
}


class Shop(Stand):
    """A shop, its time, and who looks at it."""

    def __init__(self, **seed) -> None:
        sandbox = make({"products": PRODUCTS} | seed)
        token = sandbox.seed["access_token"]
        super().__init__(sandbox, URL, headers={"Authorization": f"Bearer {token}"})

    def place(self, quantity: int = 1, **draft):
        return self.store.place({"lines": [{"sku": "COLA330-C24", "quantity": quantity}]} | draft)

    def get(self, path: str, **query):
        return self.http.get(API + path, params=query or None)

    def rows(self, path: str, **query):
        return self.get(path, **query).json()["data"]

    def product(self, sku: str = "COLA330-C24"):
        return self.store.product(sku)

    def level(self, sku: str = "COLA330-C24"):
        return self.rows(f"/products/{self.product(sku)['id']}/inventory")[0]["inventory_level"]

    def sent(self, topic: str = "") -> list[dict]:
        """What the webhooks were told, of one type or of all."""
        return [payload(one.body) for one in self.deliveries if topic in ("", one.topic)]

    def sale_body(self, **changes):
        """A sale to write: a case of cola, parked."""
        tax = self.store.tax()
        line = {
            "product": {"id": self.product()["id"]},
            "quantity": 2,
            "pricing": {"price": 13.2},
            "tax": {"id": tax["id"], "amount": 2.64},
        }
        author = self.store.first("users")["id"]
        body = {"source": {"author_id": author, "id": "shop:1", "type": "fizz"}, "state": "parked"}
        return body | {"line_items": [line]} | changes


def listening(**seed) -> Shop:
    return Shop(webhook_uri=HOOK, **seed)


def payload(body: bytes) -> dict:
    return json.loads(parse_qs(body.decode())["payload"][0])
