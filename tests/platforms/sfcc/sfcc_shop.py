"""A sandbox tenant with a clock, and somebody who asks it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx

from platforms.sfcc.sandbox import make
from tests.kit.transport import SandboxTransport

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOOK = "https://bridge.example/webhooks/sfcc/fizz"
ORG = "f_ecom_zzfz_001"
TENANT = "SALESFORCE_COMMERCE_API:zzfz_001"
CLIENT = ("fizz-sandbox-client", "fizz-sandbox-secret")
ALL = f"{TENANT} sfcc.orders sfcc.inventory.availability sfcc.customerlists sfcc.products"
ORDERS = f"/checkout/orders/v1/organizations/{ORG}/orders"
STOCK = f"/inventory/availability/v1/organizations/{ORG}/availability-records/search"
CUSTOMERS = f"/customer/customers/v1/organizations/{ORG}"
PRODUCTS = [
    {"sku": "COLA330-C24", "name": "Corner Cola 330 ml, case of 24", "price": "14.40"},
    {"sku": "TONIC200-P4", "name": "Quill Tonic 200 ml, 4 bottles", "price": "3.75", "stock": 40},
]
ADA = {
    "first_name": "Ada",
    "last_name": "Quill",
    "address_1": "4 Fountain Row",
    "city": "Portland",
    "state": "OR",
    "postcode": "97201",
    "country": "US",
    "phone": "+1 503 555 0117",
    "email": "ada@quill.example",
}
TRADER = {
    "email": "buying@cornerpop.example",
    "first_name": "Ida",
    "last_name": "Cask",
    "company": "Corner Pop Ltd",
    "phone": "+1 503 555 0142",
}


class Shop:
    """A tenant, its time, and who looks at it."""

    def __init__(self, **seed) -> None:
        self.sandbox = make({"products": PRODUCTS} | seed)
        self.now = START
        self.sandbox.clock = lambda: self.now
        self.store = self.sandbox.store
        self.transport = SandboxTransport(self.sandbox.app)
        self.http = httpx.Client(base_url="https://fizz.example", transport=self.transport)
        self.sent = self.sandbox.outbox.deliveries

    def tick(self, seconds: float = 60) -> None:
        self.now += timedelta(seconds=seconds)

    def token(self, scope: str = ALL) -> str:
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = self.http.post("/dwsso/oauth2/access_token", data=form, auth=CLIENT)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def login(self, scope: str = ALL) -> Shop:
        self.http.headers["Authorization"] = f"Bearer {self.token(scope)}"
        return self

    def place(self, quantity=1, **draft):
        lines = [{"sku": "COLA330-C24", "quantity": quantity}]
        return self.store.place({"lines": lines, "billing": ADA} | draft)

    def orders(self, **query):
        answer = self.http.get(ORDERS, params={"siteId": "FizzUS"} | query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def numbers(self, **query) -> list[str]:
        return [order["orderNo"] for order in self.orders(**query)["data"]]

    def told(self) -> list[str]:
        return [one.topic for one in self.sent]

    def bodies(self) -> list[dict]:
        return [json.loads(one.body) for one in self.sent]
