"""Reading B2B Edition beside a store: another host, with the store's token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fizzbridge.errors import ConfigurationError, NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Part
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from fizzbridge.settings import Connection
from platforms.bigcommerce import b2b
from platforms.bigcommerce.pull import BigCommercePull
from platforms.bigcommerce.subscriptions import BigCommerceSubscriptions

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
SECOND = int(START.timestamp())
PULL = BigCommercePull()
ORDER = {
    "id": 272,
    "status_id": 11,
    "date_created": "Fri, 20 Nov 2026 09:00:00 +0000",
    "date_modified": "Fri, 20 Nov 2026 09:05:00 +0000",
    "customer_id": 9,
    "currency_code": "GBP",
    "default_currency_code": "GBP",
    "total_ex_tax": "0.0000",
    "total_inc_tax": "0.0000",
    "total_tax": "0.0000",
}
NOT_FOUND = {"code": 404, "data": {}, "meta": {"message": "Order Does Not Exist."}}


class Shop:
    """A store and its B2B Edition."""

    def __init__(self, *companies: tuple[int, int], known=None, at_once=100) -> None:
        self.companies = [{"companyId": one, "updatedAt": str(at)} for one, at in companies]
        self.known = known
        self.at_once = at_once
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path
        assert request.headers["x-auth-token"] == "token"
        if request.url.host == "api.bigcommerce.com":
            assert "x-store-hash" not in request.headers
            is_order = path == "/stores/abc123/v2/orders/272"
            return httpx.Response(200, json=ORDER) if is_order else httpx.Response(204)
        assert request.url.host == "api-b2b.bigcommerce.com"
        assert request.headers["x-store-hash"] == "abc123"
        if path == "/api/v3/io/companies":
            return self.listed(
                {name: int(v) for name, v in request.url.params.items() if v.isdigit()}
            )
        found = self.known
        if path != "/api/v3/io/orders/272":
            found = next((o for o in self.companies if path.endswith(f"/{o['companyId']}")), None)
        whole = {"code": 200, "data": found, "meta": {"message": "SUCCESS"}}
        return httpx.Response(200, json=whole) if found else httpx.Response(404, json=NOT_FOUND)

    def listed(self, query: dict[str, int]) -> httpx.Response:
        ends = query["minModified"], query.get("maxModified", 1 << 40)
        rows = [one for one in self.companies if ends[0] <= int(one["updatedAt"]) <= ends[1]]
        rows.sort(key=lambda one: int(one["updatedAt"]))
        start = query["offset"]
        page = rows[start : start + min(query["limit"], self.at_once)]
        return httpx.Response(200, json={"code": 200, "data": page, "meta": {}})


def connection(**settings) -> Connection:
    return Connection(
        name="shop",
        platform="bigcommerce",
        base_url="https://api.bigcommerce.com/stores/abc123",
        start_at=START,
        settings=settings,
    )


ON, OFF = connection(b2b=True), connection()


def client(shop, config=ON) -> VendorClient:
    return VendorClient(
        platform="bigcommerce",
        base_url=config.base_url,
        auth=PULL.auth({"access_token": "token"}, config),
        errors=PULL.errors,
        timeout=timedelta(seconds=25),
        transport=httpx.MockTransport(shop),
    )


def fetched(shop, what, number, config=ON):
    return list(PULL.fetch(client(shop, config), Hint(what, str(number)), config))


def request(shop, config=ON):
    return next(one.body for one in fetched(shop, "order", 272, config) if one.part is Part.REQUEST)


KNOWN = {
    "bcOrderId": 272,
    "companyId": 12345,
    "poNumber": "PO-9",
    "extraFields": [{"fieldName": "Dock", "fieldValue": "4"}],
}


@pytest.mark.parametrize("known", [KNOWN, [KNOWN]], ids=["object", "list"])
def test_an_order_of_a_company_has_its_number_and_its_fields(known):
    body = request(Shop(known=known))
    assert (body.company.id, body.po_number, body.properties) == ("12345", "PO-9", {"Dock": "4"})
    assert body.customer.key == "shop/9"


@pytest.mark.parametrize("known", [None, []])
def test_an_order_it_does_not_know_is_nobodys_but_the_buyers(known):
    body = request(Shop(known=known))
    assert (body.company, body.po_number) == (None, "")


def test_where_it_is_off_its_host_is_never_asked():
    shop = Shop((7, SECOND), known=KNOWN)
    assert request(shop, OFF).company is None
    assert fetched(shop, "company", 7, OFF) == []
    assert PULL.changes(client(shop, OFF), "companies", None, Span(START), OFF).is_last
    assert {one.url.host for one in shop.asked} == {"api.bigcommerce.com"}


def test_calls_to_its_host_are_counted_and_links_to_it_are_still_refused():
    shop = Shop(known=KNOWN)
    vendor = client(shop)
    list(PULL.fetch(vendor, Hint("order", "272"), ON))
    assert vendor.calls == len(shop.asked) == 5
    with pytest.raises(ConfigurationError):
        vendor.get("https://api-b2b.bigcommerce.com/api/v3/io/companies")


def test_a_company_is_read_and_one_that_is_not_there_says_nothing():
    shop = Shop((7, SECOND))
    (told,) = fetched(shop, "company", 7)
    assert (told.ref.key, told.changed) == ("shop/company:7", START)
    with pytest.raises(NotThereError):
        fetched(shop, "company", 8)


def polled(shop, span=None, meanwhile=lambda page: None):
    cursor, found = None, []
    for number in range(40):
        page = PULL.changes(client(shop), "companies", cursor, span or Span(START), ON)
        found += [int(one.ref.key.partition(":")[2]) for one in page.told]
        if page.is_last:
            return found
        cursor = page.cursor
        meanwhile(number)
    raise AssertionError("the pages never end")


def test_every_company_is_read_though_the_server_gives_fewer_and_many_share_a_second():
    placed = [(one, SECOND + one // 5) for one in range(1, 14)]
    assert set(polled(Shop((99, SECOND - 60), *placed, at_once=2))) == set(range(1, 14))
    assert polled(Shop()) == []


def test_one_that_changes_meanwhile_moves_to_the_end_and_nobody_is_passed_over():
    shop = Shop(*((one, SECOND + one) for one in range(1, 9)), at_once=3)

    def touch(page):
        if page == 0:
            shop.companies[0]["updatedAt"] = str(SECOND + 60)

    found = polled(shop, meanwhile=touch)
    assert set(found) == set(range(1, 9))
    assert found[-1] == 1


def test_a_span_has_two_ends():
    shop = Shop(*((one, SECOND + one) for one in range(1, 9)))
    span = Span(START + timedelta(seconds=3), START + timedelta(seconds=5))
    assert set(polled(shop, span)) <= {2, 3, 4, 5}
    assert {3, 4, 5} <= set(polled(shop, span))


def test_its_host_may_be_another():
    vendor = client(lambda request: httpx.Response(200, json={"data": [str(request.url)]}))
    config = connection(b2b=True, b2b_url="https://b2b.shop.example/")
    assert b2b.order(vendor, "1", config) == "https://b2b.shop.example/api/v3/io/orders/1"


def test_its_topics_are_subscribed_to_by_stores_that_have_it():
    theirs = BigCommerceSubscriptions.optional["b2b"]
    assert len(theirs) == 4
    assert not set(theirs) & set(BigCommerceSubscriptions.topics)
