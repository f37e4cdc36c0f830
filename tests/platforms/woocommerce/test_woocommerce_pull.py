"""Reading a store: pages, ties, what is in the bin, and a store that does not answer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from fizzbridge import errors
from fizzbridge.errors import NotThereError
from fizzbridge.observation import Hint, Seen
from fizzbridge.runtime.pull import Span
from platforms.woocommerce.pull import WooCommercePull
from platforms.woocommerce.sandbox_store import RefusedError
from sandbox.faults import Fault
from tests.platforms.woocommerce.woo_store import CONNECTION, PULL, START, Shop


def fetched(shop: Shop, what: str, number) -> list:
    return list(PULL.fetch(shop.client(), Hint(what, str(number)), CONNECTION))


class Small(WooCommercePull):
    """Reads two orders at a time."""

    per_page = 2


def polled(shop: Shop, span: Span, meanwhile=lambda page: None) -> list[str]:
    """Orders told in one round, in the order they were told."""
    cursor, found = None, []
    for number in range(20):
        page = Small().changes(shop.client(), "orders", cursor, span, CONNECTION)
        found += [
            one.ref.external_id
            for one in page.told
            if isinstance(one, Seen) and one.ref.kind == "Order"
        ]
        if page.is_last:
            return found
        meanwhile(number)
        cursor = page.cursor
    raise AssertionError("the pages never end")


def test_every_order_is_read_once_though_all_share_a_second():
    shop = Shop()
    placed = [str(shop.place()["id"]) for _ in range(10)]
    assert polled(shop, Span(START)) == placed


def test_an_empty_store_has_one_empty_page():
    assert polled(Shop(), Span(START)) == []


def test_only_what_changed_in_the_span_is_read():
    shop = Shop()
    placed = []
    for _ in range(4):
        placed.append(str(shop.place()["id"]))
        shop.tick(60)
    minute = timedelta(minutes=1)
    assert polled(shop, Span(START + minute)) == placed[1:]
    assert polled(shop, Span(START + minute, START + 2 * minute)) == placed[1:3]


def test_what_goes_into_the_bin_between_two_pages_hides_nothing():
    shop = Shop()
    placed = [shop.place()["id"] for _ in range(6)]

    def tidy(page: int) -> None:
        if page == 0:
            shop.store.trash(placed[0])

    found = polled(shop, Span(START), tidy)
    assert set(map(str, placed[1:])) <= set(found)


def test_what_joins_the_list_while_it_is_read_is_read_too():
    shop = Shop()
    placed = [str(shop.place()["id"]) for _ in range(3)]
    late = []

    def sell(page: int) -> None:
        if page == 0:
            late.append(str(shop.place()["id"]))

    found = polled(shop, Span(START), sell)
    assert found == placed + late


def test_an_order_its_payment_and_its_refunds():
    shop = Shop()
    order = shop.place(2, shipping_total="4.95")
    shop.tick()
    shop.store.refund(order["id"], "15.84", [{"sku": "COLA-24", "quantity": 1}], "Damaged")
    request, _, payment, hint = fetched(shop, "order", order["id"])
    assert request.body.totals.gross == Decimal("37.62")
    assert payment.body.amount == Decimal("37.62")
    assert hint == Hint("refunds", str(order["id"]))
    (refund,) = fetched(shop, hint.what, hint.external_id)
    (line,) = refund.body.lines
    assert (refund.body.amount, refund.body.reason) == (Decimal("15.84"), "Damaged")
    assert (line.quantity, line.amount, line.tax) == (1, Decimal("13.20"), Decimal("2.64"))
    assert line.order_line_id == request.body.lines[0].id


def test_an_order_in_the_bin_is_read_as_gone():
    shop = Shop()
    order = shop.place()
    shop.tick()
    shop.store.trash(order["id"])
    (gone,) = fetched(shop, "order", order["id"])
    assert (gone.body, gone.changed) == (None, shop.now)


def test_an_order_that_was_erased_is_not_there():
    shop = Shop()
    order = shop.place()
    shop.store.trash(order["id"], is_forced=True)
    for what, number in (("order", order["id"]), ("refunds", order["id"]), ("customer", 4711)):
        with pytest.raises(NotThereError):
            fetched(shop, what, number)


def test_a_customer():
    shop = Shop()
    given = {"email": "ada@shop.example", "first_name": "Ada", "billing": {"company": "Pop"}}
    order = shop.place(customer=given)
    (found,) = fetched(shop, "customer", order["customer_id"])
    assert (found.body.contact.email, found.body.company.name) == ("ada@shop.example", "Pop")


@pytest.mark.parametrize("secret", [{"consumer_key": "ck_x"}, {"consumer_secret": "cs_x"}])
def test_a_wrong_key_is_the_connections_trouble(secret):
    shop = Shop()
    with pytest.raises(errors.ConfigurationError):
        PULL.changes(shop.client(**secret), "orders", None, Span(START), CONNECTION)


def test_a_firewalls_page_is_no_answer():
    shop = Shop()
    page = {"content-type": "text/html"}
    shop.sandbox.faults.arm(Fault(kind="status", status=200, headers=page, body="<html>"))
    with pytest.raises(errors.TargetUnavailableError):
        PULL.changes(shop.client(), "orders", None, Span(START), CONNECTION)


def test_more_is_not_given_back_than_was_paid():
    shop = Shop()
    order = shop.place()
    with pytest.raises(RefusedError, match="Invalid refund amount"):
        shop.store.refund(order["id"], "99.00", [])
