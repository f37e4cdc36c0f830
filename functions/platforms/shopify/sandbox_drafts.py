"""From a draft to an order of the sandbox: what is agreed when it is placed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from platforms.shopify.sandbox_money import Currencies, Json, Money, total
from platforms.shopify.sandbox_orders import (
    COMPANY_KEYS,
    DRAFT_KEYS,
    LINE_KEYS,
    Line,
    Order,
    RefusedError,
    gid,
    known,
)
from platforms.shopify.sandbox_people import address

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk


class Drafts:
    """Reads what the sandbox's users write."""

    def __init__(self, desk: OrderDesk) -> None:
        self.desk = desk

    def order(self, draft: Json, number: int) -> Order:
        """The order a draft describes; its customer is made where nobody knows them yet."""
        known(draft, DRAFT_KEYS, "draft")
        defaults = {"currency": "GBP", "taxes_included": False, "tax_rate": None} | self.desk.seed
        agreed = {
            key: draft.get(key, defaults[key]) for key in ("currency", "taxes_included", "tax_rate")
        }
        currency = agreed["currency"]
        currencies = Currencies(
            currency,
            draft.get("presentment_currency", currency),
            Decimal(str(draft.get("presentment_rate", 1))),
        )
        times = self._times(draft)
        order = Order(
            id=self.desk.next_id(),
            number=number,
            shop=self.desk.seed["shop"],
            facts=self._facts(draft),
            currencies=currencies,
            taxes_included=agreed["taxes_included"],
            lines=[
                self.line(line, currencies, agreed["tax_rate"]) for line in draft.get("lines", [])
            ],
            created_at=self.desk.stamp(times["created_at"]),
            processed_at=self.desk.stamp(times["processed_at"]),
            updated_at=self.desk.stamp(times["updated_at"]),
            customer=None,
            company=draft.get("company"),
            shipping=self._shipping(draft.get("shipping"), currencies),
            shipping_id=self.desk.next_id(),
            tax_rate=agreed["tax_rate"],
            ahead=max(times["updated_at"] - self.desk.clock(), timedelta(0)),
        )
        self._discount(order, draft)
        order.original_price = order.ordered()["price"]
        order.customer = self.desk.people.of_order(
            {"currency": currency} | draft, self.desk.at(order)
        )
        if terms := draft.get("payment_terms"):
            order.payment_terms = self._payment_terms(order, terms)
        return order

    def _times(self, draft: Json) -> dict[str, datetime]:
        """When an order was created, processed and changed: by default all three at once."""
        times, otherwise = {}, self.desk.clock()
        for key in ("created_at", "processed_at", "updated_at"):
            moment = datetime.fromisoformat(draft[key]) if key in draft else otherwise
            # A time without an offset is the shop's own.
            times[key] = moment if moment.tzinfo else moment.replace(tzinfo=self.desk.zone)
            otherwise = times["created_at"]
        if times["processed_at"] > times["created_at"]:
            raise RefusedError("PROCESSED_AT_INVALID: processed_at lies after created_at")
        if times["updated_at"] < times["created_at"]:
            raise RefusedError("updated_at lies before created_at")
        return times

    def _facts(self, draft: Json) -> Json:
        company = draft.get("company")
        known(company or {}, COMPANY_KEYS, "company")
        check_attributes(draft.get("note_attributes", []))
        customer = draft.get("customer") or {}
        return {
            "billing_address": address(draft.get("billing_address")),
            "company": company and {key: company[key] for key in ("id", "location_id")},
            # The vendor writes an empty text here for a guest, and null in ``contact_email``.
            "email": draft.get("email") or customer.get("email") or "",
            "note": draft.get("note"),
            "note_attributes": draft.get("note_attributes", []),
            "phone": draft.get("phone"),
            "po_number": draft.get("po_number"),
            "shipping_address": address(draft.get("shipping_address")),
            "source_identifier": draft.get("source_identifier"),
            "source_name": draft.get("source_name", "web"),
            "tags": ", ".join(draft.get("tags", [])),
            "test": draft.get("test", False),
        }

    def line(self, given: Json, currencies: Currencies, tax_rate: Any) -> Line:
        """A line item as a draft, or an edit, describes it."""
        known(given, LINE_KEYS, "line")
        sku, tip = given.get("sku"), given.get("tip", False)
        # A SKU outside the catalogue is still a product of the shop; only a bare title is custom.
        variant = self.desk.catalogue.find(sku) if sku else None
        title = given.get("title", variant.sold_as if variant else sku)
        price = given.get("price", variant.facts["price"] if variant else None)
        quantity = given.get("quantity", 1)
        if title is None or price is None or not isinstance(quantity, int) or quantity < 1:
            raise RefusedError(f"a line needs a title or sku, price and whole quantity: {given}")
        physical = not tip and not given.get("gift_card", False)
        taxable = given.get("taxable", not variant or variant.facts["taxable"]) and physical
        rate = given.get("tax_rate", tax_rate)
        known_ids = (self.desk.next_id(), self.desk.next_id())
        if variant:
            known_ids = (variant.product.id, variant.id)
        facts = {
            "gift_card": given.get("gift_card", False),
            "name": " - ".join(filter(None, (title, given.get("variant_title")))),
            "product_exists": sku is not None,
            "product_id": known_ids[0] if sku else None,
            "properties": given.get("properties", []),
            "requires_shipping": physical,
            "sku": sku,
            "taxable": taxable,
            "tip": tip,
            "title": title,
            "variant_id": known_ids[1] if sku else None,
            "variant_title": given.get("variant_title"),
            "vendor": self.desk.seed["shop"].split(".")[0] if sku else None,
        }
        return Line(
            id=self.desk.next_id(),
            facts=facts,
            price=currencies.money(price),
            quantity=quantity,
            current=quantity,
            rate=Decimal(str(rate)) if taxable and rate is not None else None,
            own_discount=currencies.money(given.get("discount", 0)),
        )

    def _shipping(self, given: Json | None, currencies: Currencies) -> Json | None:
        if given is None:
            return None
        known(given, {"title", "code", "price", "tax_rate"}, "shipping")
        rate = given.get("tax_rate")
        return {
            "title": given["title"],
            "code": given.get("code", given["title"]),
            "money": currencies.money(given["price"]),
            "rate": None if rate is None else Decimal(str(rate)),
        }

    def _discount(self, order: Order, draft: Json) -> None:
        bag = order.currencies
        for line in order.lines:
            if line.own_discount:
                self._refuse_above(line.own_discount, order.worth(line, line.quantity)[0])
                line.allocations.append((len(order.applications), line.own_discount))
                order.applications.append(
                    _application(bag.text(line.own_discount), "one", "explicit")
                    | {"type": "manual", "title": "Line discount", "description": "Line discount"}
                )
        if "discount" not in draft:
            return
        # Gift cards and tips are money already: no discount reaches them.
        lines = [one for one in order.lines if not one.facts["gift_card"] and not one.facts["tip"]]
        weights = [order.worth(line, line.quantity)[0] - line.own_discount for line in lines]
        amount = bag.money(draft["discount"])
        self._refuse_above(amount, total(weights))
        for line, share in zip(lines, bag.spread(amount, weights), strict=True):
            if share:
                line.allocations.append((len(order.applications), share))
        named = {"type": "manual", "title": "Order discount", "description": "Order discount"}
        if "discount_code" in draft:
            named = {"type": "discount_code", "code": draft["discount_code"]}
        order.applications.append(_application(bag.text(amount), "across", "all") | named)

    def _refuse_above(self, amount: Money, limit: Money) -> None:
        if amount.shop > limit.shop:
            raise RefusedError("a discount cannot exceed what it is taken from")

    def _payment_terms(self, order: Order, given: Json) -> Json:
        known(given, {"name", "type", "due_in_days"}, "payment_terms")
        terms, schedule = self.desk.next_id(), self.desk.next_id()
        issued = datetime.fromisoformat(order.processed_at)
        price = order.currencies.text(order.ordered()["price"])
        stamps = {"created_at": order.created_at, "updated_at": order.updated_at}
        due = {
            "id": schedule,
            "admin_graphql_api_id": gid("PaymentSchedule", schedule),
            "amount": price,
            "balance_due": price,
            "completed_at": None,
            "currency": order.currencies.shop,
            "due_at": self.desk.stamp(issued + timedelta(days=given["due_in_days"])),
            "issued_at": order.processed_at,
            "payment_terms_id": terms,
            "presentment_currency": order.currencies.presentment,
            "total_balance": price,
            "total_price": price,
        }
        return stamps | {
            "id": terms,
            "admin_graphql_api_id": gid("PaymentTerms", terms),
            "due_in_days": given["due_in_days"],
            "payment_schedules": [stamps | due],
            "payment_terms_name": given["name"],
            "payment_terms_type": given.get("type", "net"),
        }


def check_attributes(given: list[Json]) -> None:
    """Refuse what the vendor would not take for note attributes."""
    for one in given:
        if one.keys() != {"name", "value"} or not all(isinstance(v, str) for v in one.values()):
            raise RefusedError(f"a note attribute is a name and a value, both text: {one}")


def _application(value: str, method: str, selection: str) -> Json:
    return {
        "target_type": "line_item",
        "value": value,
        "value_type": "fixed_amount",
        "allocation_method": method,
        "target_selection": selection,
    }
