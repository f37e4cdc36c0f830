"""What a shop must have before anything is shown there, and what it sells."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from fizzbridge.errors import ConfigurationError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.target import Finding, ItemThere, Situation
from platforms.woocommerce.levels import pages
from platforms.woocommerce.parcels import WAYS
from platforms.woocommerce.transport import API, market
from platforms.woocommerce.wire import Item

SHOWN = 5
"""Codes that a finding names."""


def findings(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    """One line for each right, setting and map."""
    try:
        # A batch of nothing changes nothing, and needs the right to write.
        vendor.post(f"{API}/products/batch", json={"update": []}, writes=False)
    except ConfigurationError:
        message = "give the key the permission Read/Write, of a user who manages the shop"
        yield Finding("rights", is_good=False, message=message)
        return
    yield Finding("rights", is_good=True, message="products may be written")
    shops = market(vendor)
    tax = "with" if shops.tax_included else "without"
    message = f"in {shops.currency} {tax} tax; the ERP's must be the same"
    yield Finding("prices", is_good=True, message=message)
    yield from _maps(situation)
    yield _tracking(vendor, str(situation.connection.settings.get("tracking", "note")))
    yield _counted(vendor)


def items(vendor: VendorClient) -> Iterator[ItemThere]:
    """Products and, of those that have any, their variations."""
    for one, name in _sold(vendor):
        if one.sku:
            yield ItemThere(one.sku, one.global_unique_id.replace("-", ""), name)


def _maps(situation: Situation) -> Iterator[Finding]:
    places = situation.maps.listed("location")
    message = "one place" if len(places) < 2 else f"the shop has one: {', '.join(sorted(places))}"
    yield Finding("map location", is_good=len(places) < 2, message=message)
    sales = str(situation.connection.settings.get("sale_list", ""))
    lists = situation.maps.listed("pricelist")
    others = sorted(set(lists) - {sales})
    message = f"not shown, the shop has none: {', '.join(others)}" if others else "all are shown"
    yield Finding("map pricelist", is_good=not others, message=message)
    if sales and sales not in lists:
        yield Finding("sale_list", is_good=False, message=f"map pricelist {sales} to the owner's")


def _tracking(vendor: VendorClient, name: str) -> Finding:
    what = f"tracking {name}"
    if name not in WAYS:
        return Finding(what, is_good=False, message=f"is one of {', '.join(sorted(WAYS))}")
    try:
        vendor.get(WAYS[name].path("0"))
    except ConfigurationError:
        return Finding(what, is_good=False, message="the shop has no such thing: switch it on")
    except TargetRejectedError:
        pass  # there is no such order, and somebody to say so
    return Finding(what, is_good=True, message="is there")


def _counted(vendor: VendorClient) -> Finding:
    loose = [one.sku for one, _ in _sold(vendor) if one.sku and not one.manage_stock]
    named = ", ".join(islice(loose, SHOWN)) + (" and others" if len(loose) > SHOWN else "")
    message = f"switch on Manage stock, or stock is passed over: {named}" if loose else "all"
    return Finding("stock counted", is_good=not loose, message=message)


def _sold(vendor: VendorClient) -> Iterator[tuple[Item, str]]:
    for one in pages(vendor, f"{API}/products"):
        if one.is_variable:
            for variation in pages(vendor, f"{API}/products/{one.id}/variations"):
                yield variation, one.name
        else:
            yield one, one.name
