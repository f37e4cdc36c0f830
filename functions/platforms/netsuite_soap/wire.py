"""NetSuite's shapes: what we read of its records, and what we want a record to hold."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from fizzbridge.model.base import Frozen
from fizzbridge.model.party import Personal
from fizzbridge.runtime.positions import Position
from fizzbridge.runtime.target import Code, DocumentPayload
from fizzbridge.wire import Flag, MaybeMoment, Moment, Money, Text, Wire
from platforms.netsuite_soap.transport import legible


class Record(Wire):
    """A record, or a part of one, as it is read."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)
    internal_id: Text = ""


def _ref(value: Any) -> str:
    """A reference is read with its name beside it; only the id lasts."""
    return str(value.get("internalId", "")) if isinstance(value, Mapping) else ""


def _name(value: Any) -> str:
    return str(value.get("name") or "") if isinstance(value, Mapping) else ""


def _rows(value: Any) -> list[Any]:
    """The rows of a list, whatever each is called; one row comes without a list around it."""
    for rows in value.values() if isinstance(value, Mapping) else ():
        if isinstance(rows, list | Mapping):
            return list(rows) if isinstance(rows, list) else [rows]
    return []


def _maybe(value: Any) -> Any:
    return value or None


Ref = Annotated[str, BeforeValidator(_ref)]
Name = Annotated[str, BeforeValidator(_name)]
"""A reference by the name people see."""
Rows = BeforeValidator(_rows)
Counted = Annotated[Decimal | None, BeforeValidator(_maybe)]
"""A number, or None where the field is empty."""


class Uom(Record):
    """One unit of a units type; ``conversion_rate`` counts in its base unit."""

    unit_name: Text = ""
    abbreviation: Text = ""
    plural_name: Text = ""
    plural_abbreviation: Text = ""
    base_unit: Flag = False
    conversion_rate: Decimal

    @property
    def names(self) -> tuple[str, ...]:
        """What people call it."""
        named = (self.unit_name, self.abbreviation, self.plural_name, self.plural_abbreviation)
        return tuple(filter(None, named))


class UnitsType(Record):
    """``unitsType``."""

    uom_list: Annotated[tuple[Uom, ...], Rows] = ()


class Item(Record):
    """An item of any type; ``sort`` is which."""

    external_id: Text = ""
    item_id: Text = ""
    display_name: Text = ""
    upc_code: Text = ""
    is_inactive: Flag = False
    units_type: Ref = ""
    sort: str = ""

    @property
    def is_discount(self) -> bool:
        """Discounts have an amount and no quantity."""
        return self.sort == "DiscountItem"

    @property
    def is_stocked(self) -> bool:
        """Inventory, assemblies and kits of any kind are goods; a NonInventorySaleItem is not."""
        return self.has_stock or "Kit" in self.sort

    @property
    def has_stock(self) -> bool:
        """Whether a warehouse counts it; of a kit it counts what it is made of."""
        return any(word in self.sort for word in ("InventoryItem", "Assembly"))


class Named(Record):
    """A reference with the name people see."""

    name: Text = ""


class ItemPrice(Wire):
    """A price from a quantity on; NetSuite counts from nought."""

    value: Counted = None
    quantity: Money = Decimal(0)


class Pricing(Record):
    """What an item costs on one price level in one currency."""

    currency: Ref = ""
    price_level: Named = Named()
    price_list: Annotated[tuple[ItemPrice, ...], Rows] = ()


class SoldItem(Item):
    """An item with its prices, which are for one ``sale_unit``."""

    last_modified_date: Moment
    sale_unit: Ref = ""
    prices_include_tax: Flag = False
    pricing_matrix: Annotated[tuple[Pricing, ...], Rows] = ()


class Availability(Record):
    """How much of an item is at a location, in its base unit."""

    item: Ref
    location_id: Ref
    quantity_on_hand: Money = Decimal(0)
    quantity_committed: Money = Decimal(0)


class Location(Record):
    """``location``."""

    make_inventory_available: Flag = True


class Term(Record):
    """``term``: when invoices are due. Those that go by the day of the month have no days."""

    days_until_net_due: Counted = None
    discount_percent: Counted = None


class TaxItem(Record):
    """``salesTaxItem``; the rate is read as ``20.0%``."""

    item_id: Text = ""
    rate: Text = ""
    is_inactive: Flag = False

    @property
    def fraction(self) -> Decimal:
        """The rate as we have it: 0.2."""
        return Decimal(self.rate.rstrip("%") or "0") / 100


class Currency(Record):
    """``currency``."""

    symbol: Text = ""


class Place(Frozen):
    """An address as NetSuite has it, read or wanted."""

    country: str = ""
    attention: Personal = ""
    addressee: Personal = ""
    addr_phone: Personal = ""
    addr1: Personal = ""
    addr2: Personal = ""
    city: Personal = ""
    state: str = ""
    zip: Personal = ""

    @property
    def known_by(self) -> tuple[str, ...]:
        """What tells two addresses apart: NetSuite has its own way with phones and states."""
        told = (self.attention, self.addressee, self.addr1, self.addr2, self.city, self.zip)
        return tuple(words(text).casefold() for text in told)

    def is_at(self, other: Place) -> bool:
        """Whether another address is this one, as far as this one says."""
        return self.known_by == other.known_by and self.country in {"", other.country}


def words(text: str) -> str:
    """What a text says: NetSuite has its own way with blanks and ends of lines."""
    return " ".join(legible(text).split())


def _place(value: Any) -> Place | None:
    if not isinstance(value, Mapping):
        return None
    names = {to_camel(name): name for name in Place.model_fields}
    return Place(**{names[k]: str(v or "") for k, v in value.items() if k in names})


class SalesOrderLine(Record):
    """A line of a sales order; ``line`` is its key there."""

    line: int
    item: Ref = ""
    quantity: Counted = None
    units: Ref = ""
    amount: Money = Decimal(0)
    tax_code: Ref = ""
    is_closed: Flag = False
    quantity_fulfilled: Money = Decimal(0)
    quantity_billed: Money = Decimal(0)


class SalesOrder(Record):
    """``salesOrder``."""

    external_id: Text = ""
    tran_id: Text = ""
    order_status: Text = ""
    currency: Ref = ""
    other_ref_num: Text = ""
    memo: Text = ""
    shipping_address: Annotated[Place | None, BeforeValidator(_place)] = None
    total: Money = Decimal(0)
    item_list: Annotated[tuple[SalesOrderLine, ...], Rows] = ()


class Lot(Record):
    """What of a line is of one lot: ``issue`` where it goes out, ``receipt`` where it comes in."""

    issue_inventory_number: Name = ""
    receipt_inventory_number: Text = ""
    quantity: Money = Decimal(0)
    expiration_date: MaybeMoment = None

    @property
    def name(self) -> str:
        """The lot as people know it."""
        return self.issue_inventory_number or self.receipt_inventory_number


def _lots(value: Any) -> list[Any]:
    return _rows(value.get("inventoryAssignmentList")) if isinstance(value, Mapping) else []


class Row(Record):
    """A line of a transaction that is read back."""

    line: Text = ""
    item: Ref = ""
    description: Text = ""
    item_receive: Flag = True
    """Whether it is in the fulfilment at all."""
    quantity: Money = Decimal(0)
    quantity_fulfilled: Money = Decimal(0)
    quantity_billed: Money = Decimal(0)
    quantity_received: Money = Decimal(0)
    units: Ref = ""
    units_display: Text = ""
    """Fulfilments name the unit only, by its name or abbreviation."""
    inventory_detail: Annotated[tuple[Lot, ...], BeforeValidator(_lots)] = ()
    rate: Text = ""
    amount: Money = Decimal(0)
    gross_amt: Counted = None
    tax1_amt: Counted = None
    tax_rate1: Text = ""
    tax_code: Name = ""


class Applied(Record):
    """What a credit memo, a payment or a refund is applied to, or might be."""

    doc: Text = ""
    apply: Flag = False
    amount: Money = Decimal(0)


def _tracking(value: Any) -> list[str]:
    """Every carrier's packages have the tracking number under a name of their own."""
    named = [(k, v) for row in _rows(value) if isinstance(row, Mapping) for k, v in row.items()]
    return [str(v) for k, v in named if k.startswith("packageTrackingNumber") and v]


Tracking = Annotated[tuple[str, ...], BeforeValidator(_tracking)]


class Transaction(Record):
    """What is read back, of any type: ``sort`` is which; no type has all of it."""

    sort: str
    tran_id: Text = ""
    tran_date: MaybeMoment = None
    created_date: MaybeMoment = None
    last_modified_date: Moment
    created_from: Ref = ""
    sales_order: Ref = ""
    """The order a deposit is for."""
    status: Text = ""
    order_status: Text = ""
    ship_status: Text = ""
    approval_status: Ref = ""
    ship_method: Name = ""
    package_list: Tracking = ()
    package_ups_list: Tracking = ()
    package_fed_ex_list: Tracking = ()
    package_usps_list: Tracking = ()
    currency: Ref = ""
    due_date: MaybeMoment = None
    tax_total: Money = Decimal(0)
    tax2_total: Money = Decimal(0)
    shipping_cost: Money = Decimal(0)
    handling_cost: Money = Decimal(0)
    discount_total: Money = Decimal(0)
    total: Money = Decimal(0)
    payment: Money = Decimal(0)
    payment_method: Name = ""
    memo: Annotated[Text, Field(repr=False)] = ""
    item_list: Annotated[tuple[Row, ...], Rows] = ()
    apply_list: Annotated[tuple[Applied, ...], Rows] = ()
    deposit_list: Annotated[tuple[Applied, ...], Rows] = ()

    @property
    def applied(self) -> tuple[Applied, ...]:
        """What it is applied to."""
        return tuple(one for one in (*self.apply_list, *self.deposit_list) if one.apply)

    @property
    def sources(self) -> tuple[str, ...]:
        """What it was made from, then what it is applied to; an order's quotation is not of use."""
        if self.sort == "SalesOrder":
            return ()
        applied = (one.doc for one in self.applied)
        return tuple(filter(None, (self.created_from, self.sales_order, *applied)))

    @property
    def tracking_numbers(self) -> tuple[str, ...]:
        """Of all its packages."""
        others = self.package_ups_list + self.package_fed_ex_list + self.package_usps_list
        return tuple(dict.fromkeys(self.package_list + others))


class OnHand(Record):
    """A line of a transaction that moves or promises stock."""

    item: Ref = ""


class Moving(Record):
    """A transaction that moves or promises stock."""

    item_list: Annotated[tuple[OnHand, ...], Rows] = ()
    inventory_list: Annotated[tuple[OnHand, ...], Rows] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """Ids of its items."""
        found = (one.item for one in self.item_list + self.inventory_list)
        return tuple(dict.fromkeys(one for one in found if one.isdigit() and one != "0"))


class DeletedRecord(Record):
    """A record that was deleted: its type is as ``get`` spells it."""

    type: Text = ""


class Deleted(Wire):
    """That a record was deleted."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)
    deleted_date: Moment
    record: DeletedRecord


class AddressBookEntry(Record):
    """An address of a customer."""

    default_shipping: Flag = False
    default_billing: Flag = False
    addressbook_address: Annotated[Place | None, BeforeValidator(_place)] = None


class CustomerRecord(Record):
    """``customer``."""

    external_id: Text = ""
    is_person: Flag = False
    company_name: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    phone: Text = ""
    vat_reg_number: Text = ""
    is_inactive: Flag = False
    addressbook_list: Annotated[tuple[AddressBookEntry, ...], Rows] = ()


class Account(CustomerRecord):
    """``customer`` as it is read back: with what it owes, and may owe."""

    last_modified_date: Moment
    entity_id: Text = ""
    currency: Ref = ""
    credit_limit: Counted = None
    credit_hold_override: Text = ""
    balance: Money = Decimal(0)
    deposit_balance: Money = Decimal(0)
    price_level: Named = Named()
    terms: Ref = ""
    ship_complete: Flag = False


class Concerning(Record):
    """A transaction of a customer; of a payment the field has another name."""

    entity: Ref = ""
    customer: Ref = ""

    @property
    def whose(self) -> str:
        """The customer's id."""
        return self.entity or self.customer


class Open(Record):
    """An invoice or an order of a customer that is not done yet."""

    sort: str
    entity: Ref = ""
    due_date: MaybeMoment = None
    amount_remaining: Money = Decimal(0)
    total: Money = Decimal(0)


class Resolved(Frozen):
    """An order line in NetSuite's ids."""

    title: str
    item: str
    quantity: int | None
    """None for a discount."""
    units: str
    rate: Decimal
    amount: Decimal
    tax_code: str


class Order(DocumentPayload):
    """A ``salesOrder`` wanted."""

    customer: str
    number: str
    currency_code: Code
    tran_date: str
    ship_date: str
    other_ref_num: str
    memo: str = Field(default="", repr=False)
    ship_to: Place | None
    custom_form: str
    places: dict[str, str]
    """Ids of class, department and location from the settings."""
    untaxed: Code
    """The tax code of lines without tax."""
    lines: tuple[Position, ...]
    approve: bool


class CustomerWanted(Frozen):
    """A ``customer`` wanted. Empty means that we do not know, except once erased."""

    is_person: bool
    company_name: Personal = ""
    first_name: Personal = ""
    last_name: Personal = ""
    email: Personal = ""
    phone: Personal = ""
    vat_reg_number: Personal = ""
    addresses: tuple[Place, ...] = ()
    custom_form: str
    subsidiary: str
    is_erased: bool = False
