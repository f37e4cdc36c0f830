"""A sandbox store with a clock, and clients onto its API."""

from __future__ import annotations

import json

from platforms.bigcommerce.sandbox import make
from tests.kit.stand import Stand

HOST = "https://api.shop.example"
HOOK = "https://hooks.example/bigcommerce"
ADA = {
    "first_name": "Ada",
    "last_name": "Quill",
    "address_1": "1 Dock Rd",
    "city": "Leeds",
    "state": "West Yorkshire",
    "postcode": "LS1 1AA",
    "country": "GB",
    "email": "ada@corner.example",
}
COLA, LEMON = "COLA330-C24", "LEMON500-C12"
PRODUCTS = [
    {"sku": COLA, "name": "Cola 330 ml, crate of 24", "price": "11.00", "stock": 480},
    {"sku": LEMON, "name": "Lemonade 500 ml, crate of 12", "price": "9.25"},
    {"sku": "MENU-PDF", "name": "Menu to print", "price": "2.00", "type": "digital"},
    {
        "sku": "ELDER",
        "name": "Elderflower",
        "price": "8.00",
        "variants": [
            {"sku": "ELDER-C6", "label": "6", "stock": 40},
            {"sku": "ELDER-C12", "label": "12", "price": "15.00", "stock": 3},
        ],
    },
]


class Shop(Stand):
    """A store, its time, and who calls."""

    def __init__(self, **seed) -> None:
        keys = {"X-Auth-Token": "bc_sandbox_token", "Accept": "application/json"}
        sandbox = make({"products": PRODUCTS} | seed)
        super().__init__(sandbox, f"{HOST}/stores/fizz01", headers=keys)
        # What was made before had the wall's time.
        self.http.post(f"{HOST}/_sandbox/reset").raise_for_status()

    def place(self, quantity: int = 4, **draft):
        lines = [{"sku": COLA, "quantity": quantity}]
        return self.store.place({"lines": lines, "billing": ADA} | draft)

    def get(self, path: str, **query):
        return self.http.get(path, params=query or None)

    def data(self, path: str, **query):
        return self.get(path, **query).json()["data"]

    def b2b(self, method: str, path: str, **more):
        headers = {"X-Store-Hash": "fizz01"}
        return self.http.request(method, f"{HOST}/api/v3/io{path}", headers=headers, **more)

    def told(self, scope: str):
        """What the last word of that scope said."""
        found = [one for one in self.deliveries if one.topic == scope]
        return json.loads(found[-1].body)["data"]
