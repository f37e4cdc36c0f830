"""What an order must pass: price, minimum, credit, stock, shelf life, and money that adds up.

A check that fails holds; it never loses an order and never changes a price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from fizzbridge.model.catalogue import CatalogueItem, ListPrice
from fizzbridge.model.customer import Terms
from fizzbridge.model.documents import Documents, Invoice
from fizzbridge.model.money import to_minor_unit, written
from fizzbridge.model.order import AssessedLine, HoldReason, LineType, OrderClass, PaymentStatus
from fizzbridge.model.units import Unit
from fizzbridge.trade import (
    availability,
    credit,
    deliveries,
    lots,
    payments,
    prices,
    service,
    totals,
)
from fizzbridge.trade.books import Allotted
from fizzbridge.trade.draft import Draft
from fizzbridge.trade.packs import mixed_stock


def check_price(draft: Draft) -> None:
    """Compare net prices of an account's order with the price list that holds for it.

    What a buyer has paid is never questioned.
    """
    is_paid = draft.request.payment_status is PaymentStatus.PAID
    if not draft.rules.prices or draft.request.tax_included or is_paid:
        return
    terms = draft.account.terms if draft.account else Terms()
    lists = {"", terms.price_list, terms.group_price_list}
    # What other accounts pay decides nothing here and is never told.
    seen = [one for one in draft.rules.prices if one.price_list in lists]
    for line, counted in draft.goods():
        sku, unit = counted.sold.item.sku, counted.sold.unit
        offered = [one for one in seen if one.unit is unit]
        chosen = prices.choose(
            offered,
            sku,
            counted.quantity.ordered,
            account_list=terms.price_list,
            group_list=terms.group_price_list,
            mixed=_mixed(draft, offered, unit),
            day=draft.tax_point,
            currency=draft.currency,
        )
        if chosen is None or line.type is LineType.FREE_GOODS:
            continue
        price = written(chosen.price.price, draft.currency)
        text = f"{price} for a {unit.lower()} from {chosen.price.min_quantity} on"
        due = prices.amount(chosen, counted.quantity.ordered, draft.currency)
        draft.show("price", f"{text}, {chosen.kind} price", line=line.id, amount=due)
        if line.unit_price != chosen.price.price:
            asked = written(line.unit_price, draft.currency)
            draft.hold(
                HoldReason.PRICE,
                f"line {line.id}: the shop asks {asked}, the {chosen.kind} price is {price}",
            )
        cheaper = prices.step_up(chosen.tiers, chosen.quantity, draft.currency)
        if cheaper:
            draft.show(
                "price step",
                f"{cheaper[0]} would cost less than {chosen.quantity}",
                line=line.id,
                amount=cheaper[1],
            )


def _mixed(draft: Draft, offered: Sequence[ListPrice], unit: Unit) -> dict[str, int]:
    """How much of each mix group is ordered in a unit; what is free earns no better price."""
    members: dict[str, set[str]] = {}
    for one in offered:
        if one.mix_group and one.is_valid_on(draft.tax_point):
            members.setdefault(one.mix_group, set()).add(one.sku)
    return {
        group: sum(
            counted.quantity.ordered
            for line, counted in draft.goods()
            if line.type is LineType.GOODS
            and counted.sold.unit is unit
            and counted.sold.item.sku in skus
        )
        for group, skus in members.items()
    }


def check_minimum(draft: Draft) -> None:
    """Hold a bulk order too small to send a van for; deposits and tax do not count."""
    limits = draft.rules.bridge.limits
    value = sum((one.amount for one in draft.lines if one.type is LineType.GOODS), Decimal(0))
    cases = sum((counted.case_equivalents for _, counted in draft.goods()), Decimal(0))
    least, enough = limits.minimum_order_value, limits.minimum_order_cases
    if least is None or draft.currency != draft.rules.bridge.company.currency:
        return
    draft.show("minimum order", f"goods {value}, at least {least}", amount=value)
    if value < least and (enough is None or cases < enough):
        draft.hold(HoldReason.LIMIT, f"goods of {value} are below the minimum order of {least}")


def check_credit(draft: Draft, invoiced: Sequence[Invoice]) -> None:
    """Release on account only what the account is good for; no word of the ERP is a hold.

    What is invoiced already is among the account's invoices.
    """
    policy = draft.rules.bridge.credit
    is_paid = draft.request.payment_status is PaymentStatus.PAID
    if policy is None or is_paid or not draft.is_on_account:
        return
    billed = sum((one.totals.gross for one in invoiced), Decimal(0))
    found = credit.check(
        draft.account.credit if draft.account else None,
        max(draft.totals().gross - billed, Decimal(0)),
        draft.books.other_orders(draft.currency),
        policy,
        draft.currency,
        draft.tax_point,
    )
    draft.workings.append(found.working)
    if found.verdict is credit.Verdict.HOLD:
        draft.hold(HoldReason.CREDIT, found.working.text, draft.books.credit_cause())


def check_load(draft: Draft) -> None:
    """Count the pallets; more than a truck takes is a matter for a person."""
    policy = draft.rules.bridge.delivery
    if policy is None or policy.truck_pallets is None:
        return
    built, left = 0, policy.truck_pallets
    for _, counted in draft.goods():
        item = counted.sold.item
        case, pallet = item.factor(Unit.CASE), item.factor(Unit.PALLET)
        if case and pallet:
            cases = -(-counted.quantity.base // case)
            left = deliveries.fits(policy.truck_pallets, built, cases, pallet // case)
            built = policy.truck_pallets - left
    draft.show("load", f"{built} pallets on {policy.truck_pallets} places")
    if left < 0:
        draft.hold(HoldReason.LIMIT, f"{built} pallets are {-left} more than a truck takes")


def show_terms(draft: Draft) -> None:
    """Show when it is due, and what paying early saves."""
    terms = draft.account.terms if draft.account else Terms()
    if terms.payment_days is not None:
        day = payments.due_on(draft.tax_point, terms.payment_days)
        draft.show("due", f"{terms.payment_days} days from {draft.tax_point}: {day}")
    if terms.cash_discount_percent:
        goods = sum((one.amount for one in draft.lines if one.type is LineType.GOODS), Decimal(0))
        saved = payments.cash_discount(goods, terms.cash_discount_percent, draft.currency)
        text = f"{terms.cash_discount_percent} % of {goods} goods, without deposits"
        draft.show("cash discount", text, amount=saved)


def promise(draft: Draft) -> date | None:
    """The first day a route brings a bulk order; None where nothing says when routes run."""
    policy = draft.rules.bridge.delivery
    if policy is None or draft.order_class is not OrderClass.BULK:
        return None
    days = draft.account.terms.route_days if draft.account else ()
    try:
        day, working = deliveries.promise(draft.request.placed_at, policy, days or policy.days)
    except ValueError as error:
        draft.show("delivery", str(error))
        return None
    draft.workings.append(working)
    return day


def check_stock(draft: Draft, delivered_on: date | None, shipped: Mapping[str, int]) -> None:
    """Claim stock for every item; what is not there, or too short of life, holds the release.

    What has left stays claimed: it is on hand until a level was counted later. A mixed case is
    claimed by its components: it is there as often as the scarcest of them.
    """
    if draft.rules.bridge.stock is None:
        return
    single: dict[str, int] = {}
    mixed: dict[str, tuple[CatalogueItem, int]] = {}
    needs: dict[str, dict[str, int]] = {}
    for line, counted in draft.goods():
        item, factor = counted.sold.item, counted.quantity.factor
        left = max(counted.quantity.base - shipped.get(line.id, 0) * factor, 0)
        if item.components:
            mixed[item.sku] = (item, mixed.get(item.sku, (item, 0))[1] + left)
        else:
            single[item.sku] = single.get(item.sku, 0) + left
        for sku, quantity in _parts(item):
            of = needs.setdefault(sku, {})
            of[line.id] = of.get(line.id, 0) + counted.quantity.base * quantity
    draft.books.expect(needs)
    got = _allot(draft, needs)
    spare = {}
    for sku, found in got.items():
        wanted = single.get(sku, 0)
        given = min(found.allotted, wanted)
        spare[sku] = found.allotted - given
        _check_short(draft, found, sku, wanted, wanted - given, delivered_on)
    for item, wanted in mixed.values():
        if wanted and all(part.sku in got for part in item.components):
            possible = min(mixed_stock(item, spare), wanted)
            draft.show("mixed case", f"{item.sku}: its components allow {possible} of {wanted}")
            scarce = min(item.components, key=lambda part: spare[part.sku] // part.quantity)
            _short(draft, item, wanted, wanted - possible, scarce.sku)


def _check_short(
    draft: Draft, got: Allotted, sku: str, wanted: int, missing: int, delivered_on: date | None
) -> None:
    """Hold for what is missing, or too short of life when it is delivered."""
    sold = draft.rules.catalogue.item(sku, draft.tax_point)
    if sold is None or not wanted:
        return
    short = missing or _short_of_life(draft, got, sold, delivered_on or draft.tax_point)
    _short(draft, sold, wanted, short, sku)
    if short:
        _promise_later(draft, got, short)


def _parts(item: CatalogueItem) -> list[tuple[str, int]]:
    """What one base unit takes from stock: its components, or itself."""
    return [(part.sku, part.quantity) for part in item.components] or [(item.sku, 1)]


def _allot(draft: Draft, needs: Mapping[str, Mapping[str, int]]) -> dict[str, Allotted]:
    """Claims on each item, for all lines that want it."""
    got = {}
    for sku, wanted in needs.items():
        found = draft.rules.catalogue.item(sku, draft.tax_point)
        allotted = found and draft.books.allot(found, wanted, draft.request.placed_at)
        if allotted:
            draft.workings.append(allotted.working)
            got[sku] = allotted
    return got


def _short(draft: Draft, item: CatalogueItem, wanted: int, short: int, scarce: str) -> None:
    policy = draft.rules.bridge.stock
    if policy is None or not short:
        return
    text = f"{item.sku}: {short} of {wanted} {item.base_unit.lower()} are not there"
    is_whole = draft.account is not None and draft.account.terms.ships_complete
    if policy.short == "hold" or is_whole:
        draft.hold(HoldReason.STOCK, text, draft.books.stock_cause(scarce))
    else:
        draft.show("backorder", text)


def _promise_later(draft: Draft, got: Allotted, short: int) -> None:
    """Say when a receipt from a supplier covers what is missing."""
    for day, left in availability.promise(-short, got.receipts, ()):
        if left >= 0:
            draft.show("available to promise", f"{short} missing are covered on {day}")
            return


def _short_of_life(draft: Draft, got: Allotted, item: CatalogueItem, day: date) -> int:
    """What lots cannot give with the shelf life the account asks for; first expired goes first."""
    if not item.is_lot_tracked or not got.lots:
        return 0
    least = lots.minimum_days(draft.account.terms, item.shelf_life_days) if draft.account else 0
    plan = lots.fefo(got.lots, got.wanted, day, least)
    draft.workings.append(plan.working)
    return plan.short


def check_sums(draft: Draft) -> None:
    """The shop's lines must sum to its total; a cent or two is one line of its own."""
    request = draft.request
    said = request.totals.gross if request.tax_included else request.totals.net
    lines = sum((one.type.sign * one.amount for one in request.lines), Decimal(0))
    try:
        off = totals.rounding(said, lines, draft.rules.bridge.limits.total_tolerance)
    except totals.TotalMismatchError as error:
        draft.hold(
            HoldReason.TOTAL_MISMATCH,
            f"the shop's lines sum to {error.destination}, its total is {error.source}, "
            f"difference {error.difference}",
        )
        return
    if off:
        draft.show("rounding", f"{said} in all - {lines} in lines", amount=off)
        draft.lines.append(
            AssessedLine(
                id="rounding",
                type=LineType.ROUNDING,
                sku=None,
                quantity=None,
                amount=to_minor_unit(off, draft.currency),
                tax=Decimal(0),
                title="Rounding",
                is_added=True,
            )
        )


def check_settlement(draft: Draft, documents: Documents) -> None:
    """Nothing is given back that was not paid, or credited that was not invoiced."""
    for sentence in payments.settled(
        draft.currency, documents.payments, documents.refunds, documents.invoices
    ):
        draft.hold(HoldReason.LIMIT, sentence)


def show_margin(draft: Draft) -> None:
    """Goods net against their cost; deposits, levies and tax are neither."""
    goods = list(draft.goods())
    if draft.currency != draft.rules.bridge.company.currency or not goods:
        return
    cost = Decimal(0)
    for _, counted in goods:
        unit_cost = counted.sold.item.unit_cost
        if unit_cost is None:
            return
        cost += unit_cost * counted.quantity.base
    cost = to_minor_unit(cost, draft.currency)
    sold = sum(
        (
            line.amount - (line.tax if draft.request.tax_included else 0)
            for line in draft.lines
            if line.type is LineType.GOODS
        ),
        Decimal(0),
    )
    if sold:
        percent = service.margin(sold, cost)
        draft.show("margin", f"({sold} - {cost}) / {sold} = {percent} %", amount=sold - cost)
