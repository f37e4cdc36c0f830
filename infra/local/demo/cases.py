"""Twelve orders, each different in a way that has broken somebody's integration before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class End(StrEnum):
    """Where an order must be in the end."""

    BOOKED = "booked"
    AMENDED = "booked and amended"
    CANCELLED = "cancelled"
    HELD = "held"


class Sent(StrEnum):
    """How its webhooks leave the shop."""

    ONCE = "once"
    THRICE = "three times"
    REVERSED = "last one first"


@dataclass(frozen=True)
class Case:
    """One order of the demo.

    Attributes:
        name: what is special about it.
        draft: the order as the shop's sandbox takes it.
        end: where it must be in the end.
        sent: how its webhooks leave the shop.
        at_once: an update right after it was placed.
        later: what happens to it after it was booked: an action of the shop, and its arguments.
        unknown_sku: the code that holds it.
    """

    name: str
    draft: Mapping[str, Any]
    end: End = End.BOOKED
    sent: Sent = Sent.ONCE
    at_once: Mapping[str, Any] | None = None
    later: tuple[str, Mapping[str, Any]] | None = None
    unknown_sku: str = ""

    def with_unknown_sku(self, code: str) -> Case:
        """The same with another code that nobody knows."""
        lines = [
            line | {"sku": code} if line.get("sku") == self.unknown_sku else line
            for line in self.draft["lines"]
        ]
        return replace(self, draft={**self.draft, "lines": lines}, unknown_sku=code)


REPAIR = "COLA330-C24"
"""What the unknown code stands for: mapping it lets the held order go on."""


@dataclass(frozen=True)
class _Buyer:
    first_name: str
    last_name: str
    city: str
    company: str | None = None
    email: str = ""
    address: Mapping[str, str | None] = field(init=False)

    def __post_init__(self) -> None:
        address = {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "company": self.company,
            "address1": "12 Quay Street",
            "city": self.city,
            "zip": "BS1 4DJ",
            "country": "United Kingdom",
            "country_code": "GB",
        }
        object.__setattr__(self, "address", address)

    def draft(self, *lines: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        customer = {"first_name": self.first_name, "last_name": self.last_name, "email": self.email}
        return {
            "lines": list(lines),
            "customer": customer if self.email else None,
            "billing_address": self.address,
            "shipping_address": self.address,
        } | more


def _line(sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity} | more


_ADA = _Buyer("Ada", "Penny", "Bristol", email="ada.penny@example.com")
_BAR = _Buyer("Ben", "Ode", "Leeds", "The Blue Bar Ltd", "orders@bluebar.example")
_CAFE = _Buyer("Łukasz", "Żółć", "Aberystwyth", "Café Ñandú & Søn", "lukasz@nandu.example")
_GUEST = _Buyer("Walk", "In", "York")
_DELIVERY = {"title": "Next day", "price": "4.95", "tax_rate": 0.2}

CASES = (
    Case(
        "retail, by the can",
        _ADA.draft(_line("COLA330", 6), _line("LEMON330", 4), shipping=_DELIVERY),
    ),
    Case(
        "bulk, by the pallet",
        _BAR.draft(_line("COLA330-PAL", 2), _line("TONIC1500-PAL", 1), source_name="draft_order"),
    ),
    Case(
        "trade account with PO number",
        _BAR.draft(
            _line("GINGER250-C24", 12),
            company={"id": 7001, "location_id": 8001},
            po_number="PO 4711/B",
            payment_terms={"name": "Net 30", "due_in_days": 30},
        ),
        sent=Sent.REVERSED,
        at_once={"tags": ["trade", "call-first"]},
    ),
    Case(
        "line and header discounts",
        _ADA.draft(
            _line("COLA330-C24", 3, discount="4.00"),
            _line("TONIC1500-C6", 5),
            discount="7.77",
            discount_code="FIZZ",
            shipping=_DELIVERY,
        ),
    ),
    Case(
        "prices with tax in them",
        _ADA.draft(_line("LEMON330-C24", 2), _line("TONIC1500", 7), taxes_included=True),
    ),
    Case(
        "edited after it was booked",
        _BAR.draft(_line("COLA330-C24", 4), _line("LEMON330-C24", 4)),
        end=End.AMENDED,
        later=("edit", {"quantities": {"COLA330-C24": 2}, "add": [_line("TONIC1500-C6", 3)]}),
    ),
    Case(
        "cancelled after it was booked",
        _ADA.draft(_line("GINGER250-C24", 1), shipping=_DELIVERY),
        end=End.CANCELLED,
        later=("cancel", {"reason": "customer"}),
    ),
    Case(
        "placed and paid within a second",
        _ADA.draft(_line("COLA330-C24", 1), paid=True),
        sent=Sent.REVERSED,
    ),
    Case(
        "a SKU nobody knows",
        _BAR.draft(
            _line("COLA-24PK", 8, title="Cola 330 ml, pack of 24", price="13.20"),
            _line("LEMON330-C24", 1),
        ),
        end=End.HELD,
        unknown_sku="COLA-24PK",
    ),
    Case(
        "deposit as a line of its own",
        _ADA.draft(
            _line("TONIC1500-C6", 4),
            {"title": "Deposit 24 × 0.20", "price": "4.80", "quantity": 1, "taxable": False},
        ),
    ),
    Case(
        "guest at the till, paid in euro",
        _GUEST.draft(
            _line("COLA330", 2),
            _line("TONIC1500", 1),
            presentment_currency="EUR",
            presentment_rate="1.1723",
            source_name="pos",
            paid=True,
        ),
    ),
    Case(
        "letters of all sorts",
        _CAFE.draft(
            _line("LEMON330-C24", 3),
            note="Dock 2 – ring twice ☎, ask for Žofie 🥤 <b>& smile</b>",
            note_attributes=[{"name": "Türcode", "value": "№ 7½"}],
        ),
        sent=Sent.THRICE,
    ),
)
