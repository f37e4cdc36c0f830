"""What Odoo's automation rules post: raw fields of a changed record, unsigned, once, in a second.

Which fields come is for the author of the rule to choose, so only the record's id is read, and the
record fetched. A post that fails is never sent again: the polls are the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint
from fizzbridge.webhook.adapter import Route, WebhookAdapter, names
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import PathToken


class Record(BaseModel):
    """A record of any model."""

    id: int = Field(validation_alias="_id")


class Quant(Record):
    """``stock.quant``: what it was of, where the rule's author chose that field."""

    product_id: int | None = None


def _named(what: str, of: Kind | None = None) -> Route[Record]:
    return names(Record, what, lambda told: str(told.id), of)


def _stock(told: Quant, connection: str) -> Iterable[Hint]:
    """Of the product: the quant itself may be gone when it is read."""
    del connection
    what, id_ = ("stock", told.product_id) if told.product_id else ("quant", told.id)
    yield Hint(what, str(id_), Kind.STOCK_LEVEL)


class OdooWebhook(WebhookAdapter):
    """Ids of records by model."""

    platform = "odoo"
    signature = PathToken()
    clock = Timestamp("second")
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "sale.order": _named("order"),
        "stock.picking": _named("shipment"),
        "account.move": _named("invoice"),
        "account.payment": _named("payment"),
        "res.partner": _named("customer"),
        "product.product": _named("product", Kind.PRODUCT),
        "product.pricelist.item": _named("price", Kind.PRICE),
        "stock.quant": Route(Quant, _stock),
    }

    def topic(self, delivery: Delivery) -> str:
        """The model."""
        return delivery.field("_model")

    def delivery_id(self, delivery: Delivery) -> str:
        """There is none."""
        del delivery
        return ""


handler = webhook_handler(OdooWebhook())
