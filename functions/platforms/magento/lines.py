"""Lines of an order, and which of them credit memos and shipments are about: pure.

Magento lists a product that has parts together with its parts, and repeats both in what follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.documents import RefundedLine, ShippedLine
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import DocumentLine, LineType, TaxShare
from platforms.magento import wire

_SHIPPING = "shipping"
_UNSTOCKED = frozenset({"virtual", "downloadable", "giftcard"})
_WRAPPING = (
    ("wrapping", "gw_price", "gw_tax_amount"),
    ("wrapping-items", "gw_items_price", "gw_items_tax_amount"),
    ("wrapping-card", "gw_card_price", "gw_card_tax_amount"),
)


@dataclass(frozen=True)
class Shop:
    """What an order does not say of its shop.

    Attributes:
        connection: the connection's name.
        tax_included: whether the shop's prices have their tax in them.
        levies: titles of the fixed product taxes that are no deposits.
    """

    connection: str
    tax_included: bool = False
    levies: frozenset[str] = frozenset()


def lines(told: wire.Order, shop: Shop) -> Iterator[DocumentLine]:
    """Every line of an order: goods, deposits, freight, fees."""
    extension, found = told.extension_attributes, []
    for item in _shown(told):
        line = _goods(item, told, shop)
        found.append(line)
        yield line
        yield from _deposits(item, line, told, shop)
    if told.shipping_amount:
        yield _freight(told, found, shop)
    for name, price, tax in _WRAPPING:
        if getattr(extension, price):
            yield _fee(name, name, getattr(extension, price), getattr(extension, tax), told, shop)
    for fee in extension.custom_fees:
        title = fee.custom_fee_label or fee.custom_fee_code
        amount = fee.custom_fee_amount
        yield _fee(f"fee:{fee.id or fee.custom_fee_code}", title, amount, Decimal(0), told, shop)


def _goods(item: wire.Item, told: wire.Order, shop: Shop) -> DocumentLine:
    is_in = shop.tax_included
    tax = _share(item.tax_amount, item, told)
    amount = _share(item.net, item, told) + (tax if is_in else 0)
    before = _share(item.row_total_incl_tax if is_in else item.row_total, item, told)
    is_part = bool(item.parent_item_id)
    is_bundle = item.product_type == "bundle" and bool(_parts(item, told))
    price = item.price_incl_tax if is_in else item.price
    is_free = not (amount or before or is_part or is_bundle)
    return DocumentLine(
        id=item.item_id,
        type=LineType.FREE_GOODS if is_free else LineType.GOODS,
        parent_id=item.parent_item_id if is_part else None,
        sku=item.sku or None,
        title=item.name,
        quantity=_whole(_kept(item, told), told.entity_id),
        quantity_ordered=_whole(item.qty_ordered, told.entity_id),
        unit_price=item.price if price is None else price,
        discount=max(before - amount, Decimal(0)),
        amount=amount,
        tax=tax,
        taxes=tuple(_taxes(item, told)),
        # Of a bundle with a price of its own the parts are shipped.
        is_stocked=item.product_type not in _UNSTOCKED and not is_bundle,
    )


def _kept(item: wire.Item, told: wire.Order) -> Decimal:
    """What is not cancelled of a line; an order that is cancelled whole stays as it was."""
    if told.state == "canceled":
        return item.qty_ordered
    return max(item.qty_ordered - item.qty_canceled, Decimal(0))


def _share(amount: Decimal, item: wire.Item, told: wire.Order) -> Decimal:
    """Of a line's amount, what belongs to what is kept of it."""
    if item.qty_ordered:
        amount = amount * _kept(item, told) / item.qty_ordered
    return to_minor_unit(amount, told.order_currency_code)


def _taxes(item: wire.Item, told: wire.Order) -> Iterator[TaxShare]:
    """By rate where the version says it, else the line's one rate."""
    if not item.tax_amount:
        return
    listed = [
        tax
        for one in told.extension_attributes.item_applied_taxes
        if one.item_id == item.item_id
        for tax in one.applied_taxes
    ] or item.extension_attributes.itemized_taxes
    usual = wire.Tax(title=_percent(item), percent=item.tax_percent, amount=item.tax_amount)
    for tax in [one for one in listed if one.amount] or [usual]:
        amount = _share(tax.amount, item, told)
        yield TaxShare(title=tax.title, rate=tax.percent / 100, amount=amount)


def _percent(item: wire.Item) -> str:
    return f"{item.tax_percent.normalize():f} %"


def _deposits(
    item: wire.Item, goods: DocumentLine, told: wire.Order, shop: Shop
) -> Iterator[DocumentLine]:
    """Fixed product taxes are lines of their own: neither price nor tax of the goods."""
    for number, one in enumerate(item.levied):
        tax = _share(one.tax, item, told)
        share = TaxShare(title=_percent(item), rate=item.tax_percent / 100, amount=tax)
        yield DocumentLine(
            id=_deposit_id(item.item_id, number),
            type=LineType.LEVY if one.title in shop.levies else LineType.DEPOSIT,
            parent_id=item.item_id,
            title=one.title,
            quantity=goods.quantity,
            quantity_ordered=goods.quantity_ordered,
            unit_price=one.amount,
            amount=_share(one.row_amount, item, told) + (tax if shop.tax_included else 0),
            tax=tax,
            taxes=(share,) if tax else (),
            is_stocked=False,
        )


def _deposit_id(item_id: str, number: int) -> str:
    return f"{item_id}:{number}"


def _freight(told: wire.Order, goods: Iterable[DocumentLine], shop: Shop) -> DocumentLine:
    currency = told.order_currency_code
    tax = to_minor_unit(told.shipping_tax_amount, currency)
    compensation = told.shipping_discount_tax_compensation_amount
    net = told.shipping_amount - told.shipping_discount_amount + compensation
    amount = to_minor_unit(net, currency) + (tax if shop.tax_included else 0)
    before = told.shipping_incl_tax if shop.tax_included else told.shipping_amount
    return DocumentLine(
        id="shipping",
        type=LineType.FREIGHT,
        title=told.shipping_description,
        quantity=1,
        quantity_ordered=1,
        unit_price=before,
        discount=max(to_minor_unit(before, currency) - amount, Decimal(0)),
        amount=amount,
        tax=tax,
        taxes=tuple(_freight_taxes(told, goods, tax)),
        is_stocked=False,
    )


def _freight_taxes(
    told: wire.Order, goods: Iterable[DocumentLine], tax: Decimal
) -> Iterator[TaxShare]:
    """By rate where the version says it, else by the one rate of the goods; else nobody says."""
    if not tax:
        return
    extension = told.extension_attributes
    said = [
        share
        for one in extension.item_applied_taxes
        if one.type == _SHIPPING
        for share in one.applied_taxes
    ] or [one for one in extension.additional_itemized_taxes if one.taxable_item_type == _SHIPPING]
    listed = [
        TaxShare(
            title=share.title,
            rate=share.percent / 100,
            amount=to_minor_unit(share.amount, told.order_currency_code),
        )
        for share in said
    ]
    rates = {(share.title, share.rate) for line in goods for share in line.taxes}
    if not listed and len(rates) == 1:
        title, rate = rates.pop()
        listed = [TaxShare(title=title, rate=rate, amount=tax)]
    yield from listed


def _fee(
    line_id: str, title: str, net: Decimal, tax: Decimal, told: wire.Order, shop: Shop
) -> DocumentLine:
    tax = to_minor_unit(tax, told.order_currency_code)
    amount = to_minor_unit(net, told.order_currency_code) + (tax if shop.tax_included else 0)
    return DocumentLine(
        id=line_id,
        type=LineType.DISCOUNT if amount < 0 else LineType.FEE,
        title=title,
        quantity=1,
        quantity_ordered=1,
        unit_price=abs(amount),
        amount=abs(amount),
        tax=abs(tax),
        is_stocked=False,
    )


def credited(told: wire.CreditMemo, of: wire.Order, currency: str) -> Iterator[RefundedLine]:
    """Lines of ours that a credit memo is about, without tax, and their deposits."""
    shown = {item.item_id for item in _shown(of)}
    for row in told.items:
        if row.order_item_id not in shown or not row.qty:
            continue
        quantity = _whole(row.qty, told.order_id)
        yield RefundedLine(
            order_line_id=row.order_item_id,
            quantity=quantity,
            amount=to_minor_unit(row.net, currency),
            tax=to_minor_unit(row.tax_amount, currency),
            is_restocked=False,
        )
        for number, one in enumerate(row.levied):
            yield RefundedLine(
                order_line_id=_deposit_id(row.order_item_id, number),
                quantity=quantity,
                amount=to_minor_unit(one.row_amount, currency),
                tax=to_minor_unit(one.tax, currency),
                is_restocked=False,
            )


def sent(told: wire.Shipment, of: wire.Order) -> Iterator[ShippedLine]:
    """Lines of ours that were sent; a bundle sent as one is its parts."""
    named = {row.order_item_id for row in told.items}
    shown = {item.item_id: item for item in _shown(of)}
    bundles = {item.item_id: item for item in of.items if item.product_type == "bundle"}
    for row in told.items:
        bundle = bundles.get(row.order_item_id)
        parts = _parts(bundle, of) if bundle else []
        if bundle and parts:
            if not any(part.item_id in named for part in parts):
                for part in parts:
                    quantity = row.qty * part.qty_ordered / bundle.qty_ordered
                    yield _sent_line(part, quantity, told)
        elif row.order_item_id in shown:
            yield _sent_line(shown[row.order_item_id], row.qty, told)


def _sent_line(item: wire.Item, quantity: Decimal, told: wire.Shipment) -> ShippedLine:
    return ShippedLine(
        order_line_id=item.item_id,
        sku=item.sku or None,
        quantity=_whole(quantity, told.order_id),
    )


def _whole(quantity: Decimal, order_id: str) -> int:
    """Shops may sell by the metre and by the half; we count pieces."""
    if quantity != quantity.to_integral_value():
        raise MalformedDeliveryError(
            f"order {order_id}: a quantity of {quantity.normalize():f} is no number of pieces",
            code="fraction",
        )
    return int(quantity)


def _shown(told: wire.Order) -> Iterator[wire.Item]:
    """Items that are lines of ours: each price and each piece of goods once.

    A configurable product is one line, the parent's: it has the price, the SKU of what was chosen
    and the quantity shipped. The parts of a bundle are lines, since they are what is shipped; the
    bundle itself is one where it has the price, and none where its parts have theirs.
    """
    items = {item.item_id: item for item in told.items}
    for item in told.items:
        parent = items.get(item.parent_item_id)
        if parent and parent.product_type != "bundle" and not item.price:
            continue
        if item.product_type == "bundle" and any(one.price for one in _parts(item, told)):
            continue
        yield item


def _parts(of: wire.Item, told: wire.Order) -> list[wire.Item]:
    return [item for item in told.items if item.parent_item_id == of.item_id]
