"""BigCommerce's webhooks (v3; the vendor's documentation read in November 2026).

- Deliveries are thin: an id, and everything is read back.
- They are signed as standardwebhooks.com says, with the API client's secret. Whether those of a
  store-level account always are is not written anywhere, so each webhook also carries a header of
  ours, which is the proof where there is no signature.
- Of a deletion there is nothing left to read: an account, a company, a variant and a price on a
  list are gone by the word and the time of the delivery, a product is not, since it does not say
  which variants it had.
- All webhooks to one domain share a health score: whatever happens is answered 200 once it is kept.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar

from fizzbridge.errors import VerificationError
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen
from fizzbridge.webhook.adapter import Route, WebhookAdapter, names
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import StandardWebhooks
from platforms.bigcommerce import mapping, wire

HOOK_HEADER = "x-fizz-hook"
_ORDER = names(wire.Named, "order")
_MONEY = names(wire.Named, "money")
_PAYMENT = names(wire.OfOrder, "money", attrgetter("order_id"))
_SHIPMENT = names(wire.OfShipment, "shipments", attrgetter("order_id"))
_CUSTOMER = names(wire.Named, "customer")
_ADDRESS = names(wire.OfAddress, "customer", attrgetter("address.customer_id"))
_COMPANY = names(wire.OfCompany, "company", attrgetter("company_id"))
_PRODUCT = names(wire.Named, "product", of=Kind.PRODUCT)
_SKU = names(wire.OfSku, "product", attrgetter("sku.product_id"), Kind.PRODUCT)
_STOCK = names(wire.Named, "product", of=Kind.STOCK_LEVEL)
_SKU_STOCK = names(
    wire.OfInventory, "product", attrgetter("inventory.product_id"), Kind.STOCK_LEVEL
)
_PLACE_STOCK = names(wire.OfProduct, "product", attrgetter("product_id"), Kind.STOCK_LEVEL)


def _prices(told: wire.ListPrices, connection: str) -> Iterator[Hint]:
    del connection
    for one in told.records:
        yield Hint("price", f"{one.price_list_id}:{one.variant_id}", Kind.PRICE)


def _prices_gone(told: wire.ListPrices, connection: str) -> Iterator[Seen]:
    for one in told.records:
        key = f"{one.variant_id}:{one.price_list_id}:{one.currency.upper()}"
        yield Seen(ref(Kind.PRICE, connection, key), None, told.told_at)


def _sku_gone(told: wire.OfSku, connection: str) -> Iterator[Seen]:
    for kind in (Kind.PRODUCT, Kind.PRICE):
        yield Seen(ref(kind, connection, told.sku.variant_id), None, told.told_at)


_PRICES, _PRICES_GONE = (Route(wire.ListPrices, one) for one in (_prices, _prices_gone))


def hook_proof(secret: str) -> str:
    """What our header holds: made of the secret, so that there is nothing else to keep."""
    return hmac.new(secret.encode(), b"fizzbridge hook", hashlib.sha256).hexdigest()


class SignedOrKnown(StandardWebhooks):
    """The signature decides where there is one; our own header where there is none."""

    scheme: ClassVar[str] = "Standard Webhooks or a header"

    def __init__(self) -> None:
        super().__init__(headers=("webhook-signature", HOOK_HEADER))

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept a delivery that any active secret proves."""
        if self.headers[0] in delivery.headers:
            super().verify(delivery, secrets, now)
            return
        given = delivery.headers.get(HOOK_HEADER, "").encode("utf-8", "replace")
        fits = [hmac.compare_digest(hook_proof(secret).encode(), given) for secret in secrets]
        if not any(fits) or not delivery.body:
            raise VerificationError("neither signed nor known", code="unsigned")


class BigCommerceWebhook(WebhookAdapter):
    """Ids of orders, payments, refunds, shipments, customers, companies and of what is sold."""

    platform = "bigcommerce"
    signature = SignedOrKnown()
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "store/order/created": _ORDER,
        "store/order/updated": _ORDER,
        "store/order/statusUpdated": _ORDER,
        "store/order/refund/created": _MONEY,
        "store/order/transaction/created": _PAYMENT,
        "store/order/transaction/updated": _PAYMENT,
        "store/shipment/created": _SHIPMENT,
        "store/shipment/updated": _SHIPMENT,
        "store/shipment/deleted": _SHIPMENT,
        "store/customer/created": _CUSTOMER,
        "store/customer/updated": _CUSTOMER,
        "store/customer/deleted": Route(wire.CustomerGone, mapping.customer_gone),
        "store/customer/address/created": _ADDRESS,
        "store/customer/address/updated": _ADDRESS,
        "store/customer/address/deleted": _ADDRESS,
        # Of B2B Edition, where there is one.
        "store/company/created": _COMPANY,
        "store/company/updated": _COMPANY,
        "store/company/statusUpdated": _COMPANY,
        "store/company/deleted": Route(wire.CompanyGone, mapping.company_gone),
        "store/product/created": _PRODUCT,
        "store/product/updated": _PRODUCT,
        "store/product/inventory/updated": _STOCK,
        "store/product/inventory/order/updated": _STOCK,
        "store/sku/created": _SKU,
        "store/sku/updated": _SKU,
        "store/sku/deleted": Route(wire.OfSku, _sku_gone),
        "store/sku/inventory/updated": _SKU_STOCK,
        "store/sku/inventory/order/updated": _SKU_STOCK,
        # The store's own channel; every change there is among these.
        "store/channel/1/inventory/product/stock_changed": _PLACE_STOCK,
        "store/priceList/record/created": _PRICES,
        "store/priceList/record/updated": _PRICES,
        "store/priceList/record/deleted": _PRICES_GONE,
        "store/priceList/records/created": _PRICES,
        "store/priceList/records/updated": _PRICES,
        "store/priceList/records/deleted": _PRICES_GONE,
    }

    def topic(self, delivery: Delivery) -> str:
        """``store/order/created``, which only the body says."""
        return delivery.field("scope")

    def delivery_id(self, delivery: Delivery) -> str:
        """The hash of the event, equal on repetitions."""
        return delivery.field("hash", "")

    def content(self, delivery: Delivery) -> Any:
        """What the event is about, and when it was; prices come one by one or in a list."""
        body = delivery.json()
        if not isinstance(body, dict):
            return body
        data = body.get("data")
        if self.topic(delivery).startswith("store/priceList/"):
            data = {"records": data if isinstance(data, list) else [data]}
        return data | {"told_at": body.get("created_at")} if isinstance(data, dict) else data


handler = webhook_handler(BigCommerceWebhook())
