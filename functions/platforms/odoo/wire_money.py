"""Odoo's shapes of who buys on account, what is owed and what was paid, as it is read (19.0)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar

from pydantic import Field

from platforms.odoo.wire import Many2one, MaybeDay, Moment, Name, Text, Told


class Moved(Told):
    """``account.payment``: money that came in or went back."""

    model: ClassVar[str] = "account.payment"
    state: str
    payment_type: str
    partner_type: str
    amount: Decimal
    currency_id: Name
    date: date
    journal_id: Name
    move_id: Many2one
    """Its entry in the books; in the paid accounting app there may be none yet."""
    reconciled_invoice_ids: tuple[int, ...]
    """What it is matched with, and what it was made for."""
    write_date: Moment


class Matched(Told):
    """``account.partial.reconcile``: what of a claim a payment settled."""

    model: ClassVar[str] = "account.partial.reconcile"
    optional: ClassVar[frozenset[str]] = frozenset(
        {"debit_amount_currency", "credit_amount_currency"}
    )
    debit_move_id: Many2one
    """A line of an entry, as is the other."""
    credit_move_id: Many2one
    amount: Decimal
    """In the company's currency; the others are in those of the lines."""
    debit_amount_currency: Decimal | None = None
    credit_amount_currency: Decimal | None = None


class EntryLine(Told):
    """``account.move.line``, as to whose it is."""

    model: ClassVar[str] = "account.move.line"
    move_id: Many2one


class Document(Told):
    """``account.move`` of a customer, as to what it bills or takes back."""

    model: ClassVar[str] = "account.move"
    currency_id: Name
    reversed_entry_id: Many2one


class Claim(EntryLine):
    """``account.move.line`` that is owed; below zero what is not set against an invoice yet."""

    amount_residual: Decimal
    """In the company's currency."""


class Owed(Told):
    """``account.move``, as to who owes it."""

    model: ClassVar[str] = "account.move"
    commercial_partner_id: Many2one
    invoice_date_due: MaybeDay


class PartnerOf(Told):
    """``res.partner``: a company, one of its addresses or people, or somebody else."""

    model: ClassVar[str] = "res.partner"
    commercial_partner_id: Many2one


class Addressed(Told):
    """``res.partner``, as to where it is."""

    model: ClassVar[str] = "res.partner"
    name: Text = Field(repr=False)
    type: Text
    active: bool
    street: Text = Field(repr=False)
    street2: Text = Field(repr=False)
    city: Text = Field(repr=False)
    zip: Text = Field(repr=False)
    phone: Text = Field(repr=False)
    country_id: Many2one
    state_id: Many2one


class Account(Addressed):
    """``res.partner``: a company, with the terms it buys on."""

    optional: ClassVar[frozenset[str]] = frozenset({"customer_rank", "supplier_rank"})
    is_company: bool
    ref: Text
    email: Text = Field(repr=False)
    vat: Text = Field(repr=False)
    lang: Text
    child_ids: tuple[int, ...]
    pricelist: Many2one = Field(alias="property_product_pricelist")
    term: Many2one = Field(alias="property_payment_term_id")
    credit_limit: Decimal
    currency_id: Name
    write_date: Moment
    customer_rank: int = 0
    supplier_rank: int = 0

    @property
    def is_customer(self) -> bool:
        """Whether it may buy: who only ever sold to us is none."""
        return self.is_company and not (self.supplier_rank and not self.customer_rank)


class Coded(Told):
    """A record that is known by its code."""

    code: Text


class Country(Coded):
    """``res.country``, by its ISO code."""

    model: ClassVar[str] = "res.country"


class Region(Coded):
    """``res.country.state``."""

    model: ClassVar[str] = "res.country.state"


class Term(Told):
    """``account.payment.term``."""

    model: ClassVar[str] = "account.payment.term"
    optional: ClassVar[frozenset[str]] = frozenset(
        {"line_ids", "early_discount", "discount_percentage"}
    )
    line_ids: tuple[int, ...] = ()
    early_discount: bool = False
    discount_percentage: Decimal = Decimal(0)


class TermLine(Told):
    """``account.payment.term.line``: when a part of an invoice is due."""

    model: ClassVar[str] = "account.payment.term.line"
    payment_id: Many2one
    delay_type: str
    nb_days: int


class Company(Told):
    """``res.company``."""

    model: ClassVar[str] = "res.company"
    currency_id: Name
    account_use_credit_limit: bool
