"""What a company's books hold, in canonical terms. Pure.

An id is good within its kind only, so the kind is part of ours: those of forms and payments are the
same as the target's, and the order of a sale is the sale itself. Items have ids of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import floor

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
from platforms.quickbooks.customers import TAIL
from platforms.quickbooks.lookup import SHIPPING
from platforms.quickbooks.wire import Item, Line, PlaceThere, Record, Told, ToldCustomer, ToldItem

PLACE = "main"
"""The one place the books know."""
GOODS = frozenset({"Inventory", "NonInventory"})
_OFF = "DiscountLineDetail"
_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "Invoice": (Kind.INVOICE,),
    "SalesReceipt": (Kind.INVOICE,),
    "CreditMemo": (Kind.INVOICE,),
    "Payment": (Kind.PAYMENT,),
    "RefundReceipt": (Kind.REFUND,),
    "Customer": (Kind.CUSTOMER,),
    "Item": (Kind.PRODUCT, Kind.PRICE, Kind.STOCK_LEVEL),
}


@dataclass(frozen=True)
class Books:
    """What forms name by ids, or leave out.

    Attributes:
        connection: whose books they are.
        home: the currency of what names none.
        items: by id.
        kinds: our types of line, by the items that stand for them.
        days: of terms of payment, by id.
    """

    connection: Connection
    home: str
    items: Mapping[str, Item] = field(default_factory=dict)
    kinds: Mapping[str, LineType] = field(default_factory=dict)
    days: Mapping[str, int | None] = field(default_factory=dict)

    def name(self, kind: Kind, entity: str, identity: str) -> EntityRef:
        """A record of a kind of theirs under its name here."""
        if entity == "Item":
            place = f"@{PLACE}" if kind is Kind.STOCK_LEVEL else ""
            return ref(kind, self.connection.name, f"{identity}{place}")
        return ref(kind, self.connection.name, f"{entity}:{identity}")

    def seen(
        self,
        entity: str,
        told: Record,
        body: Frozen | None,
        kind: Kind | None = None,
        order: EntityRef | None = None,
        reference: str = "",
    ) -> Seen:
        """A record as it stands; without a body where nothing of it counts."""
        name = self.name(kind or _KINDS[entity][0], entity, told.id)
        refetch = Hint(entity, told.id)
        return Seen(name, body, told.changed, parent=order, refetch=refetch, reference=reference)


def gone(entity: str, identity: str, at: datetime, books: Books) -> Iterator[Seen]:
    """A record that is not there any more."""
    for kind in _KINDS[entity]:
        yield Seen(books.name(kind, entity, identity), None, at)


def reference(told: Told) -> str:
    """What our target has marked it with: in full in the note, perhaps shortened in the number.

    The number of a payment says nothing: people quote that of the invoice, which is ours as well.
    """
    _, _, rest = told.private_note.partition(" · ")
    noted = rest.partition(" · ")[0]
    return noted if "/" in noted else told.doc_number


# -- forms -----------------------------------------------------------------------------------------


def sale(entity: str, told: Told, books: Books) -> Seen:
    """An invoice or a sales receipt."""
    order = books.name(Kind.ORDER, entity, told.id)
    return books.seen(entity, told, _form(told, order, None, books), order=order)


def credit(told: Told, invoice: str | None, books: Books) -> Seen:
    """A credit memo of the invoice it is set against; it is nothing yet where there is none."""
    if invoice is None:
        return books.seen("CreditMemo", told, None)
    order, credited = (books.name(kind, "Invoice", invoice) for kind in (Kind.ORDER, Kind.INVOICE))
    return books.seen("CreditMemo", told, _form(told, order, credited, books), order=order)


def _form(told: Told, order: EntityRef, credited: EntityRef | None, books: Books) -> Invoice:
    currency = _currency(told, books)
    sold = list(_sold(told.line))
    priced = [line.sales_item_line_detail for line in sold if line.detail_type != _OFF]
    is_gross = told.global_tax_calculation == "TaxInclusive" and all(
        one is not None and one.tax_inclusive_amt is not None for one in priced
    )
    lines = tuple(_line(line, currency, books, is_gross=is_gross) for line in sold)
    gross, tax = (
        to_minor_unit(amount, currency)
        for amount in (told.total_amt, told.txn_tax_detail.total_tax)
    )
    return Invoice(
        order=order,
        number=told.doc_number or told.id,
        state=InvoiceState.VOIDED if told.is_voided else InvoiceState.ISSUED,
        credits=credited,
        issued_on=told.txn_date,
        due_on=told.due_date,
        currency=currency,
        tax_included=is_gross,
        lines=lines,
        totals=Totals(
            net=gross - tax,
            tax=tax,
            gross=gross,
            discount=sum(
                (line.amount for line in lines if line.type is LineType.DISCOUNT), Decimal(0)
            ),
        ),
    )


def _currency(told: Told, books: Books) -> str:
    return told.currency_ref.value if told.currency_ref else books.home


def _sold(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines that cost something; of a bundle what is in it."""
    for line in lines:
        if line.group_line_detail:
            yield from _sold(line.group_line_detail.line)
        elif line.sales_item_line_detail or line.detail_type == _OFF:
            yield line


def _line(line: Line, currency: str, books: Books, *, is_gross: bool) -> DocumentLine:
    detail = line.sales_item_line_detail
    identity = detail.item_ref.value if detail and detail.item_ref else ""
    item = books.items.get(identity)
    net = to_minor_unit(line.amount, currency)
    amount = net
    if is_gross and detail and detail.tax_inclusive_amt is not None:
        amount = to_minor_unit(detail.tax_inclusive_amt, currency)
    kind = _kind(line, identity, item, books)
    if amount and (amount < 0) != (kind.sign < 0) and line.detail_type != _OFF:
        kind = LineType.DISCOUNT if amount < 0 else LineType.FEE
    quantity = detail.qty if detail and detail.qty else Decimal(1)
    # Hours come in parts as well: then it is one piece of the whole amount.
    count = abs(int(quantity)) if quantity == quantity.to_integral_value() else 1
    price = detail.unit_price if detail else None
    is_counted = price is not None and count == abs(quantity)
    return DocumentLine(
        id=line.id,
        type=kind,
        sku=(item.code if item else "") or None,
        title=line.description,
        quantity=count,
        quantity_ordered=count,
        unit_price=abs(price) if price is not None and is_counted else abs(amount),
        amount=abs(amount),
        tax=abs(amount - net),
        is_stocked=item is not None and item.type in GOODS,
    )


def _kind(line: Line, identity: str, item: Item | None, books: Books) -> LineType:
    if line.detail_type == _OFF:
        return LineType.DISCOUNT
    if identity == SHIPPING:
        return LineType.FREIGHT
    usual = LineType.GOODS if item and item.type in GOODS else LineType.FEE
    return books.kinds.get(item.code if item else "", usual)


# -- money -----------------------------------------------------------------------------------------


def payments(told: Told, books: Books) -> Iterator[Seen]:
    """What of a payment went to which invoice: one entity where that is one, else one for each.

    What is set against nothing is no order's; a payment of nought joins a credit to an invoice.
    """
    applied, mark = _applied(told, books), reference(told)
    if len(applied) != 1:
        yield books.seen("Payment", told, None, reference=mark)
    for invoice, amount in applied.items():
        order = books.name(Kind.ORDER, "Invoice", invoice)
        body = Payment(
            order=order,
            amount=amount,
            currency=_currency(told, books),
            gateway=told.payment_method_ref.name if told.payment_method_ref else "",
            at=noon(told.txn_date),
            status=SettlementStatus.SETTLED,
        )
        part = told.id if len(applied) == 1 else f"{told.id}:{invoice}"
        name = books.name(Kind.PAYMENT, "Payment", part)
        again = Hint("Payment", told.id)
        yield Seen(name, body, told.changed, parent=order, refetch=again, reference=mark)


def let_go(told: Told, touched: Iterable[str], books: Books) -> Iterator[Seen]:
    """What an edited payment may have been for and is no more, of the invoices touched since."""
    applied, mark = _applied(told, books), reference(told)
    kept = applied.keys() if len(applied) > 1 else set()
    for invoice in sorted(set(touched) - kept):
        name = books.name(Kind.PAYMENT, "Payment", f"{told.id}:{invoice}")
        yield Seen(name, None, told.changed, reference=mark)


def _applied(told: Told, books: Books) -> dict[str, Decimal]:
    """The money by invoice: credits that are used along with it are no money."""
    left = to_minor_unit(told.total_amt, _currency(told, books))
    found: dict[str, Decimal] = {}
    for line in told.line:
        for linked in line.linked_txn:
            amount = min(line.amount, left) if linked.txn_type == "Invoice" else Decimal(0)
            if amount:
                found[linked.txn_id] = found.get(linked.txn_id, Decimal(0)) + amount
                left -= amount
    return found


def refund(told: Told, sale: str | None, books: Books) -> Seen:
    """A refund receipt of the sale it names; of none it is nobody's."""
    mark = reference(told)
    if sale is None or not told.total_amt:
        return books.seen("RefundReceipt", told, None, reference=mark)
    order = ref(Kind.ORDER, books.connection.name, sale)
    currency = _currency(told, books)
    body = Refund(
        order=order,
        amount=to_minor_unit(told.total_amt, currency),
        currency=currency,
        gateway=told.payment_method_ref.name if told.payment_method_ref else "",
        at=noon(told.txn_date),
        status=SettlementStatus.SETTLED,
    )
    return books.seen("RefundReceipt", told, body, order=order, reference=mark)


def noon(day: date) -> datetime:
    """A day without a time, as its noon: that is the same day nearly everywhere."""
    return datetime.combine(day, time(12), UTC)


# -- names -----------------------------------------------------------------------------------------


def customer(told: ToldCustomer, books: Books) -> Seen:
    """A customer; who was merged or put out of use is one no more."""
    if not told.active:
        return books.seen("Customer", told, None)
    name = TAIL.sub("", told.display_name)
    person = " ".join(filter(None, (told.given_name, told.family_name)))
    terms = told.sales_term_ref
    body = Customer(
        contact=Contact(
            name=person or name,
            email=told.primary_email_addr.address,
            phone=told.primary_phone.free_form_number,
        ),
        company=(
            Company(id=told.id, name=told.company_name, account=told.acct_num)
            if told.company_name
            else None
        ),
        addresses=tuple(_address(one) for one in (told.bill_addr, told.ship_addr) if one),
        terms=Terms(payment_days=books.days.get(terms.value) if terms else None),
    )
    return books.seen("Customer", told, body)


def _address(place: PlaceThere) -> Address:
    lines = [
        one for one in (place.line1, place.line2, place.line3, place.line4, place.line5) if one
    ]
    # Countries are read in three letters, which are not ours.
    country = place.country if len(place.country) == 2 else None
    return Address(
        street=next(iter(lines), ""),
        street2=", ".join(lines[1:]),
        city=place.city,
        region=place.country_sub_division_code if country else "",
        postal_code=place.postal_code,
        country=country,
    )


def item(told: ToldItem, read_at: datetime, books: Books) -> Iterator[Seen]:
    """An item with its price and, where it is counted, its stock; categories are none."""
    if told.type == "Category":
        return
    product = Product(sku=told.code, name=told.name, is_active=told.active)
    yield books.seen("Item", told, product, Kind.PRODUCT)
    yield books.seen("Item", told, _price(told, books), Kind.PRICE)
    yield from stock(told, read_at, books)


def _price(told: ToldItem, books: Books) -> Price | None:
    if not told.unit_price:
        return None
    amount = to_minor_unit(told.unit_price, books.home)
    return Price(
        product=books.name(Kind.PRODUCT, "Item", told.id),
        sku=told.code,
        unit=Unit.EACH,
        price=Money(amount=amount, currency=books.home),
        tax_included=told.sales_tax_included,
    )


def stock(told: ToldItem, read_at: datetime, books: Books) -> Iterator[Seen]:
    """How much is there. A sale moves it, and not the item's clock: its clock is the read."""
    if told.track_qty_on_hand:
        product = books.name(Kind.PRODUCT, "Item", told.id)
        level = StockLevel(
            product=product,
            sku=told.code,
            location=PLACE,
            on_hand=floor(told.qty_on_hand),
            as_of=read_at,
        )
        name = books.name(Kind.STOCK_LEVEL, "Item", told.id)
        yield Seen(name, level, read_at, refetch=Hint("Item", told.id))
