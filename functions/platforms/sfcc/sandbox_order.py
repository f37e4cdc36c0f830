"""How a draft becomes an order's body."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from platforms.sfcc.sandbox_sums import (
    HOME,
    LINE,
    NAMES,
    OPTION,
    ZERO,
    Json,
    RefusedError,
    Till,
    address,
    custom,
    known,
    stamp,
)

STATUSES = "created new open completed cancelled replaced failed".split()
CONFIRMATION = ["not_confirmed", "confirmed"]
EXPORT = ["not_exported", "ready", "exported", "failed"]
PAYMENT = ["not_paid", "part_paid", "paid"]
SHIPPING = ["not_shipped", "part_shipped", "shipped"]
DRAFT = set(
    "lines discount_total coupon_code shipping_total shipping_discount fees prices_include_tax"
    " currency customer billing shipping shipments po_number customer_note status paid"
    " created_at confirmation_status export_status payment_method gift_certificates site_id"
    " channel custom".split()
)
CUSTOMER = {"email", "first_name", "last_name", "company", "phone"}


def one_of(given: Any, words: list[str], what: str) -> str:
    """A word the vendor knows."""
    if given not in words:
        raise RefusedError(f"no such {what}: {given}")
    return str(given)


def secret(order_no: str, what: str) -> str:
    """A token that opens the order to whoever shows it, the same for the same order."""
    return base64.urlsafe_b64encode(uuid.uuid5(NAMES, f"{what} {order_no}").bytes * 2)[:43].decode()


class OrderForm:
    """Makes bodies of orders.

    Args:
        seed: what the shop is like.
        product: finds a product by its SKU, or gives an empty one.
        ids: gives item ids.
    """

    def __init__(self, seed: Json, product: Callable[[str], Json], ids: Callable[[], str]) -> None:
        self._seed = seed
        self._product = product
        self._ids = ids

    def till(self, draft: Json) -> Till:
        """The prices of one order."""
        gross = bool(draft.get("prices_include_tax", self._seed["prices_include_tax"]))
        return Till(str(draft.get("currency", self._seed["currency"])), gross, self._ids)

    def order(self, number: str, draft: Json, buyer: Json | None, at: datetime) -> Json:
        """The body of a new order, sums and all."""
        known(draft, DRAFT, "draft")
        till = self.till(draft)
        status = one_of(draft.get("status", "new"), STATUSES, "status")
        placed = status not in {"created", "failed"}
        billing = address(draft.get("billing") or draft.get("shipping") or {}, self._ids)
        order: Json = {
            "billingAddress": billing,
            "channelType": draft.get("channel", "storefront"),
            "confirmationStatus": one_of(
                draft.get("confirmation_status", CONFIRMATION[placed]), CONFIRMATION, "state"
            ),
            "createdBy": "Customer",
            "creationDate": stamp(at),
            "currency": draft.get("currency", self._seed["currency"]),
            **self._buyer(draft, buyer, billing),
            "exportStatus": one_of(draft.get("export_status", EXPORT[placed]), EXPORT, "state"),
            "lastModified": stamp(at),
            "notes": {},
            "orderNo": number,
            "orderToken": secret(number, "token"),
            "orderViewCode": secret(number, "view")[:20],
            "paymentInstruments": [self._payment(draft, billing)],
            "paymentStatus": PAYMENT[2 * bool(draft.get("paid"))],
            "productItems": self.lines(draft, till),
            "shipments": self._shipments(draft),
            "shippingItems": self._charges(draft, till),
            "shippingStatus": SHIPPING[0],
            "siteId": one_of(
                draft.get("site_id", self._seed["sites"][0]), self._seed["sites"], "site"
            ),
            "status": status,
            "taxation": "gross" if till.gross else "net",
        }
        order |= self._discount(draft, till, at) | self._cards(draft, till)
        order |= self._merchants_own(draft)
        self._check(order)
        till.total(order)
        return order

    def lines(self, draft: Json, till: Till) -> list[Json]:
        """The product lines."""
        if not draft.get("lines"):
            raise RefusedError("an order has at least one line")
        return [self._line(line, till) for line in draft["lines"]]

    def _line(self, given: Json, till: Till) -> Json:
        known(given, LINE, "line")
        product = self._product(str(given["sku"]))
        quantity = Decimal(str(given["quantity"]))
        if quantity <= 0:
            raise RefusedError(f"a quantity of {quantity}")
        bonus = bool(given.get("bonus"))
        price = given.get("price", ZERO if bonus else product.get("price"))
        if price is None:
            raise RefusedError(f"{given['sku']} is no product and has no price")
        name = str(given.get("name", product.get("name", given["sku"])))
        rate = self._rate(given)
        shipment = given.get("shipment", HOME)
        line = till.item(name, till.amount(price), quantity, rate) | {
            "bonusProductLineItem": bonus,
            "gift": bool(given.get("gift")),
            "productId": given["sku"],
            "productName": name,
            "quantity": quantity,
            "shipmentId": shipment,
        }
        line |= {"inventoryId": given["inventory"]} if given.get("inventory") else {}
        line |= custom(given.get("custom", {}))
        noted = self._adjustment("item-promotion", "Line discount")
        till.discounted(line, till.amount(given.get("discount", 0)), noted)
        if options := given.get("options"):
            line["optionItems"] = [self._option(one, line, till, rate) for one in options]
        if parts := given.get("bundle"):
            line["bundledProductItems"] = [self._part(one, line, till) for one in parts]
        return line

    def _option(self, given: Json, line: Json, till: Till, rate: Decimal) -> Json:
        known(given, OPTION, "option")
        price = till.amount(given.get("price", 0))
        return till.item(
            str(given.get("name", given["value_id"])), price, line["quantity"], rate
        ) | {
            "bonusProductLineItem": False,
            "gift": False,
            "optionId": given["option_id"],
            "optionValueId": given["value_id"],
            "quantity": line["quantity"],
            "shipmentId": line["shipmentId"],
        }

    def _part(self, given: Json, line: Json, till: Till) -> Json:
        """What a bundle holds is paid with the bundle."""
        known(given, {"sku", "quantity", "name"}, "bundle")
        product = self._product(str(given["sku"]))
        name = str(given.get("name", product.get("name", given["sku"])))
        quantity = Decimal(str(given["quantity"]))
        return till.item(name, till.amount(0), quantity, line["taxRate"]) | {
            "bonusProductLineItem": False,
            "gift": False,
            "productId": given["sku"],
            "productName": name,
            "quantity": quantity,
            "shipmentId": line["shipmentId"],
        }

    def _charges(self, draft: Json, till: Till) -> list[Json]:
        """One charge for each shipment, and one for each fee: the vendor has no other place."""
        rate = self._rate({})
        charges = [
            till.item("Shipping", till.amount(draft.get("shipping_total", 0)), Decimal(1), rate)
        ]
        noted = self._adjustment("shipping-promotion", "Shipping discount")
        till.discounted(charges[0], till.amount(draft.get("shipping_discount", 0)), noted)
        for name in draft.get("shipments", {}):
            free = till.item("Shipping", till.amount(0), Decimal(1), rate)
            charges.append(free | {"shipmentId": name})
        for fee in draft.get("fees", []):
            known(fee, {"name", "total", "tax_rate"}, "fee")
            total = till.amount(fee["total"])
            if total < 0:
                raise RefusedError("a fee below nothing is a discount")
            charges.append(till.item(fee["name"], total, Decimal(1), self._rate(fee)))
        return charges

    def _shipments(self, draft: Json) -> list[Json]:
        home = draft.get("shipping") or draft.get("billing") or {}
        return [
            {
                "gift": False,
                "shipmentId": name,
                "shippingAddress": address(where, self._ids),
                "shippingMethod": {"description": "Within 3 days", "id": "001", "name": "Pallet"},
                "shippingStatus": SHIPPING[0],
            }
            for name, where in ({HOME: home} | draft.get("shipments", {})).items()
        ]

    def _buyer(self, draft: Json, buyer: Json | None, billing: Json) -> Json:
        """Who ordered; a guest has an id of the visit and no number."""
        email = (draft.get("billing") or {}).get("email") or (draft.get("shipping") or {}).get(
            "email", ""
        )
        if buyer is None:
            name = billing.get("fullName", "")
            told = {"customerId": self._ids(), "customerName": name, "email": email}
            if number := self._seed["guest_customer_no"]:
                told["customerNo"] = number
            return {"customerInfo": told, "customerName": name, "guest": True}
        name = f"{buyer.get('firstName', '')} {buyer.get('lastName', '')}"
        told = {
            "customerId": buyer["customerId"],
            "customerName": name,
            "customerNo": buyer["customerNo"],
            "email": buyer["email"],
        }
        return {"customerInfo": told, "customerName": name, "guest": False}

    def _payment(self, draft: Json, billing: Json) -> Json:
        """The amount stays 0.0: only the order's payment status says what was paid."""
        method = draft.get("payment_method", "CREDIT_CARD")
        body = {"amount": 0.0, "paymentInstrumentId": self._ids(), "paymentMethodId": method}
        if method == "CREDIT_CARD":
            body["paymentCard"] = {
                "cardType": "Visa",
                "creditCardExpired": False,
                "expirationMonth": 4,
                "expirationYear": 2031,
                "holder": billing.get("fullName", ""),
                "maskedNumber": "************4242",
                "numberLastDigits": "4242",
                "validFromMonth": 1,
                "validFromYear": 2024,
            }
        return body

    def _discount(self, draft: Json, till: Till, at: datetime) -> Json:
        code = draft.get("coupon_code")
        amount = till.amount(draft.get("discount_total", 0))
        body: Json = {}
        if code:
            body["couponItems"] = [
                {"code": code, "couponItemId": self._ids(), "statusCode": "applied", "valid": True}
            ]
        if amount:
            noted = self._adjustment("order-promotion", "Order discount") | {"price": -amount}
            noted |= {"appliedDiscount": {"amount": amount, "type": "amount"}}
            noted |= {"creationDate": stamp(at), "lastModified": stamp(at)}
            body["orderPriceAdjustments"] = [noted | ({"couponCode": code} if code else {})]
        return body

    def _cards(self, draft: Json, till: Till) -> Json:
        cards = []
        for given in draft.get("gift_certificates", []):
            known(given, {"amount", "recipient_email"}, "gift certificate")
            cards.append(
                {
                    "amount": till.amount(given["amount"]),
                    "giftCertificateItemId": self._ids(),
                    "recipientEmail": given.get("recipient_email", ""),
                    "shipmentId": HOME,
                }
            )
        return {"giftCertificateItems": cards} if cards else {}

    def _merchants_own(self, draft: Json) -> Json:
        """What the vendor has no field for, in attributes the merchant has named."""
        named = {
            self._seed["po_attribute"]: draft.get("po_number"),
            self._seed["note_attribute"]: draft.get("customer_note"),
        }
        return custom(
            {name: text for name, text in named.items() if text} | draft.get("custom", {})
        )

    def _adjustment(self, promotion: str, text: str) -> Json:
        return {
            "custom": False,
            "itemText": text,
            "manual": False,
            "priceAdjustmentId": self._ids(),
            "promotionId": promotion,
        }

    def _rate(self, given: Json) -> Decimal:
        """Drafts say percent, the vendor a fraction."""
        return Decimal(str(given.get("tax_rate", self._seed["tax_rate"]))) / 100

    def _check(self, order: Json) -> None:
        homes = {one["shipmentId"] for one in order["shipments"]}
        for line in order["productItems"]:
            if line["shipmentId"] not in homes:
                raise RefusedError(f"no shipment {line['shipmentId']}")
