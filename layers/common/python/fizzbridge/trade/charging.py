"""Deposits, levies and empties of an order: lines of their own, by the schemes of the place.

A deposit is money held for a container. It is no part of the goods' price, so no discount, minimum
or commission looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from fizzbridge.model.order import AssessedLine, HoldReason, LineType, TaxShare
from fizzbridge.model.scheme import Measure, Scheme, SchemeKind, TaxMode
from fizzbridge.trade import deposits, empties, levies
from fizzbridge.trade.deposits import Charge, MissingFactsError, Place, in_force
from fizzbridge.trade.draft import Draft
from fizzbridge.trade.packs import Counted


def schemes_of(draft: Draft, frozen: Sequence[Scheme] | None) -> tuple[Scheme, ...]:
    """The rates in force where the goods go, on the tax point; those once used stay.

    Args:
        draft: the order's assessment.
        frozen: the rates of an earlier assessment for the same place; None where there is none.
    """
    if frozen is not None:
        return tuple(frozen)
    where = draft.request.ship_to
    place = Place(
        country=where.country if where else None,
        region=where.region if where else "",
        city=where.city if where else "",
    )
    try:
        return in_force(draft.rules.schemes, place, draft.tax_point)
    except MissingFactsError as error:
        if draft.counted:
            draft.hold(HoldReason.COMPLIANCE, f"deposits and levies: {error}")
        return ()


def charge(draft: Draft, schemes: Sequence[Scheme]) -> None:
    """Add deposits and levies, or compare them with those the shop charged; take empties back."""
    found = list(_charges(draft, [one for one in schemes if one.is_charged]))
    _show_memos(draft, [one for one in schemes if not one.is_charged])
    if draft.source.deposits == "check" or any(one.type is _DEPOSIT for one in draft.lines):
        _compare(draft, [charge for _, charge in found])
    else:
        for counted, charge in found:
            _add(draft, counted, charge)
    _take_back(draft, schemes)


_DEPOSIT = LineType.DEPOSIT


def _charges(draft: Draft, schemes: Sequence[Scheme]) -> Iterable[tuple[Counted, Charge]]:
    for line, counted in draft.goods():
        sku = counted.sold.item.sku
        for rule in (deposits.charges, levies.levies):
            try:
                for charge in rule(counted, schemes, draft.currency):
                    yield counted, charge
            except ValueError as error:
                message = f"line {line.id}: {sku}: {error}"
                draft.hold(HoldReason.COMPLIANCE, message, f"CATALOGUE#{sku}")


def _show_memos(draft: Draft, schemes: Sequence[Scheme]) -> None:
    """What somebody earlier in the chain paid: on all litres together, rounded once."""
    for scheme in schemes:
        litres = Decimal(0)
        try:
            for _, counted in draft.goods():
                if deposits.applies(scheme, counted.sold.item):
                    litres += levies.volume(scheme, counted)
        except MissingFactsError as error:
            draft.show("levy memo", f"{scheme.name}: {error}")
            continue
        if litres:
            draft.workings.append(levies.memo(scheme, litres, draft.currency))


def _add(draft: Draft, counted: Counted, charge: Charge) -> None:
    scheme, item = charge.scheme, counted.sold.item
    draft.workings.append(charge.working)
    if not charge.amount:
        return
    goods = next(one for one in draft.lines if one.id == counted.line_id)
    bears = goods.taxes or _taxes_of_free(draft, goods, scheme)
    line = _line(draft, charge, f"{goods.id}/{scheme.name}", bears)
    kind, container = LineType.LEVY, ""
    if scheme.kind is SchemeKind.DEPOSIT:
        kind = _DEPOSIT
        named = item.crate if scheme.per is Measure.CRATE else item.container
        container = named if scheme.containers else scheme.name
    draft.lines.append(
        line.model_copy(update={"type": kind, "parent_id": goods.id, "container": container})
    )


def _taxes_of_free(draft: Draft, goods: AssessedLine, scheme: Scheme) -> tuple[TaxShare, ...]:
    """A shop tells no tax of what is free; the deposit on it bears that of the other goods."""
    if goods.amount or scheme.tax_mode is not TaxMode.FOLLOWS_GOODS:
        return ()
    found = _common_taxes(draft)
    if found is None:
        message = f"line {goods.id}: free, and the goods bear several taxes; which one?"
        draft.hold(HoldReason.TAX, message)
    return found or ()


def _line(draft: Draft, charge: Charge, line_id: str, goods: Iterable[TaxShare]) -> AssessedLine:
    scheme = charge.scheme
    taxes = deposits.taxes(
        scheme, charge.amount, goods, draft.currency, included=draft.request.tax_included
    )
    return AssessedLine(
        id=line_id,
        type=LineType.DEPOSIT_REFUND,
        sku=None,
        quantity=None,
        amount=charge.amount,
        tax=sum((tax.amount for tax in taxes), Decimal(0)),
        taxes=taxes,
        title=charge.working.text,
        unit_price=scheme.amount,
        count=charge.count,
        scheme=scheme.name,
        is_added=True,
    )


def _compare(draft: Draft, charges: Sequence[Charge]) -> None:
    """The shop charges deposits itself: are they what the schemes say?"""
    due = [one for one in charges if one.scheme.kind is SchemeKind.DEPOSIT]
    draft.workings += [charge.working for charge in charges]
    expected = sum((one.amount for one in due), Decimal(0))
    sent = sum((one.amount for one in draft.lines if one.type is _DEPOSIT), Decimal(0))
    if expected != sent:
        message = f"deposits: the shop charged {sent}, by the schemes it is {expected}"
        draft.hold(HoldReason.COMPLIANCE, f"{message}, difference {expected - sent}")


def _take_back(draft: Draft, schemes: Sequence[Scheme]) -> None:
    """Empties that come back with the order: a refund of deposits, and nothing of the goods."""
    try:
        brought = empties.returned(draft.request.properties)
        for container, count in brought.items():
            _refund(draft, container, count, schemes)
    except ValueError as error:
        draft.hold(HoldReason.COMPLIANCE, str(error))
        return
    _check_ledger(draft, brought, schemes)


def _refund(draft: Draft, container: str, count: int, schemes: Sequence[Scheme]) -> None:
    goods = _common_taxes(draft)
    for number, charge in enumerate(empties.refunds({container: count}, schemes, draft.currency)):
        if charge.scheme.tax_mode is TaxMode.FOLLOWS_GOODS and goods is None:
            message = f"empties {container}: the goods bear several taxes; which one?"
            draft.hold(HoldReason.TAX, message)
            return
        draft.workings.append(charge.working)
        # What follows the deposit is the redeemer's handling fee: money, and no container.
        line = _line(draft, charge, f"empties/{container}/{number}", goods or ())
        moved = "" if number else container
        draft.lines.append(line.model_copy(update={"container": moved}))


def _common_taxes(draft: Draft) -> tuple[TaxShare, ...] | None:
    """The taxes all goods bear; None where they differ."""
    found = {
        tuple((tax.title, tax.rate) for tax in line.taxes): line.taxes
        for line in draft.lines
        if line.type is LineType.GOODS and line.amount
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _check_ledger(draft: Draft, brought: dict[str, int], schemes: Sequence[Scheme]) -> None:
    """More empties than outstanding are normal in pools, and a way to cheat: above a limit, ask."""
    rows = draft.books.empties()
    balances = {
        name: balance
        for listed in rows.values()
        for name, balance in empties.ledger(listed).items()
    }
    if balances:
        draft.show(
            "deposits held",
            "for the outlet before this order",
            amount=empties.liability(balances.values()),
        )
    for container, balance in balances.items():
        _show_unclaimed(draft, container, balance.outstanding, schemes)
    for container, count in brought.items():
        before = balances.get(container, empties.Balance(container))
        over = empties.over_return(before, count, draft.rules.bridge.limits.over_return_percent)
        left = before.outstanding - count
        text = f"{before.outstanding} outstanding - {count} brought = {left} {container}"
        draft.show("empties ledger", text, amount=before.money)
        if over:
            message = f"empties {container}: {text}, {over} more than is accepted"
            draft.hold(HoldReason.LIMIT, message, draft.books.empties_cause(container))


def _show_unclaimed(
    draft: Draft, container: str, outstanding: int, schemes: Sequence[Scheme]
) -> None:
    """Part of what nobody has claimed is the state's, where a scheme says so."""
    for scheme in schemes:
        if scheme.unclaimed_share and scheme.takes(container) and outstanding > 0:
            amount, due = empties.unclaimed(outstanding, scheme, draft.currency)
            text = f"{outstanding} {container} not claimed yet, {due} of it due to the state"
            draft.show("unclaimed deposits", text, amount=amount)
