"""Reading a store: pages, ties, what is in the bin, and a store that does not answer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from fizzbridge import errors
from fizzbridge.errors import MalformedDeliveryError, NotThereError
from fizzbridge.model.entity import Kind
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


def test_an_order_that_cannot_be_read_keeps_no_other_back():
    shop = Shop()
    good, half, odd, late = (shop.store.orders[shop.place()["id"]] for _ in range(4))
    half["line_items"][0]["quantity"] = 1.5  # sold by the metre
    odd["date_paid_gmt"] = "yesterday"  # a plugin's
    told = list(PULL.changes(shop.client(), "orders", None, Span(START), CONNECTION).told)
    seen = {
        one.ref.external_id for one in told if isinstance(one, Seen) and one.ref.kind == "Order"
    }
    assert seen == {str(good["id"]), str(late["id"])}
    hints = [one for one in told if isinstance(one, Hint)]
    assert hints == [Hint("order", str(half["id"])), Hint("order", str(odd["id"]))]
    with pytest.raises(MalformedDeliveryError):
        fetched(shop, "order", half["id"])


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


def test_a_refund_of_prices_with_tax_is_told_with_it_line_by_line():
    shop = Shop(prices_include_tax=True)
    order = shop.place(2, prices_include_tax=True)
    shop.store.refund(order["id"], "15.84", [{"sku": "COLA-24", "quantity": 1}], "Damaged")
    (refund,) = fetched(shop, "refunds", str(order["id"]))
    (line,) = refund.body.lines
    (shown,) = shop.http.get(f"/orders/{order['id']}/refunds").json()
    (row,) = shown["line_items"]
    net, tax = (abs(Decimal(row[name])) for name in ("total", "total_tax"))
    assert tax
    assert (line.amount, line.tax) == (net + tax, tax)


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


# -- products --------------------------------------------------------------------------------------

COLA = {"id": 51, "type": "simple", "status": "publish", "name": "Cola", "sku": "COLA-24"}
COLA |= {"price": "13.20", "date_modified_gmt": "2026-11-20T10:00:00"}
TONIC = COLA | {"id": 61, "type": "variable", "name": "Tonic", "sku": "", "price": "7.99"}
SIX = COLA | {"id": 62, "type": "variation", "parent_id": 61, "sku": "TONIC-6", "price": "7.99"}
SETTINGS = {
    "settings/general": {"woocommerce_currency": "GBP", "woocommerce_calc_taxes": "yes"},
    "settings/tax": {"woocommerce_prices_include_tax": "yes"},
}
CATALOGUE = {
    "products": [COLA, TONIC],
    "products/51": COLA,
    "products/61": TONIC,
    "products/61/variations": [SIX | {"id": 62 + n, "sku": f"TONIC-{n}"} for n in range(120)],
    "products/62": SIX,
}


class Catalogue(Shop):
    """A store that answers for its products and its settings only, and what it was asked."""

    def __init__(self, **changes) -> None:
        super().__init__()
        said = {
            path: [{"id": k, "value": v} for k, v in of.items()] for path, of in SETTINGS.items()
        }
        self.answers = CATALOGUE | said | changes
        self.asked: list[httpx.URL] = []
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        found = self.answers[request.url.path.removeprefix("/wp-json/wc/v3/")]
        if "page" in request.url.params:
            size, page = (int(request.url.params[name]) for name in ("per_page", "page"))
            found = found[size * (page - 1) : size * page]
        return httpx.Response(200, json=found, headers={"x-wp-total": "2", "x-wp-totalpages": "1"})

    def read(self, what: str, number: int, pull: WooCommercePull | None = None) -> list:
        hint = Hint(what, str(number))
        return list((pull or WooCommercePull()).fetch(self.client(), hint, CONNECTION))


def test_a_price_has_the_currency_and_the_tax_of_the_settings_which_are_read_once():
    shop, pull = Catalogue(), WooCommercePull()
    for what in ("product", "price"):
        product, price = shop.read(what, 51, pull)
        assert product.body.sku == "COLA-24"
        assert (price.body.price.amount, price.body.price.currency) == (Decimal("13.20"), "GBP")
        assert price.body.tax_included
    assert len(shop.asked) == 4


def test_without_taxes_no_price_has_any_in_it():
    off = [{"id": "woocommerce_currency", "value": "GBP"}]
    off += [{"id": "woocommerce_calc_taxes", "value": "no"}]
    assert not Catalogue(**{"settings/general": off}).read("price", 51)[1].body.tax_included


def test_a_variation_and_all_of_a_parents():
    shop = Catalogue()
    assert [one.body.sku for one in shop.read("product", 62)] == ["TONIC-6", "TONIC-6"]
    sold = [one for one in shop.read("product", 61) if one.ref.kind is Kind.PRODUCT]
    assert [one.body.sku for one in sold] == [f"TONIC-{n}" for n in range(120)]
    assert {one.body.name for one in sold} == {"Tonic"}
    draft = Catalogue(**{"products/61": TONIC | {"status": "draft"}})
    for number in (61, 62):
        assert not draft.read("product", number)[0].body.is_active


def test_the_first_round_reads_every_product_and_the_next_ones_what_changed():
    shop = Catalogue()
    for since, asked in ((START, None), (START + timedelta(hours=1), "2026-11-20T10:59:59")):
        page = WooCommercePull().changes(shop.client(), "products", None, Span(since), CONNECTION)
        *sold, hint = page.told
        assert [one.ref.key for one in sold] == ["shop/51", "shop/51"]
        assert (hint, page.is_last) == (Hint("product", "61", Kind.PRODUCT), True)
        (listed,) = (url for url in shop.asked if url.path.endswith("/products"))
        assert listed.params.get("modified_after") == asked
        shop.asked.clear()


def test_a_product_that_cannot_be_read_keeps_no_other_back():
    odd = COLA | {"id": 52, "stock_quantity": "plenty"}
    shop = Catalogue(products=[odd, COLA])
    told = PULL.changes(shop.client(), "products", None, Span(START), CONNECTION).told
    hint, *sold = told
    assert (hint, hint.of) == (Hint("product", "52"), Kind.PRODUCT)
    assert [one.ref.key for one in sold] == ["shop/51", "shop/51"]
