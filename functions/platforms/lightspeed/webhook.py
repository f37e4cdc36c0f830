"""Lightspeed X-Series webhooks (2026-07; the vendor's documentation read in November 2026).

- A form whose ``payload`` is JSON of an old API: only its id is read, and the thing fetched.
- The vendor does not say what exactly is signed or how it is written. The raw body in hexadecimal
  is what public code expects; base64, and the payload alone, are taken as well: all three need the
  secret. Webhooks made by hand in the shop's set-up are not signed and are refused.
- Within five seconds, else up to twenty tries in two days; the vendor calls polling the truth.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar
from urllib.parse import parse_qs

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.model.entity import Kind
from fizzbridge.model.version import Sequence as Counted
from fizzbridge.webhook.adapter import Route, WebhookAdapter, names
from fizzbridge.webhook.handler import webhook_handler
from fizzbridge.webhook.request import Delivery
from platforms.lightspeed import wire

_HEADER = "x-signature"
_PROOF = re.compile(r"signature=([A-Za-z0-9+/=]+), ?algorithm=HMAC-SHA256")


class FormSignature:
    """``signature=<proof>,algorithm=HMAC-SHA256`` of a form."""

    scheme: ClassVar[str] = "HMAC-SHA256 of a form"
    headers = (_HEADER,)

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept a delivery that any active secret proves; the scheme signs no time."""
        del now
        named = _PROOF.fullmatch(delivery.headers.get(_HEADER, ""))
        if not named or not delivery.body:
            raise VerificationError("no signature, or nothing signed", code="unsigned")
        given = named[1].encode()
        body = delivery.body
        if not (_fits(given, body, secrets) or _fits(given, _payload(delivery).encode(), secrets)):
            raise VerificationError("the signature does not fit the body", code="bad_signature")


class LightspeedWebhook(WebhookAdapter):
    """Ids of sales, customers and products."""

    platform = "lightspeed"
    signature = FormSignature()
    clock = Counted()
    routes: ClassVar[Mapping[str, Route[Any]]] = {
        "sale.update": names(wire.Named, "sale"),
        "customer.update": names(wire.Named, "customer"),
        "product.update": names(wire.Named, "product", of=Kind.PRODUCT),
        "inventory.update": names(
            wire.NamedStock, "stock", attrgetter("product_id"), Kind.STOCK_LEVEL
        ),
    }

    def topic(self, delivery: Delivery) -> str:
        """``sale.update``; the field is not promised, so a sale is known by its look too."""
        said = _field(delivery, "type")
        if not said and "register_sale_products" not in _payload(delivery):
            raise MalformedDeliveryError("the form does not say what it is", code="no_topic")
        return said or "sale.update"

    def delivery_id(self, delivery: Delivery) -> str:
        """There is none."""
        del delivery
        return ""

    def content(self, delivery: Delivery) -> Any:
        """The object in the form."""
        try:
            return json.loads(_payload(delivery))
        except (ValueError, RecursionError) as error:
            raise MalformedDeliveryError("the payload is not JSON", code="not_json") from error


def _fits(given: bytes, signed: bytes, secrets: Sequence[str]) -> bool:
    """Hexadecimal in capitals is the same number; base64 in other letters is not."""
    low = given.lower()
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).digest() for secret in secrets]
    fits = [hmac.compare_digest(one.hex().encode(), low) for one in digests]
    fits += [hmac.compare_digest(base64.b64encode(one), given) for one in digests]
    return any(fits)


def _payload(delivery: Delivery) -> str:
    return _field(delivery, "payload")


def _field(delivery: Delivery, name: str) -> str:
    try:
        form = parse_qs(delivery.body.decode("utf-8", "replace"), max_num_fields=100)
    except ValueError:  # more fields than any form of theirs has
        return ""
    return form.get(name, [""])[0]


handler = webhook_handler(LightspeedWebhook())
