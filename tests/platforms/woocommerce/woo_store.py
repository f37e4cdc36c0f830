"""A sandbox store with a clock, and the adapter's client onto it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from fizzbridge.http.client import VendorClient
from fizzbridge.settings import Connection
from platforms.woocommerce.pull import WooCommercePull
from platforms.woocommerce.sandbox import make
from tests.kit.transport import SandboxTransport

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
URL = "https://store.example"
ADA = {"first_name": "Ada", "last_name": "Quill", "city": "Leeds", "country": "GB"}
SECRET = {"consumer_key": "ck_sandbox", "consumer_secret": "cs_sandbox"}
PULL = WooCommercePull()
CONNECTION = Connection(name="shop", platform="woocommerce", base_url=URL, start_at=START)


class Shop:
    """A store, its time, and who looks at it."""

    def __init__(self, **seed) -> None:
        products = [{"sku": "COLA-24", "name": "Cola", "price": "13.20", "id": 51}]
        self.sandbox = make({"products": products} | seed)
        self.store = self.sandbox.store
        self.now = START
        self.sandbox.clock = lambda: self.now
        self.transport = SandboxTransport(self.sandbox.app)
        self.http = httpx.Client(
            base_url=f"{URL}/wp-json/wc/v3",
            auth=("ck_sandbox", "cs_sandbox"),
            transport=self.transport,
        )

    def tick(self, seconds: float = 60) -> None:
        self.now += timedelta(seconds=seconds)

    def place(self, quantity: int = 1, **draft):
        lines = [{"sku": "COLA-24", "quantity": quantity}]
        return self.store.place({"lines": lines, "billing": ADA} | draft)

    def client(self, **secret: str) -> VendorClient:
        return VendorClient(
            platform="woocommerce",
            base_url=URL,
            auth=PULL.auth(SECRET | secret, CONNECTION),
            errors=PULL.errors,
            timeout=timedelta(seconds=25),
            transport=self.transport,
        )
