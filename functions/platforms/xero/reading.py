"""What an organisation's books hold, in canonical terms. Pure.

Keys are Xero's own ids, which are those the target keeps: the order of an invoice is the invoice
itself, and what a credit note pays out is a refund under the note's id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import floor
from typing import Any

from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import Price, Product, StockLevel
from fizzbridge.model.customer import Customer, Terms
from fizzbridge.model.documents import Invoice, InvoiceState, Payment, Refund, SettlementStatus
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.model.money import Money, to_minor_unit
from fizzbridge.model.order import DocumentLine, LineType, Totals
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.model.units import Unit
from fizzbridge.observation import Hint, Seen
from fizzbridge.settings import Connection
from platforms.xero.contacts import ARCHIVED, PHONE_FIELDS, PLACE_FIELDS
from platforms.xero.credits import PREFIX
from platforms.xero.documents import GONE
from platforms.xero.transport import marked
from platforms.xero.wire import (
    ContactTold,
    DocumentTold,
    ItemTold,
    LineThere,
    Organisation,
    PaidThere,
    PaymentTold,
)

SALE, CREDIT, PAID = "ACCREC", "ACCRECCREDIT", "ACCRECPAYMENT"
"""What is of customers; the same lists hold what is of suppliers."""
PLACE = "main"
"""The one place the books know."""
AFTER_BILL = "DAYSAFTERBILLDATE"
_STATES = {"AUTHORISED": InvoiceState.ISSUED, "PAID": InvoiceState.ISSUED} | {
    "VOIDED": InvoiceState.VOIDED
}
_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "Invoices": (Kind.INVOICE,),
    "CreditNotes": (Kind.INVOICE, Kind.REFUND),
    "Payments": (Kind.PAYMENT,),
    "Contacts": (Kind.CUSTOMER,),
    "Items": (Kind.PRODUCT, Kind.PRICE, Kind.STOCK_LEVEL),
}


@dataclass(frozen=True)
class Kept:
    """A thing of one of Xero's collections, and how to name what it tells.

    Attributes:
        path: of the collection.
        id: Xero's id.
        changed: its clock.
        connection: whose it is.
    """

    path: str
    id: str
    changed: datetime
    connection: Connection

    def name(self, kind: Kind, of: str = "") -> EntityRef:
        """It, or another thing, under Xero's id."""
        return ref(kind, self.connection.name, of or self.id)

    def seen(
        self, kind: Kind, body: Frozen | None, order: EntityRef | None = None, reference: str = ""
    ) -> Seen:
        """It as it stands; without a body where nothing of it counts."""
        return Seen(
            self.name(kind),
            body,
            self.changed,
            parent=order,
            refetch=Hint(self.path, self.id),
            reference=reference,
        )


def gone(path: str, identity: str, at: datetime, connection: Connection) -> Iterator[Seen]:
    """A thing that is not there any more."""
    for kind in _KINDS[path]:
        place = f"@{PLACE}" if kind is Kind.STOCK_LEVEL else ""
        yield Seen(ref(kind, connection.name, f"{identity}{place}"), None, at)


# -- documents -------------------------------------------------------------------------------------


def invoice(told: DocumentTold, connection: Connection) -> Seen | None:
    """An invoice; None of a supplier's bill."""
    if told.type != SALE:
        return None
    kept = Kept("Invoices", told.id, told.changed, connection)
    order = kept.name(Kind.ORDER)
    # What was deleted as a draft never was an invoice.
    body = None if told.status == "DELETED" else _document(told, order, None, connection)
    return kept.seen(Kind.INVOICE, body, order)


def credit_note(
    told: DocumentTold, invoice_id: str | None, connection: Connection
) -> Iterator[Seen]:
    """A credit note of an invoice, and what was paid out of it; of no invoice it is no order's."""
    if told.type != CREDIT:
        return
    kept = Kept("CreditNotes", told.id, told.changed, connection)
    mark = marked(told.number, PREFIX)
    if invoice_id is None or told.status == "DELETED":
        yield kept.seen(Kind.INVOICE, None)
        yield kept.seen(Kind.REFUND, None, reference=mark)
        return
    order = kept.name(Kind.ORDER, invoice_id)
    credited = kept.name(Kind.INVOICE, invoice_id)
    yield kept.seen(Kind.INVOICE, _document(told, order, credited, connection), order)
    yield kept.seen(Kind.REFUND, _paid_out(told, order), order, mark)


def _paid_out(told: DocumentTold, order: EntityRef) -> Refund | None:
    parts = [PaidThere.model_validate(one) for one in told.payments]
    if not parts:
        return None
    return Refund(
        order=order,
        amount=to_minor_unit(sum((one.amount for one in parts), Decimal(0)), told.currency_code),
        currency=told.currency_code,
        at=noon(max(one.day for one in parts)),
        status=SettlementStatus.SETTLED,
    )


def _document(
    told: DocumentTold, order: EntityRef, credited: EntityRef | None, connection: Connection
) -> Invoice:
    is_gross = told.line_amount_types == "Inclusive"
    kinds = Types.of(connection)
    lines = tuple(
        _line(line, told.currency_code, kinds)
        for line in told.line_items
        # What only describes costs nothing.
        if line.item_code or line.line_amount
    )
    gross, tax, off = (
        to_minor_unit(amount, told.currency_code)
        for amount in (told.total, told.total_tax, told.total_discount)
    )
    return Invoice(
        order=order,
        number=told.number or told.id,
        state=_STATES.get(told.status, InvoiceState.DRAFT),
        credits=credited,
        issued_on=None if told.is_draft else told.day,
        due_on=told.due,
        currency=told.currency_code,
        tax_included=is_gross,
        lines=lines,
        totals=Totals(net=gross - tax, tax=tax, gross=gross, discount=off),
    )


@dataclass(frozen=True)
class Types:
    """Our types of line, by the items and the accounts that stand for them."""

    items: Mapping[str, LineType]
    accounts: Mapping[str, LineType]

    @classmethod
    def of(cls, connection: Connection) -> Types:
        """As the connection's settings name them."""

        def named(end: str) -> dict[str, LineType]:
            found = {kind: connection.settings.get(f"{kind.lower()}_{end}") for kind in LineType}
            return {str(code): kind for kind, code in found.items() if code}

        return cls(named("sku"), named("account"))

    def kind(self, line: LineThere) -> LineType:
        """What a line is: goods where it has an item, and nobody said otherwise."""
        usual = LineType.GOODS if line.item_code else LineType.FEE
        return self.items.get(line.item_code) or self.accounts.get(line.account_code, usual)


def _line(line: LineThere, currency: str, types: Types) -> DocumentLine:
    amount, tax = (to_minor_unit(one, currency) for one in (line.line_amount, line.tax_amount))
    kind = types.kind(line)
    if kind is not LineType.ROUNDING:  # which carries its own sign
        if amount and (amount < 0) != (kind.sign < 0):
            kind = LineType.DISCOUNT if amount < 0 else LineType.FEE
        amount, tax = abs(amount), abs(tax)
    # Hours come in parts as well: then it is one piece of the whole amount.
    is_whole = bool(line.quantity) and line.quantity == line.quantity.to_integral_value()
    count = abs(int(line.quantity)) if is_whole else 1
    off = line.discount_amount or Decimal(0)
    return DocumentLine(
        id=line.line_item_id,
        type=kind,
        sku=line.item_code or None,
        title=line.description,
        quantity=count,
        quantity_ordered=count,
        unit_price=abs(line.unit_amount) if is_whole else amount,
        discount=to_minor_unit(off, currency),
        amount=amount,
        tax=tax,
        is_stocked=bool(line.item_code) and kind in {LineType.GOODS, LineType.FREE_GOODS},
    )


# -- money -----------------------------------------------------------------------------------------


def payment(told: PaymentTold, connection: Connection) -> Seen | None:
    """A payment of a customer's invoice; None of anything else. A deleted one is voided."""
    if told.payment_type != PAID:
        return None
    kept = Kept("Payments", told.id, told.changed, connection)
    order = kept.name(Kind.ORDER, str(told.invoice["InvoiceID"]))
    currency = str(told.invoice["CurrencyCode"])
    body = Payment(
        order=order,
        amount=to_minor_unit(told.amount, currency),
        currency=currency,
        gateway=str(told.account.get("Code") or ""),
        at=noon(told.day),
        status=SettlementStatus.VOIDED if told.status in GONE else SettlementStatus.SETTLED,
    )
    # People quote the invoice's number, which is a reference of ours: that of the order.
    is_quoted = told.reference == told.invoice.get("InvoiceNumber")
    return kept.seen(Kind.PAYMENT, body, order, "" if is_quoted else marked(told.reference))


def noon(day: date) -> datetime:
    """A day without a time, as its noon: that is the same day nearly everywhere."""
    return datetime.combine(day, time(12), UTC)


# -- names -----------------------------------------------------------------------------------------


def contact(told: ContactTold, connection: Connection) -> Seen | None:
    """A customer; None of who only supplies. Who is archived or merged is one no more."""
    if told.is_supplier and not told.is_customer:
        return None
    kept = Kept("Contacts", told.id, told.changed, connection)
    if told.contact_status in ARCHIVED:
        return kept.seen(Kind.CUSTOMER, None)
    # The number stands behind the name of a second one of that name.
    name = told.name.removesuffix(f" ({told.contact_number})")
    person = " ".join(filter(None, (told.first_name, told.last_name)))
    terms = told.payment_terms.get("Sales") or {}
    body = Customer(
        contact=Contact(name=person or name, email=told.email_address, phone=_phone(told.phones)),
        company=Company(id=told.id, name=name, account=told.account_number) if person else None,
        addresses=tuple(_addresses(told.addresses)),
        tax_number=told.tax_number,
        terms=Terms(payment_days=int(terms["Day"]) if terms.get("Type") == AFTER_BILL else None),
    )
    return kept.seen(Kind.CUSTOMER, body)


def _phone(phones: Sequence[Mapping[str, Any]]) -> str:
    parts = [one for one in phones if one.get("PhoneType") == "DEFAULT"]
    return next((" ".join(filter(None, map(one.get, PHONE_FIELDS))) for one in parts), "")


def _addresses(told: Sequence[Mapping[str, Any]]) -> Iterator[Address]:
    """Those that say more than a country; the street before the box, as the target writes it."""
    for one in sorted(told, key=lambda place: place.get("AddressType") != "STREET"):
        values = {ours: " ".join((one.get(field) or "").split()) for ours, field in _PLACES}
        country = values["country"]
        # People write countries out; a region is one of ours only where its country is known.
        is_known = len(country) == 2 and country.isalpha() and country.isupper()
        known = {} if is_known else {"country": None, "region": ""}
        if any(values[field] for field in ("street", "city", "postal_code")):
            yield Address.model_validate(values | known)


_PLACES = [(ours if ours != "attention" else "name", field) for ours, field in PLACE_FIELDS.items()]


def item(told: ItemTold, books: Organisation, connection: Connection) -> Iterator[Seen]:
    """An item and its price."""
    kept = Kept("Items", told.id, told.changed, connection)
    product = Product(sku=told.code, name=told.name or told.code, is_active=told.is_sold)
    yield kept.seen(Kind.PRODUCT, product)
    unit_price = told.sales_details.get("UnitPrice")
    price = (
        Price(
            product=kept.name(Kind.PRODUCT),
            sku=told.code,
            unit=Unit.EACH,
            price=Money(
                amount=to_minor_unit(Decimal(unit_price), books.base_currency),
                currency=books.base_currency,
            ),
            tax_included="Inclusive" in books.default_sales_tax,
        )
        if unit_price
        else None
    )
    yield kept.seen(Kind.PRICE, price)


def stock(told: ItemTold, read_at: datetime, connection: Connection) -> Iterator[Seen]:
    """How much is there. A sale moves it, and not the item's clock: its clock is the read."""
    if told.is_tracked_as_inventory:
        kept = Kept("Items", told.id, told.changed, connection)
        level = StockLevel(
            product=kept.name(Kind.PRODUCT),
            sku=told.code,
            location=PLACE,
            on_hand=floor(told.quantity_on_hand),
            as_of=read_at,
        )
        name = kept.name(Kind.STOCK_LEVEL, f"{told.id}@{PLACE}")
        yield Seen(name, level, read_at, refetch=Hint("Items", told.id))
