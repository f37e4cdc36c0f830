"""Reading a shop over its webservice: pages, ties, what is not there, and what is no answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from fizzbridge import errors
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.observation import Hint, Seen
from fizzbridge.runtime.pull import Span
from fizzbridge.settings import Connection
from platforms.prestashop.pull import PrestaShopPull

START = datetime(2026, 11, 1, 10, tzinfo=UTC)
URL = "https://shop.example/drinks"
KEY = "UCCLLQ9N2ARSHWCXLT74KUKSSK34BFKX"


class Shop:
    """Rows by resource, answered as the webservice does; no more of its query than we use."""

    def __init__(self) -> None:
        self.asked: list[httpx.URL] = []
        self.authorization = ""
        self.answer: httpx.Response | None = None
        self.rows: dict[str, list[dict]] = {
            "configurations": [
                {"id": 1, "name": "PS_TIMEZONE", "value": "Europe/Berlin"},
                {"id": 2, "name": "PS_CURRENCY_DEFAULT", "value": 1},
            ],
            "currencies": [{"id": 1, "iso_code": "EUR"}, {"id": 2, "iso_code": "GBP"}],
            "order_states": [{"id": 2, "paid": 1}, {"id": 10, "paid": 0}],
            "groups": [
                {"id": 3, "price_display_method": 0},
                {"id": 4, "price_display_method": 1},
            ],
            "carriers": [{"id": 2, "name": "My carrier"}],
            "countries": [{"id": 8, "iso_code": "FR"}, {"id": 21, "iso_code": "US"}],
            "states": [{"id": 9, "iso_code": "FL"}],
            "taxes": [{"id": 1, "name": "TVA", "rate": "20.000"}],
            "products": [{"id": 1, "is_virtual": 0}, {"id": 2, "is_virtual": 1}],
            "customers": [
                {"id": 1, "email": "ada@shop.example", "id_default_group": 3}
                | {"date_upd": "2026-11-01 11:00:00"}
            ],
            "addresses": [
                {"id": 4, "id_customer": 1, "id_country": 21, "id_state": 9, "city": "Miami"}
            ],
            "orders": [],
            "order_details": [],
        }

    def place(self, key: int, second: int = 0, **changes) -> None:
        at = f"2026-11-01 11:{second // 60:02}:{second % 60:02}"
        order = {"id": key, "reference": f"REF{key:06}", "date_add": at, "date_upd": at}
        order |= {"id_customer": 1, "id_address_delivery": 4, "id_address_invoice": 4}
        order |= {"id_currency": 1, "current_state": 2, "id_carrier": 2}
        totals = {"total_paid_tax_incl": "12.000000", "total_paid_tax_excl": "10.000000"}
        line = {"id": key * 10, "id_order": key, "product_id": 1, "product_quantity": 1}
        prices = {"unit_price_tax_incl": "12.000000", "unit_price_tax_excl": "10.000000"}
        self.rows["orders"].append(order | totals | changes)
        self.rows["order_details"].append(line | prices | {"taxes": [{"id": 1}]})

    def add(self, resource: str, **row) -> None:
        self.rows.setdefault(resource, []).append(row)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        self.authorization = request.headers["authorization"]
        if self.answer:
            return self.answer
        resource = request.url.path.removeprefix("/drinks/api/")
        params = request.url.params
        found = sorted(self.rows.get(resource, []), key=lambda row: row["id"])
        for name, asked in params.items():
            field = re.fullmatch(r"filter\[(\w+)\]", name)
            if field:
                assert field[1][:5] != "date_" or params["date"] == "1"
                found = [row for row in found if _fits(str(row[field[1]]), asked)]
        found = found[: int(params.get("limit", 1000))]
        return httpx.Response(200, text=_xml(resource, found), headers={"content-type": "text/xml"})

    def client(self) -> VendorClient:
        return VendorClient(
            platform="prestashop",
            base_url=URL,
            auth=PrestaShopPull().auth({"webservice_key": KEY}, connection()),
            errors=PrestaShopPull.errors,
            timeout=timedelta(seconds=25),
            transport=httpx.MockTransport(self),
        )

    def paths(self) -> list[str]:
        return [url.path.removeprefix("/drinks/api/") for url in self.asked]


def _fits(value: str, asked: str) -> bool:
    wanted = asked.strip(">[]")
    if asked.startswith(">"):
        return int(value) > int(wanted) if value.isdigit() else value > wanted
    if "," in wanted:
        start, end = wanted.split(",")
        return start <= value <= end
    return value in wanted.split("|")


def _xml(resource: str, rows: list[dict]) -> str:
    def shown(row: dict) -> str:
        return "".join(
            f"<associations><{name}>"
            + "".join(f"<one>{shown(one)}</one>" for one in value)
            + f"</{name}></associations>"
            if isinstance(value, list)
            else f"<{name}><![CDATA[{value}]]></{name}>"
            for name, value in row.items()
        )

    listed = "".join(f"<row>{shown(row)}</row>" for row in rows)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"<{resource}>\n{listed}</{resource}>\n</prestashop>\n"
    )


def connection(**settings) -> Connection:
    return Connection(
        name="shop", platform="prestashop", base_url=URL, start_at=START, settings=settings
    )


def fetched(shop: Shop, what: str, key, **settings) -> list:
    hint = Hint(what, str(key))
    return list(PrestaShopPull().fetch(shop.client(), hint, connection(**settings)))


class Small(PrestaShopPull):
    """Reads two rows at a time."""

    per_page = 2


def polled(shop: Shop, span: Span, stream: str = "orders", meanwhile=lambda page: None) -> list:
    """All that one round tells; every page is read by a process of its own."""
    cursor, found = None, []
    for number in range(20):
        page = Small().changes(shop.client(), stream, cursor, span, connection())
        found += page.told
        if page.is_last:
            return found
        meanwhile(number)
        cursor = page.cursor
    raise AssertionError("the pages never end")


def ids(told: list) -> list[str]:
    return [
        one.ref.external_id for one in told if isinstance(one, Seen) and one.ref.kind == "Order"
    ]


def test_the_key_is_the_user_and_the_shop_may_be_in_a_folder():
    shop = Shop()
    fetched(shop, "order", 5)
    assert str(shop.asked[0]).startswith(f"{URL}/api/orders?")
    assert shop.authorization == "Basic VUNDTExROU4yQVJTSFdDWExUNzRLVUtTU0szNEJGS1g6"


def test_an_order_with_all_that_belongs_to_it():
    shop = Shop()
    shop.place(5, total_discounts_tax_incl="1.20", total_discounts_tax_excl="1.00")
    shop.add("order_cart_rules", id=1, id_order=5, name="TEN", value="1.20", value_tax_excl="1.00")
    shop.add("order_details", id=51, id_order=5, product_id=2, product_quantity=1)
    shop.add("messages", id=1, id_order=5, message="Ring twice", private=0)
    shop.add("order_carriers", id=2, id_order=5, id_carrier=2, tracking_number="ABCD")
    shop.add("order_slip", id=7, id_order=5, date_add="2026-11-02 09:00:00", amount="2.00")
    paid = {"order_reference": "REF000005", "amount": "12.00", "id_currency": 1}
    shop.add("order_payments", id=3, date_add="2026-11-01 11:00:00", **paid)
    told = fetched(shop, "order", 5, po_number_field="my_po")
    kinds = [str(one.ref.kind) for one in told]
    assert kinds == ["Order", "Customer", "Payment", "Refund", "Shipment"]
    body = told[0].body
    assert (body.currency, body.shop_currency, body.tax_included) == ("EUR", "EUR", True)
    assert (body.ship_to.country, body.ship_to.region) == ("US", "FL")
    assert (body.note, body.po_number) == ("Ring twice", "")
    assert [(one.title, one.amount) for one in body.lines[2:]] == [("TEN", Decimal("1.20"))]
    assert [one.is_stocked for one in body.lines[:2]] == [True, False]
    assert body.lines[0].taxes[0].title == "TVA"
    assert (told[2].body.amount, told[3].body.amount) == (Decimal("12.00"), Decimal("2.00"))
    assert (told[4].body.carrier, told[4].body.tracking_number) == ("My carrier", "ABCD")


def test_prices_are_shown_as_the_buyers_group_sees_them():
    shop = Shop()
    shop.place(5)
    shop.rows["customers"][0]["id_default_group"] = 4
    body = fetched(shop, "order", 5)[0].body
    assert (body.tax_included, body.lines[0].amount) == (False, Decimal("10.00"))


def test_a_field_of_a_module_may_hold_the_po_number():
    shop = Shop()
    shop.place(5, my_po="PO-77")
    assert fetched(shop, "order", 5, po_number_field="my_po")[0].body.po_number == "PO-77"


def test_a_page_costs_as_many_calls_as_one_order_and_lists_are_kept():
    shop = Shop()
    for key in range(1, 4):
        shop.place(key)
    pull = PrestaShopPull()
    pull.changes(shop.client(), "orders", None, Span(START), connection())
    first, shop.asked = shop.paths(), []
    assert len(first) == len(set(first))
    pull.changes(shop.client(), "orders", None, Span(START), connection())
    kept = {"configurations", "currencies", "order_states", "groups", "carriers", "taxes"}
    assert not {*kept, "products", "countries", "states"} & set(shop.paths())


def test_all_orders_of_a_reference_are_read():
    shop = Shop()
    for key in (4, 5):
        shop.place(key, reference="SAMESAMES")
    paid = {"order_reference": "SAMESAMES", "amount": "24.00", "id_currency": 1}
    shop.add("order_payments", id=3, date_add="2026-11-01 11:00:00", **paid)
    told = fetched(shop, "reference", "SAMESAMES")
    payments = [(one.ref.key, one.body.amount) for one in told if one.ref.kind == "Payment"]
    assert payments == [("shop/3:4", Decimal("12.00")), ("shop/3:5", Decimal("12.00"))]


def test_a_customer_and_the_customer_of_an_address():
    shop = Shop()
    (found,) = fetched(shop, "customer", 1)
    assert (found.ref.key, found.body.addresses[0].city) == ("shop/1", "Miami")
    assert fetched(shop, "address", 4) == [found]


@pytest.mark.parametrize("what", ["order", "reference", "customer", "address"])
def test_what_is_not_there_says_nothing(what):
    assert fetched(Shop(), what, 999) == []


def test_settings_name_the_shop_its_states_and_its_old_resources():
    shop = Shop()
    shop.place(5, total_discounts_tax_incl="1.00", current_state=10)
    settings = {"id_shop": 2, "cart_rules": "order_discounts", "cancelled_states": "6, 10"}
    assert fetched(shop, "order", 5, **settings)[0].body.cancelled_at
    assert all(url.params["id_shop"] == "2" for url in shop.asked)
    assert "order_discounts" in shop.paths()
    assert fetched(shop, "order", 5, failed_states=10) == []


def test_every_order_is_read_once_though_all_share_a_second():
    shop = Shop()
    for key in range(1, 8):
        shop.place(key)
    assert ids(polled(shop, Span(START))) == [str(key) for key in range(1, 8)]


def test_an_empty_shop_has_one_empty_page():
    assert polled(Shop(), Span(START)) == []


def test_only_what_changed_in_the_span_is_read_and_both_ends_belong_to_it():
    shop = Shop()
    for key in range(1, 5):
        shop.place(key, second=60 * (key - 1))
    minute = timedelta(minutes=1)
    assert ids(polled(shop, Span(START + minute))) == ["2", "3", "4"]
    assert ids(polled(shop, Span(START + minute, START + 2 * minute))) == ["2", "3"]


def test_what_changes_while_it_is_read_hides_nothing():
    shop = Shop()
    for key in range(1, 7):
        shop.place(key)

    def sell(page: int) -> None:
        shop.rows["orders"][0]["date_upd"] = "2026-11-01 11:30:00"
        if page == 0:
            shop.place(7, second=1800)

    assert ids(polled(shop, Span(START), meanwhile=sell)) == [str(key) for key in range(1, 8)]


def test_slips_and_payments_name_their_orders():
    shop = Shop()
    shop.add("order_slip", id=7, id_order=5, date_upd="2026-11-01 11:00:00")
    shop.add("order_payments", id=3, order_reference="REF", date_add="2026-11-01 11:00:00")
    assert polled(shop, Span(START), "slips") == [Hint("order", "5")]
    assert polled(shop, Span(START), "payments") == [Hint("reference", "REF")]
    assert polled(shop, Span(START + timedelta(seconds=1)), "payments") == []


def test_a_shop_without_a_known_zone_needs_a_setting():
    shop = Shop()
    shop.place(5)
    shop.rows["configurations"][0]["value"] = "Mars/Base"
    with pytest.raises(errors.ConfigurationError, match="time_zone"):
        fetched(shop, "order", 5)
    placed = fetched(shop, "order", 5, time_zone="UTC")[0].body.placed_at
    assert placed == datetime(2026, 11, 1, 11, tzinfo=UTC)


REFUSAL = "<prestashop><errors><error><code>85</code></error></errors></prestashop>"


@pytest.mark.parametrize(
    ("status", "media", "text", "error"),
    [
        (401, "text/html", "401 Unauthorized", errors.ConfigurationError),
        (302, "text/html", "", errors.ConfigurationError),
        (403, "text/html", "<html>", errors.ConfigurationError),
        (405, "text/xml", REFUSAL, errors.ConfigurationError),
        (400, "text/xml", REFUSAL, errors.TargetRejectedError),
        (500, "text/xml", REFUSAL, errors.TargetRejectedError),
        (500, "text/html", "", errors.TargetUnavailableError),
        (503, "text/html", "<html>", errors.TargetUnavailableError),
        (508, "text/html", "<html>", errors.TargetUnavailableError),
        (429, "text/html", "", errors.RateLimitedError),
        (200, "text/html", "<html>", errors.TargetUnavailableError),
        (200, "text/xml", "<prestashop><orders>", errors.TargetUnavailableError),
    ],
)
def test_what_an_answer_means(status, media, text, error):
    shop = Shop()
    shop.answer = httpx.Response(status, text=text, headers={"content-type": media})
    with pytest.raises(error):
        fetched(shop, "order", 5)


# -- what is sold ----------------------------------------------------------------------------------


def stock_up(shop: Shop) -> None:
    """A product, and one with two combinations."""
    plain = {"reference": "COLA-24", "name": "Cola", "active": 1, "available_for_order": 1}
    plain |= {"state": 1, "price": "13.200000", "date_upd": "2026-10-01 09:00:00"}
    shop.rows["products"] = [
        plain | {"id": 1, "ean13": "5012345678900"},
        plain | {"id": 2, "reference": "SYRUP", "date_upd": "2026-11-01 11:05:00"},
    ]
    for key, reference, impact in ((7, "SYRUP-LEMON", "0"), (8, "SYRUP-GINGER", "0.400000")):
        shop.add("combinations", id=key, id_product=2, reference=reference, price=impact)
    for key, (product, combination, quantity) in enumerate(
        ((1, 0, 40), (2, 0, 42), (2, 7, 30), (2, 8, 12)), 1
    ):
        ids = {"id_product": product, "id_product_attribute": combination}
        shop.add("stock_availables", id=key, quantity=quantity, **ids)


def levels(told: list) -> dict[str, int]:
    return {
        one.ref.external_id: one.body.on_hand for one in told if one.ref.kind is Kind.STOCK_LEVEL
    }


def test_the_first_round_reads_every_product_and_the_next_what_changed():
    shop = Shop()
    stock_up(shop)
    told = polled(shop, Span(START), "products")
    assert levels(told) == {"1": 40, "2-7": 30, "2-8": 12}
    product, price, _ = told[:3]
    assert (product.body.sku, product.body.gtin) == ("COLA-24", "5012345678900")
    assert (price.body.price.amount, price.body.price.currency) == (Decimal("13.20"), "EUR")
    assert product.changed == datetime(2026, 10, 1, 7, tzinfo=UTC)
    later = polled(shop, Span(START + timedelta(minutes=1)), "products")
    assert levels(later) == {"2-7": 30, "2-8": 12}


def test_a_product_is_read_in_a_call_for_each_resource():
    shop = Shop()
    stock_up(shop)
    shop.add("configurations", id=3, name="PS_STOCK_MANAGEMENT", value=1)
    pull = PrestaShopPull()
    for calls in (7, 4):  # the configuration, the currency and the stock's are kept
        shop.asked.clear()
        told = list(pull.fetch(shop.client(), Hint("product", "2"), connection()))
        prices = [one.body.price.amount for one in told if one.ref.kind is Kind.PRICE]
        assert prices == [Decimal("13.20"), Decimal("13.60")]
        assert len(shop.asked) == calls
    assert fetched(shop, "product", 99) == []


def test_stock_the_shop_does_not_count_is_not_told():
    shop = Shop()
    stock_up(shop)
    shop.add("configurations", id=3, name="PS_STOCK_MANAGEMENT", value=0)
    assert levels(fetched(shop, "product", 1)) == {}


def test_a_price_of_a_group_goes_by_its_name():
    shop = Shop()
    stock_up(shop)
    shop.rows["groups"].append({"id": 5, "name": "Trade", "price_display_method": 1})
    nought = dict.fromkeys(("id_customer", "id_country", "id_currency", "id_cart"), 0)
    never = dict.fromkeys(("from", "to"), "0000-00-00 00:00:00")
    fixed = {"price": "12.100000", "reduction": "0", "reduction_tax": 1, "from_quantity": 1}
    special = {"id_product": 1, "id_product_attribute": 0, "id_group": 5, **nought, **never}
    shop.add("specific_prices", id=1, **special, **fixed)
    _, standing, trade, _ = fetched(shop, "product", 1)
    assert (standing.ref.external_id, standing.body.price_list) == ("1", "")
    assert (trade.ref.external_id, trade.body.price_list) == ("1:5", "Trade")
    assert trade.body.price.amount == Decimal("12.10")
