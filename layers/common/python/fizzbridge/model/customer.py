"""The customer: a person with a basket, or a business on terms."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from fizzbridge.model.base import Amount, Exact, Frozen, Instant
from fizzbridge.model.money import Currency
from fizzbridge.model.order import OrderClass, settle
from fizzbridge.model.party import Address, Company, Contact, Personal
from fizzbridge.model.units import Unit


class Weekday(StrEnum):
    """A day of the week, in the order of ``date.weekday()``."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


class Credit(Frozen):
    """What the ERP says of an account's credit. Nothing in it names a person."""

    currency: Currency
    limit: Amount
    open_invoices: Amount = Decimal(0)
    unapplied: Amount = Decimal(0)
    """Credits and payments not yet set against an invoice."""
    open_orders: Amount = Decimal(0)
    """Confirmed and not invoiced, of orders that did not come through us."""
    sales: Amount | None = None
    """Invoiced in the last ``sales_days`` days."""
    sales_days: Annotated[int, Field(ge=1)] = 90
    oldest_due_on: date | None = None
    """When the oldest unpaid invoice was due."""
    as_of: Instant

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        for name in ("limit", "open_invoices", "unapplied", "open_orders", "sales"):
            if getattr(self, name) is not None:
                settle(self, name, self.currency, f"credit {name}")
        return self


class Terms(Frozen):
    """How an account is served, as its owner agreed. Nothing in it names a person."""

    price_list: str = ""
    """Its own contract."""
    group_price_list: str = ""
    """Its group's, where it has no price of its own."""
    payment_days: Annotated[int, Field(ge=0)] | None = None
    cash_discount_percent: Exact | None = None
    """For paying early; on goods, never on deposits."""
    order_multiple: Unit | None = None
    """Orders are rounded up to this unit where little is missing."""
    accepts_rounding: bool = False
    minimum_life_days: Annotated[int, Field(ge=0)] | None = None
    """Days of shelf life left on delivery."""
    minimum_life_share: Exact | None = None
    """The same as a fraction of the whole life."""
    route_days: tuple[Weekday, ...] = ()
    """Days its route runs; empty means the depot's own."""
    ships_complete: bool = False
    """Nothing is sent before all is there."""


class Customer(Frozen):
    """Who buys. All of it is personal except class, terms and credit."""

    contact: Contact
    company: Company | None = None
    addresses: tuple[Address, ...] = ()
    """The first is the default."""
    fixed_class: OrderClass | None = None
    """Set where the account decides how its orders are treated."""
    tax_number: Personal = ""
    terms: Terms = Terms()
    credit: Credit | None = None
    """None where nobody said."""
    is_erased: bool = False
