"""Reading the products of a site by search."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fizzbridge.errors import TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.pull import Span
from fizzbridge.settings import Connection
from platforms.sfcc.pull import SfccPull

START = datetime(2026, 11, 1, tzinfo=UTC)
SITE = Connection(
    name="shop",
    platform="sfcc",
    base_url="https://kv7kzm78.api.commercecloud.salesforce.com",
    start_at=START,
    settings={"organization_id": "f_ecom_zzfz_001", "site_id": "FizzUS"},
)
SEARCH = "/product/products/v1/organizations/f_ecom_zzfz_001/product-search"


class Catalogue:
    """Products, found by the ranges and in the order a search asks for."""

    def __init__(self):
        self.rows = []
        self.asked = []
        self.keeps_to_filters = True

    def add(self, number, *, made=START, changed=START):
        row = {"id": f"P{number:04}", "name": {"default": "Cola"}, "type": {"item": True}}
        times = {"creationDate": text(made), "lastModified": text(changed)}
        self.rows.append(row | times | {"online": True})

    def __call__(self, request):
        assert (request.method, request.url.path) == ("POST", SEARCH)
        assert request.url.params["siteId"] == "FizzUS"
        body = json.loads(request.content)
        self.asked.append(body)
        query = body["query"]["filteredQuery"]
        assert query["query"] == {"matchAllQuery": {}}
        assert body["expand"] == ["availability"]
        ranges = [one["rangeFilter"] for one in query["filter"]["boolFilter"]["filters"]]
        hits = [
            row
            for row in self.rows
            if not self.keeps_to_filters
            or all(
                one["from"] <= row[one["field"]] <= one.get("to", row[one["field"]])
                for one in ranges
            )
        ]
        hits.sort(key=lambda row: [row[one["field"]] for one in body["sorts"]])
        page = hits[body["offset"] : body["offset"] + body["limit"]]
        found = {"hits": page} if page else {}
        return httpx.Response(200, json=found | {"total": len(hits), "limit": body["limit"]})


def text(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def poll(catalogue, since=START, until=None, between=lambda: None):
    """Every page of a round; something may happen between the pages."""
    vendor = VendorClient(
        platform="sfcc",
        base_url=SITE.base_url,
        auth=httpx.Auth(),
        errors=SfccPull.errors,
        timeout=timedelta(seconds=5),
        transport=httpx.MockTransport(catalogue),
    )
    told, cursor = [], None
    for _ in range(20):
        page = SfccPull().changes(vendor, "products", cursor, Span(since, until), SITE)
        told += page.told
        cursor = page.cursor
        if page.is_last:
            return [one.body.sku for one in told]
        between()
    raise AssertionError("no end")


@pytest.fixture
def catalogue():
    return Catalogue()


def test_the_first_round_reads_every_product_and_a_later_one_what_changed(catalogue):
    old = START - timedelta(days=900)
    catalogue.add(1, made=old, changed=old)
    catalogue.add(2, made=old, changed=START + timedelta(days=2))
    assert poll(catalogue) == ["P0001", "P0002"]
    assert poll(catalogue, START + timedelta(days=1)) == ["P0002"]
    assert poll(catalogue, START + timedelta(days=1), START + timedelta(days=1, hours=1)) == []


def test_products_of_one_moment_are_counted_off(catalogue):
    for number in range(450):
        catalogue.add(number)
    assert set(poll(catalogue)) == {row["id"] for row in catalogue.rows}
    assert max(body["offset"] for body in catalogue.asked) == 400


def test_what_changes_or_goes_meanwhile_costs_no_other_product(catalogue):
    for number in range(450):
        catalogue.add(number, made=START + timedelta(minutes=number))
    staying = {row["id"] for row in catalogue.rows[5:]}

    def between():
        del catalogue.rows[0]
        catalogue.rows[0]["lastModified"] = text(START + timedelta(days=3))

    assert set(poll(catalogue, between=between)) >= staying


def test_a_search_that_keeps_to_nothing_stops_the_poll(catalogue):
    catalogue.keeps_to_filters = False
    for number in range(250):
        catalogue.add(number, made=START + timedelta(minutes=number))
    with pytest.raises(TargetRejectedError, match="creationDate"):
        poll(catalogue)
