"""Canonical state to what Odoo should hold. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from decimal import ROUND_UP, Context, Decimal
from typing import Any

from fizzbridge.errors import DependencyNotReadyError
from fizzbridge.model.customer import Customer
from fizzbridge.model.order import (
    OrderAssessment,
    OrderClass,
    OrderRequest,
)
from fizzbridge.model.party import Address
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.positions import gross, positions
from fizzbridge.runtime.target import Situation
from fizzbridge.trade.taxes import TaxRounding
from platforms.odoo.wire import (
    Order,
    Partner,
    Place,
    Resolved,
    SaleOrderLine,
)

PRICE = Context(prec=15, rounding=ROUND_UP)
"""Odoo keeps every digit of a unit price, as a binary float: fifteen digits come back as they went.

Rounded away from zero, so that half a cent of tax stays half a cent: Odoo takes it on amounts that
are not rounded yet.
"""
ALIKE = Decimal("0.0001")
CENT = Decimal("0.01")


def order(request: OrderRequest, assessment: OrderAssessment, situation: Situation) -> Order:
    """The sale order Odoo should hold.

    Raises:
        MappingError: a line is nothing Odoo could know.
    """
    settings = situation.connection.settings
    customer = situation.external_ids.get(request.customer)
    if customer is None:
        msg = f"order {request.number}: its customer is not at {situation.connection.name} yet"
        raise DependencyNotReadyError(msg, platform="odoo")
    # A hold of the release leaves a quotation: confirming reserves stock and starts picking.
    is_released = assessment.state in {OrderState.CONFIRMED, OrderState.RELEASED, OrderState.CLOSED}
    way = TaxRounding(str(settings.get("tax_rounding", TaxRounding.DOCUMENT)))
    lines = positions(request, assessment, situation, way)
    return Order(
        customer=customer,
        ship_to=_ship_to(request),
        client_order_ref=request.po_number,
        date_order=f"{request.placed_at:%Y-%m-%d %H:%M:%S}",
        note=request.note,
        currency=request.currency,
        pricelist=situation.code("pricelist", request.currency),
        warehouse=str(settings.get("warehouse", "")),
        lines=lines,
        total=gross(lines, request.currency, way),
        confirm=settings.get("confirm") == "on_placed" and is_released,
    )


def unit_price(amount: Decimal, quantity: int) -> Decimal:
    """The price that gives the line amount back to the cent, whatever the quantity."""
    return PRICE.divide(amount, Decimal(quantity)).normalize()


def commands(lines: Sequence[SaleOrderLine], wanted: Sequence[Resolved]) -> list[list[Any]]:
    """The x2many commands that make an order's lines what is wanted.

    Lines are told apart by product: an equal one first, so that nothing is written to it, else the
    next of that product. What is left over goes to quantity 0, which a confirmed order allows. The
    price is part of every write, because a new quantity alone resets it to the price list's.
    """
    left = [line for line in lines if line.product_id and not line.is_downpayment]
    missing = []
    for line in wanted:
        same = next((found for found in left if _is(found, line)), None)
        if same:
            left.remove(same)
        else:
            missing.append(line)
    changes: list[list[Any]] = []
    for line in missing:
        near = next((found for found in left if found.product_id == line.product_id), None)
        if near:
            left.remove(near)
            changes.append([1, near.id, _values(line)])
        else:
            new = {"product_id": line.product_id, "name": line.title, "technical_price_unit": -1}
            changes.append([0, 0, new | _values(line)])
    return changes + [
        [1, line.id, {"product_uom_qty": 0, "price_unit": line.price_unit}]
        for line in left
        if line.product_uom_qty
    ]


def _is(line: SaleOrderLine, wanted: Resolved) -> bool:
    off = abs(line.price_unit - wanted.price) * wanted.quantity
    return (
        (line.product_id, line.product_uom_id) == (wanted.product_id, wanted.uom_id)
        and line.product_uom_qty == wanted.quantity
        and not line.discount
        and set(line.tax_ids) == set(wanted.tax_ids)
        and off < ALIKE
    )


def _values(line: Resolved) -> dict[str, Any]:
    return {
        "product_uom_qty": line.quantity,
        "product_uom_id": line.uom_id,
        "price_unit": line.price,
        "discount": 0,
        "tax_ids": [[6, 0, list(line.tax_ids)]],
    }


def is_billed_otherwise(lines: Sequence[SaleOrderLine], changes: Sequence[Sequence[Any]]) -> bool:
    """Whether changes leave an invoice behind at another price, of which Odoo says nothing.

    Quantities may change: what is then to invoice, or to credit, Odoo counts.
    """
    there = {line.id: line for line in lines if line.qty_invoiced}
    for _, number, values in changes:
        line = there.get(number)
        if line is None:
            continue
        now = line.price_unit * (100 - line.discount)
        wanted = values["price_unit"] * (100 - values.get("discount", line.discount))
        if abs(wanted - now) / 100 * abs(line.qty_invoiced) >= CENT:
            return True
    return False


def markup(note: str) -> str:
    """A note as HTML, line by line."""
    lines = "<br/>".join(html.escape(one) for one in note.splitlines())
    return f"<p>{lines}</p>" if note else ""


def words(note: str) -> list[str]:
    """What a note says, which Odoo keeps as HTML."""
    return html.unescape(re.sub("<[^>]*>", " ", note)).split()


def partner(customer: Customer) -> Partner:
    """The partner Odoo should hold."""
    company, contact = customer.company, customer.contact
    if customer.is_erased:
        return Partner(name="Erased", is_company=False, address=Place(), is_erased=True)
    main, *others = customer.addresses or (Address(),)
    return Partner(
        name=(company.name if company else "") or contact.name or main.name or "Customer",
        is_company=company is not None or customer.fixed_class is OrderClass.BULK,
        email=contact.email,
        vat=(company.vat_number if company else "") or customer.tax_number,
        address=place(main).model_copy(update={"phone": contact.phone or main.phone}),
        deliveries=tuple(place(address) for address in others),
    )


def _ship_to(request: OrderRequest) -> Place | None:
    found = place(request.ship_to) if request.ship_to else Place()
    # A country alone is no address: that is all that stays of one that was erased.
    return None if found == Place(country=found.country, region=found.region) else found


def place(address: Address) -> Place:
    """An address as Odoo spells it."""
    return Place(
        name=", ".join(filter(None, (address.company, address.name))),
        street=address.street,
        street2=address.street2,
        city=address.city,
        zip=address.postal_code,
        phone=address.phone,
        country=address.country or "",
        region=address.region,
    )
