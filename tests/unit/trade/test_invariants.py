"""What must hold for any order, whatever comes in which order, how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.customer import Credit, Customer
from fizzbridge.model.documents import Documents, Payment, Refund
from fizzbridge.model.order import DocumentLine, LineType, OrderAssessment, OrderRequest, Totals
from fizzbridge.model.party import Address, Contact
from fizzbridge.settings import Bridge
from fizzbridge.trade.assessing import OrderFacts, assess_order
from fizzbridge.trade.books import Rules
from fizzbridge.trade.packs import Catalogue
from tests.kit.books import GivenBooks
from tests.kit.house import BRIDGE, line, order_ref, order_request
from tests.kit.wholesaler import ITEMS, Wholesaler
from tests.unit.trade.goods import at, money
from tests.unit.trade.rates import SCHEMES

HOUSE = Bridge.model_validate(BRIDGE)
RULES = Rules(HOUSE, Catalogue(ITEMS), SCHEMES)
SKUS = ("COLA330-C24", "TONIC1500-C6", "LEMON1000-CRATE", "COLA330")
PLACES = st.sampled_from([Address(country=country) for country in ("IE", "DE", "FR")])
sold = st.lists(
    st.tuples(st.sampled_from(SKUS), st.integers(1, 200), st.integers(1, 5000)),
    min_size=1,
    max_size=8,
)


def request(goods, place: Address, off: Decimal = Decimal(0), **changes) -> OrderRequest:
    """An order of these goods in euro, with so much off in all, and its tax at 19 %."""
    lines = []
    for number, (sku, quantity, cents) in enumerate(goods):
        price = Decimal(cents) / 100
        whole = price * quantity
        amount = whole - (off if number == 0 else 0)
        tax = (amount * money("0.19")).quantize(money("0.01"))
        lines.append(
            line(
                sku,
                quantity,
                id=f"l{number}",
                unit_price=price,
                discount=whole - amount,
                amount=amount,
                tax=tax,
                taxes=tuple(share.model_copy(update={"amount": tax}) for share in at("0.19")),
            )
        )
    net, tax = (
        sum((getattr(one, name) for one in lines), Decimal(0)) for name in ("amount", "tax")
    )
    totals = Totals(net=net, tax=tax, gross=net + tax)
    return order_request(
        lines=lines,
        totals=totals,
        currency="EUR",
        shop_currency="EUR",
        presentment_currency="EUR",
        presentment_gross=totals.gross,
        ship_to=place,
        **changes,
    )


def assessed(asked: OrderRequest, previous: OrderAssessment | None = None) -> OrderAssessment:
    facts = OrderFacts(asked, previous=previous)
    found = assess_order(facts, HOUSE.connection("shop"), RULES, GivenBooks())
    assert found is not None
    return found


def deposits(order: OrderAssessment) -> list[tuple[str, int, Decimal]]:
    return [(one.id, one.count, one.amount) for one in order.lines if one.type is LineType.DEPOSIT]


@given(sold, PLACES)
def test_i3_lines_sum_to_the_document(goods, place):
    order = assessed(request(goods, place))
    for name, total in (("amount", order.totals.net), ("tax", order.totals.tax)):
        assert sum(one.type.sign * getattr(one, name) for one in order.lines) == total
    assert order.totals.net + order.totals.tax == order.totals.gross


@given(sold, PLACES, st.integers(0, 10_000))
def test_i7_a_discount_changes_no_deposit(goods, place, cents):
    whole = Decimal(goods[0][1] * goods[0][2]) / 100
    off = min(Decimal(cents) / 100, whole)
    assert deposits(assessed(request(goods, place, off))) == deposits(
        assessed(request(goods, place))
    )


@given(sold, PLACES, st.text(max_size=20))
def test_i9_assessed_again_it_is_the_same(goods, place, note):
    first = assessed(request(goods, place))
    assert assessed(request(goods, place), first) == first
    touched = assessed(request(goods, place, note=note), first)
    assert touched.model_copy(update={"content": first.content}) == first


@given(sold, PLACES, st.integers(0, 400))
def test_i14_no_later_day_re_rates(goods, place, days):
    first = assessed(request(goods, place))
    later = datetime(2026, 11, 20, 9, tzinfo=UTC) + timedelta(days=days)
    touched = assessed(request(goods, place, changed_at=later), first)
    assert (touched.lines, touched.tax_point) == (first.lines, first.tax_point)


@given(st.sampled_from(["EUR", "GBP", "USD"]), st.sampled_from(["EUR", "GBP", "USD"]))
def test_i13_money_of_another_currency_never_mixes(mine, theirs):
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    body = {"order": order_ref(), "amount": "1.00", "currency": theirs, "at": moment}
    paid = Payment(**body, status="SETTLED")
    back = Refund(**body, status="SETTLED")
    asked = order_request(currency=mine)
    facts = OrderFacts(asked, documents=Documents(payments=(paid,), refunds=(back,)))
    order = assess_order(facts, HOUSE.connection("shop"), RULES, GivenBooks())
    assert order is not None
    mixed = [hold.message for hold in order.holds if "currency" in hold.message]
    assert bool(mixed) is (mine != theirs)


@given(st.permutations(["request", "account", "level"]))
def test_i10_whatever_is_told_first_the_end_is_the_same(order_of_words):
    assert told(order_of_words) == told(["account", "level", "request"])


def told(words) -> tuple:
    """An order, its account and a stock level come in, then a shipment; what is made of it."""
    house = Wholesaler(schemes=SCHEMES, stock={}, credit={})
    when = house.clock()
    credit = Credit(currency="EUR", limit="900.00", as_of=when)
    placed = order_ref(0)
    for word in words:
        if word == "request":
            placed = house.order(created_at=when.isoformat())
        elif word == "account":
            house.account(credit=credit)
        elif word == "level":
            house.stock("COLA330", 500)
    house.ship(placed, 8)
    found = house.assessed(placed)
    return found.state, found.lines, found.totals, found.holds


@given(st.integers(1, 6), st.integers(0, 400))
def test_i1_i8_orders_share_what_is_there_and_are_booked_once(orders, on_hand):
    house = Wholesaler(stock={})
    house.stock("COLA330", on_hand)
    placed = [house.order(quantity=3) for _ in range(orders)]
    claims = house.rows.query("STOCK#COLA330", "CLAIM#")
    assert sum(row["allotted"] for row in claims) <= on_hand
    assert house.orders.counts["create"] == len(placed)
    assert len({held.reference for held in house.orders.objects.values()}) == len(placed)


@pytest.mark.parametrize("word", ["quantity", "quantity_ordered"])
def test_a_negative_quantity_is_refused_by_name(word):
    with pytest.raises(ValidationError, match=word):
        DocumentLine.model_validate(line("COLA", 1).model_dump() | {word: -1})


@given(st.text(min_size=1, max_size=30))
def test_i15_what_is_explained_names_nobody(name):
    account = Customer(contact=Contact(name=f"canary {name}"))
    facts = OrderFacts(request([("COLA330-C24", 10, 960)], Address(country="IE", name="canary")))
    books = GivenBooks(customer=account)
    order = assess_order(facts, HOUSE.connection("shop"), RULES, books)
    assert order is not None
    assert "canary" not in order.model_dump_json()
