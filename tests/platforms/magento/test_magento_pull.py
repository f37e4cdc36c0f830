"""Reading a shop: signatures, pages, ties, rows that cannot be shown, and answers that are none."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import httpx
import pytest

from fizzbridge import errors
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.observation import Hint, Seen
from fizzbridge.runtime.observe import Circumstances, Merge, judge
from fizzbridge.runtime.pull import Span
from fizzbridge.settings import Connection
from fizzbridge.state.moments import to_text
from platforms.magento.oauth import OAuth1
from platforms.magento.pull import BrokenError, MagentoPull

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "samples" / "magento"
START = datetime(2026, 11, 20, 10, tzinfo=UTC)
SECRET = {
    "consumer_key": "ck1",
    "consumer_secret": "cs1",
    "access_token": "at1",
    "access_token_secret": "ats1",
}
FILTER = re.compile(r"\[filter_groups\]\[(\d+)\]\[filters\]\[(\d+)\]\[(\w+)\]")
TESTS = {
    "gt": lambda one, other: one > other,
    "gteq": lambda one, other: one >= other,
    "eq": lambda one, other: one == other,
    "lteq": lambda one, other: one <= other,
}


def connection(**settings):
    return Connection(
        name="shop",
        platform="magento",
        base_url="https://shop.example",
        start_at=START,
        settings=settings,
    )


class Shop:
    """What a shop lists, by the rules of its search: groups hold together, filters are choices."""

    def __init__(self):
        streams = ("orders", "invoices", "creditmemos", "shipments", "customers", "products")
        self.rows = {stream: [] for stream in streams}
        self.broken = set()
        self.asked = []
        self.answer = None
        self.at_once = 100
        self.said = {
            "store/storeConfigs": [
                {"code": "default", "base_currency_code": "GBP"},
                {"code": "trade", "base_currency_code": "EUR"},
            ]
        }

    def place(self, second=0, **changes):
        number = len(self.rows["orders"]) + 1
        line = {"item_id": number, "qty_ordered": 1, "price": 12, "row_total": 12, "sku": "A"}
        row = {"state": "new", "order_currency_code": "GBP", "grand_total": 12, "items": [line]}
        return self.add("orders", second, **row | {"payment": {"method": "checkmo"}} | changes)

    def add(self, stream, second=0, **row):
        at = f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S}"
        entity = {"entity_id": len(self.rows[stream]) + 1, "created_at": at, "updated_at": at} | row
        self.rows[stream].append(entity)
        return entity

    def touch(self, row, second):
        row["updated_at"] = f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S}"

    def __call__(self, request):
        self.asked.append(request)
        if self.answer is not None:
            return self.answer
        assert request.headers["accept"] == "application/json"  # else the shop answers in XML
        path = unquote(request.url.raw_path.split(b"?")[0].decode())
        path = re.sub("^/rest/[a-z]+/V1/", "", path).removesuffix("/search")
        if path in self.said:
            return httpx.Response(200, json=self.said[path])
        if path in self.rows:
            return self.listed(path, dict(parse_qsl(request.url.query.decode())))
        name, number = path.split("/")
        name = {"creditmemo": "creditmemos", "shipment": "shipments"}.get(name, name)
        found = [one for one in self.rows.get(name, ()) if str(one["entity_id"]) == number]
        missing = {"message": "No such entity with %fieldName = %fieldValue"}
        return httpx.Response(200, json=found[0]) if found else httpx.Response(404, json=missing)

    def listed(self, stream, query):
        groups = {}
        for name, value in query.items():
            if match := FILTER.search(name):
                group, place, part = match.groups()
                groups.setdefault(group, {}).setdefault(place, {})[part] = value
        rows = [
            row
            for row in self.rows[stream]
            if all(any(map(self.holds(row), group.values())) for group in groups.values())
        ]
        rows.sort(key=lambda row: (row["updated_at"], row["entity_id"]))
        size = int(query["searchCriteria[pageSize]"])
        start = (int(query["searchCriteria[currentPage]"]) - 1) * size
        page = rows[start : start + size]
        if any((stream, row["entity_id"]) in self.broken for row in page):
            return httpx.Response(500, json={"message": "Internal Error. Report ID: webapi-1"})
        if len(page) > self.at_once:
            return httpx.Response(504, html="<html>Gateway Time-out")
        if stream in ("customers", "products"):  # searched by one name and told by another
            page = [{"id": row["entity_id"]} | row for row in page]
            for row in page:
                del row["entity_id"]
        answer = {"items": page, "search_criteria": {}, "total_count": len(rows)}
        return httpx.Response(200, json=answer)

    @staticmethod
    def holds(row):
        def test(one):
            value, wanted = row[one["field"]], one["value"]
            if one["condition_type"] == "in":
                return str(value) in wanted.split(",")
            return TESTS[one["condition_type"]](value, type(value)(wanted))

        return test


class Small(MagentoPull):
    """Reads four rows at a time."""

    per_page = 4


PULL = Small()


@pytest.fixture
def shop():
    return Shop()


def client(shop, config=None):
    return VendorClient(
        platform="magento",
        base_url="https://shop.example",
        auth=PULL.auth(SECRET, config or connection()),
        errors=PULL.errors,
        timeout=timedelta(seconds=25),
        transport=httpx.MockTransport(shop),
    )


def read(shop, stream, cursor=None, span=None):
    return PULL.changes(client(shop), stream, cursor, span or Span(START), connection())


def polled(shop, stream="orders", span=None, meanwhile=lambda page: None):
    """What one round told: ids, and hints as they are."""
    cursor, found = None, []
    for number in range(40):
        page = read(shop, stream, cursor, span)
        for one in page.told:
            if isinstance(one, Hint):
                found.append(one)
            elif one.ref.kind != "Customer" or stream == "customers":
                found.append(int(one.ref.external_id))
        if page.is_last:
            return found
        cursor = page.cursor
        meanwhile(number)
    raise AssertionError("the pages never end")


def fetched(shop, what, number):
    return list(PULL.fetch(client(shop), Hint(what, str(number)), connection()))


# Reckoned apart from this code, and accepted by a running shop.
VECTOR = "https://shop.example.com/rest/V1/orders?searchCriteria[pageSize]=2"
SIGNATURE = "pCzRO+PqkX/POd+5wExD/2yuoy8gtvM1ZGKklq1/ifo="


def signed(url):
    auth = OAuth1(
        "ck1", "cs1", "at1", "ats1", clock=lambda: 1763900000.9, nonce=lambda: "abc123nonce"
    )
    return next(auth.auth_flow(httpx.Request("GET", url)))


def test_a_request_is_signed_as_the_vector_says():
    header = signed(VECTOR).headers["authorization"]
    words = dict(re.findall(r'(\w+)="([^"]*)"', header))
    assert header.startswith("OAuth ")
    assert unquote(words["oauth_signature"]) == SIGNATURE
    assert (words["oauth_timestamp"], words["oauth_nonce"]) == ("1763900000", "abc123nonce")
    assert (words["oauth_signature_method"], words["oauth_version"]) == ("HMAC-SHA256", "1.0")


def test_a_blank_goes_out_as_the_shop_reckons_with_it():
    url = signed("https://shop.example/rest/V1/orders?a=2026-11-20+10%3A00&b=1%2B1&c=").url
    assert url.query == b"a=2026-11-20%2010%3A00&b=1%2B1&c="


def test_every_request_has_a_nonce_of_its_own(shop):
    read(shop, "orders")
    read(shop, "orders")
    nonces = {
        re.search('oauth_nonce="(.*?)"', one.headers["authorization"])[1] for one in shop.asked
    }
    assert len(nonces) == 2


def test_a_token_alone_where_the_merchant_allows_it(shop):
    config = connection(auth="bearer", store="trade")
    shop.answer = httpx.Response(200, json={"items": [], "total_count": 0})
    PULL.changes(client(shop, config), "orders", None, Span(START), config)
    (asked,) = shop.asked
    assert asked.headers["authorization"] == "Bearer at1"
    assert asked.url.path == "/rest/trade/V1/orders"


def test_every_order_is_read_once_though_all_share_a_second(shop):
    placed = [shop.place()["entity_id"] for _ in range(11)]
    assert polled(shop) == placed


@pytest.mark.parametrize("items", [[], None])
def test_an_empty_shop_has_one_empty_page(shop, items):
    shop.answer = httpx.Response(200, json={"items": items, "total_count": 0})
    assert polled(shop) == []
    assert len(shop.asked) == 1


def test_only_what_changed_in_the_span_is_read(shop):
    for second in (0, 60, 120, 180):
        shop.place(second)
    minute = timedelta(minutes=1)
    assert polled(shop, span=Span(START + minute)) == [2, 3, 4]
    assert polled(shop, span=Span(START + minute, START + 2 * minute)) == [2, 3]


def test_a_row_that_changes_while_it_is_read_hides_no_other(shop):
    rows = [shop.place() for _ in range(10)]

    def change(page):
        if page == 0:
            shop.touch(rows[0], 30)
            shop.touch(rows[9], 40)

    assert polled(shop, meanwhile=change) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 10]


def test_what_joins_the_list_while_it_is_read_is_read_too(shop):
    for _ in range(5):
        shop.place()
    assert polled(shop, meanwhile=lambda page: page == 0 and shop.place(60)) == [1, 2, 3, 4, 5, 6]


def test_a_page_read_again_after_a_crash_is_the_same(shop):
    for _ in range(9):
        shop.place()
    cursor = read(shop, "orders").cursor
    again = [list(read(shop, "orders", cursor).told) for _ in range(2)]
    assert again[0] == again[1]


def test_a_row_that_cannot_be_shown_is_stepped_over_and_asked_for_again(shop):
    for second in range(10):
        shop.place(second)
    shop.broken = {("orders", 6)}
    found = polled(shop)
    hint = Hint("orders", "2026-11-20 10:00:04/5/1")
    assert found == [1, 2, 3, 4, 5, hint, 7, 8, 9, 10]
    with pytest.raises(BrokenError):
        fetched(shop, hint.what, hint.external_id)
    shop.broken = set()
    assert fetched(shop, hint.what, hint.external_id)[0].ref.external_id == "6"


def test_the_last_row_cannot_be_shown(shop):
    shop.place()
    shop.broken = {("orders", 1)}
    assert polled(shop) == [Hint("orders", "2026-11-20 10:00:00/0/1")]


def test_two_neighbours_cannot_be_shown(shop):
    for second in range(9):
        shop.place(second)
    shop.broken = {("orders", 6), ("orders", 7)}
    hints = [Hint("orders", f"2026-11-20 10:00:04/5/{place}") for place in (1, 2)]
    assert polled(shop) == [1, 2, 3, 4, 5, *hints, 8, 9]
    shop.broken = set()
    again = [fetched(shop, one.what, one.external_id)[0].ref.external_id for one in hints]
    assert again == ["6", "7"]


def test_a_page_that_takes_too_long_is_halved(shop):
    shop.at_once = 2
    placed = [shop.place()["entity_id"] for _ in range(7)]
    assert polled(shop) == placed


def test_accounts_are_polled_as_well(shop):
    made = [shop.add("customers", second // 3)["entity_id"] for second in range(9)]
    assert polled(shop, "customers") == made
    assert shop.asked[0].url.path == "/rest/all/V1/customers/search"
    shop.rows["customers"][4]["addresses"] = ["none"]
    assert polled(shop, "customers") == [1, 2, 3, 4, Hint("customer", "5"), 6, 7, 8, 9]
    shop.broken = {("customers", 9)}
    assert polled(shop, "customers")[-1] == Hint("customers", "2026-11-20 10:00:02/8/1")


def test_a_shop_out_of_order_is_not_stepped_through(shop):
    for _ in range(9):
        shop.place()
    shop.broken = {("orders", number) for number in range(10)}
    with pytest.raises(errors.TargetUnavailableError):
        polled(shop)


def test_a_row_that_cannot_be_read_is_left_to_a_person_and_not_in_the_way(shop):
    shop.place()
    shop.place(items=[{"item_id": 9, "qty_ordered": 1.5, "price": 8, "row_total": 12}])
    shop.place(order_currency_code=None)
    shop.place()
    assert polled(shop) == [1, Hint("order", "2"), Hint("order", "3"), 4]
    with pytest.raises(errors.MalformedDeliveryError):
        fetched(shop, "order", 2)


def test_a_list_that_does_not_keep_to_its_filters_stops_the_poll(shop):
    row = shop.place(-60)
    shop.answer = httpx.Response(200, json={"items": [row], "total_count": 99})
    with pytest.raises(errors.TargetRejectedError, match="keep to its filters"):
        read(shop, "orders")


def follow(shop):
    """An order with an invoice, a shipment and a credit memo of it."""
    shop.place(60)
    of = {"order_id": 1, "order_currency_code": "GBP", "grand_total": 12, "state": 2}
    lines = [{"order_item_id": 1, "qty": 1, "row_total": 12}]
    for stream in ("invoices", "creditmemos", "shipments"):
        shop.add(stream, 120, **of, items=lines)


@pytest.mark.parametrize(
    ("stream", "what", "kind"),
    [
        ("invoices", "invoice", "Payment"),
        ("creditmemos", "creditmemo", "Refund"),
        ("shipments", "shipment", "Shipment"),
    ],
)
def test_what_follows_an_order_is_the_same_polled_and_fetched(shop, stream, what, kind):
    follow(shop)
    (found,) = read(shop, stream).told
    assert [found] == fetched(shop, what, 1)
    assert (found.ref.kind, found.ref.key, found.parent.key) == (kind, "shop/1", "shop/1")
    assert found.refetch == Hint(what, "1")
    if kind != "Shipment":
        assert found.body.gateway == "checkmo"


def test_a_document_without_its_order_is_left_to_a_hint(shop):
    follow(shop)
    shop.add("invoices", 130, order_id=77, order_currency_code="GBP", grand_total=1)
    assert polled(shop, "invoices") == [1, Hint("invoice", "2")]
    with pytest.raises(errors.NotThereError):
        fetched(shop, "invoice", 2)


def test_an_order_is_the_same_polled_and_fetched(shop):
    shop.place()
    assert list(read(shop, "orders").told) == fetched(shop, "order", 1)
    assert all(isinstance(one, Seen) for one in fetched(shop, "order", 1))


def test_an_account(shop):
    body = {"id": 9, "updated_at": "2026-11-20 10:00:00", "email": "ada@shop.example"}
    shop.answer = httpx.Response(200, json=body)
    (found,) = fetched(shop, "customer", 9)
    assert (found.ref.key, found.body.contact.email) == ("shop/9", "ada@shop.example")
    assert shop.asked[0].url.path == "/rest/all/V1/customers/9"


def test_settings_say_what_orders_do_not(shop):
    levied = {"weee_tax_applied": json.dumps([{"title": "Sugar", "row_amount": 2}])}
    levied |= {"item_id": 1, "qty_ordered": 1, "price": 12, "row_total": 12, "sku": "A"}
    shop.place(items=[levied | {"weee_tax_applied_row_amount": 2}])
    config = connection(tax_included=True, levies="Carbon, Sugar")
    page = PULL.changes(client(shop), "orders", None, Span(START), config)
    request = next(iter(page.told)).body
    assert request.tax_included
    assert [line.type for line in request.lines] == ["GOODS", "LEVY"]


@pytest.mark.parametrize("what", ["order", "invoice", "creditmemo", "shipment", "customer"])
def test_what_is_not_there_is_not_there(shop, what):
    with pytest.raises(errors.NotThereError):
        fetched(shop, what, 4711)


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (401, "The consumer isn't authorized to access %resources.", errors.ConfigurationError),
        (401, "The signature is invalid. Verify and try again.", errors.ConfigurationError),
        (
            401,
            "The nonce is already being used by the consumer with ID %1",
            errors.TargetUnavailableError,
        ),
        (400, "Deadlock found when trying to get lock", errors.TargetUnavailableError),
        (400, "Could not save the order, please try again", errors.TargetUnavailableError),
        (400, "Decoding error.", errors.TargetRejectedError),
        (400, '"%fieldName" is required. Enter and try again.', errors.TargetRejectedError),
        (404, "Request does not match any route.", errors.ConfigurationError),
        (429, "Slow down", errors.RateLimitedError),
        (503, "Service Temporarily Unavailable", errors.TargetUnavailableError),
    ],
)
def test_what_refusals_mean(shop, status, message, error):
    shop.answer = httpx.Response(status, json={"message": message})
    with pytest.raises(error):
        fetched(shop, "order", 1)


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, errors.TargetUnavailableError), (404, errors.ConfigurationError)],
)
def test_a_page_for_people_is_no_answer(shop, status, error):
    shop.answer = httpx.Response(status, html="<html>")
    with pytest.raises(error):
        fetched(shop, "order", 1)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("no token", errors.ConfigurationError),
        ("unknown order", errors.NotThereError),
        ("no searchCriteria", errors.TargetRejectedError),
        ("no route", errors.ConfigurationError),
    ],
)
def test_refusals_of_a_running_shop(shop, case, error):
    said = json.loads((SAMPLES / "seen_errors.json").read_text())
    one = next(one for one in said if one["case"] == case)
    shop.answer = httpx.Response(one["status"], json=one["body"])
    with pytest.raises(error):
        fetched(shop, "order", 1)


def test_a_company_is_read_and_one_that_is_not_there_says_nothing(shop):
    shop.said["company/3"] = {"id": 3, "company_name": "Corner Pop Ltd", "street": ["1 Dock Rd"]}
    (told,) = fetched(shop, "company", 3)
    assert (told.ref.key, told.body.company.name) == ("shop/company:3", "Corner Pop Ltd")
    with pytest.raises(errors.NotThereError):
        fetched(shop, "company", 4)


def test_of_two_reads_of_a_company_the_later_wins_without_a_time(shop):
    shop.said["company/3"] = {"id": 3, "company_name": "Corner Pop Ltd"}
    (before,) = fetched(shop, "company", 3)
    shop.said["company/3"]["company_name"] = "Corner Pop plc"
    (after,) = fetched(shop, "company", 3)
    assert before.changed == after.changed
    row = {"version": "t", "fingerprint": before.body.fingerprint(), "observed_at": to_text(START)}
    later = Circumstances(START + timedelta(seconds=1), is_authoritative=True)
    assert judge(row, "t", after.body.fingerprint(), later) is Merge.MERGED
    assert judge(row, "t", before.body.fingerprint(), later) is Merge.EQUAL


def test_a_shop_without_the_b2b_module_tells_of_no_company(shop):
    shop.answer = httpx.Response(404, json={"message": "Request does not match any route."})
    assert fetched(shop, "company", 3) == []
    with pytest.raises(errors.ConfigurationError):
        fetched(shop, "customer", 3)
    shop.answer = httpx.Response(401, json={"message": "The consumer isn't authorized"})
    with pytest.raises(errors.ConfigurationError):
        fetched(shop, "company", 3)


# -- what is sold ----------------------------------------------------------------------------------


def stock(shop, row, salable=96, **item):
    """A product read by its SKU, and what is offered of it."""
    whole = {name: value for name, value in row.items() if name != "entity_id"}
    item = {"qty": 100, "manage_stock": True} | item
    whole |= {"id": row["entity_id"], "extension_attributes": {"stock_item": item}}
    shop.said[f"products/{row['sku']}"] = whole
    shop.said[f"inventory/get-product-salable-quantity/{row['sku']}/1"] = salable


def cola(shop, second=0, **changes):
    row = {"sku": "COLA 24", "name": "Cola", "type_id": "simple", "status": 1, "price": 13.2}
    return shop.add("products", second, **row | changes)


def test_the_first_round_reads_every_product_and_the_next_what_changed(shop):
    cola(shop, -9000)
    cola(shop, 60, sku="TONIC")
    assert polled(shop, "products") == [
        *(1, 1, Hint("stock", "1", Kind.STOCK_LEVEL)),
        *(2, 2, Hint("stock", "2", Kind.STOCK_LEVEL)),
    ]
    assert polled(shop, "products", Span(START + timedelta(seconds=1)))[0] == 2


def test_a_price_is_in_the_base_currency_which_is_read_once(shop):
    cola(shop)
    pull = Small()
    for store, currency in (("all", "GBP"), ("trade", "EUR")):
        config = connection(store=store).model_copy(update={"name": store})
        for calls in (2, 1):
            shop.asked.clear()
            told = list(pull.fetch(client(shop, config), Hint("product", "1"), config))
            assert told[1].body.price.currency == currency
            assert len(shop.asked) == calls


def test_what_is_offered_is_read_by_sku_and_leaves_out_what_is_ordered(shop):
    stock(shop, cola(shop))
    (level,) = fetched(shop, "stock", 1)
    assert (level.ref.key, level.body.sku, level.body.on_hand) == ("shop/1", "COLA 24", 96)
    config = connection(stock=0)
    (old,) = PULL.fetch(client(shop, config), Hint("stock", "1"), config)
    assert old.body.on_hand == 100


@pytest.mark.parametrize(("changes", "item"), [({"sku": "A/B"}, {}), ({}, {"manage_stock": False})])
def test_stock_that_cannot_be_read_or_is_not_counted_is_not_told(shop, changes, item):
    stock(shop, cola(shop, **changes), **item)
    assert fetched(shop, "stock", 1) == []


def test_a_product_that_is_not_there_says_nothing(shop):
    assert fetched(shop, "product", 7) == fetched(shop, "stock", 7) == []
