"""What the trade makes of what the systems say. Pure; ``runtime.assess`` stores the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import CatalogueItem, StockLevel
from fizzbridge.model.customer import Credit, Customer
from fizzbridge.model.documents import Documents, Invoice, Payment, Refund, Return, Shipment
from fizzbridge.model.entity import Kind
from fizzbridge.model.money import to_minor_unit
from fizzbridge.model.order import (
    AssessedLine,
    DocumentLine,
    Hold,
    HoldReason,
    LineType,
    OrderAssessment,
    OrderClass,
    OrderProcessing,
    OrderRequest,
    PaymentStatus,
)
from fizzbridge.model.scheme import Scheme
from fizzbridge.model.states import OrderState, move
from fizzbridge.model.units import Unit
from fizzbridge.model.working import Working
from fizzbridge.settings import Bridge, Condition, Connection, StockPolicy
from fizzbridge.trade import charging, checking, discounts, replenishment, taxes
from fizzbridge.trade.availability import available, publish
from fizzbridge.trade.books import Books, Rules
from fizzbridge.trade.classes import classify
from fizzbridge.trade.draft import Draft
from fizzbridge.trade.packs import Counted, by_line, count, each_price, litres, round_up, split

COUNTED_TYPES = frozenset({LineType.GOODS, LineType.FREE_GOODS})


@dataclass(frozen=True)
class OrderFacts:
    """All an order's assessment depends on, beside the company's rules and our own rows.

    Attributes:
        request: what the buyer asked for; None where the shop deleted the order.
        processing: what the ERP did, where it said.
        previous: the assessment as it stands.
        documents: what followed: shipments, invoices, payments, refunds, returns.
        held_at_targets: open holds that name one target.
        waived: holds a person released, as ``<reason>#<cause>``.
        content: fingerprint of the request as it is stored; the present release might give it
            another.
    """

    request: OrderRequest | None
    processing: OrderProcessing | None = None
    previous: OrderAssessment | None = None
    documents: Documents = field(default_factory=Documents)
    held_at_targets: tuple[Hold, ...] = ()
    waived: frozenset[str] = frozenset()
    content: str = ""

    @property
    def is_before_release(self) -> bool:
        """Whether there is a release that a check could stop."""
        if self.request is None or self.request.cancelled_at or self.request.is_test:
            return False
        done = {OrderState.RELEASED, OrderState.CLOSED, OrderState.CANCELLED, OrderState.REJECTED}
        return self.processing is None or self.processing.state not in done


def assess_order(
    facts: OrderFacts, source: Connection, rules: Rules, books: Books
) -> OrderAssessment | None:
    """Assess an order; None while nobody has said what was ordered."""
    request, previous = facts.request, facts.previous
    if request is None:
        return _cancelled(previous) if previous else None
    zone = ZoneInfo(rules.bridge.company.time_zone)
    tax_point = previous.tax_point if previous else request.placed_at.astimezone(zone).date()
    draft = Draft(request, source, rules, books, books.account(), tax_point, facts.waived)
    _count(draft)
    draft.order_class, reason = classify(
        request, draft.account, draft.counted.values(), rules.bridge.limits
    )
    draft.show("class", f"{draft.order_class}: {reason}")
    is_historical = request.placed_at < source.start_at
    # What was placed before the cut-over is exported nowhere: there is nothing to hold or charge.
    schemes: tuple[Scheme, ...] = ()
    promised_on = None
    draft.lines = [_assessed(line, draft) for line in request.lines]
    if is_historical:
        draft.holds.clear()
    else:
        schemes = charging.schemes_of(draft, _frozen(previous, request))
        _reckon(draft, schemes)
        promised_on = checking.promise(draft)
        if facts.is_before_release:
            _check(draft, facts.documents)
            if route(Kind.ORDER, source.name, draft, rules.bridge):
                # What goes nowhere takes nothing.
                checking.check_stock(draft, promised_on, facts.documents.shipped())
        checking.check_settlement(draft, facts.documents)
        checking.show_margin(draft)
        draft.holds += facts.held_at_targets
    return OrderAssessment(
        number=request.number,
        state=_state(facts, is_held=bool(draft.holds)),
        order_class=draft.order_class,
        class_reason=reason,
        channel=request.channel,
        ship_country=request.ship_country,
        delivered_to=request.delivered_to,
        currency=request.currency,
        tax_included=request.tax_included,
        lines=tuple(draft.lines),
        totals=draft.totals(),
        tax_point=tax_point,
        schemes=schemes,
        promised_on=promised_on,
        placed_at=request.placed_at,
        is_historical=is_historical,
        workings=tuple(draft.workings),
        holds=tuple(draft.holds),
        skipped="test order" if request.is_test else "",
        content=facts.content or request.fingerprint(),
    )


def _frozen(previous: OrderAssessment | None, request: OrderRequest) -> tuple[Scheme, ...] | None:
    """The rates an order keeps: those of its first assessment, as long as it goes to that place.

    Until its container data are complete an order has been charged nothing yet.
    """
    if previous is None or previous.is_historical:
        return None
    is_same = previous.delivered_to == request.delivered_to != ""
    is_open = any(hold.reason is HoldReason.COMPLIANCE for hold in previous.holds)
    return previous.schemes if is_same and not is_open else None


def _reckon(draft: Draft, schemes: tuple[Scheme, ...]) -> None:
    """Quantities and amounts: what the lines become."""
    checking.check_sums(draft)
    if draft.order_class is OrderClass.BULK:
        _round_up(draft)
    _spread(draft)
    charging.charge(draft, schemes)


def _check(draft: Draft, documents: Documents) -> None:
    if draft.order_class is OrderClass.BULK:
        checking.check_price(draft)
        checking.check_minimum(draft)
        checking.check_load(draft)
        checking.check_credit(draft, documents.standing_invoices())
        checking.show_terms(draft)


def _count(draft: Draft) -> None:
    """Count every line of goods in base units; what nobody knows holds."""
    found = []
    for line in draft.request.lines:
        if line.type not in COUNTED_TYPES or not line.is_stocked:
            continue
        mapped = draft.books.sku(line.sku) if line.sku else None
        sold = draft.rules.catalogue.find(line, mapped, draft.tax_point)
        if sold is None:
            _unknown(draft, line)
            continue
        try:
            counted = count(line, sold)
        except ValueError as error:
            draft.hold(HoldReason.MAPPING, str(error), draft.books.sku_cause(line.sku or ""))
            continue
        if sold.item.is_deposit:
            draft.deposits[line.id] = sold.item.sku
            continue
        found.append(counted)
        draft.workings.append(_packed(counted, draft.currency, line.unit_price))
    draft.counted = by_line(found)


def _packed(counted: Counted, currency: str, price: Decimal) -> Working:
    quantity, item = counted.quantity, counted.sold.item
    text = f"{quantity.ordered} {quantity.unit} × {quantity.factor} = "
    text += f"{quantity.base} {item.base_unit} of {item.sku}"
    if counted.is_layer_or_more:
        text += " = " + " + ".join(f"{n} {unit}" for unit, n in split(quantity.base, item).items())
    if item.volume_ml is not None:
        text += f", {litres(quantity.base, item).normalize():f} l"
    if quantity.unit is Unit.CASE and price:
        text += f", {each_price(price, item)} {currency} each"
    return Working(
        rule="pack",
        line=counted.line_id,
        text=text,
        source="catalogue",
        valid_from=item.valid_from,
    )


def _unknown(draft: Draft, line: DocumentLine) -> None:
    code = line.sku or f"line {line.id} without SKU"
    near = draft.rules.catalogue.suggest(line.sku) if line.sku else None
    proposal = f"; did you mean {near}?" if near else ""
    message = f"line {line.id}: SKU {code} is not in the catalogue{proposal}"
    draft.hold(HoldReason.MAPPING, message, draft.books.sku_cause(line.sku or line.id))


def _assessed(line: DocumentLine, draft: Draft) -> AssessedLine:
    counted = draft.counted.get(line.id)
    deposit = draft.deposits.get(line.id)
    return AssessedLine(
        id=line.id,
        type=LineType.DEPOSIT if deposit else line.type,
        sku=counted.sold.item.sku if counted else deposit,
        quantity=counted.quantity if counted else None,
        amount=line.amount,
        tax=line.tax,
        taxes=line.taxes,
        parent_id=line.parent_id,
    )


def _round_up(draft: Draft) -> None:
    """Fill a layer or pallet where little is missing and the account agreed to it."""
    terms = draft.account.terms if draft.account else None
    if terms is None or terms.order_multiple is None or not terms.accepts_rounding:
        return
    if draft.request.payment_status is PaymentStatus.PAID:
        return  # what is paid is never changed
    counted = dict(draft.counted)
    for place, line in enumerate(draft.lines):
        one = counted.get(line.id)
        if one is None or not one.quantity.ordered:
            continue
        more = round_up(
            one.quantity, one.sold.item, terms.order_multiple, draft.rules.bridge.limits
        )
        if more is None:
            continue
        counted[line.id] = replace(one, quantity=more)
        amount = to_minor_unit(line.amount * more.ordered / one.quantity.ordered, draft.currency)
        draft.lines[place] = _at(line, amount, draft).model_copy(
            update={"quantity": more, "requested": one.quantity.ordered}
        )
        text = f"{one.quantity.ordered} rounded up to {more.ordered} {more.unit}"
        draft.show("order multiple", text, line=line.id, amount=amount)
    draft.counted = counted


def _at(line: AssessedLine, amount: Decimal, draft: Draft) -> AssessedLine:
    """The line at another amount, at the same rates of tax."""
    found = taxes.shares(amount, line.taxes, draft.currency, included=draft.request.tax_included)
    tax = sum((share.amount for share in found), Decimal(0))
    return line.model_copy(update={"amount": amount, "tax": tax, "taxes": found})


def _spread(draft: Draft) -> None:
    """Take a discount on the whole order off its goods, so that every target can hold it."""
    whole = [one for one in draft.lines if one.type is LineType.DISCOUNT and not one.parent_id]
    goods = [place for place, one in enumerate(draft.lines) if one.type is LineType.GOODS]
    for discount in whole:
        bases = [draft.lines[place].amount for place in goods]
        if not goods or discount.amount > sum(bases):
            continue  # it is no discount on goods: it stays a line of its own
        shares = discounts.spread(discount.amount, bases, draft.currency)
        for place, share in zip(goods, shares, strict=True):
            line = draft.lines[place]
            draft.lines[place] = _at(line, line.amount - share, draft)
            text = f"{line.amount} - {share} of the {discount.amount} off the order"
            draft.show("discount", text, line=line.id, amount=line.amount - share)
        draft.lines.remove(discount)


def _state(facts: OrderFacts, *, is_held: bool) -> OrderState:
    before = facts.previous.state if facts.previous else OrderState.RECEIVED
    state = move(before, OrderState.HELD if is_held else OrderState.CONFIRMED)
    if facts.processing:
        if facts.processing.state is OrderState.CLOSED:
            # Told of the end alone, we know what lies before it, too.
            state = move(state, OrderState.RELEASED)
        state = move(state, facts.processing.state)
    if facts.request and facts.request.cancelled_at:
        state = move(state, OrderState.CANCELLED)
    return state


def _cancelled(previous: OrderAssessment) -> OrderAssessment:
    """The shop deleted the order: for everyone else it is cancelled."""
    state = move(previous.state, OrderState.CANCELLED)
    return previous.model_copy(update={"state": state, "content": ""})


def assess_level(
    level: StockLevel,
    item: CatalogueItem | None,
    in_flight: int,
    policy: StockPolicy | None,
    now: datetime,
) -> RecordAssessment:
    """Assess a stock level: what of it may be offered, and whether it is time to order more.

    Args:
        level: what its owner says is there.
        item: what it is of; None where the catalogue does not have it.
        in_flight: base units our orders claim and the owner has not reserved yet.
        policy: the company's; None where it publishes no stock.
        now: the present time, for the age of the level.
    """
    found = RecordAssessment(content=level.fingerprint())
    if item is None or policy is None:
        return found
    offered = available(level, in_flight, item, policy, now)
    suggestion = replenishment.suggestion(item, level, policy)
    cases = publish(offered.available, item, Unit.CASE)
    text = f"{offered.working.text}: {cases} whole cases" if cases else offered.working.text
    shown = offered.working.model_copy(update={"text": text})
    workings = (shown, *([suggestion.working] if suggestion else []))
    return found.model_copy(update={"available": offered.available, "workings": workings})


def assess_record(record: Frozen, source: Connection) -> RecordAssessment:
    """Assess anything else: what the bus may say of it."""
    content = record.fingerprint()
    match record:
        case Payment() | Refund():
            return RecordAssessment(
                content=content,
                state=record.status,
                order=record.order,
                amount=record.amount,
                currency=record.currency,
                is_historical=record.at < source.start_at,
            )
        case Invoice():
            return RecordAssessment(
                content=content,
                state=record.state,
                order=record.order,
                amount=record.totals.gross,
                currency=record.currency,
            )
        case Shipment() | Return():
            return RecordAssessment(content=content, state=record.state, order=record.order)
        case Customer(credit=Credit() as credit):
            return RecordAssessment(content=content, standing=credit.fingerprint())
        case _:
            return RecordAssessment(content=content)


_FIELDS: Mapping[Condition, str] = {
    "class": "order_class",
    "channel": "channel",
    "ship_country": "ship_country",
    "currency": "currency",
}


def route(kind: Kind, source: str, assessment: Frozen | Draft, bridge: Bridge) -> tuple[str, ...]:
    """The connections an entity goes to, in the order of the bridge file."""
    if isinstance(assessment, OrderAssessment) and assessment.skipped:
        return ()
    found = {
        target
        for route in bridge.routes
        if kind in route.kinds and source in route.sources
        for target in route.targets
        if _matches(route.where, assessment)
    }
    return tuple(c.name for c in bridge.connections if c.name in found)


def _matches(where: Mapping[Condition, tuple[str, ...]], assessment: Frozen | Draft) -> bool:
    return all(
        str(getattr(assessment, _FIELDS[name], None)) in values for name, values in where.items()
    )
